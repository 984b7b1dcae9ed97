"""Hostile live streams: polled values stay, other tasks run, no timer or task stays."""

import asyncio
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager, suppress
import gc
import json
import re
import time
from typing import Any, Final
from unittest.mock import patch

from aiohttp.web_protocol import RequestHandler
from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import EVENT_STATE_CHANGED, STATE_OFF, STATE_ON
from homeassistant.core import HomeAssistant, State
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util.async_ import get_scheduled_timer_handles
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)

from custom_components.enphase_cloud.const import DOMAIN
from simulator import Fault
from simulator.faults import StreamFault

from .conftest import SetUp, Stepper, World
from .helpers import fire_timers, sensor_states, state
from .live import BATTERY, CONSUMPTION, GRID, LIVE, PRODUCTION, Burst, settle, truth_at

_BLOCKED_SECONDS: Final = 0.05
_TICK: Final = 0.01
_DURATION: Final = 30

# All faults of a stream that the simulator has, and responses that are no stream.
STREAMS: Final[dict[str, dict[str, Any]]] = {
    shape: {"stream": shape} for shape in StreamFault.__value__.__args__
}
RESPONSES: Final[dict[str, dict[str, Any]]] = {
    "redirect": {"redirect": "https://example.com/live"},
    "200 with an error object": {
        "status": 200,
        "raw": json.dumps(
            {"error": {"code": 500, "message": "No", "status": "SERVICE_UNREACHABLE"}}
        ),
    },
    "silence before the headers": {"hang": True},
    "cut before the headers": {"cut": "before_headers"},
    "cut after the headers": {"cut": "after_headers"},
    "cut in the body": {"cut": "mid_body"},
    **{
        f"{body} body": {"body": body}
        for body in ("html", "empty", "wrong_types", "huge", "not_json", "list")
    },
    "html with an error": {"status": 502, "body": "html"},
    "huge error": {"status": 500, "body": "huge"},
}
# Streams without a frame that is newer than the polled documents.
WITHOUT_NEWS: Final = {
    "bare",
    "clock_behind",
    "comments",
    "empty",
    "garbage",
    "no_newline",
    "html",
    "other_system",
    "silence",
    "sparse",
}
# Sensors that change with each request for a stream.
BUDGET_SENSORS: Final = {
    "sensor.enphase_account_api_calls_used",
    "sensor.enphase_account_api_calls_left",
    "sensor.enphase_account_live_streams_left",
}


def is_server_side(owner: object) -> bool:
    """Return whether the owner of a callback is the server side of a connection."""
    match owner:
        case asyncio.Task():
            frame = owner.get_coro().cr_frame
            protocol = frame and frame.f_locals.get("self")
        case asyncio.Transport():
            protocol = owner.get_protocol()
        case _:
            protocol = owner
    return isinstance(protocol, RequestHandler)


class LoopWatch:
    """Measures the longest time for which one callback blocked the event loop.

    It is CPU time of the thread: wall-clock time depends on other processes of the
    machine. Callbacks of the simulator and of the test itself do not count. The
    garbage collector is off meanwhile: its time depends on the whole process.
    """

    def __init__(self) -> None:
        """Start without a measurement."""
        self.longest = 0.0
        self.callback = ""

    @contextmanager
    def watching(self) -> Generator[None]:
        """Measure each callback that the event loop runs."""
        run = asyncio.Handle._run
        test = asyncio.current_task()

        def timed(handle: asyncio.Handle) -> None:
            owner = getattr(handle._callback, "__self__", None)
            began = time.thread_time()
            run(handle)
            spent = time.thread_time() - began
            if spent > self.longest and owner is not test and not is_server_side(owner):
                self.longest, self.callback = spent, repr(handle)

        gc.collect()
        gc.disable()
        try:
            with patch.object(asyncio.Handle, "_run", timed):
                yield
        finally:
            gc.enable()


class HostileSession:
    """Requests a live session of a hostile cloud, and lets time pass until it ends."""

    def __init__(
        self,
        hass: HomeAssistant,
        stepper: Stepper,
        freezer: FrozenDateTimeFactory,
        entry: MockConfigEntry,
    ) -> None:
        """Keep what lets time and streams advance."""
        self._hass = hass
        self._stepper = stepper
        self._freezer = freezer
        self._entry = entry
        self._request: asyncio.Task[None] | None = None

    async def run(self, *, tick: float, steps: int) -> None:
        """Start a session, and let steps of time pass until it ends by itself."""
        self._request = request = self._hass.async_create_task(
            self._call("start", duration=_DURATION)
        )
        await settle()
        for _ in range(steps):
            if request.done() and state(self._hass, LIVE) == STATE_OFF:
                break
            await self.pass_time(tick)

    async def until_response(self) -> None:
        """Wait for the result of the action, or for its error."""
        assert self._request is not None
        with suppress(HomeAssistantError, asyncio.CancelledError):
            await self._request

    async def stop(self) -> None:
        """Stop the session by the action."""
        await self._call("stop")

    async def pass_time(self, seconds: float) -> None:
        """Let time pass, and the cloud send a frame."""
        self._freezer.tick(seconds)
        self._stepper.step()
        await settle()
        fire_timers(self._hass)
        await settle()

    async def _call(self, action: str, **data: Any) -> None:
        await self._hass.services.async_call(
            DOMAIN, f"{action}_live_stream", data, blocking=True
        )


pytestmark = pytest.mark.usefixtures("summer_noon")


def timers(hass: HomeAssistant) -> Counter[str]:
    """Return the timers of the event loop by name, without delayed writes."""
    return Counter(
        re.sub(r".* when=\S+ ([\w.]+).*", r"\1", repr(handle))
        for handle in get_scheduled_timer_handles(hass.loop)
        if not handle.cancelled() and "delayed_write" not in repr(handle)
    )


def live_tasks() -> list[asyncio.Task[Any]]:
    """Return the tasks of live sessions."""
    return [task for task in asyncio.all_tasks() if "live data" in task.get_name()]


def shown(states: list[State], entity_id: str) -> set[str]:
    """Return all states that an entity has had."""
    return {found.state for found in states if found.entity_id == entity_id}


@pytest.mark.parametrize("case", [*STREAMS, *RESPONSES])
@pytest.mark.thorough
async def test_hostile_stream_harms_nothing(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    stepper: Stepper,
    freezer: FrozenDateTimeFactory,
    case: str,
) -> None:
    """Values are true, the event loop is not blocked, and the next session works."""
    entry = await set_up()
    session = HostileSession(hass, stepper, freezer, entry)
    timers_before = timers(hass)
    before = sensor_states(hass)
    changes = async_capture_events(hass, EVENT_STATE_CHANGED)
    fault = world.cloud.faults.add(
        Fault(operation="live_data", **(STREAMS | RESPONSES)[case])
    )
    watch = LoopWatch()
    with watch.watching():
        if case == "flood":
            await session.run(tick=_TICK, steps=100)
            await session.stop()
        else:
            await session.run(tick=1, steps=100)
    await session.until_response()
    assert fault.hits == 1

    # The session has ended, and polled values have not changed.
    assert state(hass, LIVE) == STATE_OFF
    assert not live_tasks()
    states = [event.data["new_state"] for event in changes]
    after = sensor_states(hass)
    truths = [
        truth_at(world, frame.at)
        for frame in world.cloud.frames
        if "error" not in frame.payload
    ]
    changed = {
        entity_id for entity_id in before if before[entity_id] != after[entity_id]
    }
    fed = truths[0].keys() if truths and case not in WITHOUT_NEWS else set()
    assert changed - BUDGET_SENSORS <= fed
    # All states during the session are true.
    for entity_id in truths[0] if truths else ():
        true = {before.get(entity_id), *(truth[entity_id] for truth in truths)}
        if case == "absurd" and entity_id in (PRODUCTION, CONSUMPTION, GRID, BATTERY):
            true.add("-0.04")  # This is a plausible power.
        if case == "clock_behind":
            true.add("unknown")  # Some values expire within an hour.
        assert shown(states, entity_id) <= true
    if case == "absurd":
        # One frame of eight has it; it stays while the next frames have no value.
        assert "-0.04" in shown(states, GRID)
    elif truths and case not in WITHOUT_NEWS | {"out_of_order"}:
        assert after[GRID] == truths[-1][GRID]

    # No other task waited, and no connection, timer or flow is left.
    assert watch.longest < _BLOCKED_SECONDS, watch.callback
    await Burst(hass, world, stepper, freezer).until_closed()
    assert not timers(hass) - timers_before
    assert entry.state is ConfigEntryState.LOADED
    assert not hass.config_entries.flow.async_progress()

    # The next session works.
    world.cloud.faults.remove(fault)
    await session.run(tick=1, steps=1)
    await session.until_response()
    assert state(hass, LIVE) == STATE_ON
    assert state(hass, GRID) == truth_at(world, world.cloud.frames[-2].at)[GRID]
    await session.stop()


@pytest.mark.parametrize("shape", ["byte_by_byte", "comments", "no_newline", "silence"])
@pytest.mark.parametrize("end", ["stop", "unload", "reload", "shutdown"])
@pytest.mark.thorough
async def test_end_within_a_frame_leaves_no_task_timer_or_connection(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    stepper: Stepper,
    freezer: FrozenDateTimeFactory,
    shape: StreamFault,
    end: str,
) -> None:
    """After half a frame, half a line or no data, a session ends at once."""
    entry = await set_up()
    session = HostileSession(hass, stepper, freezer, entry)
    timers_before = timers(hass)
    world.cloud.faults.add(Fault(operation="live_data", stream=shape))
    await session.run(tick=1, steps=3)
    assert state(hass, LIVE) == STATE_ON
    match end:
        case "stop":
            await session.stop()
        case "unload":
            await hass.config_entries.async_unload(entry.entry_id)
        case "reload":
            await hass.config_entries.async_reload(entry.entry_id)
        case "shutdown":
            await hass.async_stop(force=True)
    await session.until_response()
    assert not live_tasks()
    await Burst(hass, world, stepper, freezer).until_closed()
    assert not timers(hass) - timers_before
    assert len(world.cloud.streams) == 1
