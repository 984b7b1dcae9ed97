"""`python3 scripts/environment LANE…`: prepare virtual environments."""

from pathlib import Path
import sys

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from environment.lanes import LANES, prepare
from environment.steps import StepError


def main(names: list[str]) -> int:
    """Prepare the lanes, all of them if none is named."""
    if unknown := [name for name in names if name not in LANES]:
        print(f"No lane is called {unknown[0]}; there are {', '.join(LANES)}.")
        return 2
    try:
        for name in names or list(LANES):
            prepare(name)
    except StepError as err:
        print(f"\nSet-up stopped: {err.problem}\n→ {err.advice}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. Start again at any time; what is done is kept.")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
