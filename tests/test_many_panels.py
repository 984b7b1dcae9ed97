"""Systems with many panels: devices and entities come in batches."""

from datetime import timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest

from custom_components.enphase_cloud.const import DOMAIN

from .conftest import SetUp, World
from .helpers import pass_time

PANELS = 90


pytestmark = pytest.mark.usefixtures("summer_noon")


@pytest.fixture
def system_properties() -> dict[str, Any]:
    return {"name": "Barn", "size_w": PANELS * 425, "time_zone": "Europe/Berlin"}


def _panels(hass: HomeAssistant) -> list[dr.DeviceEntry]:
    registry = dr.async_get(hass)
    [entry] = hass.config_entries.async_entries(DOMAIN)
    return [
        device
        for device in dr.async_entries_for_config_entry(registry, entry.entry_id)
        if any("_inverter_" in identifier for _, identifier in device.identifiers)
    ]


def _yesterday(hass: HomeAssistant) -> list[str]:
    """Return the state of each panel's sensor of yesterday's energy."""
    return [
        state.state
        for entry in er.async_get(hass).entities.values()
        if entry.unique_id.endswith("_energy_yesterday")
        and (state := hass.states.get(entry.entity_id)) is not None
    ]


async def test_each_panel_has_a_device_and_daily_values(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """There are more panels than one batch adds or updates."""
    await set_up(options={"groups": ["devices", "panels"]})
    await hass.async_block_till_done(wait_background_tasks=True)
    assert len(_panels(hass)) == len(world.system.microinverters) == PANELS
    assert all(device.name for device in _panels(hass))
    hour = timedelta(hours=1)
    await pass_time(hass, freezer, timedelta(days=2), step=hour)
    first = _yesterday(hass)
    assert len(first) == PANELS
    assert all(float(state) > 0 for state in first)
    await pass_time(hass, freezer, timedelta(days=1), step=hour)
    second = _yesterday(hass)
    assert sum(map(str.__ne__, first, second, strict=True)) > PANELS * 0.9


async def test_restart_restores_all_panels_without_a_call(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """All values are available when set-up ends."""
    entry = await set_up(options={"groups": ["devices", "panels"]})
    await pass_time(hass, freezer, timedelta(days=2), step=timedelta(hours=1))
    before = _yesterday(hass)
    assert len(before) == PANELS
    world.cloud.requests.clear()
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert set(_yesterday(hass)) == {STATE_UNAVAILABLE}
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert not {"devices", "inverters_summary"} & set(world.calls)
    assert _yesterday(hass) == before


async def test_unload_stops_adding_devices(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """The entry is unloaded while batches of devices and entities are added."""
    entry = world.entry(options={"groups": ["devices", "panels"]})
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.LOADED
    assert await hass.config_entries.async_unload(entry.entry_id)
    devices = len(_panels(hass))
    await hass.async_block_till_done(wait_background_tasks=True)
    assert len(_panels(hass)) == devices
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert len(_panels(hass)) == PANELS
