"""A lifetime total neither jumps for a fault nor stands still for good."""

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
ANEW = 1_690_000_000
TODAY = Measurement.ENERGY_PRODUCED_TODAY


class Sensor:
    """What a coordinator makes of one summary after another."""

    def __init__(self) -> None:
        """Begin with nothing known."""
        self.guard = LifetimeGuard()
        self.known: Samples = NOTHING
        self.now = NOON

    def hear(
        self, total: float | None, after: timedelta = QUARTER, **told: float
    ) -> object:
        """Return what is shown after an answer."""
        self.now += after
        values = {TOTAL: total, "rated_power": SIZE, **told}
        arrived: Samples = {
            Measurement(key): Sample(value, self.now, Source.SUMMARY)
            for key, value in values.items()
            if value is not None
        }
        self.guard, known, believed = self.guard.check(
            self.known, arrived, now=self.now
        )
        self.known = advance(known, believed, now=self.now)
        return self.shown

    @property
    def shown(self) -> Value:
        """Return what is shown."""
        return self.known[TOTAL].value


@given(
    wrong=st.sampled_from([10 * TRUE, 1e15, TRUE / 10, 0.0, 3.0]) | st.none(),
    answers=st.integers(1, 12),
    pause=st.timedeltas(QUARTER, 24 * HOUR),
)
def test_one_wrong_total_is_not_shown(
    wrong: float | None, answers: int, pause: timedelta
) -> None:
    """Wherever it comes, and whatever it is."""
    sensor = Sensor()
    for number in range(answers):
        assert sensor.hear(TRUE + number, pause) == TRUE + number
    assert sensor.hear(wrong, pause) == TRUE + answers - 1
    assert sensor.hear(TRUE + answers, pause) == TRUE + answers
    assert sensor.guard == LifetimeGuard()


@given(hours=st.lists(st.integers(1, 40), min_size=1, max_size=40))
def test_what_the_plant_can_produce_is_shown_at_once(hours: list[int]) -> None:
    """However long the gateway was silent."""
    sensor = Sensor()
    total = TRUE
    sensor.hear(total)
    for pause in hours:
        total += SIZE * pause
        assert sensor.hear(total, pause * HOUR) == total


def test_a_jump_is_shown_once_a_later_answer_confirms_it() -> None:
    """It may be a correction after all; today's energy waits with it."""
    sensor = Sensor()
    sensor.hear(TRUE, energy_produced_today=5_000)
    assert sensor.hear(3 * TRUE, energy_produced_today=99_000) == TRUE
    assert sensor.known[TODAY].value == 5_000
    assert sensor.hear(3 * TRUE + 50) == TRUE
    assert (
        sensor.hear(3 * TRUE + 90, HOUR, energy_produced_today=7_000) == 3 * TRUE + 90
    )
    assert sensor.known[TODAY].value == 7_000


def test_two_jumps_that_differ_confirm_nothing() -> None:
    """Each is a fault of its own."""
    sensor = Sensor()
    sensor.hear(TRUE)
    for factor in (10, 3, 7, 2, 9):
        assert sensor.hear(factor * TRUE, 2 * HOUR) == TRUE


@given(start=st.integers(1, 50_000), pause=st.integers(1, 12))
def test_a_total_that_begins_anew_is_followed(start: int, pause: int) -> None:
    """Within a day of answers, not for a fault of hours; then it goes on from there."""
    sensor = Sensor()
    sensor.hear(TRUE)
    for number in range(24):
        shown = sensor.hear(start + number, pause * HOUR)
        elapsed = number * pause
        assert shown == (TRUE if elapsed < 12 else start + number)


def test_zeros_alone_are_no_new_beginning() -> None:
    """A fault that lasts for days looks like that."""
    sensor = Sensor()
    sensor.hear(TRUE)
    for _ in range(72):
        assert sensor.hear(0, HOUR) == TRUE
    assert sensor.hear(TRUE + 5) == TRUE + 5


def test_a_system_that_is_commissioned_anew_begins_at_once() -> None:
    """The summary says since when it is operational."""
    sensor = Sensor()
    sensor.hear(TRUE, operational_since=ANEW - 86_400 * 800)
    assert sensor.hear(0, operational_since=ANEW) == 0
    assert sensor.hear(700, operational_since=ANEW) == 700


def test_a_total_that_was_wrong_from_the_first_is_put_right() -> None:
    """Ten times too great at set-up is no reason to be so for years."""
    sensor = Sensor()
    assert sensor.hear(10 * TRUE) == 10 * TRUE
    for _ in range(13):
        sensor.hear(TRUE, HOUR)
    assert sensor.shown == TRUE


@pytest.mark.parametrize("share", [0.999, 0.91])
def test_a_small_fall_is_held(share: float) -> None:
    """Until the total has grown beyond it; it is no new beginning."""
    sensor = Sensor()
    sensor.hear(TRUE)
    for _ in range(30):
        assert sensor.hear(share * TRUE, HOUR) == TRUE
    assert sensor.hear(TRUE + 1) == TRUE + 1


def test_a_clock_put_right_begins_to_wait_anew() -> None:
    """What a clock that was ahead noted confirms nothing for ever."""
    sensor = Sensor()
    sensor.hear(TRUE)
    sensor.hear(10, 400 * 24 * HOUR)
    sensor.hear(10, -400 * 24 * HOUR)
    assert sensor.shown == TRUE
    assert sensor.hear(11, 13 * HOUR) == 11


def test_without_a_size_a_connection_to_the_grid_is_the_limit() -> None:
    """It still tells the absurd from the possible."""
    sensor = Sensor()
    sensor.hear(TRUE, rated_power="unknown")
    assert sensor.hear(TRUE + 2_000_000, rated_power="unknown") == TRUE + 2_000_000
    assert sensor.hear(9e9, rated_power="unknown") == TRUE + 2_000_000
