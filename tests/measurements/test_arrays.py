"""What an array knows of its panels."""

import pytest

from custom_components.enphase_cloud.measurements.arrays import (
    PanelArray,
    array_of,
    weakest,
)
from custom_components.enphase_cloud.measurements.system import Device, DeviceKind

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
