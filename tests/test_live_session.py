"""Live sessions that start, end and are stopped at critical moments."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
from homeassistant.const import CONF_TOKEN, EVENT_STATE_CHANGED, STATE_OFF, STATE_ON
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)

from custom_components.enphase_cloud.const import (
    CONF_BURST_LENGTH,
    CONF_BURST_PAUSE,
    CONF_CALLS_PER_MINUTE,
    CONF_CALLS_PER_MONTH,
    CONF_LIVE_BURSTS,
    CONF_LIVE_STREAM,
    CONF_PLAN,
    CONF_STREAMS_PER_MONTH,
    DOMAIN,
    PLAN_CUSTOM,
)
from simulator import Fault

from .conftest import SetUp, Stepper, World
from .helpers import HILLTOP, fire_timers, press, state, system_devices
from .live import BUTTON_START, GRID, LIVE, Burst, grid_of, settle, start, until

LEFT = "sensor.enphase_account_live_streams_left"
USED = "sensor.enphase_account_api_calls_used"
BURSTS = {
    CONF_STREAMS_PER_MONTH: 1000,
    CONF_LIVE_BURSTS: True,
    CONF_BURST_PAUSE: 60,
    CONF_BURST_LENGTH: 30,
}


pytestmark = pytest.mark.usefixtures("summer_noon")


async def stop(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Stop the live session by the action."""
    await hass.services.async_call(DOMAIN, "stop_live_stream", {}, blocking=True)


type End = Callable[[HomeAssistant, MockConfigEntry], Coroutine[Any, Any, Any]]

ENDS: dict[str, End] = {
    "stop": stop,
    "unload": lambda hass, entry: hass.config_entries.async_unload(entry.entry_id),
    "reload": lambda hass, entry: hass.config_entries.async_reload(entry.entry_id),
}


async def test_session_that_the_budget_withholds_raises(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Nothing is sent; a session can start as soon as the budget allows."""
    entry = await set_up(
        options={
            CONF_PLAN: PLAN_CUSTOM,
            CONF_CALLS_PER_MINUTE: 4,
            CONF_CALLS_PER_MONTH: 1000,
            CONF_LIVE_STREAM: True,
        }
    )
    with suppress(HomeAssistantError):
        while True:
            await start(hass)
            await stop(hass, entry)
    for _ in range(2):
        with pytest.raises(HomeAssistantError) as raised:
            await start(hass)
        assert raised.value.translation_key == "budget_exhausted"
        assert state(hass, LIVE) == STATE_OFF
    sent = world.calls.count("live_data")
    freezer.tick(timedelta(minutes=2))
    await start(hass)
    assert state(hass, LIVE) == STATE_ON
    assert world.calls.count("live_data") == sent + 1


@pytest.mark.parametrize("end", ENDS)
async def test_stop_while_a_stream_opens_raises_for_the_caller(
    hass: HomeAssistant, world: World, set_up: SetUp, burst: Burst, end: str
) -> None:
    """The caller gets an error, not a cancellation; the connection is closed."""
    entry = await set_up()
    fault = world.cloud.faults.add(Fault(operation="live_data", hang=True))
    waiting = [
        hass.async_create_task(press(hass, BUTTON_START)),
        hass.async_create_task(start(hass)),
    ]
    await until(lambda: fault.hits == 1)
    await ENDS[end](hass, entry)
    for request in waiting:
        with pytest.raises(HomeAssistantError) as raised:
            await request
        assert raised.value.translation_key == "live_stopped"
    await burst.until_closed()
    assert fault.hits == 1


@pytest.mark.parametrize("end", ENDS)
async def test_stop_during_the_pause_of_a_retry_cancels_it(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    end: str,
) -> None:
    """A temporary error is not retried after the session was stopped."""
    entry = await set_up()
    fault = world.cloud.faults.add(Fault(operation="live_data", status=552))
    pressed = hass.async_create_task(press(hass, BUTTON_START))
    await until(lambda: fault.hits == 1)
    await settle()
    await ENDS[end](hass, entry)
    with pytest.raises(HomeAssistantError):
        await pressed
    for _ in range(3):
        freezer.tick(15)
        fire_timers(hass)
        await settle()
    assert fault.hits == 1


async def test_stop_of_a_scheduled_session_keeps_the_schedule(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    burst: Burst,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Stop ends the session that runs; the schedule continues."""
    fault = world.cloud.faults.add(Fault(operation="live_data", hang=True, times=1))
    entry = await set_up(options=BURSTS)
    fire_timers(hass)
    await until(lambda: fault.hits == 1)
    await stop(hass, entry)
    assert state(hass, LIVE) == STATE_OFF
    freezer.tick(timedelta(minutes=61))
    fire_timers(hass)
    await until(lambda: len(world.cloud.streams) == 1)
    await burst.run()


@pytest.mark.parametrize("end", ["unload", "reload"])
async def test_shutdown_after_a_failed_scheduled_session_leaves_no_timer(
    hass: HomeAssistant, world: World, set_up: SetUp, end: str
) -> None:
    """No session is planned after the shutdown, whenever it happens."""
    fault = world.cloud.faults.add(Fault(operation="live_data", status=500, times=1))
    entry = await set_up(options=BURSTS)
    fire_timers(hass)
    await until(lambda: fault.hits == 1)
    for _ in range(200):
        if state(hass, LIVE) == STATE_OFF:
            break
        await asyncio.sleep(0)
    await ENDS[end](hass, entry)


async def test_set_up_that_fails_late_leaves_no_session(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Sessions are planned before the platforms are set up, which may fail."""
    with patch.object(
        hass.config_entries, "async_forward_entry_setups", side_effect=ValueError
    ):
        entry = await set_up(options=BURSTS)
    assert entry.state is ConfigEntryState.SETUP_ERROR
    freezer.tick(timedelta(minutes=61))
    fire_timers(hass)
    await settle()
    assert "live_data" not in world.calls


async def test_cancelled_caller_does_not_cancel_the_session(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Other callers still wait; only they get a later error."""
    await set_up()
    fault = world.cloud.faults.add(Fault(operation="live_data", status=552))
    impatient, patient = (asyncio.create_task(start(hass)) for _ in range(2))
    await until(lambda: fault.hits == 1)
    await settle()
    impatient.cancel()
    await settle()
    assert impatient.cancelled()
    for attempt in (2, 3):
        freezer.tick(15)
        fire_timers(hass)
        await until(lambda attempt=attempt: fault.hits == attempt)
        await settle()
    with pytest.raises(HomeAssistantError):
        await patient
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_request_while_a_stream_outlasts_its_time_costs_one_stream(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    burst: Burst,
) -> None:
    """The overtime is not added to the requested duration."""
    await set_up()
    world.cloud.faults.add(Fault(operation="live_data", stream="endless", times=1))
    await start(hass, duration=30)
    await burst.second()
    freezer.tick(40)
    assert (await start(hass, duration=300))[HILLTOP]["streams"] == 1


async def test_request_in_the_last_second_gets_its_whole_duration(
    hass: HomeAssistant, world: World, set_up: SetUp, burst: Burst
) -> None:
    """A request of half a minute gets half a minute."""
    await set_up()
    await start(hass, duration=30)
    for _ in range(29):
        await burst.second()
    requested_at = dt_util.utcnow()
    response = await start(hass, duration=30)
    assert response[HILLTOP]["streams"] == 1
    while state(hass, LIVE) == STATE_ON:
        await burst.second()
    assert dt_util.utcnow() - requested_at >= timedelta(seconds=30)
    assert [stream.duration for stream in world.cloud.streams] == [30, 30]


@pytest.mark.parametrize("turns", range(0, 40, 4))
@pytest.mark.thorough
async def test_request_while_a_session_ends_gets_its_whole_duration(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    burst: Burst,
    stepper: Stepper,
    freezer: FrozenDateTimeFactory,
    turns: int,
) -> None:
    """Whether the session is extended or a new one begins, the caller gets frames."""
    await set_up()
    await start(hass, duration=30)
    for _ in range(29):
        await burst.second()
    await until(lambda: stepper.is_waiting)
    freezer.tick(1)
    stepper.step()
    for _ in range(turns):
        await asyncio.sleep(0)
    requested_at = dt_util.utcnow()
    granted = (await start(hass, duration=30))[HILLTOP]
    assert granted["streams"] == 1
    ends_at = dt_util.parse_datetime(granted["ends_at"])
    assert ends_at is not None
    assert ends_at >= requested_at + timedelta(seconds=30)
    await until(lambda: len(world.cloud.streams) == 2)
    while state(hass, LIVE) == STATE_ON:
        await burst.second()
    assert timedelta() <= dt_util.utcnow() - ends_at <= timedelta(seconds=1)


@pytest.mark.parametrize("shape", ["reset", "error_object"])
async def test_no_stream_follows_one_that_ended_early(
    hass: HomeAssistant, world: World, set_up: SetUp, burst: Burst, shape: Any
) -> None:
    """Otherwise streams that end at once would be billed one after the other."""
    await set_up()
    world.cloud.faults.add(Fault(operation="live_data", stream=shape))
    await start(hass, duration=3600)
    while state(hass, LIVE) == STATE_ON:
        await burst.second()
    assert len(world.cloud.streams) == 1


async def test_stream_follows_one_that_does_not_end(
    hass: HomeAssistant, world: World, set_up: SetUp, burst: Burst
) -> None:
    """The client closes a stream that outlasts its duration, and the next one opens."""
    await set_up()
    world.cloud.live_interval = 5
    world.cloud.faults.add(Fault(operation="live_data", stream="endless", times=1))
    began = dt_util.utcnow()
    await start(hass, duration=600)
    while state(hass, LIVE) == STATE_ON:
        await burst.second()
    assert world.cloud.streams[0].duration == 300
    assert len(world.cloud.streams) == 2
    assert 600 <= (dt_util.utcnow() - began).total_seconds() <= 610


async def test_session_over_the_end_of_a_month_counts_in_both(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    burst: Burst,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Each stream counts in the month in which it begins."""
    await set_up(options={CONF_STREAMS_PER_MONTH: 4})
    freezer.move_to("2026-06-30 23:52:00+00:00")
    world.cloud.live_interval = 20
    response = await start(hass, duration=900)
    assert response[HILLTOP]["streams"] == 3
    assert state(hass, LEFT) == "3"
    while state(hass, LIVE) == STATE_ON:
        await burst.second()
    months = [stream.opened_at.month for stream in world.cloud.streams]
    assert months == [6, 6, 7]
    assert state(hass, LEFT) == "3"


async def test_scheduled_session_checks_the_share_of_the_user_when_it_begins(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    burst: Burst,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The share is checked again at the planned time."""
    await set_up(options={**BURSTS, CONF_STREAMS_PER_MONTH: 5})
    fire_timers(hass)
    await until(lambda: len(world.cloud.streams) == 1)
    await burst.run()
    for number in range(2, 5):
        await start(hass)
        await until(lambda number=number: len(world.cloud.streams) == number)
        await burst.run()
    assert state(hass, LEFT) == "1"
    while dt_util.utcnow().month == 6:
        freezer.tick(timedelta(hours=6))
        fire_timers(hass)
        await hass.async_block_till_done()
        await settle()
        if dt_util.utcnow().month == 6:
            assert len(world.cloud.streams) == 4


async def test_scheduled_session_waits_for_the_end_of_another(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    burst: Burst,
    freezer: FrozenDateTimeFactory,
) -> None:
    """It neither joins the other one nor keeps the event loop busy."""
    options = {**BURSTS, CONF_STREAMS_PER_MONTH: 100_000, CONF_BURST_PAUSE: 5}
    await set_up(options=options)
    world.cloud.live_interval = 5
    await start(hass, duration=600)
    while world.cloud.streams[-1].opened_at == world.cloud.streams[0].opened_at:
        await burst.second()
    with patch.object(hass.loop, "call_at", wraps=hass.loop.call_at) as planned:
        for _ in range(20):
            assert len(world.cloud.streams) == 2
            await burst.second()
    assert planned.call_count < 200
    while state(hass, LIVE) == STATE_ON:
        await burst.second()
    fire_timers(hass)
    await until(lambda: len(world.cloud.streams) == 3)
    assert world.cloud.streams[-1].duration == 30
    await burst.run()


async def test_requests_and_a_stop_at_the_same_moment(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """Each caller gets either streams or an error."""
    entry = await set_up()
    await start(hass, duration=30)
    responses = await asyncio.gather(
        start(hass, duration=600),
        stop(hass, entry),
        start(hass, duration=600),
        stop(hass, entry),
        start(hass, duration=60),
        return_exceptions=True,
    )
    assert all(
        response is None or isinstance(response, (dict, HomeAssistantError))
        for response in responses
    )
    await settle()
    promised = responses[-1]
    assert (state(hass, LIVE) == STATE_ON) is isinstance(promised, dict)


async def test_no_session_begins_while_home_assistant_stops(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """It would be billed, and nobody would see it."""
    await set_up(options=BURSTS)
    await hass.async_stop(force=True)
    freezer.tick(timedelta(minutes=61))
    fire_timers(hass)
    await settle()
    assert "live_data" not in world.calls


@pytest.mark.parametrize("entity_id", [USED, LEFT, LIVE, GRID])
async def test_automation_stops_the_session_that_triggered_it(
    hass: HomeAssistant, world: World, set_up: SetUp, burst: Burst, entity_id: str
) -> None:
    """The first frame of a session can trigger automations at once."""
    entry = await set_up()
    stops: list[asyncio.Task[None]] = []

    @callback
    def stop_it(_event: Event[EventStateChangedData]) -> None:
        if not stops:
            stops.append(hass.async_create_task(stop(hass, entry)))

    async_track_state_change_event(hass, entity_id, stop_it)
    with suppress(HomeAssistantError):
        await start(hass)
    await until(lambda: bool(stops))
    await asyncio.gather(*stops)
    assert state(hass, LIVE) == STATE_OFF
    await burst.until_closed()


async def test_live_session_is_on_only_while_it_streams(
    hass: HomeAssistant, world: World, set_up: SetUp, burst: Burst
) -> None:
    """A stream that fails to open must not look like the end of a session."""
    entry = await set_up()
    fault = world.cloud.faults.add(Fault(operation="live_data", hang=True))
    changes = async_capture_events(hass, EVENT_STATE_CHANGED)
    request = hass.async_create_task(start(hass))
    await until(lambda: fault.hits == 1)
    await press(hass, "button.hilltop_refresh_now")
    await stop(hass, entry)
    with pytest.raises(HomeAssistantError):
        await request
    assert LIVE not in {event.data["entity_id"] for event in changes}
    await burst.until_closed()


async def test_session_that_the_budget_shortens_reports_its_true_end(
    hass: HomeAssistant, world: World, set_up: SetUp, burst: Burst
) -> None:
    """Two streams of five minutes end after ten minutes, not after an hour."""
    await set_up(options={CONF_STREAMS_PER_MONTH: 2})
    world.cloud.live_interval = 20
    began = dt_util.utcnow()
    response = await start(hass, duration=3600)
    ends_at = dt_util.parse_datetime(response[HILLTOP]["ends_at"])
    assert ends_at == began + timedelta(minutes=10)
    while state(hass, LIVE) == STATE_ON:
        await burst.second()
    assert timedelta() <= dt_util.utcnow() - ends_at <= timedelta(seconds=20)


async def test_grant_excludes_streams_that_retries_used(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    burst: Burst,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A failed first attempt leaves one stream of two."""
    await set_up(options={CONF_STREAMS_PER_MONTH: 2})
    world.cloud.live_interval = 20
    fault = world.cloud.faults.add(Fault(operation="live_data", status=552, times=1))
    request = hass.async_create_task(start(hass, duration=600))
    await until(lambda: fault.hits == 1)
    await settle()
    freezer.tick(5)
    fire_timers(hass)
    granted = (await request)[HILLTOP]
    assert granted["streams"] == 1
    assert granted["cost_usd"] == 0.1
    assert dt_util.parse_datetime(granted["ends_at"]) == dt_util.utcnow() + timedelta(
        minutes=5
    )
    await burst.run()
    assert len(world.cloud.streams) == 1


async def test_no_stream_follows_after_the_requested_duration(
    hass: HomeAssistant, world: World, set_up: SetUp, burst: Burst
) -> None:
    """Not even after a stream that outlasts it."""
    await set_up()
    world.cloud.live_interval = 5
    world.cloud.faults.add(Fault(operation="live_data", stream="endless", times=1))
    await start(hass, duration=330)
    while state(hass, LIVE) == STATE_ON:
        await burst.second()
    assert len(world.cloud.streams) == 1


async def test_joined_scheduled_session_uses_the_reserve_of_the_user(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    burst: Burst,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A retry of a scheduled session that the user joined counts as the user's."""
    fault = world.cloud.faults.add(Fault(operation="live_data", status=552, times=1))
    options = {
        CONF_PLAN: PLAN_CUSTOM,
        CONF_CALLS_PER_MINUTE: 9,
        CONF_CALLS_PER_MONTH: 100_000,
        CONF_LIVE_STREAM: True,
    }
    await set_up(options=BURSTS | options)
    fire_timers(hass)
    await until(lambda: fault.hits == 1)
    await settle()
    # Two times three documents and an attempt: now there is one call for the user only.
    await press(hass, "button.hilltop_refresh_now")
    joined = hass.async_create_task(start(hass))
    await settle()
    freezer.tick(5)
    fire_timers(hass)
    await joined
    assert len(world.cloud.streams) == 1
    await burst.run()


@pytest.mark.parametrize("status", [466, 468, 472])
@pytest.mark.parametrize("by_hand", [False, True])
async def test_error_within_a_stream_stops_the_schedule(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    burst: Burst,
    freezer: FrozenDateTimeFactory,
    status: int,
    *,
    by_hand: bool,
) -> None:
    """It has the same consequence as the same error instead of a stream."""
    world.cloud.faults.add(
        Fault(operation="live_data", stream="error_object", status=status)
    )
    await set_up(options=BURSTS)
    if by_hand:
        await start(hass)
    else:
        fire_timers(hass)
    await until(lambda: state(hass, LIVE) == STATE_ON)
    while state(hass, LIVE) == STATE_ON:
        await burst.second()
    for _ in range(3):
        freezer.tick(timedelta(minutes=61))
        fire_timers(hass)
        await hass.async_block_till_done()
        await settle()
    assert len(world.cloud.streams) == 1


async def test_refused_token_starts_reauthentication(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The token is renewed before a stream opens; if refused, the user signs in."""
    entry = await set_up()
    world.cloud.tokens.revoke(world.owner)
    freezer.tick(timedelta(days=1))
    world.cloud.requests.clear()
    with pytest.raises(HomeAssistantError) as raised:
        await start(hass)
    assert raised.value.translation_key == "sign_in_again"
    assert "live_data" not in world.calls
    assert state(hass, LIVE) == STATE_OFF
    await hass.async_block_till_done()
    [flow] = hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == SOURCE_REAUTH
    assert flow["context"]["entry_id"] == entry.entry_id


@pytest.mark.parametrize("end", ENDS)
async def test_stop_during_a_renewal_keeps_the_new_token(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    stepper: Stepper,
    freezer: FrozenDateTimeFactory,
    end: str,
) -> None:
    """The cloud has issued it already: losing it would end the sign-in."""
    entry = await set_up()
    known = entry.data[CONF_TOKEN]
    fault = world.cloud.faults.add(Fault(operation="token", delay=1))
    freezer.tick(timedelta(days=1))
    request = hass.async_create_task(start(hass))
    await until(lambda: stepper.is_waiting)
    ended = hass.async_create_task(ENDS[end](hass, entry))
    await settle()
    world.cloud.faults.remove(fault)
    stepper.step()
    await ended
    with pytest.raises(HomeAssistantError):
        await request
    await hass.async_block_till_done()
    assert entry.data[CONF_TOKEN]["refresh_token"] != known["refresh_token"]
    assert "live_data" not in world.calls


async def test_session_that_the_budget_ends_keeps_its_last_frame(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    burst: Burst,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Its values stay, and a session can start once calls are available."""
    await set_up(
        options={
            CONF_PLAN: PLAN_CUSTOM,
            CONF_CALLS_PER_MINUTE: 7,
            CONF_CALLS_PER_MONTH: 100_000,
            CONF_LIVE_STREAM: True,
        }
    )
    world.cloud.live_interval = 20
    await start(hass, duration=600)
    while len(world.cloud.frames) < 15:
        await burst.second()
    with suppress(HomeAssistantError):
        while True:
            await press(hass, "button.hilltop_refresh_now")
    last = world.cloud.frames[-1]
    while state(hass, LIVE) == STATE_ON:
        await burst.second()
    assert len(world.cloud.streams) == 1
    assert float(state(hass, GRID)) == grid_of(last)
    freezer.tick(timedelta(minutes=2))
    await start(hass)
    assert len(world.cloud.streams) == 2
    await burst.run()


async def test_systems_share_the_streams_of_a_month(
    hass: HomeAssistant, world: World, set_up: SetUp, burst: Burst
) -> None:
    """A session ends early where another system used the remaining streams."""
    world.add_system(name="Valley")
    await set_up(options={CONF_STREAMS_PER_MONTH: 3})
    world.cloud.live_interval = 20
    await start(hass, duration=900)
    valley = "binary_sensor.valley_live_session"
    assert state(hass, valley) == STATE_ON
    while STATE_ON in (state(hass, LIVE), state(hass, valley)):
        await burst.second()
    assert len(world.cloud.streams) == 3
    assert state(hass, LEFT) == "0"


async def test_set_up_that_fails_during_a_session_ends_it(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """The session ends, and no other one follows."""
    fault = world.cloud.faults.add(Fault(operation="live_data", hang=True))

    async def fail_late(*_: object) -> None:
        fire_timers(hass)
        await until(lambda: fault.hits == 1)
        raise ValueError

    with patch.object(hass.config_entries, "async_forward_entry_setups", fail_late):
        entry = await set_up(options=BURSTS)
    assert entry.state is ConfigEntryState.SETUP_ERROR
    freezer.tick(timedelta(minutes=61))
    fire_timers(hass)
    await settle()
    assert fault.hits == 1


async def test_last_stream_is_attempted_once(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """The caller gets the reason at once."""
    await set_up(options={CONF_STREAMS_PER_MONTH: 1})
    fault = world.cloud.faults.add(Fault(operation="live_data", status=473))
    with pytest.raises(HomeAssistantError) as raised:
        await start(hass)
    assert raised.value.translation_key == "live_gateway_offline"
    assert fault.hits == 1


async def test_streams_of_one_system_postpone_the_sessions_of_another(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    burst: Burst,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A session that was planned with streams used since waits for the next month."""
    world.add_system(name="Valley")
    await set_up(options={**BURSTS, CONF_STREAMS_PER_MONTH: 4})
    fire_timers(hass)
    await until(lambda: len(world.cloud.streams) == 2)
    await burst.run()
    await press(hass, "button.valley_start_live_session")
    await burst.run()
    while dt_util.utcnow().month == 6:
        assert len(world.cloud.streams) == 3
        freezer.tick(timedelta(hours=6))
        fire_timers(hass)
        await hass.async_block_till_done()
        await settle()


async def test_only_one_system_opens_the_last_stream(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    stepper: Stepper,
    burst: Burst,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Not even if both waited for a new token while the stream was still left."""
    world.add_system(name="Valley")
    entry = await set_up(options={CONF_STREAMS_PER_MONTH: 1})
    freezer.tick(timedelta(days=1))
    fault = world.cloud.faults.add(Fault(operation="token", delay=1))
    devices = system_devices(hass, entry)
    requests = [
        hass.async_create_task(start(hass, device_id=device.id)) for device in devices
    ]
    await until(lambda: stepper.is_waiting)
    world.cloud.faults.remove(fault)
    stepper.step()
    responses = await asyncio.gather(*requests, return_exceptions=True)
    [refused] = [each for each in responses if not isinstance(each, dict)]
    assert isinstance(refused, HomeAssistantError)
    assert refused.translation_key == "live_budget_used_up"
    assert state(hass, LEFT) == "0"
    assert len(world.cloud.streams) == 1
    await burst.run()
