"""The demo's command line; run as a program it says at once what stands in the way.

`scripts/demo` runs it before anything is prepared, on the machine's own Python (3.11
or newer) with the standard library alone.
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
"""Where Home Assistant keeps its things."""
PLANS: Final = ("kilowatt", "megawatt", "partner")
"""Those with live streams; the demo has the first unless the user chooses another."""

_CHOICES: Final = {
    "--fresh": "forget what an earlier demo has stored",
    "--empty": "start anew and without the integration, to set it up by hand",
    "--check": "set everything up elsewhere, compare it with the truth, end",
    "--screenshots": "take the pictures of docs/images with headless Chromium, end",
}
_PORTS: Final = {
    "port": (8123, "Home Assistant"),
    "cloud_port": (8124, "The simulated cloud"),
}
# So many ports are tried from each of these on.
_TRIES: Final = 100
# Each is held by who uses the folder: the demo, and Home Assistant.
_LOCKS: Final = (CHECKOUT / "scripts" / "demo", FOLDER / ".ha_run.lock")


class DemoError(Exception):
    """The demo cannot go on; the text tells the user why and what to do."""


def parse() -> argparse.Namespace:
    """Return what the user wants; a port is None unless it is named."""
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
    for name, (port, whose) in _PORTS.items():
        parser.add_argument(
            _option(name), type=int, help=f"of {whose} ({port}, or the next free one)"
        )
    return parser.parse_args()


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def ensure_possible(arguments: argparse.Namespace) -> None:
    """Make sure that the demo can run. Raises DemoError with what to do."""
    if arguments.check or arguments.screenshots:
        return  # They have a folder of their own, and take any ports that are free.
    _require_writable()
    with alone():
        choose_ports(arguments)


def _require_writable() -> None:
    nearest = next(path for path in (FOLDER, CHECKOUT) if path.exists())
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise DemoError(
            f"You may not write to {nearest}, where the demo keeps its things."
            f"\nStart it from a clone of your own: git clone {CHECKOUT}"
        )


@contextmanager
def alone() -> Iterator[None]:
    """Keep other demos out of the folder. Raises DemoError where one is there."""
    held = []
    try:
        for path in _LOCKS:
            with suppress(FileNotFoundError):
                held.append(os.open(path, os.O_RDONLY))
                fcntl.flock(held[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Home Assistant wants its own for itself.
        while len(held) > 1:
            os.close(held.pop())
        yield
    except BlockingIOError:
        raise DemoError(
            f"A demo runs already in {FOLDER}.\nEnd it (Ctrl-C), or start another one"
            " from a second clone."
        ) from None
    finally:
        for each in held:
            os.close(each)


def choose_ports(arguments: argparse.Namespace) -> list[str]:
    """Set the ports that are not named to free ones; return what the user should know.

    Raises DemoError where a port that is named cannot be had.
    """
    words = []
    taken = {arguments.port, arguments.cloud_port}
    for name, (usual, whose) in _PORTS.items():
        named: int | None = getattr(arguments, name)
        if named is not None:
            _claim(named, _option(name))
            continue
        others = taken | {port for port, _ in _PORTS.values() if port != usual}
        tried = (port for port in range(usual, usual + _TRIES) if port not in others)
        port = next((port for port in tried if _is_free(port)), None)
        if port is None:
            raise DemoError(f"No port is free near {usual}: choose {_option(name)}.")
        if port != usual:
            words.append(f"Port {usual} is taken; {whose} has {port} instead.")
        setattr(arguments, name, port)
        taken.add(port)
    return words


def _claim(port: int, option: str) -> None:
    try:
        # What lingers of an earlier connection does not count, as for servers.
        socket.create_server((LOOPBACK, port)).close()
    except OSError as err:
        raise DemoError(
            f"Port {port} cannot be had ({err.strerror})."
            f"\nChoose another with {option}, or leave it out to get a free one."
        ) from None


def _is_free(port: int) -> bool:
    with suppress(DemoError):
        _claim(port, "")
        return True
    return False


if __name__ == "__main__":
    try:
        ensure_possible(parse())
    except DemoError as err:
        sys.exit(str(err))
