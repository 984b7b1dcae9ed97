"""The events of a system, and the alarms that they raised, as one list."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from typing import Any, Final, Self

from ..api.models import Alarm, Event, EventStatus
from ..json_values import count, moment, optional, text

type Key = tuple[int, datetime]
"""Identifies an event: its type, and when it started."""

MOST: Final = 200
"""How many events of a response are kept."""

_MOST_DEVICES: Final = 20
_LARGEST_TYPE: Final = 2**53
_WIDTH: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemEvent:
    """An event or an alarm, at one or several devices.

    `ended_at` is None while it continues, and equals `started_at` if it had no
    duration. `severity` is None if no alarm was raised. repr() shows no serial numbers.
    """

    event_type_id: int
    started_at: datetime
    ended_at: datetime | None = None
    severity: str | None = None
    serials: tuple[str, ...] = field(default=(), repr=False)

    @property
    def key(self) -> Key:
        """Return what identifies it."""
        return self.event_type_id, self.started_at

    @classmethod
    def of_alarm(cls, alarm: Alarm) -> Self:
        """Return an alarm as an event."""
        ended_at = alarm.ended_at or (alarm.started_at if alarm.cleared else None)
        return cls(
            event_type_id=alarm.event_type_id,
            started_at=alarm.started_at,
            ended_at=ended_at and max(ended_at, alarm.started_at),
            severity=str(alarm.severity),
            serials=_serials(each.serial_number for each in alarm.events),
        )

    @classmethod
    def of_events(cls, events: Iterable[Event]) -> Self:
        """Return one event for those of one type that started together."""
        group = list(events)
        ends = [_end(each) for each in group]
        return cls(
            event_type_id=group[0].event_type_id,
            started_at=group[0].started_at,
            ended_at=None if None in ends else max(filter(None, ends)),
            serials=_serials(each.serial_number for each in group),
        )

    def as_row(self) -> list[Any]:
        """Return it in a shape that JSON can hold."""
        return [
            self.event_type_id,
            self.started_at.timestamp(),
            self.ended_at and self.ended_at.timestamp(),
            self.severity,
            list(self.serials),
        ]

    @classmethod
    def from_row(cls, row: object) -> Self:
        """Read what `as_row` returned; raises ValueError where that is damaged."""
        if not isinstance(row, list) or len(row) != _WIDTH:
            raise ValueError("Not a row of ours")
        type_id, started_at, ended_at, severity, serials = row
        if not isinstance(serials, list) or len(serials) > _MOST_DEVICES:
            raise ValueError("Not serial numbers of ours")
        return cls(
            event_type_id=count(type_id, most=_LARGEST_TYPE),
            started_at=moment(started_at),
            ended_at=optional(moment, ended_at),
            severity=optional(text, severity),
            serials=tuple(map(text, serials)),
        )


def from_alarms(alarms: Iterable[Alarm]) -> tuple[SystemEvent, ...]:
    """Return each alarm once, newest first, limited to MOST."""
    return _newest_first(SystemEvent.of_alarm(alarm) for alarm in alarms)


def from_week(
    events: Iterable[Event], alarms: Iterable[Alarm]
) -> tuple[SystemEvent, ...]:
    """Return events merged with the alarms that they raised, newest first.

    Events of one type that started together are one event at several devices.
    """
    ordered = sorted(events, key=_event_key)
    merged = {
        key: SystemEvent.of_events(group) for key, group in groupby(ordered, _event_key)
    }
    for alarm in map(SystemEvent.of_alarm, alarms):
        event = merged.get(alarm.key)
        serials = alarm.serials if event is None else (*event.serials, *alarm.serials)
        merged[alarm.key] = replace(alarm, serials=_serials(serials))
    return _newest_first(merged.values())


def read_rows(data: object) -> tuple[SystemEvent, ...]:
    """Read stored rows; raises ValueError where they are damaged."""
    if not isinstance(data, list) or len(data) > MOST:
        raise ValueError("Not events of ours")
    return tuple(map(SystemEvent.from_row, data))


def _newest_first(events: Iterable[SystemEvent]) -> tuple[SystemEvent, ...]:
    by_key = {each.key: each for each in events}
    ordered = sorted(
        by_key.values(),
        key=lambda each: (each.started_at, each.event_type_id),
        reverse=True,
    )
    return tuple(ordered[:MOST])


def _event_key(event: Event) -> Key:
    return event.event_type_id, event.started_at


def _end(event: Event) -> datetime | None:
    """Return when an event ended; None while it continues."""
    if event.ended_at is not None:
        return max(event.ended_at, event.started_at)
    return None if event.status is EventStatus.OPEN else event.started_at


def _serials(serials: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, serials)))[:_MOST_DEVICES]
