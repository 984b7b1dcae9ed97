"""Try the client as a package of its own: python -m scripts.client PYTHON.

PYTHON is the interpreter of an environment with the package and its dependencies.
"""

from pathlib import Path
import subprocess
import sys
from tempfile import TemporaryDirectory
from typing import Final

from .trial import CHECKOUT, EXAMPLES, Trial, TrialError, simulated_cloud

_IS_ALONE: Final = """
from importlib.metadata import requires
from importlib.util import find_spec

assert [each.partition(">")[0] for each in requires("enphase-cloud-api")] == ["aiohttp"]
assert not find_spec("homeassistant") and not find_spec("custom_components")
"""


def main(python: Path) -> int:
    """Check the types of the examples, and run them; return an exit code."""
    if subprocess.call([python, "-P", "-c", _IS_ALONE]):
        print(
            "The package depends on more than aiohttp, or the environment contains"
            " Home Assistant or this integration."
        )
        return 1
    if code := _check_types(python):
        return code
    with simulated_cloud() as url, TemporaryDirectory() as folder:
        try:
            for line in Trial(python, url, Path(folder)).run_all():
                print(f"  {line}", flush=True)
        except TrialError as err:
            print(err, file=sys.stderr)
            return 1
    return 0


def _check_types(python: Path) -> int:
    """Check the types of the examples with only the package installed."""
    print("Types of the examples: ", end="", flush=True)
    cache = CHECKOUT / ".cache" / "client" / "mypy"
    return subprocess.call(
        [
            *(sys.executable, "-m", "mypy", "--strict", "--config-file="),
            *("--python-executable", python, "--cache-dir", cache, "."),
        ],
        cwd=EXAMPLES,
    )


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).absolute()))
