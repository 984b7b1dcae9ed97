"""Events and alarms of a system, and the meaning of their types.

GET /systems/{id}/events, open_events, alarms and open_alarms, and GET
/systems/event_types.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple, Self, override

from ..exceptions import MalformedResponseError
from .convert import (
    OpenEnum,
    to_count,
    to_datetime,
    to_flag,
    to_identifier,
    to_object,
    to_objects,
    to_prose,
    to_serial,
    to_text,
)


class EventStatus(OpenEnum):
    """Whether an event is open, closed, or without a duration."""

    OPEN = "open"
    CLOSED = "closed"
    INFO = "info"
    UNKNOWN = "unknown"


class Severity(OpenEnum):
    """The severity of an alarm; the cloud writes numbers from 1, the most severe."""

    FATAL = "fatal"
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
    DEBUG = "debug"
    NONE = "none"
    UNKNOWN = "unknown"

    @classmethod
    @override
    def from_api(cls, value: object) -> Self:
        """Return the severity of a number or a name, else UNKNOWN."""
        number = to_count(value)
        if number is None:
            return super().from_api(value)
        return cls(_SEVERITIES.get(number, "unknown"))


_SEVERITIES: Final = dict(
    enumerate(("fatal", "error", "warning", "info", "debug", "none"), start=1)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event of a system or of one of its devices.

    `ended_at` is None while the event is open, and if it has no duration. repr() omits
    the serial number.
    """

    event_type_id: int
    status: EventStatus
    started_at: datetime
    ended_at: datetime | None
    serial_number: str | None = field(repr=False)


class Events(NamedTuple):
    """The events of a system, in the order of the document."""

    system_id: int
    events: tuple[Event, ...]

    @classmethod
    def from_api(cls, data: Mapping[str, Any]) -> Self:
        """Read events; skip those without a type or a start.

        Raises MalformedResponseError without a system id or a list of events.
        """
        data = to_object(data)
        return cls(
            system_id=to_identifier(data.get("system_id")),
            events=tuple(filter(None, map(_event, _entries(data, "events")))),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmEvent:
    """The part of one device in an alarm; repr() omits the serial number."""

    serial_number: str | None = field(repr=False)
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """An alarm, raised by one or more events.

    The `alarm_id` of an alarm differs between documents: use `key` to identify it.
    """

    alarm_id: str | None = field(repr=False)
    event_type_id: int
    severity: Severity
    cleared: bool
    started_at: datetime
    ended_at: datetime | None
    events: tuple[AlarmEvent, ...]

    @property
    def key(self) -> tuple[int, datetime]:
        """Return type and start, which are the same in all documents."""
        return self.event_type_id, self.started_at


class Alarms(NamedTuple):
    """The alarms of a system, in the order of the document."""

    system_id: int
    alarms: tuple[Alarm, ...]

    @classmethod
    def from_api(cls, data: Mapping[str, Any]) -> Self:
        """Read alarms; skip those without a type or a start.

        Raises MalformedResponseError without a system id or a list of alarms.
        """
        data = to_object(data)
        return cls(
            system_id=to_identifier(data.get("system_id")),
            alarms=tuple(filter(None, map(_alarm, _entries(data, "alarms")))),
        )


class EventType(NamedTuple):
    """The meaning of a type of events, and a recommended action, as the cloud words it.

    Events of a stateful type are open until they are cleared.
    """

    event_type_id: int
    key: str | None
    name: str | None
    description: str | None
    recommended_action: str | None
    stateful: bool | None


class EventTypes(NamedTuple):
    """All types of events, or the requested one."""

    event_types: tuple[EventType, ...]

    @classmethod
    def from_api(cls, data: Mapping[str, Any]) -> Self:
        """Read types of events; skip those without an id.

        Raises MalformedResponseError without a list.
        """
        entries = _entries(to_object(data), "event_types")
        return cls(event_types=tuple(filter(None, map(_event_type, entries))))

    @property
    def by_id(self) -> Mapping[int, EventType]:
        """Return the types by id."""
        return {each.event_type_id: each for each in self.event_types}


def _entries(data: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
    """Return the entries of a list.

    In the specification it is an object of lists in schemas, a list in examples.
    """
    entries = data.get(name)
    if isinstance(entries, Mapping):
        return to_objects(list(entries.values()))
    if isinstance(entries, list):
        return to_objects(entries)
    raise MalformedResponseError("The response has no list")


def _event(data: Mapping[str, Any]) -> Event | None:
    event_type_id = to_count(data.get("event_type_id"))
    started_at = to_datetime(data.get("event_start_time"))
    if event_type_id is None or started_at is None:
        return None
    return Event(
        event_type_id=event_type_id,
        status=EventStatus.from_api(data.get("status")),
        started_at=started_at,
        ended_at=to_datetime(data.get("event_end_time")),
        serial_number=to_serial(data.get("serial_number")),
    )


def _alarm(data: Mapping[str, Any]) -> Alarm | None:
    event_type_id = to_count(data.get("event_type_id"))
    started_at = to_datetime(data.get("alarm_start_time"))
    if event_type_id is None or started_at is None:
        return None
    ended_at = to_datetime(data.get("alarm_end_time"))
    cleared = to_flag(data.get("cleared"))
    return Alarm(
        alarm_id=to_serial(data.get("id")),
        event_type_id=event_type_id,
        severity=Severity.from_api(data.get("severity")),
        # The document of open alarms lacks it.
        cleared=ended_at is not None if cleared is None else cleared,
        started_at=started_at,
        ended_at=ended_at,
        events=tuple(map(_alarm_event, to_objects(data.get("events")))),
    )


def _alarm_event(data: Mapping[str, Any]) -> AlarmEvent:
    return AlarmEvent(
        serial_number=to_serial(data.get("serial_number")),
        started_at=to_datetime(data.get("start_date")),
        ended_at=to_datetime(data.get("end_date")),
    )


def _event_type(data: Mapping[str, Any]) -> EventType | None:
    event_type_id = to_count(data.get("event_type_id"))
    if event_type_id is None:
        return None
    return EventType(
        event_type_id=event_type_id,
        key=to_text(data.get("event_type_key")),
        name=to_text(data.get("event_name")),
        description=to_prose(data.get("event_description")),
        recommended_action=to_prose(data.get("recommended_action")),
        stateful=to_flag(data.get("stateful")),
    )
