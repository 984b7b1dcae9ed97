"""Stored data of events: the meaning of their types, and requested weeks."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from homeassistant.core import HomeAssistant, callback

from ..const import DOMAIN
from ..json_values import Record, record
from ..measurements.event_texts import EventText, EventTexts
from ..measurements.event_weeks import (
    Week,
    Weeks,
    weeks_as_dict,
    weeks_from_dict,
    with_week,
)
from .checked_store import CheckedStore

_STORAGE_VERSION: Final = 1
_SAVE_DELAY_SECONDS: Final = 10
_NO_WEEKS: Final[Weeks] = {}
_NO_TEXT: Final = EventText()


class EventArchive:
    """The events of an entry, in a file of its own: it is large and rarely changes."""

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        """Begin empty."""
        self._store = CheckedStore(
            hass, _STORAGE_VERSION, f"{DOMAIN}.{entry_id}.events", private=True
        )
        self._texts = EventTexts()
        self._weeks: dict[int, Weeks] = {}
        self._is_closed = False

    @property
    def texts(self) -> EventTexts:
        """Return the known types of events."""
        return self._texts

    @callback
    def set_texts(self, texts: EventTexts) -> None:
        """Keep the known types of events."""
        self._texts = texts
        self._save_soon()

    def text(self, event_type_id: int) -> EventText:
        """Return the meaning of a type; an empty text if it is not known."""
        return self._texts.texts.get(event_type_id, _NO_TEXT)

    def weeks(self, system_id: int) -> Weeks:
        """Return the known weeks of a system."""
        return self._weeks.get(system_id, _NO_WEEKS)

    @callback
    def keep_week(self, system_id: int, start: datetime, week: Week) -> None:
        """Keep a week of a system."""
        self._weeks[system_id] = with_week(self.weeks(system_id), start, week)
        self._save_soon()

    async def async_load(self) -> None:
        """Load the stored data."""
        read = self._store.read
        stored: Mapping[str, Any] = await self._store.async_load() or {}
        self._texts = read(EventTexts.from_dict, stored.get("texts"), EventTexts())
        for system_id, weeks in read(record, stored.get("weeks"), Record()).items():
            if system_id.isdecimal():
                self._weeks[int(system_id)] = read(weeks_from_dict, weeks, {})
        if await self._store.async_set_damaged_aside():
            await self.async_save()

    async def async_save(self) -> None:
        """Write everything now."""
        await self._store.async_save(self._as_dict())

    async def async_close(self) -> None:
        """Write everything for the last time, even if a request ends later."""
        self._is_closed = True
        await self.async_save()

    async def async_remove(self) -> None:
        """Delete the stored data."""
        await self._store.async_remove()

    @callback
    def _save_soon(self) -> None:
        if not self._is_closed:
            self._store.async_delay_save(self._as_dict, _SAVE_DELAY_SECONDS)

    def _as_dict(self) -> dict[str, Any]:
        return {
            "texts": self._texts.as_dict(),
            "weeks": {
                str(system_id): weeks_as_dict(weeks)
                for system_id, weeks in self._weeks.items()
            },
        }
