"""What the check found out: sentences that hold or not, and tables of entities."""

from collections.abc import Sequence
from dataclasses import dataclass
import time
from typing import Final

_HEADINGS: Final = ("entity", "state", "unit", "truth", "ok")


@dataclass(frozen=True, slots=True)
class Row:
    """An entity's state beside what it should be; `truth` tells how it is known."""

    entity_id: str
    state: str
    unit: str
    truth: str
    ok: bool


class Report:
    """Prints each finding as it comes, and remembers what did not hold."""

    def __init__(self) -> None:
        """Begin without findings."""
        self.failures: list[str] = []
        self._started = time.monotonic()

    def heading(self, text: str) -> None:
        """Begin a part."""
        print(f"\n{text}   ({time.monotonic() - self._started:.0f} s)", flush=True)

    def expect(self, sentence: str, *, holds: bool, found: object = None) -> None:
        """Print a sentence; where it does not hold, with what was found instead."""
        differs = "" if holds or found is None else f": {found}"
        print(f"  {_mark(ok=holds)} {sentence}{differs}", flush=True)
        if not holds:
            self.failures.append(f"{sentence}{differs}")

    def table(self, rows: Sequence[Row]) -> None:
        """Print a table of entities."""
        cells = [
            _HEADINGS,
            *(
                (row.entity_id, row.state, row.unit, row.truth, _mark(ok=row.ok))
                for row in rows
            ),
        ]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        for line in cells:
            padded = (
                cell.ljust(width) for cell, width in zip(line, widths, strict=True)
            )
            print(f"  {'  '.join(padded)}".rstrip(), flush=True)
        self.failures.extend(
            f"{row.entity_id} is {row.state} {row.unit}, the truth is {row.truth}"
            for row in rows
            if not row.ok
        )

    def conclude(self) -> bool:
        """Print the result; return whether everything held."""
        seconds = time.monotonic() - self._started
        if not self.failures:
            print(f"\nAll is as the simulation's truth says ({seconds:.0f} s).")
            return True
        print(f"\nNot as it should be ({seconds:.0f} s):")
        for failure in self.failures:
            print(f"  ✗ {failure}")
        return False


def _mark(*, ok: bool) -> str:
    return "✓" if ok else "✗"
