"""Repairs and system health: issues of the budget are created and removed."""

from datetime import timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
    get_system_health_info,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.enphase_cloud.const import DOMAIN
from simulator import Fault

from .conftest import SetUp, World
from .helpers import pass_time, press, state

pytestmark = pytest.mark.usefixtures("summer_noon")


@pytest.fixture
def plan() -> str:
    """Return the free plan, which has few calls."""
    return "watt"


def _issues(issue_registry: ir.IssueRegistry) -> dict[str, dict[str, Any]]:
    return {
        issue.translation_key or "": dict(issue.translation_placeholders or {})
        for (domain, _), issue in issue_registry.issues.items()
        if domain == DOMAIN
    }


async def _use_up(hass: HomeAssistant, world: World) -> None:
    world.cloud.faults.add(Fault(quota="month", times=1))
    with pytest.raises(HomeAssistantError):
        await press(hass, "button.hilltop_refresh_now")


async def test_used_up_month_creates_issues_until_the_next_month(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    issue_registry: ir.IssueRegistry,
) -> None:
    """The issues count the calls by their cause; the new month removes the issues."""
    await set_up()
    assert not _issues(issue_registry)
    freezer.tick(60)
    await _use_up(hass, world)
    issues = _issues(issue_registry)
    assert set(issues) == {"quota_refused", "other_program"}
    assert issues["quota_refused"]["limit"] == "1,000"
    used = {
        key: int(issues["quota_refused"][key]) for key in ("own", "foreign", "assumed")
    }
    assert sum(used.values()) == 1_000, used
    assert used["own"] == len(world.cloud.requests)
    assert int(issues["other_program"]["foreign"]) > 300

    freezer.move_to("2026-07-01 00:00:01+00:00")
    async_fire_time_changed(hass)
    # The call that confirms the new month may take long.
    await hass.async_block_till_done()
    assert not _issues(issue_registry)
    assert int(state(hass, "sensor.enphase_account_api_calls_left")) > 990
    await pass_time(hass, freezer, timedelta(hours=4))
    assert not _issues(issue_registry)


async def test_unload_removes_the_issues(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    issue_registry: ir.IssueRegistry,
) -> None:
    """An entry that is not loaded has no issues."""
    entry = await set_up()
    freezer.tick(60)
    await _use_up(hass, world)
    assert _issues(issue_registry)
    await hass.config_entries.async_unload(entry.entry_id)
    assert not _issues(issue_registry)


async def test_repair_requests_a_refused_document_again(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    issue_registry: ir.IssueRegistry,
    hass_client: ClientSessionGenerator,
) -> None:
    """After a change of the plan, the repair makes the document available again."""
    assert await async_setup_component(hass, "repairs", {})
    fault = world.cloud.faults.add(Fault(operation="latest_telemetry", status=401))
    entry = await set_up()
    assert _issues(issue_registry) == {
        "document_refused": {
            "account": "Home",
            "access_controls": ("Site Level Consumption Monitoring (Watt+)"),
        }
    }
    world.cloud.faults.remove(fault)
    freezer.tick(60)

    client = await hass_client()
    issue_id = f"document_refused_{entry.entry_id}"
    response = await client.post(
        "/api/repairs/issues/fix", json={"handler": DOMAIN, "issue_id": issue_id}
    )
    form = await response.json()
    assert (form["type"], form["step_id"]) == ("form", "confirm")
    requests = world.calls.count("latest_telemetry")
    response = await client.post(f"/api/repairs/issues/fix/{form['flow_id']}", json={})
    assert (await response.json())["type"] == "create_entry"
    await hass.async_block_till_done()
    await pass_time(hass, freezer, timedelta(minutes=30))
    assert world.calls.count("latest_telemetry") == requests + 1
    assert hass.states.get("sensor.hilltop_grid_power")
    assert not _issues(issue_registry)


async def test_texts_of_the_cloud_are_escaped_in_issues(
    hass: HomeAssistant, world: World, set_up: SetUp, issue_registry: ir.IssueRegistry
) -> None:
    """Issues are Markdown: a system's name must not become a link or a heading."""
    world.systems[0].name = "# [Win](https://example.com)\n<b>*Now*</b>"
    world.cloud.faults.add(Fault(operation="latest_telemetry", status=403))
    entry = world.entry()
    await set_up(entry)
    issues = _issues(issue_registry)
    shown = issues["document_forbidden"]["systems"]
    assert shown == (r"\# \[Win\]\(https\:\/\/example\.com\) \<b\>\*Now\*\<\/b\>")


async def test_repair_of_an_unloaded_entry_aborts(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    hass_client: ClientSessionGenerator,
) -> None:
    """The reason of the abort is given."""
    assert await async_setup_component(hass, "repairs", {})
    world.cloud.faults.add(Fault(operation="latest_telemetry", status=401))
    entry = await set_up()
    client = await hass_client()
    issue_id = f"document_refused_{entry.entry_id}"
    response = await client.post(
        "/api/repairs/issues/fix", json={"handler": DOMAIN, "issue_id": issue_id}
    )
    flow_id = (await response.json())["flow_id"]
    await hass.config_entries.async_unload(entry.entry_id)
    response = await client.post(f"/api/repairs/issues/fix/{flow_id}", json={})
    outcome = await response.json()
    assert (outcome["type"], outcome["reason"]) == ("abort", "not_loaded")


async def _submit(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, issue_id: str
) -> dict[str, Any]:
    """Open the fix of an issue and submit it; return the next result of the flow."""
    assert await async_setup_component(hass, "repairs", {})
    client = await hass_client()
    response = await client.post(
        "/api/repairs/issues/fix", json={"handler": DOMAIN, "issue_id": issue_id}
    )
    form = await response.json()
    assert (form["type"], form["step_id"]) == ("form", "confirm")
    response = await client.post(f"/api/repairs/issues/fix/{form['flow_id']}", json={})
    shown: dict[str, Any] = await response.json()
    await hass.async_block_till_done()
    return shown


async def test_fix_of_a_refused_month_makes_one_call_that_succeeds(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    issue_registry: ir.IssueRegistry,
    hass_client: ClientSessionGenerator,
) -> None:
    """After the user bought a larger plan, one call succeeds and updates continue."""
    entry = await set_up()
    freezer.tick(60)
    await _use_up(hass, world)
    with pytest.raises(HomeAssistantError) as raised:
        await press(hass, "button.hilltop_refresh_now")
    assert raised.value.translation_key == "quota_refused"
    assert raised.value.translation_placeholders == {"until": "30 June, 17:00"}
    freezer.tick(60)
    before = len(world.calls)

    shown = await _submit(hass, hass_client, f"quota_refused_{entry.entry_id}")
    assert shown["type"] == "create_entry"
    assert len(world.calls) == before + 1
    used = state(hass, "sensor.enphase_account_api_calls_used")
    assert int(used) == len(world.cloud.requests)
    assert "quota_refused" not in _issues(issue_registry)
    assert "quota_used_up" not in _issues(issue_registry)
    freezer.tick(60)
    await press(hass, "button.hilltop_refresh_now")
    assert len(world.calls) == before + 4


async def test_only_an_account_with_a_system_can_try_one_call(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    issue_registry: ir.IssueRegistry,
) -> None:
    """Another one with the same key is told that no calls are left."""
    first = await set_up()
    second = MockConfigEntry(
        domain=DOMAIN, unique_id="other", data=first.data, options=first.options
    )
    await set_up(second)
    freezer.tick(60)
    await _use_up(hass, world)
    shown = {issue_id for domain, issue_id in issue_registry.issues if domain == DOMAIN}
    assert f"quota_refused_{first.entry_id}" in shown
    assert f"quota_used_up_{second.entry_id}" in shown
    assert f"quota_refused_{second.entry_id}" not in shown


@pytest.mark.parametrize("fault", [{"quota": "month"}, {"cut": "before_headers"}])
async def test_fix_of_a_refused_month_makes_one_call_that_fails(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    issue_registry: ir.IssueRegistry,
    hass_client: ClientSessionGenerator,
    fault: dict[str, Any],
) -> None:
    """Exactly one call is made; no second fix is offered, even after a reload."""
    entry = await set_up()
    freezer.tick(60)
    await _use_up(hass, world)
    world.cloud.faults.add(Fault(**fault))
    freezer.tick(60)
    before = len(world.cloud.requests)

    shown = await _submit(hass, hass_client, f"quota_refused_{entry.entry_id}")
    assert (shown["type"], shown["reason"]) == ("abort", "still_refused")
    assert shown["description_placeholders"] == {"until": "30 June, 17:00"}
    assert len(world.cloud.requests) == before + 1
    for reload in (False, True):
        if reload:
            await hass.config_entries.async_reload(entry.entry_id)
            await hass.async_block_till_done()
        issues = _issues(issue_registry)
        assert "quota_used_up" in issues
        assert "quota_refused" not in issues
        with pytest.raises(HomeAssistantError) as raised:
            await press(hass, "button.hilltop_refresh_now")
        assert raised.value.translation_key == "budget_exhausted"
        if not reload:
            await pass_time(hass, freezer, timedelta(hours=5))
        assert len(world.cloud.requests) == before + 1


async def test_larger_plan_in_the_options_ends_a_refusal(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """One call is made first; when it succeeds, the others follow."""
    entry = await set_up()
    freezer.tick(60)
    await _use_up(hass, world)
    freezer.tick(timedelta(hours=2))
    hass.config_entries.async_update_entry(
        entry, options={**entry.options, "plan": "kilowatt"}
    )
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    before = len(world.calls)
    await press(hass, "button.hilltop_refresh_now")
    assert len(world.calls) == before + 3


async def test_system_health_makes_no_call(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
) -> None:
    """It shows reachability, calls left, and until when the cloud refuses calls."""
    assert await async_setup_component(hass, "system_health", {})
    await set_up()
    calls = len(world.calls)
    info = await get_system_health_info(hass, DOMAIN)
    assert await info["can_reach_cloud"] == "ok"
    assert 0 < info["calls_left"] < 1000
    assert info["blocked_until"] is None
    assert len(world.calls) == calls

    freezer.tick(60)
    await _use_up(hass, world)
    info = await get_system_health_info(hass, DOMAIN)
    assert await info["can_reach_cloud"] == "ok"
    assert info["calls_left"] == 0
    assert info["blocked_until"].startswith("30 June, 17:00")
