"""The last reported powers: GET /systems/{id}/latest_telemetry."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from .convert import (
    OpenEnum,
    to_datetime,
    to_identifier,
    to_object,
    to_objects,
    to_power,
    to_word,
)


class BatteryOperation(OpenEnum):
    """What a battery is doing."""

    IDLE = "idle"
    CHARGING = "charging"
    DISCHARGING = "discharging"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerReading:
    """The power of a meter's channel in W, and when it was reported."""

    power: int
    reported_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryReading:
    """The power of a battery in W, and what it does.

    The power is positive when it discharges, and None where the cloud does not tell in
    which direction it flows.
    """

    power: int | None
    reported_at: datetime | None
    mode: BatteryOperation


@dataclass(frozen=True, slots=True, kw_only=True)
class LatestTelemetry:
    """The last reported powers of a system, part by part.

    Each part has a moment of its own: one that fell silent keeps its last power for 7
    days, and is left out after that. What `consumption` means depends on how the meter
    is configured, which this document does not tell. "Total": the load of the home.
    "Net", always so with batteries: production + grid import, without the battery, so
    that the home's load is consumption + battery power (discharge positive) and the
    grid's consumption - production.
    """

    system_id: int
    production: tuple[PowerReading, ...]
    consumption: tuple[PowerReading, ...]
    batteries: tuple[BatteryReading, ...]

    @classmethod
    def from_api(cls, data: Mapping[str, Any]) -> Self:
        """Read the powers.

        Raises MalformedAnswerError where the document names no system.
        """
        data = to_object(data)
        devices = data.get("devices")
        devices = devices if isinstance(devices, Mapping) else {}
        meters = list(to_objects(devices.get("meters")))
        encharges = to_objects(devices.get("encharges"))
        return cls(
            system_id=to_identifier(data.get("system_id")),
            production=tuple(_meter_readings(meters, "production")),
            consumption=tuple(_meter_readings(meters, "consumption")),
            batteries=tuple(filter(None, map(_battery_reading, encharges))),
        )


def _meter_readings(
    meters: Iterable[Mapping[str, Any]], name: str
) -> Iterator[PowerReading]:
    """Yield the channels of the meters with a name."""
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
    )


def _signed(magnitude: int, mode: BatteryOperation) -> int | None:
    """Return a battery's power, positive for discharge.

    The cloud does not document the sign of its number, only what the battery does. An
    idle one draws a few watts for itself, which do not count as charging.
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
