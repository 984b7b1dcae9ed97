"""`scripts/demo`: see the integration at work, or check that it does."""

import argparse
import asyncio
from collections.abc import Coroutine
import signal
import sys
from typing import Final

from .check import check
from .demo import run
from .folder import DEMO_FOLDER
from .home_assistant import HomeAssistantError
from .processes import DemoError

_PORT: Final = 8123
_CLOUD_PORT: Final = 8124

_FAILED: Final = 1
_INTERRUPTED: Final = 130


def _arguments() -> argparse.Namespace:
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
    sys.exit(asyncio.run(_until_interrupted(_wanted(_arguments()))))
