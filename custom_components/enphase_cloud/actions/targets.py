"""Which systems an action is for, and whether its user may have it."""

from datetime import date
from typing import Final

from homeassistant.auth.permissions.const import POLICY_CONTROL
from homeassistant.const import ATTR_CONFIG_ENTRY_ID, ATTR_DEVICE_ID
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.exceptions import ServiceValidationError, Unauthorized, UnknownUser
from homeassistant.helpers import (
    config_validation as cv,
    device_registry as dr,
    entity_registry as er,
    service,
)
import voluptuous as vol

from ..const import DOMAIN
from ..data import EnphaseCloudConfigEntry, EnphaseSystem
from ..errors import translated

TARGET: Final = {
    vol.Optional(ATTR_DEVICE_ID): vol.All(cv.ensure_list, [cv.string]),
    vol.Optional(ATTR_CONFIG_ENTRY_ID): cv.string,
}
TARGET_SCHEMA: Final = vol.Schema(TARGET)
_YEARS: Final = range(2000, 2100)


def of_our_time[DateT: date](value: DateT) -> DateT:
    """Return a day or moment at which there may be a system; raise vol.Invalid else."""
    if value.year not in _YEARS:
        raise vol.Invalid("There was no system then")
    return value


async def async_targeted_systems(
    call: ServiceCall, policy: str = POLICY_CONTROL
) -> list[EnphaseSystem]:
    """Return the systems that the call names, as far as its user may have them.

    `policy` is what the user must be allowed to do with each entity of a system.
    Raises ServiceValidationError for what is none of ours, or not loaded;
    Unauthorized and UnknownUser as entity actions do.
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
    """Return the entities of a system; at least its buttons are always there."""
    identifiers = {(DOMAIN, str(system.info.system_id))}
    device = dr.async_get(hass).async_get_device(identifiers=identifiers)
    if device is None:
        return []
    entities = er.async_entries_for_device(
        er.async_get(hass), device.id, include_disabled_entities=True
    )
    return [entity.entity_id for entity in entities if entity.platform == DOMAIN]


def _targeted_systems(call: ServiceCall) -> list[EnphaseSystem]:
    """Return the systems of the devices or the entry that the call names.

    Raises ServiceValidationError for what is none of ours, or not loaded.
    """
    systems: list[EnphaseSystem] = []
    if (entry_id := call.data.get(ATTR_CONFIG_ENTRY_ID)) is not None:
        entry: EnphaseCloudConfigEntry = service.async_get_config_entry(
            call.hass, DOMAIN, entry_id
        )
        systems += entry.runtime_data.systems
    for device_id in call.data.get(ATTR_DEVICE_ID, ()):
        system = _system_of_device(call.hass, device_id)
        if system not in systems:
            systems.append(system)
    if not systems:
        raise translated(ServiceValidationError, "no_target")
    return systems


def _system_of_device(hass: HomeAssistant, device_id: str) -> EnphaseSystem:
    device = dr.async_get(hass).async_get(device_id)
    entries: list[EnphaseCloudConfigEntry]
    entries = hass.config_entries.async_loaded_entries(DOMAIN)
    for entry in entries:
        for system in entry.runtime_data.systems:
            if device and any(
                domain == DOMAIN
                and identifier.partition("_")[0] == str(system.info.system_id)
                for domain, identifier in device.identifiers
            ):
                return system
    raise translated(ServiceValidationError, "unknown_device")
