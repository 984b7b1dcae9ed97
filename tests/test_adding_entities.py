"""Entities of devices are added exactly once, also around a reload."""

from datetime import timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntries, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.enphase_cloud.measurements.catalog import Source
from simulator import Fault

from .conftest import SetUp, World
from .helpers import pass_time
from .live import Stepper, settle, until
from .test_chargers import CHARGERS, install, shown

pytestmark = pytest.mark.usefixtures("summer_noon")

SESSIONS = "ev_charger_sessions"


async def test_data_that_arrives_during_unload_adds_entities_once(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    stepper: Stepper,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It arrives after platforms are unloaded, and before coordinators are."""
    install(world)
    world.cloud.faults.add(Fault(operation=SESSIONS, status=500, times=1))
    entry = await set_up(options=CHARGERS)
    board = entry.runtime_data.systems[0].board
    assert shown(hass, world, "last_session_end") is None
    world.cloud.faults.add(Fault(operation=SESSIONS, delay=1, times=1))
    freezer.tick(timedelta(days=1))
    async_fire_time_changed(hass)
    await until(lambda: stepper.is_waiting)
    unload = ConfigEntries.async_unload_platforms

    async def slowly(entries: ConfigEntries, *args: Any) -> bool:
        is_unloaded = await unload(entries, *args)
        stepper.step()
        await until(lambda: bool(board.reported_by(Source.CHARGER_SESSIONS)))
        await settle()
        return is_unloaded

    monkeypatch.setattr(ConfigEntries, "async_unload_platforms", slowly)
    await hass.config_entries.async_reload(entry.entry_id)
    assert entry.state is ConfigEntryState.LOADED
    await hass.async_block_till_done()
    assert "does not generate unique IDs" not in caplog.text
    assert shown(hass, world, "last_session_end") not in {None, "unavailable"}
    await hass.config_entries.async_unload(entry.entry_id)
    assert shown(hass, world, "last_session_end") == "unavailable"


def _battery_entities(hass: HomeAssistant, entry_id: str) -> set[str]:
    """Return the unique ids of the batteries' entities that have a state."""
    return {
        each.unique_id
        for each in er.async_entries_for_config_entry(er.async_get(hass), entry_id)
        if "_battery_" in each.unique_id and hass.states.get(each.entity_id)
    }


@pytest.mark.long
async def test_entities_return_with_their_device_without_reload(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """A battery is missing from the lists until it is removed, then listed again."""
    entry = await set_up(options={"groups": ["devices"]})
    before = _battery_entities(hass, entry.entry_id)
    plant = world.system.plant
    world.system.remove_battery(1, dt_util.utcnow())
    await pass_time(hass, freezer, timedelta(days=25), step=timedelta(hours=6))
    assert 0 < len(_battery_entities(hass, entry.entry_id)) < len(before)
    world.system.plant = plant
    await pass_time(hass, freezer, timedelta(days=8), step=timedelta(hours=6))
    assert _battery_entities(hass, entry.entry_id) >= before
