"""The Energy dashboard: sources that one click adds, and problems that repairs fix."""

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
    """Let the recorder compile statistics of sensors."""
    return True


@pytest.fixture(autouse=True)
async def energy(recorder_mock: Any, hass: HomeAssistant) -> None:
    """Set up Home Assistant's own Energy dashboard."""
    assert await async_setup_component(hass, "energy", {})
    await hass.async_block_till_done()


async def preferences(hass: HomeAssistant) -> dict[str, Any] | None:
    """Return the present preferences."""
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


def dashboard_issues(issue_registry: ir.IssueRegistry) -> set[str]:
    """Return the issues of the dashboard."""
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


def assert_complete(world: World, found: dict[str, list[dict[str, Any]]]) -> None:
    """Check that the sources are all those of the system."""
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


async def assert_valid(hass: HomeAssistant, websocket: WebSocketGenerator) -> None:
    """Let Home Assistant validate the preferences."""
    client = await websocket(hass)
    await client.send_json_auto_id({"type": "energy/validate"})
    response = await client.receive_json()
    assert response["success"]
    for issues in response["result"].values():
        assert not any(issues), issues


async def open_dashboard(
    hass: HomeAssistant, entry: ConfigEntry[Any]
) -> tuple[Options, Any]:
    """Open the step of the options; return the flow and its form."""
    options = Options(hass, entry)
    return options, await options.open("dashboard")


async def test_options_add_all_sources_in_one_click(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    hass_ws_client: WebSocketGenerator,
) -> None:
    """The form lists the sources, Home Assistant accepts them; a repeat adds none."""
    install(world)
    entry = await set_up(options=OPTIONS | {"groups": ["ev_charger"]})
    await advance(hass, freezer, MINUTES, step=MINUTE)
    assert await preferences(hass) is None
    spent = len(world.cloud.requests)
    options, form = await open_dashboard(hass, entry)
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
    assert_complete(world, await by_type(hass))
    found = await preferences(hass)
    assert found
    [charger] = found["device_consumption"]
    assert charger["stat_consumption"].startswith(
        statistic_id(world.system.system_id, "charger_")
    )
    await advance(hass, freezer, 10 * MINUTE)
    await async_wait_recording_done(hass)
    await assert_valid(hass, hass_ws_client)

    _, again = await open_dashboard(hass, entry)
    assert (again["type"], again["reason"]) == ("abort", "dashboard_complete")
    assert await preferences(hass) == found
    operations = {each.operation for each in world.cloud.requests[spent:]}
    assert operations <= {"summary", "latest_telemetry", "telemetry_battery"}


async def test_options_without_statistics_abort(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    """Before the first import there are no sources to add."""
    entry = await set_up(options=OPTIONS)
    _, shown = await open_dashboard(hass, entry)
    assert (shown["type"], shown["reason"]) == ("abort", "no_statistics")


@pytest.mark.parametrize("choice", ["skip", "keep_both", "replace"])
async def test_user_chooses_what_happens_to_a_foreign_source(
    hass: HomeAssistant,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    choice: str,
) -> None:
    """It stays by default; the form shows the effect of a choice before it is saved."""
    entry = await set_up(options=OPTIONS)
    await advance(hass, freezer, MINUTES, step=MINUTE)
    await choose(hass, solar("sensor.other"))
    options, form = await open_dashboard(hass, entry)
    assert field_names(form["data_schema"]) == {"solar"}
    changes = form["description_placeholders"]["changes"]
    assert r"- **Leave alone** · solar production: sensor\.other" in changes
    shown = await options.submit(form, solar=choice)
    if choice != "skip":
        assert shown["type"] is FlowResultType.FORM
        assert len((await by_type(hass))["solar"]) == 1
        changes = shown["description_placeholders"]["changes"]
        assert ("**Remove** · solar" in changes) is (choice == "replace")
        assert "**Add** · solar production: Hilltop solar production" in changes
        shown = await options.submit(form, solar=choice)
    assert shown["type"] is FlowResultType.CREATE_ENTRY
    found = await by_type(hass)
    ids = [each["stat_energy_from"] for each in found["solar"]]
    assert ("sensor.other" in ids) is (choice != "replace")
    assert len(ids) == (2 if choice == "keep_both" else 1)
    assert found["grid"]


async def test_preferences_that_change_meanwhile_are_shown_before_saving(
    hass: HomeAssistant, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """The flow saves only changes that its form has shown."""
    entry = await set_up(options=OPTIONS)
    await advance(hass, freezer, MINUTES, step=MINUTE)
    options, form = await open_dashboard(hass, entry)
    await options.submit(form)
    found = await by_type(hass)
    [ours] = found.pop("solar")
    others = [source for sources in found.values() for source in sources]
    await choose(hass, *others)
    _, form = await open_dashboard(hass, entry)
    assert "**Add** · solar production" in form["description_placeholders"]["changes"]
    await choose(hass, *others, solar("sensor.other"))
    form = await options.submit(form)
    assert form["step_id"] == "dashboard_choices"
    assert "**Add**" not in form["description_placeholders"]["changes"]
    done = await options.submit(form, solar="skip")
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert (await by_type(hass))["solar"] == [solar("sensor.other")]
    assert ours["stat_energy_from"] != "sensor.other"


async def test_preferences_that_cannot_be_saved_abort_unchanged(
    hass: HomeAssistant, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Refused or unreadable preferences stay as they are."""
    entry = await set_up(options=OPTIONS)
    await advance(hass, freezer, MINUTES, step=MINUTE)
    _, form = await open_dashboard(hass, entry)
    options = Options(hass, entry)
    with patch.object(energy_data, "ENERGY_SOURCE_SCHEMA", side_effect=ValueError):
        failed = await options.submit(form)
    assert (failed["type"], failed["reason"]) == ("abort", "dashboard_failed")
    assert await preferences(hass) is None
    manager = await energy_data.async_get_manager(hass)
    for strange in ({}, {"energy_sources": 7, "device_consumption": None}):
        manager.data = strange
        _, failed = await open_dashboard(hass, entry)
        assert (failed["type"], failed["reason"]) == ("abort", "dashboard_failed")
        assert manager.data is strange


async def test_options_without_the_energy_integration_have_no_dashboard_step(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    """The menu has the step only where Home Assistant has an Energy dashboard."""
    entry = await set_up(options=OPTIONS)
    hass.config.components.remove("energy")
    menu = await Options(hass, entry).open()
    assert "energy" in menu["menu_options"]
    assert "dashboard" not in menu["menu_options"]


async def test_setup_adds_sources_once_statistics_exist(
    hass: HomeAssistant,
    world: World,
    user: User,
    freezer: FrozenDateTimeFactory,
    hass_ws_client: WebSocketGenerator,
) -> None:
    """The box is ticked by default; each source is added once."""
    form = await user.add_and_sign_in()
    assert "energy_dashboard" in field_names(form["data_schema"])
    done = await user.submit(form, api_key=API_KEY, plan="kilowatt")
    assert done["type"] is FlowResultType.CREATE_ENTRY
    entry = done["result"]
    assert entry.options[CONF_ENERGY_DASHBOARD] is True
    assert await preferences(hass) is None
    await advance(hass, freezer, MINUTES, step=MINUTE)
    assert_complete(world, await by_type(hass))
    await async_wait_recording_done(hass)
    await assert_valid(hass, hass_ws_client)

    # Sources that the user removes are not added again, also after a restart.
    await choose(hass)
    await hass.config_entries.async_reload(entry.entry_id)
    await advance(hass, freezer, MINUTES, step=MINUTE)
    assert await by_type(hass) == {}


async def test_setup_with_the_box_cleared_adds_no_sources(
    hass: HomeAssistant, user: User, freezer: FrozenDateTimeFactory
) -> None:
    """Without the user's consent the dashboard stays empty."""
    form = await user.add_and_sign_in()
    await user.submit(form, api_key=API_KEY, plan="kilowatt", energy_dashboard=False)
    await advance(hass, freezer, MINUTES, step=MINUTE)
    assert await preferences(hass) is None


async def test_setup_without_the_energy_integration_has_no_dashboard_field(
    hass: HomeAssistant, user: User
) -> None:
    """Without an Energy dashboard the form has no box."""
    hass.config.components.remove("energy")
    form = await user.add_and_sign_in()
    assert "energy_dashboard" not in field_names(form["data_schema"])
    done = await user.submit(form, api_key=API_KEY, plan="kilowatt")
    assert CONF_ENERGY_DASHBOARD not in done["result"].options


async def fix(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, issue_id: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Open a repair and confirm it; return its form and its result."""
    assert await async_setup_component(hass, "repairs", {})
    client = await hass_client()
    response = await client.post(
        "/api/repairs/issues/fix", json={"handler": DOMAIN, "issue_id": issue_id}
    )
    form = await response.json()
    response = await client.post(f"/api/repairs/issues/fix/{form['flow_id']}", json={})
    return form, await response.json()


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
async def test_repair_removes_a_source_that_counts_twice(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    issue_registry: ir.IssueRegistry,
    hass_client: ClientSessionGenerator,
    which: str,
) -> None:
    """An issue appears within minutes; its repair shows and removes the duplicate."""
    await set_up(options=OPTIONS)
    twin = "sensor.hilltop_lifetime_production"
    if which == "envoy":
        twin = add_envoy(hass, "122233334444")
    await advance(hass, freezer, MINUTES, step=MINUTE)
    ours = solar(statistic_id(world.system.system_id, "production"))
    await choose(hass, solar(twin), ours, solar("sensor.other_make"))
    assert dashboard_issues(issue_registry) == set()
    await advance(hass, freezer, 3 * MINUTE, step=MINUTE)
    assert dashboard_issues(issue_registry) == {"dashboard_double"}

    if which == "mended meanwhile":
        await choose(hass, ours)
        _, done = await fix(hass, hass_client, "dashboard_double")
        assert done["type"] == "create_entry"
        assert (await by_type(hass))["solar"] == [ours]
        return
    form, done = await fix(hass, hass_client, "dashboard_double")
    assert form["step_id"] == "confirm"
    changes = form["description_placeholders"]["changes"]
    assert changes.startswith("- **Remove** · solar production: ")
    assert done["type"] == "create_entry"
    assert (await by_type(hass))["solar"] == [ours, solar("sensor.other_make")]
    await advance(hass, freezer, 3 * MINUTE, step=MINUTE)
    assert dashboard_issues(issue_registry) == set()


async def test_issue_of_a_duplicate_ends_when_the_user_removes_it(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    issue_registry: ir.IssueRegistry,
) -> None:
    """The issue ends with its cause, and with the last entry."""
    entry = await set_up(options=OPTIONS)
    await advance(hass, freezer, MINUTES, step=MINUTE)
    ours = solar(statistic_id(world.system.system_id, "production"))
    twin = solar("sensor.hilltop_production_today")
    await choose(hass, ours, twin)
    await advance(hass, freezer, 3 * MINUTE, step=MINUTE)
    assert dashboard_issues(issue_registry) == {"dashboard_double"}
    await choose(hass, ours)
    await advance(hass, freezer, 3 * MINUTE, step=MINUTE)
    assert dashboard_issues(issue_registry) == set()
    await choose(hass, ours, twin)
    await advance(hass, freezer, 3 * MINUTE, step=MINUTE)
    assert dashboard_issues(issue_registry) == {"dashboard_double"}
    await hass.config_entries.async_unload(entry.entry_id)
    assert dashboard_issues(issue_registry) == set()
    await choose(hass, ours)
    await advance(hass, freezer, 3 * MINUTE, step=MINUTE)


async def test_envoy_of_another_system_is_no_duplicate(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    issue_registry: ir.IssueRegistry,
) -> None:
    """A gateway that is not in the system's devices counts other panels."""
    await set_up(options=OPTIONS | {"groups": ["devices"]})
    await advance(hass, freezer, MINUTES, step=MINUTE)
    ours = solar(statistic_id(world.system.system_id, "production"))
    await choose(hass, ours, solar(add_envoy(hass, "999999999999")))
    await advance(hass, freezer, 3 * MINUTE, step=MINUTE)
    assert dashboard_issues(issue_registry) == set()


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


def grid_without_costs(world: World) -> dict[str, Any]:
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
async def test_missing_costs_are_added_once_or_by_repair(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    issue_registry: ir.IssueRegistry,
    hass_client: ClientSessionGenerator,
    *,
    is_wanted: bool,
) -> None:
    """Costs of a later tariff are added once with the user's consent."""
    entry = await set_up(options=OPTIONS | {CONF_ENERGY_DASHBOARD: is_wanted})
    await advance(hass, freezer, MINUTES, step=MINUTE)
    await choose(hass, grid_without_costs(world))
    [before] = (await by_type(hass))["grid"]
    assert before["stat_cost"] is None
    cost = await add_tariff(hass, entry, world)
    await advance(hass, freezer, 3 * MINUTE, step=MINUTE)
    if is_wanted:
        assert (await by_type(hass))["grid"] == [before | {"stat_cost": cost}]
        await choose(hass, before)
        await advance(hass, freezer, 3 * MINUTE, step=MINUTE)
    assert dashboard_issues(issue_registry) == {"dashboard_cost"}
    form, done = await fix(hass, hass_client, "dashboard_cost")
    changes = form["description_placeholders"]["changes"]
    assert changes == "- **Complete** · grid connection: Hilltop grid import cost"
    assert done["type"] == "create_entry"
    assert (await by_type(hass))["grid"] == [before | {"stat_cost": cost}]


async def test_repair_removes_statistics_of_a_removed_system(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    issue_registry: ir.IssueRegistry,
    hass_client: ClientSessionGenerator,
) -> None:
    """Sources of present systems stay; a repair that fails aborts with an error."""
    await set_up(options=OPTIONS)
    await advance(hass, freezer, MINUTES, step=MINUTE)
    ours = solar(statistic_id(world.system.system_id, "production"))
    await choose(hass, ours, solar("enphase_cloud:1_production"))
    await advance(hass, freezer, 3 * MINUTE, step=MINUTE)
    assert dashboard_issues(issue_registry) == {"dashboard_stale"}
    with patch.object(energy_data.EnergyManager, "async_update", side_effect=OSError):
        _, failed = await fix(hass, hass_client, "dashboard_stale")
    assert (failed["type"], failed["reason"]) == ("abort", "dashboard_failed")
    _, done = await fix(hass, hass_client, "dashboard_stale")
    assert done["type"] == "create_entry"
    assert (await by_type(hass))["solar"] == [ours]


async def test_source_without_statistics_is_an_issue_once_updates_are_off(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    issue_registry: ir.IssueRegistry,
) -> None:
    """With energy updates, its statistics may still be imported."""
    entry = await set_up(options=OPTIONS)
    await choose(hass, solar(statistic_id(world.system.system_id, "other")))
    await advance(hass, freezer, 3 * MINUTE, step=MINUTE)
    assert dashboard_issues(issue_registry) == set()
    hass.config_entries.async_update_entry(
        entry, options={**entry.options, "energy_updates": 0}
    )
    await hass.config_entries.async_reload(entry.entry_id)
    await advance(hass, freezer, 3 * MINUTE, step=MINUTE)
    assert dashboard_issues(issue_registry) == {"dashboard_stale"}


async def test_several_systems_add_their_sources_but_no_home(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Home Assistant accepts only one home, so none is added."""
    world.add_system(name="Barn", time_zone="Europe/Berlin")
    await set_up(options=OPTIONS | {CONF_ENERGY_DASHBOARD: True})
    await advance(hass, freezer, MINUTES, step=MINUTE)
    found = await by_type(hass)
    assert len(found["solar"]) == 2
    assert "home" not in found
