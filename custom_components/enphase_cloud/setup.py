"""Set up the systems of a config entry with their coordinators."""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any

from homeassistant.const import CONF_ID, CONF_NAME
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.recorder import DATA_INSTANCE
from homeassistant.util import dt as dt_util

from .api import Alarms, ConnectionType
from .charger_entities import note_past_sessions
from .const import CONF_CONNECTION, CONF_LIVE_STREAM, CONF_SYSTEMS, CONF_TIME_ZONE
from .coordinator.base import SystemContext
from .coordinator.costs import SystemCosts
from .coordinator.device_statistics import DEVICE_ENERGY, DeviceStatistics
from .coordinator.document import DocumentCoordinator
from .coordinator.energy import EnergyCoordinator
from .coordinator.event_types import EventTypesCoordinator
from .coordinator.event_weeks import EventWeeks
from .coordinator.figures import SystemFigures
from .coordinator.first_polls import async_poll_first
from .coordinator.live import LiveCoordinator
from .coordinator.live_sessions import LiveSessions
from .coordinator.settings_writer import SettingsWriter
from .coordinator.system_list import SystemListUpdater
from .data import (
    EnphaseCloudConfigEntry,
    EnphaseSystem,
    account_identifier,
    device_identifier,
)
from .devices import DeviceTracker
from .documents.base import Known
from .documents.table import ALARMS_DOCUMENT, BATTERY_DOCUMENT, DOCUMENTS, documents_of
from .documents.writes import SETTINGS
from .measurements.system import SystemInfo
from .quota.plans import Plan
from .runtime.account import account_owner
from .runtime.arrays import arrays_of
from .runtime.options import (
    PANEL_STATISTICS,
    EnergyOptions,
    LiveOptions,
    groups_from_options,
)
from .runtime.system_properties import async_time_zone, systems_of_other_entries
from .runtime.tariffs import tariffs_of


async def async_set_up_systems(entry: EnphaseCloudConfigEntry, plan: Plan) -> None:
    """Set up each system, and poll due documents as far as calls allow.

    Raises ConfigEntryNotReady or ConfigEntryAuthFailed if no data of any system is
    known, and the cloud is unreachable or refuses all of them.
    """
    data = entry.runtime_data
    hass = data.shared.hass
    elsewhere = systems_of_other_entries(hass, entry)
    chosen = {stored[CONF_ID]: stored for stored in entry.data[CONF_SYSTEMS]}
    for system_id, stored in chosen.items():
        if system_id in elsewhere:
            data.systems_elsewhere.append(stored[CONF_NAME])
        else:
            context = await _async_context(entry, stored)
            data.systems.append(_system(context, plan, data.event_types))
            # Let other tasks run between systems.
            await asyncio.sleep(0)
    _remove_other_devices(hass, entry)
    for system in data.systems:
        await DeviceTracker(hass, entry, system).async_begin()
    await async_poll_first(data.shared, [system.documents for system in data.systems])
    summaries = {each.info.system_id: each.documents[0] for each in data.systems}
    SystemListUpdater(data.shared, summaries, plan).async_begin()
    for system in data.systems:
        if system.live_sessions is not None:
            system.live_sessions.async_schedule()
        if system.energy is not None:
            system.energy.async_begin()
        if system.costs is not None:
            system.costs.async_begin()
        if system.figures is not None:
            system.figures.async_begin()


async def _async_context(
    entry: EnphaseCloudConfigEntry, stored: Mapping[str, Any]
) -> SystemContext:
    shared = entry.runtime_data.shared
    time_zone = await async_time_zone(stored.get(CONF_TIME_ZONE))
    info = SystemInfo(
        system_id=stored[CONF_ID],
        name=stored[CONF_NAME],
        time_zone=time_zone or dt_util.get_default_time_zone(),
        is_time_zone_known=time_zone is not None,
        is_cellular=stored.get(CONF_CONNECTION) == ConnectionType.CELLULAR,
        can_stream=stored.get(CONF_LIVE_STREAM) is not False,
        arrays={
            panel: array.key
            for array in arrays_of(entry, stored[CONF_ID])
            for panel in array.members
        },
    )
    store = shared.storage.system(info.system_id)
    return SystemContext(shared=shared, info=info, store=store)


def _system(
    context: SystemContext, plan: Plan, event_types: EventTypesCoordinator
) -> EnphaseSystem:
    options = context.shared.entry.options
    event_weeks = EventWeeks(context, event_types)
    arrays = arrays_of(context.shared.entry, context.info.system_id)
    system = EnphaseSystem(context=context, event_weeks=event_weeks, arrays=arrays)
    if plan.has_live_stream and context.info.can_stream:
        _add_live(system, plan)
    note_past_sessions(system)
    wanted = documents_of({None, *groups_from_options(options)}, plan.access)
    context.board.drop([each.source for each in DOCUMENTS if each not in wanted])
    system.documents.extend(DocumentCoordinator(context, each) for each in wanted)
    if DATA_INSTANCE in context.shared.hass.data:
        _add_energy(system)
    written = {setting.source: setting for setting in SETTINGS}
    for document in system.documents:
        if (setting := written.get(document.source)) is not None:
            system.settings[setting.source] = SettingsWriter(context, document, setting)
        if document.document is ALARMS_DOCUMENT:
            _learn_event_types(document, event_types)
    return system


def _add_live(system: EnphaseSystem, plan: Plan) -> None:
    context = system.context
    options = LiveOptions.from_options(context.shared.entry.options)
    system.live = LiveCoordinator(context, options)
    system.live_sessions = LiveSessions(
        context, system.live, options=options, price=plan.live_stream_price
    )


def _add_energy(system: EnphaseSystem) -> None:
    """Add what the recorder stores: energy, costs and figures."""
    context, entry = system.context, system.context.shared.entry
    energy = EnergyCoordinator(context, EnergyOptions.from_options(entry.options))
    system.energy = energy
    if tariffs := tariffs_of(entry, context.info.system_id):
        system.costs = SystemCosts(context, energy, tariffs)
    else:
        context.store.keep_priced(())
    system.figures = SystemFigures(context, energy)
    of_panels = PANEL_STATISTICS.of(entry.options)
    of_devices = DeviceStatistics(context, energy, of_panels=of_panels)
    for document in system.documents:
        if document.document is BATTERY_DOCUMENT:
            document.responses.async_add_listener(energy.take_battery)
        elif document.source in DEVICE_ENERGY:
            take = partial(of_devices.take, document.source)
            document.responses.async_add_listener(take)


def _learn_event_types(
    document: DocumentCoordinator, event_types: EventTypesCoordinator
) -> None:
    """Request texts of unknown event types when open alarms have them."""

    @callback
    def learn(answer: Alarms, _known: Known) -> None:
        event_types.learn_soon(
            (alarm.event_type_id for alarm in answer.alarms),
            document.async_update_listeners,
        )

    document.responses.async_add_listener(learn)


@callback
def _remove_other_devices(hass: HomeAssistant, entry: EnphaseCloudConfigEntry) -> None:
    """Remove the devices of systems that the entry no longer has.

    Also remove the account device if another entry owns it.
    """
    registry = dr.async_get(hass)
    is_owner = account_owner(hass, entry) is entry
    account = {account_identifier(entry)} if is_owner else set()
    present = {
        device_identifier(each.info.system_id) for each in entry.runtime_data.systems
    }
    for device in dr.async_entries_for_config_entry(registry, entry.entry_id):
        systems = {
            (domain, identifier.partition("_")[0])
            for domain, identifier in device.identifiers
        }
        if not (present & systems or account & device.identifiers):
            registry.async_remove_device(device.id)
