"""The flows of energy: how to request each, and how to read the responses."""

from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo
from typing import Any, Final, NamedTuple

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
    Endpoint,
)
from ..api.models import (
    DailyBatteryEnergy,
    DailyEnergy,
    EnergyIntervals,
    ProductionSource,
)
from ..measurements.board import Board
from ..measurements.catalog import Flow, Measurement, Source
from ..measurements.samples import Samples
from .parsing import (
    battery_intervals,
    power_limit,
    readings_of_days,
    readings_of_intervals,
)
from .readings import Readings

MOST_UPDATES: Final = 24
"""The most updates of a source a day."""

type Intervals = Mapping[Flow, EnergyIntervals]
type Dailies = Mapping[Flow, DailyEnergy]
type Limits = Mapping[Flow, float]
"""The power [W] of each flow above which energy is not plausible."""


class EnergySource(NamedTuple):
    """How to request the energy of one or two flows: as intervals, or day by day.

    Each request costs one API call: a week of intervals, or any number of days.
    """

    source: Source
    is_wanted: Callable[[Board, datetime], bool]
    intervals: Callable[[Board], Endpoint[Any]]
    days: Endpoint[Any]
    read_intervals: Callable[[Any], Intervals]
    read_days: Callable[[Any], Dailies]
    most_updates: int = MOST_UPDATES


def readings_of_week(
    intervals: Intervals, limits: Limits, *, fetched_at: datetime
) -> dict[Flow, Readings]:
    """Return the readings of each flow in the response for a week."""
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
    """Return the readings of each flow in a document of lifetime energy."""
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

    Polls have today's energy of the batteries; a single update completes it.
    """
    return min(updates_per_day, ENERGY_SOURCES[source].most_updates)


def most_calls_per_day(updates_per_day: int) -> int:
    """Return the API calls of a day for a system that has every source."""
    return sum(updates_of(source, updates_per_day) for source in ENERGY_SOURCES)


def plate_power(flow: Flow, known: Samples) -> float:
    """Return the greatest power [W] of a flow by the rated power of the devices."""

    def rated(measurement: Measurement) -> int | None:
        sample = known.get(measurement)
        return None if sample is None else int(sample.value)

    return power_limit(
        flow,
        size=rated(Measurement.RATED_POWER),
        charge_limit=rated(Measurement.RATED_CHARGE_POWER),
        discharge_limit=rated(Measurement.RATED_DISCHARGE_POWER),
    )


def _has_consumption_meter(board: Board, now: datetime) -> bool:
    return board.has_consumption_meter(now)


def _is_production_source_known(board: Board, _now: datetime) -> bool:
    return Measurement.PRODUCTION_SOURCE in board.newest()


def _production_intervals(board: Board) -> Endpoint[Any]:
    source = board.newest()[Measurement.PRODUCTION_SOURCE].value
    is_metered = source == ProductionSource.METER
    return PRODUCTION_METER_TELEMETRY if is_metered else PRODUCTION_MICRO_TELEMETRY


def _battery_days(daily: DailyBatteryEnergy) -> Dailies:
    return {
        Flow.BATTERY_CHARGE: daily.charged,
        Flow.BATTERY_DISCHARGE: daily.discharged,
    }


def _metered(
    source: Source, flow: Flow, intervals: Endpoint[Any], days: Endpoint[Any]
) -> EnergySource:
    return EnergySource(
        source=source,
        is_wanted=_has_consumption_meter,
        intervals=lambda _board: intervals,
        days=days,
        read_intervals=lambda document: {flow: document},
        read_days=lambda document: {flow: document},
    )


_ROWS: Final = (
    EnergySource(
        source=Source.PRODUCTION_INTERVALS,
        is_wanted=_is_production_source_known,
        intervals=_production_intervals,
        days=PRODUCTION_LIFETIME,
        read_intervals=lambda document: {Flow.PRODUCTION: document},
        read_days=lambda document: {Flow.PRODUCTION: document},
    ),
    _metered(
        Source.CONSUMPTION_INTERVALS,
        Flow.CONSUMPTION,
        CONSUMPTION_TELEMETRY,
        CONSUMPTION_LIFETIME,
    ),
    _metered(
        Source.IMPORT_INTERVALS, Flow.GRID_IMPORT, IMPORT_TELEMETRY, IMPORT_LIFETIME
    ),
    _metered(
        Source.EXPORT_INTERVALS, Flow.GRID_EXPORT, EXPORT_TELEMETRY, EXPORT_LIFETIME
    ),
    EnergySource(
        source=Source.BATTERY_INTERVALS,
        is_wanted=lambda board, _now: board.has_battery(),
        intervals=lambda _board: BATTERY_TELEMETRY,
        days=BATTERY_LIFETIME,
        read_intervals=battery_intervals,
        read_days=_battery_days,
        most_updates=1,
    ),
)

ENERGY_SOURCES: Final[Mapping[Source, EnergySource]] = {
    row.source: row for row in _ROWS
}
"""In the order in which they are requested."""
