"""Entities of EV chargers: session events and the schedule calendar."""

from datetime import datetime
from typing import Final, override

from homeassistant.components.calendar import (
    CalendarEntity,
    CalendarEntityDescription,
    CalendarEvent,
)
from homeassistant.components.event import EventEntityDescription
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity import EntityDescription
from homeassistant.util import dt as dt_util

from .data import EnphaseCloudConfigEntry, EnphaseSystem
from .documents.chargers import EACH_CHARGER
from .entity import EnphaseEventEntity, EnphaseSystemEntity, News
from .measurements.board import EndedSession
from .measurements.catalog import Measurement, Source
from .measurements.charging import Occurrence, WeeklyTimes
from .measurements.system import Device

ENDED: Final = "ended"


def is_charger_with(
    source: Source, system: EnphaseSystem, _: EntityDescription, device: Device
) -> bool:
    """Return whether a device is a charger for which a document is read."""
    return device in EACH_CHARGER.devices(system.board) and any(
        document.source is source for document in system.documents
    )


@callback
def note_past_sessions(system: EnphaseSystem) -> None:
    """Fire no event for the sessions that were known before set-up."""
    for device in EACH_CHARGER.devices(system.board):
        _take_ends(system, device)


def _take_ends(system: EnphaseSystem, device: Device) -> tuple[float, float] | None:
    """Return between which ends sessions have not fired, and keep that they have.

    None before the first response, which holds past sessions only.
    """
    board, fired_until = system.board, system.sessions_fired_until
    if not board.has_response(Source.CHARGER_SESSIONS, device):
        return None
    known = board.samples(Source.CHARGER_SESSIONS, device)
    end = known.get(Measurement.LAST_SESSION_END)
    newest = 0.0 if end is None else float(end.value)
    before = fired_until.get(device, newest)
    fired_until[device] = max(before, newest)
    return before, newest


class ChargerSessionEvent(EnphaseEventEntity):
    """Fire once for each charging session that ends."""

    entity_description: EventEntityDescription

    def __init__(
        self,
        entry: EnphaseCloudConfigEntry,
        system: EnphaseSystem,
        description: EventEntityDescription,
        device: Device,
    ) -> None:
        """Fire for sessions that end from now on."""
        super().__init__(entry, system, description, device)
        if device not in system.sessions_fired_until:
            _take_ends(system, device)

    @override
    def take_news(self) -> News:
        if (ends := _take_ends(self._system, self._device)) is None:
            return []
        after, until = ends
        return [
            (ENDED, _event_data(ended))
            for ended in self._system.board.sessions.get(self._device, ())
            if after < int(ended[0].end_at.timestamp()) <= until
        ]


def _event_data(ended: EndedSession) -> dict[str, object]:
    """Return event data of a session: ISO times, Wh, seconds and cost."""
    session, energy = ended
    charged_for = session.charged_for
    return {
        "start": session.start_at.isoformat(),
        "end": session.end_at.isoformat(),
        "duration": int((session.end_at - session.start_at).total_seconds()),
        "charging_time": None
        if charged_for is None
        else int(charged_for.total_seconds()),
        "energy": energy,
        "cost": session.cost,
    }


class ChargerCalendar(EnphaseSystemEntity, CalendarEntity):
    """Show when the weekly schedule lets a charger charge."""

    entity_description: CalendarEntityDescription

    @property
    @override
    def event(self) -> CalendarEvent | None:
        """Return the current period of the schedule, or the next one."""
        zone = self._system.info.time_zone
        occurrence = self._times.next(dt_util.utcnow(), zone)
        return None if occurrence is None else self._event(occurrence)

    @override
    def read(self) -> object:
        return self._times

    @override
    async def async_get_events(
        self, hass: HomeAssistant, start_date: datetime, end_date: datetime
    ) -> list[CalendarEvent]:
        """Return the periods that overlap a range."""
        zone = self._system.info.time_zone
        start, end = dt_util.as_utc(start_date), dt_util.as_utc(end_date)
        return [self._event(each) for each in self._times.between(start, end, zone)]

    @property
    def _times(self) -> WeeklyTimes:
        known = self._system.board.newest(self._device)
        text = known.get(Measurement.CHARGER_SCHEDULE)
        return WeeklyTimes.from_text("" if text is None else str(text.value))

    def _event(self, occurrence: Occurrence) -> CalendarEvent:
        zone = self._system.info.time_zone
        properties = self._system.board.inventory.get(self._device)
        name = None if properties is None else properties.name
        level = None if occurrence.level is None else f"{occurrence.level} %"
        return CalendarEvent(
            start=occurrence.start.astimezone(zone),
            end=occurrence.end.astimezone(zone),
            summary=" · ".join(filter(None, (name, level))),
        )
