"""`python3 scripts/environment LANE…`: prepare virtual environments.

`client` is a lane that holds only the client, installed from a freshly built wheel.
"""

from pathlib import Path
import sys

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from environment.client import CLIENT, prepare_client
from environment.lanes import LANES, prepare
from environment.steps import StepError, not_yours


def main(names: list[str]) -> int:
    """Prepare the named lanes, or all but `client`; return an exit code."""
    known = [*LANES, CLIENT]
    if unknown := [name for name in names if name not in known]:
        print(f"Unknown environment {unknown[0]}. Choose from: {', '.join(known)}.")
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
        print("\nStopped. Start again at any time; completed steps are kept.")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
