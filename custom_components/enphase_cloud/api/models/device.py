"""The active devices of a system: GET /systems/{id}/devices."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple, Self

from .convert import (
    OpenEnum,
    to_count,
    to_datetime,
    to_device_id,
    to_flag,
    to_identifier,
    to_kinds,
    to_object,
    to_objects,
    to_serial,
    to_text,
    to_word,
)


class DeviceStatus(OpenEnum):
    """The status of a device.

    The API reference has no list: these are from its examples, and the statuses of
    systems that concern devices.
    """

    NORMAL = "normal"
    ACTIVE = "active"
    ON = "on"
    OFF = "off"
    COMM = "comm"
    DISABLED = "disabled"
    ENCHARGE_ISSUE = "encharge_issue"
    ENPOWER_ISSUE = "enpower_issue"
    ERROR = "error"
    METER_ISSUE = "meter_issue"
    MICRO = "micro"
    NO_DATA = "no_data"
    NSR = "nsr"
    POWER = "power"
    RETIRED = "retired"
    RMA = "rma"
    UNUSED = "unused"
    WARNING = "warning"
    UNKNOWN = "unknown"

    @property
    def is_problem(self) -> bool | None:
        """Whether the device has a problem, None if that is unknown."""
        if self is DeviceStatus.UNKNOWN:
            return None
        return self in _PROBLEMS


_PROBLEMS: Final = frozenset(
    {
        DeviceStatus.COMM,
        DeviceStatus.ENCHARGE_ISSUE,
        DeviceStatus.ENPOWER_ISSUE,
        DeviceStatus.ERROR,
        DeviceStatus.METER_ISSUE,
        DeviceStatus.MICRO,
        DeviceStatus.NO_DATA,
        DeviceStatus.NSR,
        DeviceStatus.POWER,
        DeviceStatus.RMA,
        DeviceStatus.WARNING,
    }
)


class MeterKind(OpenEnum):
    """What a meter measures: production, storage, or consumption in one of two ways.

    NET meters measure between home and grid, TOTAL meters the load of the home.
    """

    PRODUCTION = "production"
    NET = "net"
    TOTAL = "total"
    STORAGE = "storage"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """The fields that all kinds of devices share.

    Chargers and heat pumps have no `device_id`, heat pumps and generators often no
    `serial_number`; each device has one of these or a `name`. The number in the name of
    a battery is not its serial number; some documents have only that name and the
    `device_id`. `active` is None if the document lacks it, although it lists active
    devices only. repr() omits identifiers.
    """

    device_id: int | None = field(repr=False)
    serial_number: str | None = field(repr=False)
    name: str | None = field(repr=False)
    model: str | None
    product_name: str | None
    sku: str | None
    part_number: str | None
    firmware: str | None
    status: DeviceStatus
    active: bool | None
    last_report_at: datetime | None


class CellularModem(NamedTuple):
    """The modem of a gateway, with start and end of its data plan; without its IMEI."""

    sku: str | None
    part_number: str | None
    plan_start_at: datetime | None
    plan_end_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayDevice(Device):
    """A gateway; `firmware` is its software version."""

    modem: CellularModem | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterDevice(Device):
    """A meter; `phases` is 1 or 3. A listed meter may be disabled."""

    kind: MeterKind
    phases: int | None
    enabled: bool | None


class Devices(NamedTuple):
    """The active devices of a system by kind, in the order of the document.

    `batteries` are IQ Batteries (encharges), `ac_batteries` the older AC Batteries
    (acbs), `relays` Q Relays, `controllers` IQ System Controllers (enpowers). `total`
    is the number of devices of all kinds, also of kinds that are missing here.
    """

    system_id: int
    total: int | None
    gateways: tuple[GatewayDevice, ...]
    microinverters: tuple[Device, ...]
    meters: tuple[MeterDevice, ...]
    batteries: tuple[Device, ...]
    ac_batteries: tuple[Device, ...]
    relays: tuple[Device, ...]
    controllers: tuple[Device, ...]
    collars: tuple[Device, ...]
    ev_chargers: tuple[Device, ...]
    heat_pumps: tuple[Device, ...]
    generators: tuple[Device, ...]
    iq_airs: tuple[Device, ...]

    @classmethod
    def from_api(cls, data: Mapping[str, Any]) -> Self:
        """Read the devices; skip those without an id, a serial number and a name.

        Raises MalformedResponseError if the document has no system id.
        """
        data = to_object(data)
        kinds = to_kinds(data.get("devices"))
        return cls(
            system_id=to_identifier(data.get("system_id")),
            total=to_count(data.get("total_devices")),
            gateways=_read(_gateway, kinds.get("gateway")),
            microinverters=_read(_device, kinds.get("micro")),
            meters=_read(_meter, kinds.get("meter")),
            batteries=_read(_device, kinds.get("encharge")),
            ac_batteries=_read(_device, kinds.get("acb")),
            relays=_read(_device, kinds.get("qrelay")),
            controllers=_read(_device, kinds.get("enpower")),
            collars=_read(_device, kinds.get("iqcollar")),
            ev_chargers=_read(_device, kinds.get("evcharger")),
            heat_pumps=_read(_device, kinds.get("heatpump")),
            generators=_read(_device, kinds.get("generator")),
            iq_airs=_read(_device, kinds.get("iqair")),
        )

    @property
    def devices(self) -> tuple[Device, ...]:
        """Return the devices of all kinds."""
        return (
            *self.gateways,
            *self.microinverters,
            *self.meters,
            *self.batteries,
            *self.ac_batteries,
            *self.relays,
            *self.controllers,
            *self.collars,
            *self.ev_chargers,
            *self.heat_pumps,
            *self.generators,
            *self.iq_airs,
        )


def _read[DeviceT: Device](
    read: Callable[[Mapping[str, Any]], DeviceT], entries: object
) -> tuple[DeviceT, ...]:
    """Return the devices with an id, a serial number or a name."""
    return tuple(
        device
        for device in map(read, to_objects(entries))
        if device.device_id or device.serial_number or device.name
    )


def _device(data: Mapping[str, Any]) -> Device:
    return Device(**_common(data))


def _gateway(data: Mapping[str, Any]) -> GatewayDevice:
    return GatewayDevice(**_common(data), modem=_modem(data.get("cellular_modem")))


def _meter(data: Mapping[str, Any]) -> MeterDevice:
    phases = {"single": 1, "three": 3}
    enabled = {"enabled": True, "disabled": False}
    return MeterDevice(
        **_common(data),
        kind=MeterKind.from_api(data.get("config_type")),
        phases=phases.get(to_word(data.get("config_phase"))),
        enabled=enabled.get(to_word(data.get("state"))),
    )


def _modem(data: object) -> CellularModem | None:
    if not isinstance(data, Mapping) or not data:
        return None
    return CellularModem(
        sku=to_text(data.get("sku")),
        part_number=to_text(data.get("part_num")),
        plan_start_at=to_datetime(data.get("plan_start_date")),
        plan_end_at=to_datetime(data.get("plan_end_date")),
    )


def _common(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of `Device`."""
    firmware = to_text(data.get("emu_sw_version")) or to_text(data.get("firmware"))
    return {
        "device_id": to_device_id(data.get("id")),
        "serial_number": to_serial(data.get("serial_number")),
        "name": to_text(data.get("name")),
        "model": to_text(data.get("model")),
        "product_name": to_text(data.get("product_name")),
        # Heat pumps have the name in capitals.
        "sku": to_text(data.get("sku")) or to_text(data.get("SKU")),
        "part_number": to_text(data.get("part_number")),
        "firmware": firmware,
        "status": DeviceStatus.from_api(data.get("status")),
        "active": to_flag(data.get("active")),
        "last_report_at": to_datetime(data.get("last_report_at")),
    }
