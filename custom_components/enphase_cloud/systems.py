"""Set up the systems of a config entry with their coordinators."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from homeassistant.const import CONF_ID, CONF_NAME
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import DATA_INSTANCE
from homeassistant.util import dt as dt_util

from .api import ConnectionType
from .budget.plans import Plan
from .bursts import Bursts
from .const import CONF_CONNECTION, CONF_LIVE_STREAM, CONF_SYSTEMS, CONF_TIME_ZONE
from .coordinator import DOCUMENT_SOURCES, DocumentCoordinator
from .data import EnphaseCloudConfigEntry, EnphaseSystem
from .energy_documents import ENERGY_DOCUMENTS
from .live import LiveCoordinator
from .metering import EnergyCoordinator
from .options import EnergyOptions, LiveOptions
from .site.samples import Source


async def async_set_up_systems(
    hass: HomeAssistant, entry: EnphaseCloudConfigEntry, plan: Plan
) -> None:
    """Ask for what is due of each system, the indispensable document first.

    Raises ConfigEntryNotReady or ConfigEntryAuthFailed where that one cannot be had.
    """
    for stored in entry.data[CONF_SYSTEMS]:
        system = await _async_system(stored)
        entry.runtime_data.systems.append(system)
        remembered = partial(entry.runtime_data.memory.samples, system.system_id)
        if plan.has_live_stream and stored.get(CONF_LIVE_STREAM) is not False:
            options = LiveOptions.from_options(entry.options)
            system.live = LiveCoordinator(hass, entry, system, options)
            system.bursts = Bursts(
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
        for source in DOCUMENT_SOURCES:
            coordinator = DocumentCoordinator(hass, entry, system, source)
            system.documents.append(coordinator)
            if source.is_optional:
                await coordinator.async_refresh()
            else:
                await coordinator.async_config_entry_first_refresh()
    for system in entry.runtime_data.systems:
        if system.bursts is not None:
            system.bursts.async_schedule()
        if system.energies is not None:
            system.energies.async_begin()


async def _async_system(stored: Mapping[str, Any]) -> EnphaseSystem:
    time_zone = None
    if name := stored.get(CONF_TIME_ZONE):
        time_zone = await dt_util.async_get_time_zone(name)
    return EnphaseSystem(
        system_id=stored[CONF_ID],
        name=stored[CONF_NAME],
        time_zone=time_zone or dt_util.get_default_time_zone(),
        cellular=stored.get(CONF_CONNECTION) == ConnectionType.CELLULAR,
    )
