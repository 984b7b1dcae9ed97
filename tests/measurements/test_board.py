"""What is known of a system, by source and device."""

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
    """Return what sources say, one after the other; some forget, or go back."""
    told = st.dictionaries(
        st.sampled_from(MEASUREMENTS), st.tuples(st.integers(0, 9), st.integers(0, 5))
    )
    return [
        (
            source,
            {
                measurement: Sample(value, NOON + timedelta(minutes=minutes), source)
                for measurement, (value, minutes) in draw(told).items()
            },
        )
        for source in draw(st.lists(st.sampled_from(SOURCES), max_size=9))
    ]


@given(puts())
def test_the_newest_of_all_sources_is_known(told: list[tuple[Source, Samples]]) -> None:
    """Whatever was looked at in between."""
    board = Board()
    for source, samples in told:
        board.put(source, samples)
        parts = [board.samples(each) for each in Source]
        assert board.newest() == merge(parts)


def test_nothing_is_known_of_a_device_that_no_source_names() -> None:
    """It is no error to ask."""
    assert Board().newest() == NOTHING
