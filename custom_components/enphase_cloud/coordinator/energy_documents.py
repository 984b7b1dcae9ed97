"""The documents of energies: how each is asked for, and what it says."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final

from ..api import (
    DailyEnergies,
    Endpoint,
    EnergyIntervals,
    EnphaseCloudClient,
    ProductionSource,
    day_query,
    interval_query,
)
from ..api.endpoints import (
    BATTERY_LIFETIME,
    BATTERY_TELEMETRY,
    CONSUMPTION_LIFETIME,
    CONSUMPTION_TELEMETRY,
    EXPORT_LIFETIME,
    EXPORT_TELEMETRY,
    IMPORT_LIFETIME,
    IMPORT_TELEMETRY,
    PRODUCTION_LIFETIME,
    PRODUCTION_METER_TELEMETRY,
    PRODUCTION_MICRO_TELEMETRY,
)
from ..const import MOST_UPDATES
from ..data import EnphaseSystem
from ..energy.import_progress import Days
from ..energy.parsing import (
    battery_intervals,
    power_limit,
    readings_of_days,
    readings_of_intervals,
)
from ..energy.readings import Flow, Readings
from ..measurements.catalog import Measurement
from ..measurements.samples import Samples, Source

type Intervals = Mapping[Flow, EnergyIntervals]
type Dailies = Mapping[Flow, DailyEnergies]
type Limits = Mapping[Flow, float]
"""The power [W] beyond which a flow is not believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyDocument:
    """How the flows of a document are asked for: a week in intervals, or day by day.

    Each costs one call.
    """

    is_wanted: Callable[[EnphaseSystem], bool]
    async_week: Callable[
        [EnphaseCloudClient, EnphaseSystem, datetime], Awaitable[Intervals]
    ]
    async_days: Callable[[EnphaseCloudClient, EnphaseSystem, Days], Awaitable[Dailies]]
    most_updates: int = MOST_UPDATES


def readings_of_week(
    intervals: Intervals, limits: Limits, *, fetched_at: datetime
) -> dict[Flow, Readings]:
    """Return what a week's answer says of each of its flows."""
    return {
        flow: readings_of_intervals(
            document,
            fetched_at=fetched_at,
            power_limit=limits[flow],
            may_lack_nights=flow is Flow.PRODUCTION,
        )
        for flow, document in intervals.items()
    }


def readings_of_dailies(
    dailies: Dailies,
    limits: Limits,
    *,
    fetched_at: datetime,
    time_zone: tzinfo,
) -> dict[Flow, Readings]:
    """Return what the answer of a lifetime series says of each of its flows."""
    return {
        flow: readings_of_days(
            daily,
            fetched_at=fetched_at,
            time_zone=time_zone,
            power_limit=limits[flow],
        )
        for flow, daily in dailies.items()
    }


def updates_of(source: Source, updates_per_day: int) -> int:
    """Return how often a day a source is updated.

    Today's energy of the batteries comes with polls; a single update completes it.
    """
    return min(updates_per_day, ENERGY_DOCUMENTS[source].most_updates)


def most_calls_per_day(updates_per_day: int) -> int:
    """Return the API calls of a day for a system that has every source."""
    return sum(updates_of(source, updates_per_day) for source in ENERGY_DOCUMENTS)


def _series(
    flow: Flow, intervals: Endpoint[EnergyIntervals], daily: Endpoint[DailyEnergies]
) -> EnergyDocument:
    async def async_week(
        client: EnphaseCloudClient, system: EnphaseSystem, start: datetime
    ) -> Intervals:
        endpoint = (
            _measured_production(system) if flow is Flow.PRODUCTION else intervals
        )
        query = interval_query(start, week=True)
        return {
            flow: await client.get(endpoint, query=query, system_id=system.system_id)
        }

    async def async_days(
        client: EnphaseCloudClient, system: EnphaseSystem, days: Days
    ) -> Dailies:
        query = day_query(days.first, days.last)
        return {flow: await client.get(daily, query=query, system_id=system.system_id)}

    return EnergyDocument(
        is_wanted=_is_producing if flow is Flow.PRODUCTION else _has_consumption_meter,
        async_week=async_week,
        async_days=async_days,
    )


async def _async_battery_week(
    client: EnphaseCloudClient, system: EnphaseSystem, start: datetime
) -> Intervals:
    query = interval_query(start, week=True)
    return battery_intervals(
        await client.get(BATTERY_TELEMETRY, query=query, system_id=system.system_id)
    )


async def _async_battery_days(
    client: EnphaseCloudClient, system: EnphaseSystem, days: Days
) -> Dailies:
    query = day_query(days.first, days.last)
    daily = await client.get(BATTERY_LIFETIME, query=query, system_id=system.system_id)
    return {
        Flow.BATTERY_CHARGE: daily.charged,
        Flow.BATTERY_DISCHARGE: daily.discharged,
    }


def _is_producing(system: EnphaseSystem) -> bool:
    """Tell whether it is known what measures the production."""
    return Measurement.PRODUCTION_SOURCE in system.samples


def _has_consumption_meter(system: EnphaseSystem) -> bool:
    return system.has_consumption_meter


def _measured_production(system: EnphaseSystem) -> Endpoint[EnergyIntervals]:
    if system.samples[Measurement.PRODUCTION_SOURCE].value == ProductionSource.METER:
        return PRODUCTION_METER_TELEMETRY
    return PRODUCTION_MICRO_TELEMETRY


def plate_power(flow: Flow, known: Samples) -> float:
    """Return the greatest power [W] of a flow, as the plates of a system say."""

    def rated(measurement: Measurement) -> int | None:
        sample = known.get(measurement)
        return None if sample is None else int(sample.value)

    return power_limit(
        flow,
        size=rated(Measurement.RATED_POWER),
        charge_limit=rated(Measurement.RATED_CHARGE_POWER),
        discharge_limit=rated(Measurement.RATED_DISCHARGE_POWER),
    )


# In the order in which they are asked for.
ENERGY_DOCUMENTS: Final[Mapping[Source, EnergyDocument]] = {
    Source.PRODUCTION_INTERVALS: _series(
        Flow.PRODUCTION, PRODUCTION_METER_TELEMETRY, PRODUCTION_LIFETIME
    ),
    Source.CONSUMPTION_INTERVALS: _series(
        Flow.CONSUMPTION, CONSUMPTION_TELEMETRY, CONSUMPTION_LIFETIME
    ),
    Source.IMPORT_INTERVALS: _series(
        Flow.GRID_IMPORT, IMPORT_TELEMETRY, IMPORT_LIFETIME
    ),
    Source.EXPORT_INTERVALS: _series(
        Flow.GRID_EXPORT, EXPORT_TELEMETRY, EXPORT_LIFETIME
    ),
    Source.BATTERY_INTERVALS: EnergyDocument(
        is_wanted=lambda system: system.has_battery,
        async_week=_async_battery_week,
        async_days=_async_battery_days,
        most_updates=1,
    ),
}
