"""Changes of alarms: each is opened once and cleared once."""

from datetime import UTC, datetime, timedelta
import json

from hypothesis import given, strategies as st
import pytest

from custom_components.enphase_cloud.measurements.open_alarms import (
    AlarmChange,
    OpenAlarms,
)
from custom_components.enphase_cloud.measurements.system_events import SystemEvent

NOON = datetime(2026, 6, 21, 12, tzinfo=UTC)


def _alarm(event_type: int, hours: int = 0, severity: str = "warning") -> SystemEvent:
    return SystemEvent(
        event_type_id=event_type,
        started_at=NOON + timedelta(hours=hours),
        severity=severity,
        serials=("4824",),
    )


alarms = st.builds(
    _alarm,
    st.integers(0, 3),
    st.integers(0, 2),
    st.sampled_from(["fatal", "warning", "unknown"]),
)
lists = st.lists(st.lists(alarms, max_size=6), max_size=8)


def _keys(events: tuple[SystemEvent, ...]) -> set[tuple[int, datetime]]:
    return {each.key for each in events}


@given(lists, st.data())
def test_news_lead_from_the_notified_alarms_to_the_open_ones(
    responses: list[list[SystemEvent]], data: st.DataObject
) -> None:
    """At any moment of notification, and with restarts in between."""
    known = OpenAlarms()
    notified: set[tuple[int, datetime]] | None = None
    for response in responses:
        known = known.with_response(response)
        if notified is None:
            # Alarms of the first response are no news.
            assert not known.news()
            notified = _keys(known.listed)
        if data.draw(st.booleans(), label="restart"):
            known = OpenAlarms.from_dict(json.loads(json.dumps(known.as_dict())))
        if data.draw(st.booleans(), label="notify"):
            for each in known.news():
                if each.change is AlarmChange.OPENED:
                    assert each.alarm.key not in notified
                    notified.add(each.alarm.key)
                else:
                    notified.remove(each.alarm.key)
            known = known.with_all_notified()
            assert notified == {each.key for each in response}
            assert not known.news()


@given(st.lists(alarms, max_size=6), st.lists(alarms, max_size=6), st.randoms())
def test_another_order_is_no_news(
    before: list[SystemEvent], after: list[SystemEvent], random: object
) -> None:
    """Nor are repetitions, another severity, or other devices."""
    known = OpenAlarms().with_response(before)
    shuffled = [*after, *after]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    news = known.with_response(after).news()
    keys = [(each.change, each.alarm.key) for each in news]
    assert len(keys) == len(set(keys))
    assert [
        (each.change, each.alarm.key) for each in known.with_response(shuffled).news()
    ] == keys
    again = known.with_response(after).with_all_notified().with_response(shuffled)
    assert not again.news()


def test_cleared_alarms_come_first() -> None:
    """The oldest first."""
    known = OpenAlarms().with_response([_alarm(1, 2), _alarm(2, 1)])
    news = known.with_response([_alarm(3, 4), _alarm(4, 3)]).news()
    assert [(each.change, each.alarm.event_type_id) for each in news] == [
        (AlarmChange.CLEARED, 2),
        (AlarmChange.CLEARED, 1),
        (AlarmChange.OPENED, 4),
        (AlarmChange.OPENED, 3),
    ]


def test_an_alarm_that_cleared_before_the_notification_is_no_news() -> None:
    """The user cannot do anything about it."""
    known = OpenAlarms().with_response([]).with_response([_alarm(1)]).with_response([])
    assert not known.news()


def test_a_notification_before_the_first_response_changes_nothing() -> None:
    """The alarms of the first response are still no news."""
    known = OpenAlarms().with_all_notified().with_response([_alarm(1)])
    assert not known.news()


@pytest.mark.parametrize(
    "stored",
    [
        None,
        [],
        {},
        {"listed": [], "told": 3},
        {"listed": {}, "told": None},
        {"listed": [[1]], "told": None},
        {"listed": [[1, 2, None, None, "4824"]], "told": None},
        {"listed": [[-1, 2, None, None, []]], "told": None},
        {"listed": [[1, float("nan"), None, None, []]], "told": None},
        {"listed": [[1, 2, None, None, []]] * 201, "told": None},
    ],
)
def test_damaged_data_raises(stored: object) -> None:
    """Always ValueError."""
    with pytest.raises(ValueError, match=r"^No"):
        OpenAlarms.from_dict(stored)
