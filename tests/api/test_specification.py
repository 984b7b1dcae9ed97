"""The official specification's own examples, where a copy is at hand."""

import json
from pathlib import Path
from typing import Any

import pytest

from custom_components.enphase_cloud.api import (
    Alarms,
    BatteryTelemetry,
    Device,
    Devices,
    DeviceStatus,
    EvChargerStatus,
    Events,
    EventTypes,
    HeatPumpMode,
    InvertersSummary,
    LatestTelemetry,
    Summary,
    System,
)
from custom_components.enphase_cloud.api.live_frames import LiveFrameReader
from custom_components.enphase_cloud.api.models import SystemsPage

SPECIFICATION = Path(__file__).parents[3] / "shared/api/System_API.swagger2.json"


@pytest.fixture(scope="module")
def examples() -> dict[tuple[str, str], Any]:
    """Return the examples of successful answers by method and path."""
    if not SPECIFICATION.exists():
        pytest.skip("The official specification is not at hand")
    specification = json.loads(SPECIFICATION.read_text())
    found = {}
    for path, operations in specification["paths"].items():
        for method, operation in operations.items():
            answer = operation["responses"].get("200", {}).get("examples", {})
            for example in answer.values():
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
    (frame,) = reader.polled(f"data: {json.dumps(document)}\n\n".encode())
    assert frame.sampled_at.timestamp() * 1000 == document["data"]["timestamp_epoch"]
    assert frame.production == measured["pv_power"]
    assert frame.grid == measured["grid_power"]
    assert frame.battery == measured["battery_power"]
    assert frame.state_of_charge == measured["battery_soc"]


def example(examples: dict[tuple[str, str], Any], method: str, path: str) -> Any:
    """Return one example; its operation has to be in the specification."""
    return examples[method, path]


def assert_kept(document: dict[str, Any], value: Any, kind: type) -> None:
    """Assert that members of equal name have equal values."""
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
