"""Registration of the actions."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final

from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
import voluptuous as vol

from .actions import charging, export, history, live, meters, report
from .actions.targets import TARGET_SCHEMA
from .const import DOMAIN

type _Handler = Callable[[ServiceCall], Coroutine[Any, Any, ServiceResponse]]

_ACTIONS: Final[Mapping[str, tuple[_Handler, vol.Schema, SupportsResponse]]] = {
    "export_energy": (
        export.async_export_energy,
        export.SCHEMA,
        SupportsResponse.OPTIONAL,
    ),
    "get_readings": (
        meters.async_get_meter_readings,
        meters.SCHEMA,
        SupportsResponse.ONLY,
    ),
    "get_report": (report.async_get_report, report.SCHEMA, SupportsResponse.ONLY),
    "import_history": (
        history.async_import_history,
        history.IMPORT_SCHEMA,
        SupportsResponse.OPTIONAL,
    ),
    "start_charging": (
        charging.async_start_charging,
        charging.START_CHARGING_SCHEMA,
        SupportsResponse.NONE,
    ),
    "start_live_stream": (
        live.async_start_live_streams,
        live.START_SCHEMA,
        SupportsResponse.OPTIONAL,
    ),
    "stop_charging": (
        charging.async_stop_charging,
        TARGET_SCHEMA,
        SupportsResponse.NONE,
    ),
    "stop_import": (
        history.async_stop_history_import,
        TARGET_SCHEMA,
        SupportsResponse.NONE,
    ),
    "stop_live_stream": (
        live.async_stop_live_streams,
        TARGET_SCHEMA,
        SupportsResponse.NONE,
    ),
}


@callback
def async_setup_actions(hass: HomeAssistant) -> None:
    """Register the actions."""
    for name, (handler, schema, response) in _ACTIONS.items():
        hass.services.async_register(
            DOMAIN, name, handler, schema=schema, supports_response=response
        )
