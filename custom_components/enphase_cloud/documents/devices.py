"""The devices of a system (API operation `devices`), and which of them report."""

from typing import Final

from ..api.models import Devices, LatestTelemetry
from ..api.models.device import Device as ListedDevice
from ..measurements.board import Board
from ..measurements.catalog import Measurement, Source
from ..measurements.inventory import DeviceProperties, Inventory
from ..measurements.samples import Samples, Value
from ..measurements.system import Device, DeviceKind
from .base import FIRST, Known, Report, as_cue, samples_of

# Kinds whose devices other documents name by their numeric id.
_BY_ID: Final = frozenset({DeviceKind.BATTERY, DeviceKind.METER})


def read_devices(_devices: Devices, _known: Known) -> Report:
    """Return no samples: the document describes devices, without measurements."""
    return {}


def inventory(devices: Devices) -> Inventory:
    """Return the devices that the cloud lists, with the properties of each."""
    kinds = {
        DeviceKind.GATEWAY: devices.gateways,
        DeviceKind.INVERTER: devices.microinverters,
        DeviceKind.METER: devices.meters,
        DeviceKind.BATTERY: devices.batteries,
        DeviceKind.RELAY: devices.relays,
        DeviceKind.CONTROLLER: devices.controllers,
        DeviceKind.CHARGER: devices.ev_chargers,
        DeviceKind.HEAT_PUMP: devices.heat_pumps,
        DeviceKind.GENERATOR: devices.generators,
    }
    return {
        Device(kind, identifier): _properties(listed)
        for kind, of_kind in kinds.items()
        for listed in of_kind
        if (identifier := _identifier(kind, listed))
    }


def cue(board: Board) -> str:
    """Return the number of modules, and devices not listed: a change makes it due."""
    modules = board.newest().get(Measurement.MODULES)
    unknown = sorted(each.key for each in board.devices() - board.inventory.keys())
    return as_cue("/".join([str(modules and modules.value), *unknown]))


def single_devices(latest: LatestTelemetry) -> dict[Device, Samples]:
    """Return the samples of single devices in `latest_telemetry`."""
    found: dict[Device, Samples] = {}
    for battery in latest.batteries:
        if battery.device_id is not None and battery.reported_at is not None:
            device = Device(DeviceKind.BATTERY, str(battery.device_id))
            values: dict[Measurement, Value | None] = {
                Measurement.REAL_POWER: battery.power,
                Measurement.OPERATIONAL_MODE: _word(battery.mode),
            }
            found[device] = samples_of(values, battery.reported_at, Source.LATEST)
    for charger in latest.ev_chargers:
        if charger.reported_at is not None:
            device = Device(DeviceKind.CHARGER, charger.serial_number or FIRST)
            values = {Measurement.CHARGER_STATUS: _word(charger.status)}
            found[device] = samples_of(values, charger.reported_at, Source.LATEST)
    for heat_pump in latest.heat_pumps:
        if heat_pump.reported_at is not None:
            device = Device(DeviceKind.HEAT_PUMP, heat_pump.serial_number or FIRST)
            values = {Measurement.HEAT_PUMP_MODE: _word(heat_pump.mode)}
            found[device] = samples_of(values, heat_pump.reported_at, Source.LATEST)
    return found


def _word(word: str) -> str | None:
    return None if word == "unknown" else str(word)


def _identifier(kind: DeviceKind, listed: ListedDevice) -> str:
    """Return the id or serial number of a device in other documents, "" if unknown."""
    number = str(listed.device_id or "")
    if kind in _BY_ID:
        return number
    if kind in (DeviceKind.CHARGER, DeviceKind.HEAT_PUMP):
        return listed.serial_number or FIRST
    return listed.serial_number or number


def _properties(listed: ListedDevice) -> DeviceProperties:
    return DeviceProperties(
        name=listed.name,
        model=listed.product_name or listed.model,
        model_id=listed.sku,
        serial_number=listed.serial_number,
        firmware=listed.firmware,
        part_number=listed.part_number,
    )
