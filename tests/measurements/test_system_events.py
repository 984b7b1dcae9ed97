"""Events merged with alarms, and the weeks in which they are kept."""

from datetime import UTC, datetime, timedelta
import json

from hypothesis import given, strategies as st
import pytest

from custom_components.enphase_cloud.api.models import Alarms, Events
from custom_components.enphase_cloud.measurements.event_weeks import (
    WEEK,
    Week,
    due_weeks,
    events_between,
    request_span,
    week_starts,
    weeks_as_dict,
    weeks_from_dict,
    with_week,
)
from custom_components.enphase_cloud.measurements.system_events import (
    MOST,
    SystemEvent,
    from_alarms,
    from_week,
)

MONDAY = datetime(2026, 6, 15, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
START = int(MONDAY.timestamp())


def _events(*events: dict[str, object]) -> Events:
    return Events.from_api({"system_id": 71, "events": list(events)})


def _alarms(*alarms: dict[str, object]) -> Alarms:
    return Alarms.from_api({"system_id": 71, "alarms": list(alarms)})


def _event(
    serial: str, end: int | None = None, status: str = "Open"
) -> dict[str, object]:
    return {
        "event_type_id": 28,
        "event_start_time": START,
        "event_end_time": end,
        "status": status,
        "serial_number": serial,
    }


def test_events_of_several_devices_are_one() -> None:
    """It continues while that of one device does."""
    reported = _events(_event("1", START + 60, "Closed"), _event("2"))
    [event] = from_week(reported.events, ())
    assert event.serials == ("1", "2")
    assert event.ended_at is None
    assert event.severity is None
    assert "serials" not in repr(event)


@pytest.mark.parametrize(
    ("status", "end", "expected"),
    [
        ("Closed", START + 60, 60),
        ("Closed", None, 0),
        ("Info", None, 0),
        ("Whatever", None, 0),
        ("Closed", START - 60, 0),
        ("Open", None, None),
    ],
)
def test_when_an_event_ends(status: str, end: int | None, expected: int | None) -> None:
    """Never before it begins."""
    [event] = from_week(_events(_event("1", end, status)).events, ())
    seconds = expected and timedelta(seconds=expected)
    assert event.ended_at == (
        None if expected is None else MONDAY + (seconds or timedelta())
    )


def test_an_alarm_is_one_with_its_event() -> None:
    """It adds the severity, and devices."""
    alarm = {
        "event_type_id": 28,
        "alarm_start_time": START,
        "alarm_end_time": START + 90,
        "cleared": True,
        "severity": 2,
        "events": [{"serial_number": "1"}, {"serial_number": "3"}],
    }
    other = {**alarm, "alarm_start_time": START + 5, "alarm_end_time": None}
    events = from_week(_events(_event("1")).events, _alarms(alarm, other).alarms)
    assert [each.severity for each in events] == ["error", "error"]
    assert events[1].serials == ("1", "3")
    assert events[1].ended_at == MONDAY + timedelta(seconds=90)
    # Cleared, but the cloud does not say when.
    assert events[0].ended_at == events[0].started_at


def test_only_the_newest_events_are_kept() -> None:
    """Each once, with a limited number of devices."""
    alarm = {
        "event_type_id": 1,
        "events": [{"serial_number": str(n)} for n in range(99)],
    }
    many = [{**alarm, "alarm_start_time": START + n} for n in range(2 * MOST)]
    kept = from_alarms(_alarms(*many, *many[-5:]).alarms)
    assert len(kept) == MOST
    assert kept[0].started_at == MONDAY + timedelta(seconds=2 * MOST - 1)
    assert len(kept[0].serials) == 20


def _week(*events: SystemEvent, fetched_at: datetime) -> Week:
    return Week(fetched_at, events)


def _event_at(at: datetime, end: datetime | None = None) -> SystemEvent:
    return SystemEvent(event_type_id=1, started_at=at, ended_at=end)


@given(st.integers(-400, 30), st.integers(0, 60))
def test_weeks_cover_a_range(begin: int, days: int) -> None:
    """They cover all of it, and each overlaps it."""
    start, end = MONDAY + begin * DAY, MONDAY + (begin + days) * DAY
    starts = week_starts(start, end)
    assert all(each.weekday() == 0 for each in starts)
    assert all(each < end and each + WEEK > start for each in starts)
    assert len(starts) * WEEK >= end - start


@given(st.integers(0, 24 * 60), st.integers(1, 24 * 60))
def test_nothing_is_requested_twice_without_need(first: int, pause: int) -> None:
    """A requested week is not due at once; a complete week never again."""
    now = MONDAY + timedelta(hours=first)
    start, end = now - 30 * DAY, now
    weeks: dict[datetime, Week] = {}
    for week in due_weeks(weeks, start, end, now):
        weeks = with_week(weeks, week, Week(now, ()))
        first_second, last_second = request_span(week, now)
        assert 0 <= last_second - first_second < WEEK.total_seconds()
        assert last_second <= now.timestamp()
    assert due_weeks(weeks, start, end, now) == []
    later = now + timedelta(hours=pause)
    due = due_weeks(weeks, start, end, later)
    assert all(week + WEEK + DAY > now for week in due)
    complete = now + 9 * DAY
    for week in due_weeks(weeks, start, end, complete):
        weeks = with_week(weeks, week, Week(complete, ()))
    assert due_weeks(weeks, start, end, complete + timedelta(hours=pause)) == []


def test_a_week_requested_with_a_clock_that_was_ahead_is_due() -> None:
    """At the true time of the request it may not have been complete."""
    weeks = {MONDAY: _week(fetched_at=MONDAY + 300 * DAY)}
    for now in (MONDAY + 2 * DAY, MONDAY + 9 * DAY):
        assert due_weeks(weeks, MONDAY, now, now)[-1] == MONDAY


@pytest.mark.parametrize(
    ("fetched", "is_open", "due_after"),
    [
        (3 * DAY, False, 6 * HOUR),
        # A day after its end a week is complete.
        (8 * DAY - HOUR, False, HOUR),
        (8 * DAY, False, None),
        (8 * DAY, True, WEEK),
    ],
)
def test_when_a_week_is_due_again(
    fetched: timedelta, due_after: timedelta | None, *, is_open: bool
) -> None:
    """While it is incomplete, or has an event that had not ended."""
    at = MONDAY + fetched
    event = _event_at(MONDAY, None if is_open else MONDAY + HOUR)
    weeks = {MONDAY: _week(event, fetched_at=at)}

    def is_due(now: datetime) -> bool:
        return MONDAY in due_weeks(weeks, MONDAY, MONDAY + DAY, now)

    later = due_after or 30 * DAY
    assert not is_due(at + later - timedelta(seconds=1))
    assert is_due(at + later) is (due_after is not None)


def test_the_newest_80_weeks_are_kept() -> None:
    """A week has only the events that started in it."""
    weeks: dict[datetime, Week] = {}
    for number in range(100):
        start = MONDAY - number * WEEK
        outside = _event_at(start - DAY, start)
        weeks = with_week(
            weeks, start, _week(outside, _event_at(start, start), fetched_at=MONDAY)
        )
    assert len(weeks) == 80
    assert max(weeks) == MONDAY
    assert all(len(week.events) == 1 for week in weeks.values())
    assert weeks_from_dict(json.loads(json.dumps(weeks_as_dict(weeks)))) == weeks


def test_events_between() -> None:
    """Also those that started before, and those that continue."""
    ended = _event_at(MONDAY, MONDAY + DAY)
    open_one = _event_at(MONDAY + DAY)
    weeks = {MONDAY: _week(open_one, ended, fetched_at=MONDAY)}
    assert events_between(weeks, MONDAY, MONDAY + 2 * DAY) == [ended, open_one]
    assert events_between(weeks, MONDAY + 3 * DAY, MONDAY + WEEK) == [open_one]
    assert events_between(weeks, MONDAY - DAY, MONDAY) == []


@pytest.mark.parametrize(
    "stored",
    [
        None,
        [],
        {"x": {}},
        {"-1": {"fetched_at": 1, "happenings": []}},
        {"1": {"fetched_at": "1", "happenings": []}},
        {"1": {"fetched_at": 1, "happenings": 5}},
        {"1": {"fetched_at": 1, "happenings": {}}},
        {"1": {"fetched_at": 1, "happenings": [5]}},
        {"1": {"fetched_at": 1, "happenings": [[1, 2, None, None, [3]]]}},
        {"1": {"fetched_at": 1, "happenings": [[1, 2, None, None, ["3"] * 21]]}},
    ],
)
def test_damaged_weeks_raise(stored: object) -> None:
    """Always ValueError."""
    with pytest.raises(ValueError, match=r"No|invalid"):
        weeks_from_dict(stored)
