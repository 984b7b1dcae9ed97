"""The documents of settings: how they are read, and how often they are requested."""

from copy import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from custom_components.enphase_cloud.api.models import (
    BatteryMode,
    BatterySettings,
    GridState,
    GridStatus,
    Load,
    LoadControl,
    LoadMode,
    StormGuard,
)
from custom_components.enphase_cloud.documents.base import Known, Report
from custom_components.enphase_cloud.documents.settings import load_device
from custom_components.enphase_cloud.documents.table import (
    BATTERY_SETTINGS_DOCUMENT,
    GRID_DOCUMENT,
    LOADS_DOCUMENT,
    STORM_GUARD_DOCUMENT,
)
from custom_components.enphase_cloud.measurements.board import Board
from custom_components.enphase_cloud.measurements.catalog import Measurement
from custom_components.enphase_cloud.measurements.system import SYSTEM, SystemInfo

NOON = datetime(2026, 6, 21, 12, tzinfo=UTC)
INFO = SystemInfo(system_id=71, name="Home", time_zone=UTC)
SELF = BatterySettings(
    mode=BatteryMode.SELF_CONSUMPTION,
    reserve=20,
    energy_independence=True,
    charge_from_grid=False,
    shutdown_level=5,
)


def _values(report: Report, device: Any = SYSTEM) -> dict[str, Any]:
    return {key: sample.value for key, sample in report.get(device, {}).items()}


def _digest(document: Any, response: Any, board: Board) -> Report:
    known = Known(info=INFO, board=board, fetched_at=NOON)
    listed, report = document.digest(response, known)
    if listed is not None:
        board.take_inventory(listed, complete=document.lists_all)
    for device, samples in report.items():
        board.put(document.source, samples, device)
    return report


def test_settings_of_the_battery() -> None:
    """Flags are 1 or 0; missing settings are unknown."""
    values = _values(_digest(BATTERY_SETTINGS_DOCUMENT, SELF, Board()))
    assert values == {
        Measurement.STORAGE_MODE: "self_consumption",
        Measurement.RESERVE_LEVEL: 20,
        Measurement.RESERVE_BEFORE_BACKUP: 20,
        Measurement.SHUTDOWN_LEVEL: 5,
        Measurement.ENERGY_INDEPENDENCE: 1,
        Measurement.CHARGE_FROM_GRID: 0,
    }
    assert _values(_digest(BATTERY_SETTINGS_DOCUMENT, BatterySettings(), Board())) == {}


def test_full_backup_does_not_hide_the_reserve_before_it() -> None:
    board = Board()
    backup = replace(SELF, mode=BatteryMode.FULL_BACKUP, reserve=100)
    first = _values(_digest(BATTERY_SETTINGS_DOCUMENT, backup, board))
    assert Measurement.RESERVE_BEFORE_BACKUP not in first
    _digest(BATTERY_SETTINGS_DOCUMENT, SELF, board)
    for _ in range(2):
        values = _values(_digest(BATTERY_SETTINGS_DOCUMENT, backup, board))
        assert values[Measurement.RESERVE_LEVEL] == 100
        assert values[Measurement.RESERVE_BEFORE_BACKUP] == 20


def test_storm_guard() -> None:
    values = _values(
        _digest(STORM_GUARD_DOCUMENT, StormGuard(is_on=True, alert=False), Board())
    )
    assert values == {Measurement.STORM_GUARD: 1, Measurement.STORM_ALERT: 0}


@pytest.mark.parametrize(
    ("reported_at", "dated"),
    [
        (NOON - timedelta(minutes=9), NOON - timedelta(minutes=9)),
        (NOON + timedelta(days=1), NOON),
    ],
)
def test_the_grid_status_has_the_moment_of_the_report(
    reported_at: datetime, dated: datetime
) -> None:
    state = GridState(GridStatus.OFF_GRID, reported_at)
    report = _digest(GRID_DOCUMENT, state, Board())
    assert report[SYSTEM][Measurement.GRID_STATUS].value == "off_grid"
    assert report[SYSTEM][Measurement.GRID_STATUS].observed_at == dated


@pytest.mark.parametrize(
    "state", [GridState(GridStatus.UNKNOWN, NOON), GridState(GridStatus.ON_GRID, None)]
)
def test_an_unknown_grid_status_is_skipped(state: GridState) -> None:
    assert not _digest(GRID_DOCUMENT, state, Board())


def test_loads_are_devices_with_the_names_of_the_owner() -> None:
    board = Board()
    load = Load(
        name="NC1",
        load_name="Pump",
        owner_can_override=False,
        mode=LoadMode.SCHEDULED,
        low=30,
        high=50,
        start=0,
        end=60,
    )
    report = _digest(
        LOADS_DOCUMENT, LoadControl({"NC1": load, "NC2": Load(name="NC2")}), board
    )
    assert _values(report, load_device("NC1")) == {
        Measurement.LOAD_MODE: "scheduled",
        Measurement.LOAD_CUTOFF_LEVEL: 30,
        Measurement.LOAD_RESTORE_LEVEL: 50,
        Measurement.LOAD_START: 0,
        Measurement.LOAD_END: 60,
        Measurement.LOAD_IS_LOCKED: 1,
    }
    assert _values(report, load_device("NC2")) == {Measurement.LOAD_IS_LOCKED: 0}
    assert board.inventory[load_device("NC1")].name == "Pump"


def test_a_load_is_removed_after_three_responses_without_it() -> None:
    """A list of devices does not count, as it never has loads."""
    board = Board()
    device = load_device("NC1")
    _digest(LOADS_DOCUMENT, LoadControl({"NC1": Load(name="NC1")}), board)
    for _ in range(2):
        _digest(LOADS_DOCUMENT, LoadControl({}), board)
        assert device in board.inventory
    _digest(LOADS_DOCUMENT, LoadControl({}), board)
    assert device not in board.inventory
    assert device not in board.devices()


@pytest.mark.parametrize(
    ("calls", "of_grid", "of_others"),
    [
        (300_000, 24, 24),
        (29_760, 24, 24),
        (29_759, 24, 4),
        (10_000, 24, 4),
        (8_928, 24, 4),
        (8_927, 4, 4),
        (4_960, 4, 4),
        (4_959, 4, 1),
        (1_488, 4, 1),
        (1_487, 1, 1),
    ],
)
def test_few_calls_make_settings_rare(
    calls: float, of_grid: float, of_others: float
) -> None:
    """All four use a tenth to a sixth of the calls, or one call of each per day."""
    board = Board()
    _digest(LOADS_DOCUMENT, LoadControl({"NC1": Load(name="NC1")}), board)
    periods = [
        document.period_of(board, calls)
        for document in (
            GRID_DOCUMENT,
            BATTERY_SETTINGS_DOCUMENT,
            STORM_GUARD_DOCUMENT,
            LOADS_DOCUMENT,
        )
    ]
    grid, *others = [timedelta(days=1) / period for period in periods if period]
    assert grid == of_grid
    assert others == [of_others] * 3
    assert 31 * (of_grid + 3 * of_others) <= max(calls / 6, 31 * 4)


def test_loads_are_requested_once_a_week_until_there_is_one() -> None:
    board = Board()
    assert LOADS_DOCUMENT.period_of(board, 300_000) == timedelta(days=7)
    _digest(LOADS_DOCUMENT, LoadControl({"NC1": Load(name="NC1")}), board)
    assert LOADS_DOCUMENT.period_of(board, 300_000) == timedelta(hours=1)
