"""What can be known of a system, and who says so: one row for each."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Self

from ..api.models import (
    BatteryMode,
    BatteryOperation,
    DeviceStatus,
    EvChargerStatus,
    GridStatus,
    HeatPumpMode,
    LiveFrame,
    Severity,
    Summary,
    SystemStatus,
)
from ..api.models.convert import OpenEnum
from .panel_history import PanelState
from .system import DeviceKind

_POWER_AGE: Final = timedelta(hours=3)
_DAY: Final = timedelta(days=1)
# What is requested once a day is unknown when two requests brought nothing.
_STALE_ERRAND: Final = timedelta(days=3)


class Source(StrEnum):
    """Where a value came from. At equal moments a later member is preferred."""

    SUMMARY = "summary"
    BATTERY = "battery"
    LATEST = "latest"
    LIVE = "live"
    PRODUCTION_INTERVALS = "production_intervals"
    CONSUMPTION_INTERVALS = "consumption_intervals"
    IMPORT_INTERVALS = "import_intervals"
    EXPORT_INTERVALS = "export_intervals"
    BATTERY_INTERVALS = "battery_intervals"
    DEVICES = "devices"
    PANELS = "panels"
    ALARMS = "alarms"


class Flow(StrEnum):
    """A flow of energy, never negative."""

    PRODUCTION = "production"
    CONSUMPTION = "consumption"
    GRID_IMPORT = "grid_import"
    GRID_EXPORT = "grid_export"
    BATTERY_CHARGE = "battery_charge"
    BATTERY_DISCHARGE = "battery_discharge"


class Kind(StrEnum):
    """The physical kind of a measurement, with its unit."""

    POWER = "power"  # [W]
    LEVEL = "level"  # [%]
    CAPACITY = "capacity"  # [Wh]
    ENERGY_TODAY = "energy_today"  # [Wh] since the system's midnight
    ENERGY_DAY = "energy_day"  # [Wh] of the day before
    ENERGY_TOTAL = "energy_total"  # [Wh]
    STATE = "state"  # a word
    MOMENT = "moment"  # [s] since the epoch
    RATING = "rating"  # [W], of the equipment
    COUNT = "count"
    RATIO = "ratio"  # [%]


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """The columns of a row.

    `device` is the kind of device that it is of, and `sensor` the key of the sensor,
    None where there is none. A value older than `max_age` is unknown. `is_dated`
    says whether answers tell when it was measured. `summary` and `frame` read it from
    a summary and from a frame of the live stream, where nothing has to be worked out.
    """

    kind: Kind
    device: DeviceKind = DeviceKind.SYSTEM
    sensor: str | None = None
    max_age: timedelta | None = None
    is_dated: bool = True
    is_diagnostic: bool = False
    is_enabled: bool = True
    states: tuple[str, ...] = ()
    summary: Callable[[Summary], float | str | None] | None = None
    frame: Callable[[LiveFrame], float | str | None] | None = None


def _power(sensor: str, frame: Callable[[LiveFrame], int | None]) -> Traits:
    return Traits(kind=Kind.POWER, sensor=sensor, max_age=_POWER_AGE, frame=frame)


def _energy_today(sensor: str) -> Traits:
    return Traits(kind=Kind.ENERGY_TODAY, sensor=sensor)


def _energy_total(sensor: str) -> Traits:
    return Traits(kind=Kind.ENERGY_TOTAL, sensor=sensor)


def _rating(
    summary: Callable[[Summary], float | str | None], kind: Kind = Kind.RATING
) -> Traits:
    return Traits(kind=kind, is_dated=False, summary=summary)


def _known(word: OpenEnum | None) -> str | None:
    return None if word is None or word.name == "UNKNOWN" else word


def _seconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp())


def _states(words: type[OpenEnum]) -> tuple[str, ...]:
    return tuple(word.value for word in words if word.name != "UNKNOWN")


class Measurement(StrEnum):
    """What can be known about a system.

    Sensor keys that Home Assistant's Enphase Envoy integration has, too, mean the same
    here. Grid power is positive for import, battery power for discharge.
    """

    traits: Traits

    def __new__(cls, key: str, traits: Traits) -> Self:
        """Give a member the traits of its row."""
        member = str.__new__(cls, key)
        member._value_ = key
        member.traits = traits
        return member

    PRODUCTION_POWER = (
        "production_power",
        _power("current_power_production", lambda frame: frame.production),
    )
    CONSUMPTION_POWER = (
        "consumption_power",
        _power("current_power_consumption", lambda frame: frame.consumption),
    )
    GRID_POWER = "grid_power", _power("net_consumption", lambda frame: frame.grid)
    BATTERY_POWER = (
        "battery_power",
        _power("battery_discharge", lambda frame: frame.battery),
    )
    GENERATOR_POWER = (
        "generator_power",
        _power("generator_power", lambda frame: frame.generator),
    )
    BATTERY_LEVEL = (
        "battery_level",
        Traits(
            kind=Kind.LEVEL,
            sensor="battery_level",
            max_age=timedelta(hours=6),
            frame=lambda frame: frame.state_of_charge,
        ),
    )
    BATTERY_CAPACITY = (
        "battery_capacity",
        Traits(
            kind=Kind.CAPACITY,
            sensor="max_capacity",
            is_dated=False,
            is_diagnostic=True,
            # A zero is what the summary says of a system without a battery.
            summary=lambda summary: summary.battery_capacity or None,
        ),
    )
    BATTERY_MODE = (
        "battery_mode",
        Traits(
            kind=Kind.STATE,
            sensor="battery_mode",
            max_age=_DAY,
            states=_states(BatteryMode),
            frame=lambda frame: _known(frame.battery_mode),
        ),
    )
    GRID_STATUS = (
        "grid_status",
        Traits(
            kind=Kind.STATE,
            sensor="grid_status",
            max_age=timedelta(hours=1),
            states=_states(GridStatus),
            frame=lambda frame: _known(frame.grid_status),
        ),
    )
    ENERGY_PRODUCED_TODAY = "energy_produced_today", _energy_today("daily_production")
    ENERGY_CONSUMED_TODAY = "energy_consumed_today", _energy_today("daily_consumption")
    ENERGY_IMPORTED_TODAY = "energy_imported_today", _energy_today("daily_grid_import")
    ENERGY_EXPORTED_TODAY = "energy_exported_today", _energy_today("daily_grid_export")
    ENERGY_CHARGED_TODAY = (
        "energy_charged_today",
        _energy_today("daily_battery_charged"),
    )
    ENERGY_DISCHARGED_TODAY = (
        "energy_discharged_today",
        _energy_today("daily_battery_discharged"),
    )
    ENERGY_PRODUCED_LIFETIME = (
        "energy_produced_lifetime",
        _energy_total("lifetime_production"),
    )
    ENERGY_CONSUMED_LIFETIME = (
        "energy_consumed_lifetime",
        _energy_total("lifetime_consumption"),
    )
    ENERGY_IMPORTED_LIFETIME = (
        "energy_imported_lifetime",
        _energy_total("lifetime_grid_import"),
    )
    ENERGY_EXPORTED_LIFETIME = (
        "energy_exported_lifetime",
        _energy_total("lifetime_grid_export"),
    )
    ENERGY_CHARGED_LIFETIME = (
        "energy_charged_lifetime",
        _energy_total("lifetime_battery_charged"),
    )
    ENERGY_DISCHARGED_LIFETIME = (
        "energy_discharged_lifetime",
        _energy_total("lifetime_battery_discharged"),
    )
    PRODUCTION_SOURCE = (
        "production_source",
        _rating(lambda summary: _known(summary.source), Kind.STATE),
    )
    RATED_POWER = "rated_power", _rating(lambda summary: summary.size or None)
    RATED_CHARGE_POWER = (
        "rated_charge_power",
        _rating(lambda summary: summary.battery_charge_power_limit or None),
    )
    RATED_DISCHARGE_POWER = (
        "rated_discharge_power",
        _rating(lambda summary: summary.battery_discharge_power_limit or None),
    )
    MODULES = "modules", _rating(lambda summary: summary.modules or None, Kind.COUNT)
    OPERATIONAL_SINCE = (
        "operational_since",
        _rating(lambda summary: _seconds(summary.operational_at), Kind.MOMENT),
    )
    SYSTEM_STATUS = (
        "system_status",
        Traits(
            kind=Kind.STATE,
            sensor="system_status",
            max_age=_DAY,
            is_dated=False,
            is_diagnostic=True,
            states=_states(SystemStatus),
            summary=lambda summary: _known(summary.status),
        ),
    )
    LAST_REPORT = (
        "last_report",
        Traits(
            kind=Kind.MOMENT,
            sensor="last_reported",
            is_diagnostic=True,
            is_enabled=False,
        ),
    )
    PANELS_REPORTING = (
        "panels_reporting",
        Traits(
            kind=Kind.COUNT,
            sensor="panels_reporting",
            max_age=_STALE_ERRAND,
            is_dated=False,
            is_diagnostic=True,
        ),
    )
    PANEL_PROBLEMS = (
        "panel_problems",
        Traits(kind=Kind.COUNT, max_age=_STALE_ERRAND, is_dated=False),
    )
    DEAD_PANELS = (
        "dead_panels",
        Traits(kind=Kind.COUNT, max_age=_STALE_ERRAND, is_dated=False),
    )
    WEAK_PANELS = (
        "weak_panels",
        Traits(kind=Kind.COUNT, max_age=_STALE_ERRAND, is_dated=False),
    )
    WEAKEST_PANEL = (
        "weakest_panel",
        Traits(
            kind=Kind.RATIO,
            sensor="weakest_panel",
            max_age=_STALE_ERRAND,
            is_dated=False,
        ),
    )
    OPEN_ALARMS = (
        "open_alarms",
        Traits(kind=Kind.COUNT, max_age=_STALE_ERRAND, is_dated=False),
    )
    WORST_ALARM = (
        "worst_alarm",
        Traits(
            kind=Kind.STATE,
            max_age=_STALE_ERRAND,
            is_dated=False,
            states=_states(Severity),
        ),
    )

    # Of single devices.
    DEVICE_STATUS = (
        "device_status",
        Traits(
            kind=Kind.STATE,
            device=DeviceKind.INVERTER,
            max_age=_STALE_ERRAND,
            is_dated=False,
            states=_states(DeviceStatus),
        ),
    )
    REAL_POWER = (
        "real_power",
        Traits(
            kind=Kind.POWER,
            device=DeviceKind.BATTERY,
            sensor="real_power",
            max_age=_POWER_AGE,
        ),
    )
    OPERATIONAL_MODE = (
        "operational_mode",
        Traits(
            kind=Kind.STATE,
            device=DeviceKind.BATTERY,
            sensor="operational_mode",
            max_age=_POWER_AGE,
            states=_states(BatteryOperation),
        ),
    )
    CHARGER_STATUS = (
        "charger_status",
        Traits(
            kind=Kind.STATE,
            device=DeviceKind.CHARGER,
            sensor="charger_status",
            max_age=_POWER_AGE,
            states=_states(EvChargerStatus),
        ),
    )
    HEAT_PUMP_MODE = (
        "heat_pump_mode",
        Traits(
            kind=Kind.STATE,
            device=DeviceKind.HEAT_PUMP,
            sensor="heat_pump_mode",
            max_age=_POWER_AGE,
            states=_states(HeatPumpMode),
        ),
    )
    PANEL_POWER = (
        "panel_power",
        Traits(
            kind=Kind.POWER,
            device=DeviceKind.INVERTER,
            sensor="inverters",
            max_age=_POWER_AGE,
            is_enabled=False,
        ),
    )
    PANEL_ENERGY_YESTERDAY = (
        "panel_energy_yesterday",
        Traits(
            kind=Kind.ENERGY_DAY,
            device=DeviceKind.INVERTER,
            sensor="energy_yesterday",
            max_age=_STALE_ERRAND,
            is_dated=False,
        ),
    )
    PANEL_ENERGY_LIFETIME = (
        "panel_energy_lifetime",
        Traits(
            kind=Kind.ENERGY_TOTAL,
            device=DeviceKind.INVERTER,
            sensor="lifetime_energy",
            is_enabled=False,
            is_dated=False,
        ),
    )
    PANEL_STATE = (
        "panel_state",
        Traits(
            kind=Kind.STATE,
            device=DeviceKind.INVERTER,
            max_age=_STALE_ERRAND,
            is_dated=False,
            states=tuple(PanelState),
        ),
    )
    PANEL_PERFORMANCE = (
        "panel_performance",
        Traits(
            kind=Kind.RATIO,
            device=DeviceKind.INVERTER,
            sensor="performance",
            max_age=_STALE_ERRAND,
            is_dated=False,
            is_diagnostic=True,
            is_enabled=False,
        ),
    )
    PANEL_LAST_REPORT = (
        "panel_last_report",
        Traits(
            kind=Kind.MOMENT,
            device=DeviceKind.INVERTER,
            sensor="panel_last_reported",
            is_diagnostic=True,
            is_enabled=False,
        ),
    )
