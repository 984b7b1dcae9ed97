"""Arrays: panels that the user takes together, and what they give."""

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

# Less [Wh] than this, as the median of all, tells nothing of a single panel.
_DARK_DAY: Final = 100.0


class PanelArray(NamedTuple):
    """Panels of one roof: their keys, and where they look [°].

    The tilt is 0 where they lie flat; the azimuth is 180 in the south. A member may be
    gone; it counts again if it comes back.
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


def weakest(energies: Collection[float]) -> float | None:
    """Return what the weakest panel gave [% of the median]; None of a dark day."""
    usual = median(energies) if energies else 0.0
    return round(100 * min(energies) / usual, 1) if usual >= _DARK_DAY else None


class ArrayFigures(NamedTuple):
    """What is known of an array; None where nothing is.

    `energy_yesterday` [Wh] is of the members that told theirs; `weakest` [%] is a share
    of their median. `observed_at` is the moment of the answer that told it.
    """

    energy_yesterday: float | None
    reporting: int | None
    weakest: float | None
    observed_at: datetime | None


def figures(
    array: PanelArray, board: Board, *, now: datetime, cellular: bool
) -> ArrayFigures:
    """Return what is known of an array now."""

    def fresh(device: Device, measurement: Measurement) -> Value | None:
        known = board.newest(device)
        return fresh_value(known, measurement, now=now, cellular=cellular)

    told = [
        (float(energy), device)
        for device in array.panels
        if (energy := fresh(device, Measurement.PANEL_ENERGY_YESTERDAY)) is not None
    ]
    energies = [energy for energy, _ in told]
    listed = board.newest().get(Measurement.PANELS_REPORTING)
    is_listed = fresh(SYSTEM, Measurement.PANELS_REPORTING)
    return ArrayFigures(
        energy_yesterday=sum(energies) if energies else None,
        reporting=None
        if listed is None or is_listed is None
        else _reporting(array, board, listed),
        weakest=weakest(energies),
        observed_at=min(
            (
                board.newest(device)[Measurement.PANEL_ENERGY_YESTERDAY].observed_at
                for _, device in told
            ),
            default=None,
        ),
    )


def _reporting(array: PanelArray, board: Board, listed: Sample) -> int:
    """Return how many members had reported when the panels were listed."""
    reports = (
        board.newest(device).get(Measurement.PANEL_LAST_REPORT)
        for device in array.panels
    )
    return sum(
        listed.observed_at - report.observed_at <= SILENT_AFTER
        for report in reports
        if report is not None
    )
