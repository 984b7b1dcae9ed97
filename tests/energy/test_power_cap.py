"""A cap stops absurd energy, and gives way to what comes again and again."""

from datetime import UTC, datetime, timedelta
import json
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.enphase_cloud.api.models import EnergyInterval, EnergyIntervals
from custom_components.enphase_cloud.energy.power_cap import PowerCap

DAWN = datetime(2026, 6, 1, 6, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
QUARTER = timedelta(minutes=15)
PLATE = 2_000 * 1.3
SUNNY = (1_000, 2_500, 4_000, 5_500, 6_500, 6_800, 6_700, 6_000, 4_000, 1_500)


def response(
    *powers: float | None, start: datetime = DAWN, length: timedelta = QUARTER
) -> EnergyIntervals:
    """Return an hour of each power."""
    parts = HOUR // length
    values = [
        None if power is None else power / parts
        for power in powers
        for _ in range(parts)
    ]
    return EnergyIntervals(
        system_id=1,
        intervals=tuple(
            EnergyInterval(
                end_at=start + (number + 1) * length, energy=energy, devices_reporting=1
            )
            for number, energy in enumerate(values)
        ),
        total_devices=1,
        length=length,
    )


def learn(cap: PowerCap, document: EnergyIntervals, at: datetime) -> PowerCap:
    """Return the cap after a response, over a restart."""
    cap = cap.learn(document, plate=PLATE, fetched_at=at)
    return PowerCap.from_dict(json.loads(json.dumps(cap.as_dict())))


@pytest.mark.parametrize("minutes", [5, 15])
def test_what_comes_again_and_again_is_believed(minutes: int) -> None:
    """An array of 6.8 kW on a plate of 2 kW is right the next day."""
    length = timedelta(minutes=minutes)
    first = learn(PowerCap(), response(*SUNNY, length=length), DAWN + DAY)
    assert first.limit(PLATE) == PLATE
    assert first.skipped_recently(DAWN + DAY)
    assert first.skipped == ((DAWN, DAWN + 10 * HOUR),)
    tomorrow = response(*SUNNY, start=DAWN + DAY, length=length)
    second = learn(first, tomorrow, DAWN + 2 * DAY)
    assert second.limit(PLATE) >= 6_800
    assert not second.skipped_recently(DAWN + 2 * DAY)
    assert second.skipped_beside(tomorrow) == first.skipped
    assert second.requested_again().skipped == ()


def test_a_fault_of_hours_is_not_believed() -> None:
    """However often it is reported meanwhile."""
    cap = PowerCap()
    for hours in range(12):
        cap = learn(cap, response(*SUNNY), DAWN + DAY + hours * HOUR)
        assert cap.limit(PLATE) == PLATE


@given(
    absurd=st.floats(PLATE + 1, 1e13),
    position=st.integers(0, 39),
    days=st.integers(1, 30),
)
def test_a_single_value_is_never_believed(
    absurd: float, position: int, days: int
) -> None:
    """Also where the cloud repeats it for a month."""
    document = response(*[1_000] * 10)
    intervals = list(document.intervals)
    intervals[position] = EnergyInterval(
        end_at=intervals[position].end_at, energy=absurd, devices_reporting=1
    )
    document = EnergyIntervals(
        system_id=1, intervals=tuple(intervals), total_devices=1, length=QUARTER
    )
    cap = PowerCap()
    for day in range(1, days + 1):
        cap = learn(cap, document, DAWN + day * DAY)
        assert cap.limit(PLATE) == PLATE
        assert cap.skipped_at == DAWN + day * DAY


@given(st.lists(st.lists(st.floats(0, 1e13), max_size=6), max_size=8))
def test_nothing_beyond_ten_plates_or_a_large_connection_is_believed(
    responses: list[list[float]],
) -> None:
    """And a cap never falls below the plates."""
    cap = PowerCap()
    for number, powers in enumerate(responses):
        at = DAWN + number * DAY
        cap = learn(cap, response(*powers, start=at), at + DAY)
        assert PLATE <= cap.limit(PLATE) <= 100_000


def test_the_future_proves_nothing() -> None:
    """Its intervals are skipped in any case."""
    assert learn(PowerCap(), response(*SUNNY), DAWN) == PowerCap()
    assert learn(PowerCap(), response(None, None), DAWN + DAY) == PowerCap()


def test_power_of_the_plates_is_not_skipped() -> None:
    """Up to the cap itself."""
    assert learn(PowerCap(), response(1_000, PLATE), DAWN + DAY) == PowerCap()


def test_a_clock_put_right_begins_anew() -> None:
    """A report under a clock that was ahead confirms nothing."""
    cap = learn(PowerCap(), response(*SUNNY), DAWN + 900 * DAY)
    cap = learn(cap, response(*SUNNY), DAWN + DAY)
    assert cap.reported_at == DAWN + DAY
    assert learn(cap, response(*SUNNY), DAWN + 2 * DAY).limit(PLATE) >= 6_800


def test_what_was_left_out_long_ago_is_not_reported() -> None:
    """A week later it is past."""
    cap = learn(PowerCap(), response(9_000), DAWN + DAY)
    assert cap.skipped_recently(DAWN + 7 * DAY)
    assert not cap.skipped_recently(DAWN + 9 * DAY)
    assert not PowerCap().skipped_recently(DAWN)
    assert PowerCap(skipped=cap.skipped).skipped_beside(response()) == cap.skipped


@pytest.mark.parametrize(
    "damage",
    [{"learnt": "much"}, {"told_at": 1e300}, {"left_out": [[1]]}, {"left_out_at": "x"}],
)
def test_damage_is_found(damage: dict[str, Any]) -> None:
    """By one error."""
    with pytest.raises(ValueError, match=r"."):
        PowerCap.from_dict({**PowerCap().as_dict(), **damage})
