"""The energy of a session, and when a charger may charge."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, strategies as st
import pytest

from custom_components.enphase_cloud.api.models import (
    ChargingSession,
    ChargingTimes,
    EnergyInterval,
    EnergyIntervals,
)
from custom_components.enphase_cloud.json_values import LONGEST_PROSE
from custom_components.enphase_cloud.measurements.charging import (
    WeeklyTimes,
    session_energy,
)

START = datetime(2026, 6, 20, 16, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
BERLIN = ZoneInfo("Europe/Berlin")


def session(reported: float | None, *, hours: float = 2) -> ChargingSession:
    """Return a session that started at 16:05."""
    start_at = START + timedelta(minutes=5)
    return ChargingSession(
        start_at=start_at,
        end_at=start_at + timedelta(hours=hours),
        charged_for=None,
        energy_added=reported,
        cost=None,
    )


def intervals(*values: float | None) -> EnergyIntervals:
    """Return quarters of an hour from 16:00 on."""
    return EnergyIntervals(
        system_id=7,
        intervals=tuple(
            EnergyInterval(
                end_at=START + number * QUARTER, energy=energy, devices_reporting=None
            )
            for number, energy in enumerate(values, start=1)
        ),
        total_devices=None,
        length=QUARTER,
    )


class TestSessionEnergy:
    """The intervals of the charger show the unit of the session's energy."""

    @pytest.mark.parametrize("reported", [14_830.0, 14.83])
    def test_the_unit_follows_from_intervals(self, reported: float) -> None:
        given_ = intervals(*[1_650] * 9)
        assert session_energy(session(reported), given_) == 14_830

    @given(
        values=st.lists(st.floats(0, 5_500), min_size=9, max_size=9),
        in_kilo=st.booleans(),
    )
    def test_it_is_never_wrong_by_a_thousand(
        self, values: list[float], *, in_kilo: bool
    ) -> None:
        """It is true within the rounding, or unknown."""
        true = sum(values)
        reported = round(true / 1_000, 2) if in_kilo else true
        energy = session_energy(session(reported), intervals(*values))
        assert energy is None or energy == pytest.approx(true, abs=25)
        # The last interval may have begun before the end, and hold other energy.
        if sum(values[1:-1]) > 100:
            assert energy is not None

    @pytest.mark.parametrize(
        ("reported", "values"),
        [
            # Fits neither.
            (14.83, [0.0] * 9),
            # Fits both.
            (0.01, [0.0] * 9),
            # A gap, and an end that is not reported yet.
            (14.83, [1_650.0] * 4 + [None] + [1_650.0] * 4),
            (14.83, [1_650.0] * 7),
            (None, [1_650.0] * 9),
        ],
    )
    def test_what_cannot_be_decided_is_unknown(
        self, reported: float | None, values: list[float | None]
    ) -> None:
        assert session_energy(session(reported), intervals(*values)) is None

    def test_without_intervals_it_is_unknown(self) -> None:
        assert session_energy(session(14.83), None) is None
        assert session_energy(session(14.83), intervals()) is None

    def test_only_intervals_of_the_session_are_read(self) -> None:
        """A week has hundreds of intervals, and a response many sessions."""
        reads: list[datetime] = []

        class Interval(EnergyInterval):
            @property
            def energy(self) -> float:
                reads.append(self.end_at)
                return 100.0

            @property
            def end_at(self) -> datetime:
                reads.append(self[0])
                return self[0]

        week = intervals(*[100.0] * 672)
        week = week._replace(intervals=tuple(map(Interval._make, week.intervals)))
        assert session_energy(session(800), week) == 800
        assert len(reads) < 100

    def test_intervals_outside_of_the_session_do_not_count(self) -> None:
        given_ = intervals(*[0.0] * 9, 9_000)
        assert session_energy(session(0), given_) == 0


times = st.builds(
    ChargingTimes,
    days=st.sets(st.integers(1, 7), min_size=1).map(lambda days: tuple(sorted(days))),
    start=st.times().map(lambda at: at.replace(second=0, microsecond=0)),
    end=st.times().map(lambda at: at.replace(second=0, microsecond=0)),
    level=st.none() | st.integers(0, 100),
)


class TestWeeklyTimes:
    """Weekly times give occurrences."""

    @given(st.lists(times, max_size=6))
    def test_they_survive_as_text(self, given_: list[ChargingTimes]) -> None:
        weekly = WeeklyTimes(tuple(given_))
        assert WeeklyTimes.from_text(weekly.as_text()) == weekly

    @given(st.lists(times, min_size=60, max_size=80))
    def test_a_text_is_not_too_long_to_be_stored(
        self, given_: list[ChargingTimes]
    ) -> None:
        text = WeeklyTimes(tuple(given_)).as_text()
        assert len(text) <= LONGEST_PROSE
        read = WeeklyTimes.from_text(text).times
        assert read == tuple(given_)[: len(read)]

    @given(st.text(max_size=60) | st.from_regex(r"[1-7]@\d{4}-\d{4}(;.*)?"))
    def test_any_text_can_be_read(self, text: str) -> None:
        WeeklyTimes.from_text(text)

    @given(st.lists(times, max_size=4), st.integers(0, 365), st.integers(1, 200))
    def test_occurrences_overlap_the_span_and_are_in_order(
        self, given_: list[ChargingTimes], day: int, hours: int
    ) -> None:
        start = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day)
        end = start + timedelta(hours=hours)
        weekly = WeeklyTimes(tuple(given_))
        found = weekly.between(start, end, BERLIN)
        assert found == sorted(found, key=lambda each: (each.start, each.end))
        for each in found:
            assert each.start < end
            assert start < each.end
            assert each.end - each.start <= timedelta(hours=25)
        following = weekly.next(start, BERLIN)
        assert (following is None) is (not given_)

    def test_days_begin_on_monday_and_nights_end_on_the_next_day(self) -> None:
        weekly = WeeklyTimes(
            (ChargingTimes(days=(1,), start=time(23), end=time(6, 30), level=80),)
        )
        monday = datetime(2026, 6, 22, tzinfo=BERLIN)
        (night,) = weekly.between(monday, monday + timedelta(days=7), BERLIN)
        assert night.start == monday.replace(hour=23)
        assert night.end == monday.replace(day=23, hour=6, minute=30)
        assert weekly.next(night.start + timedelta(hours=3), BERLIN) == night
        following = weekly.next(night.end, BERLIN)
        assert following is not None
        assert following.start == night.start + timedelta(days=7)

    def test_a_night_in_which_the_clock_goes_forward_is_shorter(self) -> None:
        weekly = WeeklyTimes(
            (ChargingTimes(days=(7,), start=time(1), end=time(4), level=None),)
        )
        sunday = datetime(2026, 3, 29, tzinfo=BERLIN)
        (night,) = weekly.between(sunday, sunday + timedelta(days=1), BERLIN)
        assert night.end - night.start == timedelta(hours=2)
