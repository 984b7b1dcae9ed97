"""What all benchmarks share to be called, and to say what they measured."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Iterator, Mapping, Sequence
import json
from typing import Any


def command_line(
    name: str, description: str | None, *, quick: str = "", parts: Iterable[str] = ()
) -> ArgumentParser:
    """Return the command line of a benchmark.

    `quick` says what is done with `--quick`; where there are `parts`, some of them can
    be named, and `parts` of the arguments has them, all of them by default.
    """
    parser = ArgumentParser(prog=f"scripts/bench {name}", description=description)
    parser.add_argument("--json", action="store_true", help="one object as last line")
    if quick:
        parser.add_argument("--quick", action="store_true", help=quick)
    if known := list(parts):
        parser.add_argument(
            "parts",
            nargs="*",
            choices=known,
            default=known,
            metavar="part",
            help="; ".join(known),
        )
    return parser


def tell(
    arguments: Namespace, lines: Iterable[str], figures: Mapping[str, Any]
) -> None:
    """Print the figures as text and, where that is wanted, as JSON for programs."""
    print("\n".join(lines))
    if arguments.json:
        print(json.dumps(figures))


def table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table: the first column for names, the others to compare."""
    widths = [max(map(len, column)) + 2 for column in zip(*rows, strict=True)]
    for name, *cells in rows:
        others = (
            f"{cell:>{width}}" for cell, width in zip(cells, widths[1:], strict=True)
        )
        yield f"    {name:{widths[0]}}{''.join(others)}"
