"""Settings of a system, and its grid status: GET and PUT below /config.

Writes use the spelling of the specification; readers compare letters only.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
import re
from typing import Any, Final, NamedTuple, Self, override

from ..exceptions import MalformedResponseError
from .convert import (
    OpenEnum,
    to_count,
    to_datetime,
    to_flag,
    to_identifier,
    to_object,
    to_objects,
    to_text,
    to_whole_percentage,
    to_word,
)
from .live_frame import BatteryMode, GridStatus

BATTERY_MODES: Final[Mapping[BatteryMode, str]] = {
    BatteryMode.SAVINGS: "Savings Mode",
    BatteryMode.SELF_CONSUMPTION: "Self-consumption",
    BatteryMode.FULL_BACKUP: "Full Backup",
}
"""The modes that can be written, as the API spells them."""

_NAME: Final = re.compile(r"[A-Za-z0-9 _-]{1,64}")
_SECONDS_OF_DAY: Final = 24 * 60 * 60
# The levels that the API accepts; documents may have others.
_LOAD_LEVELS: Final = range(10, 91)
# A system has four relays.
_MOST_LOADS: Final = 50


class LoadMode(OpenEnum):
    """When a load has power."""

    BASIC = "basic"
    SCHEDULED = "scheduled"
    BATTERY = "battery"
    GENERATOR = "generator"
    ALWAYS_POWERED = "always_powered"
    NEVER_POWERED = "never_powered"
    UNKNOWN = "unknown"

    @override
    @classmethod
    def aliases(cls) -> Mapping[str, Self]:
        return {
            "advancedbatterypowered": cls("battery"),
            "advancedgeneratorpowered": cls("generator"),
            "manualalwayspowered": cls("always_powered"),
            "manualalwaysnotpowered": cls("never_powered"),
        }


LOAD_MODES: Final[Mapping[LoadMode, str]] = {
    LoadMode.BASIC: "Basic",
    LoadMode.SCHEDULED: "Scheduled",
    LoadMode.BATTERY: "Advanced_BatteryPowered",
    LoadMode.GENERATOR: "Advanced_GeneratorPowered",
    LoadMode.ALWAYS_POWERED: "Manual_always_powered",
    LoadMode.NEVER_POWERED: "Manual_always_not_powered",
}
"""The modes that can be written, as the API spells them."""


class BatterySettings(NamedTuple):
    """The battery settings; levels in %, None if the document lacks a value.

    `reserve` belongs to the mode. `shutdown_level` and `charge_from_grid` are
    read-only.
    """

    mode: BatteryMode | None = None
    reserve: int | None = None
    energy_independence: bool | None = None
    charge_from_grid: bool | None = None
    shutdown_level: int | None = None

    @classmethod
    def from_api(cls, data: Mapping[str, Any]) -> Self:
        """Read the settings; raises MalformedResponseError without a system id."""
        data = to_object(data)
        to_identifier(data.get("system_id"))
        mode = BatteryMode.from_api(data.get("battery_mode"))
        return cls(
            mode=None if mode is BatteryMode.UNKNOWN else mode,
            reserve=to_whole_percentage(data.get("reserve_soc")),
            energy_independence=to_switch(data.get("energy_independence")),
            charge_from_grid=to_switch(data.get("charge_from_grid")),
            shutdown_level=to_whole_percentage(data.get("battery_shutdown_level")),
        )

    def body(self) -> Mapping[str, Any]:
        """Return the body of a write: all known values that can be written."""
        return _known(
            battery_mode=self.mode and BATTERY_MODES.get(self.mode),
            reserve_soc=self.reserve,
            energy_independence=_switched(self.energy_independence),
        )


class StormGuard(NamedTuple):
    """Whether storm guard is on, and whether there is a storm alert."""

    is_on: bool | None = None
    alert: bool | None = None

    @classmethod
    def from_api(cls, data: Mapping[str, Any]) -> Self:
        """Read the settings; raises MalformedResponseError without a system id."""
        data = to_object(data)
        to_identifier(data.get("system_id"))
        return cls(
            is_on=to_switch(data.get("storm_guard_status")),
            alert=to_flag(data.get("storm_alert")),
        )

    def body(self) -> Mapping[str, Any]:
        """Return the body of a write."""
        return _known(storm_guard_status=_switched(self.is_on))


class GridState(NamedTuple):
    """Whether the system is connected to the grid, as of the gateway's last report."""

    status: GridStatus
    reported_at: datetime | None

    @classmethod
    def from_api(cls, data: Mapping[str, Any]) -> Self:
        """Read the state; raises MalformedResponseError without a system id."""
        data = to_object(data)
        to_identifier(data.get("system_id"))
        return cls(
            status=GridStatus.from_api(data.get("grid_state")),
            reported_at=to_datetime(data.get("last_report_date")),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """A load that a dry contact of the system controller switches.

    `name` is that of the contact; `load_name` is set by the owner, and repr() omits it.
    The load is switched off at the battery level `low` [%], and on at `high` [%], which
    is read-only. `start` and `end` are in seconds of the day.
    """

    name: str
    load_name: str | None = field(default=None, repr=False)
    owner_can_override: bool | None = None
    mode: LoadMode | None = None
    low: int | None = None
    high: int | None = None
    is_enabled: bool | None = None
    start: int | None = None
    end: int | None = None

    def body(self) -> Mapping[str, Any]:
        """Return the body of a write: all known values that can be written."""
        return _known(
            name=self.name,
            load_name=self.load_name,
            mode=self.mode and LOAD_MODES.get(self.mode),
            soc_low=self.low if self.low in _LOAD_LEVELS else None,
            essential_start_time=self.start,
            essential_end_time=self.end,
        )


class LoadControl(NamedTuple):
    """The controllable loads of a system by the names of their contacts."""

    loads: Mapping[str, Load]

    @classmethod
    def from_api(cls, data: Mapping[str, Any]) -> Self:
        """Read the loads; skip those without a name.

        Raises MalformedResponseError without a system id or a list.
        """
        data = to_object(data)
        to_identifier(data.get("system_id"))
        listed = data.get("load_control_data")
        if not isinstance(listed, list):
            raise MalformedResponseError("The response has no list of loads")
        return cls({load.name: load for load in _loads(listed[:_MOST_LOADS])})


def to_switch(value: object) -> bool | None:
    """Return whether a setting is "enabled" or "disabled"; other text may follow."""
    word = to_word(value).strip()
    if word.startswith(("enabled", "disabled")):
        return word.startswith("enabled")
    return to_flag(value)


def _loads(listed: list[Any]) -> Iterator[Load]:
    for item in to_objects(listed):
        name = item.get("name")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            continue
        mode = LoadMode.from_api(item.get("mode"))
        yield Load(
            name=name,
            load_name=to_text(item.get("load_name")),
            owner_can_override=to_flag(item.get("owner_can_override")),
            mode=None if mode is LoadMode.UNKNOWN else mode,
            low=to_whole_percentage(item.get("soc_low")),
            high=to_whole_percentage(item.get("soc_high")),
            is_enabled=to_switch(item.get("status")),
            start=_seconds(item.get("essential_start_time")),
            end=_seconds(item.get("essential_end_time")),
        )


def _seconds(value: object) -> int | None:
    """Return seconds of the day; 86,400 is midnight, too."""
    seconds = to_count(value)
    if seconds is None or seconds > _SECONDS_OF_DAY:
        return None
    return seconds % _SECONDS_OF_DAY


def _switched(is_on: object) -> str | None:
    return None if is_on is None else "enabled" if is_on else "disabled"


def _known(**values: Any) -> Mapping[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
