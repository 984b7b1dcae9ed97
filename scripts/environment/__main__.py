"""`python3 scripts/environment LANE…`: prepare virtual environments.

`client` is the one that holds nothing but the client, as a wheel that is built for it.
"""

from pathlib import Path
import sys

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from environment.client import CLIENT, prepare_client
from environment.lanes import LANES, prepare
from environment.steps import StepError, not_yours


def main(names: list[str]) -> int:
    """Prepare the lanes, all of them if none is named."""
    known = [*LANES, CLIENT]
    if unknown := [name for name in names if name not in known]:
        print(f"No lane is called {unknown[0]}; there are {', '.join(known)}.")
        return 2
    try:
        try:
            for name in names or list(LANES):
                prepare_client() if name == CLIENT else prepare(name)
        except PermissionError as err:
            raise not_yours(err.filename) from err
    except StepError as err:
        print(f"\nSet-up stopped: {err.problem}\n→ {err.advice}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. Start again at any time; what is done is kept.")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
