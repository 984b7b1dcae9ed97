"""Add an account: success, and each failure."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
import logging
from typing import Any
from unittest.mock import MagicMock, patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.application_credentials import (
    DOMAIN as APPLICATION_CREDENTIALS,
)
from homeassistant.config_entries import (
    ConfigEntryDisabler,
    ConfigEntryState,
    ConfigFlowResult,
)
from homeassistant.const import CONF_API_KEY, CONF_ID, CONF_NAME, CONF_TOKEN
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, UnknownFlow
from homeassistant.helpers import config_entry_oauth2_flow
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed
from pytest_homeassistant_custom_component.typing import (
    ClientSessionGenerator,
    WebSocketGenerator,
)
from yarl import URL

from custom_components.enphase_cloud.const import (
    CONF_CALLS_PER_MINUTE,
    CONF_CALLS_PER_MONTH,
    CONF_CONNECTION,
    CONF_LIVE_STREAM,
    CONF_NEW_KEY,
    CONF_PLAN,
    CONF_SYSTEMS,
    CONF_TIME_ZONE,
    DOMAIN,
    ENV_CLOUD_URL,
)
from custom_components.enphase_cloud.quota.ledger import Ledger
from custom_components.enphase_cloud.quota.plans import PLANS
from simulator import AccessControl, Account, Fault

from .conftest import SetUp, Stepper
from .flows import User, field_names, required, suggested, until
from .helpers import state
from .world import API_KEY, CLIENT_ID, CLIENT_SECRET, EMAIL, PASSWORD, USER_ID, World

GROUPS = {"groups": ["devices", "panels", "alarms", "ev_charger", "settings"]}
WATT = {CONF_PLAN: "watt"}
LIMITS = {
    CONF_CALLS_PER_MINUTE: 20,
    CONF_CALLS_PER_MONTH: 5000,
    CONF_LIVE_STREAM: False,
}


pytestmark = pytest.mark.usefixtures("summer_noon")


type Ledgers = Callable[[], list[Ledger]]


@pytest.fixture
def nothing_stored(hass: HomeAssistant, hass_storage: dict[str, Any]) -> Ledgers:
    """Return a check that a failed flow stores only the calls that it made."""

    def check() -> list[Ledger]:
        assert hass.config_entries.async_entries(DOMAIN) == []
        stored = {key for key in hass_storage if key.startswith(DOMAIN)}
        ledgers = {key for key in stored if key.startswith(f"{DOMAIN}.account.")}
        assert stored == ledgers
        return [
            Ledger.restore(
                hass_storage[key]["data"]["ledger"], PLANS["watt"], now=dt_util.utcnow()
            )
            for key in ledgers
        ]

    return check


async def _finish(user: User, form: ConfigFlowResult, **user_input: Any) -> None:
    """Submit a form, and check that it creates a loaded entry."""
    done = await user.submit(form, **{CONF_PLAN: "watt", **user_input})
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert done["result"].state is ConfigEntryState.LOADED


async def _start_again(user: User, world: World, *, plan: str = "watt") -> None:
    """Check that another attempt succeeds after a failure."""
    world.cloud.faults.clear()
    await _finish(user, await user.add_and_sign_in(), api_key=API_KEY, plan=plan)


async def _while_the_cloud_hangs(
    hass: HomeAssistant, fault: Fault, step: Any
) -> ConfigFlowResult:
    """Return the result of a step that waits for the cloud until its timeout."""
    task = asyncio.ensure_future(step)
    await until(lambda: fault.hits)
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=32))
    result: ConfigFlowResult = await task
    return result


# Success


async def test_account_with_one_system_is_added(
    hass: HomeAssistant, world: World, user: User
) -> None:
    """The sign-in, the API key and the plan are enough."""
    form = await user.add_and_sign_in()
    assert form["step_id"] == "api_key"
    # Without a recorder there are no costs, and nothing for the Energy dashboard.
    assert field_names(form["data_schema"]) == {CONF_API_KEY, CONF_PLAN, CONF_NEW_KEY}

    done = await user.submit(form, api_key=f" {API_KEY}\n", plan="watt")
    assert done["type"] is FlowResultType.CREATE_ENTRY
    entry = done["result"]
    assert entry.state is ConfigEntryState.LOADED
    assert entry.title == "Hilltop"
    assert entry.unique_id == USER_ID
    assert entry.options == WATT | GROUPS
    assert entry.data["auth_implementation"] == DOMAIN
    assert entry.data[CONF_API_KEY] == API_KEY
    assert entry.data[CONF_SYSTEMS] == [
        {
            CONF_ID: world.system.system_id,
            CONF_NAME: "Hilltop",
            CONF_TIME_ZONE: "Europe/Berlin",
            CONF_CONNECTION: "ethernet",
            CONF_LIVE_STREAM: None,
        }
    ]
    token = entry.data[CONF_TOKEN]
    assert token["expires_at"] == dt_util.utcnow().timestamp() + token["expires_in"]


@pytest.mark.parametrize(
    ("named", "calls"),
    [
        ("watt", ["systems"]),
        ("kilowatt", ["systems", "search"]),
        ("megawatt", ["systems", "search"]),
        ("partner", ["systems", "search"]),
    ],
)
async def test_check_of_the_key_costs_at_most_two_calls(
    world: World, user: User, named: str, calls: list[str]
) -> None:
    """One call checks the key, another finds systems that support live streams."""
    form = await user.add_and_sign_in()
    assert world.calls == []
    with patch("custom_components.enphase_cloud.async_setup_entry", return_value=True):
        await user.submit(form, api_key=API_KEY, plan=named)
    assert world.calls == calls


@pytest.mark.parametrize("live_stream", [True, False])
async def test_custom_plan_has_a_form_for_its_limits(
    world: World, user: User, *, live_stream: bool
) -> None:
    limits = LIMITS | {CONF_LIVE_STREAM: live_stream}
    form = await user.add_and_sign_in()
    form = await user.submit(form, api_key=API_KEY, plan="custom")
    assert form["step_id"] == "custom_plan"
    assert world.calls == []
    done = await user.submit(form, **limits)
    assert done["result"].options == {CONF_PLAN: "custom", **GROUPS, **limits}
    [system] = done["result"].data[CONF_SYSTEMS]
    assert system[CONF_LIVE_STREAM] is (True if live_stream else None)


async def test_user_chooses_among_several_systems(
    hass: HomeAssistant, world: World, user: User
) -> None:
    """At least one must be chosen; names may be equal."""
    twin = world.add_system(name="Hilltop")
    barn = world.add_system(name="Barn", live_stream=False, connection="cellular")
    form = await user.add_and_sign_in()
    form = await user.submit(form, api_key=API_KEY, plan="kilowatt")
    assert form["step_id"] == "systems"
    ids = [str(system.system_id) for system in world.systems]
    [(field, selector)] = form["data_schema"].schema.items()
    assert field.default() == ids
    labels = [option["label"] for option in selector.config["options"]]
    assert len(set(labels)) == 3

    form = await user.submit(form, systems=[])
    assert form["errors"] == {CONF_SYSTEMS: "choose_a_system"}
    [field] = form["data_schema"].schema
    assert field.default() == []

    done = await user.submit(form, systems=[str(barn.system_id), ids[0]])
    assert done["title"] == "Hilltop, Barn"
    stored = done["result"].data[CONF_SYSTEMS]
    assert [(system[CONF_ID], system[CONF_LIVE_STREAM]) for system in stored] == [
        (world.system.system_id, True),
        (barn.system_id, False),
    ]
    assert stored[1][CONF_CONNECTION] == "cellular"
    assert twin.system_id not in {request.system_id for request in world.cloud.requests}


@pytest.fixture
def landlord(world: World) -> Account:
    """Return another login, which sees the first system, too."""
    landlord = world.cloud.add_account(
        email="landlord@example.com", password="x", user_id="77"
    )
    world.system.shared_with.append(landlord)
    return landlord


async def _add_as_landlord(user: User) -> ConfigFlowResult:
    form = await user.add_and_sign_in(email="landlord@example.com", password="x")
    return await user.submit(form, api_key=API_KEY, plan="kilowatt")


async def test_system_of_another_account_cannot_be_chosen(
    hass: HomeAssistant, world: World, user: User, set_up: SetUp, landlord: Account
) -> None:
    """The form names the account that has it."""
    await set_up()
    barn = world.cloud.add_system(landlord, name="Barn")
    form = await _add_as_landlord(user)
    assert form["step_id"] == "free_systems"
    assert form["description_placeholders"] == {"held": "Hilltop (Home)"}
    [selector] = form["data_schema"].schema.values()
    offered = [option["value"] for option in selector.config["options"]]
    assert offered == [str(barn.system_id)]
    form = await user.submit(form, systems=[])
    assert form["errors"] == {CONF_SYSTEMS: "choose_a_system"}
    done = await user.submit(form, systems=offered)
    assert done["title"] == "Barn"
    assert [system[CONF_ID] for system in done["result"].data[CONF_SYSTEMS]] == [
        barn.system_id
    ]


async def test_flow_aborts_if_another_account_has_all_systems(
    hass: HomeAssistant, world: World, user: User, set_up: SetUp, landlord: Account
) -> None:
    """A system can be chosen after the other account is removed."""
    entry = await set_up()
    done = await _add_as_landlord(user)
    assert done["type"] is FlowResultType.ABORT
    assert done["reason"] == "systems_elsewhere"
    await hass.config_entries.async_set_disabled_by(
        entry.entry_id, ConfigEntryDisabler.USER
    )
    assert (await _add_as_landlord(user))["reason"] == "systems_elsewhere"
    await hass.config_entries.async_remove(entry.entry_id)
    done = await _add_as_landlord(user)
    assert done["title"] == "Hilltop"


async def test_reconfigure_offers_no_system_of_another_account(
    hass: HomeAssistant, world: World, user: User, set_up: SetUp, landlord: Account
) -> None:
    """Access to the system is granted after the account was added."""
    world.system.shared_with.clear()
    barn = world.cloud.add_system(landlord, name="Barn")
    await set_up()
    done = await _add_as_landlord(user)
    assert done["title"] == "Barn"
    world.system.shared_with.append(landlord)
    form = await user.submit(await user.reconfigure(done["result"]))
    form = await user.sign_in(form, email="landlord@example.com", password="x")
    form = await user.submit(form, plan="kilowatt")
    assert form["step_id"] == "free_systems"
    [field] = form["data_schema"].schema
    assert field.default() == [str(barn.system_id)]


async def test_failed_search_for_live_streams_does_not_stop_the_flow(
    world: World, user: User
) -> None:
    """The first call checks the key; the second may fail."""
    world.cloud.faults.add(Fault(operation="search", status=500))
    form = await user.add_and_sign_in()
    done = await user.submit(form, api_key=API_KEY, plan="kilowatt")
    [system] = done["result"].data[CONF_SYSTEMS]
    assert system[CONF_LIVE_STREAM] is None
    assert system[CONF_TIME_ZONE] == "Europe/Berlin"


async def test_search_without_time_zones_keeps_those_of_the_list(
    world: World, user: User
) -> None:
    """The search may lack fields that the list of systems has."""
    system_id = world.system.system_id
    system = f'{{"system_id": {system_id}, "live_stream": "enabled"}}'
    world.cloud.faults.add(
        Fault(operation="search", raw=f'{{"systems": [{system}], "total": 1}}')
    )
    form = await user.add_and_sign_in()
    done = await user.submit(form, api_key=API_KEY, plan="kilowatt")
    [stored] = done["result"].data[CONF_SYSTEMS]
    assert stored[CONF_NAME] == "Hilltop"
    assert stored[CONF_TIME_ZONE] == "Europe/Berlin"
    assert stored[CONF_LIVE_STREAM] is True


# Failures of the sign-in


async def test_flow_aborts_without_credentials(
    hass: HomeAssistant, world: World, enable_custom_integrations: None
) -> None:
    """A sign-in needs a client id and a secret."""
    assert await async_setup_component(hass, APPLICATION_CREDENTIALS, {})
    user = User(hass, None)
    shown = await user.add()
    assert shown["type"] is FlowResultType.ABORT
    assert shown["reason"] == "missing_credentials"


async def test_refused_sign_in_aborts_the_flow(
    world: World, user: User, nothing_stored: Ledgers
) -> None:
    """The home owner may refuse access."""
    shown = await user.add_and_sign_in(decision="deny")
    assert shown["type"] is FlowResultType.ABORT
    assert shown["reason"] == "user_rejected_authorize"
    assert nothing_stored() == []
    await _start_again(user, world)


async def test_flow_waits_after_a_wrong_password(world: World, user: User) -> None:
    """Enphase's own page handles it."""
    shown = await user.add()
    with pytest.raises(AssertionError, match="do not match"):
        await user.approve(shown, password="guess")
    form = await user.sign_in(shown)
    await _finish(user, form, api_key=API_KEY)


async def _replace_credentials(
    hass_ws_client: WebSocketGenerator, hass: HomeAssistant, **new: str
) -> None:
    """Correct client id and secret as the text of the flow advises."""
    client = await hass_ws_client(hass)
    await client.send_json_auto_id({"type": f"{APPLICATION_CREDENTIALS}/list"})
    [known] = (await client.receive_json())["result"]
    for command in (
        {"type": "delete", f"{APPLICATION_CREDENTIALS}_id": known["id"]},
        {"type": "create", "domain": DOMAIN, **new},
    ):
        await client.send_json_auto_id(
            {**command, "type": f"{APPLICATION_CREDENTIALS}/{command['type']}"}
        )
        response = await client.receive_json()
        assert response["success"], response


async def test_wrong_client_secret_can_be_corrected(
    hass: HomeAssistant,
    world: World,
    user: User,
    nothing_stored: Ledgers,
    hass_ws_client: WebSocketGenerator,
) -> None:
    """The flow aborts with this reason, and succeeds afterwards."""
    world.cloud.add_application(
        client_id=CLIENT_ID, client_secret="right-secret", api_key=API_KEY
    )
    shown = await user.add_and_sign_in()
    assert shown["type"] is FlowResultType.ABORT
    assert shown["reason"] == "invalid_client"
    assert nothing_stored() == []
    await _replace_credentials(
        hass_ws_client, hass, client_id=CLIENT_ID, client_secret="right-secret"
    )
    await _start_again(user, world)


async def test_wrong_client_id_can_be_corrected(
    hass: HomeAssistant,
    world: World,
    user: User,
    nothing_stored: Ledgers,
    hass_ws_client: WebSocketGenerator,
) -> None:
    """Enphase shows no sign-in page for a client id it does not know."""
    await _replace_credentials(
        hass_ws_client, hass, client_id="no such client", client_secret=CLIENT_SECRET
    )
    shown = await user.add()
    with pytest.raises(AssertionError, match="invalid_client"):
        await user.approve(shown)
    hass.config_entries.flow.async_abort(shown["flow_id"])
    assert nothing_stored() == []
    await _replace_credentials(
        hass_ws_client, hass, client_id=CLIENT_ID, client_secret=CLIENT_SECRET
    )
    await _start_again(user, world)


# A sign-in that leads to a code


async def _code_of(user: User, form: ConfigFlowResult) -> str:
    """Sign in on the page that a form links to; return the code that it shows."""
    assert form["step_id"] == "code"
    page = form["description_placeholders"]["sign_in_url"]
    external = {"type": FlowResultType.EXTERNAL_STEP, "url": page}
    address = await user.approve(external)
    assert address.path == "/oauth/redirect_uri"
    return address.query["code"]


async def _give_up(hass: HomeAssistant, user: User) -> ConfigFlowResult:
    """Close the dialog while the browser is at Enphase, and begin again."""
    shown = await user.add()
    assert shown["type"] is FlowResultType.EXTERNAL_STEP
    hass.config_entries.flow.async_abort(shown["flow_id"])
    return await user.add()


@pytest.mark.parametrize("pasted", ["{code}", " {code}\n", "{url}?code={code}&state=x"])
async def test_code_can_be_pasted_if_no_redirect_works(
    hass: HomeAssistant, world: World, user: User, pasted: str
) -> None:
    """After one failed sign-in, the user can paste the code or its page's address."""
    world.cloud.add_application(
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        api_key=API_KEY,
        redirect_uris=["https://example.com/elsewhere"],
    )
    shown = await user.add()
    with pytest.raises(AssertionError, match="Redirect URI is not registered"):
        await user.approve(shown)
    hass.config_entries.flow.async_abort(shown["flow_id"])
    menu = await user.add()
    assert menu["menu_options"] == ["browser", "code"]
    form = await user.submit(menu, next_step_id="code")
    code = await _code_of(user, form)
    url = f"{world.url}/oauth/redirect_uri"
    form = await user.submit(form, code=pasted.format(code=code, url=url))
    assert form["step_id"] == "api_key"
    done = await user.submit(form, api_key=API_KEY, plan="watt")
    assert done["result"].unique_id == USER_ID
    # A new flow redirects again; this entry continues to use codes.
    shown = await user.add()
    assert shown["type"] is FlowResultType.EXTERNAL_STEP
    hass.config_entries.flow.async_abort(shown["flow_id"])
    form = await user.submit(await user.reconfigure(done["result"]))
    form = await user.submit(form, code=await _code_of(user, form))
    assert form["step_id"] == "keep_api_key"


@pytest.mark.parametrize("code", ["", "no-such-code", "https://[", "https://x.y/?a=b"])
async def test_wrong_code_shows_the_form_again(
    hass: HomeAssistant, world: World, user: User, code: str
) -> None:
    """Input that cannot be a code is not sent."""
    form = await _give_up(hass, user)
    form = await user.submit(form, next_step_id="code")
    form = await user.submit(form, code=code)
    assert form["errors"] == {"code": "code_expired"}
    sent = [each for each in world.cloud.requests if each.operation == "token"]
    assert len(sent) == (code == "no-such-code")
    form = await user.submit(form, code=await _code_of(user, form))
    assert form["step_id"] == "api_key"


async def test_failed_token_request_for_a_code_aborts_the_flow(
    hass: HomeAssistant, world: World, user: User
) -> None:
    """The reason is the same as without a code."""
    form = await _give_up(hass, user)
    form = await user.submit(form, next_step_id="code")
    world.cloud.faults.add(Fault(operation="token", status=500))
    shown = await user.submit(form, code=await _code_of(user, form))
    assert (shown["type"], shown["reason"]) == ("abort", "server_error")


async def test_choice_of_code_is_offered_for_one_hour(
    hass: HomeAssistant, user: User, freezer: FrozenDateTimeFactory
) -> None:
    """The choice costs a click, so it is temporary."""
    menu = await _give_up(hass, user)
    shown = await user.submit(menu, next_step_id="browser")
    assert shown["type"] is FlowResultType.EXTERNAL_STEP
    hass.config_entries.flow.async_abort(shown["flow_id"])
    freezer.tick(timedelta(hours=1))
    assert (await user.add())["type"] is FlowResultType.EXTERNAL_STEP


async def test_code_is_required_if_no_redirect_is_possible(
    hass: HomeAssistant, user: User, current_request: MagicMock
) -> None:
    """Where Home Assistant knows no address of its own, a code is the only way."""
    request = current_request.get.return_value
    current_request.get.return_value = request.clone(headers={})
    form = await user.add()
    assert (await user.submit(form, code=await _code_of(user, form)))["step_id"] == (
        "api_key"
    )
    hass.config.components.add("my")
    assert (await user.add())["type"] is FlowResultType.EXTERNAL_STEP


# A new key


@pytest.mark.parametrize(
    ("is_new", "least", "most"), [(True, 990, 1000), (False, 300, 320)]
)
async def test_new_key_has_all_calls_of_the_month(
    hass: HomeAssistant, user: User, least: int, most: int, *, is_new: bool
) -> None:
    """A used key has the calls for the rest of the month."""
    form = await user.add_and_sign_in()
    shown = form["description_placeholders"]
    assert shown["used"] == "68%"
    assert (shown["watt"], shown["kilowatt"]) == (
        "101\N{NO-BREAK SPACE}min",
        "15\N{NO-BREAK SPACE}min",
    )
    await _finish(user, form, api_key=API_KEY, new_key=is_new)
    left = int(state(hass, "sensor.enphase_account_api_calls_left"))
    assert least <= left <= most


async def test_last_choice_for_a_new_key_counts(
    world: World, user: User, nothing_stored: Ledgers
) -> None:
    """The calls that were made count in addition."""
    form = await user.add_and_sign_in()
    world.cloud.faults.add(Fault(operation="systems", status=500))
    for is_new, left in ((True, 999), (False, 318), (True, 997)):
        form = await user.submit(
            form, **{CONF_API_KEY: API_KEY, CONF_PLAN: "watt", CONF_NEW_KEY: is_new}
        )
        assert form["errors"] == {"base": "server_error"}
        [ledger] = nothing_stored()
        assert ledger.left(dt_util.utcnow()) == pytest.approx(left, abs=2)


@pytest.mark.parametrize(("is_new", "most"), [(True, 1000), (False, 320)])
async def test_account_added_again_has_the_calls_that_it_made(
    hass: HomeAssistant, user: User, most: int, *, is_new: bool
) -> None:
    """Its key is neither new, nor are calls assumed that nobody made."""
    new_key = {CONF_NEW_KEY: True}
    await _finish(user, await user.add_and_sign_in(), api_key=API_KEY, **new_key)
    [entry] = hass.config_entries.async_entries(DOMAIN)
    used = int(state(hass, "sensor.enphase_account_api_calls_used"))
    await hass.config_entries.async_remove(entry.entry_id)
    form = await user.add_and_sign_in()
    await _finish(user, form, api_key=API_KEY, new_key=is_new)
    left = int(state(hass, "sensor.enphase_account_api_calls_left"))
    assert most - 2 * used <= left < most - used


async def test_used_code_aborts_the_flow(
    hass: HomeAssistant, world: World, user: User, nothing_stored: Ledgers
) -> None:
    """A code works once; the user has to start again."""
    shown = await user.add()
    address = await user.approve(shown)
    implementations = await config_entry_oauth2_flow.async_get_implementations(
        hass, DOMAIN
    )
    await implementations[DOMAIN].async_resolve_external_data(
        {
            "code": address.query["code"],
            "state": {"redirect_uri": str(address.with_query(None))},
        }
    )
    await user.come_back(address)
    shown = await user.proceed(shown)
    assert shown["type"] is FlowResultType.ABORT
    assert shown["reason"] == "code_expired"
    assert nothing_stored() == []
    await _start_again(user, world)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"expire_code": True}, "code_expired"),
        ({"status": 400, "details": "invalid_grant"}, "code_expired"),
        ({"status": 401, "details": "unauthorized"}, "invalid_client"),
        ({"status": 400, "details": "invalid_request"}, "request_refused"),
        ({"status": 403}, "request_refused"),
        ({"status": 429}, "quota_exceeded"),
        ({"status": 500}, "server_error"),
        ({"status": 503}, "server_error"),
        ({"cut": "before_headers"}, "cannot_connect"),
        ({"cut": "mid_body"}, "cannot_connect"),
        ({"body": "html"}, "malformed_answer"),
        ({"body": "empty"}, "malformed_answer"),
        ({"body": "not_json"}, "malformed_answer"),
        ({"body": "list"}, "malformed_answer"),
        ({"body": "wrong_types"}, "malformed_answer"),
        ({"body": "huge"}, "malformed_answer"),
        ({"redirect": "/elsewhere"}, "malformed_answer"),
        ({"raw": '{"access_token": "a", "refresh_token": "b"}'}, "malformed_answer"),
    ],
)
async def test_failed_token_request_aborts_with_its_reason(
    world: World,
    user: User,
    nothing_stored: Ledgers,
    fault: dict[str, Any],
    reason: str,
) -> None:
    """Each failure behind the sign-in page has its own message."""
    world.cloud.faults.add(Fault(operation="token", **fault))
    shown = await user.add_and_sign_in()
    assert shown["type"] is FlowResultType.ABORT
    assert shown["reason"] == reason
    assert nothing_stored() == []
    await _start_again(user, world)


async def test_hanging_token_request_times_out(
    hass: HomeAssistant, world: World, user: User, nothing_stored: Ledgers
) -> None:
    fault = world.cloud.faults.add(Fault(operation="token", hang=True))
    shown = await user.add()
    address = await user.approve(shown)
    await user.come_back(address)
    shown = await _while_the_cloud_hangs(hass, fault, user.proceed(shown))
    assert shown["type"] is FlowResultType.ABORT
    assert shown["reason"] == "timeout"
    assert nothing_stored() == []
    await _start_again(user, world)


async def test_same_account_cannot_be_added_twice(
    world: World, user: User, set_up: SetUp
) -> None:
    """Its entry does not change, and no API call is made."""
    entry = await set_up()
    before = dict(entry.data)
    world.cloud.requests.clear()
    shown = await user.add_and_sign_in()
    assert shown["type"] is FlowResultType.ABORT
    assert shown["reason"] == "already_configured"
    assert entry.data == before
    assert world.calls == []


async def test_abandoned_flow_ends_when_another_one_finishes(
    hass: HomeAssistant, world: World, user: User
) -> None:
    """The account is added by the second flow."""
    await user.add_and_sign_in()
    await _finish(user, await user.add_and_sign_in(), api_key=API_KEY)
    assert hass.config_entries.flow.async_progress() == []


# Failures of the check of the key


@pytest.mark.parametrize(
    ("key", "error", "calls"),
    [
        ("no-such-key", "api_key_refused", 0),
        ("key-of-another", "api_key_mismatch", 1),
        ("", "api_key_malformed", 0),
        ("  \t", "api_key_malformed", 0),
        ("two words", "api_key_malformed", 0),
        ("two\nlines", "api_key_malformed", 0),
        ("schlüssel", "api_key_malformed", 0),
        ("nothing\0inside", "api_key_malformed", 0),
    ],
)
async def test_wrong_key_shows_an_error_at_its_field(
    world: World,
    user: User,
    nothing_stored: Ledgers,
    key: str,
    error: str,
    calls: int,
) -> None:
    """The key must be entered again; the plan is kept."""
    world.cloud.add_application(
        client_id="another", client_secret="another", api_key="key-of-another"
    )
    form = await user.add_and_sign_in()
    form = await user.submit(form, api_key=key, plan="megawatt")
    assert form["errors"] == {CONF_API_KEY: error}
    assert suggested(form) == {CONF_PLAN: "megawatt", CONF_NEW_KEY: True}
    assert CONF_API_KEY in required(form)
    assert len(world.calls) == calls
    nothing_stored()
    await _finish(user, form, api_key=API_KEY)


async def test_missing_access_control_is_reported_as_refused_key(
    world: World, user: User
) -> None:
    """Enphase responds as to an unknown key; the text names both causes."""
    access = [AccessControl.PRODUCTION]
    world.cloud.add_application(
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        api_key=API_KEY,
        access=access,
    )
    form = await user.add_and_sign_in()
    form = await user.submit(form, api_key=API_KEY, plan="watt")
    assert form["errors"] == {CONF_API_KEY: "api_key_refused"}
    assert world.calls == ["systems"]


FAILURES = [
    ({"status": 403}, "forbidden"),
    ({"status": 404}, "request_refused"),
    ({"status": 418}, "request_refused"),
    ({"status": 422}, "request_refused"),
    ({"status": 500}, "server_error"),
    ({"status": 503}, "server_error"),
    ({"cut": "before_headers"}, "cannot_connect"),
    ({"cut": "mid_body"}, "cannot_connect"),
    ({"body": "html"}, "malformed_answer"),
    ({"body": "empty"}, "malformed_answer"),
    ({"body": "list"}, "malformed_answer"),
    ({"body": "wrong_types"}, "malformed_answer"),
    ({"redirect": "/elsewhere"}, "malformed_answer"),
]


@pytest.mark.parametrize(("fault", "error"), FAILURES)
async def test_failed_check_keeps_the_key(
    world: World,
    user: User,
    nothing_stored: Ledgers,
    fault: dict[str, Any],
    error: str,
) -> None:
    """The cause is not the key, so the user only submits again."""
    world.cloud.faults.add(Fault(operation="systems", **fault))
    form = await user.add_and_sign_in()
    form = await user.submit(form, api_key=API_KEY, plan="watt")
    assert form["errors"] == {"base": error}
    # A page that is opened again requests the form again.
    form = await user.proceed(form)
    assert suggested(form) == {CONF_PLAN: "watt", CONF_NEW_KEY: True}
    assert required(form) == {CONF_PLAN, CONF_NEW_KEY}
    assert world.calls == ["systems"]
    [ledger] = nothing_stored()
    assert ledger.by_operation(dt_util.utcnow())["systems"] == 1
    world.cloud.faults.clear()
    await _finish(user, form)


async def test_hanging_check_of_the_key_times_out(
    hass: HomeAssistant, world: World, user: User, nothing_stored: Ledgers
) -> None:
    """The form appears again, and keeps the key."""
    fault = world.cloud.faults.add(Fault(operation="systems", hang=True))
    form = await user.add_and_sign_in()
    form = await _while_the_cloud_hangs(
        hass, fault, user.submit(form, api_key=API_KEY, plan="watt")
    )
    assert form["errors"] == {"base": "timeout"}
    nothing_stored()
    world.cloud.faults.clear()
    await _finish(user, form)


async def test_flow_closed_during_the_check_creates_no_entry(
    hass: HomeAssistant,
    world: World,
    user: User,
    stepper: Stepper,
    nothing_stored: Ledgers,
) -> None:
    """The response arrives later; its call is counted."""
    fault = world.cloud.faults.add(Fault(operation="systems", delay=1, times=1))
    form = await user.add_and_sign_in()
    task = asyncio.ensure_future(user.submit(form, api_key=API_KEY, plan="watt"))
    await until(lambda: fault.hits)
    hass.config_entries.flow.async_abort(form["flow_id"])
    stepper.step()
    with pytest.raises(UnknownFlow):
        await task
    [ledger] = nothing_stored()
    assert ledger.by_operation(dt_util.utcnow())["systems"] == 1
    await _start_again(user, world)


async def test_check_can_be_repeated_after_an_unreachable_cloud(
    world: World,
    user: User,
    nothing_stored: Ledgers,
    monkeypatch: pytest.MonkeyPatch,
    unused_tcp_port: int,
) -> None:
    """No server listens at first."""
    form = await user.add_and_sign_in()
    monkeypatch.setenv(ENV_CLOUD_URL, f"http://127.0.0.1:{unused_tcp_port}")
    form = await user.submit(form, api_key=API_KEY, plan="watt")
    assert form["errors"] == {"base": "cannot_connect"}
    nothing_stored()
    monkeypatch.setenv(ENV_CLOUD_URL, world.url)
    await _finish(user, form)


async def test_no_request_leaves_before_the_minute_quota_ends(
    world: World, user: User, freezer: FrozenDateTimeFactory
) -> None:
    """The first request is refused with 429."""
    world.cloud.faults.add(Fault(operation="systems", quota="minute", times=1))
    form = await user.add_and_sign_in()
    form = await user.submit(form, api_key=API_KEY, plan="watt")
    assert form["errors"] == {"base": "quota_exceeded"}
    assert form["description_placeholders"]["until"] == "21 June, 03:08"
    form = await user.submit(form, plan="watt")
    assert form["errors"] == {"base": "budget_exhausted"}
    assert form["description_placeholders"]["until"] == "21 June, 03:08"
    assert world.calls == ["systems"]
    freezer.tick(timedelta(minutes=1))
    await _finish(user, form)


async def test_month_quota_ends_with_the_month(
    world: World, user: User, nothing_stored: Ledgers, freezer: FrozenDateTimeFactory
) -> None:
    """The 429 says that the quota of the month is exceeded."""
    world.cloud.faults.add(Fault(operation="systems", quota="month", times=1))
    form = await user.add_and_sign_in()
    form = await user.submit(form, api_key=API_KEY, plan="watt")
    assert form["errors"] == {"base": "quota_exceeded"}
    # The end of June in UTC, in the time of the user.
    assert form["description_placeholders"]["until"] == "30 June, 17:00"
    [ledger] = nothing_stored()
    assert ledger.left(dt_util.utcnow()) == 0
    freezer.move_to("2026-07-01 00:01:00+00:00")
    await _start_again(user, world)


async def test_no_request_leaves_beyond_the_limits_of_the_plan(
    world: World, user: User, nothing_stored: Ledgers, freezer: FrozenDateTimeFactory
) -> None:
    """The flow succeeds with a larger plan."""
    world.cloud.faults.add(Fault(operation="systems", status=500, times=1))
    form = await user.add_and_sign_in()
    form = await user.submit(form, api_key=API_KEY, plan="custom")
    form = await user.submit(form, **LIMITS | {CONF_CALLS_PER_MINUTE: 1})
    assert form["step_id"] == "keep_api_key"
    assert form["errors"] == {"base": "server_error"}
    assert suggested(form) == {CONF_PLAN: "custom", CONF_NEW_KEY: True}
    form = await user.submit(form, plan="custom")
    assert suggested(form) == LIMITS | {CONF_CALLS_PER_MINUTE: 1}
    form = await user.submit(form, **LIMITS | {CONF_CALLS_PER_MINUTE: 1})
    assert form["errors"] == {"base": "budget_exhausted"}
    assert form["description_placeholders"]["until"] == "21 June, 03:09"
    assert world.calls == ["systems"]
    nothing_stored()
    await _finish(user, form, plan="kilowatt")


async def test_check_may_use_calls_reserved_for_the_user(
    world: World, user: User
) -> None:
    """Of three calls a minute, polls leave two unused, and the user's forms one."""
    limits = LIMITS | {CONF_CALLS_PER_MINUTE: 3}
    world.cloud.faults.add(Fault(operation="systems", status=500, times=1))
    form = await user.add_and_sign_in()
    form = await user.submit(form, api_key=API_KEY, plan="custom")
    form = await user.submit(form, **limits)
    assert form["errors"] == {"base": "server_error"}
    form = await user.submit(form, plan="custom")
    with patch("custom_components.enphase_cloud.async_setup_entry", return_value=True):
        done = await user.submit(form, **limits)
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert world.calls == ["systems", "systems"]


async def test_calls_of_failed_checks_stay_counted(
    world: World, user: User, nothing_stored: Ledgers
) -> None:
    """The next flow and the entry include the calls of failed flows."""
    world.cloud.faults.add(Fault(operation="systems", status=500, times=2))
    for _ in range(2):
        form = await user.add_and_sign_in()
        form = await user.submit(form, api_key=API_KEY, plan="watt")
        assert form["errors"] == {"base": "server_error"}
    [ledger] = nothing_stored()
    assert ledger.by_operation(dt_util.utcnow())["systems"] == 2
    done = await user.submit(form, plan="watt")
    account = done["result"].runtime_data.budget
    assert account.ledger.by_operation(dt_util.utcnow())["systems"] == 3


@pytest.mark.parametrize("plan", ["watt", "kilowatt"])
async def test_account_without_systems_aborts_the_flow(
    world: World, user: User, nothing_stored: Ledgers, plan: str
) -> None:
    """Another login may own the system; it needs a flow of its own."""
    world.cloud.add_account(email="noor@example.com", password="empty", user_id="77")
    form = await user.add_and_sign_in(email="noor@example.com", password="empty")
    shown = await user.submit(form, api_key=API_KEY, plan=plan)
    assert shown["type"] is FlowResultType.ABORT
    assert shown["reason"] == "no_systems"
    assert world.calls == ["systems"]
    nothing_stored()
    await _start_again(user, world, plan=plan)


# Other properties of the flow


async def test_secrets_stay_out_of_the_log(
    world: World, user: User, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither success nor failure logs a secret."""
    caplog.set_level(logging.DEBUG)
    world.cloud.faults.add(Fault(operation="token", status=400, times=1))
    await user.add_and_sign_in()
    form = await user.add_and_sign_in()
    form = await user.submit(form, api_key="key-typed-wrong", plan="watt")
    done = await user.submit(form, api_key=API_KEY, plan="watt")
    token = done["result"].data[CONF_TOKEN]
    messages = [
        record.getMessage()
        for record in caplog.records
        if record.name.startswith("custom_components.enphase_cloud")
    ]
    assert any("could not be" in message for message in messages)
    for secret in (
        CLIENT_SECRET,
        API_KEY,
        "key-typed-wrong",
        EMAIL,
        PASSWORD,
        USER_ID,
        str(world.system.system_id),
        token["access_token"],
        token["refresh_token"],
    ):
        assert not [message for message in messages if secret in message]


@pytest.fixture
async def flows_over_http(hass: HomeAssistant) -> str:
    """Serve Home Assistant's own API of flows, and return its path."""
    assert await async_setup_component(hass, "config", {})
    return "/api/config/config_entries/flow"


async def test_forms_work_over_http(
    flows_over_http: str,
    world: World,
    user: User,
    hass_client: ClientSessionGenerator,
) -> None:
    """Home Assistant's frontend can show and submit each form."""
    world.add_system(name="Barn")
    client = await hass_client()

    async def post(path: str, **body: Any) -> Any:
        response = await client.post(path, json=body)
        assert response.status == 200, await response.text()
        return await response.json()

    shown = await post(flows_over_http, handler=DOMAIN)
    shown["type"] = FlowResultType(shown["type"])
    flow = f"{flows_over_http}/{shown['flow_id']}"
    await user.come_back(await user.approve(shown))
    form = await (await client.get(flow)).json()
    key, plan, new_key = form["data_schema"]
    assert new_key["default"] is True
    assert key["selector"]["text"]["type"] == "password"
    assert plan["selector"]["select"]["translation_key"] == CONF_PLAN
    form = await post(flow, api_key=API_KEY, plan="custom")
    assert form["step_id"] == "custom_plan"
    assert [field["name"] for field in form["data_schema"]] == list(LIMITS)
    form = await post(flow, **LIMITS)
    assert form["step_id"] == "systems"
    done = await post(flow, systems=[str(world.systems[1].system_id)])
    assert done["type"] == FlowResultType.CREATE_ENTRY
    assert done["title"] == "Barn"


async def test_sign_in_url_has_the_parameters_of_oauth(
    world: World, user: User
) -> None:
    """It leads to the cloud, and contains no secret."""
    shown = await user.add()
    address = URL(shown["url"])
    assert str(address.origin()) == world.url
    assert address.path == "/oauth/authorize"
    assert set(address.query) == {"response_type", "client_id", "redirect_uri", "state"}
    assert address.query["response_type"] == "code"
    assert address.query["client_id"] == CLIENT_ID
    assert address.query["redirect_uri"].endswith("/auth/external/callback")
    assert CLIENT_SECRET not in shown["url"]
