"""The Enphase Cloud integration: Enphase systems over the official API v4."""

from functools import partial
from typing import cast

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_API_KEY, CONF_ID, CONF_TOKEN, Platform
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConfigEntryAuthFailed, ConfigEntryNotReady
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.config_entry_oauth2_flow import (
    ImplementationUnavailableError,
    async_get_config_entry_implementation,
)
from homeassistant.helpers.device_registry import DeviceEntry
from homeassistant.helpers.typing import ConfigType

from .api import EnphaseCloudClient
from .const import CONF_SIGNED_IN_AT, CONF_SYSTEMS, DOMAIN
from .coordinator.base import EntryContext
from .coordinator.event_types import EventTypesCoordinator
from .dashboard_watch import async_watch_dashboard
from .data import (
    EnphaseCloudConfigEntry,
    EnphaseCloudData,
    account_identifier,
    device_identifier,
)
from .errors import translated
from .issues import async_watch
from .migration import async_migrate
from .overview import async_setup_overview
from .quota.plans import Plan
from .reloading import async_reload_on_change
from .renaming import async_follow_price_entities
from .runtime.account import account_owner
from .runtime.key_budgets import async_get_key_budgets
from .runtime.oauth import (
    ConfigEntryAuth,
    EnphaseOAuth2Implementation,
    cloud_url,
    token_journal,
)
from .runtime.options import plan_from_options
from .runtime.storage import EntryStore
from .runtime.system_properties import chosen_systems
from .services import async_setup_actions
from .setup import async_set_up_systems

PLATFORMS = [
    Platform.BINARY_SENSOR,
    Platform.BUTTON,
    Platform.CALENDAR,
    Platform.EVENT,
    Platform.IMAGE,
    Platform.NUMBER,
    Platform.SELECT,
    Platform.SENSOR,
    Platform.SWITCH,
    Platform.TIME,
]
CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Set up the actions and the dashboard."""
    async_setup_actions(hass)
    await async_setup_overview(hass)
    return True


async def async_setup_entry(
    hass: HomeAssistant, entry: EnphaseCloudConfigEntry
) -> bool:
    """Set up an Enphase account."""
    implementation = await _async_implementation(hass, entry)
    api_key: str = entry.data[CONF_API_KEY]
    plan = plan_from_options(entry.options)
    budgets = async_get_key_budgets(hass)
    budget = await budgets.async_acquire(api_key, entry.entry_id, plan)
    # Release the key that was acquired: the entry may have another one by then.
    entry.async_on_unload(partial(budgets.async_release, api_key, entry.entry_id))
    auth = ConfigEntryAuth(hass, entry, implementation, budget)
    await auth.async_restore()
    storage = EntryStore(hass, entry.entry_id)
    await storage.async_load(terms=_terms(entry, plan, implementation))
    # Also after a set-up that fails: a later save would outlive the entry.
    entry.async_on_unload(storage.async_close)
    client = EnphaseCloudClient(
        async_get_clientsession(hass), auth, api_key, budget, url=cloud_url()
    )
    shared = EntryContext(
        hass=hass, entry=entry, client=client, budget=budget, storage=storage
    )
    entry.runtime_data = EnphaseCloudData(
        shared=shared, event_types=EventTypesCoordinator(shared)
    )
    await async_set_up_systems(entry, plan)
    async_watch(hass, entry)
    async_watch_dashboard(hass, entry)
    async_reload_on_change(hass, entry)
    async_follow_price_entities(hass, entry)
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    return True


async def async_migrate_entry(
    hass: HomeAssistant, entry: EnphaseCloudConfigEntry
) -> bool:
    """Bring an entry of an older version up to date."""
    async_migrate(hass, entry)
    return True


async def async_unload_entry(
    hass: HomeAssistant, entry: EnphaseCloudConfigEntry
) -> bool:
    """Unload an Enphase account."""
    if not await hass.config_entries.async_unload_platforms(entry, PLATFORMS):
        return False
    for system in entry.runtime_data.systems:
        if system.live_sessions is not None:
            await system.live_sessions.async_shutdown()
        for coordinator in system.coordinators:
            await coordinator.async_shutdown()
    # Home Assistant waits for what runs on unload for 10 s only.
    await entry.runtime_data.storage.async_close()
    return True


async def async_remove_entry(
    hass: HomeAssistant, entry: EnphaseCloudConfigEntry
) -> None:
    """Delete what is stored about an Enphase account."""
    await EntryStore(hass, entry.entry_id).async_remove()
    await token_journal(hass, entry.entry_id).async_remove()
    await async_get_key_budgets(hass).async_forget(
        entry.data[CONF_API_KEY], entry_id=entry.entry_id
    )


async def async_remove_config_entry_device(
    hass: HomeAssistant, entry: EnphaseCloudConfigEntry, device: DeviceEntry
) -> bool:
    """Allow the user to delete a device that the cloud no longer lists.

    Deleting the device of a chosen system that the cloud no longer shows also
    deselects the system, unless it is the last one.
    """
    if account_identifier(entry) in device.identifiers:
        return account_owner(hass, entry) is not entry
    if device.config_subentry_id in entry.subentries:
        return False
    if not device.identifiers & set(map(device_identifier, chosen_systems(entry))):
        return not _is_listed(entry, device)
    if entry.state is not ConfigEntryState.LOADED:
        return False
    gone = {
        device_identifier(system.info.system_id)
        for system in entry.runtime_data.systems
        if not system.store.is_visible
    }
    kept = [
        stored
        for stored in entry.data[CONF_SYSTEMS]
        if device_identifier(stored[CONF_ID]) not in device.identifiers
    ]
    if not (device.identifiers & gone and kept):
        return False
    hass.config_entries.async_update_entry(
        entry, data={**entry.data, CONF_SYSTEMS: kept}
    )
    hass.config_entries.async_schedule_reload(entry.entry_id)
    return True


def _is_listed(entry: EnphaseCloudConfigEntry, device: DeviceEntry) -> bool:
    """Return whether a loaded system still has the device."""
    return entry.state is ConfigEntryState.LOADED and any(
        device_identifier(system.info.system_id, each) in device.identifiers
        for system in entry.runtime_data.systems
        for each in system.board.devices() | system.board.inventory.keys()
    )


def _terms(
    entry: EnphaseCloudConfigEntry,
    plan: Plan,
    implementation: EnphaseOAuth2Implementation,
) -> str:
    """Return what refusals depend on; a new sign-in invalidates them."""
    terms = [plan.key, implementation.domain]
    if signed_in_at := (entry.data.get(CONF_TOKEN) or {}).get(CONF_SIGNED_IN_AT):
        terms.append(str(signed_in_at))
    return " ".join(terms)


async def _async_implementation(
    hass: HomeAssistant, entry: EnphaseCloudConfigEntry
) -> EnphaseOAuth2Implementation:
    try:
        implementation = await async_get_config_entry_implementation(hass, entry)
    except ImplementationUnavailableError:
        raise translated(ConfigEntryNotReady, "credentials_unavailable") from None
    except ValueError, ConfigEntryAuthFailed:
        # Before 2026.10 Home Assistant has no error of its own for this.
        raise translated(ConfigEntryAuthFailed, "credentials_missing") from None
    return cast("EnphaseOAuth2Implementation", implementation)
