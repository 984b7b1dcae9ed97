"""Live data: frames of a stream become samples that entities see."""

import asyncio
import logging

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator
from homeassistant.util import dt as dt_util

from ..api import LiveFrame
from ..data import EnphaseCloudConfigEntry, EnphaseSystem
from ..documents.readings import from_live_frame
from ..measurements.samples import Samples, Source, advance
from ..runtime.options import LiveOptions

_LOGGER = logging.getLogger(__name__)


class LiveCoordinator(DataUpdateCoordinator[Samples]):
    """Publish what live streams say, throttled, without losing the last frame.

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
            hass, _LOGGER, config_entry=entry, name="Enphase Cloud live data"
        )
        self._storage = entry.runtime_data.storage
        self._system = system
        self._publish_interval = options.publish_interval.total_seconds()
        self.data = self._storage.samples(system.system_id, Source.LIVE)
        self._pending: Samples | None = None
        self._pause: asyncio.TimerHandle | None = None

    @callback
    def take(self, frame: LiveFrame) -> None:
        """Keep a frame, and publish it unless another one was published just now."""
        arrived = from_live_frame(
            frame, known=self._system.samples, has_battery=self._system.has_battery
        )
        known = self.data if self._pending is None else self._pending
        self._pending = advance(known, arrived, now=dt_util.utcnow())
        if self._pause is None:
            self._publish()

    @callback
    def publish_last(self) -> None:
        """Publish what is still unpublished, and remember it over a restart."""
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None
        if self._pending is not None:
            self.data, self._pending = self._pending, None
        self._storage.set_samples(self._system.system_id, Source.LIVE, self.data)
        self.async_update_listeners()

    @callback
    def _publish(self) -> None:
        self._pause = None
        if self._pending is None:
            return
        self._pause = self.hass.loop.call_later(self._publish_interval, self._publish)
        known, self.data, self._pending = self.data, self._pending, None
        if known.keys() == self.data.keys():
            self._update_listeners_to_frames()
        else:
            self.async_update_listeners()

    @callback
    def _update_listeners_to_frames(self) -> None:
        """Spare those whose context is no measurement that frames tell."""
        for update, measurement in list(self._listeners.values()):
            if measurement in self.data:
                update()
