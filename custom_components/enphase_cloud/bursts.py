"""Bursts of live streams: start, run, lengthen, end, next."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
import logging
import random
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.event import async_track_point_in_utc_time
from homeassistant.util import dt as dt_util

from .account import for_the_user
from .api import (
    ConnectionNotEstablishedError,
    EnphaseCloudError,
    ForbiddenError,
    GatewayOfflineError,
    LiveStreamNotSupportedError,
    NotEntitledError,
    Operation,
    RequestWithheldError,
    ServiceUnreachableError,
    UnknownSystemError,
    UnsupportedGatewayError,
)
from .budget.ledger import LOST
from .budget.streams import StreamAllowance, next_burst, split
from .const import MAX_STREAM, MIN_STREAM
from .data import EnphaseCloudConfigEntry, EnphaseSystem
from .errors import translated
from .live import LiveCoordinator
from .options import LiveOptions
from .site.samples import Source

_LOGGER = logging.getLogger(__name__)

# What the plan or the user's rights lack: live data is switched off.
_REFUSED: Final = (NotEntitledError, ForbiddenError)
# What the installation lacks: scheduled bursts end until a reload.
_UNSUPPORTED: Final = (
    LiveStreamNotSupportedError,
    UnknownSystemError,
    UnsupportedGatewayError,
)
# What may be over in a moment: tried again after these pauses, then given up.
_PASSING: Final = (
    ConnectionNotEstablishedError,
    GatewayOfflineError,
    ServiceUnreachableError,
)
_PAUSES: Final = (timedelta(seconds=2), timedelta(seconds=8))


@dataclass(frozen=True, slots=True)
class Grant:
    """What a request for live data was given, and what it costs [USD]."""

    ends_at: datetime
    streams: int
    cost: float | None


class Bursts:
    """The live streams of one system, one at a time."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: EnphaseCloudConfigEntry,
        system: EnphaseSystem,
        live: LiveCoordinator,
        *,
        options: LiveOptions,
        price: float | None,
    ) -> None:
        """Begin without a stream; `price` is what one costs [USD], if it is known."""
        self._hass = hass
        self._entry = entry
        self._data = entry.runtime_data
        self._system = system
        self.live = live
        self._options = options
        self._price = price
        self._allowance = StreamAllowance(options.streams_per_month)
        self._task: asyncio.Task[None] | None = None
        self._opened: asyncio.Future[None] | None = None
        self._stream_ends_at: datetime | None = None
        self._wanted_until: datetime | None = None
        self._following = 0
        self._stop_waiting: CALLBACK_TYPE | None = None
        self.skipped_frames = 0

    @property
    def is_running(self) -> bool:
        """Whether a live stream is open or being opened."""
        return self._task is not None

    @property
    def ends_at(self) -> datetime | None:
        """Return when live data ends; None where none is streaming."""
        if self._stream_ends_at is None or not self._following:
            return self._stream_ends_at
        return max(self._stream_ends_at, self._wanted_until or self._stream_ends_at)

    @property
    def streams_per_month(self) -> int:
        """Return how many streams the user wants to pay for in a month."""
        return self._allowance.per_month

    @property
    def streams_left(self) -> int:
        """Return how many streams the user still wants to pay for this month."""
        return self._allowance.left(self._streams_used)

    @callback
    def async_schedule(self) -> None:
        """Arrange the next burst, if the user wants bursts."""
        self._cancel_waiting()
        if not self._options.bursts:
            return
        now = dt_util.utcnow()
        due = next_burst(
            last=self._data.memory.live_started_at(self._system.system_id),
            now=now,
            pause=self._options.pause,
            left=self._allowance.left_for_bursts(self._streams_used),
            period_end=self._data.account.ledger.period_end(now),
            hours=self._options.hours(
                self._data.account.schedule.daylight(str(self._system.system_id)),
                self._system.time_zone,
            ),
        )
        self._stop_waiting = async_track_point_in_utc_time(
            self._hass, self._async_begin_scheduled, due
        )

    async def async_request(self, duration: timedelta | None = None) -> Grant:
        """Start live data on the user's behalf, join what runs, or lengthen it.

        Raises HomeAssistantError where it cannot be had; nothing is sent then.
        """
        if self._is_refused:
            raise translated(HomeAssistantError, "live_not_entitled")
        length = duration or self._options.length
        until = dt_util.utcnow() + length
        try:
            with for_the_user():
                if self._task is None:
                    return await self._async_start(length, until)
                await self._async_wait_until_open()
        except EnphaseCloudError as err:
            raise _explained(err) from None
        return self._lengthen(until)

    async def async_stop(self) -> None:
        """End the burst that runs; scheduled ones go on later."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def async_shutdown(self) -> None:
        """End the burst that runs, and plan no other."""
        self._cancel_waiting()
        await self.async_stop()

    @property
    def _is_refused(self) -> bool:
        memory = self._data.memory
        return memory.is_refused(self._system.system_id, Source.LIVE)

    @property
    def _streams_used(self) -> int:
        """Return the streams of this month; what a crash lost may have been one."""
        calls = self._data.account.ledger.by_operation(dt_util.utcnow())
        return calls.get(Operation.LIVE_DATA, 0) + calls.get(LOST, 0)

    async def _async_begin_scheduled(self, _now: datetime) -> None:
        self._stop_waiting = None
        if self._is_refused:
            return
        try:
            if self._task is None:
                length = self._options.length
                await self._async_start(length, dt_util.utcnow() + length)
        except _UNSUPPORTED as err:
            _LOGGER.warning("No more bursts of live data until a reload: %s", err)
            return
        except (EnphaseCloudError, HomeAssistantError) as err:
            _LOGGER.info("This burst of live data was not possible: %s", err)
        self.async_schedule()

    async def _async_start(self, length: timedelta, until: datetime) -> Grant:
        """Run a burst in the background; return once its first stream is open."""
        streams = min(split(length, MAX_STREAM), self.streams_left)
        if not streams:
            raise translated(
                HomeAssistantError,
                "live_budget_used_up",
                limit=self._options.streams_per_month,
            )
        self._data.memory.remember_live_start(self._system.system_id, dt_util.utcnow())
        self._wanted_until = until
        self._following = streams - 1
        self._opened = self._hass.loop.create_future()
        self._task = self._entry.async_create_background_task(
            self._hass, self._async_run(self._opened), "Enphase Cloud live data"
        )
        await self._async_wait_until_open()
        return self._grant(streams)

    async def _async_wait_until_open(self) -> None:
        if self._opened is not None:
            # Whoever gives up waiting must not take the others with it.
            await asyncio.shield(self._opened)

    def _lengthen(self, until: datetime) -> Grant:
        """Let the burst go on for longer, by streams that follow the one that runs.

        A little more than what runs anyway is not worth another stream.
        """
        now = dt_util.utcnow()
        ends_at = self._stream_ends_at or now
        if until - ends_at < MIN_STREAM:
            return self._grant(0)
        before = self._following
        needed = split(until - ends_at, MAX_STREAM)
        self._following = max(before, min(needed, self.streams_left))
        self._wanted_until = max(until, self._wanted_until or until)
        self.live.async_update_listeners()
        return self._grant(self._following - before)

    def _grant(self, streams: int) -> Grant:
        cost = None if self._price is None else round(streams * self._price, 2)
        return Grant(self.ends_at or dt_util.utcnow(), streams, cost)

    async def _async_run(self, opened: asyncio.Future[None]) -> None:
        try:
            await self._async_stream(self._next_length(), opened)
            while self._following and self.streams_left:
                self._following -= 1
                await self._async_stream(self._next_length(), opened)
        except EnphaseCloudError as err:
            if isinstance(err, _REFUSED):
                self._switch_off()
            if opened.done():
                _LOGGER.info("Live data ended early: %s", err)
            else:
                opened.set_exception(err)
        finally:
            self._task = None
            self._opened = None
            self._stream_ends_at = None
            self._following = 0
            self.live.publish_last()
            opened.cancel()

    def _next_length(self) -> int:
        """Return how long the next stream is to be [s]."""
        now = dt_util.utcnow()
        wanted = (self._wanted_until or now) - now
        return round(max(MIN_STREAM, min(wanted, MAX_STREAM)).total_seconds())

    async def _async_stream(self, seconds: int, opened: asyncio.Future[None]) -> None:
        """Open one stream and take its frames until it ends."""
        for pause in (*_PAUSES, None):
            try:
                await self._async_read(seconds, opened)
            except _PASSING:
                is_open = self._stream_ends_at is not None
                if is_open or pause is None or not self.streams_left:
                    raise
                # Others fail at the same moment: do not come back at the same, too.
                jitter = random.uniform(0.5, 1.5)  # noqa: S311
                await asyncio.sleep(pause.total_seconds() * jitter)
            else:
                return

    async def _async_read(self, seconds: int, opened: asyncio.Future[None]) -> None:
        self._stream_ends_at = None
        async with self._data.client.stream_live_data(
            self._system.system_id, duration=seconds
        ) as stream:
            self._stream_ends_at = dt_util.utcnow() + timedelta(seconds=seconds)
            if not opened.done():
                opened.set_result(None)
            self.live.async_update_listeners()
            try:
                async for frame in stream:
                    self.live.take(frame)
            finally:
                self.skipped_frames += stream.skipped

    def _switch_off(self) -> None:
        _LOGGER.warning(
            "The plan of the API key does not include live data; it is not asked for"
            " again. Everything else goes on"
        )
        self._data.memory.remember_refusal(self._system.system_id, Source.LIVE)
        self._data.account.notify()

    @callback
    def _cancel_waiting(self) -> None:
        if self._stop_waiting is not None:
            self._stop_waiting()
            self._stop_waiting = None


def _explained(err: EnphaseCloudError) -> HomeAssistantError:
    match err:
        case RequestWithheldError():
            return translated(HomeAssistantError, "budget_exhausted", until=err.until)
        case NotEntitledError() | ForbiddenError():
            return translated(HomeAssistantError, "live_not_entitled")
        case UnsupportedGatewayError():
            return translated(HomeAssistantError, "live_gateway_too_old")
        case LiveStreamNotSupportedError():
            return translated(HomeAssistantError, "live_needs_meters")
        case GatewayOfflineError():
            return translated(HomeAssistantError, "live_gateway_offline")
    return translated(HomeAssistantError, "live_failed", error=err)
