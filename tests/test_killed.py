"""A kill -9 costs at most one counted call, and no live stream."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest

from custom_components.enphase_cloud.const import CONF_STREAMS_PER_MONTH, DOMAIN
from custom_components.enphase_cloud.quota.ledger import ASSUMED, Ledger
from custom_components.enphase_cloud.quota.plans import PLANS

from .conftest import SetUp, World
from .helpers import press, state
from .live import BUTTON_START

STREAMS_LEFT = "sensor.enphase_account_live_streams_left"


pytestmark = pytest.mark.usefixtures("summer_noon")


def _account_key(hass_storage: dict[str, Any]) -> str:
    [key] = [key for key in hass_storage if key.startswith(f"{DOMAIN}.account")]
    return key


@pytest.mark.parametrize("plan", ["kilowatt", "megawatt"])
async def test_kills_cost_no_live_streams(
    hass: HomeAssistant, world: World, set_up: SetUp, hass_storage: dict[str, Any]
) -> None:
    """Streams that were not opened are not counted, even after many kills."""
    entry = await set_up(options={CONF_STREAMS_PER_MONTH: 100})
    key = _account_key(hass_storage)
    for _ in range(10):
        on_disk = hass_storage[key]
        await hass.config_entries.async_unload(entry.entry_id)
        hass_storage[key] = on_disk
        await set_up(entry)
        assert state(hass, STREAMS_LEFT) == "100"
    assert "live_data" not in world.calls


async def test_stream_is_stored_before_it_opens(
    hass: HomeAssistant, world: World, set_up: SetUp, hass_storage: dict[str, Any]
) -> None:
    """A stream that runs during a kill is counted."""
    entry = await set_up(options={CONF_STREAMS_PER_MONTH: 100})
    key = _account_key(hass_storage)
    await press(hass, BUTTON_START)
    assert world.calls.count("live_data") == 1
    on_disk = hass_storage[key]
    await hass.config_entries.async_unload(entry.entry_id)
    hass_storage[key] = on_disk
    await set_up(entry)
    assert state(hass, STREAMS_LEFT) == "99"


@pytest.mark.parametrize("plan", ["watt", "kilowatt", "partner"])
@pytest.mark.thorough
async def test_kill_costs_at_most_one_call(
    hass: HomeAssistant,
    world: World,
    plan: str,
    set_up: SetUp,
    hass_storage: dict[str, Any],
    freezer: Any,
) -> None:
    """Each kill counts at most one call that was not sent."""
    entry = await set_up()
    key = _account_key(hass_storage)
    kills = 20
    for _ in range(kills):
        freezer.tick(75)
        await press(hass, "button.hilltop_refresh_now")
        on_disk = hass_storage[key]
        await hass.config_entries.async_unload(entry.entry_id)
        hass_storage[key] = on_disk
        await set_up(entry)
    now = dt_util.utcnow()
    ledger = Ledger.restore(on_disk["data"]["ledger"], PLANS[plan], now=now)
    counted = ledger.used(now) - ledger.by_operation(now).get(ASSUMED, 0)
    assert len(world.calls) <= counted <= len(world.calls) + kills
