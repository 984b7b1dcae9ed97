"""Each language is complete, fits the pages, and uses one term for each concept."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
import json
from pathlib import Path
import re
import tomllib
from typing import Any, Final

from homeassistant.core import HomeAssistant
import pytest

from custom_components.enphase_cloud.errors import readable

from .flows import ENGLISH, INTEGRATION, placeholders

TRANSLATIONS = INTEGRATION / "translations"
GLOSSARIES = Path(__file__).parent / "glossary"
LANGUAGES = ("de", "el", "es", "fr", "it", "nl", "pl", "pt", "pt-BR", "sv")
# The most common terms, which must have one translation in each language.
TERMS = (
    "API call",
    "API key",
    "account",
    "battery",
    "gateway",
    "live session",
    "live stream",
    "panel",
    "plan",
    "reserve",
    "statistics",
    "storage mode",
    "system",
    "tariff",
)
# Texts that a page shows in one line: they may grow by GROWTH, or by FEW letters.
LABELS = re.compile(
    r"\.name$|\.title$|\.data\.\w+$|\.options\.|\.menu_options\.|\.state\."
)
GROWTH: Final = 1.6
FEW: Final = 14


def _texts(node: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield from _texts(value, f"{path}.{key}")
    else:
        yield path, node


ENGLISH_TEXTS = dict(_texts(ENGLISH))
# Without the names of placeholders.
PROSE = {path: re.sub(r"{\w+}", "", text) for path, text in ENGLISH_TEXTS.items()}


@pytest.fixture(name="texts", scope="module", params=LANGUAGES)
def _language(request: pytest.FixtureRequest) -> dict[str, str]:
    """Return the texts of a language by their paths."""
    path = TRANSLATIONS / f"{request.param}.json"
    return dict(_texts(json.loads(path.read_text("utf-8"))))


@pytest.fixture(name="glossary", scope="module", params=LANGUAGES)
def _glossary(
    request: pytest.FixtureRequest,
) -> tuple[dict[str, str], dict[str, list[str]], list[str]]:
    """Return the texts of a language, its terms, and its forbidden patterns."""
    path = TRANSLATIONS / f"{request.param}.json"
    glossary = tomllib.loads((GLOSSARIES / f"{request.param}.toml").read_text("utf-8"))
    texts = dict(_texts(json.loads(path.read_text("utf-8"))))
    return texts, glossary["terms"], glossary.get("never", [])


def test_all_languages_have_texts_and_a_glossary() -> None:
    assert {path.stem for path in TRANSLATIONS.iterdir()} == {"en", *LANGUAGES}
    assert {path.stem for path in GLOSSARIES.iterdir()} == set(LANGUAGES)


def test_language_is_complete_and_in_the_order_of_english(
    texts: dict[str, str],
) -> None:
    assert [*texts] == [*ENGLISH_TEXTS]
    assert not [
        path for path, text in texts.items() if text != text.strip() or not text
    ]


def _marks(text: str) -> tuple[object, ...]:
    """Return the marks that a translation must keep."""
    return (
        sorted(placeholders(text)),
        sorted(re.findall(r"`[^`]*`", text)),
        sorted(re.findall(r"\]\(([^)]*)\)", text)),
        text.count("**"),
        text.count("|"),
        text.count("\n\n"),
        bool(re.search(r"[^.]\.$", text)),
    )


def test_placeholders_links_and_emphasis_are_those_of_english(
    texts: dict[str, str],
) -> None:
    changed = [
        path
        for path, text in texts.items()
        if _marks(text) != _marks(ENGLISH_TEXTS[path])
    ]
    assert not changed


def test_sentences_are_translated(texts: dict[str, str]) -> None:
    """Single words may be the same in two languages."""
    same = [
        path
        for path, text in texts.items()
        if text == ENGLISH_TEXTS[path] and len(re.findall(r"[a-z]{3,}", text)) > 3
    ]
    assert not same


def test_texts_fit(texts: dict[str, str]) -> None:
    """No text is much longer than the English one."""
    long = {
        path: text
        for path, text in texts.items()
        if len(text)
        > max(GROWTH * len(ENGLISH_TEXTS[path]), len(ENGLISH_TEXTS[path]) + FEW)
    }
    assert not long


def test_names_fit_a_device_page(texts: dict[str, str]) -> None:
    long = [
        text
        for path, text in texts.items()
        if path.startswith(".entity.") and path.endswith(".name") and len(text) > 36
    ]
    assert not long


def test_titles_of_repairs_fit_a_phone(texts: dict[str, str]) -> None:
    """Home Assistant's list of repairs cuts what is longer than its line."""
    titles = {
        text
        for path, text in texts.items()
        if path.startswith(".issues.") and path.endswith(".title")
    }
    assert titles
    assert [title for title in titles if len(title) > 35] == []


def _groups(texts: Mapping[str, str]) -> dict[str, list[str]]:
    """Return texts that appear together: names of a platform, options of a list."""
    groups: dict[str, list[str]] = {}
    for path, text in texts.items():
        if path.startswith(".entity.") and path.endswith(".name"):
            groups.setdefault(path.split(".")[2], []).append(text)
        elif LABELS.search(path) and not path.endswith((".name", ".title")):
            groups.setdefault(path.rpartition(".")[0], []).append(text)
    return groups


def test_names_that_differ_in_english_differ(texts: dict[str, str]) -> None:
    english = _groups(ENGLISH_TEXTS)
    for group, names in _groups(texts).items():
        assert len(set(names)) >= len(set(english[group])), group


def test_term_has_one_translation(
    glossary: tuple[dict[str, str], dict[str, list[str]], list[str]],
) -> None:
    """Where English has the term, the language has a form of its translation.

    Names of entities and plans may omit it, because they must be short.
    """
    texts, terms, _never = glossary
    assert set(TERMS) <= set(terms)
    missing = [
        (term, path)
        for term, forms in terms.items()
        for path, text in texts.items()
        if not re.search(r"^\.entity\..*\.name$|^\.selector\.plan\.", path)
        and re.search(rf"\b{term}s?\b", PROSE[path], re.IGNORECASE)
        and not any(form.casefold() in text.casefold() for form in forms)
    ]
    assert not missing


def test_language_has_no_forbidden_words(
    glossary: tuple[dict[str, str], dict[str, list[str]], list[str]],
) -> None:
    """These are other words for a term, and wrong forms of address."""
    texts, _terms, never = glossary
    found = [
        (pattern, path)
        for pattern in never
        for path, text in texts.items()
        if re.search(pattern, re.sub(r"{\w+}", "", text))
    ]
    assert not found


MOMENT = datetime(2026, 12, 1, 6, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("language", "moment", "day"),
    [
        ("en", "1 December, 06:30", "1 December 2026"),
        ("en-GB", "1 December, 06:30", "1 December 2026"),
        ("de", "1. Dezember, 06:30", "1. Dezember 2026"),
        # The integration has no translation, so English is the fallback.
        ("ja", "1 December, 06:30", "1 December 2026"),
    ],
)
async def test_times_in_messages_are_localized(
    hass: HomeAssistant, language: str, moment: str, day: str
) -> None:
    await hass.config.async_set_time_zone("UTC")
    hass.config.language = language
    assert readable(MOMENT) == moment
    assert readable(MOMENT.date()) == day
