"""Bursts of live data: start, run, end, next."""

import asyncio
from datetime import datetime, timedelta
import logging
from typing import Final, override

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator
from homeassistant.util import dt as dt_util

from .account import for_the_user
from .api import (
    ApiError,
    EnphaseCloudError,
    ForbiddenError,
    InvalidGrantError,
    LiveStreamNotSupportedError,
    NotEntitledError,
    RequestWithheldError,
    UnsupportedGatewayError,
)
from .data import EnphaseCloudConfigEntry, EnphaseSystem
from .errors import translated
from .options import LiveOptions
from .site.documents import from_live_frame
from .site.samples import Samples, Source, advance

_LOGGER = logging.getLogger(__name__)

# After these the stream will not work without the user changing something.
_FINAL_ERRORS: Final = (
    ForbiddenError,
    InvalidGrantError,
    LiveStreamNotSupportedError,
    NotEntitledError,
    UnsupportedGatewayError,
)


class LiveCoordinator(DataUpdateCoordinator[Samples]):
    """Publish what live streams say.

    It has no interval of its own: pushing into a polling coordinator would reset that
    one's timer and starve the poll.
    """

    config_entry: EnphaseCloudConfigEntry

    def __init__(
        self,
        hass: HomeAssistant,
        entry: EnphaseCloudConfigEntry,
        system: EnphaseSystem,
        options: LiveOptions,
    ) -> None:
        """Begin with what is remembered of the last burst."""
        super().__init__(
            hass, _LOGGER, config_entry=entry, name="Enphase Cloud live stream"
        )
        self._memory = entry.runtime_data.memory
        self._client = entry.runtime_data.client
        self.system = system
        self.data = self._memory.samples(system.system_id, Source.LIVE)
        self.ends_at: datetime | None = None
        self._options = options
        self._burst: asyncio.Task[None] | None = None
        self._opened: asyncio.Future[None] | None = None
        self._stop_waiting: CALLBACK_TYPE | None = None
        self._pending: Samples | None = None
        self._stop_pausing: CALLBACK_TYPE | None = None

    @property
    def is_running(self) -> bool:
        """Whether a live stream is open or being opened."""
        return self._burst is not None

    @callback
    def async_schedule(self) -> None:
        """Arrange the next burst, if the user wants bursts."""
        self._cancel_waiting()
        if not self._options.bursts:
            return
        last = self._memory.live_started_at(self.system.system_id)
        now = dt_util.utcnow()
        # A first burst shows a new user what live data is; a restart repeats none.
        due = now if last is None else last + self._options.pause
        self._stop_waiting = async_call_later(
            self.hass, max(due - now, timedelta()), self._async_begin_scheduled
        )

    async def async_start(self, duration: timedelta | None = None) -> datetime:
        """Start a burst on the user's behalf, or join the one that runs.

        Returns when it ends. Raises HomeAssistantError where it cannot be had.
        """
        with for_the_user():
            try:
                await self._async_open(duration or self._options.length)
            except EnphaseCloudError as err:
                raise _explained(err) from None
        return self.ends_at or dt_util.utcnow()

    @override
    async def async_shutdown(self) -> None:
        """End the burst that runs, and plan no other."""
        self._cancel_waiting()
        if self._burst is not None:
            self._burst.cancel()
            await asyncio.wait([self._burst])
        await super().async_shutdown()

    async def _async_begin_scheduled(self, _now: datetime) -> None:
        self._stop_waiting = None
        try:
            await self._async_open(self._options.length)
        except RequestWithheldError as err:
            _LOGGER.debug("No burst of live data: %s", err)
        except _FINAL_ERRORS as err:
            _LOGGER.warning("No more bursts of live data until a reload: %s", err)
            return
        except EnphaseCloudError as err:
            _LOGGER.info("This burst of live data was not possible: %s", err)
        self.async_schedule()

    async def _async_open(self, duration: timedelta) -> None:
        """Run a burst in the background; return once its stream is open."""
        if self._opened is None:
            self._memory.remember_live_start(self.system.system_id, dt_util.utcnow())
            self._opened = self.hass.loop.create_future()
            self._burst = self.config_entry.async_create_background_task(
                self.hass,
                self._async_run(duration, self._opened),
                "Enphase Cloud live stream",
            )
        # Whoever gives up waiting must not take the others with it.
        await asyncio.shield(self._opened)

    async def _async_run(
        self, duration: timedelta, opened: asyncio.Future[None]
    ) -> None:
        seconds = int(duration.total_seconds())
        try:
            async with self._client.stream_live_data(
                self.system.system_id, duration=seconds
            ) as stream:
                self.ends_at = dt_util.utcnow() + duration
                opened.set_result(None)
                self.async_update_listeners()
                async for frame in stream:
                    self._take(from_live_frame(frame, known=self.system.samples))
        except EnphaseCloudError as err:
            if opened.done():
                _LOGGER.info("The live stream ended early: %s", err)
            else:
                opened.set_exception(err)
        finally:
            self._burst = None
            self._opened = None
            self.ends_at = None
            self._publish_last()
            opened.cancel()

    @callback
    def _take(self, arrived: Samples) -> None:
        """Keep a frame, and publish it unless another one was published just now."""
        known = self.data if self._pending is None else self._pending
        self._pending = advance(known, arrived, now=dt_util.utcnow())
        if self._stop_pausing is None:
            self._publish()

    @callback
    def _publish(self, _now: datetime | None = None) -> None:
        self._stop_pausing = None
        if self._pending is None:
            return
        self._stop_pausing = async_call_later(
            self.hass, self._options.publish_interval, self._publish
        )
        samples, self._pending = self._pending, None
        self.async_set_updated_data(samples)

    @callback
    def _publish_last(self) -> None:
        if self._stop_pausing is not None:
            self._stop_pausing()
            self._stop_pausing = None
        samples = self.data if self._pending is None else self._pending
        self._pending = None
        self._memory.remember_samples(self.system.system_id, Source.LIVE, samples)
        self.async_set_updated_data(samples)

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
        case LiveStreamNotSupportedError() | UnsupportedGatewayError():
            return translated(HomeAssistantError, "live_not_supported")
        case ApiError() | EnphaseCloudError():
            return translated(HomeAssistantError, "live_failed", error=err)
