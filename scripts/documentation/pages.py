"""The pages with generated parts, and the marks around these parts."""

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
    """A page with a part that is generated from the code."""

    path: Path
    part: Callable[[], str]

    def written(self) -> str:
        """Return the page with its part generated anew from the current code.

        Raises ValueError if the marks around that part are missing.
        """
        text = self.path.read_text(encoding="utf-8")
        before, begin, rest = text.partition(_BEGIN)
        _, end, after = rest.partition(_END)
        if not begin or not end:
            raise ValueError(f"{self.path.name} has no marks around its generated part")
        return f"{before}{begin}{self.part()}{end}{after}"

    def changes(self) -> list[str]:
        """Return the lines that generation would remove ("- ") and add ("+ ")."""
        old = self.path.read_text(encoding="utf-8").splitlines()
        new = self.written().splitlines()
        return [line for line in ndiff(old, new) if line[:2] in {"- ", "+ "}]


PAGES = (Page(_DOCS / "api.md", operations.table),)
