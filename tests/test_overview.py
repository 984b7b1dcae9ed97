"""The dashboard shows what each system has, and nothing that it lacks."""

from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.energy import data as energy_data
from homeassistant.components.frontend import DATA_EXTRA_MODULE_URL
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser
from pytest_homeassistant_custom_component.typing import (
    ClientSessionGenerator,
    WebSocketGenerator,
)

from custom_components.enphase_cloud.const import DOMAIN
from custom_components.enphase_cloud.overview import SECTIONS

from .conftest import SetUp, World
from .energy_helpers import advance
from .flows import ENGLISH
from .helpers import system_devices
from .test_chargers import CHARGERS, install
from .test_costs import add_tariff, fixed

HEADINGS = ENGLISH["selector"]["overview"]["options"]
NET = "sensor.hilltop_grid_power"

type Json = dict[str, Any]
type Views = Callable[[], Awaitable[list[Json]]]

pytestmark = pytest.mark.usefixtures("summer_noon")


@pytest.fixture
def views(hass: HomeAssistant, hass_ws_client: WebSocketGenerator) -> Views:
    """Return a function that reads the views as the frontend does."""

    async def read() -> list[Json]:
        client = await hass_ws_client(hass)
        await client.send_json_auto_id(
            {"type": "enphase_cloud/dashboard", "language": "en"}
        )
        response = await client.receive_json()
        assert response["success"], response
        found: list[Json] = response["result"]["views"]
        return found

    return read


def headings(view: Json) -> list[str]:
    """Return the headings of a view in their order."""
    return [section["cards"][0]["heading"] for section in view["sections"]]


def cards(view: Json, heading: str) -> list[Json]:
    """Return the cards below a heading."""
    return next(
        section["cards"][1:]
        for section in view["sections"]
        if section["cards"][0]["heading"] == heading
    )


def entities(node: Any) -> Iterator[str]:
    """Yield the entity ids in a view, a section or a card."""
    if isinstance(node, list):
        for each in node:
            yield from entities(each)
    elif isinstance(node, dict):
        yield from ([node["entity"]] if "entity" in node else [])
        for each in node.values():
            yield from entities(each)


@pytest.mark.parametrize(
    "key", [each for members in SECTIONS.values() for each in members]
)
def test_each_tile_has_a_known_entity_key(key: str) -> None:
    """A typing error in a key would hide its tile."""
    domain, _, name = key.partition(".")
    # Battery level has the name of its device class.
    assert name in {*ENGLISH["entity"][domain], "battery_level"}


async def test_system_with_batteries_has_all_sections(
    hass: HomeAssistant, set_up: SetUp, views: Views
) -> None:
    """Its view has the system's name, and only entities that exist."""
    await set_up(options={"groups": ["panels"]})
    [view] = await views()
    assert view["title"] == "Hilltop"
    assert headings(view) == [
        HEADINGS[key] for key in ("power", "today", "battery", "panels", "calls")
    ]
    shown = set(entities(view))
    assert shown > {NET, "sensor.hilltop_battery", "image.hilltop_panel_map"}
    assert shown <= set(hass.states.async_entity_ids())


@pytest.mark.parametrize(
    "system_properties",
    [{"name": "Cabin", "meters": (), "time_zone": "Europe/Berlin"}],
)
@pytest.mark.parametrize("plan", ["watt"])
async def test_system_with_panels_only_has_no_empty_sections(
    hass: HomeAssistant, set_up: SetUp, views: Views
) -> None:
    """Sections of batteries and costs are missing."""
    await set_up()
    [view] = await views()
    assert HEADINGS["battery"] not in headings(view)
    assert HEADINGS["costs"] not in headings(view)
    power = set(entities(cards(view, HEADINGS["power"])))
    assert power == {"sensor.cabin_production_power"}


async def test_dashboard_follows_the_entity_registry(
    hass: HomeAssistant,
    entity_registry: er.EntityRegistry,
    set_up: SetUp,
    views: Views,
) -> None:
    """It has new entity ids, and no hidden or disabled entities."""
    await set_up(options={"groups": ["panels"]})
    entity_registry.async_update_entity(NET, new_entity_id="sensor.netz")
    entity_registry.async_update_entity(
        "sensor.hilltop_battery", hidden_by=er.RegistryEntryHider.USER
    )
    entity_registry.async_update_entity(
        "image.hilltop_panel_map", disabled_by=er.RegistryEntryDisabler.USER
    )
    await hass.async_block_till_done()
    shown = set(entities(await views()))
    assert "sensor.netz" in shown
    assert not shown & {NET, "sensor.hilltop_battery", "image.hilltop_panel_map"}


async def test_each_system_has_a_view(
    world: World, set_up: SetUp, views: Views
) -> None:
    """Each view shows the calls of the account."""
    world.add_system(name="Cabin", time_zone="Europe/Berlin")
    await set_up()
    hilltop, cabin = await views()
    assert (hilltop["title"], cabin["title"]) == ("Hilltop", "Cabin")
    for view in (hilltop, cabin):
        calls = set(entities(cards(view, HEADINGS["calls"])))
        assert any("account" in each for each in calls)
    assert not any("hilltop" in each for each in entities(cabin))


async def test_system_that_two_accounts_chose_has_one_view(
    hass: HomeAssistant, set_up: SetUp, views: Views
) -> None:
    first = await set_up()
    second = MockConfigEntry(
        domain=DOMAIN, unique_id="other", data=first.data, options=first.options
    )
    await set_up(second)
    assert [view["title"] for view in await views()] == ["Hilltop"]


async def test_view_has_the_name_given_by_the_user(
    hass: HomeAssistant,
    device_registry: dr.DeviceRegistry,
    set_up: SetUp,
    views: Views,
) -> None:
    """The user renames the device of the system."""
    [device] = system_devices(hass, await set_up())
    device_registry.async_update_device(device.id, name_by_user="Roof")
    [view] = await views()
    assert view["title"] == "Roof"


async def test_charger_has_a_section(
    hass: HomeAssistant,
    device_registry: dr.DeviceRegistry,
    world: World,
    set_up: SetUp,
    views: Views,
) -> None:
    """Its heading is the name given by the user."""
    install(world)
    entry = await set_up(options=CHARGERS)
    [charger] = [
        device
        for device in dr.async_entries_for_config_entry(device_registry, entry.entry_id)
        if any("charger" in identifier for _, identifier in device.identifiers)
    ]
    device_registry.async_update_device(charger.id, name_by_user="Garage")
    [view] = await views()
    assert any("status" in each for each in entities(cards(view, "Garage")))


async def test_user_sees_only_entities_with_permission_to_read(
    hass: HomeAssistant, hass_admin_user: MockUser, set_up: SetUp, views: Views
) -> None:
    """The user may read one sensor."""
    await set_up()
    hass_admin_user.groups = []
    assert await views() == []
    hass_admin_user.mock_policy({"entities": {"entity_ids": {NET: {"read": True}}}})
    assert set(entities(await views())) == {NET}


async def test_costs_and_graph_need_tariff_and_statistics(
    recorder_mock: Any,
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    world: World,
    set_up: SetUp,
    views: Views,
) -> None:
    """A tariff adds costs, and statistics add a graph."""
    assert await async_setup_component(hass, "energy", {})
    entry = world.entry(options={"energy_updates": 1, "history": "none"})
    entry.add_to_hass(hass)
    add_tariff(hass, world, entry, fixed("0.3"))
    await set_up(entry)
    await advance(hass, freezer, timedelta(minutes=12), step=timedelta(minutes=1))
    [view] = await views()
    statistic = f"{DOMAIN}:{world.system.system_id}_production"
    assert statistic in cards(view, HEADINGS["month"])[0]["entities"]
    types = [card["type"] for card in cards(view, HEADINGS["today"])]
    assert "energy-distribution" not in types
    assert "sensor.hilltop_cost_today" in entities(cards(view, HEADINGS["costs"]))

    manager = await energy_data.async_get_manager(hass)
    solar = {"type": "solar", "stat_energy_from": statistic}
    await manager.async_update({"energy_sources": [solar]})
    [view] = await views()
    types = [card["type"] for card in cards(view, HEADINGS["today"])]
    assert "energy-distribution" in types

    # The card would add up both systems.
    other = {"type": "solar", "stat_energy_from": f"{DOMAIN}:4200099_production"}
    await manager.async_update({"energy_sources": [solar, other]})
    [view] = await views()
    types = [card["type"] for card in cards(view, HEADINGS["today"])]
    assert "energy-distribution" not in types


async def test_frontend_loads_the_strategy(
    hass: HomeAssistant,
    set_up: SetUp,
    hass_client: ClientSessionGenerator,
    tmp_path: Path,
) -> None:
    """It is one module, at a URL that changes with the version."""
    (tmp_path / "hass_frontend").mkdir()
    config = {"frontend": {"development_repo": str(tmp_path)}}
    assert await async_setup_component(hass, "frontend", config)
    await set_up()
    [url] = hass.data[DATA_EXTRA_MODULE_URL].urls
    assert "?v=" in url
    client = await hass_client()
    response = await client.get(url)
    assert response.status == HTTPStatus.OK
    assert "javascript" in response.headers["Content-Type"]
    assert '"enphase_cloud/dashboard"' in await response.text()
