"""The part of the check that kills Home Assistant at the worst moments."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Final

from aiohttp import ClientError

from .cloud import TOKEN
from .home_assistant import HomeAssistantError, Json
from .subject import Subject
from .waiting import until

_FRAMES_BEFORE_THE_KILL: Final = 3
_DELAY_SECONDS: Final = 20


async def kill_in_a_burst(subject: Subject) -> None:
    """Live data is streaming, and its call was counted a moment ago."""
    subject.report.heading("kill -9 in a burst that the button began")
    sent = len(await subject.cloud.frames(subject.system_id))
    await subject.press("start_live_stream")

    async def runs() -> bool:
        frames = await subject.cloud.frames(subject.system_id)
        return len(frames) >= sent + _FRAMES_BEFORE_THE_KILL

    await until("live data is streaming", runs)
    streams = len(await subject.cloud.streams())
    await _kill_and_start(subject)
    again = len(await subject.cloud.streams()) - streams
    subject.report.expect("No further stream was opened", holds=not again, found=again)
    await subject.expect_nothing_lost("After that")


async def kill_after_a_renewal(subject: Subject) -> None:
    """The new token is in use for the first time; its predecessor is worthless.

    The token must be one that has expired.
    """
    subject.report.heading("kill -9 while a new token is used for the first time")
    await subject.cloud.order_fault(operation="summary", delay=_DELAY_SECONDS, times=1)

    async def is_used() -> bool:
        last = await _requests(subject)
        return [item["operation"] for item in last[-2:]] == [TOKEN, "summary"]

    await _refresh_until(subject, "a new token is used", is_used)
    await _kill_and_start(subject)
    await subject.cloud.withdraw_faults()
    before = len(await _requests(subject))
    await subject.press("refresh")
    answers = [
        (item["operation"], item["status"])
        for item in (await _requests(subject))[before:]
    ]
    subject.report.expect(
        "The new token was kept: all documents are answered, none asked for another",
        holds=len(answers) > 0
        and all(status == HTTPStatus.OK for _, status in answers)
        and TOKEN not in dict(answers),
        found=answers,
    )
    await subject.expect_nothing_lost("After that")


async def _kill_and_start(subject: Subject) -> None:
    await subject.stage.home_assistant_program.kill()
    await subject.stage.start_home_assistant()
    await subject.settle_after_start()


async def _refresh_until(
    subject: Subject, what: str, condition: Callable[[], Awaitable[bool]]
) -> None:
    """Press “Refresh now”, and return while its outcome is still open."""
    pressing = asyncio.create_task(subject.press("refresh"))
    try:
        await until(what, condition)
    finally:
        pressing.cancel()
        with suppress(asyncio.CancelledError, ClientError, HomeAssistantError):
            await pressing


async def _requests(subject: Subject) -> list[Json]:
    return await subject.cloud.requests(subject.credentials.application.client_id)
