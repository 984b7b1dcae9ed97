"""What the integration calls things, so that walks find them in any language."""

from functools import cache
import json
from pathlib import Path
import re
from typing import Any, Final

_CHECKOUT: Final = Path(__file__).resolve().parents[2]
_TRANSLATIONS: Final = _CHECKOUT / "custom_components/enphase_cloud/translations"
_PLACEHOLDER: Final = re.compile(r"\{\w+\}")


def word(key: str, language: str = "en") -> str:
    """Return a text by the path of its keys, joined by dots.

    English if the language lacks it. Raises KeyError where English does.
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
    """Match an accessible name that begins like this: a value or a help follows.

    Placeholders stand for anything.
    """
    parts = map(re.escape, _PLACEHOLDER.split(text))
    return re.compile(f"^{'.+'.join(parts)}")


def field_called(text: str) -> re.Pattern[str]:
    """Match the accessible name of a field, which has a star where it is required."""
    return re.compile(rf"^{re.escape(text)} ?\*?$")


@cache
def _read(language: str) -> dict[str, Any]:
    path = _TRANSLATIONS / f"{language}.json"
    # Home Assistant shows English where there is nothing else.
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}
