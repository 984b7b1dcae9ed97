"""The demo's command line; run as a program it says at once what stands in the way.

`scripts/demo` runs it before anything is prepared, on the machine's own Python (3.11
or newer) with the standard library alone.
"""

import argparse
import sys
from typing import Final

from .processes import DemoError, claim_port

_PORT: Final = 8123
_CLOUD_PORT: Final = 8124

_FAILED: Final = 1


def parse() -> argparse.Namespace:
    """Return what the user wants."""
    parser = argparse.ArgumentParser(
        prog="scripts/demo",
        description="Run Home Assistant with the integration beside a simulated cloud.",
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--fresh", action="store_true", help="forget what an earlier demo has stored"
    )
    what.add_argument(
        "--empty",
        action="store_true",
        help="start anew and without the integration, to set it up by hand",
    )
    what.add_argument(
        "--check",
        action="store_true",
        help="set everything up elsewhere, compare it with the simulation's truth, end",
    )
    what.add_argument(
        "--screenshots",
        action="store_true",
        help="take the pictures of docs/images with headless Chromium, end",
    )
    parser.add_argument(
        "--port", type=int, default=_PORT, help=f"of Home Assistant ({_PORT})"
    )
    parser.add_argument(
        "--cloud-port",
        type=int,
        default=_CLOUD_PORT,
        help=f"of the simulated cloud ({_CLOUD_PORT})",
    )
    return parser.parse_args()


def claim_ports(arguments: argparse.Namespace) -> None:
    """Make sure that the ports are free. Raises DemoError with what to do."""
    if arguments.check or arguments.screenshots:
        return  # They take any that are free.
    claim_port(arguments.port, "--port")
    claim_port(arguments.cloud_port, "--cloud-port")


if __name__ == "__main__":
    try:
        claim_ports(parse())
    except DemoError as err:
        print(err, file=sys.stderr)
        sys.exit(_FAILED)
