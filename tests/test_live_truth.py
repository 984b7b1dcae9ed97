"""Entities show the true values of each published frame during a live session."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import EVENT_STATE_CHANGED, STATE_ON
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_capture_events

from custom_components.enphase_cloud.const import CONF_PUBLISH_INTERVAL, DOMAIN
from simulator.world import Connection

from .conftest import SetUp, World
from .helpers import pass_time, press, state
from .live import GRID, GRID_STATUS, LIVE, PRODUCTION, Burst, start, truth_at

_REFRESH = "button.hilltop_refresh_now"
_OUTAGE = datetime(2026, 6, 17, 5, 40, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _morning(freezer: FrozenDateTimeFactory) -> None:
    """Start in the morning, when production and battery level rise."""
    freezer.move_to(_OUTAGE - timedelta(minutes=3))


@pytest.mark.parametrize("publish_interval", [1, 5, 7])
async def test_entities_show_the_true_values_of_every_published_frame(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    burst: Burst,
    publish_interval: int,
) -> None:
    """Five minutes with an outage of the grid, and with polls of older documents."""
    await set_up(options={CONF_PUBLISH_INTERVAL: publish_interval})
    world.system.start_grid_outage(_OUTAGE)
    changes = async_capture_events(hass, EVENT_STATE_CHANGED)
    await start(hass, duration=300)
    live_entities = truth_at(world, dt_util.utcnow()).keys()
    published: list[datetime] = []
    while state(hass, LIVE) == STATE_ON:
        changes.clear()
        await burst.second()
        if len(world.cloud.frames) in (100, 200):
            await press(hass, _REFRESH)
        if {event.data["entity_id"] for event in changes} & live_entities:
            published.append(dt_util.utcnow())
            frame = world.cloud.frames[-1]
            assert dt_util.utcnow() - frame.at <= timedelta(seconds=1)
            truth = truth_at(world, frame.at)
            assert {
                entity_id: state(hass, entity_id) for entity_id in live_entities
            } == truth
    assert len(world.cloud.frames) == 300
    last = truth_at(world, world.cloud.frames[-1].at)
    assert {entity_id: state(hass, entity_id) for entity_id in live_entities} == last
    assert last[GRID_STATUS] == "off_grid"
    # Once per publish interval; only the last frame does not wait for it.
    interval = timedelta(seconds=publish_interval)
    assert all(
        later - earlier >= interval for earlier, later in pairwise(published[:-1])
    )
    assert 0.9 * 300 / publish_interval <= len(published) <= 300 / publish_interval + 2


@pytest.mark.parametrize("frames", range(1, 9))
@pytest.mark.parametrize("end", ["stop", "break"])
@pytest.mark.thorough
async def test_last_frame_is_always_published(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    burst: Burst,
    frames: int,
    end: str,
) -> None:
    """A session can end at any time within the publish interval."""
    await set_up()
    await start(hass, duration=300)
    while len(world.cloud.frames) < frames:
        await burst.second()
    if end == "stop":
        await hass.services.async_call(
            DOMAIN,
            "stop_live_stream",
            {},
            blocking=True,
        )
    else:
        world.cloud.connections.drop()
        await burst.second()
    assert state(hass, LIVE) != STATE_ON
    last = truth_at(world, world.cloud.frames[-1].at)
    assert len(world.cloud.frames) == frames
    assert {entity_id: state(hass, entity_id) for entity_id in last} == last


@pytest.mark.parametrize("connection", ["ethernet", "wifi"])
async def test_polls_after_a_session_replace_only_older_values(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    burst: Burst,
    freezer: FrozenDateTimeFactory,
    connection: Connection,
) -> None:
    """The values of the last frame stay until a poll returns newer measurements.

    A report may be newer than the frame while its measurements are older.
    """
    world.system.connection = connection
    freezer.move_to(_OUTAGE + timedelta(minutes=3, seconds=50))
    await set_up()
    world.cloud.live_interval = 5
    await start(hass, duration=300)
    await burst.run()
    last = world.cloud.frames[-1].at
    reports = set()
    for _ in range(55):
        await pass_time(hass, freezer, timedelta(minutes=1))
        await press(hass, _REFRESH)
        measured = datetime.fromtimestamp(
            world.cloud.published(world.system).measured_at, UTC
        )
        newest = max(last, measured)
        reports.add(newest)
        truth = truth_at(world, newest)
        assert state(hass, GRID) == truth[GRID]
        assert state(hass, PRODUCTION) == truth[PRODUCTION]
        # No document contains this.
        assert state(hass, GRID_STATUS) == truth_at(world, last)[GRID_STATUS]
    assert last in reports
    assert len(reports) >= 4
