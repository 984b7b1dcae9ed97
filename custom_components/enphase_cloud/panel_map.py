"""A map of the panels as SVG, with their energy yesterday or in their lifetime."""

from collections.abc import Sequence
from html import escape
from itertools import groupby
import math
from typing import Final, NamedTuple

# The most panels in a row that are readable on a phone.
_COLUMNS: Final = 6
_CELL: Final = 100
_GAP: Final = 8
_HEADING: Final = 36
# The width in panels of a name of about 25 letters.
_COLUMNS_OF_A_NAME: Final = 3
_STYLE: Final = (
    "text{font:22px sans-serif;text-anchor:middle}"
    ".name{font-size:16px;opacity:.75}"
    ".array{text-anchor:start;fill:#212121}"
    ".none{fill:#9e9e9e}"
    ".dead{stroke:#d32f2f;stroke-width:6}"
    "svg{background:#fff}"
    "@media(prefers-color-scheme:dark){svg{background:#1c1c1c}.array{fill:#e1e1e1}}"
)
# One hue from dark to bright, so that color blindness does not matter.
_HUE: Final = 45
_DARKEST: Final = 16.0
_BRIGHTEST: Final = 60.0
# From this share of the best panel on, dark text is more readable.
_BRIGHT: Final = 0.5


class Panel(NamedTuple):
    """A panel: a short name, and its energy [Wh], None where that is unknown.

    `array` is the name of its array, or None. The energy is that of a day, or with
    `is_total` of the lifetime.
    """

    name: str
    energy: float | None
    array: str | None = None
    has_problem: bool = False
    is_total: bool = False


def panel_map(panels: Sequence[Panel]) -> str:
    """Return the panels as an SVG document, in the given order.

    The brightest panel produced most; a red frame marks one with a problem or without
    energy. Consecutive panels of an array stand below its name, others below a line.
    """
    arrays = [(name, list(found)) for name, found in groupby(panels, _array)]
    columns = max((min(_COLUMNS, len(found)) for _, found in arrays), default=1)
    if any(name for name, _ in arrays):
        columns = max(columns, _COLUMNS_OF_A_NAME)
    best = max((panel.energy or 0.0 for panel in panels), default=0.0)
    drawn, top = "", 0
    for name, found in arrays:
        if name is not None or top:
            drawn += _heading(name, top)
            top += _HEADING
        drawn += "".join(
            _cell(panel, number % columns, number // columns, top, best)
            for number, panel in enumerate(found)
        )
        top += math.ceil(len(found) / columns) * (_CELL + _GAP)
    width, height = columns * (_CELL + _GAP) + _GAP, max(top, _CELL) + _GAP
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
        f' role="img"><style>{_STYLE}</style>{drawn}</svg>'
    )


def _array(panel: Panel) -> str | None:
    return panel.array


def _heading(name: str | None, top: int) -> str:
    """Return the name of an array, or a short line for panels without one."""
    if name is None:
        middle = top + _GAP + _HEADING // 2
        return (
            f'<rect class="none" x="{_GAP}" y="{middle}" width="{_CELL}" height="2"/>'
        )
    return f'<text class="array" x="{_GAP}" y="{top + 30}">{escape(name)}</text>'


def _cell(panel: Panel, column: int, row: int, above: int, best: float) -> str:
    left = _GAP + column * (_CELL + _GAP)
    top = above + _GAP + row * (_CELL + _GAP)
    middle, name = left + _CELL / 2, escape(panel.name)
    shown = _shown(panel)
    fill, text = _colors(panel.energy, best)
    kind = "none" if panel.energy is None else ""
    if panel.has_problem or (panel.energy == 0 and best):
        kind = f"{kind} dead".strip()
    return (
        f'<g><title>{name}: {shown} kWh</title><rect class="{kind}" x="{left}"'
        f' y="{top}" width="{_CELL}" height="{_CELL}" rx="10"{fill}/>'
        f'<text x="{middle}" y="{top + 50}" fill="{text}">{shown}</text>'
        f'<text class="name" x="{middle}" y="{top + 78}" fill="{text}">{name}</text>'
        "</g>"
    )


def _shown(panel: Panel) -> str:
    if panel.energy is None:
        return "?"
    kwh = panel.energy / 1_000
    return f"Σ {kwh:.0f}" if panel.is_total else f"{kwh:.2f}"


def _colors(energy: float | None, best: float) -> tuple[str, str]:
    """Return the fill attribute of a panel, and the color of its text."""
    if energy is None:
        return "", "#000"
    share = energy / best if best else 0.0
    lightness = _DARKEST + (_BRIGHTEST - _DARKEST) * share
    text = "#000" if share > _BRIGHT else "#fff"
    return f' fill="hsl({_HUE} 90% {lightness:.0f}%)"', text
