"""The tools for assistants: their results, their permissions, and no API calls."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
import json
from typing import Any
from zoneinfo import ZoneInfo

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.homeassistant.exposed_entities import async_expose_entity
from homeassistant.components.llm import async_get_tools
from homeassistant.components.recorder import Recorder
from homeassistant.core import Context, HomeAssistant
from homeassistant.helpers import device_registry as dr, llm
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockUser
import voluptuous as vol

from custom_components.enphase_cloud.const import CONF_ENERGY_UPDATES, CONF_HISTORY
from custom_components.enphase_cloud.measurements.catalog import Flow

from .conftest import SetUp, World
from .energy_helpers import FLOWS, advance
from .helpers import pass_time, state, system_devices
from .test_costs import add_tariff, fixed

BERLIN = ZoneInfo("Europe/Berlin")
BATTERY = "sensor.hilltop_battery"
ASSISTANT = "conversation"
ADMIN = "homeassistant"
OPTIONS = {CONF_ENERGY_UPDATES: 24, CONF_HISTORY: "day"}
ENERGY, HEALTH, BUDGET = (
    f"enphase_cloud__get_{name}" for name in ("energy", "health", "budget")
)


@pytest.fixture
def system_properties() -> dict[str, Any]:
    """Return a system with all flows, which is six weeks old."""
    return {
        "name": "Hilltop",
        "battery": 2,
        "time_zone": "Europe/Berlin",
        "latitude": 45,
        "commissioned": date(2026, 5, 1),
    }


@pytest.fixture(autouse=True)
async def _assistants(
    recorder_mock: Recorder, hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    freezer.move_to("2026-06-17 12:03:00+00:00")
    assert await async_setup_component(hass, "homeassistant", {})
    assert await async_setup_component(hass, "llm", {})


def context_of(user_id: str | None = None) -> llm.LLMContext:
    """Return the context of an assistant, with or without a user."""
    return llm.LLMContext(
        platform="test",
        context=Context(user_id=user_id),
        language="en",
        assistant=ASSISTANT,
        device_id=None,
    )


def expose(hass: HomeAssistant, entity_id: str = BATTERY) -> None:
    """Expose an entity to the assistant."""
    async_expose_entity(hass, ASSISTANT, entity_id, True)  # noqa: FBT003


async def tools(
    hass: HomeAssistant, api_id: str = llm.LLM_API_ASSIST
) -> dict[str, llm.Tool]:
    """Return our tools by their names."""
    found = await async_get_tools(hass, context_of(), api_id)
    return {
        each.name: each for each in found.tools if each.name.startswith("enphase_cloud")
    }


async def call(
    hass: HomeAssistant, name: str, *, user_id: str | None = None, **args: Any
) -> Any:
    """Return the result of a tool; before 2026.10, tools return it unwrapped."""
    tool = (await tools(hass))[name]
    result: Any = await tool.async_call(
        hass, llm.ToolInput(name, args), context_of(user_id)
    )
    if hasattr(llm, "ToolResult"):
        assert isinstance(result, llm.ToolResult)
        assert not result.error
        result = result.data
    # The result must be JSON.
    return json.loads(json.dumps(result))


def schema(tool: llm.Tool) -> dict[str, Any]:
    """Return how assistants read the parameters of a tool, on this Home Assistant."""
    convert: Callable[..., Any]
    if hasattr(llm, "probatio"):
        convert = llm.probatio.to_openapi
    else:
        from voluptuous_openapi import convert  # noqa: PLC0415
    converted: dict[str, Any] = convert(
        tool.parameters, custom_serializer=llm.selector_serializer
    )
    return converted


async def test_three_tools_have_short_descriptions(
    hass: HomeAssistant, set_up: SetUp, caplog: pytest.LogCaptureFixture
) -> None:
    """Each prompt contains them, so they must be short."""
    await set_up()
    expose(hass)
    found = await tools(hass)
    assert sorted(found) == sorted((ENERGY, HEALTH, BUDGET))
    described = [[each.name, each.description, schema(each)] for each in found.values()]
    assert len(json.dumps(described)) < 2_000
    properties = schema(found[ENERGY])["properties"]
    assert set(properties) == {"period", "from", "to", "flow", "resolution", "system"}
    assert properties["flow"]["enum"] == list(Flow)
    for tool in found.values():
        assert tool.integration == "enphase_cloud"
        if hasattr(llm, "ToolAnnotations"):
            assert tool.annotations == llm.ToolAnnotations(
                read_only=True, destructive=False, idempotent=True, open_world=False
            )
    # Home Assistant logs no complaint about them.
    instance = await llm.async_get_api(hass, llm.LLM_API_ASSIST, context_of())
    assert {each.name for each in instance.tools} >= set(found)
    assert "LLM tool" not in caplog.text


async def test_energy_tool_returns_the_statistics_without_a_call(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """By flow and day, hour or in total."""
    await set_up(options=OPTIONS)
    expose(hass)
    await advance(hass, freezer, timedelta(hours=1))
    calls = len(world.calls)
    result = await call(hass, ENERGY, period="this_week", resolution="day")
    [found] = result["systems"]
    assert result["unit"] == "kWh"
    assert (found["system"], found["from"], found["to"]) == (
        "Hilltop",
        "2026-06-15",
        "2026-06-17",
    )
    assert set(found["total"]) == set(Flow)
    truth = world.cloud.truth(world.system.system_id)
    monday, tuesday = (
        datetime(2026, 6, day, tzinfo=BERLIN).astimezone(UTC) for day in (15, 16)
    )
    for flow, name in FLOWS.items():
        energy = truth.energy(name, monday, tuesday) / 1000
        assert found["parts"][flow]["2026-06-15"] == pytest.approx(energy, abs=0.03)
        assert found["total"][flow] == pytest.approx(
            sum(found["parts"][flow].values()), abs=0.002
        )
    until = dt_util.parse_datetime(found["recorded_until"])
    assert until is not None
    assert until > dt_util.utcnow() - timedelta(hours=4)
    today = float(state(hass, "sensor.hilltop_production_today"))
    assert found["production_today_by_now"] == pytest.approx(today, abs=0.001)

    [hourly] = (
        await call(
            hass, ENERGY, period="yesterday", flow="production", resolution="hour"
        )
    )["systems"]
    assert list(hourly["parts"]) == ["production"]
    assert "production_today_by_now" not in hourly
    noon = datetime(2026, 6, 16, 12, tzinfo=BERLIN)
    energy = truth.energy("production", noon, noon + timedelta(hours=1)) / 1000
    shown = hourly["parts"]["production"][noon.isoformat(timespec="minutes")]
    assert shown == pytest.approx(energy, abs=0.003)
    [month] = (await call(hass, ENERGY, **{"from": "2026-05-01", "to": "2026-05-31"}))[
        "systems"
    ]
    assert "parts" not in month
    assert month["total"]["production"] > 100
    assert len(world.calls) == calls


async def test_energy_tool_returns_costs_with_a_tariff(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Beside the flow that they belong to, in the currency of Home Assistant."""
    entry = world.entry(options=OPTIONS)
    entry.add_to_hass(hass)
    add_tariff(hass, world, entry, fixed("0.30"))
    await set_up(entry)
    expose(hass)
    await advance(hass, freezer, timedelta(hours=1))
    days = {"from": "2026-06-15", "to": "2026-06-16"}
    result = await call(hass, ENERGY, **days, flow="grid_import", resolution="day")
    [found] = result["systems"]
    total = found["total"]
    assert total.keys() == {"grid_import", "grid_import_cost"}
    assert total["grid_import"] > 0.1
    paid = total["grid_import"] * 0.3
    assert total["grid_import_cost"] == pytest.approx(paid, abs=0.006)
    assert len(found["parts"]["grid_import_cost"]) == 2
    assert result["currency"] == hass.config.currency
    [other] = (await call(hass, ENERGY, **days, flow="production"))["systems"]
    assert other["total"].keys() == {"production"}


async def test_wrong_parameters_raise_an_error(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """The assistant reads the error and can try other parameters."""
    await set_up()
    expose(hass)
    for wrong in (
        {"from": "2026-06-18"},
        {"from": "2024-01-01"},
        {"from": "last week"},
        {"period": "this_year", "resolution": "day"},
        {"period": "this_decade"},
        {"flow": "money"},
        {"system": "Elsewhere"},
        {"until": "2026-06-18"},
    ):
        with pytest.raises(vol.Invalid):
            await call(hass, ENERGY, **wrong)
    # Nothing is recorded of a time before the system.
    result = await call(hass, ENERGY, **{"from": "2026-01-01", "to": "2026-01-02"})
    assert "total" not in result["systems"][0]


@pytest.mark.long
async def test_health_tool_names_problem_panels_and_alarms(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """By the user's names, with the age of each value and without serial numbers."""
    entry = await set_up(options={"groups": ["devices", "panels", "alarms"]})
    expose(hass)
    [found] = (await call(hass, HEALTH, system="hilltop"))["systems"]
    assert found["gateway_reporting"] is True
    assert found["status"] == "normal"
    assert found["battery_level_percent"] == pytest.approx(
        float(state(hass, BATTERY)), abs=1
    )
    assert 0 <= found["minutes_old"]["battery_level_percent"] < 60
    assert found["open_alarms"] == 0
    assert "problem_panels" not in found

    hours = timedelta(hours=1)
    await pass_time(hass, freezer, timedelta(days=2), step=hours)
    panels = [each.serial for each in world.system.microinverters]
    world.system.break_panel(panels[3], dt_util.utcnow())
    world.system.open_alarm("meter_silent", dt_util.utcnow())
    await pass_time(hass, freezer, timedelta(days=3), step=hours)
    calls = len(world.calls)
    [found] = (await call(hass, HEALTH))["systems"]
    assert found["problem_panels"] == {"dead": [f"Panel {panels[3][-4:]}"]}
    registry = dr.async_get(hass)
    [device] = [
        each
        for each in dr.async_entries_for_config_entry(registry, entry.entry_id)
        if each.serial_number == panels[3]
    ]
    registry.async_update_device(device.id, name_by_user="Chimney")
    [found] = (await call(hass, HEALTH))["systems"]
    assert found["problem_panels"] == {"dead": ["Chimney"]}
    assert found["panels_with_problem"] == 1
    [alarm] = found["alarms"]
    assert alarm["advice"]
    assert alarm["severity"]
    text = json.dumps(found)
    assert not any(serial in text for serial in panels)
    assert str(world.system.system_id) not in text
    assert len(world.calls) == calls


async def test_health_tool_reports_a_silent_gateway(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """The result has no values that are too old."""
    await set_up()
    expose(hass)
    world.system.go_offline(dt_util.utcnow())
    await pass_time(hass, freezer, timedelta(hours=8), step=timedelta(minutes=15))
    [found] = (await call(hass, HEALTH))["systems"]
    assert found["gateway_reporting"] is False
    assert found["gateway_reported_at"] < "2026-06-17T13:00"
    assert "battery_level_percent" not in found


async def test_budget_tool_returns_the_states_of_the_account(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """Calls, live streams and the next update equal those of the sensors."""
    await set_up()
    expose(hass)
    [found] = (await call(hass, BUDGET))["api_keys"]
    account = "sensor.enphase_account_"
    assert found["calls_used"] == int(state(hass, f"{account}api_calls_used"))
    assert found["calls_used"] == len(world.calls)
    assert found["calls_left"] == int(state(hass, f"{account}api_calls_left"))
    assert found["live_streams_left"] == 100
    renewed = dt_util.parse_datetime(found["calls_renewed"])
    assert renewed == datetime(2026, 7, 1, tzinfo=UTC)
    [system] = found["systems"]
    assert system["system"] == "Hilltop"
    assert dt_util.parse_datetime(system["next_update"]) == dt_util.parse_datetime(
        state(hass, "sensor.hilltop_next_update")
    )


async def test_tools_require_exposure_and_read_permission(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    """The assistant needs an exposed entity, the user permission to read it."""
    await set_up()
    assert await tools(hass) == {}
    assert await tools(hass, "another") == {}
    # Home Assistant gives this one to administrators only.
    assert sorted(await tools(hass, ADMIN)) == sorted((ENERGY, HEALTH, BUDGET))
    expose(hass)

    def user(policy: dict[str, Any]) -> str:
        one = MockUser().add_to_hass(hass)
        one.mock_policy(policy)
        return one.id

    reader = user({"entities": {"entity_ids": {BATTERY: {"read": True}}}})
    assert await call(hass, HEALTH, user_id=reader)
    for nobody in (user({"entities": {"domains": {"light": True}}}), "gone"):
        for name in (ENERGY, HEALTH, BUDGET):
            with pytest.raises(vol.Invalid, match="no such system"):
                await call(hass, name, user_id=nobody)


async def test_unloaded_entry_has_no_tools(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """The tools exist only while a system is loaded."""
    entry = await set_up()
    expose(hass)
    assert await tools(hass)
    assert system_devices(hass, entry)
    await hass.config_entries.async_unload(entry.entry_id)
    assert await tools(hass) == {}
    assert await tools(hass, ADMIN) == {}


async def test_tools_return_each_exposed_system_by_name(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """Only systems with an exposed entity; they share one budget."""
    world.add_system(name="Valley", time_zone="Europe/Berlin")
    await set_up()
    expose(hass)
    found = await call(hass, HEALTH)
    assert [each["system"] for each in found["systems"]] == ["Hilltop"]
    expose(hass, "sensor.valley_status")
    found = await call(hass, HEALTH)
    assert [each["system"] for each in found["systems"]] == ["Hilltop", "Valley"]
    [key] = (await call(hass, BUDGET))["api_keys"]
    assert [each["system"] for each in key["systems"]] == ["Hilltop", "Valley"]
    [energy] = (await call(hass, ENERGY, system="valley"))["systems"]
    assert energy["system"] == "Valley"
