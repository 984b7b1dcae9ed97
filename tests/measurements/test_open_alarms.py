"""What is new of alarms: each opened once, each cleared once."""

from datetime import UTC, datetime, timedelta
import json

from hypothesis import given, strategies as st
import pytest

from custom_components.enphase_cloud.measurements.happenings import Happening
from custom_components.enphase_cloud.measurements.open_alarms import (
    AlarmChange,
    OpenAlarms,
)

NOON = datetime(2026, 6, 21, 12, tzinfo=UTC)


def _alarm(event_type: int, hours: int = 0, severity: str = "warning") -> Happening:
    return Happening(
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
answers = st.lists(st.lists(alarms, max_size=6), max_size=8)


def _keys(happenings: tuple[Happening, ...]) -> set[tuple[int, datetime]]:
    return {each.key for each in happenings}


@given(answers, st.data())
def test_news_lead_from_what_was_told_to_what_is_open(
    listed: list[list[Happening]], data: st.DataObject
) -> None:
    """Whenever they are told, and however often Home Assistant restarts between."""
    known = OpenAlarms()
    believed: set[tuple[int, datetime]] | None = None
    for answer in listed:
        known = known.with_response(answer)
        if believed is None:
            # What was open at first is no news.
            assert not known.news()
            believed = _keys(known.listed)
        if data.draw(st.booleans(), label="restart"):
            known = OpenAlarms.from_dict(json.loads(json.dumps(known.as_dict())))
        if data.draw(st.booleans(), label="tell"):
            for each in known.news():
                if each.change is AlarmChange.OPENED:
                    assert each.alarm.key not in believed
                    believed.add(each.alarm.key)
                else:
                    believed.remove(each.alarm.key)
            known = known.with_all_notified()
            assert believed == {each.key for each in answer}
            assert not known.news()


@given(st.lists(alarms, max_size=6), st.lists(alarms, max_size=6), st.randoms())
def test_the_order_of_an_answer_is_no_news(
    before: list[Happening], after: list[Happening], random: object
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


def test_what_is_cleared_is_told_first() -> None:
    """And the oldest before the newest."""
    known = OpenAlarms().with_response([_alarm(1, 2), _alarm(2, 1)])
    news = known.with_response([_alarm(3, 4), _alarm(4, 3)]).news()
    assert [(each.change, each.alarm.event_type_id) for each in news] == [
        (AlarmChange.CLEARED, 2),
        (AlarmChange.CLEARED, 1),
        (AlarmChange.OPENED, 4),
        (AlarmChange.OPENED, 3),
    ]


def test_an_alarm_that_came_and_went_untold_is_no_news() -> None:
    """There is nothing to do about it any more."""
    known = OpenAlarms().with_response([]).with_response([_alarm(1)]).with_response([])
    assert not known.news()


def test_nothing_is_told_before_an_answer() -> None:
    """Telling nothing does not make the first answer news."""
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
def test_damaged_stores_are_refused(stored: object) -> None:
    """With one kind of error."""
    with pytest.raises(ValueError, match=r"^No"):
        OpenAlarms.from_dict(stored)
