"""A timer that is started again and again, and ends with what it belongs to."""

from collections.abc import Callable
from datetime import datetime, timedelta

from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later


class Timer:
    """Calls an action once, some time after it was started last.

    A point in time would be put off where the clock is put back.
    """

    def __init__(self, hass: HomeAssistant, action: Callable[[], object]) -> None:
        """Begin stopped."""
        self._hass = hass
        self._action = action
        self._job = HassJob(self._async_fire, cancel_on_shutdown=True)
        self._cancel: CALLBACK_TYPE | None = None

    @callback
    def start(self, pause: timedelta) -> None:
        """Let the action be called after a pause, instead of when it was due before."""
        self.stop()
        self._cancel = async_call_later(self._hass, pause, self._job)

    @callback
    def stop(self) -> None:
        """Let the action be called no more."""
        if self._cancel is not None:
            self._cancel()
            self._cancel = None

    @callback
    def _async_fire(self, _now: datetime) -> None:
        self._cancel = None
        self._action()
