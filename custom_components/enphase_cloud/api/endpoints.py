"""The 51 operations of the Monitoring API v4, one row each.

Names, paths and access controls are those of the official specification. An operation
without a model is answered as it comes: as parsed JSON.
"""

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from functools import partial
import re
from typing import Any, Final, Literal

from .access import Access
from .models.battery import BatteryTelemetry
from .models.device import Devices
from .models.energy import DailyBatteryEnergies, DailyEnergies, EnergyIntervals
from .models.ev_charger import ChargerEvents, ChargerSchedules, ChargingSessions
from .models.event import Alarms, Events, EventTypes
from .models.inverters import InvertersSummary
from .models.latest import LatestTelemetry
from .models.live_frame import LiveFrame
from .models.meter_readings import MeterReadings
from .models.summary import Summary
from .models.system import System, SystemsPage

type Method = Literal["GET", "POST", "PUT"]

TOKEN: Final = "token"  # noqa: S105 (a name, no secret)
"""What budgets and errors call a request to the token endpoint."""

_PARAMETER: Final = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True, eq=False)
class Endpoint[DocumentT]:
    """An operation: budgets and errors know it by its name.

    `path` is relative to /api/v4/systems. `query` and `body` are what each request
    carries; `page_size` is set where the answer comes in pages.
    """

    name: str
    path: str
    access: Access
    model: Callable[[Any], DocumentT] | None = None
    _: KW_ONLY
    method: Method = "GET"
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    page_size: int | None = None

    def path_of(self, **parameters: int | str) -> str:
        """Return the path with its parameters filled in.

        Raises ValueError where a parameter is not an id or a serial number.
        """
        if not all(_PARAMETER.fullmatch(str(value)) for value in parameters.values()):
            raise ValueError("An id or serial number holds only letters and digits")
        return self.path.format_map(parameters)

    def read(self, document: Any) -> DocumentT:
        """Return what an answer says; the answer itself where there is no model.

        Raises MalformedAnswerError where the model cannot read it.
        """
        answer: DocumentT = document
        return answer if self.model is None else self.model(document)


def _intervals(
    member: str, *, minutes: int = 15, items: str = "intervals"
) -> Callable[[Any], EnergyIntervals]:
    return partial(
        EnergyIntervals.from_api, member=member, minutes=minutes, items=items
    )


def _days(member: str) -> Callable[[Any], DailyEnergies]:
    return partial(DailyEnergies.from_api, member=member)


def _listing[DocumentT](
    name: str, model: Callable[[Any], DocumentT]
) -> Endpoint[DocumentT]:
    """Return a list of a system that is called as the last part of its path."""
    return Endpoint(
        name=name,
        path=f"{{system_id}}/{name}",
        access=Access.SYSTEM_DETAILS,
        model=model,
    )


def _meters(kind: str, access: Access) -> Endpoint[MeterReadings]:
    name = f"{kind}_meter_readings"
    return Endpoint(name, f"{{system_id}}/{name}", access, MeterReadings.from_api)


_details = partial(Endpoint[Any], access=Access.SYSTEM_DETAILS)
_device = partial(Endpoint[Any], access=Access.DEVICES)
_configuration = partial(Endpoint[Any], access=Access.CONFIGURATION)

# Systems, their devices and events.
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
RETRIEVE_SYSTEM_ID: Final = _details("retrieve_system_id", "retrieve_system_id")
# It takes "site_id" or "envoy_serial_number" in the query.
INVERTERS_SUMMARY: Final = Endpoint(
    "inverters_summary",
    "inverters_summary_by_envoy_or_site",
    Access.SYSTEM_DETAILS,
    InvertersSummary.from_api,
    page_size=100,
)
# Both take "start_time", and "end_time" at most a week later, in the query.
EVENTS: Final = _listing("events", Events.from_api)
ALARMS: Final = _listing("alarms", Alarms.from_api)
EVENT_TYPES: Final = Endpoint(
    "event_types", "event_types", Access.SYSTEM_DETAILS, EventTypes.from_api
)
OPEN_EVENTS: Final = _listing("open_events", Events.from_api)
OPEN_ALARMS: Final = _listing("open_alarms", Alarms.from_api)

# Energy of a system in intervals and by day, and the registers of its meters.
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
    DailyBatteryEnergies.from_api,
)
# They take "end_at" in the query.
PRODUCTION_METER_READINGS: Final = _meters("production", Access.PRODUCTION)
CONSUMPTION_METER_READINGS: Final = _meters("consumption", Access.CONSUMPTION)
STORAGE_METER_READINGS: Final = _meters("storage", Access.CONSUMPTION)
RGM_STATS: Final = Endpoint[Any](
    "rgm_stats", "{system_id}/rgm_stats", Access.PRODUCTION
)

# Single devices.
MICROS_TELEMETRY: Final = _device(
    "micros_telemetry", "{system_id}/devices/micros/telemetry"
)
MICRO_TELEMETRY: Final = _device(
    "micro_telemetry", "{system_id}/devices/micros/{serial_no}/telemetry"
)
ENCHARGE_TELEMETRY: Final = _device(
    "encharge_telemetry", "{system_id}/devices/encharges/{serial_no}/telemetry"
)
EVSE_LIFETIME: Final = _device("evse_lifetime", "{system_id}/{serial_no}/evse_lifetime")
EVSE_TELEMETRY: Final = _device(
    "evse_telemetry", "{system_id}/{serial_no}/evse_telemetry"
)
HEAT_PUMP_LIFETIME: Final = _device("heat_pump_lifetime", "{system_id}/hp_lifetime")
HEAT_PUMP_TELEMETRY: Final = _device("heat_pump_telemetry", "{system_id}/hp_telemetry")

# Settings of a system.
BATTERY_SETTINGS: Final = _configuration(
    "battery_settings", "config/{system_id}/battery_settings"
)
SET_BATTERY_SETTINGS: Final = _configuration(
    "set_battery_settings", "config/{system_id}/battery_settings", method="PUT"
)
STORM_GUARD: Final = _configuration("storm_guard", "config/{system_id}/storm_guard")
SET_STORM_GUARD: Final = _configuration(
    "set_storm_guard", "config/{system_id}/storm_guard", method="PUT"
)
GRID_STATUS: Final = _configuration("grid_status", "config/{system_id}/grid_status")
LOAD_CONTROL: Final = _configuration("load_control", "config/{system_id}/load_control")
SET_LOAD_CONTROL: Final = _configuration(
    "set_load_control", "config/{system_id}/load_control", method="PUT"
)

# Live data.
LIVE_DATA: Final = Endpoint(
    "live_data", "{system_id}/live_data", Access.STREAMING, LiveFrame.from_api
)

# EV chargers of Enphase. Dates in queries are written as YYYYMMDD.
EV_CHARGERS: Final = Endpoint(
    "ev_chargers",
    "{system_id}/ev_charger/devices",
    Access.EV_MONITORING,
    Devices.from_api,
)
# Both may be asked for up to 100 at a time; which come first is not documented.
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
# It takes "start_date" in the query.
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
