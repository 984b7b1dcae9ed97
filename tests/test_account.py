"""The account device, which all systems on one API key share."""

from typing import Any

from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.const import CONF_API_KEY, CONF_ID, CONF_NAME
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.enphase_cloud import async_remove_config_entry_device
from custom_components.enphase_cloud.const import CONF_SYSTEMS, DOMAIN

from .conftest import SetUp
from .helpers import state, system_devices
from .world import USER_ID, World

USED = "sensor.enphase_account_api_calls_used"
MOVED = (
    "calls_used",
    "calls_left",
    "calls_expected",
    "calls_wasted",
    "calls_renewed",
    "live_streams_left",
)


@pytest.fixture(autouse=True)
def _summer_noon(freezer: Any) -> None:
    freezer.move_to("2026-06-21 10:07:00+00:00")


def _accounts(hass: HomeAssistant) -> list[dr.DeviceEntry]:
    registry = dr.async_get(hass)
    return [
        device
        for entry in hass.config_entries.async_entries(DOMAIN)
        for device in dr.async_entries_for_config_entry(registry, entry.entry_id)
        if device.entry_type is dr.DeviceEntryType.SERVICE
    ]


def _second(world: World, first: MockConfigEntry, *, minor: int = 2) -> MockConfigEntry:
    """Return an entry of another user whose application is the same."""
    tenant = world.cloud.add_account(
        email="tenant@example.com", password="-", user_id="5550002"
    )
    system = world.cloud.add_system(tenant, name="Annex")
    token = world.cloud.tokens_for(world.application, tenant)
    chosen = {**first.data[CONF_SYSTEMS][0], CONF_ID: system.system_id}
    return MockConfigEntry(
        domain=DOMAIN,
        unique_id="5550002",
        title="Annex",
        minor_version=minor,
        data={
            **first.data,
            "token": {**first.data["token"], **token},
            CONF_SYSTEMS: [chosen | {CONF_NAME: "Annex"}],
        },
        options=first.options,
    )


async def test_systems_share_one_account_device(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """Account entities exist once, and the user cannot delete the device."""
    world.add_system(name="Cabin")
    entry = await set_up()
    [account] = _accounts(hass)
    assert {each.via_device_id for each in system_devices(hass, entry)} == {account.id}
    assert account.name == "Enphase account"
    assert state(hass, USED) == "5"
    assert state(hass, "sensor.enphase_account_live_streams_left") == "100"
    entities = er.async_get(hass).entities.values()
    assert [each for each in entities if each.unique_id.endswith("_calls_used")] == [
        er.async_get(hass).async_get(USED)
    ]
    assert not await async_remove_config_entry_device(hass, entry, account)


@pytest.mark.parametrize("plan", ["watt"])
async def test_live_streams_sensor_is_absent_if_plan_has_no_live_streams(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    await set_up()
    streams = "sensor.enphase_account_live_streams_left"
    assert hass.states.get(streams) is None
    assert state(hass, USED) == "3"


async def test_oldest_entry_owns_account_device(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """The order of loading does not matter; the next entry takes it over."""
    first = world.entry()
    second = _second(world, first)
    first.add_to_hass(hass)
    second.add_to_hass(hass)
    await hass.config_entries.async_unload(first.entry_id)
    await set_up(second)
    [account] = _accounts(hass)
    assert account.config_entry_id == first.entry_id
    assert {each.via_device_id for each in system_devices(hass, second)} == {account.id}
    if first.state is not ConfigEntryState.LOADED:
        await set_up(first)
    assert [each.id for each in _accounts(hass)] == [account.id]
    assert state(hass, USED) == "5"

    calls = len(world.calls)
    await hass.config_entries.async_remove(first.entry_id)
    await hass.async_block_till_done()
    [account] = _accounts(hass)
    assert account.config_entry_id == second.entry_id
    assert {each.via_device_id for each in system_devices(hass, second)} == {account.id}
    # The entity with the same name remains, and so does the count.
    assert state(hass, USED) == "5"
    assert len(world.calls) == calls


async def test_another_entry_owns_account_device_while_its_entry_is_disabled(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """The older entry owns it again when it is enabled."""
    first = await set_up()
    second = await set_up(_second(world, first))
    await hass.config_entries.async_set_disabled_by(
        first.entry_id, ConfigEntryDisabler.USER
    )
    await hass.async_block_till_done()
    assert second.entry_id in {each.config_entry_id for each in _accounts(hass)}
    await hass.config_entries.async_set_disabled_by(first.entry_id, None)
    await hass.async_block_till_done()
    [account] = _accounts(hass)
    assert account.config_entry_id == first.entry_id
    assert state(hass, USED) == "5"
    [system] = system_devices(hass, second)
    assert system.via_device_id == account.id


async def test_entry_with_another_key_has_its_own_account_device(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """The older entry keeps its entities; the other entry gets new ones."""
    first = await set_up()
    second = await set_up(_second(world, first))
    before = er.async_get(hass).async_get(USED)
    hass.config_entries.async_update_entry(
        first, data={**first.data, CONF_API_KEY: "another-key"}
    )
    await hass.config_entries.async_reload(first.entry_id)
    await hass.async_block_till_done()
    owners = {each.config_entry_id for each in _accounts(hass)}
    assert owners == {first.entry_id, second.entry_id}
    after = er.async_get(hass).async_get(USED)
    assert before is not None
    assert after is not None
    assert after.id == before.id
    assert after.config_entry_id == first.entry_id
    # With one key in both entries again, the second device is removed.
    hass.config_entries.async_update_entry(
        first, data={**first.data, CONF_API_KEY: second.data[CONF_API_KEY]}
    )
    await hass.config_entries.async_reload(first.entry_id)
    await hass.async_block_till_done()
    [account] = _accounts(hass)
    assert account.config_entry_id == first.entry_id


def _register(
    hass: HomeAssistant, entry: MockConfigEntry, system_id: int, name: str
) -> dict[str, str]:
    """Register account entities of a system; return entity ids by key."""
    device = dr.async_get(hass).async_get_or_create(
        config_entry_id=entry.entry_id,
        identifiers={(DOMAIN, str(system_id))},
        name=name,
    )
    return {
        key: er.async_get(hass)
        .async_get_or_create(
            "sensor",
            DOMAIN,
            f"{system_id}_{key}",
            suggested_object_id=f"{name}_{key}",
            config_entry=entry,
            device_id=device.id,
        )
        .entity_id
        for key in MOVED
    }


async def test_migration_moves_account_entities_of_first_system(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """Entity ids and names stay; the copies of other systems are removed."""
    other = world.add_system(name="Cabin")
    entry = world.entry(minor_version=1)
    entry.add_to_hass(hass)
    kept = _register(hass, entry, world.system.system_id, "hilltop")
    gone = _register(hass, entry, other.system_id, "cabin")
    registry = er.async_get(hass)
    registry.async_update_entity(kept["calls_used"], name="Spent")
    # If the first system lacks an entity, that of the next system moves.
    registry.async_remove(kept["calls_wasted"])
    kept["calls_wasted"] = gone.pop("calls_wasted")
    second = _second(world, entry, minor=1)
    second.add_to_hass(hass)
    gone |= {
        f"2 {key}": entity_id
        for key, entity_id in _register(
            hass, second, second.data[CONF_SYSTEMS][0][CONF_ID], "annex"
        ).items()
    }
    await set_up(entry)
    if second.state is not ConfigEntryState.LOADED:
        await set_up(second)
    assert (entry.minor_version, second.minor_version) == (2, 2)
    [account] = _accounts(hass)
    for key, entity_id in kept.items():
        moved = registry.async_get(entity_id)
        assert moved is not None
        assert moved.unique_id == f"account_{USER_ID}_{key}"
        assert moved.device_id == account.id
    assert not [each for each in gone.values() if registry.async_get(each)]
    spent = hass.states.get(kept["calls_used"])
    assert spent is not None
    assert spent.name.endswith("Spent")
    assert hass.states.get(USED) is None


async def test_entry_of_later_major_version_is_not_loaded(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """This version cannot read its data; a later minor version loads."""
    entry = world.entry(minor_version=9)
    await set_up(entry)
    assert entry.state is ConfigEntryState.LOADED
    assert entry.minor_version == 9
    await hass.config_entries.async_unload(entry.entry_id)
    hass.config_entries.async_update_entry(entry, version=2)
    world.cloud.requests.clear()
    await set_up(entry)
    assert entry.state is ConfigEntryState.MIGRATION_ERROR
    assert world.calls == []
