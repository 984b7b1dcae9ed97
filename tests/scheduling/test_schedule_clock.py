"""The schedule stays valid with any clock and any data of the cloud."""

from datetime import UTC, datetime, timedelta
import json

from hypothesis import given, settings, strategies as st

from custom_components.enphase_cloud.measurements.catalog import Source
from custom_components.enphase_cloud.scheduling.poll_schedule import Schedule
from custom_components.enphase_cloud.scheduling.weights import POLLED, PolledDocument

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
QUARTER = timedelta(minutes=15)
FEEDS = [PolledDocument("home", document) for document in POLLED]

MOMENTS = st.timedeltas(-40 * DAY, 40 * DAY)
RESPONSES = st.tuples(
    st.sampled_from(FEEDS),
    # The clock may jump, and data may be dated anywhere.
    st.one_of(st.timedeltas(timedelta(seconds=1), DAY), MOMENTS),
    st.one_of(st.none(), st.timedeltas(-DAY, timedelta(hours=1)), MOMENTS),
    st.booleans(),
    st.sampled_from([True, False, None]),
    st.booleans(),
)


def test_a_gateway_that_was_silent_for_weeks_is_stored_as_it_is() -> None:
    """What was learnt of it is read again."""
    schedule, (polled, *_) = Schedule(), FEEDS
    schedule.add(polled)
    for days in (0, 20, 40, 60):
        now = BEGIN + days * DAY
        age = now if days in (0, 60) else BEGIN
        schedule.observe(polled, now=now, data_at=age, changed=False, producing=None)
    stored = json.loads(json.dumps(schedule.as_dict()))
    assert Schedule.restore(stored).as_dict() == stored


@settings(deadline=None)
@given(st.lists(RESPONSES, max_size=40), st.integers(0, 60_000))
def test_a_due_that_can_be_had_whatever_happened(
    responses: list[
        tuple[PolledDocument, timedelta, timedelta | None, bool, bool | None, bool]
    ],
    calls: int,
) -> None:
    """Never in the past, and never far away while there are calls."""
    schedule = Schedule()
    for polled in FEEDS:
        schedule.add(polled)
    now = BEGIN
    for polled, passes, data_age, changed, producing, failed in responses:
        now += passes
        data_at = None if data_age is None else now + data_age
        if failed:
            schedule.failed(polled, now=now)
        else:
            schedule.observe(
                polled, now=now, data_at=data_at, changed=changed, producing=producing
            )
        schedule = Schedule.restore(json.loads(json.dumps(schedule.as_dict())))
        for each in FEEDS:
            schedule.add(each)
    end = now + 10 * DAY
    for polled in FEEDS:
        due = schedule.next_poll(polled, now=now, calls_left=calls, period_end=end)
        assert due >= now
        assert due <= end + 2 * DAY
        if calls > 1_000:
            # A night is the longest that there is to wait for.
            assert due <= now + 2 * DAY


@given(st.timedeltas(timedelta(minutes=1), 400 * DAY))
def test_a_clock_that_goes_back_puts_nothing_off(jump: timedelta) -> None:
    """A request dated in the future delays no other."""
    schedule = Schedule()
    polled = PolledDocument("home", Source.BATTERY)
    schedule.add(polled)
    schedule.observe(
        polled,
        now=BEGIN + jump,
        data_at=BEGIN - QUARTER,
        changed=True,
        producing=None,
    )
    due = schedule.next_poll(
        polled, now=BEGIN, calls_left=50_000, period_end=BEGIN + 31 * DAY
    )
    assert due <= BEGIN + timedelta(hours=1)


@given(st.timedeltas(timedelta(minutes=1), 400 * DAY))
def test_daylight_is_learnt_after_a_clock_went_back(jump: timedelta) -> None:
    """A reading of the future, by gateway and by clock, does not keep others out."""
    schedule = Schedule()
    polled = PolledDocument("home", Source.SUMMARY)
    schedule.add(polled)

    def observe(at: datetime, *, producing: bool) -> None:
        nonlocal schedule
        schedule.observe(polled, now=at, data_at=at, changed=True, producing=producing)
        schedule = Schedule.restore(json.loads(json.dumps(schedule.as_dict())))
        schedule.add(polled)

    observe(BEGIN + jump, producing=True)
    for quarter in range(2 * 96):
        observe(BEGIN + quarter * QUARTER, producing=24 <= quarter % 96 < 72)
    assert schedule.daylight("home").is_known


def test_few_calls_are_not_spent_on_dusk() -> None:
    """Where there is less than two a day for the summary, it is requested by day."""
    schedule = Schedule()
    polled = PolledDocument("home", Source.SUMMARY)
    schedule.add(polled)
    now, end, calls, polls = BEGIN, BEGIN + 31 * DAY, 400, []
    while True:
        due = schedule.next_poll(polled, now=now, calls_left=calls, period_end=end)
        if due >= end:
            break
        now = max(due, now + timedelta(seconds=1))
        if now > BEGIN + 5 * DAY and calls > 30:
            calls = 30
        calls -= 1
        polls.append(now)
        quarters = (now - timedelta(minutes=5) - BEGIN) // QUARTER
        data_at = BEGIN + quarters * QUARTER
        schedule.observe(
            polled,
            now=now,
            data_at=data_at,
            changed=True,
            producing=6 <= data_at.hour < 18,
        )
    late = [at for at in polls if at > BEGIN + 6 * DAY]
    assert 20 <= len(late) <= 30
    # On the last day there may be enough left for the total of the day.
    assert all(5 <= at.hour <= 18 for at in late[:-1])
    assert max(late) > end - 3 * DAY
