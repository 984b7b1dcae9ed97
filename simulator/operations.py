"""The operations of the official specification, with access control and handler."""

from collections.abc import Callable
from dataclasses import dataclass, field
import re

from .documents import (
    alarms,
    appliances,
    chargers,
    charging,
    device_telemetry,
    devices,
    inverters,
    lifetime,
    revenue_meters,
    settings,
    systems,
    telemetry,
)
from .documents.changes import WriteHandler
from .documents.chargers import ChargerHandler
from .documents.windows import Document, JsonBody, Query
from .publication import Published
from .world import AccessControl

type AccountHandler = Callable[[list[Published], Query, object], JsonBody]
type SystemHandler = Callable[[Published, Query], JsonBody]
type DeviceHandler = Callable[[Published, str, Query], Document]

_SYSTEM_DETAILS = AccessControl.SYSTEM_DETAILS
_PRODUCTION = AccessControl.PRODUCTION
_CONSUMPTION = AccessControl.CONSUMPTION


@dataclass(frozen=True, slots=True)
class Operation:
    """A method and a path below `/api/v4/systems`, with its handler.

    Without a handler the response is "Not Implemented".
    """

    name: str
    path: str
    access: AccessControl
    of_system: SystemHandler | None = None
    of_account: AccountHandler | None = None
    of_charger: ChargerHandler | None = None
    of_write: WriteHandler | None = None
    of_device: DeviceHandler | None = None
    method: str = "GET"
    pattern: re.Pattern[str] = field(init=False, repr=False)

    @property
    def is_simulated(self) -> bool:
        """Return whether it has a handler."""
        of_device = self.of_charger or self.of_device
        handler = self.of_system or self.of_account or of_device or self.of_write
        return handler is not None or self.name == "live_data"

    def __post_init__(self) -> None:
        """Compile the path."""
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.path)
        object.__setattr__(self, "pattern", re.compile(pattern))


LIVE_DATA = Operation("live_data", "/{system_id}/live_data", AccessControl.STREAMING)

INVERTERS_SUMMARY = Operation(
    "inverters_summary",
    "/inverters_summary_by_envoy_or_site",
    _SYSTEM_DETAILS,
    of_system=inverters.inverters_summary,
)
"""Its query has the system."""

_ACCOUNT_OPERATIONS = (
    Operation(
        "event_types", "/event_types", _SYSTEM_DETAILS, of_account=alarms.event_types
    ),
    Operation("systems", "/?", _SYSTEM_DETAILS, of_account=systems.systems),
    Operation(
        "retrieve_system_id",
        "/retrieve_system_id",
        _SYSTEM_DETAILS,
        of_account=systems.retrieve_system_id,
    ),
    Operation(
        "search", "/search", _SYSTEM_DETAILS, of_account=systems.search, method="POST"
    ),
)


def _of_system(
    access: AccessControl, path: str, name: str, handler: SystemHandler
) -> Operation:
    return Operation(name, f"/{{system_id}}{path}", access, of_system=handler)


_SYSTEM_OPERATIONS = (
    _of_system(_SYSTEM_DETAILS, "", "system", systems.system),
    _of_system(_SYSTEM_DETAILS, "/summary", "summary", systems.summary),
    _of_system(_SYSTEM_DETAILS, "/devices", "devices", devices.devices),
    *(
        _of_system(access, f"/telemetry/{path}", f"telemetry_{path}", handler)
        for access, path, handler in (
            (_PRODUCTION, "production_micro", telemetry.production_micro),
            (_PRODUCTION, "production_meter", telemetry.production_meter),
            (_CONSUMPTION, "consumption_meter", telemetry.consumption_meter),
            (_CONSUMPTION, "battery", telemetry.battery),
        )
    ),
    *(
        _of_system(access, f"/{handler.__name__}", handler.__name__, handler)
        for access, handler in (
            (_SYSTEM_DETAILS, alarms.events),
            (_SYSTEM_DETAILS, alarms.open_events),
            (_SYSTEM_DETAILS, alarms.alarms),
            (_SYSTEM_DETAILS, alarms.open_alarms),
            (_CONSUMPTION, telemetry.energy_import_telemetry),
            (_CONSUMPTION, telemetry.energy_export_telemetry),
            (_CONSUMPTION, telemetry.latest_telemetry),
            (_PRODUCTION, lifetime.energy_lifetime),
            (_CONSUMPTION, lifetime.consumption_lifetime),
            (_CONSUMPTION, lifetime.battery_lifetime),
            (_CONSUMPTION, lifetime.energy_import_lifetime),
            (_CONSUMPTION, lifetime.energy_export_lifetime),
            (_PRODUCTION, lifetime.production_meter_readings),
            (_PRODUCTION, revenue_meters.rgm_stats),
            (_CONSUMPTION, lifetime.consumption_meter_readings),
            (_CONSUMPTION, lifetime.storage_meter_readings),
        )
    ),
)

_CHARGER_OPERATIONS = (
    *(
        _of_system(
            AccessControl.CHARGER_MONITORING,
            f"/ev_charger/{handler.__name__}",
            f"ev_charger_{handler.__name__}",
            handler,
        )
        for handler in (chargers.devices, chargers.events)
    ),
    *(
        Operation(
            f"ev_charger_{handler.__name__}",
            f"/{{system_id}}/ev_charger/{{serial}}/{handler.__name__}",
            AccessControl.CHARGER_MONITORING,
            of_charger=handler,
        )
        for handler in (
            chargers.sessions,
            chargers.schedules,
            chargers.lifetime,
            chargers.telemetry,
        )
    ),
    *(
        Operation(
            handler.__name__,
            f"/{{system_id}}/ev_charger/{{serial}}/{handler.__name__}",
            AccessControl.CHARGER_CONTROL,
            of_write=handler,
            method="POST",
        )
        for handler in (charging.start_charging, charging.stop_charging)
    ),
)

_SETTINGS_OPERATIONS = (
    *(
        Operation(
            handler.__name__,
            f"/config/{{system_id}}/{handler.__name__}",
            AccessControl.CONFIGURATION,
            of_system=handler,
        )
        for handler in (
            settings.battery_settings,
            settings.storm_guard,
            settings.grid_status,
            settings.load_control,
        )
    ),
    *(
        Operation(
            handler.__name__,
            f"/config/{{system_id}}/{handler.__name__.removeprefix('set_')}",
            AccessControl.CONFIGURATION,
            of_write=handler,
            method="PUT",
        )
        for handler in (
            settings.set_battery_settings,
            settings.set_storm_guard,
            settings.set_load_control,
        )
    ),
)

_DEVICE_OPERATIONS = (
    *(
        _of_system(AccessControl.DEVICES, path, handler.__name__, handler)
        for path, handler in (
            ("/devices/micros/telemetry", device_telemetry.micros_telemetry),
            ("/hp_lifetime", appliances.hp_lifetime),
            ("/hp_telemetry", appliances.hp_telemetry),
        )
    ),
    *(
        Operation(
            handler.__name__,
            f"/{{system_id}}/{path}",
            AccessControl.DEVICES,
            of_device=handler,
        )
        for path, handler in (
            ("devices/micros/{serial}/telemetry", device_telemetry.micro_telemetry),
            (
                "devices/encharges/{serial}/telemetry",
                device_telemetry.encharge_telemetry,
            ),
            ("{serial}/evse_lifetime", appliances.evse_lifetime),
            ("{serial}/evse_telemetry", appliances.evse_telemetry),
        )
    ),
)

OPERATIONS = (
    *_ACCOUNT_OPERATIONS,
    INVERTERS_SUMMARY,
    LIVE_DATA,
    *_SYSTEM_OPERATIONS,
    *_CHARGER_OPERATIONS,
    *_SETTINGS_OPERATIONS,
    *_DEVICE_OPERATIONS,
)


def find(path: str) -> list[tuple[Operation, dict[str, str]]]:
    """Return the operations with this path below `/systems`, of all methods.

    Paths with fewer parameters take precedence.
    """
    found = [
        (operation, match.groupdict())
        for operation in OPERATIONS
        if (match := operation.pattern.fullmatch(path))
    ]
    fewest = min((len(parameters) for _, parameters in found), default=0)
    return [pair for pair in found if len(pair[1]) == fewest]
