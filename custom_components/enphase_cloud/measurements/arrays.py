"""Arrays: groups of panels that the user defined, and their energy."""

from collections.abc import Collection
from datetime import datetime, timedelta
from statistics import median
from typing import Final, NamedTuple

from .board import Board
from .catalog import Measurement
from .samples import Sample, Value, fresh_value
from .system import SYSTEM, Device, DeviceKind

SILENT_AFTER: Final = timedelta(hours=30)
"""A panel that did not report for this time is silent."""

# Below this median [Wh] of all panels, a single panel cannot be assessed.
_DARK_DAY: Final = 100.0


class PanelArray(NamedTuple):
    """Panels of one roof: their keys, and their orientation [°].

    The tilt is 0 for flat panels; the azimuth is 180 for south. A member may be a panel
    that was removed; it counts again if it comes back.
    """

    key: str
    name: str
    members: frozenset[str]
    tilt: float | None = None
    azimuth: float | None = None

    @property
    def device(self) -> Device:
        """Return the array as a device of its system."""
        return Device(DeviceKind.ARRAY, self.key)

    @property
    def panels(self) -> list[Device]:
        """Return the members as devices of the system."""
        return [Device(DeviceKind.INVERTER, key) for key in sorted(self.members)]


def array_of(arrays: Collection[PanelArray], panel: Device) -> PanelArray | None:
    """Return the array that a panel is in."""
    return next((each for each in arrays if panel.identifier in each.members), None)


def weakest(energy: Collection[float]) -> float | None:
    """Return the least energy of all panels [% of the median]; None for a dark day."""
    usual = median(energy) if energy else 0.0
    return round(100 * min(energy) / usual, 1) if usual >= _DARK_DAY else None


class ArrayFigures(NamedTuple):
    """The values of an array; None where unknown.

    `energy_yesterday` [Wh] is the sum of the members with a known energy; `weakest` is
    the least of it [% of the median]. `observed_at` is the oldest moment of it.
    """

    energy_yesterday: float | None
    reporting: int | None
    weakest: float | None
    observed_at: datetime | None


def figures(
    array: PanelArray, board: Board, *, now: datetime, cellular: bool
) -> ArrayFigures:
    """Return the values of an array now."""

    def fresh(device: Device, measurement: Measurement) -> Value | None:
        known = board.newest(device)
        return fresh_value(known, measurement, now=now, cellular=cellular)

    energy = {
        device: float(value)
        for device in array.panels
        if (value := fresh(device, Measurement.PANEL_ENERGY_YESTERDAY)) is not None
    }
    listed = board.newest().get(Measurement.PANELS_REPORTING)
    is_listed = fresh(SYSTEM, Measurement.PANELS_REPORTING)
    return ArrayFigures(
        energy_yesterday=sum(energy.values()) if energy else None,
        reporting=None
        if listed is None or is_listed is None
        else _reporting(array, board, listed),
        weakest=weakest(energy.values()),
        observed_at=min(
            (
                board.newest(device)[Measurement.PANEL_ENERGY_YESTERDAY].observed_at
                for device in energy
            ),
            default=None,
        ),
    )


def _reporting(array: PanelArray, board: Board, listed: Sample) -> int:
    """Return how many members were not silent when the panels were listed."""
    reports = (
        board.newest(device).get(Measurement.PANEL_LAST_REPORT)
        for device in array.panels
    )
    return sum(
        listed.observed_at - report.observed_at <= SILENT_AFTER
        for report in reports
        if report is not None
    )
