"""Calendars of Enphase Cloud: events and alarms, and schedules of chargers."""

from datetime import datetime, timedelta
from functools import partial
from typing import Final, override

from homeassistant.components.calendar import (
    CalendarEntity,
    CalendarEntityDescription,
    CalendarEvent,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.util import dt as dt_util

from .adding_entities import async_add_as_evidence_comes, async_add_in_batches
from .alarm_texts import device_names, name_of, open_alarms
from .charger_entities import ChargerCalendar, is_charger_with
from .data import EnphaseCloudConfigEntry
from .entity import EnphaseSystemEntity
from .measurements.catalog import Source
from .measurements.system import DeviceKind
from .measurements.system_events import SystemEvent

# Two views of the same weeks share one request.
PARALLEL_UPDATES = 0

EVENTS: Final = CalendarEntityDescription(
    key="events", translation_key="events", entity_registry_enabled_default=False
)
# Duration of an event that the cloud reports without one.
_SHORTEST: Final = timedelta(minutes=1)


SCHEDULE: Final = CalendarEntityDescription(key="schedule", translation_key="schedule")


async def async_setup_entry(
    hass: HomeAssistant,
    entry: EnphaseCloudConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the calendars of each system and charger."""
    calendars = (
        EventsCalendar(entry, system, EVENTS) for system in entry.runtime_data.systems
    )
    await async_add_in_batches(async_add_entities, calendars)
    await async_add_as_evidence_comes(
        entry,
        async_add_entities,
        {DeviceKind.CHARGER: (SCHEDULE,)},
        has_evidence=partial(is_charger_with, Source.CHARGER_SCHEDULES),
        create=partial(ChargerCalendar, entry),
    )


class EventsCalendar(EnphaseSystemEntity, CalendarEntity):
    """Show events and alarms; weeks that are not stored yet cost calls."""

    entity_description: CalendarEntityDescription

    @property
    @override
    def event(self) -> CalendarEvent | None:
        """Return the worst open alarm.

        Its end is unknown: midnight stands for it, so that polls do not shift it. Home
        Assistant updates the state then.
        """
        if not (alarms := open_alarms(self._system)):
            return None
        midnight = dt_util.start_of_local_day(dt_util.now() + timedelta(days=1))
        return self._as_event(alarms[0], midnight)

    @override
    def read(self) -> object:
        return self.event

    @override
    async def async_get_events(
        self, hass: HomeAssistant, start_date: datetime, end_date: datetime
    ) -> list[CalendarEvent]:
        """Return the events of a range; weeks that are not stored yet cost calls."""
        start, end = dt_util.as_utc(start_date), dt_util.as_utc(end_date)
        found = await self._system.event_weeks.async_read(start, end)
        events = {each.key: each for each in found}
        events |= {
            each.key: each
            for each in open_alarms(self._system)
            if each.started_at < end
        }
        now = dt_util.utcnow()
        return [
            self._as_event(each, now)
            for each in sorted(events.values(), key=lambda each: each.started_at)
            if (each.ended_at or now) >= start
        ]

    def _as_event(self, event: SystemEvent, now: datetime) -> CalendarEvent:
        """Return an event or alarm as a calendar event; an open one ends now."""
        start = dt_util.as_local(event.started_at)
        end = dt_util.as_local(event.ended_at or now)
        return CalendarEvent(
            start=start,
            end=max(end, start + _SHORTEST),
            summary=name_of(self._data, event),
            description="\n".join(self._details(event)) or None,
        )

    def _details(self, event: SystemEvent) -> list[str]:
        """Return severity, devices and meaning of an alarm."""
        text = self._data.storage.events.text(event.event_type_id)
        devices = device_names(self._data, self._system, event.serials)
        severity = (event.severity or "").capitalize()
        lines = (severity, ", ".join(devices), text.description, text.advice)
        return [line for line in lines if line]
