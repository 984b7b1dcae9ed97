"""The command line and the output that all benchmarks share."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Iterator, Mapping, Sequence
import json
from typing import Any


def command_line(
    name: str, description: str | None, *, quick: str = "", parts: Iterable[str] = ()
) -> ArgumentParser:
    """Return the command line of a benchmark.

    `quick` is the help of `--quick`. If there are `parts`, some of them can be named;
    the arguments' `parts` has these, by default all.
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
    """Print the figures as text and, with `--json`, also as JSON."""
    print("\n".join(lines))
    if arguments.json:
        print(json.dumps(figures))


def table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table: names in the first column, values in the others."""
    widths = [max(map(len, column)) + 2 for column in zip(*rows, strict=True)]
    for name, *cells in rows:
        others = (
            f"{cell:>{width}}" for cell, width in zip(cells, widths[1:], strict=True)
        )
        yield f"    {name:{widths[0]}}{''.join(others)}"
