"""Tokens: how they are asked for, renewed, kept and lost."""

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
    """An entry that nothing but the test uses."""

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
        """Sign in as a start of Home Assistant does."""
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

    async def ask(self) -> None:
        """Ask the cloud for something."""
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
    """Return an entry that has just been signed in."""
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


# How tokens are asked for


@pytest.fixture
async def token_requests(
    hass: HomeAssistant, socket_enabled: None, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[list[tuple[web.Request, dict[str, Any]]]]:
    """Serve a token endpoint, and return what it is sent."""
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
async def test_the_client_authenticates_by_http_basic(
    hass: HomeAssistant,
    token_requests: list[tuple[web.Request, dict[str, Any]]],
    grant: str,
) -> None:
    """The secret is in the header, form-encoded, and nowhere else."""
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


def test_the_cloud_is_elsewhere_only_on_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without the variable of developers, it is Enphase's."""
    monkeypatch.delenv(ENV_CLOUD_URL, raising=False)
    assert str(cloud_url().origin()) == DEFAULT_CLOUD_URL
    monkeypatch.setenv(ENV_CLOUD_URL, "http://127.0.0.1:1")
    assert str(cloud_url().origin()) == "http://127.0.0.1:1"


# When tokens are renewed


@pytest.mark.parametrize(("left", "renewals"), [(61, 0), (59, 1), (-3600, 1)])
async def test_renewal_shortly_before_the_end(
    world: World,
    signed_in: SignedIn,
    freezer: FrozenDateTimeFactory,
    left: int,
    renewals: int,
) -> None:
    """A token that ends soon is renewed first, and the renewal is counted."""
    before = signed_in.token
    freezer.tick(before["expires_in"] - left)
    await signed_in.ask()
    await signed_in.ask()
    assert _token_requests(world) == renewals
    after = signed_in.token
    assert (after["refresh_token"] != before["refresh_token"]) is bool(renewals)
    assert after["expires_at"] > dt_util.utcnow().timestamp()
    counted = signed_in.budget.ledger.by_operation(dt_util.utcnow())
    assert counted["summary"] == 2
    assert counted.get("token", 0) == renewals


async def test_a_rejected_token_is_renewed(
    world: World, signed_in: SignedIn, freezer: FrozenDateTimeFactory
) -> None:
    """What the cloud refuses before its time is renewed, and the call repeated."""
    freezer.tick(timedelta(minutes=6))
    world.cloud.faults.add(Fault(operation="summary", status=401, times=1))
    await signed_in.ask()
    assert _operations(world) == ["summary", "token", "summary"]


@pytest.mark.parametrize("issued", ["sign-in", "expiry", "refusal"])
async def test_a_token_that_is_revoked_soon_is_renewed(
    world: World, signed_in: SignedIn, freezer: FrozenDateTimeFactory, issued: str
) -> None:
    """However new a token is, it may be revoked; one renewal cures that."""
    if issued == "expiry":
        freezer.tick(DAY)
        await signed_in.ask()
    elif issued == "refusal":
        world.cloud.tokens.revoke_access(world.owner)
        await signed_in.ask()
    world.cloud.requests.clear()
    freezer.tick(timedelta(minutes=2))
    world.cloud.tokens.revoke_access(world.owner)
    await signed_in.ask()
    assert _operations(world) == ["summary", "token", "summary"]
    counted = signed_in.budget.ledger.by_operation(dt_util.utcnow())
    assert counted["token"] == (1 if issued == "sign-in" else 2)


async def test_a_revoked_token_refuses_no_document(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """All documents are refused at once; one renewal for all, and no repair."""
    entry = await set_up()
    freezer.tick(timedelta(minutes=2))
    world.cloud.tokens.revoke_access(world.owner)
    world.cloud.requests.clear()
    await press(hass, "button.hilltop_refresh_now")
    assert _token_requests(world) == 1
    answered = {
        request.operation for request in world.cloud.requests if request.status == 200
    }
    assert {"summary", "telemetry_battery", "latest_telemetry"} <= answered
    assert _reauth_flows(hass, entry) == 0
    assert not ir.async_get(hass).issues


async def test_only_a_refusal_after_the_renewal_means_not_entitled(
    world: World, signed_in: SignedIn, freezer: FrozenDateTimeFactory
) -> None:
    """One renewal proves that the token is not to blame, also for what comes next."""
    world.cloud.faults.add(Fault(operation="summary", status=401))
    with pytest.raises(NotEntitledError):
        await signed_in.ask()
    assert _operations(world) == ["summary", "token", "summary"]
    world.cloud.requests.clear()
    freezer.tick(timedelta(seconds=30))
    with pytest.raises(NotEntitledError):
        await signed_in.ask()
    assert _operations(world) == ["summary"]


async def test_a_clock_that_is_put_back_does_not_keep_a_token_fresh(
    world: World, signed_in: SignedIn, freezer: FrozenDateTimeFactory
) -> None:
    """A token from the future is as suspect as an old one."""
    freezer.tick(-timedelta(hours=5))
    world.cloud.tokens.revoke_access(world.owner)
    await signed_in.ask()
    assert _token_requests(world) == 1


@pytest.mark.parametrize("why", ["expired", "rejected"])
async def test_never_in_parallel(
    world: World, signed_in: SignedIn, freezer: FrozenDateTimeFactory, why: str
) -> None:
    """However many callers want a new token, it is asked for once."""
    if why == "expired":
        freezer.tick(DAY)
    else:
        freezer.tick(timedelta(hours=1))
        world.cloud.faults.add(Fault(operation="summary", status=401, times=5))
    await asyncio.gather(*(signed_in.ask() for _ in range(5)))
    assert _token_requests(world) == 1


async def test_an_answer_without_a_refresh_token(
    world: World, signed_in: SignedIn, freezer: FrozenDateTimeFactory
) -> None:
    """Where the cloud gives no new one, the old one stays."""
    before = signed_in.token
    freezer.tick(DAY)
    granted = world.cloud.tokens_for(world.application, world.owner)["access_token"]
    world.cloud.faults.add(
        Fault(operation="token", raw=f'{{"access_token": "{granted}"}}')
    )
    await signed_in.ask()
    assert signed_in.token["access_token"] == granted
    assert signed_in.token["refresh_token"] == before["refresh_token"]


# That no token is lost


async def test_the_new_token_is_on_disk_before_it_is_used(
    world: World,
    signed_in: SignedIn,
    hass_storage: dict[str, Any],
    freezer: FrozenDateTimeFactory,
) -> None:
    """However long the disk takes, nothing is asked for with the new token before."""
    before = signed_in.token
    freezer.tick(DAY)
    save = Store.async_save
    may_write = asyncio.Event()

    async def save_later(store: Store[Any], data: Any) -> None:
        if store.key.endswith(".token"):
            await may_write.wait()
        await save(store, data)

    with patch.object(Store, "async_save", save_later):
        call = asyncio.ensure_future(signed_in.ask())
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


async def test_killed_after_a_renewal(
    hass: HomeAssistant,
    world: World,
    signed_in: SignedIn,
    hass_storage: dict[str, Any],
    freezer: FrozenDateTimeFactory,
) -> None:
    """The entry was not written yet; the token comes from the journal."""
    before = signed_in.entry.data
    freezer.tick(DAY)
    await signed_in.ask()
    renewed = signed_in.token

    hass.config_entries.async_update_entry(signed_in.entry, data=before)
    restarted = await SignedIn.from_entry(hass, world, signed_in.entry)
    assert restarted.token == renewed
    await restarted.ask()
    assert _token_requests(world) == 1
    # The old refresh token is spent: without the journal, the sign-in would be lost.
    freezer.tick(DAY)
    await restarted.ask()
    assert _token_requests(world) == 2


async def test_a_newer_sign_in_is_not_undone(
    hass: HomeAssistant,
    world: World,
    signed_in: SignedIn,
    hass_storage: dict[str, Any],
    freezer: FrozenDateTimeFactory,
) -> None:
    """The journal of an earlier sign-in counts no more, whatever the clock said."""
    freezer.tick(10 * DAY)
    await signed_in.ask()
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
async def test_a_journal_that_is_damaged_or_older(
    hass: HomeAssistant, world: World, hass_storage: dict[str, Any], journal: Any
) -> None:
    """Only what replaces the entry's own token is taken."""
    entry = world.entry()
    token = entry.data[CONF_TOKEN]
    if isinstance(journal, dict) and journal.get("replaces") == "THIS":
        journal = {**journal, "replaces": token["refresh_token"]}
    key = f"{DOMAIN}.{entry.entry_id}.token"
    hass_storage[key] = {"version": 1, "key": key, "data": journal}
    signed_in = await SignedIn.from_entry(hass, world, entry)
    assert signed_in.token == token
    await signed_in.ask()
    assert _operations(world) == ["summary"]
    await async_get_key_budgets(hass).async_release(API_KEY, entry.entry_id)


async def test_who_gives_up_waiting_loses_no_token(
    hass: HomeAssistant,
    world: World,
    signed_in: SignedIn,
    stepper: Stepper,
    hass_storage: dict[str, Any],
    freezer: FrozenDateTimeFactory,
) -> None:
    """The old token is spent by then, so the answer must be kept."""
    before = signed_in.token
    freezer.tick(DAY)
    fault = world.cloud.faults.add(Fault(operation="token", delay=1, times=1))
    call = asyncio.ensure_future(signed_in.ask())
    await until(lambda: fault.hits)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    stepper.step()
    await hass.async_block_till_done()
    assert signed_in.token != before
    assert _journal(hass_storage, signed_in.entry)["token"] == signed_in.token
    await signed_in.ask()
    assert _operations(world) == ["token", "summary"]


async def test_unloading_waits_for_a_renewal(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    stepper: Stepper,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A reload at the wrong moment does not lose the sign-in."""
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


async def test_removed_while_the_cloud_is_slow(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    stepper: Stepper,
    hass_storage: dict[str, Any],
    freezer: FrozenDateTimeFactory,
) -> None:
    """A token that comes after its entry has gone is not stored."""
    entry = await set_up()
    fault = world.cloud.faults.add(Fault(operation="token", delay=1, times=1))
    freezer.tick(DAY)
    async_fire_time_changed(hass)
    await until(lambda: fault.hits)
    unloaded: list[bool] = []
    entry.async_on_unload(lambda: unloaded.append(True))
    removal = asyncio.ensure_future(hass.config_entries.async_remove(entry.entry_id))
    await until(lambda: unloaded)
    # Home Assistant waits for ten seconds, the token request for thirty.
    freezer.tick(timedelta(seconds=11))
    await removal
    stepper.step()
    await hass.async_block_till_done()
    assert [key for key in hass_storage if key.startswith(DOMAIN)] == []


async def test_a_renewal_needs_no_budget(
    world: World, signed_in: SignedIn, freezer: FrozenDateTimeFactory
) -> None:
    """Without a sign-in nothing works any more, so it goes before everything."""
    world.cloud.faults.add(Fault(operation="summary", quota="month"))
    with pytest.raises(MonthQuotaError):
        await signed_in.ask()
    freezer.tick(DAY)
    with pytest.raises(RequestWithheldError):
        await signed_in.ask()
    assert _operations(world) == ["summary", "token"]


# When the sign-in ends, and when it does not


async def test_a_refusal_is_final(
    world: World, signed_in: SignedIn, freezer: FrozenDateTimeFactory
) -> None:
    """A refresh token that was refused once is not tried again."""
    world.cloud.tokens.revoke(world.owner)
    freezer.tick(DAY)
    for _ in range(3):
        with pytest.raises(InvalidGrantError):
            await signed_in.ask()
    assert _operations(world) == ["token"]


async def test_a_refused_renewal_asks_to_sign_in_once(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """All documents need a token; the user is asked once, and so is the cloud."""
    entry = await set_up()
    world.cloud.tokens.revoke(world.owner)
    freezer.tick(DAY)
    world.cloud.requests.clear()
    await pass_time(hass, freezer, timedelta(hours=1))
    assert _reauth_flows(hass, entry) == 1
    assert _operations(world) == ["token"]


async def test_the_client_secret_was_changed(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """A renewal that fails for the application's sake needs the user, too."""
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
async def test_a_renewal_fails_for_a_while(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    fault: dict[str, Any],
) -> None:
    """The cloud's troubles are not the user's: it goes on when they are over."""
    entry = await set_up()
    before = entry.data
    trouble = world.cloud.faults.add(Fault(operation="token", **fault))
    freezer.tick(DAY)
    await pass_time(hass, freezer, timedelta(hours=1))
    assert trouble.hits > 0
    assert _reauth_flows(hass, entry) == 0
    assert entry.data == before

    world.cloud.faults.clear()
    world.cloud.requests.clear()
    await pass_time(hass, freezer, timedelta(hours=7))
    assert _token_requests(world) == 1
    assert "summary" in world.calls
    assert _reauth_flows(hass, entry) == 0


async def test_a_renewal_hangs(
    hass: HomeAssistant,
    world: World,
    signed_in: SignedIn,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A cloud that does not answer is not waited for, and asked again later."""
    freezer.tick(DAY)
    fault = world.cloud.faults.add(Fault(operation="token", hang=True, times=1))
    call = asyncio.ensure_future(signed_in.ask())
    await until(lambda: fault.hits)
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=32))
    with pytest.raises(EnphaseTimeoutError):
        await call
    freezer.tick(timedelta(minutes=5))
    await signed_in.ask()
    assert _operations(world) == ["token", "token", "summary"]


async def _asks_often(
    signed_in: SignedIn, freezer: FrozenDateTimeFactory, duration: timedelta
) -> list[float]:
    """Ask every ten seconds; return after how many minutes tokens were requested."""
    world, begin = signed_in.world, dt_util.utcnow()
    while dt_util.utcnow() - begin < duration:
        with suppress(EnphaseCloudError):
            await signed_in.ask()
        freezer.tick(timedelta(seconds=10))
    return [
        (request.at - begin) / timedelta(minutes=1)
        for request in world.cloud.requests
        if request.operation == "token" and request.at >= begin
    ]


@pytest.mark.parametrize("fault", [{"status": 500}, {"body": "html"}, {"status": 400}])
async def test_renewals_that_fail_pause_longer_each_time(
    world: World,
    signed_in: SignedIn,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
    fault: dict[str, Any],
) -> None:
    """However often a token is needed; a success resets the pauses."""
    trouble = Fault(operation="token", details="temporarily_unavailable", **fault)
    world.cloud.faults.add(trouble)
    freezer.tick(DAY)
    asked = await _asks_often(signed_in, freezer, timedelta(minutes=76))
    assert asked == [0, 5, 15, 35, 75]
    assert caplog.text.count("The sign-in could not be renewed") == 1
    with pytest.raises(RenewalPausedError) as raised:
        await signed_in.ask()
    assert raised.value.until == dt_util.utcnow() + timedelta(minutes=79)

    world.cloud.faults.clear()
    freezer.tick(timedelta(minutes=79))
    await signed_in.ask()
    assert caplog.text.count("The sign-in is renewed again") == 1
    world.cloud.faults.add(trouble)
    freezer.tick(DAY)
    asked = await _asks_often(signed_in, freezer, timedelta(minutes=6))
    assert asked == [0, 5]


async def test_a_pause_of_renewals_outlives_a_restart(
    hass: HomeAssistant,
    world: World,
    signed_in: SignedIn,
    freezer: FrozenDateTimeFactory,
    hass_storage: dict[str, Any],
) -> None:
    """A set-up that is tried again and again asks for no token each time."""
    freezer.tick(DAY)
    await signed_in.ask()
    renewed = signed_in.token
    world.cloud.faults.add(Fault(operation="token", status=500))
    freezer.tick(DAY)
    with pytest.raises(ServerError):
        await signed_in.ask()
    world.cloud.requests.clear()
    restarted = await SignedIn.from_entry(hass, world, signed_in.entry)
    with pytest.raises(RenewalPausedError):
        await restarted.ask()
    assert not world.cloud.requests
    # What was known of the tokens stays in the journal.
    assert _journal(hass_storage, signed_in.entry)["token"] == renewed

    # The user signs in, and nothing is in the way.
    again = world.entry().data
    hass.config_entries.async_update_entry(signed_in.entry, data=again)
    restarted = await SignedIn.from_entry(hass, world, signed_in.entry)
    await restarted.ask()
    world.cloud.faults.clear()
    freezer.tick(DAY)
    await restarted.ask()
    assert _operations(world) == ["summary", "token", "summary"]


async def test_a_clock_that_goes_back_ends_a_pause(
    world: World, signed_in: SignedIn, freezer: FrozenDateTimeFactory
) -> None:
    """No wrong clock makes a pause longer than it was meant to be."""
    world.cloud.faults.add(Fault(operation="token", status=500, times=1))
    freezer.tick(10 * DAY)
    with pytest.raises(ServerError):
        await signed_in.ask()
    freezer.tick(-5 * DAY)
    await signed_in.ask()
    assert _operations(world) == ["token", "token", "summary"]


@pytest.mark.parametrize("expires_in", [-1, 0, 1, 30, 10**15])
async def test_an_absurd_lifetime_of_a_token(
    world: World,
    signed_in: SignedIn,
    freezer: FrozenDateTimeFactory,
    expires_in: int,
) -> None:
    """A token is not renewed all the time, nor never again."""
    world.cloud.faults.add(Fault(operation="token", expires_in=expires_in))
    freezer.tick(DAY)
    asked = await _asks_often(signed_in, freezer, timedelta(minutes=9))
    assert asked == [0]
    freezer.tick(DAY)
    await signed_in.ask()
    assert _token_requests(world) == 2


@pytest.mark.parametrize("plan", ["watt"])
async def test_renewals_count_in_the_minute(
    hass: HomeAssistant, world: World, freezer: FrozenDateTimeFactory
) -> None:
    """Entries of one key that all need a token get ten a minute, one after another."""
    entries = [
        MockConfigEntry(domain=DOMAIN, unique_id=str(number), data=world.entry().data)
        for number in range(15)
    ]
    everybody = [
        await SignedIn.from_entry(hass, world, entry, PLANS["watt"])
        for entry in entries
    ]
    freezer.tick(DAY)
    withheld = 0
    for signed_in in everybody:
        try:
            await signed_in.auth.async_get_access_token()
        except RequestWithheldError:
            withheld += 1
    assert (_token_requests(world), withheld) == (10, 5)
    freezer.tick(timedelta(seconds=75))
    for signed_in in everybody[10:]:
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
async def test_a_token_document_lacks_fields(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    missing: set[str] | None,
    how: str,
    *,
    signed_in: bool,
) -> None:
    """What is missing is asked for; without a refresh token, the user is."""
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


async def test_a_rejected_token_without_its_lifetime(
    hass: HomeAssistant, world: World, signed_in: SignedIn
) -> None:
    """Where a token's age is not known, it is renewed."""
    token = {**signed_in.token, "expires_in": None}
    hass.config_entries.async_update_entry(
        signed_in.entry, data={**signed_in.entry.data, CONF_TOKEN: token}
    )
    world.cloud.faults.add(Fault(operation="summary", status=401, times=1))
    await signed_in.ask()
    assert _token_requests(world) == 1
