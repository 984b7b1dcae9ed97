"""The part of the check that ends live data before its time."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Final

from .cloud import LIVE
from .expected import POWERS, live
from .home_assistant import HomeAssistantError
from .live_check import start_by_automation
from .set_up import DOMAIN
from .subject import Subject
from .waiting import until

_FRAMES_BEFORE_THE_END: Final = 5
# A stream that went on would show itself meanwhile.
_REST_SECONDS: Final = 3

_POLLED: Final = (
    "daily_production",
    "last_reported",
    "lifetime_production",
    "max_capacity",
    "system_status",
)
_DOCUMENTS: Final = Counter(summary=1, telemetry_battery=1, latest_telemetry=1)


async def check_stop(subject: Subject) -> None:
    """Let the user stop what an automation has started."""
    report = subject.report
    report.heading("A burst by automation, stopped by hand")
    device_id = (await subject.entities()).device_id
    calls = await subject.calls()

    async def stop() -> None:
        await subject.home_assistant.act(
            f"{DOMAIN}.stop_live_stream", device_id=device_id
        )

    await _check_interruption(subject, stop)

    async def is_closed() -> bool:
        return (await subject.cloud.streams())[-1]["closed_at"] is not None

    await until("the cloud has noticed it", is_closed)
    spent = await subject.calls() - calls
    report.expect(
        "It was one stream, and is closed",
        holds=spent == Counter({LIVE: 1}),
        found=dict(spent),
    )


async def check_unplugging(subject: Subject) -> None:
    """Let the cloud die in a burst, and come back; it forgets what it has counted."""
    stage, report = subject.stage, subject.report
    report.heading("kill -9 of the cloud in a burst by automation")
    await _check_interruption(subject, stage.cloud_program.kill)
    try:
        await subject.press("refresh")
        refusal = ""
    except HomeAssistantError as err:
        refusal = str(err)
    report.expect(
        "Who presses “Refresh now” meanwhile is told why it fails",
        holds="Enphase could not be asked" in refusal,
        found=refusal or "nothing",
    )
    await stage.start_cloud()
    try:
        await subject.press("refresh")
    except HomeAssistantError as err:
        report.expect("Once it is back, it works again", holds=False, found=err)
        return
    spent = await subject.calls()
    report.expect(
        "Once it is back, it works again, for one call per document",
        holds=spent == _DOCUMENTS,
        found=dict(spent),
    )


async def _check_interruption(
    subject: Subject, end: Callable[[], Awaitable[None]]
) -> None:
    """Expect values to move until the end, and to rest from then on."""
    cloud, report = subject.cloud, subject.report
    await subject.until_nothing_is_due()
    ids = (await subject.entities()).ids
    powers = {ids[key] for key in POWERS}
    before = await subject.shown()
    known = len(await cloud.frames(subject.system_id))

    async def streams() -> bool:
        frames = await cloud.frames(subject.system_id)
        return len(frames) >= known + _FRAMES_BEFORE_THE_END

    async def has_ended() -> bool:
        return (await subject.shown())["live_stream"] == "off"

    async with subject.home_assistant.watching_states() as seen:
        await start_by_automation(subject)
        await until("live data is streaming", streams)
        frames = (await cloud.frames(subject.system_id))[known:]
        await end()
        await until("live data has ended", has_ended)
        running = len(seen)
        await asyncio.sleep(_REST_SECONDS)
    moves = [state["entity_id"] in powers for state in seen]
    after = await subject.shown()
    stood_still = all(live(frame) == live(frames[0]) for frame in frames)
    report.expect(
        f"Powers moved during {len(frames)} frames, and rest from then on",
        holds=(sum(moves[:running]) > 1 or stood_still) and not any(moves[running:]),
        found=f"{sum(moves[:running])} moves in it, {sum(moves[running:])} after it",
    )
    lost = {
        key: after[key]
        for key in (*POWERS, *_POLLED)
        if after[key] in {"unavailable", "unknown"}
    }
    report.expect("No value is lost", holds=not lost, found=lost)
    changed = {
        key: (before[key], after[key]) for key in _POLLED if before[key] != after[key]
    }
    report.expect(
        f"{len(_POLLED)} polled entities stay as they were",
        holds=not changed,
        found=changed,
    )
