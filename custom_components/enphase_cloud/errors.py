"""Texts for users: exceptions in their language, and what may stand in them."""

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
    """Return an exception with its translation key; moments in the user's time."""
    return kind(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders={
            name: readable(value) for name, value in placeholders.items()
        },
    )


def escaped(text: str) -> str:
    """Return a text of the cloud for a place where Markdown is shown.

    Issues and flows are such places; exceptions are not.
    """
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))


def readable(value: object) -> str:
    """Return a value for a text that users read; moments in their own time."""
    if isinstance(value, int):
        return number(value)
    if isinstance(value, datetime):
        local = dt_util.as_local(value)
        return f"{worded_day(local, _language(), with_year=False)}, {local:%H:%M}"
    if isinstance(value, date):
        return worded_day(value, _language())
    return "—" if value is None else str(value)


def number(value: float, decimals: int = 0) -> str:
    """Return a number for a text that users read."""
    return worded_number(value, _language(), decimals)


def _language() -> str:
    hass = async_get_hass_or_none()
    return "en" if hass is None else hass.config.language
