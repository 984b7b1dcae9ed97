"""The demo's command line; run as a program it says at once what stands in the way.

`scripts/demo` runs it before anything is prepared, on the machine's own Python (3.11
or newer) with the standard library alone.
"""

import argparse
import socket
import sys
from typing import Final

LOOPBACK: Final = "127.0.0.1"
PLANS: Final = ("kilowatt", "megawatt", "partner")
"""Those with live streams; the demo has the first unless the user chooses another."""

_CHOICES: Final = {
    "--fresh": "forget what an earlier demo has stored",
    "--empty": "start anew and without the integration, to set it up by hand",
    "--check": "set everything up elsewhere, compare it with the truth, end",
    "--screenshots": "take the pictures of docs/images with headless Chromium, end",
}
_PORT: Final = 8123
_CLOUD_PORT: Final = 8124


class DemoError(Exception):
    """The demo cannot go on; the text tells the user why and what to do."""


def parse() -> argparse.Namespace:
    """Return what the user wants."""
    parser = argparse.ArgumentParser(
        prog="scripts/demo",
        description="Run Home Assistant with the integration beside a simulated cloud.",
    )
    what = parser.add_mutually_exclusive_group()
    for option, text in _CHOICES.items():
        what.add_argument(option, action="store_true", help=text)
    parser.add_argument(
        "--plan",
        choices=PLANS,
        default=PLANS[0],
        help="of the API key at a first start; megawatt opens settings",
    )
    for option, port, whose in (
        ("--port", _PORT, "Home Assistant"),
        ("--cloud-port", _CLOUD_PORT, "the simulated cloud"),
    ):
        parser.add_argument(option, type=int, default=port, help=f"of {whose} ({port})")
    return parser.parse_args()


def claim_ports(arguments: argparse.Namespace) -> None:
    """Make sure that the ports are free. Raises DemoError with what to do."""
    if arguments.check or arguments.screenshots:
        return  # They take any that are free.
    ports = {"--port": arguments.port, "--cloud-port": arguments.cloud_port}
    for option, port in ports.items():
        try:
            # What lingers of an earlier connection does not count, as for servers.
            socket.create_server((LOOPBACK, port)).close()
        except OSError as err:
            raise DemoError(
                f"Port {port} is busy ({err.strerror}): another demo may be running."
                f"\nEnd that, or choose another port with {option}."
            ) from None


if __name__ == "__main__":
    try:
        claim_ports(parse())
    except DemoError as err:
        sys.exit(str(err))
