"""The pages that hold what is written from the code, and where in them it stands."""

from collections.abc import Callable
from dataclasses import dataclass
from difflib import ndiff
from pathlib import Path

from . import operations

_DOCS = Path(__file__).parents[2] / "docs"
_BEGIN = "<!-- Written by scripts/document, from the code. -->\n\n"
_END = "\n<!-- End -->\n"


@dataclass(frozen=True, slots=True)
class Page:
    """A page with a part that comes from the code."""

    path: Path
    part: Callable[[], str]

    def written(self) -> str:
        """Return the page with what the code says now.

        Raises ValueError where it lacks the marks around that part.
        """
        text = self.path.read_text(encoding="utf-8")
        before, begin, rest = text.partition(_BEGIN)
        _, end, after = rest.partition(_END)
        if not begin or not end:
            raise ValueError(f"{self.path.name} lacks the marks around its table")
        return f"{before}{begin}{self.part()}{end}{after}"

    def changes(self) -> list[str]:
        """Return the lines that are not what the code says, and those that are."""
        old = self.path.read_text(encoding="utf-8").splitlines()
        new = self.written().splitlines()
        return [line for line in ndiff(old, new) if line[:2] in {"- ", "+ "}]


PAGES = (Page(_DOCS / "api.md", operations.table),)
