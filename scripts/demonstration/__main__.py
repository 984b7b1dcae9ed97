"""`scripts/demo`: run the demo, check it, or take its screenshots."""

import argparse
import asyncio
from collections.abc import Coroutine
import sys

from .check import check
from .command_line import parse
from .demo import run
from .interruption import until_interrupted


def _chosen(arguments: argparse.Namespace) -> Coroutine[None, None, None]:
    """Return the coroutine that the options select."""
    if arguments.check:
        return check()
    if arguments.screenshots:
        # Imported here: only this part needs Playwright.
        from .screenshots import take_all  # noqa: PLC0415

        return take_all()
    return run(arguments)


if __name__ == "__main__":
    sys.exit(asyncio.run(until_interrupted(_chosen(parse()))))
