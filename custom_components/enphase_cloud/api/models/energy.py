"""Energies in intervals and by day: telemetry and lifetime series of a system."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from operator import attrgetter
from typing import Any, Self

from ..exceptions import MalformedAnswerError
from ..operations import Operation
from .convert import (
    to_count,
    to_date,
    to_datetime,
    to_energy,
    to_identifier,
    to_object,
    to_objects,
)


class IntervalSeries(Enum):
    """The documents that tell a flow in intervals.

    Microinverters and the production meter measure the same flow; they differ by
    about 1 %. Consumption is what the home used.
    """

    PRODUCTION_METER = (
        Operation.PRODUCTION_METER_TELEMETRY,
        "telemetry/production_meter",
        "wh_del",
        15,
    )
    PRODUCTION_MICRO = (
        Operation.PRODUCTION_MICRO_TELEMETRY,
        "telemetry/production_micro",
        "enwh",
        5,
    )
    CONSUMPTION = (
        Operation.CONSUMPTION_TELEMETRY,
        "telemetry/consumption_meter",
        "enwh",
        15,
    )
    GRID_IMPORT = (
        Operation.IMPORT_TELEMETRY,
        "energy_import_telemetry",
        "wh_imported",
        15,
    )
    GRID_EXPORT = (
        Operation.EXPORT_TELEMETRY,
        "energy_export_telemetry",
        "wh_exported",
        15,
    )

    def __init__(
        self, operation: Operation, path: str, member: str, minutes: int
    ) -> None:
        """Name the operation, its path, and member and length of its intervals."""
        self.operation = operation
        self.path = path
        self.member = member
        self.length = timedelta(minutes=minutes)


class DailySeries(Enum):
    """The documents that tell a flow day by day."""

    PRODUCTION = (Operation.PRODUCTION_LIFETIME, "energy_lifetime", "production")
    CONSUMPTION = (
        Operation.CONSUMPTION_LIFETIME,
        "consumption_lifetime",
        "consumption",
    )
    GRID_IMPORT = (Operation.IMPORT_LIFETIME, "energy_import_lifetime", "import")
    GRID_EXPORT = (Operation.EXPORT_LIFETIME, "energy_export_lifetime", "export")

    def __init__(self, operation: Operation, path: str, member: str) -> None:
        """Name the operation, its path, and the member that holds the days."""
        self.operation = operation
        self.path = path
        self.member = member


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyInterval:
    """The energy of one flow in the interval up to `end_at` [Wh].

    While `devices_reporting` is less than the number of devices, the interval may
    still be corrected. Documents of the grid do not tell it.
    """

    end_at: datetime
    energy: float | None
    devices_reporting: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyIntervals:
    """The intervals of one flow of a system, in order, each as long as `length`.

    `total_devices` is None where the document counts no devices.
    """

    system_id: int
    intervals: tuple[EnergyInterval, ...]
    total_devices: int | None
    length: timedelta

    @classmethod
    def from_api(cls, data: Mapping[str, Any], series: IntervalSeries) -> Self:
        """Read the document of a series, leaving out intervals without an end.

        Raises MalformedAnswerError where the document names no system.
        """
        data = to_object(data)
        intervals = (
            EnergyInterval(
                end_at=end_at,
                energy=to_energy(item.get(series.member)),
                devices_reporting=to_count(item.get("devices_reporting")),
            )
            for item in to_objects(data.get("intervals"))
            if (end_at := to_datetime(item.get("end_at"))) is not None
        )
        return cls(
            system_id=to_identifier(data.get("system_id")),
            intervals=tuple(sorted(intervals, key=attrgetter("end_at"))),
            # The grid's documents say 0, whatever measures it.
            total_devices=to_count(data.get("total_devices")) or None,
            length=series.length,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyEnergies:
    """The energy of one flow on each day from `start_date` on [Wh].

    Days are the system's. Zeros at the end are days that are not reported yet.
    """

    start_date: date
    values: tuple[float | None, ...]

    @classmethod
    def from_api(cls, data: Mapping[str, Any], *, member: str) -> Self:
        """Read the days whose energies are in `member`.

        Raises MalformedAnswerError where the document names no first day.
        """
        data = to_object(data)
        start_date = to_date(data.get("start_date"))
        if start_date is None:
            raise MalformedAnswerError("The answer names no first day")
        values = data.get(member)
        return cls(
            start_date=start_date,
            values=tuple(map(to_energy, values)) if isinstance(values, list) else (),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyBatteryEnergies:
    """What all batteries of a system took and gave, day by day."""

    charged: DailyEnergies
    discharged: DailyEnergies

    @classmethod
    def from_api(cls, data: Mapping[str, Any]) -> Self:
        """Read both series.

        Raises MalformedAnswerError where the document names no first day.
        """
        return cls(
            charged=DailyEnergies.from_api(data, member="charge"),
            discharged=DailyEnergies.from_api(data, member="discharge"),
        )
