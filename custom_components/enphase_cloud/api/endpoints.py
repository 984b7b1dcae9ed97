"""The 51 operations of the Monitoring API v4, one row each.

Names, paths and access controls are those of the official specification. The response
of an operation without a model is parsed JSON.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Final

from .access import Access
from .endpoint import Endpoint as Endpoint  # noqa: PLC0414 (part of the table)
from .models.battery import BatteryTelemetry
from .models.convert import to_inflow
from .models.device import Devices
from .models.device_telemetry import (
    InvertersTelemetry,
    InverterTelemetry,
    ProductionMeters,
)
from .models.energy import (
    BatteryEnergyIntervals,
    DailyBatteryEnergy,
    DailyEnergy,
    EnergyIntervals,
)
from .models.ev_charger import ChargerEvents, ChargerSchedules, ChargingSessions
from .models.event import Alarms, Events, EventTypes
from .models.inverters import InvertersSummary
from .models.latest import LatestTelemetry
from .models.live_frame import LiveFrame
from .models.meter_readings import MeterReadings
from .models.settings import BatterySettings, GridState, LoadControl, StormGuard
from .models.summary import Summary
from .models.system import System, SystemsPage, system_id_from_api

TOKEN: Final = "token"  # noqa: S105 (a name, no secret)
"""The name of a request to the token endpoint, for gates and errors."""


def _intervals(
    member: str, *, minutes: int = 15, items: str = "intervals"
) -> Callable[[Any], EnergyIntervals]:
    return partial(
        EnergyIntervals.from_api, member=member, minutes=minutes, items=items
    )


def _days(member: str) -> Callable[[Any], DailyEnergy]:
    return partial(DailyEnergy.from_api, member=member)


def _listing[DocumentT](
    name: str, model: Callable[[Any], DocumentT]
) -> Endpoint[DocumentT]:
    """Return the endpoint of a list of a system; the path ends with its name."""
    return Endpoint(
        name=name,
        path=f"{{system_id}}/{name}",
        access=Access.SYSTEM_DETAILS,
        model=model,
    )


def _meters(kind: str, access: Access) -> Endpoint[MeterReadings]:
    name = f"{kind}_meter_readings"
    return Endpoint(name, f"{{system_id}}/{name}", access, MeterReadings.from_api)


def _setting[DocumentT](
    name: str, model: Callable[[Any], DocumentT]
) -> Endpoint[DocumentT]:
    path = f"config/{{system_id}}/{name}"
    return Endpoint(name, path, Access.CONFIGURATION, model)


def _written[DocumentT](setting: Endpoint[DocumentT]) -> Endpoint[DocumentT]:
    return replace(setting, name=f"set_{setting.name}", method="PUT")


# Systems, with their devices and events.
SYSTEMS: Final = Endpoint(
    "systems",
    "",
    Access.SYSTEM_DETAILS,
    SystemsPage.from_api,
    query={"sort_by": "id"},
    page_size=100,
)
SEARCH_SYSTEMS: Final = Endpoint(
    "search_systems",
    "search",
    Access.SYSTEM_DETAILS,
    SystemsPage.from_api,
    method="POST",
    query={"live_stream": "true"},
    # Empty filters are ignored, but "system" is mandatory.
    body={"sort_by": "id", "system": {"ids": []}},
    page_size=1000,
)
SYSTEM: Final = Endpoint(
    "system", "{system_id}", Access.SYSTEM_DETAILS, System.from_api
)
SUMMARY: Final = Endpoint(
    "summary", "{system_id}/summary", Access.SYSTEM_DETAILS, Summary.from_api
)
DEVICES: Final = _listing("devices", Devices.from_api)
# Query: "serial_num" of a gateway.
RETRIEVE_SYSTEM_ID: Final = Endpoint(
    "retrieve_system_id",
    "retrieve_system_id",
    Access.SYSTEM_DETAILS,
    system_id_from_api,
)
# Query: "site_id" or "envoy_serial_number".
INVERTERS_SUMMARY: Final = Endpoint(
    "inverters_summary",
    "inverters_summary_by_envoy_or_site",
    Access.SYSTEM_DETAILS,
    InvertersSummary.from_api,
    page_size=100,
)
# Query of both: "start_time", and "end_time" at most a week later.
EVENTS: Final = _listing("events", Events.from_api)
ALARMS: Final = _listing("alarms", Alarms.from_api)
EVENT_TYPES: Final = Endpoint(
    "event_types", "event_types", Access.SYSTEM_DETAILS, EventTypes.from_api
)
OPEN_EVENTS: Final = _listing("open_events", Events.from_api)
OPEN_ALARMS: Final = _listing("open_alarms", Alarms.from_api)

# Energy of a system in intervals and by day, and readings of its meters.
PRODUCTION_MICRO_TELEMETRY: Final = Endpoint(
    "production_micro_telemetry",
    "{system_id}/telemetry/production_micro",
    Access.PRODUCTION,
    _intervals("enwh", minutes=5),
)
PRODUCTION_METER_TELEMETRY: Final = Endpoint(
    "production_meter_telemetry",
    "{system_id}/telemetry/production_meter",
    Access.PRODUCTION,
    _intervals("wh_del"),
)
CONSUMPTION_TELEMETRY: Final = Endpoint(
    "consumption_telemetry",
    "{system_id}/telemetry/consumption_meter",
    Access.CONSUMPTION,
    _intervals("enwh"),
)
IMPORT_TELEMETRY: Final = Endpoint(
    "import_telemetry",
    "{system_id}/energy_import_telemetry",
    Access.CONSUMPTION,
    _intervals("wh_imported"),
)
EXPORT_TELEMETRY: Final = Endpoint(
    "export_telemetry",
    "{system_id}/energy_export_telemetry",
    Access.CONSUMPTION,
    _intervals("wh_exported"),
)
BATTERY_TELEMETRY: Final = Endpoint(
    "battery_telemetry",
    "{system_id}/telemetry/battery",
    Access.CONSUMPTION,
    BatteryTelemetry.from_api,
)
LATEST_TELEMETRY: Final = Endpoint(
    "latest_telemetry",
    "{system_id}/latest_telemetry",
    Access.CONSUMPTION,
    LatestTelemetry.from_api,
)
PRODUCTION_LIFETIME: Final = Endpoint(
    "production_lifetime",
    "{system_id}/energy_lifetime",
    Access.PRODUCTION,
    _days("production"),
)
CONSUMPTION_LIFETIME: Final = Endpoint(
    "consumption_lifetime",
    "{system_id}/consumption_lifetime",
    Access.CONSUMPTION,
    _days("consumption"),
)
IMPORT_LIFETIME: Final = Endpoint(
    "import_lifetime",
    "{system_id}/energy_import_lifetime",
    Access.CONSUMPTION,
    _days("import"),
)
EXPORT_LIFETIME: Final = Endpoint(
    "export_lifetime",
    "{system_id}/energy_export_lifetime",
    Access.CONSUMPTION,
    _days("export"),
)
BATTERY_LIFETIME: Final = Endpoint(
    "battery_lifetime",
    "{system_id}/battery_lifetime",
    Access.CONSUMPTION,
    DailyBatteryEnergy.from_api,
)
# Query: "end_at".
PRODUCTION_METER_READINGS: Final = _meters("production", Access.PRODUCTION)
CONSUMPTION_METER_READINGS: Final = _meters("consumption", Access.CONSUMPTION)
STORAGE_METER_READINGS: Final = _meters("storage", Access.CONSUMPTION)
# Query: "start_at", and "end_at" at most a week later.
RGM_STATS: Final = Endpoint(
    "rgm_stats",
    "{system_id}/rgm_stats",
    Access.PRODUCTION,
    ProductionMeters.from_api,
)

# Single devices. For the query see interval_query(); a page with a week of intervals
# may exceed the size limit of the client.
MICROS_TELEMETRY: Final = Endpoint(
    "micros_telemetry",
    "{system_id}/devices/micros/telemetry",
    Access.DEVICES,
    InvertersTelemetry.from_api,
    page_size=20,
)
MICRO_TELEMETRY: Final = Endpoint(
    "micro_telemetry",
    "{system_id}/devices/micros/{serial_no}/telemetry",
    Access.DEVICES,
    InverterTelemetry.from_api,
)
ENCHARGE_TELEMETRY: Final = Endpoint(
    "encharge_telemetry",
    "{system_id}/devices/encharges/{serial_no}/telemetry",
    Access.DEVICES,
    BatteryTelemetry.from_api,
)
# Chargers of other makers, whose cars may discharge, and heat pumps. The lifetime
# series include today, which is incomplete.
EVSE_LIFETIME: Final = Endpoint(
    "evse_lifetime",
    "{system_id}/{serial_no}/evse_lifetime",
    Access.DEVICES,
    partial(DailyBatteryEnergy.from_balance, member="consumption"),
)
EVSE_TELEMETRY: Final = Endpoint(
    "evse_telemetry",
    "{system_id}/{serial_no}/evse_telemetry",
    Access.DEVICES,
    partial(BatteryEnergyIntervals.from_balance, member="wh_consumed"),
)
# A negative value means that nothing was consumed.
HEAT_PUMP_LIFETIME: Final = Endpoint(
    "heat_pump_lifetime",
    "{system_id}/hp_lifetime",
    Access.DEVICES,
    partial(DailyEnergy.from_api, member="consumption", energy=to_inflow),
)
HEAT_PUMP_TELEMETRY: Final = Endpoint(
    "heat_pump_telemetry",
    "{system_id}/hp_telemetry",
    Access.DEVICES,
    partial(EnergyIntervals.from_api, member="wh_consumed", energy=to_inflow),
)

# Settings of a system. The response to a write has the settings after it.
BATTERY_SETTINGS: Final = _setting("battery_settings", BatterySettings.from_api)
SET_BATTERY_SETTINGS: Final = _written(BATTERY_SETTINGS)
STORM_GUARD: Final = _setting("storm_guard", StormGuard.from_api)
SET_STORM_GUARD: Final = _written(STORM_GUARD)
GRID_STATUS: Final = _setting("grid_status", GridState.from_api)
LOAD_CONTROL: Final = _setting("load_control", LoadControl.from_api)
SET_LOAD_CONTROL: Final = _written(LOAD_CONTROL)

# Live data.
LIVE_DATA: Final = Endpoint(
    "live_data", "{system_id}/live_data", Access.STREAMING, LiveFrame.from_api
)

# EV chargers of Enphase. Dates in queries have the form YYYYMMDD.
EV_CHARGERS: Final = Endpoint(
    "ev_chargers",
    "{system_id}/ev_charger/devices",
    Access.EV_MONITORING,
    Devices.from_api,
)
# The limit of both is 100 at most. Their order is not documented.
EV_CHARGER_EVENTS: Final = Endpoint(
    "ev_charger_events",
    "{system_id}/ev_charger/events",
    Access.EV_MONITORING,
    ChargerEvents.from_api,
    query={"limit": "100"},
)
EV_CHARGER_SESSIONS: Final = Endpoint(
    "ev_charger_sessions",
    "{system_id}/ev_charger/{serial_no}/sessions",
    Access.EV_MONITORING,
    ChargingSessions.from_api,
    query={"limit": "100"},
)
EV_CHARGER_SCHEDULES: Final = Endpoint(
    "ev_charger_schedules",
    "{system_id}/ev_charger/{serial_no}/schedules",
    Access.EV_MONITORING,
    ChargerSchedules.from_api,
)
# Query: "start_date".
EV_CHARGER_LIFETIME: Final = Endpoint(
    "ev_charger_lifetime",
    "{system_id}/ev_charger/{serial_no}/lifetime",
    Access.EV_MONITORING,
    _days("consumption"),
)
EV_CHARGER_TELEMETRY: Final = Endpoint(
    "ev_charger_telemetry",
    "{system_id}/ev_charger/{serial_no}/telemetry",
    Access.EV_MONITORING,
    _intervals("consumption", items="consumption"),
)
START_CHARGING: Final = Endpoint[Any](
    "start_charging",
    "{system_id}/ev_charger/{serial_no}/start_charging",
    Access.EV_CONTROL,
    method="POST",
)
STOP_CHARGING: Final = Endpoint[Any](
    "stop_charging",
    "{system_id}/ev_charger/{serial_no}/stop_charging",
    Access.EV_CONTROL,
    method="POST",
)

ENDPOINTS: Final[tuple[Endpoint[Any], ...]] = tuple(
    row for row in tuple(globals().values()) if isinstance(row, Endpoint)
)
"""All of the above, in their order."""
