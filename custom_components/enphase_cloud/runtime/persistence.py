"""Saves data before actions that depend on it, and notices a failing disk."""

from collections.abc import Callable
from datetime import datetime, timedelta
import logging
from typing import Any, Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util

from ..api import RequestWithheldError
from .verified_store import VerifiedStore

_LOGGER = logging.getLogger(__name__)

_DELAY: Final = timedelta(seconds=10)
# The pause after a failed write.
_RETRY: Final = timedelta(minutes=5)


class StorageFailedError(RequestWithheldError):
    """No request was sent, because data that must be saved before cannot be written."""

    def __init__(self) -> None:
        """Set the time of the next write."""
        super().__init__(until=dt_util.utcnow() + _RETRY, reason="storage_failed")


class Persistence:
    """Writes data at once, soon, and again after a failure, until it is closed."""

    def __init__(
        self,
        hass: HomeAssistant,
        store: VerifiedStore,
        data: Callable[[], dict[str, Any]],
        *,
        on_saved: Callable[[dict[str, Any]], None],
        on_change: CALLBACK_TYPE,
    ) -> None:
        """Begin with a disk that works.

        `on_saved` gets the data that is on the disk now; `on_change` is called when the
        disk begins to fail, and when it works again.
        """
        self.failed_until: datetime | None = None
        """When a failing disk is written again; None while it works."""
        self._hass = hass
        self._store = store
        self._data = data
        self._on_saved = on_saved
        self._on_change = on_change
        self._cancel_save: CALLBACK_TYPE | None = None
        self._is_closed = False

    async def async_save(self) -> bool:
        """Write the data now; return whether it is on the disk."""
        if self._is_over:
            # Another instance may use the store by now, or the last write follows.
            return False
        data = self._data()
        is_saved = await self._store.async_save_verified(data)
        if is_saved:
            self._on_saved(data)
        self._note(is_saved=is_saved)
        return is_saved

    @callback
    def save_soon(self) -> None:
        """Write the data within seconds: losing its latest changes does no harm."""
        self._save_later(_DELAY)

    @callback
    def failed(self) -> None:
        """Note that another store on the same disk could not be written."""
        self._note(is_saved=False)

    async def async_close(self) -> None:
        """Write the data for the last time."""
        self._is_closed = True
        self._forget_save()
        await self._store.async_save_verified(self._data())

    @property
    def _is_over(self) -> bool:
        return self._is_closed or self._hass.is_stopping

    @callback
    def _note(self, *, is_saved: bool) -> None:
        if self._is_over:
            return
        had_failed = self.failed_until is not None
        if is_saved:
            self.failed_until = None
        else:
            self.failed_until = dt_util.utcnow() + _RETRY
            self._forget_save()
            self._save_later(_RETRY)
        if had_failed is not is_saved:
            return
        if is_saved:
            _LOGGER.info("The disk can be written again; API calls continue")
        else:
            _LOGGER.error(
                "The disk cannot be written, so API calls would not be counted after a"
                " restart; none is made until it can"
            )
        self._on_change()

    @callback
    def _save_later(self, delay: timedelta) -> None:
        if self._cancel_save is None and not self._is_over:
            self._cancel_save = async_call_later(
                self._hass, delay, self._async_save_later
            )

    async def _async_save_later(self, _now: datetime) -> None:
        self._cancel_save = None
        await self.async_save()

    @callback
    def _forget_save(self) -> None:
        if self._cancel_save is not None:
            self._cancel_save()
            self._cancel_save = None
