"""Texts for users: translated exceptions, and values in their placeholders."""

from datetime import date, datetime
import re
from typing import Final

from homeassistant.core import async_get_hass_or_none
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util

from .const import DOMAIN
from .wording import worded_day, worded_number

_MARKUP: Final = re.compile(r"([!-/:-@\[-`{-~])")


def translated[ErrorT: HomeAssistantError](
    kind: type[ErrorT], key: str, **placeholders: object
) -> ErrorT:
    """Return an exception with its translation key; times are local."""
    return kind(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders={
            name: readable(value) for name, value in placeholders.items()
        },
    )


def escaped(text: str) -> str:
    """Escape a text from the cloud for Markdown.

    Issues and flows show Markdown; exceptions and errors of forms do not.
    """
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))


def readable(value: object) -> str:
    """Return a value as text for users; times are local."""
    if isinstance(value, int):
        return number(value)
    if isinstance(value, datetime):
        local = dt_util.as_local(value)
        return f"{worded_day(local, _language(), with_year=False)}, {local:%H:%M}"
    if isinstance(value, date):
        return worded_day(value, _language())
    return "—" if value is None else str(value)


def number(value: float, decimals: int = 0) -> str:
    """Return a number as text for users."""
    return worded_number(value, _language(), decimals)


def _language() -> str:
    hass = async_get_hass_or_none()
    return "en" if hass is None else hass.config.language
