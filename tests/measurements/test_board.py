"""The samples of a system, by source and device."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, strategies as st
import pytest

from custom_components.enphase_cloud.api.models import EnergyIntervals
from custom_components.enphase_cloud.measurements.board import Board
from custom_components.enphase_cloud.measurements.catalog import Measurement, Source
from custom_components.enphase_cloud.measurements.inventory import DeviceProperties
from custom_components.enphase_cloud.measurements.samples import (
    NOTHING,
    Sample,
    Samples,
    merge,
)
from custom_components.enphase_cloud.measurements.system import Device, DeviceKind

CHARGER = Device(DeviceKind.CHARGER, "202620010308")
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


def _charger_board() -> Board:
    """Return a board with the intervals and sessions of a charger."""
    board = Board()
    board.take_inventory({CHARGER: DeviceProperties()}, complete=())
    board.sessions[CHARGER] = ()
    board.charged[CHARGER] = EnergyIntervals(7, (), None, timedelta(minutes=15))
    return board


def test_a_removed_charger_leaves_no_sessions() -> None:
    """A charger with its serial number may return."""
    board = _charger_board()
    for absences in range(3):
        assert len(board.sessions) == len(board.charged) == 1, absences
        board.take_inventory({}, complete=DeviceKind)
    assert not board.sessions
    assert not board.charged


@pytest.mark.parametrize(
    ("source", "sessions", "intervals"),
    [
        (Source.CHARGER_SESSIONS, 0, 1),
        (Source.CHARGER_INTERVALS, 1, 0),
        (Source.CHARGER_DAYS, 1, 1),
    ],
)
def test_a_dropped_source_leaves_no_sessions_or_intervals(
    source: Source, sessions: int, intervals: int
) -> None:
    board = _charger_board()
    board.drop([source])
    assert (len(board.sessions), len(board.charged)) == (sessions, intervals)
