"""The list of microinverters: samples of each, and their health."""

from copy import replace
from datetime import UTC, datetime, timedelta
import json
from typing import Any

import pytest

from custom_components.enphase_cloud.api.models.inverters import InvertersSummary
from custom_components.enphase_cloud.documents.base import Known
from custom_components.enphase_cloud.documents.panels import learn_health, read_panels
from custom_components.enphase_cloud.measurements.board import Board
from custom_components.enphase_cloud.measurements.catalog import Measurement, Source
from custom_components.enphase_cloud.measurements.inventory import DeviceProperties
from custom_components.enphase_cloud.measurements.samples import NOTHING
from custom_components.enphase_cloud.measurements.system import (
    SYSTEM,
    Device,
    DeviceKind,
)
from tests.boards import known

DAWN = datetime(2026, 6, 1, 2, tzinfo=UTC)
WEAK, DEAD = "48200001", "48200002"
SERIALS = [f"4820000{number}" for number in range(8)]


class Mornings:
    """A board that gets a list of panels before each dawn."""

    def __init__(self, arrays: dict[str, str] | None = None) -> None:
        """Start with totals of zero; the user may have defined arrays."""
        first = known(fetched_at=DAWN)
        self.known = replace(first, info=replace(first.info, arrays=arrays or {}))
        self.totals: dict[str, Any] = dict.fromkeys(SERIALS, 0)
        self.statuses = dict.fromkeys(SERIALS, "normal")
        self.silent: datetime | None = None
        self.silent_panels: dict[str, datetime] = {}
        self.is_dated = True

    def pass_days(self, days: int, **gave: float) -> None:
        """Let each panel give 1,500 Wh per day, or a share of that."""
        for _ in range(days):
            for serial in SERIALS:
                self.totals[serial] += round(1_500 * gave.get(f"p{serial}", 1.0))
            self.hear()

    def hear(self) -> None:
        """Read one response."""
        now = self.known.fetched_at + timedelta(days=1)
        self.known = Known(info=self.known.info, board=self.board, fetched_at=now)
        reported = self.silent or now - timedelta(hours=6)
        inverters = InvertersSummary.from_api([self._gateway(reported)]).inverters
        learn_health(inverters, self.known)
        for device, samples in read_panels(inverters, self.known).items():
            self.board.put(Source.PANELS, samples, device)

    def _gateway(self, reported: datetime) -> dict[str, Any]:
        panels = [
            {
                "serial_number": serial,
                "envoy_serial_number": "122",
                "status": self.statuses[serial],
                "energy": {"value": total, "units": "Wh"},
                "last_report_date": int(
                    self.silent_panels.get(serial, reported).timestamp()
                )
                if self.is_dated
                else None,
            }
            for serial, total in self.totals.items()
        ]
        return {"signal_strength": 5, "micro_inverters": panels}

    @property
    def board(self) -> Board:
        """Return what is known."""
        return self.known.board

    def value(self, measurement: Measurement, serial: str = "") -> object:
        """Return the values of a panel or of the system."""
        device = Device(DeviceKind.INVERTER, serial) if serial else SYSTEM
        sample = self.board.newest(device).get(measurement)
        return None if sample is None else sample.value


def test_weak_and_dead_panels_are_counted() -> None:
    """Each panel has its state."""
    mornings = Mornings()
    mornings.pass_days(12)
    assert mornings.value(Measurement.PANEL_PROBLEMS) == 0
    assert mornings.value(Measurement.PANEL_PERFORMANCE, WEAK) == 100
    mornings.pass_days(2, **{f"p{WEAK}": 0.7})
    mornings.pass_days(1, **{f"p{WEAK}": 0.7, f"p{DEAD}": 0.0})
    assert mornings.value(Measurement.PANEL_STATE, WEAK) == "weak"
    assert mornings.value(Measurement.PANEL_PERFORMANCE, WEAK) == 70
    assert mornings.value(Measurement.PANEL_STATE, DEAD) == "dead"
    assert mornings.value(Measurement.DEAD_PANELS) == 1
    assert mornings.value(Measurement.WEAK_PANELS) == 1
    mornings.statuses[SERIALS[5]] = "error"
    mornings.pass_days(1)
    assert mornings.value(Measurement.DEAD_PANELS) == 0
    assert mornings.value(Measurement.WEAK_PANELS) == 0
    assert mornings.value(Measurement.PANEL_PROBLEMS) == 1


def test_panels_are_compared_with_those_of_their_array() -> None:
    """A loss on another roof at the same time does not hide a fault."""
    north, south = SERIALS[:3], SERIALS[3:]
    arrays = dict.fromkeys(north, "north") | dict.fromkeys(south, "south")
    for known_arrays, state in (({}, "sound"), (arrays, "weak")):
        mornings = Mornings(known_arrays)
        mornings.pass_days(14)
        mornings.pass_days(9, **{f"p{each}": 0.7 for each in [*north, south[0]]})
        assert mornings.value(Measurement.PANEL_STATE, south[0]) == state
        assert mornings.value(Measurement.PANEL_STATE, south[1]) == "sound"


def test_panels_of_a_silent_gateway_are_skipped() -> None:
    """While their totals do not change, and when they include several days."""
    mornings = Mornings()
    mornings.pass_days(10)
    mornings.silent = mornings.known.fetched_at
    for _ in range(3):
        mornings.hear()
    days = mornings.board.panel_health.groups["122"].days
    assert {energy for _, energy in days[-2:]} == {0, 1_500}
    mornings.silent = None
    mornings.pass_days(1)
    assert mornings.value(Measurement.PANEL_PROBLEMS) == 0


def test_energy_of_several_days_or_of_a_silent_gateway_is_not_of_yesterday() -> None:
    """Nothing is known of the days of silence, and not how they share the energy."""
    mornings = Mornings()
    mornings.pass_days(3)
    assert mornings.value(Measurement.PANEL_ENERGY_YESTERDAY, WEAK) == 1_500
    mornings.silent = mornings.known.fetched_at - timedelta(hours=6)
    mornings.hear()
    mornings.hear()
    assert mornings.value(Measurement.PANEL_ENERGY_YESTERDAY, WEAK) is None
    assert mornings.value(Measurement.WEAKEST_PANEL) is None
    for serial in SERIALS:
        mornings.totals[serial] += 3_000
    mornings.silent = None
    mornings.pass_days(1)
    assert mornings.value(Measurement.PANEL_ENERGY_YESTERDAY, WEAK) is None
    mornings.pass_days(1)
    assert mornings.value(Measurement.PANEL_ENERGY_YESTERDAY, WEAK) == 1_500


def test_a_silent_panel_gave_nothing_yesterday() -> None:
    """Its gateway reports that its total stays the same."""
    mornings = Mornings()
    mornings.silent_panels = {DEAD: DAWN}
    mornings.pass_days(4, **{f"p{DEAD}": 0.0})
    assert mornings.value(Measurement.PANEL_ENERGY_YESTERDAY, DEAD) == 0
    assert mornings.value(Measurement.PANEL_ENERGY_YESTERDAY, WEAK) == 1_500


def test_a_total_that_is_missing_for_a_day_is_waited_for() -> None:
    """The one before stays what the next is compared with."""
    mornings = Mornings()
    mornings.pass_days(3)
    total = mornings.totals.pop(WEAK)
    mornings.totals |= {WEAK: None}
    mornings.hear()
    assert mornings.value(Measurement.PANEL_ENERGY_YESTERDAY, WEAK) is None
    assert mornings.value(Measurement.PANEL_ENERGY_YESTERDAY, DEAD) == 0
    mornings.totals[WEAK] = total
    mornings.pass_days(2)
    assert mornings.value(Measurement.PANEL_ENERGY_YESTERDAY, WEAK) == 1_500


def test_a_retired_panel_is_not_dead() -> None:
    """Its owner has replaced it."""
    mornings = Mornings()
    mornings.pass_days(10)
    mornings.statuses[DEAD] = "retired"
    mornings.pass_days(10, **{f"p{DEAD}": 0.0})
    assert mornings.value(Measurement.DEAD_PANELS) == 0
    assert mornings.value(Measurement.PANEL_PROBLEMS) == 0


def test_reports_without_a_date_are_no_silence() -> None:
    """The energy of yesterday is known from the totals."""
    mornings = Mornings()
    mornings.is_dated = False
    mornings.pass_days(3)
    assert mornings.value(Measurement.PANEL_ENERGY_YESTERDAY, WEAK) == 1_500


@pytest.mark.parametrize("fault", [0.0, 0.5, 10.0, 1e6])
def test_a_wrong_total_is_skipped(fault: float) -> None:
    """It would count as a reset, or as energy that never flowed."""
    mornings = Mornings()
    mornings.pass_days(100)
    right = mornings.totals
    mornings.totals = {serial: round(each * fault) for serial, each in right.items()}
    mornings.hear()
    assert mornings.value(Measurement.PANEL_ENERGY_LIFETIME, WEAK) == 150_000
    assert mornings.value(Measurement.PANEL_ENERGY_YESTERDAY, WEAK) is None
    mornings.totals = right
    mornings.pass_days(1)
    assert mornings.value(Measurement.PANEL_ENERGY_LIFETIME, WEAK) == 151_500
    mornings.pass_days(1)
    assert mornings.value(Measurement.PANEL_ENERGY_YESTERDAY, WEAK) == 1_500


def test_a_total_that_stays_wrong_is_accepted() -> None:
    """After three days it is not a fault."""
    mornings = Mornings()
    mornings.pass_days(100)
    mornings.totals = dict.fromkeys(SERIALS, 700)
    mornings.pass_days(3, **{f"p{WEAK}": 0.5})
    assert mornings.value(Measurement.PANEL_ENERGY_LIFETIME, WEAK) == 150_000
    mornings.pass_days(1, **{f"p{WEAK}": 0.5})
    assert mornings.value(Measurement.PANEL_ENERGY_LIFETIME, WEAK) == 3_700


def test_a_gateway_with_a_clock_far_ahead_may_be_silent() -> None:
    """A report in the future counts as now while the energy increases."""
    mornings = Mornings()
    mornings.silent = DAWN + timedelta(days=365)
    mornings.pass_days(10)
    last_day = mornings.known.fetched_at
    assert mornings.value(Measurement.PANELS_REPORTING) == len(SERIALS)
    assert mornings.value(Measurement.PANEL_LAST_REPORT, WEAK) == last_day.timestamp()
    for _ in range(3):
        mornings.hear()
    assert mornings.value(Measurement.PANELS_REPORTING) == 0
    assert mornings.value(Measurement.PANEL_LAST_REPORT, WEAK) == last_day.timestamp()
    days = mornings.board.panel_health.groups["122"].days
    assert [energy for _, energy in days[-3:]] == [1_500, 1_500, 0]
    mornings.pass_days(1, **{f"p{DEAD}": 0.0})
    assert mornings.value(Measurement.PANELS_REPORTING) == len(SERIALS) - 1
    assert mornings.value(Measurement.PANEL_STATE, DEAD) == "dead"


def test_health_is_stored_and_removed_with_the_panel() -> None:
    """A file of an old version has none."""
    mornings = Mornings()
    mornings.pass_days(10)
    mornings.pass_days(1, **{f"p{DEAD}": 0.0})
    stored = json.loads(json.dumps(mornings.board.as_dict()))

    def restored(stored: dict[str, Any]) -> Board:
        board = Board()
        board.restore(
            stored,
            lambda read, part, default: default if part is None else read(part),
            now=mornings.known.fetched_at,
            is_same=True,
        )
        return board

    board = restored(stored)
    assert board.panel_health == mornings.board.panel_health
    assert board.panel_health.state(DEAD) == "dead"
    device = Device(DeviceKind.INVERTER, DEAD)
    board.take_inventory({device: DeviceProperties()}, complete=DeviceKind)
    for _ in range(3):
        board.take_inventory({}, complete=DeviceKind)
    assert board.panel_health.state(DEAD) == "sound"
    board.drop([Source.PANELS])
    assert not board.panel_health.groups
    del stored["panel_health"]
    assert not restored(stored).panel_health.groups
    assert board.samples(Source.PANELS) == NOTHING
