"""`scripts/demo`: see the integration at work, or check that it does."""

import argparse
import asyncio
from collections.abc import Coroutine
import signal
import sys
from typing import Final

from .check import check
from .command_line import DemoError, parse
from .demo import run

_FAILED: Final = 1
_INTERRUPTED: Final = 130


def _wanted(arguments: argparse.Namespace) -> Coroutine[None, None, None]:
    if arguments.check:
        return check()
    if arguments.screenshots:
        # The only part that needs Playwright.
        from .screenshots import take_all  # noqa: PLC0415

        return take_all()
    return run(arguments)


async def _until_interrupted(what: Coroutine[None, None, None]) -> int:
    """Return the exit code; the first signal lets everything end in good order."""
    working = asyncio.ensure_future(what)
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


if __name__ == "__main__":
    sys.exit(asyncio.run(_until_interrupted(_wanted(parse()))))
