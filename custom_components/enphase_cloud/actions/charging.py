"""Actions that start and stop the charging of a car.

By the specification only partners may use the operations, which it calls illustrative.
No document of the cloud shows whether a command took effect.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from homeassistant.const import ATTR_DEVICE_ID
from homeassistant.core import ServiceCall
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
import voluptuous as vol

from ..api import (
    EnphaseCloudError,
    EnphaseConnectionError,
    ForbiddenError,
    InvalidRequestError,
    MalformedResponseError,
    NotEntitledError,
)
from ..api.access import Access
from ..api.endpoints import START_CHARGING, STOP_CHARGING, Endpoint
from ..coordinator.error_policy import (
    explained_to_user,
    foreseen,
    raise_if_refused,
    smallest_plan,
)
from ..data import EnphaseSystem
from ..documents.chargers import EACH_CHARGER
from ..errors import translated
from ..measurements.catalog import Source
from ..measurements.system import Device
from ..runtime.key_budget import for_the_user
from ..runtime.options import plan_from_options
from .targets import TARGET, async_targeted_systems, targeted_device_ids

_ATTR_LEVEL: Final = "charging_level"
START_CHARGING_SCHEMA: Final = vol.Schema(
    {
        **TARGET,
        vol.Optional(_ATTR_LEVEL): vol.All(vol.Coerce(int), vol.Range(min=1, max=100)),
    }
)
_REFUSED: Final = (ForbiddenError, NotEntitledError)
# The charger may have received the command, which must not be sent twice.
_UNCERTAIN: Final = (EnphaseConnectionError, MalformedResponseError)


async def async_start_charging(call: ServiceCall) -> None:
    """Start charging, optionally at a share of the charger's power [%]."""
    level = call.data.get(_ATTR_LEVEL)
    body = {} if level is None else {"connectorId": "1", "chargingLevel": str(level)}
    await _async_command(call, START_CHARGING, body)


async def async_stop_charging(call: ServiceCall) -> None:
    """Stop charging."""
    await _async_command(call, STOP_CHARGING, None)


async def _async_command(
    call: ServiceCall, endpoint: Endpoint[Any], body: Mapping[str, str] | None
) -> None:
    systems = await async_targeted_systems(call)
    device_ids = targeted_device_ids(call)
    for system in systems:
        _raise_unless_allowed(system)
    targets = [
        (system, charger)
        for system in systems
        for charger in _chargers(system, device_ids)
    ]
    chosen = {system.device_ids[charger] for system, charger in targets}
    if not chosen or not chosen.issuperset(call.data.get(ATTR_DEVICE_ID, ())):
        raise translated(ServiceValidationError, "no_charger")
    for system, charger in targets:
        await _async_send(system, charger, endpoint, body)


def _raise_unless_allowed(system: EnphaseSystem) -> None:
    options = system.context.shared.entry.options
    if Access.EV_CONTROL not in plan_from_options(options).access:
        raise translated(ServiceValidationError, "charging_not_in_plan")
    raise_if_refused(system.context, Source.CHARGERS)


def _chargers(system: EnphaseSystem, device_ids: set[str]) -> Iterator[Device]:
    for device in EACH_CHARGER.devices(system.board):
        if system.device_ids.get(device) in device_ids:
            yield device


async def _async_send(
    system: EnphaseSystem,
    charger: Device,
    endpoint: Endpoint[Any],
    body: Mapping[str, str] | None,
) -> None:
    """Send a command once; it is never repeated, even after an error."""
    try:
        with foreseen(), for_the_user():
            await system.context.shared.client.post(
                endpoint,
                body,
                system_id=system.info.system_id,
                serial_no=charger.identifier,
            )
    except EnphaseCloudError as err:
        raise _explained(system, err) from None


def _explained(system: EnphaseSystem, err: EnphaseCloudError) -> HomeAssistantError:
    if isinstance(err, _REFUSED):
        return translated(
            HomeAssistantError,
            "not_entitled",
            access_control=Access.EV_CONTROL,
            plan=smallest_plan(Access.EV_CONTROL),
        )
    if isinstance(err, _UNCERTAIN):
        return translated(HomeAssistantError, "charging_uncertain")
    if isinstance(err, InvalidRequestError):
        return translated(
            HomeAssistantError, "setting_refused", details=err.details or err
        )
    return explained_to_user(system.context, err, Source.CHARGERS)
