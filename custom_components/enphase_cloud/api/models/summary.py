"""The summary of a system: GET /systems/{id}/summary."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, NamedTuple, Self

from .convert import (
    OpenEnum,
    to_count,
    to_date,
    to_datetime,
    to_energy,
    to_identifier,
    to_object,
    to_power,
)
from .system import SystemStatus


class ProductionSource(OpenEnum):
    """The devices that measured production; the two sources differ by about 1 %."""

    METER = "meter"
    MICROINVERTERS = "microinverters"
    UNKNOWN = "unknown"


class Summary(NamedTuple):
    """The state and today's production of a system.

    Power is in W, energy in Wh. `energy_today` is that of `summary_date`, a day in the
    time zone of the system. The API reference contradicts itself on whether
    `energy_lifetime` includes that day. `size` and the capacity and power limits of the
    battery are sums of nameplate ratings, not measurements.
    """

    system_id: int
    status: SystemStatus
    current_power: int | None
    energy_today: float | None
    energy_lifetime: float | None
    last_interval_end_at: datetime | None
    last_report_at: datetime | None
    operational_at: datetime | None
    summary_date: date | None
    modules: int | None
    size: int | None
    source: ProductionSource
    battery_capacity: float | None
    battery_charge_power_limit: int | None
    battery_discharge_power_limit: int | None

    @classmethod
    def from_api(cls, data: Mapping[str, Any]) -> Self:
        """Read the summary.

        Raises MalformedResponseError if it has no system id.
        """
        data = to_object(data)
        return cls(
            system_id=to_identifier(data.get("system_id")),
            status=SystemStatus.from_api(data.get("status")),
            current_power=to_power(data.get("current_power")),
            energy_today=to_energy(data.get("energy_today")),
            energy_lifetime=to_energy(data.get("energy_lifetime")),
            last_interval_end_at=to_datetime(data.get("last_interval_end_at")),
            last_report_at=to_datetime(data.get("last_report_at")),
            operational_at=to_datetime(data.get("operational_at")),
            summary_date=to_date(data.get("summary_date")),
            modules=to_count(data.get("modules")),
            size=_to_rating(data.get("size_w")),
            source=ProductionSource.from_api(data.get("source")),
            battery_capacity=to_energy(data.get("battery_capacity_wh")),
            battery_charge_power_limit=_to_rating(data.get("battery_charge_w")),
            battery_discharge_power_limit=_to_rating(data.get("battery_discharge_w")),
        )


def _to_rating(value: object) -> int | None:
    """Return a power in W that is not negative."""
    power = to_power(value)
    return power if power is not None and power >= 0 else None
