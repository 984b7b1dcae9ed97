"""A timer that can be restarted."""

from collections.abc import Callable
from datetime import datetime, timedelta

from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later


class Timer:
    """Calls an action once, a pause after the last start.

    It measures a duration, so it is not late if the system clock is set back.
    """

    def __init__(self, hass: HomeAssistant, action: Callable[[], object]) -> None:
        """Create a stopped timer."""
        self._hass = hass
        self._action = action
        self._job = HassJob(self._async_fire, cancel_on_shutdown=True)
        self._cancel: CALLBACK_TYPE | None = None

    @callback
    def start(self, pause: timedelta) -> None:
        """Call the action after a pause; replaces an earlier start."""
        self.stop()
        self._cancel = async_call_later(self._hass, pause, self._job)

    @callback
    def stop(self) -> None:
        """Cancel the call."""
        if self._cancel is not None:
            self._cancel()
            self._cancel = None

    @callback
    def _async_fire(self, _now: datetime) -> None:
        self._cancel = None
        self._action()
