"""Reads a system's energy and money from the recorder, without an API call."""

from datetime import datetime

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from ..energy.recorded import KEYS, MONEY, Recorded, RecordedHours
from .recorded import async_recorded_hours, statistic_id


async def async_recorded_energy(
    hass: HomeAssistant, system_id: int, start: datetime, end: datetime
) -> RecordedHours:
    """Return the hours of each flow and of money that begin between two moments."""
    keys = {statistic_id(system_id, key): key for key in KEYS}
    found = await async_recorded_hours(
        hass, keys, start, end, columns=("change", "last_reset")
    )
    return {
        keys[statistic]: [
            Recorded(
                start=dt_util.utc_from_timestamp(row["start"]),
                amount=change if keys[statistic] in MONEY else max(0.0, change),
                of_day=row.get("last_reset") is not None,
            )
            for row in rows
            if (change := row.get("change")) is not None
        ]
        for statistic, rows in found.items()
    }


async def async_recorded_rise(
    hass: HomeAssistant, entity_id: str, start: datetime, end: datetime
) -> float | None:
    """Return the rise of a counter between two moments, None if not recorded."""
    found = await async_recorded_hours(hass, [entity_id], start, end)
    rows = found[entity_id]
    return sum(row.get("change") or 0.0 for row in rows) if rows else None
