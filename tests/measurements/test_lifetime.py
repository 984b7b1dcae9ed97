"""A lifetime total does not jump for a fault, and does not stand still forever."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, strategies as st
import pytest

from custom_components.enphase_cloud.measurements.catalog import Measurement, Source
from custom_components.enphase_cloud.measurements.lifetime import TOTAL, LifetimeGuard
from custom_components.enphase_cloud.measurements.samples import (
    NOTHING,
    Sample,
    Samples,
    Value,
    advance,
)

NOON = datetime(2026, 6, 21, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
QUARTER = timedelta(minutes=15)
SIZE = 6_800
TRUE = 9_000_000.0
LATER = 1_690_000_000
TODAY = Measurement.ENERGY_PRODUCED_TODAY


class Sensor:
    """Handles a series of summaries as the coordinator does."""

    def __init__(self) -> None:
        """Start empty."""
        self.guard = LifetimeGuard()
        self.known: Samples = NOTHING
        self.now = NOON

    def receive(
        self, total: float | None, after: timedelta = QUARTER, **values: float
    ) -> object:
        """Return the state after a response."""
        self.now += after
        values = {TOTAL: total, "rated_power": SIZE, **values}
        arrived: Samples = {
            Measurement(key): Sample(value, self.now, Source.SUMMARY)
            for key, value in values.items()
            if value is not None
        }
        self.guard, known, accepted = self.guard.check(
            self.known, arrived, now=self.now
        )
        self.known = advance(known, accepted, now=self.now)
        return self.shown

    @property
    def shown(self) -> Value:
        """Return the state of the sensor."""
        return self.known[TOTAL].value


@given(
    wrong=st.sampled_from([10 * TRUE, 1e15, TRUE / 10, 0.0, 3.0]) | st.none(),
    responses=st.integers(1, 12),
    pause=st.timedeltas(QUARTER, 24 * HOUR),
)
def test_one_wrong_total_is_not_shown(
    wrong: float | None, responses: int, pause: timedelta
) -> None:
    """At any time, of any size."""
    sensor = Sensor()
    for number in range(responses):
        assert sensor.receive(TRUE + number, pause) == TRUE + number
    assert sensor.receive(wrong, pause) == TRUE + responses - 1
    assert sensor.receive(TRUE + responses, pause) == TRUE + responses
    assert sensor.guard == LifetimeGuard()


@given(hours=st.lists(st.integers(1, 40), min_size=1, max_size=40))
def test_what_the_plant_can_produce_is_shown_at_once(hours: list[int]) -> None:
    """After any time of silence of the gateway."""
    sensor = Sensor()
    total = TRUE
    sensor.receive(total)
    for pause in hours:
        total += SIZE * pause
        assert sensor.receive(total, pause * HOUR) == total


def test_a_jump_is_shown_once_a_later_response_confirms_it() -> None:
    """It may be a correction. The energy of today waits as well."""
    sensor = Sensor()
    sensor.receive(TRUE, energy_produced_today=5_000)
    assert sensor.receive(3 * TRUE, energy_produced_today=99_000) == TRUE
    assert sensor.known[TODAY].value == 5_000
    assert sensor.receive(3 * TRUE + 50) == TRUE
    assert (
        sensor.receive(3 * TRUE + 90, HOUR, energy_produced_today=7_000)
        == 3 * TRUE + 90
    )
    assert sensor.known[TODAY].value == 7_000


def test_two_jumps_that_differ_confirm_nothing() -> None:
    """Each is a fault of its own."""
    sensor = Sensor()
    sensor.receive(TRUE)
    for factor in (10, 3, 7, 2, 9):
        assert sensor.receive(factor * TRUE, 2 * HOUR) == TRUE


@given(start=st.integers(1, 50_000), pause=st.integers(1, 12))
def test_a_reset_of_the_total_is_accepted(start: int, pause: int) -> None:
    """After half a day of responses, not for a fault of hours."""
    sensor = Sensor()
    sensor.receive(TRUE)
    for number in range(24):
        shown = sensor.receive(start + number, pause * HOUR)
        elapsed = number * pause
        assert shown == (TRUE if elapsed < 12 else start + number)


def test_zeros_are_not_a_reset() -> None:
    """They may be a fault of several days."""
    sensor = Sensor()
    sensor.receive(TRUE)
    for _ in range(72):
        assert sensor.receive(0, HOUR) == TRUE
    assert sensor.receive(TRUE + 5) == TRUE + 5


def test_a_recommissioned_system_is_reset_at_once() -> None:
    """By the operational date of the summary."""
    sensor = Sensor()
    sensor.receive(TRUE, operational_since=LATER - 86_400 * 800)
    assert sensor.receive(0, operational_since=LATER) == 0
    assert sensor.receive(700, operational_since=LATER) == 700


def test_a_total_that_was_wrong_from_the_start_is_corrected() -> None:
    """Even if it was ten times too great at set-up."""
    sensor = Sensor()
    assert sensor.receive(10 * TRUE) == 10 * TRUE
    for _ in range(13):
        sensor.receive(TRUE, HOUR)
    assert sensor.shown == TRUE


@pytest.mark.parametrize("share", [0.999, 0.91])
def test_a_small_fall_is_held(share: float) -> None:
    """Until the total exceeds the one before: it is not a reset."""
    sensor = Sensor()
    sensor.receive(TRUE)
    for _ in range(30):
        assert sensor.receive(share * TRUE, HOUR) == TRUE
    assert sensor.receive(TRUE + 1) == TRUE + 1


def test_a_corrected_clock_restarts_the_wait() -> None:
    """A claim from a clock that was ahead does not wait forever."""
    sensor = Sensor()
    sensor.receive(TRUE)
    sensor.receive(10, 400 * 24 * HOUR)
    sensor.receive(10, -400 * 24 * HOUR)
    assert sensor.shown == TRUE
    assert sensor.receive(11, 13 * HOUR) == 11


def test_without_a_size_a_connection_to_the_grid_is_the_limit() -> None:
    """Absurd totals are still held back."""
    sensor = Sensor()
    sensor.receive(TRUE, rated_power="unknown")
    assert sensor.receive(TRUE + 2_000_000, rated_power="unknown") == TRUE + 2_000_000
    assert sensor.receive(9e9, rated_power="unknown") == TRUE + 2_000_000
