"""Signals that end a program let it stop its child processes first."""

import asyncio
from collections.abc import Coroutine
import signal
import sys
from typing import Final

from .command_line import DemoError

_FAILED: Final = 1
_INTERRUPTED: Final = 130


async def until_interrupted(work: Coroutine[None, None, None]) -> int:
    """Return the exit code; the first signal cancels the work, later ones nothing."""
    working = asyncio.ensure_future(work)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(
            number, lambda: working.cancelling() or working.cancel()
        )
    try:
        await working
    except asyncio.CancelledError:
        return _INTERRUPTED
    except (DemoError, PermissionError) as err:
        print(f"\n{err}", file=sys.stderr)
        return _FAILED
    return 0


def end_as_by_ctrl_c() -> None:
    """Handle SIGTERM and SIGHUP as Ctrl-C."""
    # A shell lets the programs that it runs in the background ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: signal.raise_signal(signal.SIGINT))
