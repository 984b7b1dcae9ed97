"""Single devices in the documents."""

from datetime import UTC, datetime
from typing import Any

import pytest

from custom_components.enphase_cloud.api.models import Devices, LatestTelemetry
from custom_components.enphase_cloud.documents.devices import (
    cue,
    inventory,
    single_devices,
)
from custom_components.enphase_cloud.measurements.catalog import Measurement, Source
from custom_components.enphase_cloud.measurements.samples import Sample
from custom_components.enphase_cloud.measurements.system import Device, DeviceKind
from tests.boards import board

NOON = datetime(2026, 6, 21, 12, tzinfo=UTC)


def _latest(**devices: Any) -> LatestTelemetry:
    return LatestTelemetry.from_api({"system_id": 71, "devices": devices})


def _reported(**fields: Any) -> dict[str, Any]:
    return {"last_report_at": int(NOON.timestamp()), **fields}


def test_a_battery_is_known_by_its_id() -> None:
    """A battery without a direction has a mode only, or nothing."""
    found = single_devices(
        _latest(
            encharges=[
                _reported(id=5, power=800, operational_mode="Charging"),
                _reported(id=6, power=300, operational_mode="?"),
                _reported(power=200, operational_mode="Idle"),
                {"id": 8, "power": 100, "operational_mode": "Idle"},
            ]
        )
    )
    assert found == {
        Device(DeviceKind.BATTERY, "5"): {
            Measurement.REAL_POWER: Sample(-800, NOON, Source.LATEST),
            Measurement.OPERATIONAL_MODE: Sample("charging", NOON, Source.LATEST),
        },
        Device(DeviceKind.BATTERY, "6"): {},
    }


@pytest.mark.parametrize(
    ("kind", "member", "mode", "measurement", "state"),
    [
        (
            DeviceKind.CHARGER,
            "evse",
            "Charging",
            Measurement.CHARGER_STATUS,
            "charging",
        ),
        (
            DeviceKind.HEAT_PUMP,
            "heatpump",
            "MODE_3",
            Measurement.HEAT_PUMP_MODE,
            "recommended",
        ),
    ],
)
def test_chargers_and_heat_pumps_are_known_by_serial_number(
    kind: DeviceKind, member: str, mode: str, measurement: Measurement, state: str
) -> None:
    """A device without a number is the only one of its kind."""
    found = single_devices(
        _latest(
            **{
                member: [
                    _reported(serial_number="2024", operational_mode=mode),
                    _reported(name="Garage", operational_mode=mode),
                    {"serial_number": "2025", "operational_mode": mode},
                ]
            }
        )
    )
    sample = Sample(state, NOON, Source.LATEST)
    assert found == {
        Device(kind, "2024"): {measurement: sample},
        Device(kind, "1"): {measurement: sample},
    }


def test_devices_are_listed_as_other_documents_name_them() -> None:
    """Batteries and meters by their id, others by serial number."""
    listed = inventory(
        Devices.from_api(
            {
                "system_id": 71,
                "devices": {
                    "encharges": [{"id": 5, "serial_number": "4923", "name": "IQ 5"}],
                    "meters": [{"id": 7, "serial_number": "2024EIM1"}, {"name": "?"}],
                    "micros": [{"id": 9, "serial_number": "4824"}],
                    "gateways": [{"id": 3}, {"name": "Attic"}],
                    "heatpump": [{"name": "Cellar", "serial_number": ""}],
                },
            }
        )
    )
    assert {device.key for device in listed} == {
        "battery:5",
        "meter:7",
        "inverter:4824",
        "gateway:3",
        "heat_pump:1",
    }
    assert listed[Device(DeviceKind.BATTERY, "5")].serial_number == "4923"


def test_an_unknown_device_makes_the_list_due() -> None:
    """So does another number of modules."""
    known = board({Measurement.MODULES: Sample(20, NOON, Source.SUMMARY)})
    before = cue(known)
    power = Sample(5, NOON, Source.LATEST)
    battery = Device(DeviceKind.BATTERY, "5")
    known.put(Source.LATEST, {Measurement.REAL_POWER: power}, battery)
    assert cue(known) != before


def test_each_of_many_unknown_devices_makes_the_list_due() -> None:
    known = board()
    cues = [cue(known)]
    power = Sample(5, NOON, Source.LATEST)
    for number in range(12):
        battery = Device(DeviceKind.BATTERY, f"12345{number:02}")
        known.put(Source.LATEST, {Measurement.REAL_POWER: power}, battery)
        cues.append(cue(known))
    assert len(set(cues)) == 13
    assert max(map(len, cues)) <= 100
