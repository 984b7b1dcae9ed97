"""What a change of a setting writes, and which changes are invalid."""

from datetime import UTC, datetime
from typing import Any

import pytest

from custom_components.enphase_cloud.api.models import (
    BatteryMode,
    BatterySettings,
    Load,
    LoadControl,
    LoadMode,
    StormGuard,
)
from custom_components.enphase_cloud.documents.writes import (
    SETTINGS,
    RefusedChangeError,
)
from custom_components.enphase_cloud.measurements.board import Board
from custom_components.enphase_cloud.measurements.catalog import Measurement, Source
from custom_components.enphase_cloud.measurements.samples import Sample

BATTERY, STORM_GUARD, LOADS = SETTINGS
SELF = BatterySettings(
    mode=BatteryMode.SELF_CONSUMPTION,
    reserve=20,
    energy_independence=False,
    shutdown_level=5,
)
BACKUP = SELF._replace(mode=BatteryMode.FULL_BACKUP, reserve=100)
LOAD = Load(name="NC1", mode=LoadMode.BASIC)


def board(before: int | None = None) -> Board:
    """Return a board with the reserve before Full Backup."""
    found = Board()
    if before is not None:
        sample = Sample(before, datetime(2026, 6, 1, tzinfo=UTC), Source.SUMMARY)
        known = {Measurement.RESERVE_BEFORE_BACKUP: sample}
        found.put(Source.BATTERY_SETTINGS, known)
    return found


@pytest.mark.parametrize(
    ("settings", "fields", "before", "reserve"),
    [
        (SELF, {"reserve": 30}, None, 30),
        (SELF, {"reserve": 2}, None, 5),
        (SELF, {"mode": BatteryMode.SAVINGS}, 33, 20),
        (SELF, {"mode": BatteryMode.FULL_BACKUP}, 33, 100),
        (SELF, {"mode": BatteryMode.FULL_BACKUP, "reserve": 30}, None, 100),
        (BACKUP, {"reserve": 100}, None, 100),
        (BACKUP, {"mode": BatteryMode.SAVINGS}, 33, 33),
        (BACKUP, {"mode": BatteryMode.SAVINGS, "reserve": 40}, 33, 40),
        (BACKUP, {"mode": BatteryMode.SAVINGS}, None, None),
    ],
)
def test_the_reserve_depends_on_the_mode(
    settings: BatterySettings,
    fields: dict[str, Any],
    before: int | None,
    reserve: int | None,
) -> None:
    """If the reserve before Full Backup is unknown, the cloud decides."""
    changed = BATTERY.change(settings, fields, board(before))
    assert changed.body().get("reserve_soc") == reserve
    assert changed.energy_independence is False


def test_full_backup_has_no_other_reserve() -> None:
    with pytest.raises(RefusedChangeError) as raised:
        BATTERY.change(BACKUP, {"reserve": 50}, board())
    assert raised.value.key == "reserve_is_full"


def test_storm_guard_has_one_setting() -> None:
    changed = STORM_GUARD.change(StormGuard(), {"is_on": True}, board())
    assert changed.body() == {"storm_guard_status": "enabled"}
    assert STORM_GUARD.has(changed, "", {"is_on": True})
    assert not STORM_GUARD.has(StormGuard(), "", {"is_on": True})


@pytest.mark.parametrize(
    ("load", "fields", "key"),
    [
        (LOAD, {"mode": LoadMode.BATTERY}, "load_needs_more"),
        (LOAD, {"mode": LoadMode.SCHEDULED, "start": 0}, "load_needs_more"),
        (
            Load(name="NC1", owner_can_override=False),
            {"mode": LoadMode.BASIC},
            "load_is_locked",
        ),
    ],
)
def test_an_invalid_change_of_a_load_is_refused(
    load: Load, fields: dict[str, Any], key: str
) -> None:
    with pytest.raises(RefusedChangeError) as raised:
        LOADS.change(load, fields, board())
    assert raised.value.key == key


def test_a_load_is_a_part_of_the_document() -> None:
    document = LoadControl({"NC1": LOAD})
    assert LOADS.part(document, "NC1") is LOAD
    assert LOADS.part(document, "NC2") is None
    assert LOADS.has(document, "NC1", {"mode": "basic"})
    assert not LOADS.has(document, "NC2", {"mode": "basic"})
    fields = {"mode": LoadMode.SCHEDULED, "start": 0, "end": 60}
    changed = LOADS.change(LOAD, fields, board())
    assert changed.body() == {
        "name": "NC1",
        "mode": "Scheduled",
        "essential_start_time": 0,
        "essential_end_time": 60,
    }
