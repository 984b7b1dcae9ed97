"""The demo's command line; run as a program it checks whether the demo can start.

`scripts/demo` runs it before it prepares an environment, on the machine's own Python
(3.11 or newer) with the standard library alone.
"""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager, suppress
import fcntl
import os
from pathlib import Path
import socket
import sys
from typing import Final

LOOPBACK: Final = "127.0.0.1"
CHECKOUT: Final = Path(__file__).resolve().parents[2]
FOLDER: Final = CHECKOUT / "demo"
"""The configuration folder of Home Assistant."""
PLANS: Final = ("kilowatt", "megawatt", "partner")
"""The plans with live streams; the first is the default."""

_CHOICES: Final = {
    "--fresh": "delete the data of earlier demos first",
    "--empty": "like --fresh, but leave the set-up of the integration to you",
    "--check": "compare the integration with the simulation, apart from your demo",
    "--screenshots": "take the pictures of docs/images, with headless Chromium",
}
_PORTS: Final = {
    "port": (8123, "Home Assistant"),
    "cloud_port": (8124, "the simulated cloud"),
}
# The number of ports to try, from each default on.
_TRIES: Final = 100
# Files whose locks show that the folder is in use: by a demo, by Home Assistant.
_LOCKS: Final = (CHECKOUT / "scripts" / "demo", FOLDER / ".ha_run.lock")


class DemoError(Exception):
    """The demo cannot continue; the text says why, and what the user can do."""


def parse() -> argparse.Namespace:
    """Return the user's options; a port is None unless it is given."""
    parser = argparse.ArgumentParser(
        prog="scripts/demo",
        description="Run Home Assistant with the integration beside a simulated cloud.",
    )
    choice = parser.add_mutually_exclusive_group()
    for option, text in _CHOICES.items():
        choice.add_argument(option, action="store_true", help=text)
    parser.add_argument(
        "--plan",
        choices=PLANS,
        default=PLANS[0],
        help="plan of the API key, for a first start (%(default)s);"
        " from megawatt on, battery settings can be changed",
    )
    for name, (port, program) in _PORTS.items():
        parser.add_argument(
            _option(name),
            type=int,
            help=f"port of {program} ({port}, or the next free one)",
        )
    return parser.parse_args()


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def ensure_possible(arguments: argparse.Namespace) -> None:
    """Raise DemoError, with what to do, if the demo cannot run."""
    if arguments.check or arguments.screenshots:
        return  # These use a temporary folder and any free ports.
    _require_writable()
    with locked_folder():
        choose_ports(arguments)


def _require_writable() -> None:
    nearest = next(path for path in (FOLDER, CHECKOUT) if path.exists())
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise DemoError(
            f"You may not write to {nearest}, where the demo stores its data."
            f"\nStart it from a clone of your own: git clone {CHECKOUT}"
        )


@contextmanager
def locked_folder() -> Iterator[None]:
    """Lock the demo's folder. Raises DemoError if another demo uses it."""
    held = []
    try:
        for path in _LOCKS:
            with suppress(FileNotFoundError):
                held.append(os.open(path, os.O_RDONLY))
                fcntl.flock(held[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Only checked: Home Assistant locks its file itself when it starts.
        while len(held) > 1:
            os.close(held.pop())
        yield
    except BlockingIOError:
        raise DemoError(
            f"A demo already runs in {FOLDER}.\nStop it (Ctrl-C), or start another"
            " demo from a second clone."
        ) from None
    finally:
        for each in held:
            os.close(each)


def choose_ports(arguments: argparse.Namespace) -> list[str]:
    """Set ports that are not given to free ones; return a notice for each changed one.

    Raises DemoError if a given port is taken, or if no port is free.
    """
    notices = []
    taken = {arguments.port, arguments.cloud_port}
    for name, (usual, program) in _PORTS.items():
        given: int | None = getattr(arguments, name)
        if given is not None:
            _require_free(given, _option(name))
            continue
        others = taken | {port for port, _ in _PORTS.values() if port != usual}
        tried = (port for port in range(usual, usual + _TRIES) if port not in others)
        port = next((port for port in tried if _is_free(port)), None)
        if port is None:
            raise DemoError(f"No port is free near {usual}: set {_option(name)}.")
        if port != usual:
            notices.append(f"Port {usual} is taken; {program} uses {port} instead.")
        setattr(arguments, name, port)
        taken.add(port)
    return notices


def _require_free(port: int, option: str) -> None:
    try:
        # As servers do, it accepts a port with connections in TIME_WAIT.
        socket.create_server((LOOPBACK, port)).close()
    except OSError as err:
        raise DemoError(
            f"Port {port} is not available ({err.strerror})."
            f"\nSet another with {option}, or omit it to use a free one."
        ) from None


def _is_free(port: int) -> bool:
    with suppress(DemoError):
        _require_free(port, "")
        return True
    return False


if __name__ == "__main__":
    try:
        ensure_possible(parse())
    except DemoError as err:
        sys.exit(str(err))
