"""Numbers and days as a language writes them; pure.

Home Assistant fills numbers and days into texts as they come. Languages that have no
texts of ours see English ones, so English is for all others, too.
"""

from datetime import date
from typing import Final, NamedTuple

_NARROW: Final = "\N{NARROW NO-BREAK SPACE}"


class _Style(NamedTuple):
    """Marks of thousands and decimals, then months as they stand after a day."""

    thousands: str
    decimals: str
    months: str
    after_day: str = " "
    before_year: str = " "


_ENGLISH: Final = _Style(
    ",",
    ".",
    "January February March April May June July August September October November"
    " December",
)
_PORTUGUESE: Final = _Style(
    _NARROW,
    ",",
    "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro"
    " dezembro",
    " de ",
    " de ",
)
_STYLES: Final = {
    "de": _Style(
        ".",
        ",",
        "Januar Februar März April Mai Juni Juli August September Oktober November"
        " Dezember",
        ". ",
    ),
    "el": _Style(
        ".",
        ",",
        "Ιανουαρίου Φεβρουαρίου Μαρτίου Απριλίου Μαΐου Ιουνίου Ιουλίου Αυγούστου"
        " Σεπτεμβρίου Οκτωβρίου Νοεμβρίου Δεκεμβρίου",
    ),
    "es": _Style(
        ".",
        ",",
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre"
        " diciembre",
        " de ",
        " de ",
    ),
    "fr": _Style(
        _NARROW,
        ",",
        "janvier février mars avril mai juin juillet août septembre octobre novembre"
        " décembre",
    ),
    "it": _Style(
        ".",
        ",",
        "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre"
        " novembre dicembre",
    ),
    "nl": _Style(
        ".",
        ",",
        "januari februari maart april mei juni juli augustus september oktober november"
        " december",
    ),
    "pl": _Style(
        _NARROW,
        ",",
        "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września"
        " października listopada grudnia",
    ),
    "pt": _PORTUGUESE,
    "pt-BR": _PORTUGUESE._replace(thousands="."),
    "sv": _Style(
        _NARROW,
        ",",
        "januari februari mars april maj juni juli augusti september oktober november"
        " december",
    ),
}


def worded_number(value: float, language: str, decimals: int = 0) -> str:
    """Return a number with marks of thousands, and so many decimals."""
    style = _style(language)
    marks = str.maketrans({",": style.thousands, ".": style.decimals})
    return f"{value:,.{decimals}f}".translate(marks)


def worded_day(day: date, language: str, *, with_year: bool = True) -> str:
    """Return a day such as "1 December 2026"."""
    style = _style(language)
    number = "1er" if language == "fr" and day.day == 1 else str(day.day)
    text = f"{number}{style.after_day}{style.months.split()[day.month - 1]}"
    return f"{text}{style.before_year}{day.year}" if with_year else text


def _style(language: str) -> _Style:
    return _STYLES.get(language, _ENGLISH)
