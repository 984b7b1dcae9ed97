"""Finds the systems that an action targets, and checks the user's permissions."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from homeassistant.auth.permissions.const import POLICY_CONTROL
from homeassistant.const import (
    ATTR_AREA_ID,
    ATTR_DEVICE_ID,
    ATTR_ENTITY_ID,
    ATTR_FLOOR_ID,
    ATTR_LABEL_ID,
)
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.exceptions import ServiceValidationError, Unauthorized, UnknownUser
from homeassistant.helpers import (
    config_validation as cv,
    device_registry as dr,
    entity_registry as er,
    service,
)
from homeassistant.helpers.target import (
    SelectedEntities,
    TargetSelection,
    async_extract_referenced_entity_ids,
)
import voluptuous as vol

from ..const import DOMAIN
from ..data import EnphaseCloudConfigEntry, EnphaseSystem, account_identifier
from ..errors import translated
from ..measurements.system import SYSTEM
from ..runtime.account import account_owner

_IDS: Final = vol.All(cv.ensure_list, [cv.string])
# Not Home Assistant's own fields: since 2026.9 they are of another library than vol.
# "exclude" exists since 2026.11.
TARGET: Final = {
    vol.Optional(key): _IDS
    for key in (
        ATTR_ENTITY_ID,
        ATTR_DEVICE_ID,
        ATTR_AREA_ID,
        ATTR_FLOOR_ID,
        ATTR_LABEL_ID,
    )
} | {vol.Optional("exclude"): dict}
TARGET_SCHEMA: Final = vol.Schema(TARGET)
_YEARS: Final = range(2000, 2100)


def of_our_time[DateT: date](value: DateT) -> DateT:
    """Return a day or moment of a plausible year; raise vol.Invalid otherwise."""
    if value.year not in _YEARS:
        raise vol.Invalid("There was no system then")
    return value


async def async_targeted_systems(
    call: ServiceCall, policy: str = POLICY_CONTROL
) -> list[EnphaseSystem]:
    """Return the systems that the call targets.

    `policy` is the permission that the user needs for each entity of a system. Raises
    ServiceValidationError where no target is a loaded system, Unauthorized without the
    permission, and UnknownUser.
    """
    systems = _targeted_systems(call)
    if (user_id := call.context.user_id) is None:
        return systems  # An automation, for instance.
    if (user := await call.hass.auth.async_get_user(user_id)) is None:
        raise UnknownUser(context=call.context, permission=policy, user_id=user_id)
    for system in systems:
        for entity_id in _entity_ids(call.hass, system):
            if not user.permissions.check_entity(entity_id, policy):
                raise Unauthorized(
                    context=call.context,
                    user_id=user_id,
                    entity_id=entity_id,
                    permission=policy,
                )
    return systems


def _entity_ids(hass: HomeAssistant, system: EnphaseSystem) -> list[str]:
    """Return the entities of a system, which always has buttons at least."""
    entities = er.async_entries_for_device(
        er.async_get(hass), system.device_ids[SYSTEM], include_disabled_entities=True
    )
    return [entity.entity_id for entity in entities if entity.platform == DOMAIN]


def _targeted_systems(call: ServiceCall) -> list[EnphaseSystem]:
    """Return the systems that the call targets; without a target, all of the account.

    Raises ServiceValidationError where no target is a loaded system, or where there is
    no target and not exactly one account.
    """
    if not TargetSelection(call.data).has_any_target:
        only: EnphaseCloudConfigEntry
        only = service.async_get_config_entry(call.hass, DOMAIN, None)
        return list(only.runtime_data.systems)
    selected = _selected(call)
    identifiers = _identifiers(call.hass, _device_ids(call.hass, selected))
    entries: list[EnphaseCloudConfigEntry]
    entries = call.hass.config_entries.async_loaded_entries(DOMAIN)
    systems = [
        system
        for entry in entries
        for system in entry.runtime_data.systems
        if identifiers & {str(system.info.system_id), _account_of(call.hass, entry)}
    ]
    if selected.missing_devices or not systems:
        raise translated(ServiceValidationError, "unknown_device")
    return systems


def _account_of(hass: HomeAssistant, entry: EnphaseCloudConfigEntry) -> str:
    """Return the identifier of the device below which an entry's systems are."""
    return account_identifier(account_owner(hass, entry))[1]


def targeted_device_ids(call: ServiceCall) -> set[str]:
    """Return the ids of devices that the call targets, also by entities and areas."""
    return _device_ids(call.hass, _selected(call))


def response(system: EnphaseSystem, result: Mapping[str, Any]) -> dict[str, Any]:
    """Return an action's response for a system, by its id."""
    return {str(system.info.system_id): {"name": system.info.name, **result}}


def _selected(call: ServiceCall) -> SelectedEntities:
    return async_extract_referenced_entity_ids(
        call.hass, TargetSelection(call.data), primary_entities_only=False
    )


def _device_ids(hass: HomeAssistant, selected: SelectedEntities) -> set[str]:
    registry = er.async_get(hass)
    entities = map(
        registry.async_get, selected.referenced | selected.indirectly_referenced
    )
    of_entities = {each.device_id for each in entities if each and each.device_id}
    return selected.referenced_devices | of_entities


def _identifiers(hass: HomeAssistant, device_ids: set[str]) -> set[str]:
    """Return the ids of the systems of our devices, and identifiers of accounts."""
    devices = map(dr.async_get(hass).async_get, device_ids)
    ours = {
        identifier[1]
        for device in devices
        if device is not None
        for identifier in device.identifiers
        if identifier[0] == DOMAIN
    }
    return ours | {identifier.partition("_")[0] for identifier in ours}
