"""Numbers and days, as each language writes them."""

from datetime import date
from pathlib import Path

import pytest

from custom_components.enphase_cloud.wording import worded_day, worded_number

TRANSLATIONS = Path("custom_components/enphase_cloud/translations")
NARROW = "\N{NARROW NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("languages", "whole", "parts"),
    [
        (("en", "en-GB", "ja"), "1,234,567", "-1,234.50"),
        (("de", "el", "es", "it", "nl", "pt-BR"), "1.234.567", "-1.234,50"),
        (
            ("fr", "pl", "pt", "sv"),
            f"1{NARROW}234{NARROW}567",
            f"-1{NARROW}234,50",
        ),
    ],
)
def test_marks_of_numbers(languages: tuple[str, ...], whole: str, parts: str) -> None:
    for language in languages:
        assert worded_number(1_234_567, language) == whole
        assert worded_number(-1234.5, language, 2) == parts


@pytest.mark.parametrize(
    ("language", "first", "last"),
    [
        ("de", "1. März 2026", "31. Dezember"),
        ("el", "1 Μαρτίου 2026", "31 Δεκεμβρίου"),
        ("en", "1 March 2026", "31 December"),
        ("es", "1 de marzo de 2026", "31 de diciembre"),
        ("fr", "1er mars 2026", "31 décembre"),
        ("it", "1 marzo 2026", "31 dicembre"),
        ("ja", "1 March 2026", "31 December"),
        ("nl", "1 maart 2026", "31 december"),
        ("pl", "1 marca 2026", "31 grudnia"),
        ("pt", "1 de março de 2026", "31 de dezembro"),
        ("pt-BR", "1 de março de 2026", "31 de dezembro"),
        ("sv", "1 mars 2026", "31 december"),
    ],
)
def test_order_of_days(language: str, first: str, last: str) -> None:
    assert worded_day(date(2026, 3, 1), language) == first
    assert worded_day(date(2026, 12, 31), language, with_year=False) == last


def test_each_language_has_twelve_months_of_its_own() -> None:
    languages = {path.stem for path in TRANSLATIONS.glob("*.json")}
    assert len(languages) == 11
    english = _months("en")
    assert len(set(english)) == 12
    for language in languages - {"en"}:
        months = _months(language)
        assert len(set(months)) == 12
        assert months != english


def _months(language: str) -> list[str]:
    return [worded_day(date(2026, month, 2), language) for month in range(1, 13)]
