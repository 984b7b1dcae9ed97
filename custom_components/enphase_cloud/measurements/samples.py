"""Measured values with their moment and source; the newest measurement wins."""

from collections.abc import Iterable, Mapping
from copy import replace
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from ..json_values import moment, number, prose, quantity, record, rows, text
from .catalog import Measurement, Source
from .traits import Kind

type Value = float | str


class Sample(NamedTuple):
    """One value, when it was measured (aware UTC), and its source."""

    value: Value
    observed_at: datetime
    source: Source


type Samples = Mapping[Measurement, Sample]

NOTHING: Final[Samples] = {}

_RANK: Final = {source: rank for rank, source in enumerate(Source)}

# A system that produced nothing at dusk is not requested again before dawn.
_NIGHT: Final = timedelta(hours=18)
# A production meter may read this much in the dark: [W], or as a share of the rated
# power. Under the darkest clouds panels produce far more than either.
_DARK: Final = 10.0
_DARK_SHARE: Final = 0.002
# A gateway on cellular uploads four times a day.
_CELLULAR_AGE: Final = timedelta(hours=9)


def advance(known: Samples, arrived: Samples, *, now: datetime) -> Samples:
    """Return the known samples after new ones arrived.

    An older measurement never replaces a newer one. A moment in the future (from a
    gateway with a wrong clock, or before our own clock was corrected) counts as now, so
    that it does not block later values. A lifetime total never falls.
    """
    advanced = dict(as_of(known, now))
    for measurement, dated in as_of(arrived, now).items():
        held = advanced.get(measurement)
        if held is None or dated.observed_at >= held.observed_at:
            advanced[measurement] = _not_falling(measurement, held, dated)
    return advanced


def as_of(samples: Samples, now: datetime) -> Samples:
    """Return the samples, with moments in the future replaced by now."""
    if all(sample.observed_at <= now for sample in samples.values()):
        return samples
    return {
        measurement: replace(sample, observed_at=min(sample.observed_at, now))
        for measurement, sample in samples.items()
    }


def merge(partitions: Iterable[Samples]) -> Samples:
    """Merge the samples of several sources; for each measurement the newest wins."""
    merged: dict[Measurement, Sample] = {}
    for samples in partitions:
        for measurement, sample in samples.items():
            held = merged.get(measurement)
            if held is None or _takes_precedence(sample, held):
                merged[measurement] = sample
    return merged


def follows(before: Samples, after: Samples) -> bool:
    """Return whether all samples of a source are still there and none is older."""
    return all(
        measurement in after and after[measurement].observed_at >= sample.observed_at
        for measurement, sample in before.items()
    )


def merge_newer(known: Samples, arrived: Samples) -> Samples:
    """Return the newest samples of all sources after one source has newer ones.

    Equal to `merge` of all sources, but faster: live data arrives each second. Valid
    only if `follows` is true for the samples of that source.
    """
    merged = dict(known)
    for measurement, sample in arrived.items():
        held = known.get(measurement)
        if (
            held is None
            or held.source is sample.source
            or _takes_precedence(sample, held)
        ):
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
    limit = _age_limit(sample, measurement, samples, cellular=cellular)
    if limit is not None and now - sample.observed_at > limit:
        return None
    return sample.value


def is_producing(power: Value, known: Samples) -> bool:
    """Return whether a production power [W] is more than a meter reads in the dark.

    In the dark a meter reads a few watts, positive or negative, and more in a large
    plant.
    """
    rated = known.get(Measurement.RATED_POWER)
    share = 0.0 if rated is None else float(rated.value) * _DARK_SHARE
    return float(power) > max(_DARK, share)


def to_json(samples: Samples) -> dict[str, list[Any]]:
    """Return samples in a shape that JSON can hold."""
    return {
        measurement: [sample.value, sample.observed_at.timestamp(), sample.source]
        for measurement, sample in samples.items()
    }


def from_json(data: object) -> Samples:
    """Read what `to_json` wrote; raises ValueError where that is damaged.

    Skips measurements that this version does not know.
    """
    stored = record(data)
    return {
        measurement: _sample(measurement, stored[measurement])
        for measurement in Measurement
        if measurement in stored
    }


def _takes_precedence(sample: Sample, held: Sample) -> bool:
    if sample.observed_at == held.observed_at:
        return _RANK[sample.source] > _RANK[held.source]
    return sample.observed_at > held.observed_at


def _not_falling(
    measurement: Measurement, held: Sample | None, sample: Sample
) -> Sample:
    if (
        measurement.traits.kind is Kind.ENERGY_TOTAL
        and held is not None
        and isinstance(held.value, int | float)
        and isinstance(sample.value, int | float)
        and sample.value < held.value
    ):
        return replace(sample, value=held.value)
    return sample


def _age_limit(
    sample: Sample, measurement: Measurement, known: Samples, *, cellular: bool
) -> timedelta | None:
    limit = measurement.traits.max_age
    if limit is None:
        return None
    if measurement is Measurement.PRODUCTION_POWER and not is_producing(
        sample.value, known
    ):
        return _NIGHT
    return max(limit, _CELLULAR_AGE) if cellular else limit


def _sample(measurement: Measurement, stored: object) -> Sample:
    ((value, observed_at, source),) = rows([stored], width=3)
    return Sample(_value(measurement, value), moment(observed_at), Source(source))


def _value(measurement: Measurement, stored: object) -> Value:
    """Return a stored value of the kind that a measurement has."""
    match measurement.traits.kind:
        case Kind.STATE:
            state = text(stored)
            if state not in (measurement.traits.states or (state,)):
                raise ValueError("Not a state")
            return state
        case Kind.TEXT:
            return prose(stored)
        case Kind.MOMENT | Kind.DURATION | Kind.COST:
            return number(stored)
    return quantity(stored)
