"""Handles the errors of live streams, which may stop the schedule."""

import logging
from typing import Final

from homeassistant.core import callback

from ..api import EnphaseCloudError, UnreadableStreamError
from ..measurements.catalog import Source
from ..runtime.storage import Refusal
from .base import SystemContext
from .error_policy import REFUSALS, Consequence, Outage, error_policy, refuse

_LOGGER = logging.getLogger(__name__)

# Errors that no later attempt can avoid.
_LASTING: Final = (Consequence.UNSUPPORTED, Consequence.UNKNOWN_SYSTEM)


class LiveTrouble:
    """The errors of a system's live streams."""

    def __init__(self, context: SystemContext, *, is_scheduled: bool) -> None:
        """Begin with the stored errors."""
        self._context = context
        self._store = context.store
        self._is_scheduled = is_scheduled
        self._is_supported = True
        self._outage = Outage("Live data")
        # A system that the cloud shows again was unknown.
        context.on_allowed(self._allow)

    @property
    def refusal(self) -> Refusal | None:
        """Return why the cloud refuses live data, None if it does not."""
        return self._store.refusals.get(Source.LIVE)

    @property
    def stops_schedule(self) -> bool:
        """Whether scheduled streams would fail."""
        return (
            not self._is_supported
            or not self._store.is_visible
            or self._store.unreadable_stream is not None
            or self.refusal is not None
        )

    def handle(self, err: EnphaseCloudError, *, is_reported: bool) -> None:
        """Handle a failed session: disable, reauthenticate, or log.

        `is_reported` means that the user gets the error as the result of an action.
        """
        consequence = error_policy(err).consequence
        if consequence in REFUSALS:
            refuse(self._context, Source.LIVE, err)
        elif consequence in _LASTING and self._is_scheduled:
            self._is_supported = False
            _LOGGER.warning("No more live sessions until a reload: %s", err)
        elif consequence is Consequence.REAUTH:
            shared = self._context.shared
            shared.entry.async_start_reauth(shared.hass)
        elif isinstance(err, UnreadableStreamError):
            self._set_unreadable(err)
        elif not is_reported:
            self._outage.begin(err)

    def take_frame(self) -> None:
        """Resume the schedule if an unreadable stream stopped it."""
        if self._store.unreadable_stream is not None:
            _LOGGER.info("Live data can be read again")
            self._store.set_unreadable_stream(None)
            self._context.shared.budget.notify()

    def take_whole_stream(self) -> None:
        """End an outage."""
        self._outage.end()

    @callback
    def _allow(self) -> None:
        self._is_supported = True

    def _set_unreadable(self, err: UnreadableStreamError) -> None:
        """Stop the schedule: streams cost money even if they cannot be read."""
        if self._store.unreadable_stream is None:
            _LOGGER.warning(
                "%s; no more scheduled live sessions until one that you start can be"
                " read. The stream began, with all values masked: %s",
                err,
                err.sample.beginning,
            )
        self._store.set_unreadable_stream(err.sample)
        self._context.shared.budget.notify()
