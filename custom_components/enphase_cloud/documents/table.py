"""The documents of a system: one row each."""

from collections.abc import Collection, Container
from typing import Final

from ..api.access import Access
from ..api.endpoints import (
    BATTERY_SETTINGS,
    BATTERY_TELEMETRY,
    DEVICES,
    ENCHARGE_TELEMETRY,
    EV_CHARGER_LIFETIME,
    EV_CHARGER_SCHEDULES,
    EV_CHARGER_SESSIONS,
    EV_CHARGER_TELEMETRY,
    EV_CHARGERS,
    EVSE_LIFETIME,
    EVSE_TELEMETRY,
    GRID_STATUS,
    HEAT_PUMP_LIFETIME,
    HEAT_PUMP_TELEMETRY,
    INVERTERS_SUMMARY,
    LATEST_TELEMETRY,
    LOAD_CONTROL,
    MICROS_TELEMETRY,
    OPEN_ALARMS,
    RGM_STATS,
    STORM_GUARD,
    SUMMARY,
)
from ..measurements.board import Board
from ..measurements.catalog import Source
from ..measurements.system import DeviceKind
from . import alarms, chargers, devices, panels, settings, telemetry
from .base import (
    DAILY,
    HOURLY,
    OFF_AT_FIRST,
    ONCE,
    QUARTERLY,
    WEEKLY,
    AnyDocument,
    Document,
    Group,
)
from .readings import read_battery_telemetry, read_latest_telemetry, read_summary

# The share of a system's calls for telemetry of its panels, and of its batteries.
_SHARE: Final = 1 / 5
# The four documents of settings use about a tenth, and a sixth at most. The grid
# status, which is unknown after two hours, may use more of it than the others.
_GRID_SHARE: Final = 1 / 12
_SETTING_SHARE: Final = 1 / 40

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
    serves=OFF_AT_FIRST,
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
# The first of the settings: if it is refused, all of them are.
GRID_DOCUMENT: Final = Document(
    source=Source.GRID_STATUS,
    endpoint=GRID_STATUS,
    read=settings.read_grid_state,
    probes=True,
    period=HOURLY,
    group=Group.SETTINGS,
    share=_GRID_SHARE,
)
BATTERY_SETTINGS_DOCUMENT: Final = Document(
    source=Source.BATTERY_SETTINGS,
    endpoint=BATTERY_SETTINGS,
    read=settings.read_battery_settings,
    is_expected=Board.has_battery,
    period=HOURLY,
    group=Group.SETTINGS,
    share=_SETTING_SHARE,
)
STORM_GUARD_DOCUMENT: Final = Document(
    source=Source.STORM_GUARD,
    endpoint=STORM_GUARD,
    read=settings.read_storm_guard,
    is_expected=Board.has_battery,
    period=HOURLY,
    group=Group.SETTINGS,
    share=_SETTING_SHARE,
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
    share=_SETTING_SHARE,
)

PANEL_TELEMETRY_DOCUMENT: Final = Document(
    source=Source.PANEL_TELEMETRY,
    endpoint=MICROS_TELEMETRY,
    read=telemetry.read_panels,
    query=telemetry.query_of_panels,
    period=QUARTERLY,
    group=Group.PANEL_TELEMETRY,
    share=_SHARE,
    by_day=True,
)
BATTERY_UNITS_DOCUMENT: Final = Document(
    source=Source.BATTERY_UNITS,
    endpoint=ENCHARGE_TELEMETRY,
    read=telemetry.read_battery,
    is_expected=Board.has_battery,
    each=telemetry.EACH_BATTERY,
    query=telemetry.query_of_battery,
    period=QUARTERLY,
    group=Group.BATTERY_TELEMETRY,
    share=_SHARE,
)
HEAT_PUMP_INTERVALS_DOCUMENT: Final = Document(
    source=Source.HEAT_PUMP_INTERVALS,
    endpoint=HEAT_PUMP_TELEMETRY,
    read=telemetry.read_heat_pump,
    is_expected=telemetry.has_heat_pump,
    query=telemetry.query_of_week,
    period=DAILY,
    group=Group.APPLIANCES,
)
HEAT_PUMP_DAYS_DOCUMENT: Final = Document(
    source=Source.HEAT_PUMP_DAYS,
    endpoint=HEAT_PUMP_LIFETIME,
    read=telemetry.read_days,
    is_expected=telemetry.has_heat_pump,
    query=telemetry.query_of_all_days,
    period=ONCE,
    group=Group.APPLIANCES,
)
EVSE_INTERVALS_DOCUMENT: Final = Document(
    source=Source.EVSE_INTERVALS,
    endpoint=EVSE_TELEMETRY,
    read=telemetry.read_charger,
    is_expected=telemetry.has_other_charger,
    each=telemetry.EACH_OTHER_CHARGER,
    query=telemetry.query_of_week,
    period=DAILY,
    group=Group.APPLIANCES,
    cue=telemetry.cue_of_chargers,
)
EVSE_DAYS_DOCUMENT: Final = Document(
    source=Source.EVSE_DAYS,
    endpoint=EVSE_LIFETIME,
    read=telemetry.read_days,
    is_expected=telemetry.has_other_charger,
    each=telemetry.EACH_OTHER_CHARGER,
    query=telemetry.query_of_all_days,
    period=ONCE,
    group=Group.APPLIANCES,
    cue=telemetry.cue_of_chargers,
)
METER_INTERVALS_DOCUMENT: Final = Document(
    source=Source.METER_INTERVALS,
    endpoint=RGM_STATS,
    read=telemetry.read_meters,
    is_expected=telemetry.has_several_meters,
    query=telemetry.query_of_meters,
    period=DAILY,
    group=Group.PRODUCTION_METERS,
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
    PANEL_TELEMETRY_DOCUMENT,
    BATTERY_UNITS_DOCUMENT,
    HEAT_PUMP_INTERVALS_DOCUMENT,
    HEAT_PUMP_DAYS_DOCUMENT,
    EVSE_INTERVALS_DOCUMENT,
    EVSE_DAYS_DOCUMENT,
    METER_INTERVALS_DOCUMENT,
)
"""In the order of requests for a new system; later ones depend on earlier ones."""


def documents_of(
    groups: Collection[str | None], access: Container[Access]
) -> list[AnyDocument]:
    """Return the documents of groups, and those that serve them, if access allows them.

    The group None stands for documents without a group.
    """
    allowed = [each for each in DOCUMENTS if each.endpoint.access in access]
    opened = {each.group for each in allowed if each.group in groups}
    return [
        each
        for each in allowed
        if each.group in opened or not opened.isdisjoint(each.serves)
    ]
