"""`scripts/demo`: see the integration at work, or check that it does."""

import argparse
import asyncio
from collections.abc import Coroutine
import signal
import sys
from typing import Final

from .check import check
from .command_line import parse
from .demo import run
from .folder import DEMO_FOLDER
from .home_assistant import HomeAssistantError
from .processes import DemoError

_FAILED: Final = 1
_INTERRUPTED: Final = 130


def _wanted(arguments: argparse.Namespace) -> Coroutine[None, None, bool | None]:
    if arguments.check:
        return check()
    if arguments.screenshots:
        # The only part that needs Playwright.
        from .screenshots import take_all  # noqa: PLC0415

        return take_all()
    return run(
        DEMO_FOLDER,
        port=arguments.port,
        cloud_port=arguments.cloud_port,
        fresh=arguments.fresh,
        empty=arguments.empty,
    )


async def _until_interrupted(what: Coroutine[None, None, bool | None]) -> int:
    """Return the exit code; the first signal lets everything end in good order."""
    working = asyncio.ensure_future(what)
    interruptions: list[int] = []

    def interrupt() -> None:
        interruptions.append(_INTERRUPTED)
        if len(interruptions) == 1:
            working.cancel()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, interrupt)
    try:
        return _FAILED if await working is False else 0
    except asyncio.CancelledError:
        return _INTERRUPTED
    except (DemoError, HomeAssistantError) as err:
        print(f"\n{err}", file=sys.stderr)
        return _FAILED


if __name__ == "__main__":
    sys.exit(asyncio.run(_until_interrupted(_wanted(parse()))))
