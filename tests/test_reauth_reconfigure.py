"""Flows of an existing entry: reauthentication and reconfiguration."""

from datetime import timedelta
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.application_credentials import (
    ClientCredential,
    async_import_client_credential,
)
from homeassistant.config_entries import (
    SOURCE_REAUTH,
    ConfigEntry,
    ConfigEntryState,
    ConfigFlowResult,
)
from homeassistant.const import CONF_API_KEY, CONF_ID, CONF_TOKEN
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr, issue_registry as ir
from homeassistant.helpers.config_entry_oauth2_flow import (
    ImplementationUnavailableError,
)
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.enphase_cloud.const import (
    CONF_BURST_LENGTH,
    CONF_ENERGY_UPDATES,
    CONF_LIVE_BURSTS,
    CONF_PLAN,
    CONF_PROFILE,
    CONF_SIGN_IN_BY_CODE,
    CONF_SYSTEMS,
    DOMAIN,
)
from simulator import AccessControl, Application, Fault

from .conftest import SetUp
from .flows import User, assert_translated, required, suggested
from .helpers import press, system_devices
from .world import API_KEY, CLIENT_ID, CLIENT_SECRET, World

NEW_KEY = "key-renewed-91c4"


@pytest.fixture(autouse=True)
def _first_of_june(freezer: FrozenDateTimeFactory) -> None:
    freezer.move_to("2026-06-01 10:07:00+00:00")


class _Watch:
    """Compares an entry with its former state, and counts its loads since."""

    def __init__(self, entry: ConfigEntry[Any]) -> None:
        self._entry = entry
        self._before = (entry.title, dict(entry.data), dict(entry.options))
        self.loads = 0
        entry.async_on_state_change(self._count)

    def _count(self) -> None:
        self.loads += self._entry.state is ConfigEntryState.LOADED

    @property
    def is_untouched(self) -> bool:
        entry = self._entry
        now = (entry.title, dict(entry.data), dict(entry.options))
        return now == self._before and self.loads == 0


async def _start_reauth(
    hass: HomeAssistant, entry: ConfigEntry[Any]
) -> ConfigFlowResult:
    """Return the first form of a reauthentication."""
    entry.async_start_reauth(hass)
    await hass.async_block_till_done()
    [flow] = entry.async_get_active_flows(hass, {SOURCE_REAUTH})
    form = await hass.config_entries.flow.async_configure(flow["flow_id"])
    assert form["step_id"] == "reauth_confirm"
    assert form["description_placeholders"] == {"name": entry.title}
    return assert_translated(form)


def _second_application(world: World, **properties: Any) -> Application:
    return world.cloud.add_application(
        client_id="second-client",
        client_secret="second-secret",
        api_key=NEW_KEY,
        **properties,
    )


async def _add_second_credentials(hass: HomeAssistant) -> None:
    credential = ClientCredential("second-client", "second-secret", "Second")
    await async_import_client_credential(hass, DOMAIN, credential, "second")


# Reauthentication


async def test_reauth_keeps_key_and_options(
    hass: HomeAssistant, world: World, user: User, set_up: SetUp
) -> None:
    """It loads the entry once."""
    entry = await set_up(options={CONF_PROFILE: "battery_first"})
    watch = _Watch(entry)
    old, options = entry.data, entry.options
    world.cloud.tokens.revoke(world.owner)
    world.cloud.requests.clear()

    form = await user.submit(await _start_reauth(hass, entry))
    form = await user.sign_in(form)
    assert form["step_id"] == "keep_api_key"
    assert suggested(form) == {CONF_PLAN: "kilowatt"}
    done = await user.submit(form, plan="kilowatt")
    assert done["type"] is FlowResultType.ABORT
    assert done["reason"] == "reauth_successful"
    assert world.calls == ["systems", "search"]
    assert watch.loads == 1
    assert entry.data[CONF_TOKEN] != old[CONF_TOKEN]
    assert entry.data == {**old, CONF_TOKEN: entry.data[CONF_TOKEN]}
    assert entry.options == options
    assert hass.config_entries.flow.async_progress() == []


async def test_removal_of_the_entry_ends_its_reauth(
    hass: HomeAssistant,
    user: User,
    world: World,
    set_up: SetUp,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Even after a wrong code: no other reauthentication begins, nothing is logged."""
    entry = world.entry()
    entry.add_to_hass(hass)
    data = {**entry.data, CONF_SIGN_IN_BY_CODE: True}
    hass.config_entries.async_update_entry(entry, data=data)
    await set_up(entry)
    form = await user.submit(await _start_reauth(hass, entry))
    form = await user.submit(form, code="no-such-code")
    assert form["errors"] == {"code": "code_expired"}
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert hass.config_entries.flow.async_progress() == []
    assert "Error removing" not in caplog.text


async def test_reauth_can_replace_the_key(
    hass: HomeAssistant,
    world: World,
    user: User,
    set_up: SetUp,
    hass_storage: dict[str, Any],
) -> None:
    """After an unload, neither the old nor the new key has reserved calls."""
    entry = await set_up()
    world.cloud.add_application(
        client_id=CLIENT_ID, client_secret=CLIENT_SECRET, api_key=NEW_KEY, plan="watt"
    )
    form = await user.submit(await _start_reauth(hass, entry))
    form = await user.sign_in(form)
    form = await user.submit(form, plan="watt")
    assert form["errors"] == {CONF_API_KEY: "api_key_refused"}
    assert form["step_id"] == "api_key"
    assert CONF_API_KEY in required(form)
    done = await user.submit(form, api_key=NEW_KEY, plan="watt")
    assert done["reason"] == "reauth_successful"
    assert entry.data[CONF_API_KEY] == NEW_KEY
    assert entry.options[CONF_PLAN] == "watt"
    assert entry.state is ConfigEntryState.LOADED

    assert await hass.config_entries.async_unload(entry.entry_id)
    reserved = [
        stored["data"]["ledger"]["reserved"]
        for key, stored in hass_storage.items()
        if key.startswith(f"{DOMAIN}.account.")
    ]
    assert reserved == [0, 0]


def _sign_in_requests(hass: HomeAssistant, entry: ConfigEntry[Any]) -> tuple[int, int]:
    """Return the number of flows and of repairs that request a new sign-in."""
    issue_id = f"config_entry_reauth_{DOMAIN}_{entry.entry_id}"
    issue = ir.async_get(hass).async_get_issue("homeassistant", issue_id)
    flows = list(entry.async_get_active_flows(hass, {SOURCE_REAUTH}))
    return len(flows), int(issue is not None)


@pytest.mark.parametrize("again", ["reauth", "reconfigure"])
async def test_another_account_aborts_the_flow(
    hass: HomeAssistant, world: World, user: User, set_up: SetUp, again: str
) -> None:
    """The entry keeps its account; a pending reauthentication stays pending."""
    entry = await set_up()
    watch = _Watch(entry)
    world.cloud.add_account(email="noor@example.com", password="x", user_id="77")
    world.cloud.requests.clear()
    if again == "reauth":
        form = await _start_reauth(hass, entry)
    else:
        form = await user.reconfigure(entry)
    shown = await user.submit(form)
    shown = await user.sign_in(shown, email="noor@example.com", password="x")
    assert shown["type"] is FlowResultType.ABORT
    assert shown["reason"] == "wrong_account"
    await hass.async_block_till_done()
    assert watch.is_untouched
    assert world.calls == []
    assert _sign_in_requests(hass, entry) == ((1, 1) if again == "reauth" else (0, 0))


@pytest.mark.parametrize("decision", ["approve", "deny"])
async def test_failed_reauth_starts_again(
    hass: HomeAssistant, world: World, user: User, set_up: SetUp, decision: str
) -> None:
    """Flow and repair return until the sign-in succeeds."""
    entry = await set_up()
    form = await user.submit(await _start_reauth(hass, entry))
    if decision == "approve":
        world.cloud.faults.add(Fault(operation="token", status=500, times=1))
    shown = await user.sign_in(form, decision=decision)
    assert shown["type"] is FlowResultType.ABORT
    await hass.async_block_till_done()
    assert _sign_in_requests(hass, entry) == (1, 1)

    form = await user.submit(await _start_reauth(hass, entry))
    done = await user.submit(await user.sign_in(form), plan="kilowatt")
    assert done["reason"] == "reauth_successful"
    assert _sign_in_requests(hass, entry) == (0, 0)


async def test_reload_or_removal_ends_the_reauth_flow(
    hass: HomeAssistant, world: World, user: User, set_up: SetUp
) -> None:
    """Home Assistant removes it; it returns only if its cause does."""
    entry = await set_up()
    await _start_reauth(hass, entry)
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert _sign_in_requests(hass, entry) == (0, 0)
    await _start_reauth(hass, entry)
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert hass.config_entries.flow.async_progress() == []


@pytest.mark.parametrize("again", ["reauth", "reconfigure"])
async def test_new_sign_in_requests_refused_documents_again(
    hass: HomeAssistant, world: World, user: User, set_up: SetUp, again: str
) -> None:
    """Plan and application are unchanged, but Enphase may allow more since."""
    refusals = [
        world.cloud.faults.add(Fault(operation=operation, status=status))
        for operation, status in (
            ("telemetry_battery", 401),
            ("latest_telemetry", 403),
            ("live_data", 401),
        )
    ]
    entry = await set_up()
    with pytest.raises(HomeAssistantError):
        await press(hass, "button.hilltop_start_live_session")
    for refusal in refusals:
        world.cloud.faults.remove(refusal)
    world.cloud.requests.clear()
    await hass.config_entries.async_reload(entry.entry_id)
    with pytest.raises(HomeAssistantError):
        await press(hass, "button.hilltop_start_live_session")
    assert world.calls == []

    if again == "reauth":
        form = await _start_reauth(hass, entry)
    else:
        form = await user.reconfigure(entry)
    form = await user.sign_in(await user.submit(form))
    done = await user.submit(form, plan="kilowatt")
    assert done["reason"] == f"{again}_successful"
    await hass.async_block_till_done()
    assert {"telemetry_battery", "latest_telemetry"} <= set(world.calls)
    await press(hass, "button.hilltop_start_live_session")
    assert "live_data" in world.calls
    issues = ir.async_get(hass).issues
    assert not [issue_id for domain, issue_id in issues if domain == DOMAIN]


async def test_token_renewal_keeps_refusals(
    hass: HomeAssistant,
    world: World,
    user: User,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Only a sign-in of the user is a reason to request refused documents again."""
    world.cloud.faults.add(Fault(operation="latest_telemetry", status=401))
    entry = await set_up()
    form = await user.submit(await _start_reauth(hass, entry))
    await user.submit(await user.sign_in(form), plan="kilowatt")
    await hass.async_block_till_done()
    freezer.tick(timedelta(days=2))
    world.cloud.requests.clear()
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert "summary" in world.calls
    assert "latest_telemetry" not in world.calls


@pytest.mark.parametrize(
    ("fault", "error"),
    [({"status": 500}, "server_error"), ({"quota": "month"}, "quota_exceeded")],
)
async def test_failed_check_of_the_key_changes_nothing(
    hass: HomeAssistant,
    world: World,
    user: User,
    set_up: SetUp,
    fault: dict[str, Any],
    error: str,
) -> None:
    """The form shows the error; the entry stays as it was."""
    entry = await set_up()
    watch = _Watch(entry)
    form = await user.submit(await _start_reauth(hass, entry))
    form = await user.sign_in(form)
    world.cloud.faults.add(Fault(operation="systems", times=1, **fault))
    form = await user.submit(form, plan="kilowatt")
    assert form["errors"] == {"base": error}
    assert watch.is_untouched


async def test_reauth_without_systems_aborts(
    hass: HomeAssistant, world: World, user: User, set_up: SetUp
) -> None:
    """The entry of an account that lost its systems stays as it was."""
    entry = await set_up()
    watch = _Watch(entry)
    world.cloud.remove_system(world.system.system_id)
    form = await user.submit(await _start_reauth(hass, entry))
    form = await user.sign_in(form)
    shown = await user.submit(form, plan="kilowatt")
    assert shown["reason"] == "no_systems"
    assert watch.is_untouched


async def test_reauth_uses_the_application_of_the_entry(
    hass: HomeAssistant, world: World, user: User, set_up: SetUp
) -> None:
    """With several applications, the user need not select one."""
    _second_application(world)
    await _add_second_credentials(hass)
    entry = await set_up()
    hass.config_entries.async_update_entry(
        entry, data={**entry.data, "auth_implementation": "second"}
    )
    shown = await user.submit(await _start_reauth(hass, entry))
    assert shown["type"] is FlowResultType.EXTERNAL_STEP
    assert "client_id=second-client" in shown["url"]


async def test_reauth_offers_other_applications_if_its_own_is_deleted(
    hass: HomeAssistant, world: World, user: User, set_up: SetUp
) -> None:
    """The credentials of the entry no longer exist."""
    entry = await set_up()
    hass.config_entries.async_update_entry(
        entry, data={**entry.data, "auth_implementation": "deleted"}
    )
    form = await user.submit(await _start_reauth(hass, entry))
    form = await user.sign_in(form)
    done = await user.submit(form, plan="kilowatt")
    assert done["reason"] == "reauth_successful"
    assert entry.data["auth_implementation"] == DOMAIN


async def test_unavailable_applications_abort_the_flow(
    hass: HomeAssistant, world: World, user: User, set_up: SetUp
) -> None:
    """Home Assistant can be unable to list its applications for a time."""
    entry = await set_up()
    form = await _start_reauth(hass, entry)
    where = "homeassistant.helpers.config_entry_oauth2_flow.async_get_implementations"
    here = "custom_components.enphase_cloud.flows.sign_in.async_get_implementations"
    failure = ImplementationUnavailableError("away")
    with patch(where, side_effect=failure), patch(here, side_effect=failure):
        shown = await user.submit(form)
    assert shown["type"] is FlowResultType.ABORT
    assert shown["reason"] == "oauth_implementation_unavailable"


# Reconfiguration


async def test_reconfigure_can_change_the_application(
    hass: HomeAssistant, world: World, user: User, set_up: SetUp
) -> None:
    """The new application has its own key and plan."""
    entry = await set_up(options={CONF_LIVE_BURSTS: True, CONF_BURST_LENGTH: 90})
    watch = _Watch(entry)
    _second_application(world, plan="watt")
    await _add_second_credentials(hass)

    form = await user.submit(await user.reconfigure(entry))
    assert form["step_id"] == "pick_implementation"
    form = await user.sign_in(await user.submit(form, implementation="second"))
    form = await user.submit(form, plan="watt")
    assert form["errors"] == {CONF_API_KEY: "api_key_mismatch"}
    done = await user.submit(form, api_key=NEW_KEY, plan="watt")
    assert done["type"] is FlowResultType.ABORT
    assert done["reason"] == "reconfigure_successful"
    assert watch.loads == 1
    assert entry.data["auth_implementation"] == "second"
    assert entry.data[CONF_API_KEY] == NEW_KEY
    # Live sessions cost money: a larger plan later does not switch them on again.
    assert entry.options[CONF_PLAN] == "watt"
    assert entry.options[CONF_BURST_LENGTH] == 90
    assert CONF_LIVE_BURSTS not in entry.options


@pytest.fixture
async def config_api(hass: HomeAssistant) -> None:
    """Serve the commands by which the frontend deletes devices."""
    assert await async_setup_component(hass, "config", {})


async def test_new_application_requests_refused_documents_again(
    hass: HomeAssistant, world: World, user: User, set_up: SetUp
) -> None:
    """Another application of the same plan may have other access controls."""
    world.cloud.add_application(
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        api_key=API_KEY,
        plan="kilowatt",
        access=set(AccessControl) - {AccessControl.CONSUMPTION},
    )
    entry = await set_up()
    refused = {
        request.operation for request in world.cloud.requests if request.status == 401
    }
    assert "telemetry_battery" in refused
    _second_application(world, plan="kilowatt")
    await _add_second_credentials(hass)
    world.cloud.requests.clear()
    form = await user.submit(await user.reconfigure(entry))
    form = await user.sign_in(await user.submit(form, implementation="second"))
    done = await user.submit(form, api_key=NEW_KEY, plan="kilowatt")
    assert done["reason"] == "reconfigure_successful"
    assert refused <= set(world.calls)


async def test_reconfigure_can_change_the_systems(
    hass: HomeAssistant,
    config_api: None,
    world: World,
    user: User,
    set_up: SetUp,
    hass_ws_client: WebSocketGenerator,
    device_registry: dr.DeviceRegistry,
) -> None:
    """The device of a deselected system is removed; others cannot be deleted."""
    barn = world.add_system(name="Barn")
    entry = await set_up()
    form = await user.submit(await user.reconfigure(entry))
    form = await user.sign_in(form)
    form = await user.submit(form, plan="kilowatt")
    done = await user.submit(form, systems=[str(barn.system_id)])
    assert done["reason"] == "reconfigure_successful"
    assert [system[CONF_ID] for system in entry.data[CONF_SYSTEMS]] == [barn.system_id]

    client = await hass_ws_client(hass)
    deleted = {}
    for device in system_devices(hass, entry):
        await client.send_json_auto_id(
            {
                "type": "config/device_registry/remove_config_entry",
                "config_entry_id": entry.entry_id,
                "device_id": device.id,
            }
        )
        deleted[device.name] = (await client.receive_json())["success"]
    assert deleted == {"Barn": False}


async def test_form_preselects_the_systems_that_still_exist(
    hass: HomeAssistant, world: World, user: User, set_up: SetUp
) -> None:
    """New systems of the account are offered, but not preselected."""
    barn = world.add_system(name="Barn")
    entry = await set_up()
    cabin = world.add_system(name="Cabin")
    world.cloud.remove_system(world.system.system_id)
    form = await user.submit(await user.reconfigure(entry))
    form = await user.sign_in(form)
    form = await user.submit(form, plan="kilowatt")
    assert form["step_id"] == "systems"
    [field] = form["data_schema"].schema
    assert field.default() == [str(barn.system_id)]
    both = [str(barn.system_id), str(cabin.system_id)]
    done = await user.submit(form, systems=both)
    assert done["reason"] == "reconfigure_successful"
    assert [str(system[CONF_ID]) for system in entry.data[CONF_SYSTEMS]] == both


@pytest.mark.parametrize("plan", ["watt"])
async def test_reconfigure_with_a_larger_plan_ends_the_refusal(
    hass: HomeAssistant,
    world: World,
    user: User,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The form accepts a larger plan although no calls of the old one are left."""
    entry = await set_up()
    world.cloud.faults.add(Fault(operation="systems", quota="month", times=1))
    form = await user.submit(await user.reconfigure(entry))
    form = await user.sign_in(form)
    form = await user.submit(form, plan="watt")
    assert form["errors"] == {"base": "quota_exceeded"}
    freezer.tick(timedelta(minutes=2))
    form = await user.submit(form, plan="watt")
    assert form["errors"] == {"base": "budget_exhausted"}
    assert entry.runtime_data.budget.ledger.limit == 1_000
    done = await user.submit(form, plan="kilowatt")
    assert done["reason"] == "reconfigure_successful"
    assert entry.options[CONF_PLAN] == "kilowatt"
    assert entry.runtime_data.budget.ledger.limit == 50_000


@pytest.mark.parametrize(("named", "updates"), [("watt", 4), ("megawatt", 24)])
async def test_smaller_plan_reduces_energy_updates(
    hass: HomeAssistant,
    world: World,
    user: User,
    set_up: SetUp,
    named: str,
    updates: int,
) -> None:
    """Energy updates take at most half of the calls of the new plan."""
    entry = await set_up(options={CONF_ENERGY_UPDATES: 24})
    form = await user.sign_in(await user.submit(await user.reconfigure(entry)))
    done = await user.submit(form, plan=named)
    assert done["reason"] == "reconfigure_successful"
    kept = entry.options[CONF_ENERGY_UPDATES]
    assert kept == 24 if updates == 24 else 1 <= kept < updates


@pytest.mark.parametrize("named", ["watt", "megawatt"])
async def test_failed_flow_does_not_change_the_budget(
    hass: HomeAssistant, world: World, user: User, set_up: SetUp, named: str
) -> None:
    """The plan of a failed flow does not apply to entries of the key."""
    entry = await set_up()
    ledger = entry.runtime_data.budget.ledger
    world.cloud.faults.add(Fault(operation="systems", status=500))
    form = await user.submit(await user.reconfigure(entry))
    form = await user.sign_in(form)
    await user.submit(form, plan=named)
    assert entry.runtime_data.budget.ledger is ledger
    assert ledger.plan.key == "kilowatt"


async def test_form_does_not_show_the_key(
    hass: HomeAssistant, world: World, user: User, set_up: SetUp
) -> None:
    """The stored key is not even a suggested value."""
    entry = await set_up()
    form = await user.submit(await user.reconfigure(entry))
    form = await user.sign_in(form)
    assert API_KEY not in str(suggested(form))
    assert CONF_API_KEY not in suggested(form)
