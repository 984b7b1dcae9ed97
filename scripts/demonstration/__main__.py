"""`scripts/demo`: see the integration at work, or check that it does."""

import argparse
import asyncio
from collections.abc import Coroutine
import sys

from .check import check
from .command_line import parse
from .demo import run
from .interruption import until_interrupted


def _wanted(arguments: argparse.Namespace) -> Coroutine[None, None, None]:
    if arguments.check:
        return check()
    if arguments.screenshots:
        # The only part that needs Playwright.
        from .screenshots import take_all  # noqa: PLC0415

        return take_all()
    return run(arguments)


if __name__ == "__main__":
    sys.exit(asyncio.run(until_interrupted(_wanted(parse()))))
