"""A clock that was ahead for months blocks nothing once it is right."""

from datetime import timedelta
import time
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.enphase_cloud.const import (
    CONF_BURST_LENGTH,
    CONF_BURST_PAUSE,
    CONF_LIVE_BURSTS,
    CONF_STREAMS_PER_MONTH,
)
from simulator import Fault

from .conftest import SetUp, World
from .helpers import pass_time
from .live import Burst, until

AHEAD = timedelta(days=60)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

pytestmark = pytest.mark.usefixtures("summer_noon")


@pytest.fixture(autouse=True)
def _ahead(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    monkeypatch: pytest.MonkeyPatch,
    summer_noon: None,
) -> None:
    """Begin with a clock that is ahead."""

    def monotonic() -> float:
        # Looked up at each call: `correct` replaces it.
        return hass.loop.time()

    monkeypatch.setattr(time, "monotonic", monotonic)
    freezer.move_to(dt_util.utcnow() + AHEAD)


@pytest.fixture
def system_properties() -> dict[str, Any]:
    """Return panels alone, which take few calls."""
    return {"name": "Hilltop", "time_zone": "Europe/Berlin", "meters": []}


def correct(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
    """Set the clock back; the loop's own clock goes on."""
    ticks = hass.loop.time
    freezer.move_to(dt_util.utcnow() - AHEAD)
    hass.loop.time = lambda: ticks() + AHEAD.total_seconds()


async def test_daily_document_is_requested_the_next_day(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    await set_up(options={"groups": ["panels"]})
    assert "inverters_summary" in world.calls
    correct(hass, freezer)
    before = len(world.calls)
    await pass_time(hass, freezer, DAY, step=HOUR)
    assert world.calls[before:].count("inverters_summary") == 1


async def test_hidden_system_is_requested_at_once(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    await set_up()
    fault = world.cloud.faults.add(Fault(operation="summary", status=404))
    await pass_time(hass, freezer, HOUR, step=HOUR / 4)
    assert fault.hits == 1
    correct(hass, freezer)
    await pass_time(hass, freezer, HOUR, step=HOUR / 4)
    assert fault.hits == 2
    await pass_time(hass, freezer, DAY, step=HOUR)
    assert fault.hits == 3


async def test_list_of_systems_is_read_within_a_week(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    await set_up()
    correct(hass, freezer)
    await pass_time(hass, freezer, 8 * DAY, step=6 * HOUR)
    assert world.calls.count("systems") == 1


@pytest.mark.parametrize("system_properties", [{"name": "Hilltop", "battery": 2}])
async def test_scheduled_sessions_continue(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    burst: Burst,
    freezer: FrozenDateTimeFactory,
) -> None:
    await set_up(
        options={
            CONF_LIVE_BURSTS: True,
            CONF_BURST_PAUSE: 60,
            CONF_BURST_LENGTH: 30,
            CONF_STREAMS_PER_MONTH: 1000,
        }
    )
    async_fire_time_changed(hass)
    await until(lambda: len(world.cloud.streams) == 1)
    await burst.run()
    correct(hass, freezer)
    for _ in range(5):
        freezer.tick(HOUR / 4)
        async_fire_time_changed(hass)
        for _ in range(200):
            await hass.async_block_till_done()
    assert len(world.cloud.streams) == 2
