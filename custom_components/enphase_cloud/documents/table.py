"""The documents of a system: one row each."""

from typing import Final

from ..api.endpoints import (
    BATTERY_SETTINGS,
    BATTERY_TELEMETRY,
    DEVICES,
    EV_CHARGER_LIFETIME,
    EV_CHARGER_SCHEDULES,
    EV_CHARGER_SESSIONS,
    EV_CHARGER_TELEMETRY,
    EV_CHARGERS,
    GRID_STATUS,
    INVERTERS_SUMMARY,
    LATEST_TELEMETRY,
    LOAD_CONTROL,
    OPEN_ALARMS,
    STORM_GUARD,
    SUMMARY,
)
from ..measurements.board import Board
from ..measurements.catalog import Source
from ..measurements.system import DeviceKind
from . import alarms, chargers, devices, panels, settings
from .base import DAILY, HOURLY, ONCE, WEEKLY, AnyDocument, Document, Group
from .readings import read_battery_telemetry, read_latest_telemetry, read_summary

SUMMARY_DOCUMENT: Final = Document(
    source=Source.SUMMARY,
    endpoint=SUMMARY,
    read=read_summary,
    is_optional=False,
)
BATTERY_DOCUMENT: Final = Document(
    source=Source.BATTERY,
    endpoint=BATTERY_TELEMETRY,
    read=read_battery_telemetry,
    is_expected=Board.has_battery,
)
LATEST_DOCUMENT: Final = Document(
    source=Source.LATEST,
    endpoint=LATEST_TELEMETRY,
    read=read_latest_telemetry,
)
DEVICES_DOCUMENT: Final = Document(
    source=Source.DEVICES,
    endpoint=DEVICES,
    read=devices.read_devices,
    inventory=devices.inventory,
    lists_all=frozenset(DeviceKind) - {DeviceKind.LOAD},
    period=WEEKLY,
    group=Group.DEVICES,
    cue=devices.cue,
)
PANELS_DOCUMENT: Final = Document(
    source=Source.PANELS,
    endpoint=INVERTERS_SUMMARY,
    read=panels.read_panels,
    learn=panels.learn_health,
    inventory=panels.inventory,
    period=DAILY,
    group=Group.PANELS,
    site_query=True,
)
ALARMS_DOCUMENT: Final = Document(
    source=Source.ALARMS,
    endpoint=OPEN_ALARMS,
    read=alarms.read_open_alarms,
    learn=alarms.learn_open_alarms,
    period=DAILY,
    group=Group.ALARMS,
    cue=alarms.cue,
)
CHARGERS_DOCUMENT: Final = Document(
    source=Source.CHARGERS,
    endpoint=EV_CHARGERS,
    read=chargers.read_chargers,
    inventory=chargers.inventory,
    is_expected=chargers.has_charger,
    period=WEEKLY,
    group=Group.EV_CHARGER,
    cue=chargers.cue,
)
CHARGER_INTERVALS_DOCUMENT: Final = Document(
    source=Source.CHARGER_INTERVALS,
    endpoint=EV_CHARGER_TELEMETRY,
    read=chargers.read_intervals,
    learn=chargers.learn_intervals,
    is_expected=chargers.has_charger,
    each=chargers.EACH_CHARGER,
    query=chargers.query_of_week,
    period=DAILY,
    group=Group.EV_CHARGER,
    cue=chargers.cue_of_each,
)
CHARGER_SESSIONS_DOCUMENT: Final = Document(
    source=Source.CHARGER_SESSIONS,
    endpoint=EV_CHARGER_SESSIONS,
    read=chargers.read_sessions,
    learn=chargers.learn_sessions,
    is_expected=chargers.has_charger,
    each=chargers.EACH_CHARGER,
    period=WEEKLY,
    budgeted=DAILY,
    group=Group.EV_CHARGER,
    cue=chargers.cue_of_sessions,
)
CHARGER_SCHEDULES_DOCUMENT: Final = Document(
    source=Source.CHARGER_SCHEDULES,
    endpoint=EV_CHARGER_SCHEDULES,
    read=chargers.read_schedules,
    is_expected=chargers.has_charger,
    each=chargers.EACH_CHARGER,
    period=WEEKLY,
    group=Group.EV_CHARGER,
    cue=chargers.cue_of_each,
)
CHARGER_DAYS_DOCUMENT: Final = Document(
    source=Source.CHARGER_DAYS,
    endpoint=EV_CHARGER_LIFETIME,
    read=chargers.read_days,
    is_expected=chargers.has_charger,
    each=chargers.EACH_CHARGER,
    query=chargers.query_of_days,
    period=ONCE,
    group=Group.EV_CHARGER,
    cue=chargers.cue_of_each,
)
# The first of the settings: what it is refused, all of them are.
GRID_DOCUMENT: Final = Document(
    source=Source.GRID_STATUS,
    endpoint=GRID_STATUS,
    read=settings.read_grid_state,
    probes=True,
    period=HOURLY,
    group=Group.SETTINGS,
)
BATTERY_SETTINGS_DOCUMENT: Final = Document(
    source=Source.BATTERY_SETTINGS,
    endpoint=BATTERY_SETTINGS,
    read=settings.read_battery_settings,
    is_expected=Board.has_battery,
    period=HOURLY,
    group=Group.SETTINGS,
)
STORM_GUARD_DOCUMENT: Final = Document(
    source=Source.STORM_GUARD,
    endpoint=STORM_GUARD,
    read=settings.read_storm_guard,
    is_expected=Board.has_battery,
    period=HOURLY,
    group=Group.SETTINGS,
)
LOADS_DOCUMENT: Final = Document(
    source=Source.LOAD_CONTROL,
    endpoint=LOAD_CONTROL,
    read=settings.read_loads,
    inventory=settings.inventory,
    lists_all=frozenset({DeviceKind.LOAD}),
    waits_for=DeviceKind.LOAD,
    is_expected=Board.has_battery,
    period=HOURLY,
    group=Group.SETTINGS,
)

DOCUMENTS: Final[tuple[AnyDocument, ...]] = (
    SUMMARY_DOCUMENT,
    BATTERY_DOCUMENT,
    LATEST_DOCUMENT,
    DEVICES_DOCUMENT,
    PANELS_DOCUMENT,
    ALARMS_DOCUMENT,
    CHARGERS_DOCUMENT,
    CHARGER_INTERVALS_DOCUMENT,
    CHARGER_SESSIONS_DOCUMENT,
    CHARGER_SCHEDULES_DOCUMENT,
    CHARGER_DAYS_DOCUMENT,
    GRID_DOCUMENT,
    BATTERY_SETTINGS_DOCUMENT,
    STORM_GUARD_DOCUMENT,
    LOADS_DOCUMENT,
)
"""In the order in which a new system is polled: what comes later depends on it."""
