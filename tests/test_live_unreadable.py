"""A live stream that cannot be read is paid for once."""

import logging
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE, STATE_OFF, STATE_ON
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.enphase_cloud.const import (
    CONF_BURST_LENGTH,
    CONF_BURST_PAUSE,
    CONF_LIVE_BURSTS,
    CONF_STREAMS_PER_MONTH,
    DOMAIN,
)
from simulator import Fault
from simulator.faults import StreamFault

from .conftest import SetUp, Stepper, World
from .helpers import fire_timers, press, state
from .live import BUTTON_START, GRID, LIVE, Burst, grid_of, settle, start, until

BURSTS: dict[str, Any] = {
    CONF_STREAMS_PER_MONTH: 1000,
    CONF_LIVE_BURSTS: True,
    CONF_BURST_PAUSE: 60,
    CONF_BURST_LENGTH: 30,
}
# Streams that cannot be read, and the masked beginning that log and repair show.
UNREADABLE: dict[StreamFault, str] = {
    "bare": 'data: {"battery_mode": "xxxx-xxxxxxxxxxx", "battery_power": ',
    "comments": ": xxxxx xxxx⏎⏎: xxxxx xxxx⏎⏎",
    "empty": "",
    "garbage": "data: {·· xxx xxxx⏎⏎",
    "html": "<x>xxxxxxxxxxx</x>⏎",
    "no_newline": "data: xxxxxxxx",
    "other_system": 'data: {"type": "xxxxxxxx", "timestamp_epoch": 0000000000000, ',
    "silence": "",
}
# Framings that the documentation of Enphase does not show.
FRAMINGS: tuple[StreamFault, ...] = (
    "array",
    "array_in_event",
    "array_streamed",
    "array_wrapped",
    "concatenated",
    "double_encoded",
    "double_wrapped",
    "events_as_json",
    "indented",
    "lines_as_json",
    "lines_with_length",
    "moment_outside",
    "multi_line",
    "ndjson",
    "no_blank_lines",
    "success_code",
    "text_sequence",
)


pytestmark = pytest.mark.usefixtures("summer_noon")


class Day:
    """Lets time pass, while streams send frames."""

    def __init__(
        self, hass: HomeAssistant, stepper: Stepper, freezer: FrozenDateTimeFactory
    ) -> None:
        """Keep what lets time and streams advance."""
        self._hass = hass
        self._stepper = stepper
        self._freezer = freezer

    async def pass_time(self, steps: int, *, step: float) -> None:
        """Let steps of time pass; `step` is in seconds."""
        for _ in range(steps):
            self._freezer.tick(step)
            self._stepper.step()
            await settle()
            fire_timers(self._hass)
            await settle()

    async def session(self) -> None:
        """Let the time of a live session pass; check that it ends."""
        await self.pass_time(100, step=1)
        assert state(self._hass, LIVE) == STATE_OFF

    async def hours(self, hours: int) -> None:
        """Let hours pass."""
        await self.pass_time(hours * 4, step=900)

    async def start(self, entry: MockConfigEntry, **data: Any) -> str | None:
        """Start a live session by the action; return the key of its error."""
        task = self._hass.async_create_task(start(self._hass, **data))
        for _ in range(400):
            if task.done() and state(self._hass, LIVE) == STATE_OFF:
                break
            await self.pass_time(1, step=1)
        try:
            await task
        except HomeAssistantError as err:
            return err.translation_key
        return None


@pytest.fixture
def day(hass: HomeAssistant, stepper: Stepper, freezer: FrozenDateTimeFactory) -> Day:
    """Return a helper that lets time pass."""
    return Day(hass, stepper, freezer)


def issue(hass: HomeAssistant, entry: MockConfigEntry) -> ir.IssueEntry | None:
    """Return the repair about streams that cannot be read."""
    return ir.async_get(hass).async_get_issue(
        DOMAIN, f"live_unreadable_{entry.entry_id}"
    )


def add_fault(world: World, shape: StreamFault) -> Fault:
    """Give all streams a shape."""
    return world.cloud.faults.add(Fault(operation="live_data", stream=shape))


@pytest.mark.parametrize("shape", UNREADABLE)
async def test_schedule_stops_after_one_stream_without_a_frame(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    day: Day,
    caplog: pytest.LogCaptureFixture,
    shape: StreamFault,
) -> None:
    """One stream is paid for; log and repair describe it, with all values masked."""
    entry = await set_up(options=BURSTS)
    add_fault(world, shape)
    fire_timers(hass)
    await until(lambda: len(world.cloud.streams) == 1)
    await day.session()
    await day.hours(6)
    assert len(world.cloud.streams) == 1

    found = issue(hass, entry)
    assert found is not None
    placeholders = found.translation_placeholders or {}
    assert placeholders["systems"] == "Hilltop"
    assert placeholders["content_type"] == (
        "text/html" if shape == "html" else "text/event-stream"
    )
    assert placeholders["beginning"].startswith(UNREADABLE[shape])
    assert len(placeholders["beginning"]) <= 200
    warnings = [
        record
        for record in caplog.records
        if "no readable frame" in record.message and record.levelno == logging.WARNING
    ]
    assert len(warnings) == 1
    for text in (*placeholders.values(), *(record.message for record in warnings)):
        assert str(world.system.system_id) not in text
        assert world.system.gateway_serial not in text


@pytest.mark.parametrize("shape", UNREADABLE)
async def test_caller_gets_the_error(
    hass: HomeAssistant, world: World, set_up: SetUp, day: Day, shape: StreamFault
) -> None:
    """The action raises it, and planned streams do not follow."""
    entry = await set_up()
    add_fault(world, shape)
    assert await day.start(entry, duration=3600) == "live_unreadable"
    await day.session()
    assert len(world.cloud.streams) == 1
    assert issue(hass, entry) is not None


async def test_all_callers_get_the_error(
    hass: HomeAssistant, world: World, set_up: SetUp, day: Day
) -> None:
    """The button raises it, too, with the beginning of the stream."""
    await set_up()
    add_fault(world, "garbage")
    button = hass.async_create_task(press(hass, BUTTON_START))
    joined = hass.async_create_task(start(hass))
    await day.session()
    for task in (button, joined):
        with pytest.raises(HomeAssistantError) as raised:
            await task
        assert raised.value.translation_key == "live_unreadable"
        placeholders = raised.value.translation_placeholders or {}
        assert placeholders["content_type"] == "text/event-stream"
        assert placeholders["beginning"].startswith("data: {·· xxx xxxx⏎")
    assert len(world.cloud.streams) == 1


async def test_second_stream_without_a_frame_is_the_last_one(
    hass: HomeAssistant, world: World, set_up: SetUp, burst: Burst, day: Day
) -> None:
    """The stream before it could be read."""
    entry = await set_up()
    await start(hass, duration=3600)
    add_fault(world, "garbage")
    await day.pass_time(700, step=1)
    assert state(hass, LIVE) == STATE_OFF
    assert len(world.cloud.streams) == 2
    assert issue(hass, entry) is not None


@pytest.mark.parametrize("by_hand", ["garbage", None])
async def test_frame_resumes_the_schedule(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    burst: Burst,
    day: Day,
    by_hand: StreamFault | None,
) -> None:
    """The user can start a stream; if it can be read, the schedule continues."""
    entry = await set_up(options=BURSTS)
    fault = add_fault(world, "garbage")
    fire_timers(hass)
    await until(lambda: len(world.cloud.streams) == 1)
    await day.session()
    if by_hand is None:
        world.cloud.faults.remove(fault)
    error = await day.start(entry)
    assert error == ("live_unreadable" if by_hand else None)
    assert (issue(hass, entry) is None) is (by_hand is None)
    assert len(world.cloud.streams) == 2
    await day.hours(2)
    assert (len(world.cloud.streams) > 2) is (by_hand is None)


async def test_restart_keeps_the_schedule_stopped(
    hass: HomeAssistant, world: World, set_up: SetUp, day: Day
) -> None:
    """A restart is no consent to pay again; the repair stays."""
    entry = await set_up(options=BURSTS)
    add_fault(world, "garbage")
    assert await day.start(entry) == "live_unreadable"
    before = issue(hass, entry)
    assert before is not None
    for _ in range(2):
        hass.set_state(CoreState.stopping)
        await hass.config_entries.async_unload(entry.entry_id)
        hass.set_state(CoreState.final_write)
        hass.bus.async_fire(EVENT_HOMEASSISTANT_FINAL_WRITE)
        await hass.async_block_till_done()
        hass.set_state(CoreState.running)
        await hass.config_entries.async_setup(entry.entry_id)
        await day.hours(3)
        assert len(world.cloud.streams) == 1
        found = issue(hass, entry)
        assert found is not None
        assert found.translation_placeholders == before.translation_placeholders
    assert len(world.cloud.streams) == 1


async def test_reload_resumes_the_schedule(
    hass: HomeAssistant, world: World, set_up: SetUp, day: Day
) -> None:
    """The repair ends, and scheduled sessions continue at their time."""
    entry = await set_up(options=BURSTS)
    fault = add_fault(world, "garbage")
    assert await day.start(entry) == "live_unreadable"
    world.cloud.faults.remove(fault)
    await hass.config_entries.async_reload(entry.entry_id)
    assert issue(hass, entry) is None
    await day.hours(2)
    assert len(world.cloud.streams) > 1


async def test_stopped_stream_is_not_unreadable(
    hass: HomeAssistant, world: World, set_up: SetUp, burst: Burst, day: Day
) -> None:
    """A frame might have arrived later."""
    entry = await set_up()
    add_fault(world, "comments")
    task = hass.async_create_task(start(hass))
    await day.pass_time(3, step=1)
    assert state(hass, LIVE) == STATE_ON
    await hass.services.async_call(DOMAIN, "stop_live_stream", {}, blocking=True)
    with pytest.raises(HomeAssistantError) as raised:
        await task
    assert raised.value.translation_key == "live_stopped"
    assert issue(hass, entry) is None


@pytest.mark.parametrize("shape", FRAMINGS)
@pytest.mark.thorough
async def test_every_framing_is_read(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    burst: Burst,
    shape: StreamFault,
) -> None:
    """The action responds after the first frame; entities show the frames in order."""
    entry = await set_up()
    add_fault(world, shape)
    await start(hass)
    assert state(hass, GRID) == str(grid_of(world.cloud.frames[0]))
    for _ in range(6):
        await burst.second()
    shown = {str(grid_of(frame)) for frame in world.cloud.frames[1:]}
    assert state(hass, GRID) in shown
    await burst.run()
    assert state(hass, GRID) == str(grid_of(world.cloud.frames[-1]))
    assert issue(hass, entry) is None
