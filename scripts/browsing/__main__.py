"""`scripts/screens`: take a picture of every screen, in a language."""

import argparse
import asyncio
import sys

from scripts.demonstration.interruption import until_interrupted

from .screens import take_all
from .visitor import Appearance


def _parse() -> Appearance:
    parser = argparse.ArgumentParser(
        prog="scripts/screens",
        description="Take a picture of every screen of the integration.",
    )
    parser.add_argument("--language", default="en", help="language of all texts (en)")
    parser.add_argument("--phone", action="store_true", help="use a width of 390 px")
    parser.add_argument("--dark", action="store_true", help="use dark colours")
    return Appearance(**vars(parser.parse_args()))


if __name__ == "__main__":
    sys.exit(asyncio.run(until_interrupted(take_all(_parse()))))
