"""Sessions of live streams: start, run, lengthen, end, next."""

import asyncio
from contextlib import AsyncExitStack, nullcontext
from datetime import datetime, timedelta
import logging
import random
from typing import Final

from homeassistant.core import callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util

from ..api import (
    EnphaseCloudError,
    EnphaseTimeoutError,
    LiveStream,
    StreamSample,
    UnreadableStreamError,
)
from ..api.endpoints import LIVE_DATA
from ..const import MAX_STREAM, MIN_STREAM
from ..errors import translated
from ..measurements.catalog import Source
from ..runtime.key_budget import for_the_user
from ..runtime.options import LiveOptions
from ..runtime.storage import Refusal
from ..scheduling.live_hours import StreamAllowance, next_session, split
from .base import SystemContext
from .error_policy import (
    REFUSALS,
    Consequence,
    Outage,
    error_policy,
    explained,
    foreseen,
    refuse,
    refused,
)
from .live import LiveCoordinator
from .live_errors import NoStreamLeftError, StoppedError
from .live_grant import LiveGrant, LiveSession
from .timer import Timer

_LOGGER = logging.getLogger(__name__)

# Between the attempts at a trouble that may pass.
_PAUSES: Final = (timedelta(seconds=2), timedelta(seconds=8))
_LONGEST_SLEEP: Final = timedelta(minutes=15)
# Clocks differ; a stream that ends so much too soon has ended as it should.
_TOLERANCE: Final = timedelta(seconds=10)
# What no later attempt helps against.
_LASTING: Final = (Consequence.UNSUPPORTED, Consequence.UNKNOWN_SYSTEM)


class LiveSessions:
    """The live streams of one system, one at a time."""

    def __init__(
        self,
        context: SystemContext,
        live: LiveCoordinator,
        *,
        options: LiveOptions,
        price: float | None,
    ) -> None:
        """Begin without a stream; `price` is what one costs [USD], if it is known."""
        self._context = context
        self._shared = context.shared
        self._hass = context.shared.hass
        self._store = context.store
        self.live = live
        self._options = options
        self._price = price
        self._allowance = StreamAllowance(options.streams_per_month)
        self._session: LiveSession | None = None
        self._timer = Timer(self._hass, self._async_begin_scheduled)
        self._is_supported = True
        self._is_shut_down = False
        self._outage = Outage("Live data")
        self.skipped_frames = 0
        # Also where the set-up of the entry fails later on.
        self._shared.entry.async_on_unload(self._shut_down)
        context.on_shown(self.async_schedule)

    @property
    def is_running(self) -> bool:
        """Whether live data is streaming, or about to go on."""
        return self.ends_at is not None

    @property
    def ends_at(self) -> datetime | None:
        """Return when live data ends; None where none is streaming."""
        session = self._session
        return session.ends_at if session is not None and session.is_open else None

    @property
    def streams_per_month(self) -> int:
        """Return how many streams the user wants to pay for in a month."""
        return self._allowance.per_month

    @property
    def streams_left(self) -> int:
        """Return how many streams the user still wants to pay for this month."""
        return self._allowance.left(self._streams_used)

    @property
    def unreadable_stream(self) -> StreamSample | None:
        """Return what stopped the schedule, if a stream without a frame did."""
        return self._store.unreadable_stream

    @callback
    def async_schedule(self) -> None:
        """Plan the next session, if the user wants them and they can be had."""
        self._timer.stop()
        if (
            self._options.live_sessions
            and self._is_supported
            and self._store.is_visible
            and self.unreadable_stream is None
            and not (self._refusal or self._is_shut_down or self._hass.is_stopping)
        ):
            pause = self._next_session() - dt_util.utcnow()
            self._timer.start(min(pause, _LONGEST_SLEEP))

    async def async_request(self, duration: timedelta | None = None) -> LiveGrant:
        """Start live data on the user's behalf, join what runs, or lengthen it.

        Raises HomeAssistantError where it cannot be had; nothing is sent then.
        """
        if not self._store.is_visible:
            raise translated(HomeAssistantError, "live_not_visible")
        if (refusal := self._refusal) is not None:
            raise refused(refusal, Source.LIVE)
        length = duration or self._options.length
        try:
            while (session := self._session) is not None:
                session.for_user = True
                await session.async_wait_for_frame()
                if session is self._session:
                    return self._extend(session, length)
            session = self._begin(length, for_user=True)
            await session.async_wait_for_frame()
        except EnphaseCloudError as err:
            raise explained(HomeAssistantError, err, Source.LIVE) from None
        return self._grant(session, session.following + 1)

    async def async_stop(self) -> None:
        """End the session that runs; scheduled ones go on later."""
        if self._session is not None and (task := self._session.task) is not None:
            task.cancel()
            await asyncio.wait([task])

    async def async_shutdown(self) -> None:
        """End the session that runs, and let no other begin.

        A reload tries live data again, a restart does not: it is no decision to pay.
        """
        self._shut_down()
        await self.async_stop()
        if not self._hass.is_stopping:
            self._store.set_unreadable_stream(None)

    @property
    def _refusal(self) -> Refusal | None:
        return self._store.refusals.get(Source.LIVE)

    @property
    def _streams_used(self) -> int:
        """Return the streams of this month; each is on the disk before it opens."""
        calls = self._shared.budget.ledger.by_operation(dt_util.utcnow())
        return calls.get(LIVE_DATA.name, 0)

    def _next_session(self) -> datetime:
        now = dt_util.utcnow()
        return next_session(
            last=self._store.live_started_at,
            now=now,
            pause=self._options.pause,
            left=self._allowance.left_for_sessions(self._streams_used),
            period_end=self._shared.budget.ledger.period_end(now),
            hours=self._options.hours(
                self._shared.budget.schedule.daylight(
                    str(self._context.info.system_id)
                ),
                self._context.info.time_zone,
            ),
        )

    @callback
    def _async_begin_scheduled(self) -> None:
        if self._session is not None:
            return  # Its end plans the next one.
        if not self._store.is_visible:
            return  # What shows it again plans the next one.
        # What was asked for by hand may have put it off.
        if self._next_session() <= dt_util.utcnow() and not self._hass.is_stopping:
            self._begin(self._options.length, for_user=False)
        else:
            self.async_schedule()

    @callback
    def _begin(self, length: timedelta, *, for_user: bool) -> LiveSession:
        """Run a session in the background.

        Raises NoStreamLeftError, and StoppedError after the shutdown.
        """
        if self._is_shut_down:
            raise StoppedError
        streams = min(split(length, MAX_STREAM), self.streams_left)
        if not streams:
            raise NoStreamLeftError(self.streams_per_month)
        now = dt_util.utcnow()
        self._store.set_live_start(now)
        self._session = session = LiveSession(
            wanted_until=now + length,
            stream_ends_at=now,
            following=streams - 1,
            for_user=for_user,
            answer=self._hass.loop.create_future(),
        )
        self._shared.entry.async_create_background_task(
            self._hass, self._async_run(session), "Enphase Cloud live data"
        )
        return session

    def _extend(self, session: LiveSession, length: timedelta) -> LiveGrant:
        """Let a session go on for longer, by streams that follow the one that runs.

        A little more than what runs anyway is not worth another stream.
        """
        until = dt_util.utcnow() + length
        missing = until - session.stream_ends_at
        if missing < min(MIN_STREAM, length / 2):
            return self._grant(session, 0)
        before = session.following
        needed = split(missing, MAX_STREAM)
        session.following = max(before, min(needed, self.streams_left))
        session.wanted_until = max(until, session.wanted_until)
        self.live.async_update_listeners()
        return self._grant(session, session.following - before)

    def _grant(self, session: LiveSession, streams: int) -> LiveGrant:
        cost = None if self._price is None else round(streams * self._price, 2)
        return LiveGrant(session.ends_at, streams, cost)

    async def _async_run(self, session: LiveSession) -> None:
        # It runs at once, and may be stopped before it has been waited for.
        session.task = asyncio.current_task()
        failure: EnphaseCloudError = StoppedError()
        try:
            with foreseen():
                while await self._async_stream(session):
                    session.following -= 1
        except EnphaseCloudError as err:
            failure = err
            self._handle_error(err, session)
        finally:
            self._session = None
            if not session.answer.done():
                session.answer.set_result(failure)
            self.async_schedule()
            self.live.publish_last()

    async def _async_stream(self, session: LiveSession) -> bool:
        """Take the frames of one stream; return whether another one is to follow."""
        wanted = session.wanted_until - dt_util.utcnow()
        seconds = round(max(MIN_STREAM, min(wanted, MAX_STREAM)).total_seconds())
        length = timedelta(seconds=seconds)
        session.stream_ends_at = dt_util.utcnow() + length
        async with AsyncExitStack() as stack:
            stream = await self._async_open(stack, session, seconds)
            session.stream_ends_at = dt_util.utcnow() + length
            if not session.is_open:
                # What trouble has cost is not there any more.
                session.following = min(session.following, self.streams_left)
                session.is_open = True
            self.live.async_update_listeners()
            try:
                async for frame in stream:
                    self.live.take(frame)
                    if not session.answer.done():
                        self._set_readable()
                        session.answer.set_result(None)
            except EnphaseTimeoutError:
                if dt_util.utcnow() < session.stream_ends_at:
                    raise  # Else it did not end, and the client closed it.
            finally:
                self.skipped_frames += stream.skipped
        now = dt_util.utcnow()
        # Streams that end at once would be paid for one after the other.
        was_whole = now >= session.stream_ends_at - _TOLERANCE
        if was_whole:
            self._outage.end()
        is_wanted = session.following > 0 and now < session.wanted_until
        return was_whole and is_wanted and self.streams_left > 0

    async def _async_open(
        self, stack: AsyncExitStack, session: LiveSession, seconds: int
    ) -> LiveStream:
        """Open a stream, again and again where the trouble may pass."""
        for pause in _PAUSES:
            try:
                return await self._async_enter(stack, session, seconds)
            except EnphaseCloudError as err:
                may_pass = error_policy(err).consequence is Consequence.RETRY
                if not (may_pass and self.streams_left):
                    raise
            # Others fail at the same moment: do not come back at the same, too.
            jitter = random.uniform(0.5, 1.5)  # noqa: S311
            await asyncio.sleep(pause.total_seconds() * jitter)
        return await self._async_enter(stack, session, seconds)

    async def _async_enter(
        self, stack: AsyncExitStack, session: LiveSession, seconds: int
    ) -> LiveStream:
        # One after the other, for systems share what is left to be paid for.
        async with self._shared.live_opening:
            if not self.streams_left:
                raise NoStreamLeftError(self.streams_per_month)
            with for_the_user() if session.for_user else nullcontext():
                return await stack.enter_async_context(
                    self._shared.client.stream(
                        self._context.info.system_id, duration=seconds
                    )
                )

    def _handle_error(self, err: EnphaseCloudError, session: LiveSession) -> None:
        """Handle a failed session: disable, reauthenticate, or log."""
        consequence = error_policy(err).consequence
        if consequence in REFUSALS:
            refuse(self._context, Source.LIVE, err)
        elif consequence in _LASTING and self._options.live_sessions:
            self._is_supported = False
            _LOGGER.warning("No more bursts of live data until a reload: %s", err)
        elif consequence is Consequence.REAUTH:
            self._shared.entry.async_start_reauth(self._hass)
        elif isinstance(err, UnreadableStreamError):
            self._set_unreadable(err)
        elif session.is_open or not session.for_user:
            self._outage.begin(err)

    def _set_readable(self) -> None:
        """Resume the schedule, should a stream without a frame have stopped it."""
        if self.unreadable_stream is not None:
            _LOGGER.info("Live data can be read again")
            self._store.set_unreadable_stream(None)
            self._shared.budget.notify()

    def _set_unreadable(self, err: UnreadableStreamError) -> None:
        """Open no more streams by schedule: they cost money and bring nothing."""
        if self.unreadable_stream is None:
            _LOGGER.warning(
                "%s; no more bursts of live data until one that you start can be read."
                " It began, with all values masked: %s",
                err,
                err.sample.beginning,
            )
        self._store.set_unreadable_stream(err.sample)
        self._shared.budget.notify()

    @callback
    def _shut_down(self) -> None:
        self._is_shut_down = True
        self._timer.stop()
