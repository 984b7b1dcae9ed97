"""The newest measurement wins, from any source and in any order of arrival."""

from contextlib import suppress
from copy import replace
from datetime import UTC, datetime, timedelta
import json

from hypothesis import example, given, strategies as st
import pytest

from custom_components.enphase_cloud.measurements.catalog import Measurement, Source
from custom_components.enphase_cloud.measurements.samples import (
    NOTHING,
    Sample,
    Samples,
    advance,
    as_of,
    fresh_value,
    from_json,
    is_producing,
    merge,
    to_json,
)
from custom_components.enphase_cloud.measurements.traits import Kind

NOON = datetime(2026, 6, 21, 12, tzinfo=UTC)
# Values that are not numbers.
STORED = {
    measurement: next(iter(measurement.traits.states), "meter")
    for measurement in Measurement
    if measurement.traits.kind is Kind.STATE
} | {
    measurement: "12@0100-0630"
    for measurement in Measurement
    if measurement.traits.kind is Kind.TEXT
}

moments = st.integers(-86_400, 86_400).map(lambda s: NOON + timedelta(seconds=s))
values = st.one_of(
    st.integers(-20_000, 20_000),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
)
samples = st.builds(Sample, values, moments, st.sampled_from(Source))
partitions = st.dictionaries(st.sampled_from(Measurement), samples)


def _power(value: float, at: datetime, source: Source = Source.LATEST) -> Samples:
    return {Measurement.GRID_POWER: Sample(value, at, source)}


@given(st.lists(partitions))
def test_no_older_measurement_replaces_a_newer_one(arriving: list[Samples]) -> None:
    """Moments only move forward, in any order of arrival."""
    known: Samples = NOTHING
    for arrived in arriving:
        after = advance(known, arrived, now=NOON)
        for measurement, sample in known.items():
            assert after[measurement].observed_at >= sample.observed_at
        known = after


@given(partitions, partitions, moments)
def test_samples_of_a_clock_that_was_ahead_do_not_block_others(
    known: Samples, arrived: Samples, now: datetime
) -> None:
    """A sample of now replaces any known one."""
    measured = {
        measurement: replace(sample, observed_at=now)
        for measurement, sample in arrived.items()
        if "lifetime" not in measurement
    }
    after = advance(known, measured, now=now)
    assert after == {**as_of(known, now), **measured}
    assert all(sample.observed_at <= now for sample in after.values())


@given(partitions, moments)
def test_no_sample_is_of_the_future(known: Samples, now: datetime) -> None:
    """Moments in the future become now; nothing else changes."""
    bound = as_of(known, now)
    assert bound.keys() == known.keys()
    assert as_of(bound, now) is bound
    for measurement, sample in known.items():
        at = min(sample.observed_at, now)
        assert bound[measurement] == replace(sample, observed_at=at)


@given(st.lists(partitions))
def test_merging_finds_the_newest_in_any_order(sources: list[Samples]) -> None:
    """Merging is independent of the order of its sources, up to equal precedence."""
    forward = merge(sources)
    backward = merge(reversed(sources))
    assert forward.keys() == {key for source in sources for key in source}
    for measurement, sample in forward.items():
        candidates = [s[measurement] for s in sources if measurement in s]
        assert sample in candidates
        assert all(sample.observed_at >= other.observed_at for other in candidates)
        assert backward[measurement].observed_at == sample.observed_at
        assert backward[measurement].source == sample.source


def test_live_wins_over_a_poll_of_the_same_moment() -> None:
    """At one moment the live stream is the closest to the meter."""
    live = _power(100, NOON, Source.LIVE)
    polled = _power(90, NOON, Source.LATEST)
    assert merge([polled, live]) == live == merge([live, polled])


def test_a_later_poll_takes_over_from_live() -> None:
    """After a live session the polled documents take over as they become newer."""
    live = _power(100, NOON, Source.LIVE)
    polled = _power(90, NOON + timedelta(seconds=1), Source.LATEST)
    assert merge([live, polled]) == polled


def test_a_gateway_clock_ahead_does_not_block_later_values() -> None:
    """A moment in the future counts as now."""
    ahead = advance(NOTHING, _power(1, NOON + timedelta(hours=1)), now=NOON)
    later = NOON + timedelta(seconds=5)
    after = advance(ahead, _power(2, later), now=later)
    assert after[Measurement.GRID_POWER].value == 2


def test_a_gateway_clock_behind_changes_nothing() -> None:
    """A value measured an hour ago does not replace one of this minute."""
    known = advance(NOTHING, _power(1, NOON), now=NOON)
    assert advance(known, _power(2, NOON - timedelta(hours=1)), now=NOON) == known


def test_a_correction_of_the_same_moment_is_taken() -> None:
    """The cloud may correct the value of a moment."""
    known = advance(NOTHING, _power(1, NOON), now=NOON)
    assert advance(known, _power(2, NOON), now=NOON) == _power(2, NOON)


@given(st.lists(st.tuples(st.floats(0, 1e9), moments), min_size=1))
def test_a_lifetime_total_never_falls(readings: list[tuple[float, datetime]]) -> None:
    """Dips and late responses cannot make the lifetime energy fall."""
    known: Samples = NOTHING
    shown = [0.0]
    for value, at in readings:
        arrived = {
            Measurement.ENERGY_PRODUCED_LIFETIME: Sample(value, at, Source.SUMMARY)
        }
        known = advance(known, arrived, now=NOON)
        shown.append(float(known[Measurement.ENERGY_PRODUCED_LIFETIME].value))
    assert shown == sorted(shown)


@pytest.mark.parametrize(
    ("measurement", "value", "cellular", "hours"),
    [
        (Measurement.GRID_POWER, 5, False, 3),
        (Measurement.GRID_POWER, 5, True, 9),
        (Measurement.PRODUCTION_POWER, 500, False, 3),
        (Measurement.PRODUCTION_POWER, 0, False, 18),
        (Measurement.BATTERY_LEVEL, 50, False, 6),
        (Measurement.GRID_STATUS, "on_grid", False, 2),
    ],
)
def test_a_value_past_its_age_limit_is_unknown(
    measurement: Measurement, value: float | str, *, cellular: bool, hours: int
) -> None:
    """An old value is unknown; a production of zero lasts through the night."""
    known = {measurement: Sample(value, NOON, Source.LATEST)}
    limit = NOON + timedelta(hours=hours)
    just_before = fresh_value(known, measurement, now=limit, cellular=cellular)
    just_after = fresh_value(
        known, measurement, now=limit + timedelta(seconds=1), cellular=cellular
    )
    assert (just_before, just_after) == (value, None)


@pytest.mark.parametrize("power", [0, 3, -3, -900])
def test_a_meters_noise_in_the_dark_lasts_through_the_night(power: int) -> None:
    """A system that produced nothing at dusk is not requested again before dawn."""
    known = {Measurement.PRODUCTION_POWER: Sample(power, NOON, Source.SUMMARY)}
    for hours, expected in ((17, power), (19, None)):
        now = NOON + timedelta(hours=hours)
        value = fresh_value(
            known, Measurement.PRODUCTION_POWER, now=now, cellular=False
        )
        assert value == expected


@pytest.mark.parametrize(
    ("power", "size", "expected"),
    [
        (10, None, False),
        (11, None, True),
        (-5_000, None, False),
        (11, 300, True),
        (13, 6_800, False),
        (14, 6_800, True),
        (90, 50_000, False),
        (110, 50_000, True),
        # A rated power ten times too great does not turn dark clouds into night.
        (140, 68_000, True),
    ],
)
def test_what_counts_as_production(
    power: int, size: int | None, *, expected: bool
) -> None:
    """More than a few watts, or than a small share of the rated power."""
    known: Samples = {}
    if size is not None:
        known = {Measurement.RATED_POWER: Sample(size, NOON, Source.SUMMARY)}
    assert is_producing(power, known) is expected


def test_lifetime_energy_does_not_age() -> None:
    """A counter that does not change is still valid."""
    known = {
        Measurement.ENERGY_PRODUCED_LIFETIME: Sample(8_000_000, NOON, Source.SUMMARY)
    }
    value = fresh_value(
        known,
        Measurement.ENERGY_PRODUCED_LIFETIME,
        now=NOON + timedelta(days=400),
        cellular=False,
    )
    assert value == 8_000_000


def test_what_was_never_measured_is_unknown() -> None:
    """There is no default value."""
    value = fresh_value(NOTHING, Measurement.GRID_POWER, now=NOON, cellular=False)
    assert value is None


@given(st.lists(partitions))
def test_samples_survive_the_disk(sources: list[Samples]) -> None:
    """Values, moments and sources are equal after reading."""
    known = {
        measurement: replace(sample, value=STORED.get(measurement, 3.5))
        for measurement, sample in merge(sources).items()
    }
    assert from_json(json.loads(json.dumps(to_json(known)))) == known


def test_measurements_of_a_newer_version_are_skipped() -> None:
    """The others are read."""
    known = _power(5, NOON)
    assert from_json({**to_json(known), "humidity": [1, 2, "live"]}) == known


@pytest.mark.parametrize(
    ("measurement", "value"),
    [
        (Measurement.GRID_POWER, "much"),
        (Measurement.GRID_POWER, 10**400),
        (Measurement.GRID_POWER, float("nan")),
        (Measurement.GRID_POWER, True),
        (Measurement.SYSTEM_STATUS, 5),
        (Measurement.SYSTEM_STATUS, "x" * 4_000_000),
        (Measurement.SYSTEM_STATUS, "a status that nobody knows"),
        (Measurement.LAST_REPORT, 1e300),
        (Measurement.OPERATIONAL_SINCE, -1),
    ],
)
def test_a_value_is_of_its_measurements_kind(
    measurement: Measurement, value: object
) -> None:
    """Otherwise reading raises ValueError."""
    with pytest.raises(ValueError, match=r"[Nn]ot"):
        from_json({measurement: [value, NOON.timestamp(), "live"]})


odd_values = st.none() | st.booleans() | st.floats() | st.integers() | st.text()
json_values = st.recursive(
    odd_values,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(
    json_values
    | st.dictionaries(
        st.sampled_from(Measurement),
        st.tuples(
            odd_values,
            st.just(NOON.timestamp()) | odd_values,
            st.sampled_from(Source) | odd_values,
        ).map(list),
        max_size=2,
    )
)
@example({Measurement.GRID_POWER: [100, NOON.timestamp(), "live"]})
def test_damaged_data_raises_or_gives_whole_samples(damaged: object) -> None:
    """ValueError is the only error."""
    with suppress(ValueError):
        for sample in from_json(damaged).values():
            assert isinstance(sample, Sample)
            assert sample.observed_at.tzinfo is not None
