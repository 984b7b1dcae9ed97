"""A simulated year: its documents, and its true energy."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from custom_components.enphase_cloud.api.models import BatteryTelemetry, EnergyIntervals
from custom_components.enphase_cloud.energy.parsing import (
    readings_of_intervals,
    system_day,
)
from custom_components.enphase_cloud.energy.readings import (
    HOUR,
    EnergyByHour,
    HourlyEnergy,
    Readings,
)
from custom_components.enphase_cloud.measurements.catalog import Flow
from simulator import Cloud
from simulator.cloud import Truth
from simulator.documents import telemetry
from tests.energy_helpers import FLOWS, hours_between

ZONE = ZoneInfo("Europe/Berlin")
FIRST = date(2025, 7, 1)
START = datetime(2025, 6, 30, 22, tzinfo=UTC)
END = datetime(2026, 6, 30, 22, tzinfo=UTC)
WEEK = timedelta(days=7)


class Year:
    """A system whose documents can be read as of any moment."""

    def __init__(self, **properties: Any) -> None:
        """Build the system."""
        self.now = END
        cloud = Cloud(lambda: self.now)
        owner = cloud.add_account(email="owner@example.com", password="secret")
        defaults = {"time_zone": "Europe/Berlin", "latitude": 48, "commissioned": FIRST}
        self.system = cloud.add_system(owner, **(defaults | properties))
        self.cloud = cloud

    @property
    def truth(self) -> Truth:
        """Return the true energy of all flows."""
        return self.cloud.truth(self.system.system_id)

    def _query(self, start: datetime) -> dict[str, str]:
        return {"start_at": str(int(start.timestamp())), "granularity": "week"}

    def batteries(self, start: datetime) -> BatteryTelemetry:
        """Return the response for a week of the batteries, as of now."""
        published = self.cloud.published(self.system)
        return BatteryTelemetry.from_api(
            telemetry.battery(published, self._query(start))
        )

    def imports(self, start: datetime) -> Readings:
        """Return the response for a week of import, as of now."""
        document = telemetry.energy_import_telemetry(
            self.cloud.published(self.system), self._query(start)
        )
        intervals = EnergyIntervals.from_api(document, member="wh_imported", minutes=15)
        return readings_of_intervals(
            intervals, fetched_at=self.now, power_limit=100_000
        )

    def hours(
        self, start: datetime, end: datetime
    ) -> dict[Flow, dict[datetime, HourlyEnergy]]:
        """Return every hour of every flow."""
        return {
            flow: {
                hour: HourlyEnergy(self.truth.energy(name, hour, hour + HOUR))
                for hour in hours_between(start, end)
            }
            for flow, name in FLOWS.items()
        }


def as_days(hours: EnergyByHour) -> EnergyByHour:
    """Return the hours as they are recorded if only days are known."""
    found: dict[datetime, HourlyEnergy] = {}
    for hour, each in hours.items():
        day = system_day(hour.astimezone(ZONE).date(), ZONE)
        before = found.get(day.start, HourlyEnergy(0, day))
        found[day.start] = HourlyEnergy(before.energy + each.energy, day)
    return found
