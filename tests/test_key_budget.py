"""The budget of an API key in a running Home Assistant."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.enphase_cloud.api import RequestWithheldError
from custom_components.enphase_cloud.const import CONF_PLAN, CONF_SYSTEMS, DOMAIN
from custom_components.enphase_cloud.quota.ledger import ASSUMED, Ledger
from custom_components.enphase_cloud.quota.plans import PLANS
from custom_components.enphase_cloud.runtime.key_budget import for_the_user
from custom_components.enphase_cloud.runtime.key_budgets import async_get_key_budgets
from simulator import Fault

from .conftest import SetUp, World
from .helpers import pass_time, press, state
from .world import API_KEY

USED = "sensor.enphase_account_api_calls_used"
LEFT = "sensor.enphase_account_api_calls_left"


pytestmark = pytest.mark.usefixtures("summer_noon")


@pytest.fixture
def plan() -> str:
    """Return the free plan, which has few calls."""
    return "watt"


def _stored_ledger(hass_storage: dict[str, Any]) -> Ledger:
    """Return the ledger that a restart after a kill -9 would find now."""
    [key] = [key for key in hass_storage if key.startswith(f"{DOMAIN}.account")]
    data = hass_storage[key]["data"]["ledger"]
    return Ledger.restore(data, PLANS["watt"], now=dt_util.utcnow())


def _counted(ledger: Ledger) -> int:
    now = dt_util.utcnow()
    return ledger.used(now) - ledger.by_operation(now).get(ASSUMED, 0)


async def test_stored_count_is_never_less_than_the_calls_made(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    hass_storage: dict[str, Any],
    freezer: FrozenDateTimeFactory,
) -> None:
    """A kill -9 at any time loses no call, and costs at most a small reservation."""
    await set_up()
    for _ in range(24):
        await pass_time(hass, freezer, timedelta(minutes=20))
        stored = _counted(_stored_ledger(hass_storage))
        assert len(world.calls) <= stored <= len(world.calls) + 2
    assert len(world.calls) > 5


async def test_clean_stop_stores_the_true_count(
    hass: HomeAssistant, world: World, set_up: SetUp, hass_storage: dict[str, Any]
) -> None:
    """No reservation is left when Home Assistant stops."""
    await set_up()
    await hass.async_stop(force=True)
    assert _counted(_stored_ledger(hass_storage)) == len(world.calls) == 3


async def test_entries_on_one_key_share_its_calls(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Two accounts signed in through one application have one budget."""
    first = await set_up()
    tenant = world.cloud.add_account(
        email="tenant@example.com", password="-", user_id="5550002"
    )
    system = world.cloud.add_system(tenant, name="Annex")
    token = world.cloud.tokens_for(world.application, tenant)
    second = MockConfigEntry(
        domain=DOMAIN,
        unique_id="5550002",
        title="Annex",
        data={
            **first.data,
            "token": {**first.data["token"], **token},
            CONF_SYSTEMS: [
                {
                    **first.data[CONF_SYSTEMS][0],
                    "id": system.system_id,
                    "name": "Annex",
                }
            ],
        },
        options=first.options,
    )
    second.add_to_hass(hass)
    await set_up(second)
    assert second.state is ConfigEntryState.LOADED
    assert len(world.calls) == 5
    assert state(hass, USED) == "5"

    await pass_time(hass, freezer, timedelta(hours=12))
    both = len(world.calls)
    await hass.config_entries.async_unload(second.entry_id)
    await pass_time(hass, freezer, timedelta(hours=12))
    assert 8 <= both <= 30
    # Renewals of the sign-in are counted here, though not by the cloud.
    assert int(state(hass, USED)) == len(world.cloud.requests)


async def test_refused_quota_of_the_month_stops_calls_until_it_ends(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """No request is sent until the month ends; then updates continue by themselves."""
    await set_up()
    world.cloud.faults.add(Fault(quota="month", times=1))
    freezer.tick(60)
    with pytest.raises(HomeAssistantError):
        await press(hass, "button.hilltop_refresh_now")
    assert state(hass, LEFT) == "0"
    sent = len(world.cloud.requests)

    with pytest.raises(HomeAssistantError) as raised:
        await press(hass, "button.hilltop_refresh_now")
    assert raised.value.translation_key == "quota_refused"
    freezer.move_to("2026-06-30 23:40:00+00:00")
    await pass_time(hass, freezer, timedelta(minutes=15))
    assert len(world.cloud.requests) == sent

    await pass_time(hass, freezer, timedelta(hours=3))
    assert len(world.cloud.requests) > sent
    assert int(state(hass, LEFT)) > 900
    assert {request.at.month for request in world.cloud.requests[sent:]} == {7}


async def test_presses_beyond_the_limit_per_minute_are_refused_before_sending(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """The cloud refuses none of the sent requests."""
    await set_up()

    async def press_often() -> None:
        for _ in range(10):
            await press(hass, "button.hilltop_refresh_now")

    with pytest.raises(HomeAssistantError) as raised:
        await press_often()
    assert raised.value.translation_key == "budget_exhausted"
    assert 3 < len(world.calls) <= 10
    assert {request.status for request in world.cloud.requests} == {200}


async def test_listener_that_fails_prevents_no_call(
    hass: HomeAssistant, caplog: pytest.LogCaptureFixture
) -> None:
    """It would be counted each time, but never sent."""
    budgets = async_get_key_budgets(hass)
    budget = await budgets.async_acquire(API_KEY, "entry", PLANS["watt"])
    called: list[int] = []
    budget.async_add_listener(lambda: called.append(1 // 0))
    budget.async_add_listener(lambda: called.append(1))
    sent = False
    async with budget.attempt("summary"):
        sent = True
    assert sent
    assert called
    assert "A listener of the budget failed" in caplog.text
    await budgets.async_release(API_KEY, "entry")


async def test_timer_that_a_refresh_of_the_user_starts_is_no_call_of_the_user(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    """The next update is background work again, and leaves the reserve alone."""
    budgets = async_get_key_budgets(hass)
    budget = await budgets.async_acquire(API_KEY, "entry", PLANS["watt"])
    with suppress(RequestWithheldError):
        while True:
            async with budget.attempt("background"):
                pass
    ended = asyncio.Event()

    async def call_later() -> None:
        await ended.wait()
        async with budget.attempt("later"):
            pass

    with for_the_user():
        later = asyncio.create_task(call_later())
    ended.set()
    with pytest.raises(RequestWithheldError):
        await later
    await budgets.async_release(API_KEY, "entry")


async def test_token_renewal_is_counted(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """A token expires after a day; Enphase may count its renewal as a call."""
    await set_up()
    before = int(state(hass, USED))
    freezer.tick(timedelta(hours=25))
    await pass_time(hass, freezer, timedelta(minutes=6))
    tokens = [r for r in world.cloud.requests if r.operation == "token"]
    assert [request.status for request in tokens] == [200]
    spent = len(world.cloud.requests) - 3
    assert int(state(hass, USED)) == before + spent


async def test_counters_restart_with_the_clouds_month(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Used and left calls are those of the new month."""
    await set_up()
    freezer.move_to(datetime(2026, 7, 1, 0, 0, 30, tzinfo=UTC))
    await pass_time(hass, freezer, timedelta(minutes=10))
    july = [request for request in world.cloud.requests if request.at.month == 7]
    assert int(state(hass, USED)) == len(july)
    assert int(state(hass, LEFT)) == 1000 - len(july)


async def test_smaller_plan_corrects_the_assumed_calls(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """The calls assumed before the first set-up follow the corrected plan."""
    entry = await set_up(options={CONF_PLAN: "kilowatt"})
    hass.config_entries.async_update_entry(
        entry, options={**entry.options, CONF_PLAN: "watt"}
    )
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert 200 < int(state(hass, LEFT)) < 1000
    freezer.tick(60)
    await press(hass, "button.hilltop_refresh_now")
    assert len(world.calls) == 6


async def test_count_of_a_key_is_stored_until_its_last_entry_is_removed(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    hass_storage: dict[str, Any],
) -> None:
    """Another entry keeps the count, whether it is loaded or not."""
    entry = await set_up()
    other = MockConfigEntry(
        domain=DOMAIN, unique_id="5550003", data=dict(entry.data), options=entry.options
    )
    other.add_to_hass(hass)
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert _counted(_stored_ledger(hass_storage)) == 3
    await hass.config_entries.async_remove(other.entry_id)
    await hass.async_block_till_done()
    assert not [key for key in hass_storage if key.startswith(DOMAIN)]


async def test_renewal_in_the_past_notifies_listeners_once(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    """The next notification follows a minute later, not at once."""
    budget = (await set_up()).runtime_data.budget
    notified: list[datetime] = []
    budget.async_add_listener(lambda: notified.append(dt_util.utcnow()))
    past = dt_util.utcnow() - timedelta(hours=1)
    with patch.object(Ledger, "blocked_until", return_value=past):
        budget.notify()
        for _ in range(100):
            await asyncio.sleep(0)
    assert len(notified) == 1
