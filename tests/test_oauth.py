"""Tokens: how they are requested, renewed, stored and revoked."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self
from unittest.mock import patch

from aiohttp import web
from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.application_credentials import ClientCredential
from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntry, ConfigEntryState
from homeassistant.const import CONF_TOKEN
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.storage import Store
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from custom_components.enphase_cloud.api import (
    EnphaseCloudClient,
    EnphaseCloudError,
    EnphaseTimeoutError,
    InvalidGrantError,
    MonthQuotaError,
    NotEntitledError,
    RequestWithheldError,
    ServerError,
)
from custom_components.enphase_cloud.api.endpoints import SUMMARY
from custom_components.enphase_cloud.application_credentials import (
    async_get_auth_implementation,
)
from custom_components.enphase_cloud.const import (
    DEFAULT_CLOUD_URL,
    DOMAIN,
    ENV_CLOUD_URL,
)
from custom_components.enphase_cloud.quota.plans import PLANS, Plan
from custom_components.enphase_cloud.runtime.key_budget import KeyBudget
from custom_components.enphase_cloud.runtime.key_budgets import async_get_key_budgets
from custom_components.enphase_cloud.runtime.oauth import (
    ConfigEntryAuth,
    EnphaseOAuth2Implementation,
    RenewalPausedError,
    cloud_url,
)
from simulator import Fault

from .conftest import SetUp, Stepper
from .flows import until
from .helpers import pass_time, press
from .world import API_KEY, CLIENT_ID, CLIENT_SECRET, World

DAY = timedelta(days=1)


pytestmark = pytest.mark.usefixtures("summer_noon")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """An entry with its token and budget, without set-up of the integration."""

    hass: HomeAssistant
    world: World
    entry: MockConfigEntry
    budget: KeyBudget
    auth: ConfigEntryAuth

    @classmethod
    async def from_entry(
        cls,
        hass: HomeAssistant,
        world: World,
        entry: MockConfigEntry,
        plan: Plan = PLANS["kilowatt"],
    ) -> Self:
        """Restore the token of an entry as its set-up does."""
        if hass.config_entries.async_get_entry(entry.entry_id) is None:
            entry.add_to_hass(hass)
        budget = await async_get_key_budgets(hass).async_acquire(
            API_KEY, entry.entry_id, plan
        )
        implementation = await async_get_auth_implementation(
            hass, DOMAIN, ClientCredential(CLIENT_ID, CLIENT_SECRET)
        )
        assert isinstance(implementation, EnphaseOAuth2Implementation)
        auth = ConfigEntryAuth(hass, entry, implementation, budget)
        await auth.async_restore()
        return cls(hass=hass, world=world, entry=entry, budget=budget, auth=auth)

    @property
    def token(self) -> dict[str, Any]:
        """Return the token of the entry."""
        token: dict[str, Any] = self.entry.data[CONF_TOKEN]
        return token

    async def request(self) -> None:
        """Request the summary of the system."""
        client = EnphaseCloudClient(
            async_get_clientsession(self.hass),
            self.auth,
            API_KEY,
            self.budget,
            url=self.world.url,
        )
        await client.get(SUMMARY, system_id=self.world.system.system_id)


@pytest.fixture
async def signed_in(hass: HomeAssistant, world: World) -> AsyncGenerator[SignedIn]:
    """Return an entry with a new token."""
    signed_in = await SignedIn.from_entry(hass, world, world.entry())
    yield signed_in
    await async_get_key_budgets(hass).async_release(API_KEY, signed_in.entry.entry_id)


def _operations(world: World) -> list[str]:
    return [request.operation for request in world.cloud.requests]


def _token_requests(world: World) -> int:
    return _operations(world).count("token")


def _journal(hass_storage: dict[str, Any], entry: ConfigEntry[Any]) -> Any:
    return hass_storage[f"{DOMAIN}.{entry.entry_id}.token"]["data"]


def _reauth_flows(hass: HomeAssistant, entry: ConfigEntry[Any]) -> int:
    return len(list(entry.async_get_active_flows(hass, {SOURCE_REAUTH})))


# How tokens are requested


@pytest.fixture
async def token_requests(
    hass: HomeAssistant, socket_enabled: None, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[list[tuple[web.Request, dict[str, Any]]]]:
    """Serve a token endpoint; return the received requests with their bodies."""
    received = []

    async def token(request: web.Request) -> web.Response:
        received.append((request, dict(await request.post())))
        return web.json_response(
            {"access_token": "new", "refresh_token": "next", "expires_in": "3600"}
        )

    app = web.Application()
    app.router.add_post("/oauth/token", token)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    monkeypatch.setenv(ENV_CLOUD_URL, f"http://127.0.0.1:{runner.addresses[0][1]}")
    yield received
    await runner.cleanup()


@pytest.mark.parametrize("grant", ["authorization_code", "refresh_token"])
async def test_client_authenticates_by_http_basic(
    hass: HomeAssistant,
    token_requests: list[tuple[web.Request, dict[str, Any]]],
    grant: str,
) -> None:
    """The secret is form-encoded in the header, and not in body or query."""
    implementation = await async_get_auth_implementation(
        hass, DOMAIN, ClientCredential("the client", "the/secret&")
    )
    if grant == "refresh_token":
        token = await implementation.async_refresh_token(
            {"access_token": "old", "refresh_token": "spent", "enl_uid": "1"}
        )
        sent = {"refresh_token": "spent"}
        assert token["enl_uid"] == "1"
        assert token["expires_at"] == dt_util.utcnow().timestamp() + 3600
    else:
        token = await implementation.async_resolve_external_data(
            {"code": "2TJk7M", "state": {"redirect_uri": "https://example.com/back"}}
        )
        sent = {"code": "2TJk7M", "redirect_uri": "https://example.com/back"}
    assert token["access_token"] == "new"
    assert token["refresh_token"] == "next"
    [(request, body)] = token_requests
    credentials = b64encode(b"the+client:the%2Fsecret%26").decode()
    assert request.headers["Authorization"] == f"Basic {credentials}"
    assert body == {"grant_type": grant, **sent}
    assert not request.query


def test_cloud_url_is_set_by_environment_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without the variable for developers, it is the URL of Enphase."""
    monkeypatch.delenv(ENV_CLOUD_URL, raising=False)
    assert str(cloud_url().origin()) == DEFAULT_CLOUD_URL
    monkeypatch.setenv(ENV_CLOUD_URL, "http://127.0.0.1:1")
    assert str(cloud_url().origin()) == "http://127.0.0.1:1"


# When tokens are renewed


@pytest.mark.parametrize(("left", "renewals"), [(61, 0), (59, 1), (-3600, 1)])
async def test_token_is_renewed_shortly_before_it_expires(
    world: World,
    signed_in: SignedIn,
    freezer: FrozenDateTimeFactory,
    left: int,
    renewals: int,
) -> None:
    """The renewal comes before the call, and counts in the budget."""
    before = signed_in.token
    freezer.tick(before["expires_in"] - left)
    await signed_in.request()
    await signed_in.request()
    assert _token_requests(world) == renewals
    after = signed_in.token
    assert (after["refresh_token"] != before["refresh_token"]) is bool(renewals)
    assert after["expires_at"] > dt_util.utcnow().timestamp()
    counted = signed_in.budget.ledger.by_operation(dt_util.utcnow())
    assert counted["summary"] == 2
    assert counted.get("token", 0) == renewals


async def test_rejected_token_is_renewed(
    world: World, signed_in: SignedIn, freezer: FrozenDateTimeFactory
) -> None:
    """After a 401 before the token expires, it is renewed, and the call is repeated."""
    freezer.tick(timedelta(minutes=6))
    world.cloud.faults.add(Fault(operation="summary", status=401, times=1))
    await signed_in.request()
    assert _operations(world) == ["summary", "token", "summary"]


@pytest.mark.parametrize("issued", ["sign-in", "expiry", "refusal"])
async def test_new_token_that_is_revoked_is_renewed(
    world: World, signed_in: SignedIn, freezer: FrozenDateTimeFactory, issued: str
) -> None:
    """Even a token two minutes old is renewed once after a 401."""
    if issued == "expiry":
        freezer.tick(DAY)
        await signed_in.request()
    elif issued == "refusal":
        world.cloud.tokens.revoke_access(world.owner)
        await signed_in.request()
    world.cloud.requests.clear()
    freezer.tick(timedelta(minutes=2))
    world.cloud.tokens.revoke_access(world.owner)
    await signed_in.request()
    assert _operations(world) == ["summary", "token", "summary"]
    counted = signed_in.budget.ledger.by_operation(dt_util.utcnow())
    assert counted["token"] == (1 if issued == "sign-in" else 2)


async def test_revoked_token_is_renewed_once_for_all_documents(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """All documents get a 401 at once; there is one renewal, and no repair issue."""
    entry = await set_up()
    freezer.tick(timedelta(minutes=2))
    world.cloud.tokens.revoke_access(world.owner)
    world.cloud.requests.clear()
    await press(hass, "button.hilltop_refresh_now")
    assert _token_requests(world) == 1
    served = {
        request.operation for request in world.cloud.requests if request.status == 200
    }
    assert {"summary", "telemetry_battery", "latest_telemetry"} <= served
    assert _reauth_flows(hass, entry) == 0
    assert not ir.async_get(hass).issues


async def test_only_a_401_after_a_renewal_means_not_entitled(
    world: World, signed_in: SignedIn, freezer: FrozenDateTimeFactory
) -> None:
    """After one renewal, the next 401 of the operation causes no further renewal."""
    world.cloud.faults.add(Fault(operation="summary", status=401))
    with pytest.raises(NotEntitledError):
        await signed_in.request()
    assert _operations(world) == ["summary", "token", "summary"]
    world.cloud.requests.clear()
    freezer.tick(timedelta(seconds=30))
    with pytest.raises(NotEntitledError):
        await signed_in.request()
    assert _operations(world) == ["summary"]


async def test_rejected_token_from_the_future_is_renewed(
    world: World, signed_in: SignedIn, freezer: FrozenDateTimeFactory
) -> None:
    """After the clock goes back, a token seems to be issued in the future."""
    freezer.tick(-timedelta(hours=5))
    world.cloud.tokens.revoke_access(world.owner)
    await signed_in.request()
    assert _token_requests(world) == 1


@pytest.mark.parametrize("why", ["expired", "rejected"])
async def test_parallel_callers_renew_a_token_once(
    world: World, signed_in: SignedIn, freezer: FrozenDateTimeFactory, why: str
) -> None:
    """Five callers that need a new token cause one token request."""
    if why == "expired":
        freezer.tick(DAY)
    else:
        freezer.tick(timedelta(hours=1))
        world.cloud.faults.add(Fault(operation="summary", status=401, times=5))
    await asyncio.gather(*(signed_in.request() for _ in range(5)))
    assert _token_requests(world) == 1


async def test_response_without_refresh_token_keeps_the_old_one(
    world: World, signed_in: SignedIn, freezer: FrozenDateTimeFactory
) -> None:
    """The response has only a new access token."""
    before = signed_in.token
    freezer.tick(DAY)
    granted = world.cloud.tokens_for(world.application, world.owner)["access_token"]
    world.cloud.faults.add(
        Fault(operation="token", raw=f'{{"access_token": "{granted}"}}')
    )
    await signed_in.request()
    assert signed_in.token["access_token"] == granted
    assert signed_in.token["refresh_token"] == before["refresh_token"]


# No token is lost


async def test_new_token_is_on_disk_before_it_is_used(
    world: World,
    signed_in: SignedIn,
    hass_storage: dict[str, Any],
    freezer: FrozenDateTimeFactory,
) -> None:
    """A slow disk delays the call that needs the new token."""
    before = signed_in.token
    freezer.tick(DAY)
    save = Store.async_save
    may_write = asyncio.Event()

    async def save_later(store: Store[Any], data: Any) -> None:
        if store.key.endswith(".token"):
            await may_write.wait()
        await save(store, data)

    with patch.object(Store, "async_save", save_later):
        call = asyncio.ensure_future(signed_in.request())
        await until(lambda: world.cloud.requests and world.cloud.requests[-1].status)
        for _ in range(100):
            await asyncio.sleep(0)
        assert _operations(world) == ["token"]
        assert signed_in.token == before
        may_write.set()
        await call
    assert _operations(world) == ["token", "summary"]
    journal = _journal(hass_storage, signed_in.entry)
    assert journal["replaces"] == before["refresh_token"]
    assert journal["token"] == signed_in.token != before


async def test_token_is_restored_from_the_journal_after_a_crash(
    hass: HomeAssistant,
    world: World,
    signed_in: SignedIn,
    hass_storage: dict[str, Any],
    freezer: FrozenDateTimeFactory,
) -> None:
    """Home Assistant ended before it stored the entry with the renewed token."""
    before = signed_in.entry.data
    freezer.tick(DAY)
    await signed_in.request()
    renewed = signed_in.token

    hass.config_entries.async_update_entry(signed_in.entry, data=before)
    restarted = await SignedIn.from_entry(hass, world, signed_in.entry)
    assert restarted.token == renewed
    await restarted.request()
    assert _token_requests(world) == 1
    # The old refresh token is used up: without the journal, the sign-in would be lost.
    freezer.tick(DAY)
    await restarted.request()
    assert _token_requests(world) == 2


async def test_journal_of_an_earlier_sign_in_is_ignored(
    hass: HomeAssistant,
    world: World,
    signed_in: SignedIn,
    hass_storage: dict[str, Any],
    freezer: FrozenDateTimeFactory,
) -> None:
    """Also when the clock was ahead at the time of the journal."""
    freezer.tick(10 * DAY)
    await signed_in.request()
    freezer.tick(-9 * DAY)
    again = world.entry().data
    hass.config_entries.async_update_entry(signed_in.entry, data=again)
    restarted = await SignedIn.from_entry(hass, world, signed_in.entry)
    assert restarted.token == again[CONF_TOKEN]


@pytest.mark.parametrize(
    "journal",
    [
        None,
        [],
        "token",
        {},
        {"token": {"access_token": "stray"}},
        {"replaces": None, "token": {"access_token": "stray"}},
        {"replaces": "an older token", "token": {"access_token": "stray"}},
        {"replaces": "THIS", "token": None},
        {"replaces": "THIS", "token": ["stray"]},
    ],
)
@pytest.mark.thorough
async def test_damaged_or_older_journal_is_ignored(
    hass: HomeAssistant, world: World, hass_storage: dict[str, Any], journal: Any
) -> None:
    """A journal is used only if it replaces the entry's own refresh token."""
    entry = world.entry()
    token = entry.data[CONF_TOKEN]
    if isinstance(journal, dict) and journal.get("replaces") == "THIS":
        journal = {**journal, "replaces": token["refresh_token"]}
    key = f"{DOMAIN}.{entry.entry_id}.token"
    hass_storage[key] = {"version": 1, "key": key, "data": journal}
    signed_in = await SignedIn.from_entry(hass, world, entry)
    assert signed_in.token == token
    await signed_in.request()
    assert _operations(world) == ["summary"]
    await async_get_key_budgets(hass).async_release(API_KEY, entry.entry_id)


async def test_cancelled_caller_loses_no_token(
    hass: HomeAssistant,
    world: World,
    signed_in: SignedIn,
    stepper: Stepper,
    hass_storage: dict[str, Any],
    freezer: FrozenDateTimeFactory,
) -> None:
    """The old refresh token is used up by then, so the response must be stored."""
    before = signed_in.token
    freezer.tick(DAY)
    fault = world.cloud.faults.add(Fault(operation="token", delay=1, times=1))
    call = asyncio.ensure_future(signed_in.request())
    await until(lambda: fault.hits)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    stepper.step()
    await hass.async_block_till_done()
    assert signed_in.token != before
    assert _journal(hass_storage, signed_in.entry)["token"] == signed_in.token
    await signed_in.request()
    assert _operations(world) == ["token", "summary"]


async def test_unload_waits_for_a_renewal(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    stepper: Stepper,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A reload during a renewal does not lose the sign-in."""
    entry = await set_up()
    before = entry.data[CONF_TOKEN]
    fault = world.cloud.faults.add(Fault(operation="token", delay=1, times=1))
    freezer.tick(DAY)
    async_fire_time_changed(hass)
    await until(lambda: fault.hits)
    reload = asyncio.ensure_future(hass.config_entries.async_reload(entry.entry_id))
    await until(lambda: entry.state is ConfigEntryState.UNLOAD_IN_PROGRESS)
    assert entry.data[CONF_TOKEN] == before
    stepper.step()
    assert await reload
    assert entry.state is ConfigEntryState.LOADED
    assert entry.data[CONF_TOKEN] != before
    assert _token_requests(world) == 1
    assert _reauth_flows(hass, entry) == 0


async def test_token_is_not_stored_after_removal_of_the_entry(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    stepper: Stepper,
    hass_storage: dict[str, Any],
    freezer: FrozenDateTimeFactory,
) -> None:
    """The slow response arrives after the entry is removed."""
    entry = await set_up()
    fault = world.cloud.faults.add(Fault(operation="token", delay=1, times=1))
    freezer.tick(DAY)
    async_fire_time_changed(hass)
    await until(lambda: fault.hits)
    unloaded: list[bool] = []
    entry.async_on_unload(lambda: unloaded.append(True))
    removal = asyncio.ensure_future(hass.config_entries.async_remove(entry.entry_id))
    await until(lambda: unloaded)
    # Home Assistant waits for 10 s, the token request for 30 s.
    freezer.tick(timedelta(seconds=11))
    await removal
    stepper.step()
    await hass.async_block_till_done()
    assert [key for key in hass_storage if key.startswith(DOMAIN)] == []


async def test_renewal_needs_no_budget(
    world: World, signed_in: SignedIn, freezer: FrozenDateTimeFactory
) -> None:
    """Nothing works without a valid token: it is renewed even if no calls are left."""
    world.cloud.faults.add(Fault(operation="summary", quota="month"))
    with pytest.raises(MonthQuotaError):
        await signed_in.request()
    freezer.tick(DAY)
    with pytest.raises(RequestWithheldError):
        await signed_in.request()
    assert _operations(world) == ["summary", "token"]


# Failed renewals, with and without the need to sign in again


async def test_refused_refresh_token_is_not_tried_again(
    world: World, signed_in: SignedIn, freezer: FrozenDateTimeFactory
) -> None:
    """Each later call fails without a request."""
    world.cloud.tokens.revoke(world.owner)
    freezer.tick(DAY)
    for _ in range(3):
        with pytest.raises(InvalidGrantError):
            await signed_in.request()
    assert _operations(world) == ["token"]


async def test_refused_renewal_starts_one_reauth_flow(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """All documents need a token; there is one token request and one flow."""
    entry = await set_up()
    world.cloud.tokens.revoke(world.owner)
    freezer.tick(DAY)
    world.cloud.requests.clear()
    await pass_time(hass, freezer, timedelta(hours=1))
    assert _reauth_flows(hass, entry) == 1
    assert _operations(world) == ["token"]


async def test_changed_client_secret_starts_one_reauth_flow(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """A renewal that fails because of the application needs the user, too."""
    entry = await set_up()
    world.cloud.add_application(
        client_id=world.application.client_id,
        client_secret="changed",
        api_key=world.application.api_key,
    )
    freezer.tick(DAY)
    await pass_time(hass, freezer, timedelta(hours=1))
    assert _reauth_flows(hass, entry) == 1
    assert _token_requests(world) == 1


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 429},
        {"status": 500},
        {"status": 503},
        {"cut": "before_headers"},
        {"body": "html"},
        {"body": "wrong_types"},
    ],
)
async def test_renewal_continues_after_an_error_of_the_cloud(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    fault: dict[str, Any],
) -> None:
    """An error of the cloud starts no reauth flow; updates continue after it."""
    entry = await set_up()
    before = entry.data
    failure = world.cloud.faults.add(Fault(operation="token", **fault))
    freezer.tick(DAY)
    await pass_time(hass, freezer, timedelta(hours=1))
    assert failure.hits > 0
    assert _reauth_flows(hass, entry) == 0
    assert entry.data == before

    world.cloud.faults.clear()
    world.cloud.requests.clear()
    await pass_time(hass, freezer, timedelta(hours=7))
    assert _token_requests(world) == 1
    assert "summary" in world.calls
    assert _reauth_flows(hass, entry) == 0


async def test_renewal_that_hangs_times_out_and_is_retried(
    hass: HomeAssistant,
    world: World,
    signed_in: SignedIn,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The request times out without a response; a later call requests a token."""
    freezer.tick(DAY)
    fault = world.cloud.faults.add(Fault(operation="token", hang=True, times=1))
    call = asyncio.ensure_future(signed_in.request())
    await until(lambda: fault.hits)
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=32))
    with pytest.raises(EnphaseTimeoutError):
        await call
    freezer.tick(timedelta(minutes=5))
    await signed_in.request()
    assert _operations(world) == ["token", "token", "summary"]


async def _request_often(
    signed_in: SignedIn, freezer: FrozenDateTimeFactory, duration: timedelta
) -> list[float]:
    """Make a call every 10 s; return the times of token requests [min from now]."""
    world, begin = signed_in.world, dt_util.utcnow()
    while dt_util.utcnow() - begin < duration:
        with suppress(EnphaseCloudError):
            await signed_in.request()
        freezer.tick(timedelta(seconds=10))
    return [
        (request.at - begin) / timedelta(minutes=1)
        for request in world.cloud.requests
        if request.operation == "token" and request.at >= begin
    ]


@pytest.mark.parametrize("fault", [{"status": 500}, {"body": "html"}, {"status": 400}])
async def test_backoff_of_failed_renewals_doubles(
    world: World,
    signed_in: SignedIn,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
    fault: dict[str, Any],
) -> None:
    """It does not depend on how often a token is needed; a success resets it."""
    failure = Fault(operation="token", details="temporarily_unavailable", **fault)
    world.cloud.faults.add(failure)
    freezer.tick(DAY)
    requested = await _request_often(signed_in, freezer, timedelta(minutes=76))
    assert requested == [0, 5, 15, 35, 75]
    assert caplog.text.count("The sign-in could not be renewed") == 1
    with pytest.raises(RenewalPausedError) as raised:
        await signed_in.request()
    assert raised.value.until == dt_util.utcnow() + timedelta(minutes=79)

    world.cloud.faults.clear()
    freezer.tick(timedelta(minutes=79))
    await signed_in.request()
    assert caplog.text.count("The sign-in is renewed again") == 1
    world.cloud.faults.add(failure)
    freezer.tick(DAY)
    requested = await _request_often(signed_in, freezer, timedelta(minutes=6))
    assert requested == [0, 5]


async def test_backoff_of_renewals_survives_a_restart(
    hass: HomeAssistant,
    world: World,
    signed_in: SignedIn,
    freezer: FrozenDateTimeFactory,
    hass_storage: dict[str, Any],
) -> None:
    """Repeated set-ups make no token request during the backoff."""
    freezer.tick(DAY)
    await signed_in.request()
    renewed = signed_in.token
    world.cloud.faults.add(Fault(operation="token", status=500))
    freezer.tick(DAY)
    with pytest.raises(ServerError):
        await signed_in.request()
    world.cloud.requests.clear()
    restarted = await SignedIn.from_entry(hass, world, signed_in.entry)
    with pytest.raises(RenewalPausedError):
        await restarted.request()
    assert not world.cloud.requests
    # The journal keeps the last token.
    assert _journal(hass_storage, signed_in.entry)["token"] == renewed

    # A new sign-in of the user ends the backoff.
    again = world.entry().data
    hass.config_entries.async_update_entry(signed_in.entry, data=again)
    restarted = await SignedIn.from_entry(hass, world, signed_in.entry)
    await restarted.request()
    world.cloud.faults.clear()
    freezer.tick(DAY)
    await restarted.request()
    assert _operations(world) == ["summary", "token", "summary"]


async def test_clock_that_goes_back_ends_the_backoff(
    world: World, signed_in: SignedIn, freezer: FrozenDateTimeFactory
) -> None:
    """A wrong clock never makes the backoff longer."""
    world.cloud.faults.add(Fault(operation="token", status=500, times=1))
    freezer.tick(10 * DAY)
    with pytest.raises(ServerError):
        await signed_in.request()
    freezer.tick(-5 * DAY)
    await signed_in.request()
    assert _operations(world) == ["token", "token", "summary"]


@pytest.mark.parametrize("expires_in", [-1, 0, 1, 30, 10**15])
async def test_absurd_lifetime_of_a_token_is_limited(
    world: World,
    signed_in: SignedIn,
    freezer: FrozenDateTimeFactory,
    expires_in: int,
) -> None:
    """The token is renewed neither at each call nor too late."""
    world.cloud.faults.add(Fault(operation="token", expires_in=expires_in))
    freezer.tick(DAY)
    requested = await _request_often(signed_in, freezer, timedelta(minutes=9))
    assert requested == [0]
    freezer.tick(DAY)
    await signed_in.request()
    assert _token_requests(world) == 2


@pytest.mark.parametrize("plan", ["watt"])
async def test_renewals_count_in_the_limit_per_minute(
    hass: HomeAssistant, world: World, freezer: FrozenDateTimeFactory
) -> None:
    """15 entries of one key need a token; 10 get it at once, 5 a minute later."""
    entries = [
        MockConfigEntry(domain=DOMAIN, unique_id=str(number), data=world.entry().data)
        for number in range(15)
    ]
    accounts = [
        await SignedIn.from_entry(hass, world, entry, PLANS["watt"])
        for entry in entries
    ]
    freezer.tick(DAY)
    withheld = 0
    for signed_in in accounts:
        try:
            await signed_in.auth.async_get_access_token()
        except RequestWithheldError:
            withheld += 1
    assert (_token_requests(world), withheld) == (10, 5)
    freezer.tick(timedelta(seconds=75))
    for signed_in in accounts[10:]:
        await signed_in.auth.async_get_access_token()
    assert _token_requests(world) == 15
    for entry in entries:
        await async_get_key_budgets(hass).async_release(API_KEY, entry.entry_id)


@pytest.mark.parametrize(
    ("missing", "signed_in"),
    [
        ({"expires_at"}, True),
        ({"expires_in"}, True),
        ({"access_token"}, True),
        ({"token_type", "scope", "enl_uid"}, True),
        ({"refresh_token"}, True),
        ({"refresh_token", "expires_at"}, False),
        ({"refresh_token", "access_token"}, False),
        (None, False),
    ],
)
@pytest.mark.parametrize("how", ["left out", "null"])
@pytest.mark.thorough
async def test_incomplete_stored_token_is_renewed_or_needs_the_user(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    missing: set[str] | None,
    how: str,
    *,
    signed_in: bool,
) -> None:
    """With a refresh token it is renewed; without one, a reauth flow starts."""
    entry = world.entry()
    token = dict(entry.data[CONF_TOKEN])
    for field in token if missing is None else missing:
        token[field] = None
    if how == "left out":
        token = {name: value for name, value in token.items() if value is not None}
    data: dict[str, Any] = {**entry.data, CONF_TOKEN: token}
    if missing is None:
        data.pop(CONF_TOKEN)
    entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(entry, data=data)
    await set_up(entry)
    expected = ConfigEntryState.LOADED if signed_in else ConfigEntryState.SETUP_ERROR
    assert entry.state is expected
    assert _reauth_flows(hass, entry) == (0 if signed_in else 1)


async def test_rejected_token_of_unknown_age_is_renewed(
    hass: HomeAssistant, world: World, signed_in: SignedIn
) -> None:
    """The stored token has no lifetime."""
    token = {**signed_in.token, "expires_in": None}
    hass.config_entries.async_update_entry(
        signed_in.entry, data={**signed_in.entry.data, CONF_TOKEN: token}
    )
    world.cloud.faults.add(Fault(operation="summary", status=401, times=1))
    await signed_in.request()
    assert _token_requests(world) == 1
