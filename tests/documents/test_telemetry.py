"""Telemetry of single devices: hostile responses, and what is requested."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from custom_components.enphase_cloud.api.access import Access
from custom_components.enphase_cloud.api.models import (
    BatteryEnergyIntervals,
    BatteryTelemetry,
    EnergyIntervals,
    InvertersTelemetry,
    ProductionMeters,
)
from custom_components.enphase_cloud.documents.base import Group, Known, serial_number
from custom_components.enphase_cloud.documents.table import (
    BATTERY_UNITS_DOCUMENT,
    DEVICES_DOCUMENT,
    EVSE_INTERVALS_DOCUMENT,
    HEAT_PUMP_INTERVALS_DOCUMENT,
    METER_INTERVALS_DOCUMENT,
    PANEL_TELEMETRY_DOCUMENT,
    documents_of,
)
from custom_components.enphase_cloud.measurements.board import Board
from custom_components.enphase_cloud.measurements.catalog import Measurement, Source
from custom_components.enphase_cloud.measurements.inventory import DeviceProperties
from custom_components.enphase_cloud.measurements.samples import Sample
from custom_components.enphase_cloud.measurements.system import (
    SYSTEM,
    Device,
    DeviceKind,
    SystemInfo,
)
from custom_components.enphase_cloud.quota.plans import PLANS
from custom_components.enphase_cloud.scheduling.daylight import Daylight, Night
from custom_components.enphase_cloud.scheduling.periodic import after_dawn

BERLIN = ZoneInfo("Europe/Berlin")
INFO = SystemInfo(system_id=7, name="Home", time_zone=BERLIN)
NOON = datetime(2026, 6, 21, 10, tzinfo=UTC)
MIDNIGHT = datetime(2026, 6, 20, 22, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
BATTERY = Device(DeviceKind.BATTERY, "12")
PANEL = Device(DeviceKind.INVERTER, "482")
CHARGER = Device(DeviceKind.CHARGER, "380017")
PUMP = Device(DeviceKind.HEAT_PUMP, "1")


def known(board: Board | None = None, device: Device = SYSTEM) -> Known:
    """Return the context of a response at noon."""
    return Known(info=INFO, board=board or Board(), fetched_at=NOON, device=device)


def board_of(*devices: Device) -> Board:
    """Return a board with listed devices."""
    board = Board()
    listed = {
        each: DeviceProperties(serial_number=f"49{each.identifier}") for each in devices
    }
    board.take_inventory(listed, complete=())
    return board


def modules(board: Board, number: int) -> Board:
    """Let a system have a number of panels."""
    sample = Sample(number, NOON, Source.SUMMARY)
    board.put(Source.SUMMARY, {Measurement.MODULES: sample})
    return board


def values(report: Any, device: Device) -> dict[Measurement, Any]:
    return {measure: sample.value for measure, sample in report[device].items()}


def at(moment: datetime) -> int:
    return int(moment.timestamp())


def panels(*intervals: Any) -> Any:
    data = {
        "system_id": 7,
        "devices": [{"serial_number": PANEL.identifier, "intervals": list(intervals)}],
    }
    return InvertersTelemetry.from_api(data).inverters


def test_a_panel_is_as_fresh_as_its_last_interval() -> None:
    """Today begins at midnight; future or invalid intervals are skipped."""
    response = panels(
        {"end_at": at(MIDNIGHT), "powr": 9, "enwh": 900},
        {"end_at": at(NOON - HOUR), "powr": 240, "enwh": 20},
        {"end_at": at(NOON - QUARTER), "powr": 120, "enwh": 10},
        {"end_at": at(NOON + HOUR), "powr": 999, "enwh": 999},
        {"end_at": at(NOON - 2 * HOUR), "powr": "NaN", "enwh": None},
        {"end_at": None, "powr": 5, "enwh": 5},
        "nonsense",
    )
    report = PANEL_TELEMETRY_DOCUMENT.digest(response, known())[1]
    assert values(report, PANEL) == {
        Measurement.PANEL_POWER: 120,
        Measurement.PANEL_ENERGY_TODAY: 30,
    }
    samples = report[PANEL].values()
    assert {sample.observed_at for sample in samples} == {NOON - QUARTER}


def test_an_older_response_replaces_nothing() -> None:
    """Nor does one without intervals, as for a panel that fell silent."""
    board = Board()
    newest = panels({"end_at": at(NOON - QUARTER), "powr": 120, "enwh": 10})
    older = panels({"end_at": at(NOON - HOUR), "powr": 7, "enwh": 7})
    report = PANEL_TELEMETRY_DOCUMENT.digest(newest, known())[1]
    board.put(Source.PANEL_TELEMETRY, report[PANEL], PANEL)
    for response in (older, panels()):
        later = PANEL_TELEMETRY_DOCUMENT.digest(response, known(board))[1]
        assert later == report


@pytest.mark.parametrize(
    ("reported_at", "days"),
    [(None, 1), (NOON - HOUR, 0), (MIDNIGHT + HOUR, 1), (NOON - 9 * DAY, 1)],
)
def test_panels_are_requested_for_today_and_days_not_final(
    reported_at: datetime | None, days: int
) -> None:
    """Yesterday, too, until it is final; more days would be too long for a page."""
    board = Board()
    if reported_at is not None:
        power = Sample(1, reported_at, Source.PANEL_TELEMETRY)
        board.put(Source.PANEL_TELEMETRY, {Measurement.PANEL_POWER: power}, PANEL)
    query = PANEL_TELEMETRY_DOCUMENT.query(known(board))
    assert query == {"start_at": at(MIDNIGHT - days * DAY), "granularity": "week"}


def test_no_day_before_the_first_one_is_requested() -> None:
    """The cloud refuses such requests."""
    board = board_of(BATTERY)
    since = Sample(at(NOON - HOUR), NOON, Source.SUMMARY)
    board.put(Source.SUMMARY, {Measurement.OPERATIONAL_SINCE: since})
    query = BATTERY_UNITS_DOCUMENT.query(known(board, BATTERY))
    assert query["start_at"] == at(NOON - HOUR)


def battery_of(soc: Any, reported: Any, *intervals: Any) -> BatteryTelemetry:
    return BatteryTelemetry.from_api(
        {
            "system_id": 7,
            "last_reported_soc": soc,
            "last_reported_time": reported,
            "intervals": list(intervals),
        }
    )


def test_a_battery_has_a_level_and_the_energy_of_today() -> None:
    response = battery_of(
        "62%",
        at(NOON - QUARTER),
        {"end_at": at(MIDNIGHT), "charge": {"enwh": 999}, "discharge": {"enwh": 9}},
        {"end_at": at(NOON - HOUR), "charge": {"enwh": 30}, "discharge": {"enwh": 0}},
        {"end_at": at(NOON - QUARTER), "charge": {"enwh": None}, "discharge": None},
    )
    report = BATTERY_UNITS_DOCUMENT.digest(response, known(device=BATTERY))[1]
    assert values(report, BATTERY) == {
        Measurement.BATTERY_UNIT_LEVEL: 62,
        Measurement.CHARGED_TODAY: 30,
        Measurement.DISCHARGED_TODAY: 0,
    }


def test_intervals_that_the_cloud_repeats_count_once() -> None:
    """Of different repeats the greater counts; a repeat makes up for no gap."""
    end = at(NOON - QUARTER)
    response = panels(*({"end_at": end, "powr": 9, "enwh": wh} for wh in (10, 10, 8)))
    report = PANEL_TELEMETRY_DOCUMENT.digest(response, known())[1]
    assert values(report, PANEL)[Measurement.PANEL_ENERGY_TODAY] == 10
    interval = {"end_at": end, "charge": {"enwh": 30}, "discharge": {"enwh": 5}}
    battery = battery_of(62, end, interval, {"end_at": end}, interval)
    report = BATTERY_UNITS_DOCUMENT.digest(battery, known(device=BATTERY))[1]
    assert values(report, BATTERY)[Measurement.CHARGED_TODAY] == 30
    assert values(report, BATTERY)[Measurement.DISCHARGED_TODAY] == 5
    data = intervals_of(10)
    data["intervals"][7] = data["intervals"][8]
    pump = EnergyIntervals.from_api(data, member="wh_consumed")
    assert HEAT_PUMP_INTERVALS_DOCUMENT.digest(pump, known())[1] == {PUMP: {}}


def test_energy_that_no_device_carries_is_unknown() -> None:
    """As in statistics: 1.5 kW of a panel, 25 kW of a battery or charger."""
    ends = [at(NOON - number * QUARTER) for number in (1, 2)]
    response = panels(
        *({"end_at": end, "enwh": wh} for end, wh in zip(ends, (10, 126), strict=True))
    )
    report = PANEL_TELEMETRY_DOCUMENT.digest(response, known())[1]
    assert values(report, PANEL) == {Measurement.PANEL_ENERGY_TODAY: 10}
    battery = battery_of(
        62,
        ends[0],
        {"end_at": ends[0], "charge": {"enwh": 30}, "discharge": {"enwh": 6_251}},
        {"end_at": ends[1], "charge": {"enwh": 1e12}, "discharge": {"enwh": 5}},
    )
    report = BATTERY_UNITS_DOCUMENT.digest(battery, known(device=BATTERY))[1]
    assert values(report, BATTERY)[Measurement.CHARGED_TODAY] == 30
    assert values(report, BATTERY)[Measurement.DISCHARGED_TODAY] == 5
    data = intervals_of(10)
    data["intervals"][7]["wh_consumed"] = 1e12
    pump = EnergyIntervals.from_api(data, member="wh_consumed")
    assert HEAT_PUMP_INTERVALS_DOCUMENT.digest(pump, known())[1] == {PUMP: {}}
    car = BatteryEnergyIntervals.from_balance(data, member="wh_consumed")
    report = EVSE_INTERVALS_DOCUMENT.digest(car, known(device=CHARGER))[1]
    assert report == {CHARGER: {}}


@pytest.mark.parametrize("soc", [None, "NaN%", "1e9%", [], {"percent": 3}])
@pytest.mark.parametrize("reported", [None, "soon", -1, {}])
def test_invalid_values_of_a_battery_are_skipped(soc: Any, reported: Any) -> None:
    response = battery_of(soc, reported, None, [], {"end_at": "x"}, {"charge": 3})
    report = BATTERY_UNITS_DOCUMENT.digest(response, known(device=BATTERY))[1]
    assert report == {BATTERY: {}}


def intervals_of(energy: Any) -> dict[str, Any]:
    ends = [at(MIDNIGHT - DAY + number * QUARTER) for number in range(1, 97)]
    rows = [{"end_at": end, "wh_consumed": energy} for end in ends]
    return {"system_id": 7, "intervals": rows}


@pytest.mark.parametrize(("wh", "expected"), [(10, 960), (0, 0), (None, None)])
def test_appliances_have_the_energy_of_yesterday(wh: Any, expected: int | None) -> None:
    """All of it, or None; energy that a car gives back is not subtracted."""
    data = intervals_of(wh)
    pump = EnergyIntervals.from_api(data, member="wh_consumed")
    report = HEAT_PUMP_INTERVALS_DOCUMENT.digest(pump, known())[1]
    assert values(report, PUMP).get(Measurement.HEAT_PUMP_ENERGY_YESTERDAY) == expected
    data["intervals"][0]["wh_consumed"] = -500
    car = BatteryEnergyIntervals.from_balance(data, member="wh_consumed")
    report = EVSE_INTERVALS_DOCUMENT.digest(car, known(device=CHARGER))[1]
    energy = values(report, CHARGER).get(Measurement.CHARGER_ENERGY_YESTERDAY)
    assert energy == (None if expected is None else max(0, expected - (wh or 0)))


def channel(meter: str, number: int, *values: Any) -> dict[str, Any]:
    ends = [at(MIDNIGHT - DAY + count * QUARTER) for count in range(1, 97)]
    rows = [
        {"channel": number, "end_at": end, "wh_del": energy}
        for end, energy in zip(ends, values, strict=False)
    ]
    return {"meter_serial_number": meter, "intervals": rows}


def test_a_meter_has_all_its_channels_or_none() -> None:
    """An unused channel does not count; a meter that is not listed has no device."""
    meter = Device(DeviceKind.METER, "31")
    board = Board()
    listed = DeviceProperties(serial_number="A1", name="Production")
    board.take_inventory({meter: listed}, complete=())
    assert not METER_INTERVALS_DOCUMENT.is_expected(board)
    assert METER_INTERVALS_DOCUMENT.query(known(board)) == {
        "start_at": at(MIDNIGHT - 6 * DAY)
    }
    whole = [
        channel("A1", 1, *[5] * 96),
        channel("A1", 2, *[3] * 96),
        channel("A1", 3, *[None] * 96),
        channel("B2", 1, *[9] * 96),
        "nonsense",
    ]
    for channels, expected in ((whole, 768), ([whole[0], channel("A1", 2, 3)], None)):
        data = {"system_id": 7, "intervals": [], "meter_intervals": channels}
        response = ProductionMeters.from_api(data)
        report = METER_INTERVALS_DOCUMENT.digest(response, known(board))[1]
        assert set(report) == {meter}
        assert values(report, meter).get(Measurement.METER_ENERGY_YESTERDAY) == expected


def test_batteries_are_requested_by_their_serial_numbers() -> None:
    """Only the list of devices has them; without it there is no request."""
    board = board_of(BATTERY)
    assert BATTERY_UNITS_DOCUMENT.devices(board) == [BATTERY]
    assert serial_number(BATTERY, board.inventory) == "4912"
    board = Board()
    power = Sample(1, NOON, Source.LATEST)
    board.put(Source.LATEST, {Measurement.REAL_POWER: power}, BATTERY)
    assert BATTERY_UNITS_DOCUMENT.devices(board) == []
    assert BATTERY_UNITS_DOCUMENT.each is not None
    assert BATTERY_UNITS_DOCUMENT.each.expected(board) == 1


def test_chargers_of_enphase_have_documents_of_their_own() -> None:
    board = board_of(CHARGER)
    assert EVSE_INTERVALS_DOCUMENT.devices(board) == [CHARGER]
    assert EVSE_INTERVALS_DOCUMENT.is_expected(board)
    monitored = Sample(1, NOON, Source.CHARGERS)
    board.put(Source.CHARGERS, {Measurement.CHARGER_MONITORED: monitored}, CHARGER)
    assert EVSE_INTERVALS_DOCUMENT.devices(board) == []
    assert not EVSE_INTERVALS_DOCUMENT.is_expected(board)
    nameless = Device(DeviceKind.CHARGER, "1")
    assert serial_number(nameless, {}) is None


@pytest.mark.parametrize(
    ("number", "calls", "period"),
    [
        (20, 50_000, QUARTER),
        (75, 50_000, QUARTER),
        (120, 50_000, HOUR),
        (20, 10_000, QUARTER),
        (20, 1_000, 6 * HOUR),
        (75, 500, DAY),
    ],
)
def test_panels_take_a_fifth_of_the_calls_at_most(
    number: int, calls: float, period: timedelta
) -> None:
    """Each page counts, and the length of the day."""
    board, daylight = modules(Board(), number), 14 * HOUR
    document = PANEL_TELEMETRY_DOCUMENT
    assert document.period_of(board, calls, daylight) == period
    per_day = document.calls_per_day(board, calls, daylight) or 0
    if period < DAY:
        assert 31 * per_day <= calls / 5
    pages = -(-number // 20)
    rounds = 1 if period == DAY else 14.5 * HOUR / period + 1.5
    assert per_day == pages * rounds


@pytest.mark.parametrize("plan", PLANS)
def test_the_plan_decides_which_groups_are_available(plan: str) -> None:
    """A document that serves a group is not requested for an unavailable one."""
    found = documents_of({Group.BATTERY_TELEMETRY}, PLANS[plan].access)
    if Access.DEVICES in PLANS[plan].access:
        assert found == [DEVICES_DOCUMENT, BATTERY_UNITS_DOCUMENT]
    else:
        assert found == []


def test_by_day_ends_with_one_request_in_the_dark() -> None:
    """Until a night is known, all of it counts as day."""
    dusk, light = NOON + 9 * HOUR, NOON + 17 * HOUR
    daylight = Daylight(nights=(Night(dusk - DAY, light - DAY, light - DAY),))
    after = dusk + QUARTER
    assert after_dawn(after, dusk - QUARTER, daylight) == after
    dawn = after_dawn(after + QUARTER, after, daylight)
    assert light - HOUR < dawn <= light
    assert after_dawn(NOON + QUARTER, NOON, daylight) == NOON + QUARTER
    assert after_dawn(after + QUARTER, after, Daylight()) == after + QUARTER
