"""A map of the panels as SVG: what each gave yesterday."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
import math
from typing import Final

# A phone shows so many panels side by side that one can read.
_COLUMNS: Final = 6
_CELL: Final = 100
_GAP: Final = 8
_STYLE: Final = (
    "text{font:22px sans-serif;text-anchor:middle}"
    ".name{font-size:16px;opacity:.75}"
    ".none{fill:#9e9e9e}"
    ".dead{stroke:#d32f2f;stroke-width:6}"
    "svg{background:#fff}"
    "@media(prefers-color-scheme:dark){svg{background:#1c1c1c}}"
)
# Of one hue, from dark to bright, so that who sees no colors sees the same.
_HUE: Final = 45
_DARKEST: Final = 16.0
_BRIGHTEST: Final = 60.0
# From this share of the best on, dark text is read better.
_BRIGHT: Final = 0.5


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel: a short name, and its energy of a day [Wh], None where it is unknown."""

    name: str
    energy: float | None


def panel_map(panels: Sequence[Panel]) -> str:
    """Return the panels as an SVG document, in the order in which they come.

    The brightest one gave the most; a red frame marks one that gave nothing.
    """
    columns = min(_COLUMNS, len(panels)) or 1
    rows = math.ceil(len(panels) / columns)
    best = max((panel.energy or 0.0 for panel in panels), default=0.0)
    cells = "".join(
        _cell(panel, number % columns, number // columns, best)
        for number, panel in enumerate(panels)
    )
    width, height = (count * (_CELL + _GAP) + _GAP for count in (columns, rows))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
        f' role="img"><style>{_STYLE}</style>{cells}</svg>'
    )


def _cell(panel: Panel, column: int, row: int, best: float) -> str:
    left, top = (_GAP + index * (_CELL + _GAP) for index in (column, row))
    middle, name = left + _CELL / 2, escape(panel.name)
    shown = "?" if panel.energy is None else f"{panel.energy / 1_000:.2f}"
    fill, text = _colors(panel.energy, best)
    kind = "none" if panel.energy is None else ""
    if panel.energy == 0 and best:
        kind = "dead"
    return (
        f'<g><title>{name}: {shown} kWh</title><rect class="{kind}" x="{left}"'
        f' y="{top}" width="{_CELL}" height="{_CELL}" rx="10"{fill}/>'
        f'<text x="{middle}" y="{top + 50}" fill="{text}">{shown}</text>'
        f'<text class="name" x="{middle}" y="{top + 78}" fill="{text}">{name}</text>'
        "</g>"
    )


def _colors(energy: float | None, best: float) -> tuple[str, str]:
    """Return the fill attribute of a panel, and the color of its text."""
    if energy is None:
        return "", "#000"
    share = energy / best if best else 0.0
    lightness = _DARKEST + (_BRIGHTEST - _DARKEST) * share
    text = "#000" if share > _BRIGHT else "#fff"
    return f' fill="hsl({_HUE} 90% {lightness:.0f}%)"', text
