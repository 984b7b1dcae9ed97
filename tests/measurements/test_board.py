"""The samples of a system, by source and device."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, strategies as st

from custom_components.enphase_cloud.measurements.board import Board
from custom_components.enphase_cloud.measurements.catalog import Measurement, Source
from custom_components.enphase_cloud.measurements.samples import (
    NOTHING,
    Sample,
    Samples,
    merge,
)

NOON = datetime(2026, 6, 21, 12, tzinfo=UTC)
SOURCES = (Source.SUMMARY, Source.LATEST, Source.LIVE)
MEASUREMENTS = (
    Measurement.PRODUCTION_POWER,
    Measurement.GRID_POWER,
    Measurement.BATTERY_POWER,
)


@st.composite
def puts(draw: st.DrawFn) -> list[tuple[Source, Samples]]:
    """Return samples of sources in turn; some lack measurements or are older."""
    reported = st.dictionaries(
        st.sampled_from(MEASUREMENTS), st.tuples(st.integers(0, 9), st.integers(0, 5))
    )
    return [
        (
            source,
            {
                measurement: Sample(value, NOON + timedelta(minutes=minutes), source)
                for measurement, (value, minutes) in draw(reported).items()
            },
        )
        for source in draw(st.lists(st.sampled_from(SOURCES), max_size=9))
    ]


@given(puts())
def test_newest_is_the_merge_of_all_sources(
    reported: list[tuple[Source, Samples]],
) -> None:
    """After each change."""
    board = Board()
    for source, samples in reported:
        board.put(source, samples)
        parts = [board.samples(each) for each in Source]
        assert board.newest() == merge(parts)


def test_a_device_without_a_source_has_no_samples() -> None:
    """It is not an error."""
    assert Board().newest() == NOTHING
