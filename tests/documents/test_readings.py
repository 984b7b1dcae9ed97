"""How the documents of the cloud are read into samples."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, strategies as st
import pytest

from custom_components.enphase_cloud.api.models import (
    BatteryMode,
    BatteryTelemetry,
    GridStatus,
    LatestTelemetry,
    LiveFrame,
    Summary,
)
from custom_components.enphase_cloud.documents.readings import (
    energy_today,
    read_battery_telemetry,
    read_latest_telemetry,
    read_live_frame,
    read_summary,
    start_of_day,
)
from custom_components.enphase_cloud.measurements.catalog import Measurement, Source
from custom_components.enphase_cloud.measurements.samples import (
    NOTHING,
    Sample,
    Samples,
    merge,
)
from custom_components.enphase_cloud.measurements.system import SYSTEM
from tests.boards import board, known

NOON = datetime(2026, 6, 21, 12, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
TODAY = Measurement.ENERGY_PRODUCED_TODAY


def _epoch(moment: datetime) -> int:
    return int(moment.timestamp())


def _values(samples: Samples) -> dict[Measurement, Any]:
    return {measurement: sample.value for measurement, sample in samples.items()}


def _summary(**fields: object) -> Summary:
    return Summary.from_api(
        {
            "system_id": 71,
            "current_power": 2400,
            "energy_lifetime": 9_000_000,
            "energy_today": 8_500,
            "last_interval_end_at": _epoch(NOON - timedelta(minutes=20)),
            "last_report_at": _epoch(NOON - timedelta(minutes=12)),
            "summary_date": "2026-06-21",
            "status": "normal",
            "battery_capacity_wh": 5000,
            **fields,
        }
    )


def _read(summary: Summary, at: datetime = NOON) -> Samples:
    return read_summary(summary, known(at, time_zone=BERLIN))[SYSTEM]


def test_the_summary_adds_today_to_the_lifetime() -> None:
    """The cloud's lifetime energy ends the day before."""
    samples = _read(_summary())
    assert samples[Measurement.ENERGY_PRODUCED_LIFETIME] == Sample(
        9_008_500, NOON - timedelta(minutes=20), Source.SUMMARY
    )
    assert samples[Measurement.PRODUCTION_POWER] == Sample(
        2400, NOON - timedelta(minutes=15), Source.SUMMARY
    )
    assert samples[Measurement.SYSTEM_STATUS].value == "normal"
    assert samples[Measurement.LAST_REPORT].value == _epoch(
        NOON - timedelta(minutes=12)
    )


# One recording each, of systems whose gateways report over Wi-Fi: seconds after the
# quarter of an hour of the last interval's end and of the report.
@pytest.mark.parametrize(("ended", "reported"), [(136, 364), (201, 256), (0, 15)])
def test_a_meters_power_is_of_the_quarter_before_the_report(
    ended: int, reported: int
) -> None:
    """The power equals that of `latest_telemetry`, which is dated at the quarter."""
    quarter = NOON - timedelta(minutes=15)
    summary = _summary(
        source="meter",
        current_power=3771,
        last_interval_end_at=_epoch(quarter) + ended,
        last_report_at=_epoch(quarter) + reported,
    )
    polled = _read(summary)
    assert polled[Measurement.PRODUCTION_POWER] == Sample(3771, quarter, Source.SUMMARY)
    at = quarter + timedelta(seconds=max(1, reported - 60))
    live = {Measurement.PRODUCTION_POWER: Sample(3500, at, Source.LIVE)}
    assert merge([polled, live])[Measurement.PRODUCTION_POWER].value == 3500
    meters = _read_latest(
        _latest([_meter("production", 3771, quarter)]), has_battery=False
    )
    power = Measurement.PRODUCTION_POWER
    assert polled[power].observed_at == meters[power].observed_at


@pytest.mark.parametrize(
    ("power", "minutes_ago"), [(420, 20), (0, 15)], ids=["bright", "dark"]
)
def test_the_power_of_microinverters_is_of_their_last_interval(
    power: int, minutes_ago: int
) -> None:
    """A power of zero is valid up to the quarter of the report."""
    summary = _summary(source="microinverters", current_power=power)
    measured_at = NOON - timedelta(minutes=minutes_ago)
    sample = _read(summary)[Measurement.PRODUCTION_POWER]
    assert sample == Sample(power, measured_at, Source.SUMMARY)


@given(
    power=st.integers(0, 9_000),
    source=st.sampled_from(["meter", "microinverters", None]),
    reported=st.integers(0, 86_400) | st.none(),
    ended=st.integers(0, 86_400) | st.none(),
)
def test_no_power_is_dated_after_its_report(
    power: int, source: str | None, reported: int | None, ended: int | None
) -> None:
    """Nor after the response, so it cannot replace later measurements."""
    summary = _summary(
        source=source,
        current_power=power,
        last_report_at=None if reported is None else _epoch(NOON) - reported,
        last_interval_end_at=None if ended is None else _epoch(NOON) - ended,
    )
    sample = _read(summary)[Measurement.PRODUCTION_POWER]
    assert sample.observed_at <= (summary.last_report_at or NOON)
    if source == "meter":
        assert sample.observed_at.timestamp() % 900 == 0


def test_nulls_in_the_summary_are_unknown() -> None:
    """They are not zero."""
    summary = _summary(
        current_power=None,
        energy_today=None,
        battery_capacity_wh=None,
        status="something new",
        last_report_at=None,
    )
    assert _read(summary) == NOTHING


def test_a_new_day_replaces_yesterdays_energy_before_the_sun_rises() -> None:
    """After midnight the day's energy is zero though the last interval is older."""
    dusk = datetime(2026, 6, 21, 19, tzinfo=UTC)
    evening = _read(_summary(last_interval_end_at=_epoch(dusk)), dusk)
    after_midnight = datetime(2026, 6, 21, 22, 30, tzinfo=UTC)  # 00:30 in Berlin
    night = _read(
        _summary(
            energy_today=0,
            summary_date="2026-06-22",
            last_interval_end_at=_epoch(dusk),
        ),
        after_midnight,
    )
    today = Measurement.ENERGY_PRODUCED_TODAY
    assert night[today].observed_at > evening[today].observed_at
    assert energy_today(night, TODAY, now=after_midnight, time_zone=BERLIN) == 0
    assert energy_today(evening, TODAY, now=dusk, time_zone=BERLIN) == 8500


@pytest.mark.parametrize(
    ("power", "expected"),
    [(0, 0.0), (3, 0.0), (-3, 0.0), (-900, 0.0), (150, None), (None, None)],
)
def test_between_midnight_and_the_first_report(
    power: int | None, expected: float | None
) -> None:
    """Yesterday's energy is not today's; without production it is zero."""
    evening = _read(
        _summary(current_power=power, battery_capacity_wh=None),
        datetime(2026, 6, 21, 21, tzinfo=UTC),
    )
    after_midnight = datetime(2026, 6, 21, 22, 30, tzinfo=UTC)
    assert (
        energy_today(evening, TODAY, now=after_midnight, time_zone=BERLIN) == expected
    )


def test_energy_today_is_unknown_without_a_summary() -> None:
    """There is no default value."""
    assert energy_today(NOTHING, TODAY, now=NOON, time_zone=BERLIN) is None


@pytest.mark.parametrize("zone", ["Asia/Kathmandu", "Australia/Sydney", "UTC"])
def test_days_are_the_systems_days(zone: str) -> None:
    """A day begins at the system's midnight, in any time zone of Home Assistant."""
    time_zone = ZoneInfo(zone)
    begin = start_of_day(NOON, time_zone)
    assert begin <= NOON < begin + timedelta(days=1)
    local = begin.astimezone(time_zone)
    assert (local.hour, local.minute, local.date()) == (
        0,
        0,
        NOON.astimezone(time_zone).date(),
    )


def test_a_day_of_twenty_five_hours() -> None:
    """When the clocks go back, the day still begins at its own midnight."""
    late = datetime(2026, 10, 25, 22, 30, tzinfo=UTC)  # 23:30 winter time in Berlin
    begin = start_of_day(late, BERLIN)
    assert late - begin.astimezone(UTC) == timedelta(hours=24, minutes=30)
    assert begin.date() == date(2026, 10, 25)


def _battery(intervals: list[Any], aggregate: str | None) -> BatteryTelemetry:
    return BatteryTelemetry.from_api(
        {
            "system_id": 71,
            "intervals": intervals,
            "last_reported_aggregate_soc": aggregate,
        }
    )


def _read_battery(telemetry: BatteryTelemetry, at: datetime = NOON) -> Samples:
    return read_battery_telemetry(telemetry, known(at, time_zone=BERLIN))[SYSTEM]


def _interval(at: datetime, percent: float | None) -> dict[str, Any]:
    return {"end_at": _epoch(at), "soc": {"percent": percent, "devices_reporting": 1}}


def test_the_battery_level_is_as_old_as_the_newest_interval() -> None:
    """The aggregate has no moment of its own."""
    older, newer = NOON - timedelta(minutes=40), NOON - timedelta(minutes=25)
    telemetry = _battery([_interval(older, 60), _interval(newer, 61)], "62%")
    assert _read_battery(telemetry) == {
        Measurement.BATTERY_LEVEL: Sample(62, newer, Source.BATTERY)
    }


def test_the_battery_level_without_aggregate_comes_from_the_intervals() -> None:
    """An interval whose battery has not reported is skipped."""
    at = NOON - timedelta(minutes=40)
    telemetry = _battery([_interval(at, 60), _interval(NOON, None)], None)
    assert _read_battery(telemetry) == {
        Measurement.BATTERY_LEVEL: Sample(60, at, Source.BATTERY)
    }


def test_a_night_without_intervals_has_only_the_aggregate() -> None:
    """Just after midnight the day has no intervals yet: the level is older."""
    midnight = datetime(2026, 6, 20, 22, tzinfo=UTC)
    at = midnight + timedelta(minutes=10)
    assert _read_battery(_battery([], "55%"), at) == {
        Measurement.BATTERY_LEVEL: Sample(55, midnight, Source.BATTERY)
    }
    assert _read_battery(_battery([], None), at) == NOTHING


def test_the_aggregate_is_as_old_as_the_newest_interval_without_a_level() -> None:
    """It was reported no later than the end of that interval."""
    at = NOON - timedelta(minutes=25)
    assert _read_battery(_battery([_interval(at, None)], "55%")) == {
        Measurement.BATTERY_LEVEL: Sample(55, at, Source.BATTERY)
    }


def _meter(name: str, power: int | None, at: datetime = NOON) -> dict[str, Any]:
    return {"name": name, "channel": 1, "power": power, "last_report_at": _epoch(at)}


def _latest(
    meters: list[dict[str, Any]], batteries: list[dict[str, Any]] | None = None
) -> LatestTelemetry:
    return LatestTelemetry.from_api(
        {"system_id": 71, "devices": {"meters": meters, "encharges": batteries or []}}
    )


def _encharge(power: int, mode: str, at: datetime = NOON) -> dict[str, Any]:
    return {
        "name": "Battery",
        "channel": 1,
        "power": power,
        "operational_mode": mode,
        "last_report_at": _epoch(at),
    }


def _read_latest(
    latest: LatestTelemetry, *, has_battery: bool, cellular: bool = False
) -> Samples:
    beside = known(NOON, has_battery=has_battery, is_cellular=cellular)
    return read_latest_telemetry(latest, beside)[SYSTEM]


def test_powers_balance_with_a_battery() -> None:
    """Production + grid + battery, with their signs, is the consumption."""
    latest = _latest(
        [_meter("production", 3000), _meter("consumption", 2600)],
        [_encharge(500, "Charging")],
    )
    powers = _values(_read_latest(latest, has_battery=True))
    assert powers == {
        Measurement.PRODUCTION_POWER: 3000,
        Measurement.GRID_POWER: -400,
        Measurement.BATTERY_POWER: -500,
        Measurement.CONSUMPTION_POWER: 2100,
    }


def test_consumption_without_a_battery_is_the_load() -> None:
    """Without a battery the document's consumption is that of the home."""
    latest = _latest([_meter("production", 300), _meter("consumption", 1000)])
    powers = _values(_read_latest(latest, has_battery=False))
    assert powers == {
        Measurement.PRODUCTION_POWER: 300,
        Measurement.GRID_POWER: 700,
        Measurement.CONSUMPTION_POWER: 1000,
    }


def test_readings_of_different_moments_are_not_combined() -> None:
    """Only powers of the same moment are added."""
    latest = _latest(
        [
            _meter("production", 300),
            _meter("consumption", 9, NOON - timedelta(hours=1)),
        ],
        [_encharge(500, "Discharging")],
    )
    powers = _values(_read_latest(latest, has_battery=True))
    assert powers == {
        Measurement.PRODUCTION_POWER: 300,
        Measurement.BATTERY_POWER: 500,
    }


SECONDS = timedelta(seconds=1)


@pytest.mark.parametrize("late", ["production", "consumption"])
@pytest.mark.parametrize("seconds", [0, 30, 400, 840])
def test_two_gateways_give_grid_power_of_the_older_moment(
    late: str, seconds: int
) -> None:
    """Gateways report at different moments of the quarter of an hour."""
    older = NOON - seconds * SECONDS
    moments = {"production": NOON, "consumption": NOON, late: older}
    latest = _latest(
        [
            _meter("production", 300, moments["production"]),
            _meter("consumption", 1000, moments["consumption"]),
        ]
    )
    samples = _read_latest(latest, has_battery=False)
    assert samples[Measurement.GRID_POWER] == Sample(700, older, Source.LATEST)
    at = moments["consumption"]
    assert samples[Measurement.CONSUMPTION_POWER] == Sample(1000, at, Source.LATEST)


def test_two_gateways_give_the_load_of_the_older_moment() -> None:
    """The load is as old as the older of consumption and battery."""
    older = NOON - 840 * SECONDS
    latest = _latest(
        [_meter("consumption", 1000, older)], [_encharge(500, "Discharging")]
    )
    samples = _read_latest(latest, has_battery=True)
    assert samples == {
        Measurement.BATTERY_POWER: Sample(500, NOON, Source.LATEST),
        Measurement.CONSUMPTION_POWER: Sample(1500, older, Source.LATEST),
    }


@pytest.mark.parametrize("lag", [timedelta(minutes=15), timedelta(hours=1)])
def test_a_meter_that_missed_a_report_gives_no_grid_power(lag: timedelta) -> None:
    """A change of production since then would show as power from the grid."""
    latest = _latest(
        [_meter("production", 300), _meter("consumption", 1000, NOON - lag)]
    )
    samples = _read_latest(latest, has_battery=False)
    assert Measurement.GRID_POWER not in samples


def test_a_battery_that_fell_silent_is_skipped() -> None:
    """It stays listed for a week; the load is still known."""
    latest = _latest(
        [_meter("production", 3000), _meter("consumption", 2600)],
        [
            _encharge(900, "Discharging", NOON - timedelta(days=2)),
            _encharge(500, "Charging"),
        ],
    )
    assert _values(_read_latest(latest, has_battery=True)) == {
        Measurement.PRODUCTION_POWER: 3000,
        Measurement.GRID_POWER: -400,
        Measurement.BATTERY_POWER: -500,
        Measurement.CONSUMPTION_POWER: 2100,
    }


@pytest.mark.parametrize("cellular", [False, True])
def test_a_meter_that_was_replaced_is_skipped(*, cellular: bool) -> None:
    """The old one stays listed together with the new one."""
    latest = _latest(
        [
            _meter("production", 4000, NOON - timedelta(days=2)),
            _meter("production", 300),
            _meter("consumption", 700, NOON - timedelta(days=2)),
            _meter("consumption", 1000),
        ]
    )
    assert _read_latest(latest, has_battery=False, cellular=cellular) == {
        Measurement.PRODUCTION_POWER: Sample(300, NOON, Source.LATEST),
        Measurement.GRID_POWER: Sample(700, NOON, Source.LATEST),
        Measurement.CONSUMPTION_POWER: Sample(1000, NOON, Source.LATEST),
    }


def test_a_system_with_production_only() -> None:
    """A meter that has not reported for a week is skipped."""
    latest = _latest([_meter("production", 300), _meter("consumption", None)])
    powers = _values(_read_latest(latest, has_battery=False))
    assert powers == {Measurement.PRODUCTION_POWER: 300}


def _frame(**fields: Any) -> LiveFrame:
    everything: dict[str, Any] = {
        "sampled_at": NOON,
        "production": 3000,
        "consumption": 1200,
        "grid": -900,
        "battery": -900,
        "generator": 0,
        "state_of_charge": 44,
        "grid_status": GridStatus.ON_GRID,
        "battery_mode": BatteryMode.SAVINGS,
    }
    return LiveFrame(**{**everything, **fields})


def test_a_live_frame_is_read_without_computation() -> None:
    """The gateway measures all its values."""
    assert _values(read_live_frame(_frame(), board(has_battery=True))) == {
        Measurement.PRODUCTION_POWER: 3000,
        Measurement.CONSUMPTION_POWER: 1200,
        Measurement.GRID_POWER: -900,
        Measurement.BATTERY_POWER: -900,
        Measurement.BATTERY_LEVEL: 44,
        Measurement.GRID_STATUS: "on_grid",
        Measurement.BATTERY_MODE: "savings",
    }


def test_zeros_in_a_live_frame_are_no_evidence_of_a_battery() -> None:
    """A system without battery and generator streams zeros for them."""
    frame = _frame(battery=0, state_of_charge=0)
    without = _read(_summary(battery_capacity_wh=0))
    found = read_live_frame(frame, board(without))
    assert found.keys() == {
        Measurement.PRODUCTION_POWER,
        Measurement.CONSUMPTION_POWER,
        Measurement.GRID_POWER,
        Measurement.GRID_STATUS,
    }


def test_a_generator_that_has_run_stays_known() -> None:
    """After its first power, zero is a measurement."""
    running = read_live_frame(_frame(generator=2000), board())
    assert running[Measurement.GENERATOR_POWER].value == 2000
    stopped = read_live_frame(_frame(generator=0), board(running))
    assert stopped[Measurement.GENERATOR_POWER].value == 0


def test_unknown_states_are_skipped() -> None:
    """The last known state stays."""
    frame = _frame(grid_status=GridStatus.UNKNOWN, battery_mode=BatteryMode.UNKNOWN)
    found = read_live_frame(frame, board(has_battery=True))
    assert Measurement.GRID_STATUS not in found
    assert Measurement.BATTERY_MODE not in found
