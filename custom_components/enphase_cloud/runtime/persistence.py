"""Keeps data on the disk ahead of what depends on it, and knows when it is not."""

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
# How long to leave alone a disk that cannot be written.
_RETRY: Final = timedelta(minutes=5)


class StorageFailedError(RequestWithheldError):
    """Nothing was sent, for what must be on the disk before cannot be written."""

    def __init__(self) -> None:
        """Say when the disk is tried again."""
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
        """Begin with a disk that is trusted.

        `on_saved` is given what is on the disk now; `on_change` is called when the disk
        begins to fail, and when it works again.
        """
        self.failed_until: datetime | None = None
        """When a disk that fails is tried again; None while it does not."""
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
            # Somebody else may have the store by now, or it is written at the end.
            return False
        data = self._data()
        is_saved = await self._store.async_save_verified(data)
        if is_saved:
            self._on_saved(data)
        self._note(is_saved=is_saved)
        return is_saved

    @callback
    def save_soon(self) -> None:
        """Write what may be lost without harm, within seconds."""
        self._save_later(_DELAY)

    @callback
    def failed(self) -> None:
        """Note that something else could not be written to the same disk."""
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
            _LOGGER.info("The disk can be written again; calls leave again")
        else:
            _LOGGER.error(
                "The disk cannot be written, so calls could not be counted over a"
                " restart; none leaves until it can"
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
