"""The Energy dashboard in one click: what is added, and what is wrong there."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.energy import data as energy_data
from homeassistant.components.recorder.models import (
    StatisticData,
    StatisticMeanType,
    StatisticMetaData,
)
from homeassistant.components.recorder.statistics import async_add_external_statistics
from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)
from pytest_homeassistant_custom_component.typing import (
    ClientSessionGenerator,
    WebSocketGenerator,
)

from custom_components.enphase_cloud.const import CONF_ENERGY_DASHBOARD, DOMAIN
from custom_components.enphase_cloud.coordinator.recorded import statistic_id

from .conftest import SetUp, World
from .energy_helpers import advance
from .flows import User, field_names
from .test_chargers import install
from .test_options_flow import Options
from .world import API_KEY

pytestmark = pytest.mark.usefixtures("recorder_mock")

NOW = datetime(2026, 6, 17, 12, 3, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
MINUTES = timedelta(minutes=12)
OPTIONS = {"energy_updates": 1, "history": "none"}
HAS_HOME = hasattr(energy_data, "HomeSourceType")
SENSORS = {
    "grid": "sensor.hilltop_grid_power",
    "solar": "sensor.hilltop_production_power",
    "battery": "sensor.hilltop_battery_power",
    "home": "sensor.hilltop_consumption_power",
}


@pytest.fixture(autouse=True)
def _noon(freezer: FrozenDateTimeFactory) -> None:
    freezer.move_to(NOW)


@pytest.fixture
def system_properties() -> dict[str, Any]:
    """Return a system with all flows."""
    return {
        "name": "Hilltop",
        "battery": 2,
        "time_zone": "Europe/Berlin",
        "latitude": 45,
        "commissioned": date(2026, 6, 10),
    }


@pytest.fixture
def enable_statistics() -> bool:
    """Let the recorder make statistics of sensors."""
    return True


@pytest.fixture(autouse=True)
async def energy(recorder_mock: Any, hass: HomeAssistant) -> None:
    """Set up Home Assistant's own Energy dashboard."""
    assert await async_setup_component(hass, "energy", {})
    await hass.async_block_till_done()


async def preferences(hass: HomeAssistant) -> dict[str, Any] | None:
    """Return the preferences as they are."""
    found: dict[str, Any] | None = (await energy_data.async_get_manager(hass)).data
    return found


async def choose(hass: HomeAssistant, *sources: Any, devices: Any = ()) -> None:
    """Save preferences as the user does."""
    manager = await energy_data.async_get_manager(hass)
    await manager.async_update(
        {"energy_sources": list(sources), "device_consumption": list(devices)}
    )


async def by_type(hass: HomeAssistant) -> dict[str, list[dict[str, Any]]]:
    """Return the sources by their type."""
    found: dict[str, list[dict[str, Any]]] = {}
    for source in ((await preferences(hass)) or {}).get("energy_sources", ()):
        found.setdefault(source["type"], []).append(source)
    return found


def findings(issue_registry: ir.IssueRegistry) -> set[str]:
    """Return what the doctor says."""
    return {
        issue_id
        for domain, issue_id in issue_registry.issues
        if domain == DOMAIN and issue_id.startswith("dashboard")
    }


def solar(statistic: str) -> dict[str, Any]:
    """Return a source of solar production."""
    return {
        "type": "solar",
        "stat_energy_from": statistic,
        "config_entry_solar_forecast": None,
    }


def is_complete(world: World, found: dict[str, list[dict[str, Any]]]) -> None:
    """Hold what was added against what the system has."""
    number = world.system.system_id
    assert set(found) == {"grid", "solar", "battery"} | (
        {"home"} if HAS_HOME else set()
    )
    assert all(len(each) == 1 for each in found.values())
    [grid], [battery] = found["grid"], found["battery"]
    assert grid["stat_energy_from"] == statistic_id(number, "grid_import")
    assert grid["stat_energy_to"] == statistic_id(number, "grid_export")
    assert battery["stat_energy_from"] == statistic_id(number, "battery_discharge")
    assert battery["stat_energy_to"] == statistic_id(number, "battery_charge")
    assert battery["stat_soc"] == "sensor.hilltop_battery"
    assert battery["capacity"] > 1
    for kind, sources in found.items():
        assert sources[0]["stat_rate"] == SENSORS[kind]
        if kind in ("grid", "battery"):
            assert sources[0]["power_config"] == {"stat_rate": SENSORS[kind]}


async def is_valid(hass: HomeAssistant, websocket: WebSocketGenerator) -> None:
    """Let Home Assistant itself look at the preferences."""
    client = await websocket(hass)
    await client.send_json_auto_id({"type": "energy/validate"})
    answer = await client.receive_json()
    assert answer["success"]
    for issues in answer["result"].values():
        assert not any(issues), issues


async def submit_dashboard(
    hass: HomeAssistant, entry: ConfigEntry[Any]
) -> tuple[Options, Any]:
    """Open the step of the options; return what it shows."""
    options = Options(hass, entry)
    return options, await options.open("dashboard")


async def test_one_click_in_the_options(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    hass_ws_client: WebSocketGenerator,
) -> None:
    """All sources with powers and level; shown before, valid after, done once."""
    install(world)
    entry = await set_up(options=OPTIONS | {"groups": ["ev_charger"]})
    await advance(hass, freezer, MINUTES, step=MINUTE)
    assert await preferences(hass) is None
    spent = len(world.cloud.requests)
    options, form = await submit_dashboard(hass, entry)
    assert field_names(form["data_schema"]) == set()
    lines = form["description_placeholders"]["changes"].splitlines()
    assert len(lines) == (5 if HAS_HOME else 4)
    assert lines[0] == (
        "- **Add** · grid connection: Hilltop grid import, Hilltop grid export, "
        "Hilltop Grid power"
    )
    assert await preferences(hass) is None

    done = await options.submit(form)
    assert done["type"] is FlowResultType.CREATE_ENTRY
    is_complete(world, await by_type(hass))
    found = await preferences(hass)
    assert found
    [charger] = found["device_consumption"]
    assert charger["stat_consumption"].startswith(
        statistic_id(world.system.system_id, "charger_")
    )
    await advance(hass, freezer, 10 * MINUTE)
    await async_wait_recording_done(hass)
    await is_valid(hass, hass_ws_client)

    _, again = await submit_dashboard(hass, entry)
    assert (again["type"], again["reason"]) == ("abort", "dashboard_complete")
    assert await preferences(hass) == found
    operations = {each.operation for each in world.cloud.requests[spent:]}
    assert operations <= {"summary", "latest_telemetry", "telemetry_battery"}


async def test_nothing_to_add_yet(hass: HomeAssistant, set_up: SetUp) -> None:
    """Before the first statistics the user reads so."""
    entry = await set_up(options=OPTIONS)
    _, shown = await submit_dashboard(hass, entry)
    assert (shown["type"], shown["reason"]) == ("abort", "no_statistics")


@pytest.mark.parametrize("choice", ["skip", "keep_both", "replace"])
async def test_a_foreign_source_is_the_users_choice(
    hass: HomeAssistant,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    choice: str,
) -> None:
    """It stays unless they choose otherwise, and a choice is shown first."""
    entry = await set_up(options=OPTIONS)
    await advance(hass, freezer, MINUTES, step=MINUTE)
    await choose(hass, solar("sensor.other"))
    options, form = await submit_dashboard(hass, entry)
    assert field_names(form["data_schema"]) == {"solar"}
    told = form["description_placeholders"]["changes"]
    assert r"- **Leave alone** · solar production: sensor\.other" in told
    shown = await options.submit(form, solar=choice)
    if choice != "skip":
        assert shown["type"] is FlowResultType.FORM
        assert len((await by_type(hass))["solar"]) == 1
        told = shown["description_placeholders"]["changes"]
        assert ("**Remove** · solar" in told) is (choice == "replace")
        assert "**Add** · solar production: Hilltop solar production" in told
        shown = await options.submit(form, solar=choice)
    assert shown["type"] is FlowResultType.CREATE_ENTRY
    found = await by_type(hass)
    ids = [each["stat_energy_from"] for each in found["solar"]]
    assert ("sensor.other" in ids) is (choice != "replace")
    assert len(ids) == (2 if choice == "keep_both" else 1)
    assert found["grid"]


async def test_what_changes_meanwhile_is_shown_first(
    hass: HomeAssistant, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Nothing is written that the user has not read; nothing to do writes nothing."""
    entry = await set_up(options=OPTIONS)
    await advance(hass, freezer, MINUTES, step=MINUTE)
    options, form = await submit_dashboard(hass, entry)
    await options.submit(form)
    found = await by_type(hass)
    [ours] = found.pop("solar")
    others = [source for sources in found.values() for source in sources]
    await choose(hass, *others)
    _, form = await submit_dashboard(hass, entry)
    assert "**Add** · solar production" in form["description_placeholders"]["changes"]
    await choose(hass, *others, solar("sensor.other"))
    form = await options.submit(form)
    assert form["step_id"] == "dashboard_choices"
    assert "**Add**" not in form["description_placeholders"]["changes"]
    done = await options.submit(form, solar="skip")
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert (await by_type(hass))["solar"] == [solar("sensor.other")]
    assert ours["stat_energy_from"] != "sensor.other"


async def test_what_home_assistant_refuses(
    hass: HomeAssistant, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Where the preferences are not as foreseen, nothing is lost."""
    entry = await set_up(options=OPTIONS)
    await advance(hass, freezer, MINUTES, step=MINUTE)
    _, form = await submit_dashboard(hass, entry)
    options = Options(hass, entry)
    with patch.object(energy_data, "ENERGY_SOURCE_SCHEMA", side_effect=ValueError):
        failed = await options.submit(form)
    assert (failed["type"], failed["reason"]) == ("abort", "dashboard_failed")
    assert await preferences(hass) is None
    manager = await energy_data.async_get_manager(hass)
    for strange in ({}, {"energy_sources": 7, "device_consumption": None}):
        manager.data = strange
        _, failed = await submit_dashboard(hass, entry)
        assert (failed["type"], failed["reason"]) == ("abort", "dashboard_failed")
        assert manager.data is strange


async def test_the_plan_without_a_dashboard(hass: HomeAssistant, set_up: SetUp) -> None:
    """Who has no Energy dashboard is not offered it."""
    entry = await set_up(options=OPTIONS)
    hass.config.components.remove("energy")
    menu = await Options(hass, entry).open()
    assert "energy" in menu["menu_options"]
    assert "dashboard" not in menu["menu_options"]


async def test_at_the_end_of_setup(
    hass: HomeAssistant,
    world: World,
    user: User,
    freezer: FrozenDateTimeFactory,
    hass_ws_client: WebSocketGenerator,
) -> None:
    """The box is ticked; once there are statistics, each source is added once."""
    form = await user.add_and_sign_in()
    assert "energy_dashboard" in field_names(form["data_schema"])
    done = await user.submit(form, api_key=API_KEY, plan="kilowatt")
    assert done["type"] is FlowResultType.CREATE_ENTRY
    entry = done["result"]
    assert entry.options[CONF_ENERGY_DASHBOARD] is True
    assert await preferences(hass) is None
    await advance(hass, freezer, MINUTES, step=MINUTE)
    is_complete(world, await by_type(hass))
    await async_wait_recording_done(hass)
    await is_valid(hass, hass_ws_client)

    # What the user removes stays away, also after a restart.
    await choose(hass)
    await hass.config_entries.async_reload(entry.entry_id)
    await advance(hass, freezer, MINUTES, step=MINUTE)
    assert await by_type(hass) == {}


async def test_not_wanted_at_the_end_of_setup(
    hass: HomeAssistant, user: User, freezer: FrozenDateTimeFactory
) -> None:
    """Who does not tick the box has an empty dashboard."""
    form = await user.add_and_sign_in()
    await user.submit(form, api_key=API_KEY, plan="kilowatt", energy_dashboard=False)
    await advance(hass, freezer, MINUTES, step=MINUTE)
    assert await preferences(hass) is None


async def test_no_dashboard_no_question(hass: HomeAssistant, user: User) -> None:
    """Without an Energy dashboard there is nothing to add to."""
    hass.config.components.remove("energy")
    form = await user.add_and_sign_in()
    assert "energy_dashboard" not in field_names(form["data_schema"])
    done = await user.submit(form, api_key=API_KEY, plan="kilowatt")
    assert CONF_ENERGY_DASHBOARD not in done["result"].options


async def fix(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, issue_id: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Open a repair and confirm it; return what is shown before and after."""
    assert await async_setup_component(hass, "repairs", {})
    client = await hass_client()
    answer = await client.post(
        "/api/repairs/issues/fix", json={"handler": DOMAIN, "issue_id": issue_id}
    )
    form = await answer.json()
    answer = await client.post(f"/api/repairs/issues/fix/{form['flow_id']}", json={})
    return form, await answer.json()


def add_envoy(hass: HomeAssistant, serial: str) -> str:
    """Add a local gateway with its lifetime production; return the sensor."""
    envoy = MockConfigEntry(domain="enphase_envoy", unique_id=serial)
    envoy.add_to_hass(hass)
    registered = er.async_get(hass).async_get_or_create(
        "sensor",
        "enphase_envoy",
        f"{serial}_lifetime_production",
        config_entry=envoy,
        suggested_object_id="envoy_lifetime_production",
    )
    return registered.entity_id


@pytest.mark.parametrize("which", ["envoy", "own sensor", "mended meanwhile"])
async def test_a_double_count_is_found_and_healed(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    issue_registry: ir.IssueRegistry,
    hass_client: ClientSessionGenerator,
    which: str,
) -> None:
    """Made by hand, told within minutes, shown, and mended with one click."""
    await set_up(options=OPTIONS)
    twin = "sensor.hilltop_lifetime_production"
    if which == "envoy":
        twin = add_envoy(hass, "122233334444")
    await advance(hass, freezer, MINUTES, step=MINUTE)
    ours = solar(statistic_id(world.system.system_id, "production"))
    await choose(hass, solar(twin), ours, solar("sensor.other_make"))
    assert findings(issue_registry) == set()
    await advance(hass, freezer, 3 * MINUTE, step=MINUTE)
    assert findings(issue_registry) == {"dashboard_double"}

    if which == "mended meanwhile":
        await choose(hass, ours)
        _, done = await fix(hass, hass_client, "dashboard_double")
        assert done["type"] == "create_entry"
        assert (await by_type(hass))["solar"] == [ours]
        return
    form, done = await fix(hass, hass_client, "dashboard_double")
    assert form["step_id"] == "confirm"
    told = form["description_placeholders"]["changes"]
    assert told.startswith("- **Remove** · solar production: ")
    assert done["type"] == "create_entry"
    assert (await by_type(hass))["solar"] == [ours, solar("sensor.other_make")]
    await advance(hass, freezer, 3 * MINUTE, step=MINUTE)
    assert findings(issue_registry) == set()


async def test_a_double_count_is_mended_by_hand(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    issue_registry: ir.IssueRegistry,
) -> None:
    """The message goes with its cause, and with the last entry."""
    entry = await set_up(options=OPTIONS)
    await advance(hass, freezer, MINUTES, step=MINUTE)
    ours = solar(statistic_id(world.system.system_id, "production"))
    twin = solar("sensor.hilltop_production_today")
    await choose(hass, ours, twin)
    await advance(hass, freezer, 3 * MINUTE, step=MINUTE)
    assert findings(issue_registry) == {"dashboard_double"}
    await choose(hass, ours)
    await advance(hass, freezer, 3 * MINUTE, step=MINUTE)
    assert findings(issue_registry) == set()
    await choose(hass, ours, twin)
    await advance(hass, freezer, 3 * MINUTE, step=MINUTE)
    assert findings(issue_registry) == {"dashboard_double"}
    await hass.config_entries.async_unload(entry.entry_id)
    assert findings(issue_registry) == set()
    await choose(hass, ours)
    await advance(hass, freezer, 3 * MINUTE, step=MINUTE)


async def test_a_gateway_elsewhere_is_no_twin(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    issue_registry: ir.IssueRegistry,
) -> None:
    """Where the gateways of the system are known, another one counts other panels."""
    await set_up(options=OPTIONS | {"groups": ["devices"]})
    await advance(hass, freezer, MINUTES, step=MINUTE)
    ours = solar(statistic_id(world.system.system_id, "production"))
    await choose(hass, ours, solar(add_envoy(hass, "999999999999")))
    await advance(hass, freezer, 3 * MINUTE, step=MINUTE)
    assert findings(issue_registry) == set()


async def add_tariff(hass: HomeAssistant, entry: Any, world: World) -> str:
    """Add a tariff for import, and the statistic of its costs; return its id."""
    number = world.system.system_id
    hass.config_entries.async_add_subentry(
        entry,
        ConfigSubentry(
            data={"system": number, "direction": "import"},  # type: ignore[arg-type]
            subentry_type="tariff",
            title="Import",
            unique_id=f"{number}_import",
        ),
    )
    await hass.async_block_till_done()
    statistic = statistic_id(number, "grid_import_cost")
    async_add_external_statistics(
        hass,
        StatisticMetaData(
            mean_type=StatisticMeanType.NONE,
            has_sum=True,
            name="Hilltop grid import cost",
            source=DOMAIN,
            statistic_id=statistic,
            unit_class=None,
            unit_of_measurement="EUR",
        ),
        [StatisticData(start=NOW.replace(minute=0), state=0.1, sum=0.1)],
    )
    await async_wait_recording_done(hass)
    return statistic


def bare(world: World) -> dict[str, Any]:
    """Return a grid connection without costs."""
    return {
        "type": "grid",
        "stat_energy_from": statistic_id(world.system.system_id, "grid_import"),
        "stat_energy_to": None,
        "stat_cost": None,
        "entity_energy_price": None,
        "number_energy_price": None,
        "stat_compensation": None,
        "entity_energy_price_export": None,
        "number_energy_price_export": None,
        "cost_adjustment_day": 0.0,
    }


@pytest.mark.parametrize("is_wanted", [False, True])
async def test_costs_that_are_not_shown(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    issue_registry: ir.IssueRegistry,
    hass_client: ClientSessionGenerator,
    *,
    is_wanted: bool,
) -> None:
    """Costs of a later tariff are added once, or offered by a repair."""
    entry = await set_up(options=OPTIONS | {CONF_ENERGY_DASHBOARD: is_wanted})
    await advance(hass, freezer, MINUTES, step=MINUTE)
    await choose(hass, bare(world))
    [before] = (await by_type(hass))["grid"]
    assert before["stat_cost"] is None
    cost = await add_tariff(hass, entry, world)
    await advance(hass, freezer, 3 * MINUTE, step=MINUTE)
    if is_wanted:
        assert (await by_type(hass))["grid"] == [before | {"stat_cost": cost}]
        await choose(hass, before)
        await advance(hass, freezer, 3 * MINUTE, step=MINUTE)
    assert findings(issue_registry) == {"dashboard_cost"}
    form, done = await fix(hass, hass_client, "dashboard_cost")
    told = form["description_placeholders"]["changes"]
    assert told == "- **Complete** · grid connection: Hilltop grid import cost"
    assert done["type"] == "create_entry"
    assert (await by_type(hass))["grid"] == [before | {"stat_cost": cost}]


async def test_statistics_of_a_system_that_is_gone(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    issue_registry: ir.IssueRegistry,
    hass_client: ClientSessionGenerator,
) -> None:
    """They are told, those of systems that are here are not; a failure is told too."""
    await set_up(options=OPTIONS)
    await advance(hass, freezer, MINUTES, step=MINUTE)
    ours = solar(statistic_id(world.system.system_id, "production"))
    await choose(hass, ours, solar("enphase_cloud:1_production"))
    await advance(hass, freezer, 3 * MINUTE, step=MINUTE)
    assert findings(issue_registry) == {"dashboard_stale"}
    with patch.object(energy_data.EnergyManager, "async_update", side_effect=OSError):
        _, failed = await fix(hass, hass_client, "dashboard_stale")
    assert (failed["type"], failed["reason"]) == ("abort", "dashboard_failed")
    _, done = await fix(hass, hass_client, "dashboard_stale")
    assert done["type"] == "create_entry"
    assert (await by_type(hass))["solar"] == [ours]


async def test_a_flow_that_was_never_imported(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    issue_registry: ir.IssueRegistry,
) -> None:
    """While updates are wanted its rows may come; without updates they never do."""
    entry = await set_up(options=OPTIONS)
    await choose(hass, solar(statistic_id(world.system.system_id, "other")))
    await advance(hass, freezer, 3 * MINUTE, step=MINUTE)
    assert findings(issue_registry) == set()
    hass.config_entries.async_update_entry(
        entry, options={**entry.options, "energy_updates": 0}
    )
    await hass.config_entries.async_reload(entry.entry_id)
    await advance(hass, freezer, 3 * MINUTE, step=MINUTE)
    assert findings(issue_registry) == {"dashboard_stale"}


async def test_several_systems(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Each is added; of homes, which Home Assistant takes one only, none."""
    world.add_system(name="Barn", time_zone="Europe/Berlin")
    await set_up(options=OPTIONS | {CONF_ENERGY_DASHBOARD: True})
    await advance(hass, freezer, MINUTES, step=MINUTE)
    found = await by_type(hass)
    assert len(found["solar"]) == 2
    assert "home" not in found
