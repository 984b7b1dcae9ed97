"""What keeps a system from streaming live data, and what ends it."""

import logging
from typing import Final

from ..api import EnphaseCloudError, UnreadableStreamError
from ..measurements.catalog import Source
from ..runtime.storage import Refusal
from .base import SystemContext
from .error_policy import REFUSALS, Consequence, Outage, error_policy, refuse

_LOGGER = logging.getLogger(__name__)

# What no later attempt helps against.
_LASTING: Final = (Consequence.UNSUPPORTED, Consequence.UNKNOWN_SYSTEM)


class LiveTrouble:
    """The errors of a system's live streams."""

    def __init__(self, context: SystemContext, *, is_scheduled: bool) -> None:
        """Begin without any but those that are stored."""
        self._context = context
        self._store = context.store
        self._is_scheduled = is_scheduled
        self._is_supported = True
        self._outage = Outage("Live data")

    @property
    def refusal(self) -> Refusal | None:
        """Return why the cloud refuses live data, None if it does not."""
        return self._store.refusals.get(Source.LIVE)

    @property
    def stops_schedule(self) -> bool:
        """Whether a stream that nobody asked for would bring nothing."""
        return (
            not self._is_supported
            or not self._store.is_visible
            or self._store.unreadable_stream is not None
            or self.refusal is not None
        )

    def handle(self, err: EnphaseCloudError, *, has_been_told: bool) -> None:
        """Handle a failed session: disable, reauthenticate, or log.

        What has been told to the user, who waited for the first frame, is not logged.
        """
        consequence = error_policy(err).consequence
        if consequence in REFUSALS:
            refuse(self._context, Source.LIVE, err)
        elif consequence in _LASTING and self._is_scheduled:
            self._is_supported = False
            _LOGGER.warning("No more bursts of live data until a reload: %s", err)
        elif consequence is Consequence.REAUTH:
            shared = self._context.shared
            shared.entry.async_start_reauth(shared.hass)
        elif isinstance(err, UnreadableStreamError):
            self._set_unreadable(err)
        elif not has_been_told:
            self._outage.begin(err)

    def take_frame(self) -> None:
        """Resume the schedule, should a stream without a frame have stopped it."""
        if self._store.unreadable_stream is not None:
            _LOGGER.info("Live data can be read again")
            self._store.set_unreadable_stream(None)
            self._context.shared.budget.notify()

    def take_whole_stream(self) -> None:
        """End an outage."""
        self._outage.end()

    def _set_unreadable(self, err: UnreadableStreamError) -> None:
        """Open no more streams by schedule: they cost money and bring nothing."""
        if self._store.unreadable_stream is None:
            _LOGGER.warning(
                "%s; no more bursts of live data until one that you start can be read."
                " It began, with all values masked: %s",
                err,
                err.sample.beginning,
            )
        self._store.set_unreadable_stream(err.sample)
        self._context.shared.budget.notify()
