"""Battery energy in intervals: of all batteries of a system, or of one battery."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple, Self

from .convert import (
    to_count,
    to_datetime,
    to_energy,
    to_identifier,
    to_object,
    to_objects,
    to_percentage,
    to_whole_percentage,
)
from .energy import in_order


class BatteryInterval(NamedTuple):
    """Energy [Wh] and state of charge [%] in the 15 minutes up to `end_at`.

    While `devices_reporting` is less than the number of batteries, the interval may
    still be corrected. The document of a single battery lacks that count.
    """

    end_at: datetime
    charged: float | None
    discharged: float | None
    state_of_charge: float | None
    devices_reporting: int | None

    @property
    def throughput(self) -> float | None:
        """Return the energy that went in and out [Wh], None if a part is unknown."""
        if self.charged is None or self.discharged is None:
            return None
        return self.charged + self.discharged


class BatteryTelemetry(NamedTuple):
    """The intervals of batteries in order, each once, and their last state of charge.

    That is in %, as the gateway last reported it; for a single battery with its time
    `last_reported_at`.
    """

    system_id: int
    intervals: tuple[BatteryInterval, ...]
    last_reported_state_of_charge: int | None
    last_reported_at: datetime | None = None

    @classmethod
    def from_api(cls, data: Mapping[str, Any]) -> Self:
        """Read the telemetry; skip intervals without an end.

        Raises MalformedResponseError if it has no system id.
        """
        data = to_object(data)
        intervals = filter(None, map(_to_interval, to_objects(data.get("intervals"))))
        return cls(
            system_id=to_identifier(data.get("system_id")),
            intervals=in_order(intervals, lambda each: each.throughput),
            last_reported_state_of_charge=to_whole_percentage(
                data.get("last_reported_aggregate_soc", data.get("last_reported_soc"))
            ),
            last_reported_at=to_datetime(data.get("last_reported_time")),
        )


def _to_interval(data: Mapping[str, Any]) -> BatteryInterval | None:
    end_at = to_datetime(data.get("end_at"))
    if end_at is None:
        return None
    charge = _to_part(data.get("charge"))
    discharge = _to_part(data.get("discharge"))
    state_of_charge = _to_part(data.get("soc"))
    counts = [
        count
        for part in (charge, discharge, state_of_charge)
        if (count := to_count(part.get("devices_reporting"))) is not None
    ]
    return BatteryInterval(
        end_at=end_at,
        charged=to_energy(charge.get("enwh")),
        discharged=to_energy(discharge.get("enwh")),
        state_of_charge=to_percentage(state_of_charge.get("percent")),
        devices_reporting=min(counts, default=None),
    )


def _to_part(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
