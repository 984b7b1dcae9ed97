"""Measured values with their moment and source; the newest measurement wins."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
import math
from typing import Any, Final


class Measurement(StrEnum):
    """What can be known about a system; units in brackets."""

    PRODUCTION_POWER = "production_power"  # [W]
    CONSUMPTION_POWER = "consumption_power"  # [W]
    GRID_POWER = "grid_power"  # [W], + import
    BATTERY_POWER = "battery_power"  # [W], + discharge
    GENERATOR_POWER = "generator_power"  # [W]
    BATTERY_LEVEL = "battery_level"  # [%]
    BATTERY_CAPACITY = "battery_capacity"  # [Wh]
    BATTERY_MODE = "battery_mode"
    GRID_STATUS = "grid_status"
    ENERGY_PRODUCED_TODAY = "energy_produced_today"  # [Wh]
    ENERGY_CONSUMED_TODAY = "energy_consumed_today"  # [Wh]
    ENERGY_IMPORTED_TODAY = "energy_imported_today"  # [Wh]
    ENERGY_EXPORTED_TODAY = "energy_exported_today"  # [Wh]
    ENERGY_CHARGED_TODAY = "energy_charged_today"  # [Wh]
    ENERGY_DISCHARGED_TODAY = "energy_discharged_today"  # [Wh]
    ENERGY_PRODUCED_LIFETIME = "energy_produced_lifetime"  # [Wh], never falls
    ENERGY_CONSUMED_LIFETIME = "energy_consumed_lifetime"  # [Wh], never falls
    ENERGY_IMPORTED_LIFETIME = "energy_imported_lifetime"  # [Wh], never falls
    ENERGY_EXPORTED_LIFETIME = "energy_exported_lifetime"  # [Wh], never falls
    ENERGY_CHARGED_LIFETIME = "energy_charged_lifetime"  # [Wh], never falls
    ENERGY_DISCHARGED_LIFETIME = "energy_discharged_lifetime"  # [Wh], never falls
    PRODUCTION_SOURCE = "production_source"
    RATED_POWER = "rated_power"  # [W]
    RATED_CHARGE_POWER = "rated_charge_power"  # [W]
    RATED_DISCHARGE_POWER = "rated_discharge_power"  # [W]
    OPERATIONAL_SINCE = "operational_since"  # [s] since the epoch
    SYSTEM_STATUS = "system_status"
    LAST_REPORT = "last_report"  # [s] since the epoch


class Source(StrEnum):
    """Where a value came from. At equal moments a later member is preferred."""

    SUMMARY = "summary"
    BATTERY = "battery"
    LATEST = "latest"
    LIVE = "live"
    PRODUCTION_INTERVALS = "production_intervals"
    CONSUMPTION_INTERVALS = "consumption_intervals"
    IMPORT_INTERVALS = "import_intervals"
    EXPORT_INTERVALS = "export_intervals"
    BATTERY_INTERVALS = "battery_intervals"


type Value = float | str


@dataclass(frozen=True, slots=True)
class Sample:
    """One value, when it was measured (aware UTC), and who said so."""

    value: Value
    observed_at: datetime
    source: Source


type Samples = Mapping[Measurement, Sample]

NOTHING: Final[Samples] = {}

_RANK: Final = {source: rank for rank, source in enumerate(Source)}

_POWER_AGE: Final = timedelta(hours=3)
_AGE_LIMITS: Final[Mapping[Measurement, timedelta]] = {
    Measurement.PRODUCTION_POWER: _POWER_AGE,
    Measurement.CONSUMPTION_POWER: _POWER_AGE,
    Measurement.GRID_POWER: _POWER_AGE,
    Measurement.BATTERY_POWER: _POWER_AGE,
    Measurement.GENERATOR_POWER: _POWER_AGE,
    Measurement.BATTERY_LEVEL: timedelta(hours=6),
    Measurement.BATTERY_MODE: timedelta(days=1),
    Measurement.GRID_STATUS: timedelta(hours=1),
    Measurement.SYSTEM_STATUS: timedelta(days=1),
}
# A system that stood still at dusk is not asked again before dawn.
_NIGHT: Final = timedelta(hours=18)
# A gateway on cellular uploads four times a day.
_CELLULAR_AGE: Final = timedelta(hours=9)

_MONOTONE: Final = frozenset(
    {
        Measurement.ENERGY_PRODUCED_LIFETIME,
        Measurement.ENERGY_CONSUMED_LIFETIME,
        Measurement.ENERGY_IMPORTED_LIFETIME,
        Measurement.ENERGY_EXPORTED_LIFETIME,
        Measurement.ENERGY_CHARGED_LIFETIME,
        Measurement.ENERGY_DISCHARGED_LIFETIME,
    }
)
UNDATED: Final = frozenset(
    {
        Measurement.SYSTEM_STATUS,
        Measurement.BATTERY_CAPACITY,
        Measurement.PRODUCTION_SOURCE,
        Measurement.RATED_POWER,
        Measurement.RATED_CHARGE_POWER,
        Measurement.RATED_DISCHARGE_POWER,
        Measurement.OPERATIONAL_SINCE,
    }
)
"""What has no moment of measurement, but that of the answer that told it."""


def advance(known: Samples, arrived: Samples, *, now: datetime) -> Samples:
    """Return what is known after new samples arrived.

    An older measurement never replaces a newer one. A moment in the future (a gateway
    with a wrong clock) counts as now, so that it cannot keep later values out. A
    lifetime total never falls.
    """
    advanced = dict(known)
    for measurement, sample in arrived.items():
        dated = _not_in_future(sample, now)
        held = known.get(measurement)
        if held is None or dated.observed_at >= held.observed_at:
            advanced[measurement] = _not_falling(measurement, held, dated)
    return advanced


def merge(partitions: Iterable[Samples]) -> Samples:
    """Compose what several sources know; for each measurement the newest wins."""
    merged: dict[Measurement, Sample] = {}
    for samples in partitions:
        for measurement, sample in samples.items():
            held = merged.get(measurement)
            if held is None or _takes_precedence(sample, held):
                merged[measurement] = sample
    return merged


def fresh_value(
    samples: Samples, measurement: Measurement, *, now: datetime, cellular: bool
) -> Value | None:
    """Return a value unless it is unknown or past its age limit.

    `cellular`: the gateway uploads only every six hours.
    """
    if (sample := samples.get(measurement)) is None:
        return None
    limit = _age_limit(sample, measurement, cellular=cellular)
    if limit is not None and now - sample.observed_at > limit:
        return None
    return sample.value


def to_json(samples: Samples) -> dict[str, list[Any]]:
    """Return samples in a shape that JSON can hold."""
    return {
        measurement: [sample.value, sample.observed_at.timestamp(), sample.source]
        for measurement, sample in samples.items()
    }


def from_json(data: object) -> Samples:
    """Read what `to_json` wrote; whatever is damaged is left out."""
    if not isinstance(data, Mapping):
        return NOTHING
    return {
        Measurement(key): sample
        for key, stored in data.items()
        if key in Measurement and (sample := _sample_from_json(stored)) is not None
    }


def _takes_precedence(sample: Sample, held: Sample) -> bool:
    if sample.observed_at == held.observed_at:
        return _RANK[sample.source] > _RANK[held.source]
    return sample.observed_at > held.observed_at


def _not_in_future(sample: Sample, now: datetime) -> Sample:
    return replace(sample, observed_at=now) if sample.observed_at > now else sample


def _not_falling(
    measurement: Measurement, held: Sample | None, sample: Sample
) -> Sample:
    if (
        measurement in _MONOTONE
        and held is not None
        and isinstance(held.value, int | float)
        and isinstance(sample.value, int | float)
        and sample.value < held.value
    ):
        return replace(sample, value=held.value)
    return sample


def _age_limit(
    sample: Sample, measurement: Measurement, *, cellular: bool
) -> timedelta | None:
    limit = _AGE_LIMITS.get(measurement)
    if limit is None:
        return None
    if measurement is Measurement.PRODUCTION_POWER and sample.value == 0:
        return _NIGHT
    return max(limit, _CELLULAR_AGE) if cellular else limit


def _sample_from_json(stored: object) -> Sample | None:
    match stored:
        case [bool(), *_]:
            return None
        case [int() | float() | str() as value, int() | float() as at, str() as source]:
            if isinstance(value, float) and not math.isfinite(value):
                return None
            try:
                return Sample(value, datetime.fromtimestamp(at, UTC), Source(source))
            except ValueError, OverflowError, OSError:
                return None
    return None
