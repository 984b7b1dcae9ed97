"""What the cloud answers, without the way over HTTP."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from custom_components.enphase_cloud.api.endpoints import (
    CONSUMPTION_LIFETIME,
    CONSUMPTION_TELEMETRY,
    EXPORT_LIFETIME,
    EXPORT_TELEMETRY,
    IMPORT_LIFETIME,
    IMPORT_TELEMETRY,
    PRODUCTION_LIFETIME,
    PRODUCTION_METER_TELEMETRY,
    PRODUCTION_MICRO_TELEMETRY,
    Endpoint,
)
from custom_components.enphase_cloud.api.models import (
    BatteryTelemetry,
    DailyBatteryEnergies,
    DailyEnergies,
    EnergyIntervals,
)
from custom_components.enphase_cloud.energy.parsing import (
    battery_intervals,
    power_limit,
    readings_of_days,
    readings_of_intervals,
)
from custom_components.enphase_cloud.energy.readings import Flow, Readings
from custom_components.enphase_cloud.measurements.samples import Source
from simulator import Cloud, Published, System
from simulator.distortion import distort
from simulator.documents import lifetime, telemetry
from simulator.documents.windows import Document, Query
from simulator.faults import DataFault
from simulator.moments import epoch
from simulator.physics import Flow as TrueFlow

type Handler = Callable[[Published, Query], Document]

TRUE_FLOWS: Final = {
    Flow.PRODUCTION: TrueFlow.PRODUCTION,
    Flow.CONSUMPTION: TrueFlow.CONSUMPTION,
    Flow.GRID_IMPORT: TrueFlow.IMPORT,
    Flow.GRID_EXPORT: TrueFlow.EXPORT,
    Flow.BATTERY_CHARGE: TrueFlow.CHARGE,
    Flow.BATTERY_DISCHARGE: TrueFlow.DISCHARGE,
}
_OWNER: Final = "owner@example.com"
_BATTERIES: Final = 2
_SIZE_W: Final = 6_800
_BATTERY_W: Final = 7_680


@dataclass(frozen=True, slots=True)
class Site:
    """Where a system stands, and what measures its production."""

    name: str
    time_zone: str
    latitude: float
    measured_by: Literal["meter", "microinverters"] = "meter"

    @property
    def zone(self) -> tzinfo:
        """Return the time zone of the system's days."""
        return ZoneInfo(self.time_zone)


def build(site: Site, commissioned: date, now: datetime) -> System:
    """Build the system that stands at a site."""
    cloud = Cloud(lambda: now)
    has_meter = site.measured_by == "meter"
    return cloud.add_system(
        cloud.add_account(email=_OWNER, password=_OWNER),
        name=site.name,
        time_zone=site.time_zone,
        latitude=site.latitude,
        size_w=_SIZE_W,
        battery=_BATTERIES,
        meters=("production", "consumption") if has_meter else ("consumption",),
        commissioned=commissioned,
    )


_FLOWS: Final = {
    Source.PRODUCTION_INTERVALS: Flow.PRODUCTION,
    Source.CONSUMPTION_INTERVALS: Flow.CONSUMPTION,
    Source.IMPORT_INTERVALS: Flow.GRID_IMPORT,
    Source.EXPORT_INTERVALS: Flow.GRID_EXPORT,
}
_WEEKS: Final[Mapping[Source, tuple[Handler, Endpoint[EnergyIntervals]]]] = {
    Source.CONSUMPTION_INTERVALS: (
        telemetry.consumption_meter,
        CONSUMPTION_TELEMETRY,
    ),
    Source.IMPORT_INTERVALS: (
        telemetry.energy_import_telemetry,
        IMPORT_TELEMETRY,
    ),
    Source.EXPORT_INTERVALS: (
        telemetry.energy_export_telemetry,
        EXPORT_TELEMETRY,
    ),
}
_PRODUCTION: Final[Mapping[str, tuple[Handler, Endpoint[EnergyIntervals]]]] = {
    "meter": (telemetry.production_meter, PRODUCTION_METER_TELEMETRY),
    "microinverters": (telemetry.production_micro, PRODUCTION_MICRO_TELEMETRY),
}
_DAYS: Final[Mapping[Source, tuple[Handler, Endpoint[DailyEnergies] | None]]] = {
    Source.PRODUCTION_INTERVALS: (lifetime.energy_lifetime, PRODUCTION_LIFETIME),
    Source.CONSUMPTION_INTERVALS: (
        lifetime.consumption_lifetime,
        CONSUMPTION_LIFETIME,
    ),
    Source.IMPORT_INTERVALS: (lifetime.energy_import_lifetime, IMPORT_LIFETIME),
    Source.EXPORT_INTERVALS: (lifetime.energy_export_lifetime, EXPORT_LIFETIME),
    Source.BATTERY_INTERVALS: (lifetime.battery_lifetime, None),
}


@dataclass(frozen=True, slots=True)
class Answers:
    """The cloud's answers about a system, as JSON, and what the integration reads."""

    site: Site
    system: System

    def week(
        self,
        asked: Source,
        start: datetime,
        now: datetime,
        fault: DataFault | None = None,
    ) -> Document:
        """Answer a request for the seven days of intervals from a moment on."""
        handler, _ = self._series(asked)
        query = {"start_at": str(epoch(start)), "granularity": "week"}
        return self._answer(handler, query, now, fault)

    def days(
        self,
        asked: Source,
        now: datetime,
        fault: DataFault | None = None,
        *,
        with_today: bool = False,
    ) -> Document:
        """Answer a request for all days up to yesterday."""
        handler, _ = _DAYS[asked]
        today = now.astimezone(self.site.zone).date()
        query = {"end_date": today.isoformat()} if with_today else {}
        return self._answer(handler, query, now, fault)

    def read_week(
        self, asked: Source, document: Document, fetched_at: datetime
    ) -> dict[Flow, Readings]:
        """Read an answer as the integration does."""
        _, series = self._series(asked)
        if series is None:
            found = battery_intervals(BatteryTelemetry.from_api(document))
        else:
            found = {
                _FLOWS[asked]: series.read(document),
            }
        return {
            flow: readings_of_intervals(
                intervals,
                fetched_at=fetched_at,
                power_limit=_limit(flow),
                may_lack_nights=flow is Flow.PRODUCTION,
            )
            for flow, intervals in found.items()
        }

    def read_days(
        self, asked: Source, document: Document, fetched_at: datetime
    ) -> dict[Flow, Readings]:
        """Read the answer of a lifetime series as the integration does."""
        _, series = _DAYS[asked]
        if series is None:
            both = DailyBatteryEnergies.from_api(document)
            found = {
                Flow.BATTERY_CHARGE: both.charged,
                Flow.BATTERY_DISCHARGE: both.discharged,
            }
        else:
            daily = series.read(document)
            found = {_FLOWS[asked]: daily}
        return {
            flow: readings_of_days(
                daily,
                fetched_at=fetched_at,
                time_zone=self.site.zone,
                power_limit=_limit(flow),
            )
            for flow, daily in found.items()
        }

    def _series(
        self, asked: Source
    ) -> tuple[Handler, Endpoint[EnergyIntervals] | None]:
        match asked:
            case Source.PRODUCTION_INTERVALS:
                return _PRODUCTION[self.site.measured_by]
            case Source.BATTERY_INTERVALS:
                return telemetry.battery, None
            case _:
                return _WEEKS[asked]

    def _answer(
        self, handler: Handler, query: Query, now: datetime, fault: DataFault | None
    ) -> dict[str, Any]:
        document = handler(Published(self.system, epoch(now)), query)
        if fault is not None:
            distort(document, fault)
        return document


def _limit(flow: Flow) -> float:
    return power_limit(
        flow, size=_SIZE_W, charge_limit=_BATTERY_W, discharge_limit=_BATTERY_W
    )
