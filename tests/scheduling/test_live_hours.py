"""Live streams never exceed what the user wants to pay for."""

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import example, given, settings, strategies as st
import pytest

from custom_components.enphase_cloud.scheduling.daylight import Daylight
from custom_components.enphase_cloud.scheduling.live_hours import (
    OpenHours,
    StreamAllowance,
    all_day,
    between,
    by_day,
    next_session,
    split,
)

MONTH = datetime(2026, 3, 1, tzinfo=UTC)
END = datetime(2026, 4, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)

times = st.builds(time, st.integers(0, 23), st.integers(0, 59))
zones = st.sampled_from(
    ["UTC", "Europe/Berlin", "Asia/Kathmandu", "Australia/Sydney", "America/New_York"]
).map(ZoneInfo)
moments = st.integers(0, 31 * 86_400).map(lambda s: MONTH + timedelta(seconds=s))


@given(st.integers(0, 10_000), st.integers(0, 20_000))
def test_the_allowance_is_never_exceeded(per_month: int, used: int) -> None:
    """What bursts may take is a part of what all may take, never negative."""
    allowance = StreamAllowance(per_month)
    assert 0 <= allowance.left_for_sessions(used) <= allowance.left(used)
    assert used + allowance.left(used) <= max(used, per_month)


@pytest.mark.parametrize(
    ("per_month", "used", "left", "for_bursts"),
    [(0, 0, 0, 0), (100, 0, 100, 80), (100, 80, 20, 0), (100, 99, 1, 0), (1, 0, 1, 0)],
)
def test_a_share_is_kept_for_requests(
    per_month: int, used: int, left: int, for_bursts: int
) -> None:
    """A fifth is kept for users and automations."""
    allowance = StreamAllowance(per_month)
    assert allowance.left(used) == left
    assert allowance.left_for_sessions(used) == for_bursts


@pytest.mark.parametrize(
    ("seconds", "streams"),
    [(-5, 0), (0, 0), (1, 1), (300, 1), (301, 2), (3600, 12)],
)
def test_a_long_wish_takes_several_streams(seconds: int, streams: int) -> None:
    """A stream lasts five minutes at the most."""
    assert split(timedelta(seconds=seconds), timedelta(seconds=300)) == streams


@given(times, times, zones, moments)
def test_windows_lie_between_the_times(
    begin: time, end: time, zone: ZoneInfo, at: datetime
) -> None:
    """A window is open at the moment or opens next, at the local times."""
    opens, closes = between(begin, end, zone)(at)
    assert closes > max(at, opens)
    assert opens - at < timedelta(hours=49)  # summer time may eat a window
    # Summer time moves whole hours; minutes stay what the user chose.
    assert opens.astimezone(zone).minute == begin.minute


@given(times, times, zones, st.integers(0, 500), st.integers(5, 600))
@example(time(2), time(3), ZoneInfo("Europe/Berlin"), 31, 60)
@settings(max_examples=50, deadline=None)
def test_bursts_are_spread_to_the_end_of_the_month(
    begin: time, end: time, zone: ZoneInfo, allowed: int, pause: int
) -> None:
    """However many there are, they keep the hours, the pause and the number."""
    hours = between(begin, end, zone)
    starts: list[datetime] = []
    now, last = MONTH, None
    while now < END:
        now = next_session(
            last=last,
            now=now,
            pause=timedelta(minutes=pause),
            left=allowed - len(starts),
            period_end=END,
            hours=hours,
        )
        if now >= END:
            break
        opens, closes = hours(now)
        assert opens <= now < closes
        if last is not None:
            assert now - last >= timedelta(minutes=pause)
        starts.append(now)
        last = now
        now += timedelta(seconds=30)
    assert len(starts) <= allowed


@pytest.mark.parametrize(
    "hours", [all_day, between(time(8), time(20), ZoneInfo("UTC"))]
)
def test_a_small_number_lasts_the_whole_month(hours: OpenHours) -> None:
    """Ten bursts a month come every third day, not all on the first."""
    now, last, starts = MONTH, None, []
    while (
        now := next_session(
            last=last,
            now=now,
            pause=HOUR,
            left=10 - len(starts),
            period_end=END,
            hours=hours,
        )
    ) < END:
        starts.append(now)
        last = now
    gaps = [later - earlier for earlier, later in pairwise(starts)]
    assert len(starts) >= 9
    assert min(gaps) > timedelta(days=2)


def test_without_any_left_the_next_burst_is_next_months() -> None:
    """Live rests until the budget is renewed."""
    at = next_session(
        last=MONTH, now=MONTH + HOUR, pause=HOUR, left=0, period_end=END, hours=all_day
    )
    assert at == END
    at = next_session(
        last=None, now=MONTH, pause=HOUR, left=1, period_end=END, hours=all_day
    )
    assert at == MONTH


def test_bursts_by_daylight_keep_to_the_systems_days() -> None:
    """Where nights are known, no burst begins in one; before, any time will do."""
    daylight = Daylight()
    assert by_day(daylight)(MONTH)[0] == MONTH
    for hour in range(48):
        producing = 6 <= hour % 24 < 18
        daylight = daylight.observe(MONTH + hour * HOUR, producing=producing)
    hours = by_day(daylight)
    now, last = MONTH + timedelta(days=2), None
    for _ in range(60):
        now = next_session(
            last=last,
            now=now,
            pause=3 * HOUR,
            left=1000,
            period_end=END,
            hours=hours,
        )
        assert daylight.is_day(now)
        last = now
        now += timedelta(seconds=1)


def test_at_night_the_next_window_opens_at_dawn() -> None:
    """A window begins when the system does."""
    daylight = Daylight()
    for hour in range(48):
        producing = 6 <= hour % 24 < 18
        daylight = daylight.observe(MONTH + hour * HOUR, producing=producing)
    night = daylight.next_dusk(MONTH + 60 * HOUR) + HOUR
    opens, closes = by_day(daylight)(night)
    assert opens == daylight.next_dawn(night)
    assert closes > opens
