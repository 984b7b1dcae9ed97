"""The last reported powers: GET /systems/{id}/latest_telemetry."""

from collections.abc import Iterable, Mapping
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
    """A power in W: the sum of all channels that report.

    A sum is as old as its oldest part, so `reported_at` is the oldest channel's time,
    and None where one channel does not tell its own.
    """

    power: int
    reported_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryReading:
    """The power of all batteries in W, positive when they discharge, and what they do.

    `reported_at` is the oldest battery's time, as in PowerReading.
    """

    power: int
    reported_at: datetime | None
    mode: BatteryOperation


@dataclass(frozen=True, slots=True, kw_only=True)
class LatestTelemetry:
    """The last reported powers of a system.

    None is what no meter or battery reported within the last 7 days. What
    `consumption` means depends on how the meter is configured, which this document
    does not tell. "Total": the load of the home. "Net", always so with batteries:
    production + grid import, without the battery, so that the home's load is
    consumption + battery power (discharge positive) and the grid's
    consumption - production.
    """

    system_id: int
    production: PowerReading | None
    consumption: PowerReading | None
    battery: BatteryReading | None

    @classmethod
    def from_api(cls, data: Mapping[str, Any]) -> Self:
        """Read the powers.

        Raises MalformedAnswerError where the document names no system.
        """
        data = to_object(data)
        devices = data.get("devices")
        devices = devices if isinstance(devices, Mapping) else {}
        meters = list(to_objects(devices.get("meters")))
        return cls(
            system_id=to_identifier(data.get("system_id")),
            production=_meter_reading(meters, "production"),
            consumption=_meter_reading(meters, "consumption"),
            battery=_battery_reading(to_objects(devices.get("encharges"))),
        )


def _meter_reading(
    meters: Iterable[Mapping[str, Any]], name: str
) -> PowerReading | None:
    """Sum the channels of the meters with a name."""
    powers = []
    moments = []
    for channel in meters:
        power = to_power(channel.get("power"))
        if power is not None and to_word(channel.get("name")) == name:
            powers.append(power)
            moments.append(to_datetime(channel.get("last_report_at")))
    if not powers:
        return None
    return PowerReading(power=sum(powers), reported_at=_oldest(moments))


def _battery_reading(batteries: Iterable[Mapping[str, Any]]) -> BatteryReading | None:
    """Sum the batteries; without the direction of one, nothing is known of the sum."""
    powers = []
    moments = []
    modes = set()
    for battery in batteries:
        magnitude = to_power(battery.get("power"))
        if magnitude is None:
            continue
        mode = BatteryOperation.from_api(battery.get("operational_mode"))
        power = _signed(magnitude, mode)
        if power is None:
            return None
        powers.append(power)
        moments.append(to_datetime(battery.get("last_report_at")))
        modes.add(mode)
    if not powers:
        return None
    power = sum(powers)
    return BatteryReading(
        power=power, reported_at=_oldest(moments), mode=_joint_mode(modes, power)
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


def _joint_mode(modes: set[BatteryOperation], power: int) -> BatteryOperation:
    """Return what batteries do together: what they agree on, else what the sum says."""
    if len(modes) == 1:
        return modes.pop()
    if power == 0:
        return BatteryOperation.IDLE
    return BatteryOperation.DISCHARGING if power > 0 else BatteryOperation.CHARGING


def _oldest(moments: Iterable[datetime | None]) -> datetime | None:
    known = []
    for moment in moments:
        if moment is None:
            return None
        known.append(moment)
    return min(known)
