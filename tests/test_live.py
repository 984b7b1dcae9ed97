"""Live sessions: from the stream to the states."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import ATTR_DEVICE_ID, STATE_OFF, STATE_ON
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)
import voluptuous as vol

from custom_components.enphase_cloud.const import (
    CONF_BURST_LENGTH,
    CONF_BURST_PAUSE,
    CONF_LIVE_BURSTS,
    CONF_STREAMS_PER_MONTH,
    DOMAIN,
)
from custom_components.enphase_cloud.measurements.catalog import Measurement
from custom_components.enphase_cloud.quota.ledger import Ledger
from custom_components.enphase_cloud.quota.plans import PLANS
from simulator import Fault

from .conftest import SetUp, World
from .helpers import HILLTOP, fire_timers, pass_time, press, state, system_devices
from .live import BUTTON_START, GRID, LIVE, Burst, grid_of, start, until

BURSTS = {
    CONF_STREAMS_PER_MONTH: 1000,
    CONF_LIVE_BURSTS: True,
    CONF_BURST_PAUSE: 60,
    CONF_BURST_LENGTH: 30,
}


pytestmark = pytest.mark.usefixtures("summer_noon")


async def test_session_shows_the_values_of_frames(
    hass: HomeAssistant, world: World, set_up: SetUp, burst: Burst
) -> None:
    """Each state during a session is that of a frame; the last one stays."""
    await set_up()
    assert state(hass, LIVE) == STATE_OFF
    changes = async_capture_events(hass, "state_changed")
    await press(hass, BUTTON_START)
    await until(lambda: state(hass, LIVE) == STATE_ON)
    assert world.calls[-1] == "live_data"
    await burst.run()

    shown = [
        float(event.data["new_state"].state)
        for event in changes
        if event.data["entity_id"] == GRID
    ]
    sent = [grid_of(frame) for frame in world.cloud.frames]
    assert len(sent) == 60
    assert set(shown) <= set(sent)
    assert shown[-1] == sent[-1] == float(state(hass, GRID))
    # A minute of frames each second, published every five seconds.
    assert 10 <= len(shown) <= 14
    assert state(hass, "sensor.hilltop_grid_status") == "on_grid"
    assert state(hass, "sensor.hilltop_battery_mode") == "self_consumption"
    assert world.cloud.counts()["live_data"] == 1


async def test_sensor_shows_when_the_session_ends(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    burst: Burst,
    entity_registry_enabled_by_default: None,
) -> None:
    """Its state is a timestamp, and unknown after the session."""
    await set_up()
    began = dt_util.utcnow()
    await press(hass, BUTTON_START)
    ends = state(hass, "sensor.hilltop_live_session_ends")
    assert datetime.fromisoformat(ends) == began + timedelta(seconds=60)
    await burst.run()
    assert state(hass, "sensor.hilltop_live_session_ends") == "unknown"


async def test_action_takes_a_duration_and_returns_the_end(
    hass: HomeAssistant, world: World, set_up: SetUp, burst: Burst
) -> None:
    """The target is a device; the duration is a field."""
    entry = await set_up()
    began = dt_util.utcnow()
    response = await start(
        hass, **{ATTR_DEVICE_ID: device_id(hass, entry), "duration": {"minutes": 2}}
    )
    assert response == {
        HILLTOP: {
            "name": "Hilltop",
            "ends_at": (began + timedelta(minutes=2)).isoformat(),
            "streams": 1,
            "cost_usd": 0.1,
        }
    }
    assert world.cloud.streams[0].duration == 120
    await burst.run()


async def test_second_request_joins_the_session(
    hass: HomeAssistant, world: World, set_up: SetUp, burst: Burst
) -> None:
    """There is one stream per system at a time, billed once."""
    await set_up()
    first = await start(hass)
    await burst.second()
    second = await start(hass)
    await press(hass, BUTTON_START)
    assert first[HILLTOP]["ends_at"] == second[HILLTOP]["ends_at"]
    assert (first[HILLTOP]["streams"], second[HILLTOP]["streams"]) == (1, 0)
    assert len(world.cloud.streams) == 1
    await burst.run()


async def test_simultaneous_requests_open_one_stream(
    hass: HomeAssistant, world: World, set_up: SetUp, burst: Burst
) -> None:
    """Two automations at the same moment share a stream."""
    await set_up()
    responses = await asyncio.gather(
        start(hass),
        start(hass),
        press(hass, BUTTON_START),
    )
    assert sorted(response[HILLTOP]["streams"] for response in responses[:2]) == [0, 1]
    assert responses[0][HILLTOP]["ends_at"] == responses[1][HILLTOP]["ends_at"]
    assert len(world.cloud.streams) == 1
    await burst.run()


async def test_scheduled_session_starts_after_each_pause(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    burst: Burst,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The pause is counted from the start of one session to the start of the next."""
    await set_up(options=BURSTS)
    for number in (1, 2, 3):
        fire_timers(hass)
        await until(lambda number=number: len(world.cloud.streams) == number)
        await burst.run()
        began = world.cloud.streams[-1].opened_at
        freezer.move_to(began + timedelta(minutes=60))
    starts = [stream.opened_at for stream in world.cloud.streams]
    assert starts[1] - starts[0] == starts[2] - starts[1] == timedelta(minutes=60)


async def test_restart_repeats_no_session(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    burst: Burst,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The next one begins when it would have begun without a restart."""
    entry = await set_up(options=BURSTS)
    fire_timers(hass)
    await until(lambda: len(world.cloud.streams) == 1)
    await burst.run()
    await hass.config_entries.async_reload(entry.entry_id)
    freezer.tick(timedelta(minutes=58))
    fire_timers(hass)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert len(world.cloud.streams) == 1
    freezer.tick(timedelta(minutes=3))
    fire_timers(hass)
    await until(lambda: len(world.cloud.streams) == 2)
    await burst.run()


@pytest.mark.parametrize("end", ["unload", "reload", "stop"])
async def test_unload_closes_the_stream(
    hass: HomeAssistant, world: World, set_up: SetUp, burst: Burst, end: str
) -> None:
    """No stream stays open without an entry."""
    entry = await set_up()
    await press(hass, BUTTON_START)
    await burst.second()
    match end:
        case "unload":
            await hass.config_entries.async_unload(entry.entry_id)
        case "reload":
            await hass.config_entries.async_reload(entry.entry_id)
            assert state(hass, LIVE) == STATE_OFF
        case "stop":
            await hass.async_stop(force=True)
    sent = len(world.cloud.frames)
    await burst.second()
    assert burst.has_ended
    assert len(world.cloud.frames) <= sent + 1
    assert len(world.cloud.streams) == 1


async def test_interrupted_stream_keeps_the_last_frame(
    hass: HomeAssistant, world: World, set_up: SetUp, burst: Burst
) -> None:
    """Its values stay after a lost connection."""
    entry = await set_up()
    await press(hass, BUTTON_START)
    for _ in range(7):
        await burst.second()
    last = world.cloud.frames[-1]
    world.cloud.connections.drop()
    await until(lambda: state(hass, LIVE) == STATE_OFF)
    assert float(state(hass, GRID)) == grid_of(last)
    assert entry.state is ConfigEntryState.LOADED


@pytest.mark.parametrize(
    ("status", "key"),
    [
        (401, "not_entitled"),
        (403, "forbidden"),
        (466, "live_gateway_too_old"),
        (472, "live_needs_meters"),
        (468, "update_failed"),
        (500, "update_failed"),
    ],
)
async def test_refusal_raises_and_changes_nothing(
    hass: HomeAssistant, world: World, set_up: SetUp, status: int, key: str
) -> None:
    """The button raises an error; polled entities stay as they are."""
    await set_up()
    before = {s.entity_id: s.state for s in hass.states.async_all("sensor")}
    world.cloud.faults.add(Fault(operation="live_data", status=status))
    with pytest.raises(HomeAssistantError) as raised:
        await press(hass, BUTTON_START)
    assert raised.value.translation_key == key
    assert state(hass, LIVE) == STATE_OFF
    after = {s.entity_id: s.state for s in hass.states.async_all("sensor")}
    spent = {entity_id for entity_id in before if before[entity_id] != after[entity_id]}
    assert spent == {
        "sensor.enphase_account_api_calls_used",
        "sensor.enphase_account_api_calls_left",
        "sensor.enphase_account_live_streams_left",
    }
    assert not hass.config_entries.flow.async_progress()


@pytest.mark.parametrize(
    ("status", "key"),
    [
        (473, "live_gateway_offline"),
        (550, "update_failed"),
        (551, "update_failed"),
        (552, "update_failed"),
    ],
)
async def test_temporary_error_is_retried_twice(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    status: int,
    key: str,
) -> None:
    """Three attempts with growing pauses, each counted; then an error is raised."""
    await set_up()
    fault = world.cloud.faults.add(Fault(operation="live_data", status=status))
    pressed = hass.async_create_task(press(hass, BUTTON_START))
    for attempt in (1, 2, 3):
        await until(lambda attempt=attempt: fault.hits == attempt)
        for _ in range(50):
            await asyncio.sleep(0)
        freezer.tick(15)
        fire_timers(hass)
    with pytest.raises(HomeAssistantError) as raised:
        await pressed
    assert raised.value.translation_key == key
    assert fault.hits == 3
    assert state(hass, "sensor.enphase_account_live_streams_left") == "97"


async def test_quota_error_within_a_stream_stops_all_calls(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    burst: Burst,
    freezer: FrozenDateTimeFactory,
    hass_storage: dict[str, Any],
) -> None:
    """The cloud accepts no calls for now, so none is made, not even for the user."""
    await set_up()
    fault = world.cloud.faults.add(
        Fault(operation="live_data", stream="error_object", status=429)
    )
    await start(hass)
    while state(hass, LIVE) == STATE_ON:
        await burst.second()
    world.cloud.faults.remove(fault)
    # Also after a crash at this moment.
    [key] = [key for key in hass_storage if key.startswith(f"{DOMAIN}.account")]
    now = dt_util.utcnow()
    ledger = Ledger.restore(
        hass_storage[key]["data"]["ledger"], PLANS["kilowatt"], now=now
    )
    assert ledger.blocked_until(now) is not None
    for request in (
        start(hass),
        press(hass, "button.hilltop_refresh_now"),
    ):
        with pytest.raises(HomeAssistantError) as raised:
            await request
        assert raised.value.translation_key == "budget_exhausted"
    assert world.calls.count("live_data") == 1
    freezer.tick(timedelta(minutes=2))
    await start(hass)
    await burst.run()


async def test_retry_succeeds(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    burst: Burst,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The second attempt reaches the gateway again."""
    await set_up()
    fault = world.cloud.faults.add(Fault(operation="live_data", status=552, times=1))
    pressed = hass.async_create_task(press(hass, BUTTON_START))
    await until(lambda: fault.hits == 1)
    for _ in range(50):
        await asyncio.sleep(0)
    freezer.tick(5)
    fire_timers(hass)
    await pressed
    assert state(hass, LIVE) == STATE_ON
    await burst.run()


async def test_schedule_continues_after_a_failed_session(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    burst: Burst,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A temporary error costs one session, without hidden retries."""
    world.cloud.faults.add(Fault(operation="live_data", status=500, times=1))
    await set_up(options=BURSTS)
    fire_timers(hass)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert world.calls.count("live_data") == 1
    freezer.tick(timedelta(minutes=59))
    fire_timers(hass)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert world.calls.count("live_data") == 1
    freezer.tick(timedelta(minutes=2))
    fire_timers(hass)
    await until(lambda: len(world.cloud.streams) == 1)
    await burst.run()


async def test_lasting_error_ends_the_schedule(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An unsupported system is not tried again, and one warning is logged."""
    world.cloud.faults.add(Fault(operation="live_data", status=472))
    await set_up(options=BURSTS)
    for _ in range(5):
        freezer.tick(timedelta(minutes=61))
        fire_timers(hass)
        await hass.async_block_till_done(wait_background_tasks=True)
    assert world.calls.count("live_data") == 1
    assert caplog.text.count("No more live sessions") == 1


async def test_schedule_continues_once_the_cloud_shows_the_system_again(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """An unknown system has no live data, but may come back."""
    await set_up(options=BURSTS)
    world.cloud.faults.add(Fault(status=404))
    await pass_time(hass, freezer, timedelta(hours=2), step=timedelta(minutes=15))
    world.cloud.faults.clear()
    fault = world.cloud.faults.add(Fault(operation="live_data", status=500))
    await pass_time(hass, freezer, timedelta(hours=26), step=timedelta(hours=2))
    assert fault.hits > 0


@pytest.mark.parametrize("plan", ["watt"])
async def test_plan_without_live_data_has_no_sessions(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    entity_registry: er.EntityRegistry,
) -> None:
    """It has no live entities and no sessions; the action raises an error."""
    await set_up(options=BURSTS)
    ids = [e.entity_id for e in entity_registry.entities.values()]
    assert not [entity_id for entity_id in ids if "live" in entity_id]
    with pytest.raises(ServiceValidationError) as raised:
        await start(hass)
    assert raised.value.translation_key == "live_not_in_plan"
    assert "live_data" not in world.calls


@pytest.mark.parametrize(
    "seconds", [29, 3601, 0, -5, 1e308, float("inf"), float("nan"), "inf"]
)
async def test_duration_out_of_range_is_refused(
    hass: HomeAssistant, world: World, set_up: SetUp, seconds: float | str
) -> None:
    """A session lasts from half a minute to an hour."""
    await set_up()
    with pytest.raises(vol.Invalid):
        await start(hass, duration=seconds)
    assert "live_data" not in world.calls


async def test_action_refuses_wrong_targets(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """The error names the reason."""
    await set_up()
    for data, key in (
        ({"area_id": "no such area"}, "unknown_device"),
        ({ATTR_DEVICE_ID: "no such device"}, "unknown_device"),
    ):
        with pytest.raises(ServiceValidationError) as raised:
            await start(hass, **data)
        assert raised.value.translation_key == key


def device_id(hass: HomeAssistant, entry: MockConfigEntry) -> str:
    """Return the device of the entry's first system."""
    return system_devices(hass, entry)[0].id


async def test_long_session_has_several_streams(
    hass: HomeAssistant, world: World, set_up: SetUp, burst: Burst
) -> None:
    """They follow one another without a gap until the time is over."""
    await set_up()
    world.cloud.live_interval = 20
    began = dt_util.utcnow()
    response = await start(hass, duration=660)
    granted = response[HILLTOP]
    assert granted == {
        "name": "Hilltop",
        "ends_at": (began + timedelta(seconds=660)).isoformat(),
        "streams": 3,
        "cost_usd": 0.3,
    }
    while state(hass, LIVE) == STATE_ON:
        await burst.second()
    assert [stream.duration for stream in world.cloud.streams] == [300, 300, 60]
    assert world.cloud.live_cost == pytest.approx(granted["cost_usd"])
    assert dt_util.utcnow() - began <= timedelta(seconds=680)


async def test_longer_request_extends_the_session(
    hass: HomeAssistant, world: World, set_up: SetUp, burst: Burst
) -> None:
    """One stream follows; repeated requests do not pay again."""
    await set_up()
    await start(hass, duration=60)
    streams = 0
    for _ in range(3):
        await burst.second()
        response = await start(hass, duration=120)
        streams += response[HILLTOP]["streams"]
    assert streams == 1
    while state(hass, LIVE) == STATE_ON:
        await burst.second()
    assert len(world.cloud.streams) == 2
    assert 60 <= world.cloud.streams[1].duration <= 66


async def test_stop_ends_the_session(
    hass: HomeAssistant, world: World, set_up: SetUp, burst: Burst
) -> None:
    """The last frame stays, polls continue, and another session can start."""
    entry = await set_up()
    await press(hass, BUTTON_START)
    for _ in range(3):
        await burst.second()
    last = world.cloud.frames[-1]
    await hass.services.async_call(
        DOMAIN,
        "stop_live_stream",
        {ATTR_DEVICE_ID: device_id(hass, entry)},
        blocking=True,
    )
    assert state(hass, LIVE) == STATE_OFF
    assert float(state(hass, GRID)) == grid_of(last)
    await burst.second()
    assert burst.has_ended
    await press(hass, BUTTON_START)
    assert len(world.cloud.streams) == 2
    await burst.run()


async def test_no_session_once_the_limit_is_reached(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    burst: Burst,
    freezer: FrozenDateTimeFactory,
    issue_registry: ir.IssueRegistry,
) -> None:
    """No more streams this month, with an error for the user; next month continues."""
    entry = await set_up(options={CONF_STREAMS_PER_MONTH: 2})
    left = "sensor.enphase_account_live_streams_left"
    world.cloud.live_interval = 20
    used_up = (DOMAIN, f"live_budget_used_up_{entry.entry_id}")
    response = await start(hass, duration=3600)
    assert response[HILLTOP]["streams"] == 2
    while state(hass, LIVE) == STATE_ON:
        await burst.second()
    assert len(world.cloud.streams) == 2
    assert state(hass, left) == "0"
    assert used_up in issue_registry.issues
    with pytest.raises(HomeAssistantError) as raised:
        await press(hass, BUTTON_START)
    assert raised.value.translation_key == "live_budget_used_up"
    assert world.calls.count("live_data") == 2

    freezer.move_to("2026-07-01 00:00:30+00:00")
    fire_timers(hass)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert state(hass, left) == "2"
    assert used_up not in issue_registry.issues
    await press(hass, BUTTON_START)
    await burst.run()


async def test_no_session_without_a_limit_of_streams(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Live data is off until the user sets the limit."""
    await set_up(options={**BURSTS, CONF_STREAMS_PER_MONTH: 0})
    freezer.tick(timedelta(hours=5))
    fire_timers(hass)
    await hass.async_block_till_done(wait_background_tasks=True)
    with pytest.raises(HomeAssistantError):
        await start(hass)
    assert "live_data" not in world.calls


@pytest.mark.parametrize(
    ("status", "key", "issue_key", "placeholders"),
    [
        (
            401,
            "not_entitled",
            "document_refused",
            {"access_controls": "Streaming APIs (Kilowatt+)"},
        ),
        (403, "forbidden", "document_forbidden", {"systems": "Hilltop"}),
    ],
)
async def test_refusal_disables_live_data(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    issue_registry: ir.IssueRegistry,
    status: int,
    key: str,
    issue_key: str,
    placeholders: dict[str, str],
) -> None:
    """It is not requested again, not even after a restart; a repair explains why."""
    world.cloud.faults.add(Fault(operation="live_data", status=status))
    entry = await set_up()
    with pytest.raises(HomeAssistantError):
        await press(hass, BUTTON_START)
    requests = world.calls.count("live_data")
    await hass.config_entries.async_reload(entry.entry_id)
    with pytest.raises(HomeAssistantError) as raised:
        await press(hass, BUTTON_START)
    assert raised.value.translation_key == key
    assert world.calls.count("live_data") == requests
    [issue] = issue_registry.issues.values()
    assert issue.issue_id == f"{issue_key}_{entry.entry_id}"
    assert issue.translation_placeholders == {"account": "Home", **placeholders}


async def test_listener_that_fails_ends_no_session(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    burst: Burst,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The stream is paid for."""
    entry = await set_up()
    live = entry.runtime_data.systems[0].live
    live.async_add_listener(lambda: 1 // 0, Measurement.PRODUCTION_POWER)
    await start(hass, duration=60)
    await burst.run()
    assert world.cloud.streams[0].frames == 60
    assert float(state(hass, GRID)) == grid_of(world.cloud.frames[-1])
    assert "A listener of Enphase Cloud live data failed" in caplog.text


async def test_session_does_not_delay_polls(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    burst: Burst,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Polls continue as planned during a session."""
    await set_up()
    world.cloud.requests.clear()
    world.cloud.live_interval = 20
    await start(hass, duration=3600)
    while state(hass, LIVE) == STATE_ON:
        await burst.second()
    polls = [operation for operation in world.calls if operation != "live_data"]
    assert 9 <= len(polls) <= 16
    assert world.calls.count("live_data") == 12
