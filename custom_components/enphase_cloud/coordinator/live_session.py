"""A session of live data: its streams are opened, read, and followed by others."""

import asyncio
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
import random
from typing import Final, NamedTuple

from homeassistant.util import dt as dt_util

from ..api import EnphaseCloudError, EnphaseTimeoutError, LiveStream
from ..const import MAX_STREAM, MIN_STREAM
from ..scheduling.live_hours import split
from .error_policy import Consequence, error_policy, foreseen
from .live import LiveCoordinator
from .live_budget import StreamBudget
from .live_errors import StoppedError
from .live_trouble import LiveTrouble

# Between the attempts at a trouble that may pass.
_PAUSES: Final = (timedelta(seconds=2), timedelta(seconds=8))
# Clocks differ; a stream that ends so much too soon has ended as it should.
_TOLERANCE: Final = timedelta(seconds=10)


class LiveGrant(NamedTuple):
    """What a request for live data was given, and what it costs [USD]."""

    ends_at: datetime
    streams: int
    cost: float | None


class LiveSession:
    """Streams that follow one another; open once a stream was.

    `following` is how many are to follow the one that runs.
    """

    def __init__(
        self,
        live: LiveCoordinator,
        budget: StreamBudget,
        trouble: LiveTrouble,
        *,
        length: timedelta,
        streams: int,
        for_user: bool,
    ) -> None:
        """Begin without a stream."""
        self._live = live
        self._budget = budget
        self._trouble = trouble
        now = dt_util.utcnow()
        self._wanted_until = now + length
        # Of a stream that opens, the one to be expected.
        self._stream_ends_at = now
        self.following = streams - 1
        self.for_user = for_user
        self.is_open = False
        # None once there was a frame, before that what prevented it.
        self._answer: asyncio.Future[EnphaseCloudError | None]
        self._answer = live.hass.loop.create_future()
        self._task: asyncio.Task[None] | None = None

    @property
    def ends_at(self) -> datetime:
        """Return when live data ends."""
        possible = self._stream_ends_at + self.following * MAX_STREAM
        return max(self._stream_ends_at, min(self._wanted_until, possible))

    def extend(self, length: timedelta) -> LiveGrant:
        """Go on for longer, by streams that follow the one that runs.

        A little more than what runs anyway is not worth another stream.
        """
        until = dt_util.utcnow() + length
        missing = until - self._stream_ends_at
        if missing < min(MIN_STREAM, length / 2):
            return self.grant(0)
        before = self.following
        needed = split(missing, MAX_STREAM)
        self.following = max(before, min(needed, self._budget.left))
        self._wanted_until = max(until, self._wanted_until)
        self._live.async_update_listeners()
        return self.grant(self.following - before)

    def grant(self, streams: int) -> LiveGrant:
        """Return what is given to whom streams are opened for."""
        return LiveGrant(self.ends_at, streams, self._budget.cost(streams))

    async def async_wait_for_frame(self) -> None:
        """Wait for the first frame, or raise what prevented it."""
        # Who gives up waiting must not take the others along.
        await asyncio.wait([self._answer])
        if (err := self._answer.result()) is not None:
            raise err

    async def async_stop(self) -> None:
        """End what runs."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def async_run(self) -> None:
        """Open one stream after the other, and handle what goes wrong."""
        # It runs at once, and may be stopped before it has been waited for.
        self._task = asyncio.current_task()
        failure: EnphaseCloudError = StoppedError()
        try:
            with foreseen():
                while await self._async_stream():
                    self.following -= 1
        except EnphaseCloudError as err:
            failure = err
            has_been_told = self.for_user and not self.is_open
            self._trouble.handle(err, has_been_told=has_been_told)
        finally:
            if not self._answer.done():
                self._answer.set_result(failure)

    async def _async_stream(self) -> bool:
        """Take the frames of one stream; return whether another one is to follow."""
        wanted = self._wanted_until - dt_util.utcnow()
        seconds = round(max(MIN_STREAM, min(wanted, MAX_STREAM)).total_seconds())
        length = timedelta(seconds=seconds)
        self._stream_ends_at = dt_util.utcnow() + length
        async with AsyncExitStack() as stack:
            stream = await self._async_open(stack, seconds)
            self._stream_ends_at = dt_util.utcnow() + length
            if not self.is_open:
                # What trouble has cost is not there any more.
                self.following = min(self.following, self._budget.left)
                self.is_open = True
            self._live.async_update_listeners()
            await self._async_take(stream)
        now = dt_util.utcnow()
        # Streams that end at once would be paid for one after the other.
        was_whole = now >= self._stream_ends_at - _TOLERANCE
        if was_whole:
            self._trouble.take_whole_stream()
        is_wanted = self.following > 0 and now < self._wanted_until
        return was_whole and is_wanted and self._budget.left > 0

    async def _async_open(self, stack: AsyncExitStack, seconds: int) -> LiveStream:
        """Open a stream, again and again where the trouble may pass."""
        open_stream = self._budget.async_open
        for pause in _PAUSES:
            try:
                return await open_stream(stack, seconds=seconds, for_user=self.for_user)
            except EnphaseCloudError as err:
                may_pass = error_policy(err).consequence is Consequence.RETRY
                if not (may_pass and self._budget.left):
                    raise
            # Others fail at the same moment: do not come back at the same, too.
            jitter = random.uniform(0.5, 1.5)  # noqa: S311
            await asyncio.sleep(pause.total_seconds() * jitter)
        return await open_stream(stack, seconds=seconds, for_user=self.for_user)

    async def _async_take(self, stream: LiveStream) -> None:
        """Take the frames of a stream until it ends."""
        try:
            async for frame in stream:
                self._live.take(frame)
                if not self._answer.done():
                    self._trouble.take_frame()
                    self._answer.set_result(None)
        except EnphaseTimeoutError:
            if dt_util.utcnow() < self._stream_ends_at:
                raise  # Else it did not end, and the client closed it.
        finally:
            self._live.skipped_frames += stream.skipped
