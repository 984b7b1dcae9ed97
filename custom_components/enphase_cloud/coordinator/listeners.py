"""Calls listeners without blocking the event loop."""

import asyncio
from itertools import batched
from typing import Final, override

from homeassistant.core import CALLBACK_TYPE, callback
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator

# Listeners to call before the event loop gets a turn; there may be thousands of panels.
_AT_ONCE: Final = 25


class OnceATurn:
    """A listener that acts at most once in a turn of the event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, action: CALLBACK_TYPE) -> None:
        """Begin without a pending call."""
        self._loop = loop
        self._action = action
        self._pending: asyncio.Handle | None = None

    def __call__(self) -> None:
        """Act in the next turn of the event loop."""
        if self._pending is None:
            self._pending = self._loop.call_soon(self._act)

    def cancel(self) -> None:
        """Cancel the pending action."""
        if self._pending is not None:
            self._pending.cancel()
            self._pending = None

    def _act(self) -> None:
        self._pending = None
        self._action()


class EnphaseCloudCoordinator(DataUpdateCoordinator[None]):
    """A coordinator with any number of listeners."""

    _next_batch: asyncio.Handle | None = None

    @override
    @callback
    def async_update_listeners(self) -> None:
        """Call the first listeners at once, the others in batches."""
        first, *others = list(batched(self._listeners, _AT_ONCE, strict=False)) or [()]
        self._stop()
        self._call(first, others)

    @override
    async def async_shutdown(self) -> None:
        """Stop calling listeners."""
        await super().async_shutdown()
        self._stop()

    @callback
    def _call(
        self,
        batch: tuple[int, ...],
        others: list[tuple[int, ...]],
    ) -> None:
        for key in batch:
            # It may have been removed since.
            if (listener := self._listeners.get(key)) is not None:
                self._call_one(listener[0])
        self._next_batch = None
        if others:
            loop = self.hass.loop
            self._next_batch = loop.call_soon(self._call, others[0], others[1:])

    def _call_one(self, listener: CALLBACK_TYPE) -> None:
        try:
            listener()
        except Exception:
            self.logger.exception("A listener of %s failed", self.name)

    def _stop(self) -> None:
        if self._next_batch is not None:
            self._next_batch.cancel()
            self._next_batch = None
