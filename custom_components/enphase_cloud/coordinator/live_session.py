"""A live session: opens live streams one after the other and reads them."""

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

# Pauses between the attempts to open a stream, after an error that may be temporary.
_PAUSES: Final = (timedelta(seconds=2), timedelta(seconds=8))
# Clocks differ: a stream that ends early by up to this much counts as whole.
_TOLERANCE: Final = timedelta(seconds=10)


class LiveGrant(NamedTuple):
    """The result of a request: end of the session, new streams and their cost [USD]."""

    ends_at: datetime
    streams: int
    cost: float | None


class LiveSession:
    """A sequence of live streams; it is open once the first one is.

    `following` is the number of streams to open after the current one.
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
        # While a stream opens, its expected end.
        self._stream_ends_at = now
        self.following = streams - 1
        self.for_user = for_user
        self.is_open = False
        # Resolves to None at the first frame, or to the error that prevented it.
        self._first_frame: asyncio.Future[EnphaseCloudError | None]
        self._first_frame = live.hass.loop.create_future()
        self._task: asyncio.Task[None] | None = None

    @property
    def ends_at(self) -> datetime:
        """Return when the session ends."""
        possible = self._stream_ends_at + self.following * MAX_STREAM
        return max(self._stream_ends_at, min(self._wanted_until, possible))

    def extend(self, length: timedelta) -> LiveGrant:
        """Extend the session to last this long from now, by further streams.

        A short extension is not worth the cost of another stream.
        """
        now = dt_util.utcnow()
        until = now + length
        # A stream may outlast its time; then the next one opens late.
        missing = until - max(now, self._stream_ends_at)
        if missing < min(MIN_STREAM, length / 2):
            return self.grant(0)
        before = self.following
        needed = split(missing, MAX_STREAM)
        self.following = max(before, min(needed, self._budget.left))
        self._wanted_until = max(until, self._wanted_until)
        self._live.async_update_listeners()
        return self.grant(self.following - before)

    def grant(self, streams: int) -> LiveGrant:
        """Return the grant of a number of new streams."""
        return LiveGrant(self.ends_at, streams, self._budget.cost(streams))

    async def async_wait_for_frame(self) -> None:
        """Wait for the first frame; raise the error that prevented it."""
        # `wait` does not cancel the future that other callers wait for.
        await asyncio.wait([self._first_frame])
        if (err := self._first_frame.result()) is not None:
            raise err

    async def async_stop(self) -> None:
        """End the session."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def async_run(self) -> None:
        """Open one stream after the other, and handle errors."""
        # Known before the first await, so that `async_stop` can always cancel it.
        self._task = asyncio.current_task()
        failure: EnphaseCloudError = StoppedError()
        try:
            with foreseen():
                while await self._async_stream():
                    self.following -= 1
        except EnphaseCloudError as err:
            failure = err
            is_reported = self.for_user and not self.is_open
            self._trouble.handle(err, is_reported=is_reported)
        finally:
            if not self._first_frame.done():
                self._first_frame.set_result(failure)

    async def _async_stream(self) -> bool:
        """Take the frames of one stream; return whether to open another one."""
        wanted = self._wanted_until - dt_util.utcnow()
        seconds = round(max(MIN_STREAM, min(wanted, MAX_STREAM)).total_seconds())
        length = timedelta(seconds=seconds)
        self._stream_ends_at = dt_util.utcnow() + length
        async with AsyncExitStack() as stack:
            stream = await self._async_open(stack, seconds)
            self._stream_ends_at = dt_util.utcnow() + length
            if not self.is_open:
                # Failed attempts to open it may have been billed.
                self.following = min(self.following, self._budget.left)
                self.is_open = True
            self._live.async_update_listeners()
            await self._async_take(stream)
        now = dt_util.utcnow()
        # After a stream that ends early, do not pay for another one.
        was_whole = now >= self._stream_ends_at - _TOLERANCE
        if was_whole:
            self._trouble.take_whole_stream()
        is_wanted = self.following > 0 and now < self._wanted_until
        return was_whole and is_wanted and self._budget.left > 0

    async def _async_open(self, stack: AsyncExitStack, seconds: int) -> LiveStream:
        """Open a stream; try again after errors that may be temporary."""
        open_stream = self._budget.async_open
        for pause in _PAUSES:
            try:
                return await open_stream(stack, seconds=seconds, for_user=self.for_user)
            except EnphaseCloudError as err:
                is_temporary = error_policy(err).consequence is Consequence.RETRY
                if not (is_temporary and self._budget.left):
                    raise
            # Many installations fail at the same moment: spread their attempts.
            jitter = random.uniform(0.5, 1.5)  # noqa: S311
            await asyncio.sleep(pause.total_seconds() * jitter)
        return await open_stream(stack, seconds=seconds, for_user=self.for_user)

    async def _async_take(self, stream: LiveStream) -> None:
        """Take the frames of a stream until it ends."""
        try:
            async for frame in stream:
                self._live.take(frame)
                if not self._first_frame.done():
                    self._trouble.take_frame()
                    self._first_frame.set_result(None)
        except EnphaseTimeoutError:
            if dt_util.utcnow() < self._stream_ends_at:
                raise  # Afterwards the client closes a stream that does not end.
        finally:
            self._live.skipped_frames += stream.skipped
