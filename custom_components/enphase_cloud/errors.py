"""Texts for users: exceptions in their language, and what may stand in them."""

from datetime import date, datetime
import re
from typing import Final

from homeassistant.core import async_get_hass_or_none
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util

from .const import DOMAIN

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
    """Return a value for a text that users read; moments in their own time.

    Home Assistant fills texts in with no word for a month in any language but English;
    in others, days are figures.
    """
    if isinstance(value, datetime):
        return dt_util.as_local(value).strftime(f"{_day_format()}, %H:%M")
    if isinstance(value, date):
        return value.strftime(_day_format("%-d %B %Y"))
    return "—" if value is None else str(value)


def _day_format(english: str = "%-d %B") -> str:
    hass = async_get_hass_or_none()
    is_english = hass is None or hass.config.language.startswith("en")
    return english if is_english else "%Y-%m-%d"
