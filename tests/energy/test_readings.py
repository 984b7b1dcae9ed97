"""Energy is exact, and nothing the cloud does wrong creates any."""

from collections.abc import Callable
from copy import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, strategies as st
import pytest

from custom_components.enphase_cloud.api import (
    BatteryInterval,
    BatteryTelemetry,
    DailyEnergy,
    EnergyInterval,
    EnergyIntervals,
)
from custom_components.enphase_cloud.api.endpoints import (
    CONSUMPTION_TELEMETRY,
    EXPORT_TELEMETRY,
    IMPORT_TELEMETRY,
    PRODUCTION_METER_TELEMETRY,
    Endpoint,
)
from custom_components.enphase_cloud.energy.parsing import (
    battery_intervals,
    power_limit,
    readings_of_days,
    readings_of_intervals,
    system_day,
)
from custom_components.enphase_cloud.energy.readings import (
    HOUR,
    NO_READINGS,
    SETTLES_AFTER,
    HourlyEnergy,
    Readings,
    hourly,
    merge_readings,
    readings_of_rows,
    statistics_rows,
    top_of_hour,
)
from custom_components.enphase_cloud.measurements.catalog import Flow
from simulator import Cloud, Flow as TrueFlow, System
from simulator.distortion import distort
from simulator.documents import lifetime, telemetry

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
FIVE_MINUTES = timedelta(minutes=5)
LATER = NOON + timedelta(days=1)
LIMIT = 10_000
BERLIN = ZoneInfo("Europe/Berlin")


def document(
    *wh: float | None,
    start: datetime = NOON,
    length: timedelta = QUARTER,
    reporting: dict[int, int] | None = None,
) -> EnergyIntervals:
    """Return intervals one after another; `reporting` counts devices by position."""
    return EnergyIntervals(
        system_id=1,
        intervals=tuple(
            EnergyInterval(
                end_at=start + (position + 1) * length,
                energy=energy,
                devices_reporting=(reporting or {}).get(position, 9),
            )
            for position, energy in enumerate(wh)
        ),
        total_devices=9,
        length=length,
    )


def read(
    document: EnergyIntervals, *, fetched_at: datetime = LATER, limit: float = LIMIT
) -> Readings:
    """Read intervals, by default a day later."""
    return readings_of_intervals(document, fetched_at=fetched_at, power_limit=limit)


def hourly_wh(*parts: Readings) -> dict[datetime, int]:
    """Return the Wh of each hour."""
    return {hour: each.energy for hour, each in hourly(merge_readings(*parts)).items()}


def days(
    *values: float | None,
    start: date = date(2026, 5, 1),
    fetched_at: datetime = LATER,
    time_zone: ZoneInfo = BERLIN,
    limit: float = LIMIT,
) -> Readings:
    """Read days."""
    return readings_of_days(
        DailyEnergy(start_date=start, values=values),
        fetched_at=fetched_at,
        time_zone=time_zone,
        power_limit=limit,
    )


class TestHours:
    """Intervals become hours."""

    def test_an_hour_is_the_sum_of_the_intervals_that_end_after_it_began(self) -> None:
        parts = read(document(1, 2, 3, 4, 10, 20, 30, 40))
        assert hourly_wh(parts) == {NOON: 10, NOON + HOUR: 100}

    def test_five_minutes_are_summed_likewise(self) -> None:
        parts = read(document(*range(24), length=FIVE_MINUTES))
        assert hourly_wh(parts) == {NOON: 66, NOON + HOUR: 210}

    @pytest.mark.parametrize("missing", range(4))
    def test_an_hour_that_lacks_an_interval_is_skipped(self, missing: int) -> None:
        known: list[float | None] = [5, 5, 5, 5]
        known[missing] = None
        assert hourly_wh(read(document(*known))) == {}

    def test_an_hour_may_arrive_in_two_windows(self) -> None:
        first = read(document(1, 2))
        second = read(document(3, 4, start=NOON + 2 * QUARTER))
        assert hourly_wh(first) == hourly_wh(second) == {}
        assert hourly_wh(first, second) == {NOON: 10}

    def test_fractions_are_rounded_once(self) -> None:
        assert hourly_wh(read(document(0.4, 0.4, 0.4, 0.4))) == {NOON: 2}

    def test_of_five_and_fifteen_minutes_the_later_answer_counts(self) -> None:
        meter = document(10, 10, 10, 10)
        micro = document(*[4] * 12, length=FIVE_MINUTES)
        early, late = LATER, LATER + HOUR
        assert hourly_wh(
            read(meter, fetched_at=early), read(micro, fetched_at=late)
        ) == {NOON: 48}
        assert hourly_wh(
            read(meter, fetched_at=late), read(micro, fetched_at=early)
        ) == {NOON: 40}

    def test_a_part_of_an_hour_leaves_the_rest_as_it_was(self) -> None:
        micro = document(*[4] * 11, length=FIVE_MINUTES)
        late = read(micro, fetched_at=LATER + HOUR)
        assert hourly_wh(read(document(10, 10, 10, 10)), late) == {NOON: 40}


MICRO = FIVE_MINUTES


def without(whole: EnergyIntervals, first: int, count: int) -> EnergyIntervals:
    """Return a document without some of its intervals."""
    kept = whole.intervals[:first] + whole.intervals[first + count :]
    return replace(whole, intervals=kept)


def produced(whole: EnergyIntervals, *, fetched_at: datetime = LATER) -> Readings:
    """Read intervals of a production whose nights may be missing."""
    return readings_of_intervals(
        whole, fetched_at=fetched_at, power_limit=LIMIT, may_lack_nights=True
    )


class TestNights:
    """What a document of production omits between two intervals was dark."""

    EVENING = (90, 60, 20, 2)
    MORNING = (1, 30, 70, 99)

    def test_they_are_zeros(self) -> None:
        whole = document(*self.EVENING, *[0] * 32, *self.MORNING)
        dark = without(whole, 4, 32)
        assert produced(dark) == produced(whole) == read(whole)
        # But intervals that a consumption meter omits are unknown.
        assert hourly_wh(read(dark)) == {NOON: 172, NOON + 9 * HOUR: 200}

    def test_the_hours_of_dusk_and_dawn_are_whole(self) -> None:
        whole = document(*[50] * 10, 1, *[0] * 92, 2, *[50] * 16, length=MICRO)
        merged = hourly_wh(produced(without(whole, 11, 92)))
        assert merged == hourly_wh(read(whole))
        assert merged[NOON] == 501

    @pytest.mark.parametrize("minutes", [0, 25, 300])
    def test_also_before_the_first_interval(self, minutes: int) -> None:
        start = NOON - timedelta(minutes=minutes)
        dark = replace(document(*self.MORNING), start_at=start)
        whole = document(*[0] * (minutes // 15), *self.MORNING)
        assert sum(hourly_wh(produced(dark)).values()) == 200
        assert len(produced(dark)) == len(whole.intervals)

    def test_a_night_that_has_not_ended_is_skipped(self) -> None:
        assert produced(document(*self.EVENING)) == read(document(*self.EVENING))

    def test_where_production_breaks_off_zeros_take_nothing_back(self) -> None:
        whole = document(*[100] * 40)
        gap = without(whole, 8, 24)
        later = produced(gap, fetched_at=LATER + HOUR)
        assert hourly_wh(produced(gap))[NOON + 3 * HOUR] == 0
        assert hourly_wh(read(whole), later) == hourly_wh(read(whole))

    @pytest.mark.parametrize("count", [1, 3, 15])
    def test_a_gap_at_noon_is_unknown(self, count: int) -> None:
        gap = without(document(*[100] * 40), 8, count)
        assert produced(gap) == read(gap)

    def test_null_is_unknown(self) -> None:
        nulls = document(*self.EVENING, *[None] * 32, *self.MORNING)
        assert produced(nulls) == read(nulls)

    @given(st.lists(st.integers(0, 300), min_size=4, max_size=96), st.data())
    def test_zeros_left_out_create_no_energy(
        self, truth: list[int], data: st.DataObject
    ) -> None:
        whole = document(*truth)
        first = data.draw(st.integers(0, len(truth)))
        count = data.draw(st.integers(0, len(truth) - first))
        merged = produced(without(whole, first, count))
        assert sum(each.energy for each in merged.values()) <= sum(truth)
        for span, reading in produced(whole).items():
            assert merged.get(span, reading).energy <= reading.energy

    def test_as_the_cloud_tells_them(self) -> None:
        now = datetime(2026, 6, 17, 20, tzinfo=UTC)
        cloud = Cloud(lambda: now)
        owner = cloud.add_account(email="owner@example.com", password="sesame")
        system = cloud.add_system(
            owner, meters=(), dark_intervals=False, corrections=False
        )
        truth = cloud.truth(system.system_id)
        start = datetime(2026, 6, 14, 21, tzinfo=UTC)
        response = telemetry.production_micro(
            cloud.published(system),
            {"start_at": str(int(start.timestamp())), "granularity": "week"},
        )
        merged = hourly_wh(
            produced(
                EnergyIntervals.from_api(response, member="enwh", minutes=5),
                fetched_at=now,
            )
        )
        hours = [start + number * HOUR for number in range((now - start) // HOUR)]
        hours.pop()  # not reported yet
        assert merged == {
            hour: truth.energy("production", hour, hour + HOUR) for hour in hours
        }


class TestFaults:
    """Implausible values are skipped."""

    def test_an_impossible_energy_is_skipped(self) -> None:
        limit = power_limit(
            Flow.PRODUCTION, size=4_000, charge_limit=None, discharge_limit=None
        )
        possible = document(1_000, 1_000, 1_000, 1_300)
        impossible = document(1_000, 1_000, 1_000, 1_301)
        assert hourly_wh(read(possible, limit=limit)) == {NOON: 4_300}
        assert hourly_wh(read(impossible, limit=limit)) == {}

    def test_the_future_is_skipped(self) -> None:
        fetched_at = NOON + HOUR - timedelta(seconds=1)
        assert hourly_wh(read(document(1, 2, 3, 4), fetched_at=fetched_at)) == {}
        assert hourly_wh(read(document(1, 2, 3, 4), fetched_at=NOON + HOUR)) == {
            NOON: 10
        }

    def test_an_interval_off_the_marks_is_skipped(self) -> None:
        odd = document(1, 2, 3, 4, 5, start=NOON - timedelta(minutes=1))
        assert read(odd) == NO_READINGS

    def test_a_young_interval_that_lacks_devices_is_held_back(self) -> None:
        incomplete = document(1, 2, 3, 4, reporting={3: 8})
        settled = NOON + HOUR + SETTLES_AFTER
        just_before = settled - timedelta(seconds=1)
        assert hourly_wh(read(incomplete, fetched_at=just_before)) == {}
        assert hourly_wh(read(incomplete, fetched_at=settled)) == {NOON: 10}

    def test_a_device_that_is_never_heard_of_holds_nothing_back(self) -> None:
        incomplete = document(1, 2, 3, 4, reporting=dict.fromkeys(range(4), 8))
        assert hourly_wh(read(incomplete, fetched_at=NOON + HOUR)) == {NOON: 10}

    def test_zeros_in_a_sound_answer_correct(self) -> None:
        known = read(document(5, 5, 5, 5, 5, 5, 5, 5))
        corrected = document(0, 0, 0, 0, 5, 5, 5, 5)
        assert hourly_wh(known, read(corrected, fetched_at=LATER + HOUR)) == {
            NOON: 0,
            NOON + HOUR: 20,
        }

    def test_zeros_alone_take_nothing_back_but_count_where_nothing_is_known(
        self,
    ) -> None:
        known = read(document(5, 5, 5, 5))
        zeros = read(document(*[0] * 8), fetched_at=LATER + HOUR)
        assert hourly_wh(known, zeros) == {NOON: 20, NOON + HOUR: 0}

    def test_a_dip_is_undone_by_the_next_answer(self) -> None:
        sound = document(8, 8, 8, 8)
        dip = read(document(4, 4, 4, 4), fetched_at=LATER + HOUR)
        again = read(sound, fetched_at=LATER + 2 * HOUR)
        assert hourly_wh(read(sound), dip, again) == {NOON: 32}

    @pytest.mark.parametrize(
        ("flow", "limit"),
        [
            (Flow.PRODUCTION, 15_600),
            (Flow.BATTERY_CHARGE, 5_200),
            (Flow.BATTERY_DISCHARGE, 6_500),
            (Flow.CONSUMPTION, 120_000),
            (Flow.GRID_IMPORT, 120_000),
            (Flow.GRID_EXPORT, 120_000),
        ],
    )
    def test_the_limit_is_what_the_system_can_do(self, flow: Flow, limit: int) -> None:
        plates = {"size": 12_000, "charge_limit": 4_000, "discharge_limit": 5_000}
        assert power_limit(flow, **plates) == limit

    @pytest.mark.parametrize("flow", Flow)
    @pytest.mark.parametrize("plate", [None, 0])
    def test_an_unknown_system_can_do_what_a_connection_can(
        self, flow: Flow, plate: int | None
    ) -> None:
        limit = power_limit(flow, size=plate, charge_limit=plate, discharge_limit=plate)
        assert limit == 100_000


class TestDays:
    """Days of the system, of 23 to 25 hours."""

    @pytest.mark.parametrize(
        ("zone", "day", "first", "count"),
        [
            ("Europe/Berlin", date(2026, 6, 1), "2026-05-31T22:00", 24),
            ("Europe/Berlin", date(2026, 3, 29), "2026-03-28T23:00", 23),
            ("Europe/Berlin", date(2026, 10, 25), "2026-10-24T22:00", 25),
            ("Asia/Kathmandu", date(2026, 6, 1), "2026-05-31T19:00", 24),
            ("Asia/Kolkata", date(2026, 6, 1), "2026-05-31T19:00", 24),
            # Summer time is half an hour there.
            ("Australia/Lord_Howe", date(2026, 4, 5), "2026-04-04T13:00", 25),
            ("Australia/Lord_Howe", date(2026, 10, 4), "2026-10-03T14:00", 23),
        ],
    )
    def test_have_their_hours(
        self, zone: str, day: date, first: str, count: int
    ) -> None:
        hours = list(system_day(day, ZoneInfo(zone)).hours)
        assert hours[0] == datetime.fromisoformat(first).replace(tzinfo=UTC)
        assert len(hours) == count
        assert {later - sooner for sooner, later in pairwise(hours)} == {HOUR}

    @given(
        st.sampled_from(
            ["Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe", "Cuba"]
        ),
        st.dates(date(2020, 1, 1), date(2030, 1, 1)),
    )
    def test_follow_each_other_without_gap_or_overlap(
        self, zone: str, day: date
    ) -> None:
        today, tomorrow = (
            list(system_day(day + timedelta(days=more), ZoneInfo(zone)).hours)
            for more in (0, 1)
        )
        assert today[-1] + HOUR == tomorrow[0]

    def test_stand_at_their_first_hour_where_no_hour_is_known(self) -> None:
        first, second = (system_day(date(2026, 5, each), BERLIN) for each in (1, 2))
        assert hourly(days(7_000, 9_000)) == {
            first.start: HourlyEnergy(7_000, first),
            second.start: HourlyEnergy(9_000, second),
        }

    def test_tell_what_their_hours_do_not(self) -> None:
        start = system_day(date(2026, 5, 1), BERLIN).start
        hours = read(document(*[100] * 8, start=start))
        assert hourly_wh(hours, days(7_000)) == {
            start: 400,
            start + HOUR: 400,
            start + 2 * HOUR: 6_200,
        }

    def test_never_tell_less_than_their_hours(self) -> None:
        start = system_day(date(2026, 5, 1), BERLIN).start
        hours = read(document(*[100] * 4, start=start))
        assert hourly_wh(hours, days(300)) == {start: 400, start + HOUR: 0}

    def test_yield_to_their_hours_once_all_are_known(self) -> None:
        start = system_day(date(2026, 5, 1), BERLIN).start
        hours = read(document(*[100] * 96, start=start))
        assert hourly(merge_readings(hours, days(9_700))) == hourly(hours)

    def test_do_not_yield_to_hours_of_nothing_but_zeros(self) -> None:
        start = system_day(date(2026, 5, 1), BERLIN).start
        zeros = read(document(*[0] * 96, start=start))
        assert sum(hourly_wh(zeros, days(9_700)).values()) == 9_700
        assert hourly(merge_readings(zeros, days(0, 5)))[start] == HourlyEnergy(0)

    def test_are_skipped_until_they_are_settled(self) -> None:
        end = system_day(date(2026, 5, 2), BERLIN).start
        ready = end + SETTLES_AFTER
        assert days(5, fetched_at=ready - timedelta(seconds=1)) == {}
        assert hourly_wh(days(5, fetched_at=ready)) == {end - 24 * HOUR: 5}

    def test_end_with_the_last_that_is_not_zero(self) -> None:
        assert list(hourly_wh(days(5, 0, 6, 0, None, 0)).values()) == [5, 0, 6]
        assert days(0, 0) == {}

    def test_without_sound_energy_are_skipped(self) -> None:
        day_limit = 24 * LIMIT
        assert list(hourly_wh(days(None, day_limit + 1, day_limit)).values()) == [
            day_limit
        ]

    @pytest.mark.parametrize("start", [date.min, date.max, date(2040, 1, 1)])
    def test_of_another_century_are_skipped(self, start: date) -> None:
        assert days(5, 6, start=start) == {}


class TestBatteries:
    """The batteries' document has two flows."""

    def test_are_two_flows(self) -> None:
        telemetry = BatteryTelemetry(
            system_id=1,
            intervals=tuple(
                BatteryInterval(
                    end_at=NOON + (part + 1) * QUARTER,
                    charged=100 + part,
                    discharged=None if part == 3 else 10,
                    state_of_charge=50,
                    devices_reporting=2,
                )
                for part in range(4)
            ),
            last_reported_state_of_charge=50,
        )
        flows = battery_intervals(telemetry)
        assert hourly_wh(read(flows[Flow.BATTERY_CHARGE])) == {NOON: 406}
        assert hourly_wh(read(flows[Flow.BATTERY_DISCHARGE])) == {}


# What any cloud may say of two days: windows of any place and size, right or wrong.
START = system_day(date(2026, 5, 1), BERLIN).start
amounts = st.none() | st.integers(0, 3_000) | st.just(0)
responses = st.builds(
    lambda place, values, age, length: read(
        document(*values, start=START + place * length, length=length),
        fetched_at=LATER + timedelta(minutes=age),
    ),
    place=st.integers(0, 180),
    values=st.lists(amounts, max_size=30),
    age=st.integers(0, 5),
    length=st.sampled_from([QUARTER, FIVE_MINUTES]),
)
day_responses = st.builds(
    lambda values, age: days(*values, fetched_at=LATER + timedelta(minutes=age)),
    values=st.lists(st.none() | st.integers(0, 50_000), max_size=2),
    age=st.integers(0, 5),
)
streams = st.lists(responses | day_responses, max_size=8)


class TestInvariants:
    """Known energy is right, in any order of responses."""

    @given(streams, st.randoms(use_true_random=False))
    def test_order_overlap_and_repetition_change_nothing(
        self, stream: list[Readings], random: Any
    ) -> None:
        merged = hourly(merge_readings(*stream))
        known: Readings = NO_READINGS
        shuffled = stream * 2
        random.shuffle(shuffled)
        for response in shuffled:
            known = merge_readings(known, response)
        assert hourly(known) == merged
        assert list(hourly(known)) == sorted(merged)

    @given(streams, st.integers(0, 10**9))
    def test_a_sum_never_falls_and_rises_by_each_hours_energy(
        self, stream: list[Readings], sum_before: int
    ) -> None:
        hours = hourly(merge_readings(*stream))
        rows = statistics_rows(hours, sum_before=sum_before)
        sums = [sum_before, *(row.sum for row in rows)]
        assert [later - sooner for sooner, later in pairwise(sums)] == [
            hour.energy for hour in hours.values()
        ]
        assert sums == sorted(sums)

    @given(streams, responses | day_responses)
    def test_known_energy_never_vanishes(
        self, stream: list[Readings], response: Readings
    ) -> None:
        before, after = (
            hourly(merge_readings(*stream)),
            hourly(merge_readings(*stream, response)),
        )
        assert before.keys() <= after.keys()

    @given(streams)
    def test_rows_give_the_same_energy_when_read_back(
        self, stream: list[Readings]
    ) -> None:
        hours = hourly(merge_readings(*stream))
        rows = statistics_rows(hours, sum_before=0)
        assert hourly(readings_of_rows(rows)) == hours

    @given(
        st.lists(st.integers(0, 2_000), min_size=96, max_size=96),
        st.dictionaries(st.integers(0, 95), st.integers(1, 2_000)),
    )
    def test_a_correction_moves_exactly_its_hours(
        self, quarters: list[float], corrections: dict[int, int]
    ) -> None:
        before = hourly(read(document(*quarters, start=START)))
        corrected = [corrections.get(at, was) for at, was in enumerate(quarters)]
        late = read(document(*corrected, start=START), fetched_at=LATER + HOUR)
        after = hourly(merge_readings(read(document(*quarters, start=START)), late))
        moved = {hour for hour in after if after[hour] != before[hour]}
        expected = {
            START + at // 4 * HOUR
            for at in range(96)
            if sum(corrected[at // 4 * 4 :][:4]) != sum(quarters[at // 4 * 4 :][:4])
        }
        # A response of zeros alone replaces nothing.
        assert moved == (expected if any(corrected) else set())


ZONES = {
    "Europe/Berlin": [date(2026, 3, 29), date(2026, 10, 25), date(2026, 6, 1)],
    "Asia/Kathmandu": [date(2026, 6, 1)],
    "Australia/Lord_Howe": [date(2026, 4, 5), date(2026, 10, 4)],
}
LOCAL_DAYS = [(zone, day) for zone, each in ZONES.items() for day in each]
SERIES: dict[
    Endpoint[EnergyIntervals], tuple[Callable[..., dict[str, Any]], TrueFlow]
] = {
    PRODUCTION_METER_TELEMETRY: (telemetry.production_meter, TrueFlow.PRODUCTION),
    CONSUMPTION_TELEMETRY: (telemetry.consumption_meter, TrueFlow.CONSUMPTION),
    IMPORT_TELEMETRY: (telemetry.energy_import_telemetry, TrueFlow.IMPORT),
    EXPORT_TELEMETRY: (telemetry.energy_export_telemetry, TrueFlow.EXPORT),
}


class World:
    """A simulated system and its documents, without HTTP."""

    def __init__(self, zone: str, now: datetime) -> None:
        self.now = now
        self.zone = ZoneInfo(zone)
        self.cloud = Cloud(lambda: self.now)
        owner = self.cloud.add_account(email="owner@example.com", password="secret")
        self.system: System = self.cloud.add_system(
            owner,
            time_zone=zone,
            latitude=30,
            battery=2,
            commissioned=(now - timedelta(days=4)).date(),
        )

    def intervals(
        self,
        series: Endpoint[EnergyIntervals],
        start: datetime,
        *,
        granularity: str = "day",
        fault: Any = None,
    ) -> Readings:
        """Request intervals and read them."""
        query = {
            "start_at": str(int(start.timestamp())),
            "granularity": granularity,
        }
        response = SERIES[series][0](self.cloud.published(self.system), query)
        if fault:
            distort(response, fault)
        return readings_of_intervals(
            series.read(response),
            fetched_at=self.now,
            power_limit=100_000,
        )

    def truth(self, series: Endpoint[EnergyIntervals], hour: datetime) -> int:
        """Return what really flowed in an hour."""
        truth = self.cloud.truth(self.system.system_id)
        return truth.energy(SERIES[series][1], hour, hour + HOUR)


class TestTruth:
    """Hours are what really flowed, at a simulated system."""

    @pytest.mark.parametrize(("zone", "day"), LOCAL_DAYS)
    @pytest.mark.parametrize("series", SERIES)
    def test_of_each_hour_of_a_day(
        self, zone: str, day: date, series: Endpoint[EnergyIntervals]
    ) -> None:
        span = system_day(day, ZoneInfo(zone))
        world = World(zone, span.start + span.length + timedelta(hours=6))
        windows = [
            world.intervals(series, top_of_hour(span.start) + skip * HOUR)
            for skip in (0, 7, 24)
        ]
        merged = hourly_wh(*windows)
        hours = list(span.hours)
        for hour in hours:
            assert merged[hour] == world.truth(series, hour)

    @pytest.mark.parametrize("zone", ZONES)
    @pytest.mark.parametrize("series", SERIES)
    def test_by_and_by_as_reports_arrive_and_are_corrected(
        self, zone: str, series: Endpoint[EnergyIntervals]
    ) -> None:
        start = top_of_hour(NOON)
        world = World(zone, start)
        known: Readings = NO_READINGS
        for _ in range(40):
            world.now += timedelta(minutes=37)
            known = merge_readings(known, world.intervals(series, start))
            assert all(
                energy <= world.truth(series, hour)
                for hour, energy in hourly_wh(known).items()
            )
        settled = world.now - SETTLES_AFTER - 2 * HOUR
        merged = hourly_wh(known)
        hours = [start + each * HOUR for each in range(int((settled - start) / HOUR))]
        for hour in hours:
            assert merged[hour] == world.truth(series, hour)

    @pytest.mark.parametrize(
        "fault", ["zero", "null", "dip", "repeat", "gap", "absurd", "strings"]
    )
    @pytest.mark.parametrize("series", SERIES)
    def test_is_never_exceeded_by_a_fault_and_found_again(
        self, series: Endpoint[EnergyIntervals], fault: str
    ) -> None:
        world = World("Europe/Berlin", LATER)
        start = NOON - 12 * HOUR
        wrong = world.intervals(series, start, fault=fault)
        for hour, energy in hourly_wh(wrong).items():
            assert energy <= world.truth(series, hour)
        world.now += HOUR
        sound = world.intervals(series, start)
        for order in ((wrong, sound), (sound, wrong)):
            merged = hourly_wh(*order)
            assert len(merged) >= 24
            assert all(merged[hour] == world.truth(series, hour) for hour in merged)

    def test_survives_zeros_after_values(self) -> None:
        world = World("Europe/Berlin", LATER)
        start = NOON - 12 * HOUR
        series = PRODUCTION_METER_TELEMETRY
        sound = world.intervals(series, start)
        world.now += HOUR
        zeros = world.intervals(series, start, fault="zero")
        assert hourly_wh(sound, zeros) == hourly_wh(sound)

    @pytest.mark.parametrize(("zone", "day"), LOCAL_DAYS)
    def test_of_days_is_that_of_their_hours(self, zone: str, day: date) -> None:
        span = system_day(day, ZoneInfo(zone))
        world = World(zone, span.start + span.length + timedelta(days=1))
        published = world.cloud.published(world.system)
        response = lifetime.consumption_lifetime(published, {})
        totals = readings_of_days(
            DailyEnergy.from_api(response, member="consumption"),
            fetched_at=world.now,
            time_zone=world.zone,
            power_limit=100_000,
        )
        truth = world.cloud.truth(world.system.system_id)
        assert hourly_wh(totals)[next(span.hours)] == truth.day("consumption", day)
