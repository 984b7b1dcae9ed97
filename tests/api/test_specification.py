"""The examples of the official specification, if a copy is available."""

import json
from pathlib import Path
from typing import Any

import pytest

from custom_components.enphase_cloud.api import (
    Alarms,
    BatteryMode,
    BatteryTelemetry,
    Device,
    Devices,
    DeviceStatus,
    EnergyIntervals,
    EvChargerStatus,
    Events,
    EventTypes,
    GridStatus,
    HeatPumpMode,
    InvertersSummary,
    LatestTelemetry,
    StormGuard,
    Summary,
    System,
)
from custom_components.enphase_cloud.api.endpoints import (
    BATTERY_LIFETIME,
    BATTERY_SETTINGS,
    CONSUMPTION_LIFETIME,
    CONSUMPTION_METER_READINGS,
    CONSUMPTION_TELEMETRY,
    ENCHARGE_TELEMETRY,
    EVSE_LIFETIME,
    EVSE_TELEMETRY,
    EXPORT_LIFETIME,
    EXPORT_TELEMETRY,
    GRID_STATUS,
    HEAT_PUMP_LIFETIME,
    HEAT_PUMP_TELEMETRY,
    IMPORT_LIFETIME,
    IMPORT_TELEMETRY,
    LOAD_CONTROL,
    MICRO_TELEMETRY,
    MICROS_TELEMETRY,
    PRODUCTION_LIFETIME,
    PRODUCTION_METER_READINGS,
    PRODUCTION_METER_TELEMETRY,
    PRODUCTION_MICRO_TELEMETRY,
    RETRIEVE_SYSTEM_ID,
    RGM_STATS,
    SET_BATTERY_SETTINGS,
    SET_LOAD_CONTROL,
    SET_STORM_GUARD,
    STORAGE_METER_READINGS,
    STORM_GUARD,
    Endpoint,
)
from custom_components.enphase_cloud.api.live_frames import LiveFrameReader
from custom_components.enphase_cloud.api.models import SystemsPage

SPECIFICATION = Path(__file__).parents[3] / "shared/api/System_API.swagger2.json"


@pytest.fixture(scope="module")
def examples() -> dict[tuple[str, str], Any]:
    """Return the examples of successful responses by method and path."""
    if not SPECIFICATION.exists():
        pytest.skip("The official specification is not at hand")
    specification = json.loads(SPECIFICATION.read_text())
    found = {}
    for path, operations in specification["paths"].items():
        for method, operation in operations.items():
            response = operation["responses"].get("200", {}).get("examples", {})
            for example in response.values():
                found[method, path.removeprefix("/api/v4/systems")] = example
    return found


def test_systems(examples: dict[tuple[str, str], Any]) -> None:
    for method, path in (("get", ""), ("post", "/search")):
        document = example(examples, method, path)
        page = SystemsPage.from_api(document)
        assert page.total == document["total"]
        assert len(page.systems) == page.listed == len(document["systems"])
        assert_kept(document["systems"][0], page.systems[0], System)


def test_summary(examples: dict[tuple[str, str], Any]) -> None:
    document = example(examples, "get", "/{system_id}/summary")
    summary = Summary.from_api(document)
    assert_kept(document, summary, Summary)
    assert summary.size == document["size_w"]
    assert summary.battery_capacity == document["battery_capacity_wh"]


def test_battery_telemetry(examples: dict[tuple[str, str], Any]) -> None:
    document = example(examples, "get", "/{system_id}/telemetry/battery")
    telemetry = BatteryTelemetry.from_api(document)
    assert len(telemetry.intervals) == len(document["intervals"])
    first = document["intervals"][0]
    interval = telemetry.intervals[0]
    assert interval.end_at.timestamp() == first["end_at"]
    assert interval.charged == first["charge"]["enwh"]
    assert interval.discharged == first["discharge"]["enwh"]
    assert interval.state_of_charge == first["soc"]["percent"]
    shown = f"{telemetry.last_reported_state_of_charge}%"
    assert shown == document["last_reported_aggregate_soc"]


def test_latest_telemetry(examples: dict[tuple[str, str], Any]) -> None:
    document = example(examples, "get", "/{system_id}/latest_telemetry")
    telemetry = LatestTelemetry.from_api(document)
    powers = {
        name: sum(
            meter["power"] or 0
            for meter in document["devices"]["meters"]
            if meter["name"] == name
        )
        for name in ("production", "consumption")
    }
    assert sum(part.power for part in telemetry.production) == powers["production"]
    assert sum(part.power for part in telemetry.consumption) == powers["consumption"]
    moments = [part["last_report_at"] for part in document["devices"]["encharges"]]
    for battery, moment in zip(telemetry.batteries, moments, strict=True):
        assert battery.reported_at is not None
        assert battery.reported_at.timestamp() == moment
    ids = [part["id"] for part in document["devices"]["encharges"]]
    assert [battery.device_id for battery in telemetry.batteries] == ids
    assert len(telemetry.meters) == len(document["devices"]["meters"])
    assert telemetry.ev_chargers[0].status is not EvChargerStatus.UNKNOWN
    assert telemetry.heat_pumps[0].mode is not HeatPumpMode.UNKNOWN


def test_devices(examples: dict[tuple[str, str], Any]) -> None:
    document = example(examples, "get", "/{system_id}/devices")
    devices = Devices.from_api(document)
    listed = [each for kind in document["devices"].values() for each in kind]
    assert len(devices.devices) == len(listed)
    for device in devices.devices:
        assert device.status is not DeviceStatus.UNKNOWN
        assert not device.status.is_problem
    assert_kept(document["devices"]["micros"][0], devices.microinverters[0], Device)
    for meter, given in zip(devices.meters, document["devices"]["meters"], strict=True):
        assert meter.kind == given["config_type"].lower()
        assert meter.enabled
        assert meter.phases == {"single": 1, "three": 3}[given["config_phase"]]
    gateway = document["devices"]["gateways"][0]
    assert devices.gateways[0].firmware == gateway["emu_sw_version"]
    modem = devices.gateways[0].modem
    assert modem is not None
    assert modem.plan_end_at is not None
    end = gateway["cellular_modem"]["plan_end_date"]
    assert modem.plan_end_at.timestamp() == end


def test_inverters_summary(examples: dict[tuple[str, str], Any]) -> None:
    document = example(examples, "get", "/inverters_summary_by_envoy_or_site")
    summary = InvertersSummary.from_api(document)
    (gateway,) = document
    assert summary.gateways[0].signal_strength == gateway["signal_strength"]
    for read, given in zip(summary.inverters, gateway["micro_inverters"], strict=True):
        power = given["power_produced"]
        assert read.power == (power["value"] if isinstance(power, dict) else power)
        assert read.energy == given["energy"]["value"]
        assert read.gateway_serial_number == given["envoy_serial_number"]
        assert read.firmware == given["proc_load"]
        assert read.last_report_at is not None
        assert read.last_report_at.timestamp() == given["last_report_date"]


@pytest.mark.parametrize("path", ["events", "open_events"])
def test_events(examples: dict[tuple[str, str], Any], path: str) -> None:
    document = example(examples, "get", f"/{{system_id}}/{path}")
    (given,) = document["events"]
    (event,) = Events.from_api(document).events
    assert event.status == given["status"].lower()
    assert event.event_type_id == given["event_type_id"]
    assert event.started_at.timestamp() == given["event_start_time"]
    assert (event.ended_at is None) == (given["event_end_time"] is None)


@pytest.mark.parametrize("path", ["alarms", "open_alarms"])
def test_alarms(examples: dict[tuple[str, str], Any], path: str) -> None:
    document = example(examples, "get", f"/{{system_id}}/{path}")
    (given,) = document["alarms"]
    (alarm,) = Alarms.from_api(document).alarms
    assert alarm.alarm_id == given["id"]
    assert not alarm.cleared
    assert alarm.severity == {2: "error", 4: "info"}[given["severity"]]
    assert alarm.events[0].serial_number == given["events"][0]["serial_number"]


def test_event_types(examples: dict[tuple[str, str], Any]) -> None:
    document = example(examples, "get", "/event_types")
    types = EventTypes.from_api(document).by_id
    for given in document["event_types"]:
        read = types[given["event_type_id"]]
        assert read.key == given["event_type_key"]
        assert read.name == given["event_name"]
        assert read.description == given["event_description"]
        assert read.recommended_action == given["recommended_action"]
        assert read.stateful is given["stateful"]


def test_live_data(examples: dict[tuple[str, str], Any]) -> None:
    document = example(examples, "get", "/{system_id}/live_data")
    measured = document["data"]["data"]
    reader = LiveFrameReader(measured["system_id"])
    (frame,) = reader.feed(f"data: {json.dumps(document)}\n\n".encode())
    assert frame.sampled_at.timestamp() * 1000 == document["data"]["timestamp_epoch"]
    assert frame.production == measured["pv_power"]
    assert frame.grid == measured["grid_power"]
    assert frame.battery == measured["battery_power"]
    assert frame.state_of_charge == measured["battery_soc"]


def test_microinverters_in_intervals(examples: dict[tuple[str, str], Any]) -> None:
    document = of_endpoint(examples, MICROS_TELEMETRY)
    page = MICROS_TELEMETRY.read(document)
    assert page.total == document["total_devices"]
    for given, read in zip(document["devices"], page.inverters, strict=True):
        assert page.by_id[given["serial_number"]] is read
        assert_intervals(given, read.energy, "enwh", power="powr")
    document = of_endpoint(examples, MICRO_TELEMETRY)
    read = MICRO_TELEMETRY.read(document)
    assert read.serial_number == document["serial_number"]
    assert_intervals(document, read.energy, "enwh", power="powr")


def test_a_battery_in_intervals(examples: dict[tuple[str, str], Any]) -> None:
    document = of_endpoint(examples, ENCHARGE_TELEMETRY)
    telemetry = ENCHARGE_TELEMETRY.read(document)
    (given,) = document["intervals"]
    (read,) = telemetry.intervals
    assert read.charged == given["charge"]["enwh"]
    assert read.discharged == given["discharge"]["enwh"]
    assert read.state_of_charge == given["soc"]["percent"]
    shown = f"{telemetry.last_reported_state_of_charge}%"
    assert shown == document["last_reported_soc"]
    assert telemetry.last_reported_at is not None
    moment = telemetry.last_reported_at.timestamp()
    assert moment == document["last_reported_time"]


def test_other_makers_chargers_and_heat_pumps(
    examples: dict[tuple[str, str], Any],
) -> None:
    document = of_endpoint(examples, EVSE_LIFETIME)
    days = EVSE_LIFETIME.read(document)
    assert list(days.charged.values) == document["consumption"]
    document = of_endpoint(examples, HEAT_PUMP_LIFETIME)
    assert list(HEAT_PUMP_LIFETIME.read(document).values) == document["consumption"]
    document = of_endpoint(examples, HEAT_PUMP_TELEMETRY)
    read = HEAT_PUMP_TELEMETRY.read(document)
    assert f"{read.length.seconds // 60}mins" == document["interval_duration"]
    assert_intervals(document, read, "wh_consumed")
    document = of_endpoint(examples, EVSE_TELEMETRY)
    flows = EVSE_TELEMETRY.read(document)
    for given, took, gave in zip(
        document["intervals"],
        flows.charged.intervals,
        flows.discharged.intervals,
        strict=True,
    ):
        assert took.energy is not None
        assert gave.energy is not None
        assert took.energy - gave.energy == given["wh_consumed"]


def test_production_meters(examples: dict[tuple[str, str], Any]) -> None:
    document = of_endpoint(examples, RGM_STATS)
    read = RGM_STATS.read(document)
    assert_intervals(document, read.energy, "wh_del")
    for given, meter in zip(document["meter_intervals"], read.meters, strict=True):
        assert meter.serial_number == given["meter_serial_number"]
        assert meter.gateway_serial_number == given["envoy_serial_number"]
        assert meter.channel == given["intervals"][0]["channel"]
        assert_intervals(given, meter.energy, "wh_del", power="curr_w")


@pytest.mark.parametrize(
    ("endpoint", "member"),
    [
        (PRODUCTION_MICRO_TELEMETRY, "enwh"),
        (PRODUCTION_METER_TELEMETRY, "wh_del"),
        (CONSUMPTION_TELEMETRY, "enwh"),
        (IMPORT_TELEMETRY, "wh_imported"),
        (EXPORT_TELEMETRY, "wh_exported"),
    ],
)
def test_energy_in_intervals(
    examples: dict[tuple[str, str], Any], endpoint: Endpoint[Any], member: str
) -> None:
    document = of_endpoint(examples, endpoint)
    rows = document["intervals"]
    flat = rows[0] if isinstance(rows[0], list) else rows
    read = endpoint.read(document)
    assert_intervals({"intervals": flat}, read, member)
    assert read.total_devices == (document["total_devices"] or None)


@pytest.mark.parametrize(
    ("endpoint", "member"),
    [
        (PRODUCTION_LIFETIME, "production"),
        (CONSUMPTION_LIFETIME, "consumption"),
        (IMPORT_LIFETIME, "import"),
        (EXPORT_LIFETIME, "export"),
    ],
)
def test_energy_by_day(
    examples: dict[tuple[str, str], Any], endpoint: Endpoint[Any], member: str
) -> None:
    document = of_endpoint(examples, endpoint)
    read = endpoint.read(document)
    assert read.start_date.isoformat() == document["start_date"]
    assert list(read.values) == document[member]


def test_energy_of_batteries_by_day(examples: dict[tuple[str, str], Any]) -> None:
    document = of_endpoint(examples, BATTERY_LIFETIME)
    read = BATTERY_LIFETIME.read(document)
    assert list(read.charged.values) == document["charge"]
    assert list(read.discharged.values) == document["discharge"]


@pytest.mark.parametrize(
    "endpoint",
    [PRODUCTION_METER_READINGS, CONSUMPTION_METER_READINGS, STORAGE_METER_READINGS],
)
def test_meter_readings(
    examples: dict[tuple[str, str], Any], endpoint: Endpoint[Any]
) -> None:
    document = of_endpoint(examples, endpoint)
    registers = endpoint.read(document).registers
    for given, read in zip(document["meter_readings"], registers, strict=True):
        assert read.serial_number == given.get("serial_number", given.get("serial_num"))
        assert read.read_at.timestamp() == given["read_at"]
        values = (read.energy, read.charged, read.discharged)
        names = ("value", "value_charged", "value_discharged")
        assert values == tuple(map(given.get, names))


def test_settings(examples: dict[tuple[str, str], Any]) -> None:
    """Responses to writes have the same shape; their spelling differs."""
    for endpoint in (BATTERY_SETTINGS, SET_BATTERY_SETTINGS):
        document = of_endpoint(examples, endpoint)
        battery = endpoint.read(document)
        assert battery.mode is BatteryMode.SELF_CONSUMPTION
        assert battery.reserve == document["reserve_soc"]
        assert battery.shutdown_level == document["battery_shutdown_level"]
        assert battery.energy_independence is True
        assert battery.charge_from_grid is False
    for endpoint in (STORM_GUARD, SET_STORM_GUARD):
        document = of_endpoint(examples, endpoint)
        guard = endpoint.read(document)
        is_on = document["storm_guard_status"].lower().startswith("enabled")
        assert guard == StormGuard(is_on=is_on, alert=document["storm_alert"] == "true")
    for endpoint in (LOAD_CONTROL, SET_LOAD_CONTROL):
        document = of_endpoint(examples, endpoint)
        loads = endpoint.read(document).loads
        for given in document["load_control_data"]:
            load = loads[given["name"]]
            assert load.body().items() <= given.items()
            assert (load.high, load.is_enabled) == (given["soc_high"], True)
            assert load.owner_can_override is given["owner_can_override"]


def test_the_grid(examples: dict[tuple[str, str], Any]) -> None:
    document = of_endpoint(examples, GRID_STATUS)
    read = GRID_STATUS.read(document)
    assert read.status is GridStatus.from_api(document["grid_state"])
    assert read.status is not GridStatus.UNKNOWN
    assert read.reported_at is not None
    assert read.reported_at.timestamp() == document["last_report_date"]


def test_the_system_of_a_gateway(examples: dict[tuple[str, str], Any]) -> None:
    document = of_endpoint(examples, RETRIEVE_SYSTEM_ID)
    assert RETRIEVE_SYSTEM_ID.read(document) == document["system_id"]


def of_endpoint(examples: dict[tuple[str, str], Any], endpoint: Endpoint[Any]) -> Any:
    """Return the example of an endpoint."""
    return example(examples, endpoint.method.lower(), f"/{endpoint.path}")


def assert_intervals(
    document: Any, read: EnergyIntervals, member: str, *, power: str | None = None
) -> None:
    """Assert that intervals are those of a document."""
    reported = [
        (each["end_at"], each[member], each[power] if power else None)
        for each in document["intervals"]
    ]
    assert reported == [
        (each.end_at.timestamp(), each.energy, each.power) for each in read.intervals
    ]


def example(examples: dict[tuple[str, str], Any], method: str, path: str) -> Any:
    """Return an example; its operation has to be in the specification."""
    return examples[method, path]


def assert_kept(document: dict[str, Any], value: Any, kind: type) -> None:
    """Assert that members with the same name have the same value."""
    kept = 0
    for name, given in document.items():
        if not hasattr(value, name):
            continue
        read = getattr(value, name)
        if name.endswith("_at"):
            read = None if read is None else read.timestamp()
        elif name == "summary_date":
            read = read.isoformat()
        elif name == "live_stream":
            read = "enabled" if read else "disabled"
        assert read == given
        kept += 1
    assert kept > 5
    assert isinstance(value, kind)
