"""Publishes the frames of live streams as samples."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
import logging
from typing import Any, override

from homeassistant.core import CALLBACK_TYPE, callback
from homeassistant.util import dt as dt_util

from ..api import LiveFrame
from ..documents.readings import read_live_frame
from ..measurements.catalog import Measurement, Source
from ..measurements.samples import Samples, advance
from ..runtime.options import LiveOptions
from .base import SystemContext
from .listeners import EnphaseCloudCoordinator

_LOGGER = logging.getLogger(__name__)


class LiveCoordinator(EnphaseCloudCoordinator):
    """Publishes the values of live streams, throttled, without losing the last frame.

    It is no polling coordinator, because each push would reset the timer of the poll.
    """

    def __init__(self, context: SystemContext, options: LiveOptions) -> None:
        """Begin with the stored values of the last session."""
        super().__init__(
            context.shared.hass,
            _LOGGER,
            config_entry=context.shared.entry,
            name="Enphase Cloud live data",
        )
        self._store = context.store
        self._board = context.board
        self._publish_interval = options.publish_interval.total_seconds()
        # Listeners by measurement: a frame notifies only those of its measurements.
        self._showing: defaultdict[Measurement, list[CALLBACK_TYPE]]
        self._showing = defaultdict(list)
        self._pending: Samples | None = None
        self._pause: asyncio.TimerHandle | None = None
        # Total over all streams.
        self.skipped_frames = 0

    @override
    @callback
    def async_add_listener(
        self, update_callback: CALLBACK_TYPE, context: Any = None
    ) -> Callable[[], None]:
        """Add a listener to sessions; with a measurement as context, also to frames."""
        remove = super().async_add_listener(update_callback, context)
        if not isinstance(context, Measurement):
            return remove
        self._showing[context].append(update_callback)

        def remove_both() -> None:
            self._showing[context].remove(update_callback)
            remove()

        return remove_both

    @callback
    def take(self, frame: LiveFrame) -> None:
        """Keep a frame; publish it unless the last one is too recent."""
        arrived = read_live_frame(frame, self._board)
        known = self._pending or self._board.samples(Source.LIVE)
        self._pending = advance(known, arrived, now=dt_util.utcnow())
        if self._pause is None:
            self._publish()

    @callback
    def publish_last(self) -> None:
        """Publish the frame that still waits, and store it over a restart."""
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None
        if self._pending is not None:
            self._board.put(Source.LIVE, self._pending)
            self._pending = None
        self._store.save_soon()
        self.async_update_listeners()

    @callback
    def _publish(self) -> None:
        self._pause = None
        if self._pending is None:
            return
        self._pause = self.hass.loop.call_later(self._publish_interval, self._publish)
        known, shown = self._board.samples(Source.LIVE), self._pending
        self._pending = None
        self._board.put(Source.LIVE, shown)
        if known.keys() != shown.keys():
            self.async_update_listeners()
            return
        for measurement in shown:
            for update in list(self._showing[measurement]):
                self._call_one(update)
