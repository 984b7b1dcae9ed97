"""The last reported power of each device: GET /systems/{id}/latest_telemetry."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple, Self, override

from .convert import (
    OpenEnum,
    to_count,
    to_datetime,
    to_device_id,
    to_identifier,
    to_kinds,
    to_object,
    to_objects,
    to_power,
    to_serial,
    to_text,
    to_word,
)


class BatteryOperation(OpenEnum):
    """What a battery is doing."""

    IDLE = "idle"
    CHARGING = "charging"
    DISCHARGING = "discharging"
    UNKNOWN = "unknown"


class EvChargerStatus(OpenEnum):
    """What an EV charger is doing; IDLE means plugged in."""

    PLUGGED_OUT = "plugged_out"
    IDLE = "idle"
    CHARGING = "charging"
    FAULTED = "faulted"
    UNKNOWN = "unknown"


class HeatPumpMode(OpenEnum):
    """The operation mode of a heat pump; the cloud writes MODE_1 to MODE_4."""

    BLOCKED = "blocked"
    NORMAL = "normal"
    RECOMMENDED = "recommended"
    ENFORCED = "enforced"
    UNKNOWN = "unknown"

    @classmethod
    @override
    def from_api(cls, value: object) -> Self:
        """Return the mode of a name or of a number, else UNKNOWN."""
        number = to_word(value)[-1:] if to_word(value).startswith("mode") else ""
        if number in _HEAT_PUMP_MODES:
            return cls(_HEAT_PUMP_MODES[number])
        return super().from_api(value)


_HEAT_PUMP_MODES: Final = {
    "1": "blocked",
    "2": "normal",
    "3": "recommended",
    "4": "enforced",
}


class PowerReading(NamedTuple):
    """The power of a meter channel in W, and when it was reported."""

    power: int
    reported_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryReading:
    """The power of a battery in W, and what it is doing.

    The power is positive for discharge, and None if the direction is unknown.
    `device_id` is that of the device list. repr() omits identifiers.
    """

    power: int | None
    reported_at: datetime | None
    mode: BatteryOperation
    device_id: int | None = field(default=None, repr=False)
    name: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterReading:
    """A channel of a meter: its number, and its power in W.

    `name` is "production" or "consumption". The power is None if the channel is not
    used or has not reported for 7 days. repr() omits the id of the meter.
    """

    device_id: int | None = field(repr=False)
    name: str | None
    channel: int | None
    power: int | None
    reported_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EvChargerReading:
    """The last reported status of an EV charger; repr() omits identifiers."""

    serial_number: str | None = field(repr=False)
    name: str | None = field(repr=False)
    status: EvChargerStatus
    reported_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatPumpReading:
    """The last reported mode of a heat pump; repr() omits identifiers.

    Many heat pumps have no serial number.
    """

    serial_number: str | None = field(repr=False)
    name: str | None = field(repr=False)
    mode: HeatPumpMode
    reported_at: datetime | None


class LatestTelemetry(NamedTuple):
    """The last reported power of each part of a system.

    Each part has its own time of report. A part that stops reporting keeps its last
    power for 7 days; then it is missing. The meaning of `consumption` depends on the
    configuration of the meter, which this document does not include. "Total": the load
    of the home. "Net", always with batteries: production + grid import, without the
    battery. Then load = consumption + battery power (discharge positive), and grid
    import = consumption - production. `meters` are all channels, also without a power;
    `ev_chargers` and `heat_pumps` those with a serial number or name.
    """

    system_id: int
    production: tuple[PowerReading, ...]
    consumption: tuple[PowerReading, ...]
    batteries: tuple[BatteryReading, ...]
    meters: tuple[MeterReading, ...] = ()
    ev_chargers: tuple[EvChargerReading, ...] = ()
    heat_pumps: tuple[HeatPumpReading, ...] = ()

    @classmethod
    def from_api(cls, data: Mapping[str, Any]) -> Self:
        """Read all parts.

        Raises MalformedResponseError if the document has no system id.
        """
        data = to_object(data)
        devices = to_kinds(data.get("devices"))
        meters = list(to_objects(devices.get("meter")))
        encharges = to_objects(devices.get("encharge"))
        chargers = map(_ev_charger_reading, to_objects(devices.get("evse")))
        heat_pumps = map(_heat_pump_reading, to_objects(devices.get("heatpump")))
        return cls(
            system_id=to_identifier(data.get("system_id")),
            production=tuple(_meter_readings(meters, "production")),
            consumption=tuple(_meter_readings(meters, "consumption")),
            batteries=tuple(filter(None, map(_battery_reading, encharges))),
            meters=tuple(map(_meter_reading, meters)),
            ev_chargers=tuple(each for each in chargers if _is_named(each)),
            heat_pumps=tuple(each for each in heat_pumps if _is_named(each)),
        )


def _meter_readings(
    meters: Iterable[Mapping[str, Any]], name: str
) -> Iterator[PowerReading]:
    """Yield the power of each channel with this name."""
    for channel in meters:
        power = to_power(channel.get("power"))
        if power is not None and to_word(channel.get("name")) == name:
            yield PowerReading(
                power=power, reported_at=to_datetime(channel.get("last_report_at"))
            )


def _battery_reading(battery: Mapping[str, Any]) -> BatteryReading | None:
    magnitude = to_power(battery.get("power"))
    if magnitude is None:
        return None
    mode = BatteryOperation.from_api(battery.get("operational_mode"))
    return BatteryReading(
        power=_signed(magnitude, mode),
        reported_at=to_datetime(battery.get("last_report_at")),
        mode=mode,
        device_id=to_device_id(battery.get("id")),
        name=to_text(battery.get("name")),
    )


def _meter_reading(channel: Mapping[str, Any]) -> MeterReading:
    return MeterReading(
        device_id=to_device_id(channel.get("id")),
        name=to_text(channel.get("name")),
        channel=to_count(channel.get("channel")),
        power=to_power(channel.get("power")),
        reported_at=to_datetime(channel.get("last_report_at")),
    )


def _ev_charger_reading(charger: Mapping[str, Any]) -> EvChargerReading:
    return EvChargerReading(
        serial_number=to_serial(charger.get("serial_number")),
        name=to_text(charger.get("name")),
        status=EvChargerStatus.from_api(charger.get("operational_mode")),
        reported_at=to_datetime(charger.get("last_report_at")),
    )


def _heat_pump_reading(heat_pump: Mapping[str, Any]) -> HeatPumpReading:
    return HeatPumpReading(
        serial_number=to_serial(heat_pump.get("serial_number")),
        name=to_text(heat_pump.get("name")),
        mode=HeatPumpMode.from_api(heat_pump.get("operational_mode")),
        reported_at=to_datetime(heat_pump.get("last_report_at")),
    )


def _is_named(reading: EvChargerReading | HeatPumpReading) -> bool:
    return bool(reading.serial_number or reading.name)


def _signed(magnitude: int, mode: BatteryOperation) -> int | None:
    """Return the power of a battery, positive for discharge.

    The sign in the document is not specified, so the operational mode decides. An idle
    battery draws a few watts itself, which do not count as charging.
    """
    match mode:
        case BatteryOperation.DISCHARGING:
            return abs(magnitude)
        case BatteryOperation.CHARGING:
            return -abs(magnitude)
        case BatteryOperation.IDLE:
            return 0
        case BatteryOperation.UNKNOWN:
            return None if magnitude else 0
