"""The measurements of a system, their sources, and the flows of energy."""

from datetime import datetime, timedelta
from enum import StrEnum, auto
from typing import Final, Self

from ..api.models import (
    BatteryMode,
    BatteryOperation,
    DeviceStatus,
    EvChargerStatus,
    GridStatus,
    HeatPumpMode,
    LoadMode,
    Severity,
)
from ..api.models.convert import OpenEnum
from .panel_history import PanelState
from .system import DeviceKind
from .traits import (
    Kind,
    Traits,
    energy,
    level,
    lifetime,
    moment,
    nameplate,
    of_charger,
    periodic,
    power,
    state,
)

_DAY: Final = timedelta(days=1)
_PANEL: Final = DeviceKind.INVERTER
_BATTERY: Final = DeviceKind.BATTERY
_HEAT_PUMP: Final = DeviceKind.HEAT_PUMP
_CHARGER: Final = DeviceKind.CHARGER
# The states of a system that occur in homes; the cloud has twenty more.
_STATUSES: Final = tuple(
    """
    normal battery comm encharge encharge_issue enpower enpower_issue meter meter_issue
    micro no_data power
    """.split()
)
OTHER: Final = "other"


class Source(StrEnum):
    """The document a value came from. At equal moments a later member is preferred."""

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
    CHARGERS = "chargers"
    CHARGER_INTERVALS = "charger_intervals"
    CHARGER_SESSIONS = "charger_sessions"
    CHARGER_SCHEDULES = "charger_schedules"
    CHARGER_DAYS = "charger_days"
    GRID_STATUS = "grid_status"
    BATTERY_SETTINGS = "battery_settings"
    STORM_GUARD = "storm_guard"
    LOAD_CONTROL = "load_control"
    PANEL_TELEMETRY = "panel_telemetry"
    BATTERY_UNITS = "battery_units"
    HEAT_PUMP_INTERVALS = "heat_pump_intervals"
    HEAT_PUMP_DAYS = "heat_pump_days"
    EVSE_INTERVALS = "evse_intervals"
    EVSE_DAYS = "evse_days"
    METER_INTERVALS = "meter_intervals"


class Flow(StrEnum):
    """A flow of energy, never negative."""

    PRODUCTION = "production"
    CONSUMPTION = "consumption"
    GRID_IMPORT = "grid_import"
    GRID_EXPORT = "grid_export"
    BATTERY_CHARGE = "battery_charge"
    BATTERY_DISCHARGE = "battery_discharge"


def _known(word: OpenEnum | None) -> str | None:
    return None if word is None or word.name == "UNKNOWN" else word


def _status(word: OpenEnum) -> str | None:
    known = _known(word)
    return OTHER if known and known not in _STATUSES else known


def _seconds(at: datetime | None) -> int | None:
    return None if at is None else int(at.timestamp())


class Measurement(StrEnum):
    """A value of a system or of one of its devices.

    The value of a member, which is stored, is its name in lower case. Sensor keys that
    also exist in Home Assistant's Enphase Envoy integration mean the same here. Grid
    power is positive for import, battery power for discharge.
    """

    traits: Traits

    def __new__(cls, key: str, traits: Traits) -> Self:
        """Give a member the traits of its row."""
        member = str.__new__(cls, key)
        member._value_ = key
        member.traits = traits
        return member

    PRODUCTION_POWER = (
        auto(),
        power("current_power_production", lambda frame: frame.production),
    )
    CONSUMPTION_POWER = (
        auto(),
        power("current_power_consumption", lambda frame: frame.consumption),
    )
    GRID_POWER = auto(), power("net_consumption", lambda frame: frame.grid)
    BATTERY_POWER = auto(), power("battery_discharge", lambda frame: frame.battery)
    GENERATOR_POWER = auto(), power("generator_power", lambda frame: frame.generator)
    BATTERY_LEVEL = auto(), level("battery_level", lambda frame: frame.state_of_charge)
    BATTERY_CAPACITY = (
        auto(),
        Traits(
            kind=Kind.CAPACITY,
            sensor="max_capacity",
            is_dated=False,
            is_diagnostic=True,
            # The summary says zero for a system without a battery.
            summary=lambda summary: summary.battery_capacity or None,
        ),
    )
    BATTERY_MODE = (
        auto(),
        state(
            "battery_mode",
            BatteryMode,
            lambda frame: _known(frame.battery_mode),
            max_age=_DAY,
        ),
    )
    GRID_STATUS = (
        auto(),
        state(
            "grid_status",
            GridStatus,
            lambda frame: _known(frame.grid_status),
            # Its document is requested once an hour at most.
            max_age=timedelta(hours=2),
        ),
    )
    ENERGY_PRODUCED_TODAY = auto(), energy(Kind.ENERGY_TODAY, "daily_production")
    ENERGY_CONSUMED_TODAY = auto(), energy(Kind.ENERGY_TODAY, "daily_consumption")
    ENERGY_IMPORTED_TODAY = auto(), energy(Kind.ENERGY_TODAY, "daily_grid_import")
    ENERGY_EXPORTED_TODAY = auto(), energy(Kind.ENERGY_TODAY, "daily_grid_export")
    ENERGY_CHARGED_TODAY = auto(), energy(Kind.ENERGY_TODAY, "daily_battery_charged")
    ENERGY_DISCHARGED_TODAY = (
        auto(),
        energy(Kind.ENERGY_TODAY, "daily_battery_discharged"),
    )
    ENERGY_PRODUCED_LIFETIME = auto(), energy(Kind.ENERGY_TOTAL, "lifetime_production")
    ENERGY_CONSUMED_LIFETIME = auto(), energy(Kind.ENERGY_TOTAL, "lifetime_consumption")
    ENERGY_IMPORTED_LIFETIME = auto(), energy(Kind.ENERGY_TOTAL, "lifetime_grid_import")
    ENERGY_EXPORTED_LIFETIME = auto(), energy(Kind.ENERGY_TOTAL, "lifetime_grid_export")
    ENERGY_CHARGED_LIFETIME = (
        auto(),
        energy(Kind.ENERGY_TOTAL, "lifetime_battery_charged"),
    )
    ENERGY_DISCHARGED_LIFETIME = (
        auto(),
        energy(Kind.ENERGY_TOTAL, "lifetime_battery_discharged"),
    )
    PRODUCTION_SOURCE = (
        auto(),
        nameplate(Kind.STATE, lambda summary: _known(summary.source)),
    )
    RATED_POWER = auto(), nameplate(Kind.RATING, lambda summary: summary.size or None)
    RATED_CHARGE_POWER = (
        auto(),
        nameplate(
            Kind.RATING, lambda summary: summary.battery_charge_power_limit or None
        ),
    )
    RATED_DISCHARGE_POWER = (
        auto(),
        nameplate(
            Kind.RATING, lambda summary: summary.battery_discharge_power_limit or None
        ),
    )
    MODULES = auto(), nameplate(Kind.COUNT, lambda summary: summary.modules or None)
    OPERATIONAL_SINCE = (
        auto(),
        nameplate(Kind.MOMENT, lambda summary: _seconds(summary.operational_at)),
    )
    SYSTEM_STATUS = (
        auto(),
        Traits(
            kind=Kind.STATE,
            sensor="system_status",
            max_age=_DAY,
            is_dated=False,
            is_diagnostic=True,
            states=(*_STATUSES, OTHER),
            summary=lambda summary: _status(summary.status),
        ),
    )
    LAST_REPORT = auto(), moment("last_reported")
    PANELS_REPORTING = (
        auto(),
        periodic(Kind.COUNT, "panels_reporting", is_diagnostic=True),
    )
    PANEL_PROBLEMS = auto(), periodic(Kind.COUNT)
    DEAD_PANELS = auto(), periodic(Kind.COUNT)
    WEAK_PANELS = auto(), periodic(Kind.COUNT)
    WEAKEST_PANEL = auto(), periodic(Kind.RATIO, "weakest_panel")
    OPEN_ALARMS = auto(), periodic(Kind.COUNT)
    WORST_ALARM = auto(), periodic(Kind.STATE, states=Severity)

    # Single devices.
    DEVICE_STATUS = auto(), periodic(Kind.STATE, device=_PANEL, states=DeviceStatus)
    REAL_POWER = auto(), power("real_power", device=_BATTERY)
    OPERATIONAL_MODE = (
        auto(),
        state("operational_mode", BatteryOperation, device=_BATTERY),
    )
    CHARGER_STATUS = auto(), state("charger_status", EvChargerStatus, device=_CHARGER)
    HEAT_PUMP_MODE = auto(), state("heat_pump_mode", HeatPumpMode, device=_HEAT_PUMP)
    PANEL_POWER = auto(), power("inverters", device=_PANEL, is_enabled=False)
    PANEL_ENERGY_YESTERDAY = (
        auto(),
        periodic(Kind.ENERGY_DAY, "energy_yesterday", device=_PANEL),
    )
    PANEL_ENERGY_LIFETIME = auto(), lifetime("lifetime_energy", _PANEL, is_dated=False)
    PANEL_STATE = auto(), periodic(Kind.STATE, device=_PANEL, states=PanelState)
    PANEL_PERFORMANCE = (
        auto(),
        periodic(
            Kind.RATIO,
            "performance",
            device=_PANEL,
            is_diagnostic=True,
            is_enabled=False,
        ),
    )
    PANEL_LAST_REPORT = auto(), moment("panel_last_reported", _PANEL)

    PANEL_ENERGY_TODAY = auto(), energy(Kind.ENERGY_TODAY, "energy_today", _PANEL)
    BATTERY_UNIT_LEVEL = auto(), level("soc", device=_BATTERY)
    CHARGED_TODAY = auto(), energy(Kind.ENERGY_TODAY, "charged_today", _BATTERY)
    DISCHARGED_TODAY = auto(), energy(Kind.ENERGY_TODAY, "discharged_today", _BATTERY)
    METER_ENERGY_YESTERDAY = (
        auto(),
        periodic(Kind.ENERGY_DAY, "energy_yesterday", device=DeviceKind.METER),
    )
    HEAT_PUMP_ENERGY_YESTERDAY = (
        auto(),
        periodic(Kind.ENERGY_DAY, "heat_pump_energy_yesterday", device=_HEAT_PUMP),
    )
    HEAT_PUMP_ENERGY_LIFETIME = (
        auto(),
        lifetime("heat_pump_lifetime_energy", _HEAT_PUMP),
    )

    # Chargers. The values of the last session stay until the next one ends.
    CHARGER_MONITORED = auto(), periodic(Kind.COUNT, device=_CHARGER)
    CHARGER_ENERGY_YESTERDAY = (
        auto(),
        periodic(Kind.ENERGY_DAY, "charger_energy_yesterday", device=_CHARGER),
    )
    CHARGER_ENERGY_LIFETIME = auto(), lifetime("charger_lifetime_energy", _CHARGER)
    # The last day with energy; it has a "+" from two days later on.
    CHARGED_ON = auto(), of_charger(Kind.TEXT)
    LAST_SESSION_ENERGY = auto(), of_charger(Kind.ENERGY_DAY, "last_session_energy")
    LAST_SESSION_DURATION = (
        auto(),
        of_charger(Kind.DURATION, "last_session_duration", is_enabled=False),
    )
    LAST_SESSION_COST = (
        auto(),
        of_charger(Kind.COST, "last_session_cost", is_enabled=False),
    )
    LAST_SESSION_END = auto(), of_charger(Kind.MOMENT, "last_session_end")
    CHARGER_SCHEDULE = auto(), of_charger(Kind.TEXT)

    # Settings in the cloud; flags are 1 or 0.
    STORAGE_MODE = auto(), periodic(Kind.STATE, states=BatteryMode)
    RESERVE_LEVEL = auto(), periodic(Kind.RATIO)
    # The reserve before Full Backup, which sets it to 100.
    RESERVE_BEFORE_BACKUP = auto(), Traits(kind=Kind.RATIO, is_dated=False)
    SHUTDOWN_LEVEL = (
        auto(),
        periodic(
            Kind.RATIO, "battery_shutdown_level", is_diagnostic=True, is_enabled=False
        ),
    )
    ENERGY_INDEPENDENCE = auto(), periodic(Kind.COUNT)
    CHARGE_FROM_GRID = auto(), periodic(Kind.COUNT)
    STORM_GUARD = auto(), periodic(Kind.COUNT)
    STORM_ALERT = auto(), periodic(Kind.COUNT)
    LOAD_MODE = auto(), periodic(Kind.STATE, device=DeviceKind.LOAD, states=LoadMode)
    LOAD_CUTOFF_LEVEL = auto(), periodic(Kind.RATIO, device=DeviceKind.LOAD)
    LOAD_RESTORE_LEVEL = (
        auto(),
        periodic(
            Kind.RATIO,
            "restore_battery_level",
            device=DeviceKind.LOAD,
            is_diagnostic=True,
        ),
    )
    # Seconds of the day.
    LOAD_START = auto(), periodic(Kind.DURATION, device=DeviceKind.LOAD)
    LOAD_END = auto(), periodic(Kind.DURATION, device=DeviceKind.LOAD)
    # 1 if only the installer may change the load.
    LOAD_IS_LOCKED = auto(), periodic(Kind.COUNT, device=DeviceKind.LOAD)
