"""What an array knows of its panels."""

from datetime import UTC, datetime, timedelta

import pytest

from custom_components.enphase_cloud.measurements.arrays import (
    ArrayFigures,
    PanelArray,
    array_of,
    figures,
    weakest,
)
from custom_components.enphase_cloud.measurements.board import Board
from custom_components.enphase_cloud.measurements.catalog import Measurement, Source
from custom_components.enphase_cloud.measurements.samples import Sample
from custom_components.enphase_cloud.measurements.system import Device, DeviceKind

NOW = datetime(2026, 6, 21, 3, tzinfo=UTC)
HOUR = timedelta(hours=1)
SOUTH = PanelArray("s", "South", frozenset(map(str, range(30))))
WEST = PanelArray("w", "West", frozenset({"40"}))


@pytest.mark.parametrize(
    ("energy", "least"),
    [
        ((), None),
        ((1_500.0,), 100.0),
        ((500.0, 1_500.0, 1_600.0), 33.3),
        ((0.0, 100.0, 100.0), 0.0),
        # A dark day says nothing of a single panel.
        ((0.0, 99.0, 99.0), None),
    ],
)
def test_the_weakest_is_compared_with_the_median(
    energy: tuple[float, ...], least: float | None
) -> None:
    assert weakest(energy) == least


def test_a_panel_is_in_one_array() -> None:
    """Its panels are in order, by which they are drawn."""
    assert [each.identifier for each in SOUTH.panels] == sorted(SOUTH.members)
    assert array_of([SOUTH, WEST], Device(DeviceKind.INVERTER, "40")) == WEST
    assert array_of([SOUTH, WEST], Device(DeviceKind.INVERTER, "41")) is None


def _panel(board: Board, key: str, energy: float | None, *, hours: int) -> None:
    """Put a panel on a board, with its last report some hours ago."""
    at = NOW - hours * HOUR
    samples = {Measurement.PANEL_LAST_REPORT: Sample(at.timestamp(), at, Source.PANELS)}
    if energy is not None:
        samples[Measurement.PANEL_ENERGY_YESTERDAY] = Sample(
            energy, NOW - HOUR, Source.PANELS
        )
    board.put(Source.PANELS, samples, Device(DeviceKind.INVERTER, key))


def test_figures_of_an_array_are_those_of_its_members() -> None:
    """Silent and missing members do not count; the others are of another array."""
    array = PanelArray("w", "West", frozenset("12345"))
    unknown = ArrayFigures(None, None, None, None)
    board = Board()
    assert figures(array, board, now=NOW, cellular=False) == unknown
    _panel(board, "1", 1_500.0, hours=1)
    _panel(board, "2", 1_000.0, hours=30)
    _panel(board, "3", 1_600.0, hours=31)
    _panel(board, "4", None, hours=2)
    _panel(board, "9", 9_000.0, hours=1)
    found = figures(array, board, now=NOW, cellular=False)
    assert found == ArrayFigures(4_100, None, 66.7, NOW - HOUR)
    listed = Sample(5, NOW, Source.PANELS)
    board.put(Source.PANELS, {Measurement.PANELS_REPORTING: listed})
    assert figures(array, board, now=NOW, cellular=False).reporting == 3
    later = NOW + timedelta(days=30)
    assert figures(array, board, now=later, cellular=False) == unknown
