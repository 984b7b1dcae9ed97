"""The settings that can be written, and the change of each."""

from collections.abc import Callable
from copy import replace
from dataclasses import dataclass
from typing import Any, Final

from ..api.endpoints import (
    SET_BATTERY_SETTINGS,
    SET_LOAD_CONTROL,
    SET_STORM_GUARD,
    Endpoint,
)
from ..api.models import BatteryMode, BatterySettings, Load, LoadMode, StormGuard
from ..measurements.board import Board
from ..measurements.catalog import Measurement, Source
from ..measurements.settings_state import Fields

FULL: Final = 100
"""The reserve of Full Backup [%], which cannot be changed."""

_NEEDED: Final = {
    LoadMode.BATTERY: {"soc_low"},
    LoadMode.SCHEDULED: {"essential_start_time", "essential_end_time"},
}


class RefusedChangeError(Exception):
    """An invalid change; `key` is that of the translated exception."""

    def __init__(self, key: str) -> None:
        """Take the translation key of the reason."""
        super().__init__(key)
        self.key = key


def _change_battery(
    settings: BatterySettings, fields: Fields, board: Board
) -> BatterySettings:
    """Return the settings with a change; the reserve depends on the mode.

    Leaving Full Backup restores the reserve from before it.
    """
    changed = replace(settings, **fields)
    if changed.mode is BatteryMode.FULL_BACKUP:
        if "mode" not in fields and fields.get("reserve", FULL) != FULL:
            raise RefusedChangeError("reserve_is_full")
        return replace(changed, reserve=FULL)
    if settings.mode is BatteryMode.FULL_BACKUP and "reserve" not in fields:
        before = board.newest().get(Measurement.RESERVE_BEFORE_BACKUP)
        reserve = None if before is None else int(before.value)
        changed = replace(changed, reserve=reserve)
    if changed.reserve is None or settings.shutdown_level is None:
        return changed
    return replace(changed, reserve=max(changed.reserve, settings.shutdown_level))


def _change_storm_guard(guard: StormGuard, fields: Fields, _board: Board) -> StormGuard:
    return replace(guard, **fields)


def _change_load(load: Load, fields: Fields, _board: Board) -> Load:
    """Return the settings of a load with a change, if its owner may change it."""
    if load.owner_can_override is False:
        raise RefusedChangeError("load_is_locked")
    changed = replace(load, **fields)
    needed: set[str] = _NEEDED.get(changed.mode, set()) if changed.mode else set()
    if not needed <= changed.body().keys():
        raise RefusedChangeError("load_needs_more")
    return changed


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A document of settings that can be written.

    `part` returns the part of a document for a key: all of it for "", else a load.
    `change` returns a part with a change, or raises RefusedChangeError if that is
    invalid. A part has a `body()`.
    """

    source: Source
    write: Endpoint[Any]
    change: Callable[[Any, Fields, Board], Any]
    part: Callable[[Any, str], Any] = lambda document, _key: document

    def has(self, document: Any, key: str, fields: Fields) -> bool:
        """Return whether a document has what was written."""
        part = self.part(document, key)
        return part is not None and all(
            getattr(part, name, None) == value for name, value in fields.items()
        )


SETTINGS: Final = (
    Setting(
        source=Source.BATTERY_SETTINGS,
        write=SET_BATTERY_SETTINGS,
        change=_change_battery,
    ),
    Setting(
        source=Source.STORM_GUARD, write=SET_STORM_GUARD, change=_change_storm_guard
    ),
    Setting(
        source=Source.LOAD_CONTROL,
        write=SET_LOAD_CONTROL,
        change=_change_load,
        part=lambda document, key: document.loads.get(key),
    ),
)
"""All settings that can be written."""
