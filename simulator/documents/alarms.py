"""Events and alarms of a system, and the types of events."""

from simulator.alarms import EVENT_TYPES, EventType, SystemEvent
from simulator.errors import RefusalError
from simulator.moments import DAY
from simulator.publication import Published

from .windows import Document, Query, whole_number

_OLDEST = 274 * DAY
_LONGEST = 7 * DAY


def events(published: Published, query: Query) -> Document:
    """Return the events that start in a span of at most a week."""
    start, end = _span(published, query)
    found = [each for each in _started(published) if start <= each.start <= end]
    return {
        "system_id": published.system.system_id,
        "events": [
            {"status": _status(each, published.now), **event}
            for each in found
            for event in _events(each, published.now)
        ],
    }


def open_events(published: Published, query: Query) -> Document:
    """Return the open events; only here their status is in lower case."""
    del query
    now = published.now
    return {
        "system_id": published.system.system_id,
        "events": [
            {"status": "open", **event}
            for each in _started(published)
            if each.event_type.stateful and each.end_by(now) is None
            for event in _events(each, now)
        ],
    }


def _events(event: SystemEvent, now: int) -> list[Document]:
    return [
        {
            "event_type_id": event.event_type.number,
            "event_start_time": event.start,
            "event_end_time": event.end_by(now),
            "serial_number": serial,
        }
        for serial in event.serials
    ]


def _status(event: SystemEvent, now: int) -> str:
    if not event.event_type.stateful:
        return "Info"
    return "Open" if event.end_by(now) is None else "Closed"


def alarms(published: Published, query: Query) -> Document:
    """Return the active or the cleared alarms that start in a span."""
    start, end = _span(published, query)
    cleared = query.get("cleared", "false").lower() == "true"
    number = published.system.system_id * 1_000
    return {
        "system_id": published.system.system_id,
        "alarms": [
            {
                "id": str(number + each.number),
                "cleared": cleared,
                "alarm_end_time": each.end_by(published.now),
                **_alarm(published, each),
            }
            for each in _started(published)
            if each.is_alarm
            and start <= each.start <= end
            and (each.end_by(published.now) is not None) is cleared
        ],
    }


def open_alarms(published: Published, query: Query) -> Document:
    """Return the active alarms; their ids have another form than in `alarms`."""
    del query
    site = published.system.system_id
    return {
        "system_id": site,
        "alarms": [
            {
                "id": f"{site}.{each.number}.{each.start * 1_000}",
                **_alarm(published, each),
            }
            for each in _started(published)
            if each.is_alarm and each.end_by(published.now) is None
        ],
    }


def _alarm(published: Published, event: SystemEvent) -> Document:
    return {
        "severity": event.severity,
        "event_type_id": event.event_type.number,
        "alarm_start_time": event.start,
        "events": [
            {
                "serial_number": serial,
                "start_date": event.start,
                "end_date": event.end_by(published.now),
            }
            for serial in event.serials
        ],
    }


def _started(published: Published) -> list[SystemEvent]:
    events = published.system.event_log
    return [each for each in events if each.start <= published.now]


def _span(published: Published, query: Query) -> tuple[int, int]:
    if "start_time" not in query:
        raise RefusalError(422, "start_time is required")
    start, now = whole_number(query["start_time"]), published.now
    end = min(start + DAY, now)
    if "end_time" in query:
        end = min(whole_number(query["end_time"]), now)
    if start > now:
        raise RefusalError(422, "start_time is in the future")
    if start < now - _OLDEST:
        raise RefusalError(422, "start_time is older than 9 months")
    if not start <= end <= start + _LONGEST:
        raise RefusalError(422, "The time range is longer than 7 days, or negative")
    return start, end


def event_types(owned: list[Published], query: Query, body: object) -> Document:
    """Return all types of events, or one by its number."""
    del owned, body
    wanted = query.get("event_type_id")
    found = [each for each in EVENT_TYPES if wanted in {None, str(each.number)}]
    if not found:
        raise RefusalError(404, f'Event type not found for {{:id=>"{wanted}"}}')
    return {"event_types": list(map(_event_type, found))}


def _event_type(event_type: EventType) -> Document:
    return {
        "event_type_id": event_type.number,
        "event_type_key": event_type.key,
        "stateful": event_type.stateful,
        "event_name": event_type.name,
        "event_description": event_type.description,
        "recommended_action": event_type.advice,
    }
