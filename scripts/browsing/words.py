"""Texts of the integration, to find things on a page in any language."""

from functools import cache
import json
from pathlib import Path
import re
from typing import Any, Final

_CHECKOUT: Final = Path(__file__).resolve().parents[2]
_TRANSLATIONS: Final = _CHECKOUT / "custom_components/enphase_cloud/translations"
_PLACEHOLDER: Final = re.compile(r"\{\w+\}")


def word(key: str, language: str = "en") -> str:
    """Return the text with a key, a path joined by dots.

    A text that the language lacks is English. Raises KeyError if English lacks it.
    """
    text: Any = _read(language)
    try:
        for part in key.split("."):
            text = text[part]
    except KeyError:
        if language == "en":
            raise
        return word(key)
    return str(text)


def texts(key: str) -> dict[str, Any]:
    """Return the English texts below a path of keys."""
    found: Any = _read("en")
    for part in key.split("."):
        found = found[part]
    return dict(found)


def starting(text: str) -> re.Pattern[str]:
    """Match an accessible name with this beginning: a value or a help may follow.

    Placeholders match any text.
    """
    parts = map(re.escape, _PLACEHOLDER.split(text))
    return re.compile(f"^{'.+'.join(parts)}")


def field_called(text: str) -> re.Pattern[str]:
    """Match the accessible name of a field; a required one ends with a star."""
    return re.compile(rf"^{re.escape(text)} ?\*?$")


@cache
def _read(language: str) -> dict[str, Any]:
    path = _TRANSLATIONS / f"{language}.json"
    # A missing language is English, as in Home Assistant.
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}
