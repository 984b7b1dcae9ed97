"""Set up the systems of a config entry with their coordinators."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from homeassistant.const import CONF_ID, CONF_NAME
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.recorder import DATA_INSTANCE
from homeassistant.util import dt as dt_util

from .api import ConnectionType
from .const import (
    CONF_CONNECTION,
    CONF_LIVE_STREAM,
    CONF_SYSTEMS,
    CONF_TIME_ZONE,
    DOMAIN,
)
from .coordinator.document import DocumentCoordinator
from .coordinator.energy import EnergyCoordinator
from .coordinator.energy_documents import ENERGY_DOCUMENTS
from .coordinator.first_polls import async_poll_first
from .coordinator.live import LiveCoordinator
from .coordinator.live_session import LiveSessions
from .coordinator.polled_documents import DOCUMENT_SOURCES
from .coordinator.system_list import SystemListUpdater
from .data import EnphaseCloudConfigEntry, EnphaseSystem, device_identifier
from .measurements.samples import Source
from .quota.plans import Plan
from .runtime.options import EnergyOptions, LiveOptions
from .runtime.system_properties import (
    async_time_zone,
    chosen_systems,
    systems_of_other_entries,
)


async def async_set_up_systems(
    hass: HomeAssistant, entry: EnphaseCloudConfigEntry, plan: Plan
) -> None:
    """Set up each system, and poll what is due as far as calls allow.

    Raises ConfigEntryNotReady or ConfigEntryAuthFailed where nothing is known of any
    system, and the cloud cannot be reached or refuses all of them.
    """
    elsewhere = systems_of_other_entries(hass, entry)
    chosen = {stored[CONF_ID]: stored for stored in entry.data[CONF_SYSTEMS]}
    for system_id, stored in chosen.items():
        if system_id in elsewhere:
            entry.runtime_data.systems_elsewhere.append(stored[CONF_NAME])
        else:
            system = await _async_system(entry, stored)
            entry.runtime_data.systems.append(system)
            _add_coordinators(hass, entry, system, stored, plan)
    _remove_other_devices(hass, entry)
    await async_poll_first(hass, entry)
    SystemListUpdater(hass, entry, plan).async_begin()
    for system in entry.runtime_data.systems:
        if system.live_sessions is not None:
            system.live_sessions.async_schedule()
        if system.energies is not None:
            system.energies.async_begin()


async def _async_system(
    entry: EnphaseCloudConfigEntry, stored: Mapping[str, Any]
) -> EnphaseSystem:
    system_id = stored[CONF_ID]
    time_zone = await async_time_zone(stored.get(CONF_TIME_ZONE))
    return EnphaseSystem(
        system_id=system_id,
        name=stored[CONF_NAME],
        time_zone=time_zone or dt_util.get_default_time_zone(),
        is_time_zone_known=time_zone is not None,
        cellular=stored.get(CONF_CONNECTION) == ConnectionType.CELLULAR,
        is_visible=entry.runtime_data.storage.hidden(system_id) is None,
    )


def _add_coordinators(
    hass: HomeAssistant,
    entry: EnphaseCloudConfigEntry,
    system: EnphaseSystem,
    stored: Mapping[str, Any],
    plan: Plan,
) -> None:
    remembered = partial(entry.runtime_data.storage.samples, system.system_id)
    if plan.has_live_stream and stored.get(CONF_LIVE_STREAM) is not False:
        options = LiveOptions.from_options(entry.options)
        system.live = LiveCoordinator(hass, entry, system, options)
        system.live_sessions = LiveSessions(
            hass,
            entry,
            system,
            system.live,
            options=options,
            price=plan.live_stream_price,
        )
    else:
        system.remembered.append(remembered(Source.LIVE))
    if DATA_INSTANCE in hass.data:
        system.energies = EnergyCoordinator(
            hass, entry, system, EnergyOptions.from_options(entry.options)
        )
    else:
        system.remembered.extend(map(remembered, ENERGY_DOCUMENTS))
    system.documents.extend(
        DocumentCoordinator(hass, entry, system, source) for source in DOCUMENT_SOURCES
    )


@callback
def _remove_other_devices(hass: HomeAssistant, entry: EnphaseCloudConfigEntry) -> None:
    """Remove the devices of systems that no entry has any more."""
    registry = dr.async_get(hass)
    present = {
        device_identifier(system_id)
        for holder in hass.config_entries.async_entries(DOMAIN)
        for system_id in chosen_systems(holder)
    }
    for device in dr.async_entries_for_config_entry(registry, entry.entry_id):
        if not device.identifiers & present:
            registry.async_remove_device(device.id)
