"""The part of the check that looks at live data."""

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Final

from .cloud import LIVE
from .entities import Entities, Truth, tells
from .expected import live, seconds_between
from .home_assistant import Json
from .set_up import DOMAIN, add_automation, choose_options
from .subject import Subject
from .waiting import until

# The shortest stream; it ends within the patience even on a slow machine.
_LENGTH_SECONDS: Final = 30
_PATIENCE_SECONDS: Final = 90

# How late Home Assistant may learn that a stream was opened.
_LATENESS_SECONDS: Final = 10

_OPTIONS: Final = {
    "streams_per_month": 100,
    "live_bursts": True,
    "burst_pause": 60,
    "burst_length": _LENGTH_SECONDS,
    "publish_interval": 1,
}


# An automation starts live data at this event.
_WANTED: Final = "live_data_wanted"


async def start_by_automation(subject: Subject) -> None:
    """Let the automation that `check_live` has added start live data."""
    await subject.home_assistant.command("fire_event", event_type=_WANTED)


async def check_live(subject: Subject) -> None:
    """Look at a burst that comes by itself, and at one that an automation starts."""

    async def choose_bursts() -> None:
        await choose_options(subject.home_assistant, subject.entry_id, live=_OPTIONS)

    async def refresh() -> None:
        await subject.press("refresh")

    async def start() -> None:
        await start_by_automation(subject)

    async def join() -> None:
        await subject.press("start_live_stream")
        answer = await subject.home_assistant.ask(action["action"], **action["data"])
        report.expect(
            "Who asks meanwhile is told that it costs no further stream",
            holds=[granted["streams"] for granted in answer.values()] == [0],
            found=answer,
        )

    report = subject.report
    entities = await subject.entities()
    action: Json = {
        "action": f"{DOMAIN}.start_live_stream",
        "data": {
            "device_id": entities.device_id,
            "duration": {"seconds": _LENGTH_SECONDS},
        },
    }
    await add_automation(
        subject.home_assistant,
        alias="Live data when it is wanted",
        triggers=[{"trigger": "event", "event_type": _WANTED}],
        actions=[action],
    )
    report.heading("A burst by itself, after choosing bursts in the options")
    spent = await _check_burst(subject, choose_bursts, meanwhile=refresh)
    report.expect(
        "Choosing options costs no call but that of the burst, a refresh its three",
        holds=spent
        == Counter(
            {LIVE: 1, "summary": 1, "telemetry_battery": 1, "latest_telemetry": 1}
        ),
        found=dict(spent),
    )
    report.heading("A burst by automation, off the grid; button and action join it")
    await subject.cloud.set_outage(subject.system_id, outage=True)
    spent = await _check_burst(subject, start, meanwhile=join)
    await subject.cloud.set_outage(subject.system_id, outage=False)
    report.expect(
        "The three are one stream, which costs one call",
        holds=spent == Counter({LIVE: 1}),
        found=dict(spent),
    )


async def _check_burst(
    subject: Subject,
    begin: Callable[[], Awaitable[None]],
    *,
    meanwhile: Callable[[], Awaitable[None]],
) -> Counter[str]:
    """Compare a burst with the frames that were sent; return what it cost."""
    cloud, report = subject.cloud, subject.report
    calls, streams = await subject.calls(), await cloud.streams()
    frames_before = len(await cloud.frames(subject.system_id))
    states_before = await subject.home_assistant.states()

    async def is_open() -> bool:
        return len(await cloud.streams()) > len(streams)

    async def has_ended() -> bool:
        is_closed = (await cloud.streams())[-1]["closed_at"] is not None
        return is_closed and (await subject.shown())["live_stream"] == "off"

    async with subject.home_assistant.watching_states() as seen:
        await begin()
        await until("a live stream is open", is_open)
        await meanwhile()
        await until("it has ended", has_ended, seconds=_PATIENCE_SECONDS)
    frames = (await cloud.frames(subject.system_id))[frames_before:]
    stream = (await cloud.streams())[-1]
    entities = await subject.entities()
    states = await subject.home_assistant.states()
    report.table(list(entities.compare(states, live(frames[-1]))))
    report.expect(
        f"These are the last of {len(frames)} frames, a second apart",
        holds=stream["frames"] == len(frames) >= _LENGTH_SECONDS * 0.8,
        found=stream,
    )
    _expect_only_frames(subject, entities, states_before, seen, frames)
    _expect_announcement(subject, entities, seen, stream)
    subject.expect_balance(entities, states)
    return await subject.calls() - calls


def _expect_only_frames(
    subject: Subject,
    entities: Entities,
    before: dict[str, Json],
    seen: list[Json],
    frames: list[Json],
) -> None:
    """Expect every state to be of a frame: no mixture, nothing older in between.

    A reload shows the states of before once more.
    """
    known: dict[str, list[Truth]] = {}
    for frame in map(live, frames):
        for key, truth in frame.items():
            known.setdefault(entities.ids.get(key, key), []).append(truth)
    shown = [
        state
        for state in seen
        if state["entity_id"] in known
        and state["state"] not in {"unavailable", "unknown"}
        and state["state"] != before.get(state["entity_id"], {}).get("state")
    ]
    strange = [
        (state["entity_id"], state["state"])
        for state in shown
        if not any(tells(state, truth) for truth in known[state["entity_id"]])
    ]
    consumption = entities.ids["current_power_consumption"]
    moves = {state["state"] for state in shown if state["entity_id"] == consumption}
    stood_still = len(set(known[consumption])) == 1
    subject.report.expect(
        f"Each of {len(shown)} states shown is of a frame, none of an older document",
        holds=(stood_still or len(moves) > 1) and not strange,
        found=strange or f"consumption took the values {moves}",
    )


def _expect_announcement(
    subject: Subject, entities: Entities, seen: list[Json], stream: Json
) -> None:
    """Expect the entities about live data to have told when it runs and ends."""

    def of(key: str) -> list[str]:
        entity_id = entities.ids[key]
        return [state["state"] for state in seen if state["entity_id"] == entity_id]

    subject.report.expect(
        "“Live stream” was on while it ran, and is off",
        holds=of("live_stream")[-2:] == ["on", "off"],
        found=of("live_stream"),
    )
    announced = [state for state in of("live_stream_ends") if state[:1].isdecimal()]
    lateness = [
        seconds_between(stream["opened_at"], state) - stream["duration"]
        for state in announced
    ]
    subject.report.expect(
        "“Live stream ends” told the end ahead",
        holds=len(lateness) == 1 and 0 <= lateness[0] + 1 <= _LATENESS_SECONDS + 1,
        found=announced,
    )
