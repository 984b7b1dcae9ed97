"""Requests the texts of event types: all at once first, later single ones."""

import asyncio
from collections.abc import Iterable
import logging

from homeassistant.core import CALLBACK_TYPE, callback
from homeassistant.util import dt as dt_util

from ..api import EnphaseCloudError, RequestWithheldError, UnknownSystemError
from ..api.endpoints import EVENT_TYPES
from ..measurements.event_texts import AFTER_FAILURE, NOT_KNOWN
from ..runtime.event_archive import EventArchive
from .base import EntryContext
from .error_policy import foreseen

_LOGGER = logging.getLogger(__name__)


class EventTypesCoordinator:
    """Requests the texts of event types for all systems of an entry."""

    def __init__(self, shared: EntryContext) -> None:
        """Begin with the stored texts."""
        self._shared = shared
        self._archive: EventArchive = shared.storage.events
        self._requesting = asyncio.Lock()
        self._waiting = 0

    @property
    def is_learning(self) -> bool:
        """Whether a request is under way, so that missing texts may arrive soon."""
        return self._waiting > 0

    @callback
    def learn_soon(self, event_types: Iterable[int], then: CALLBACK_TYPE) -> None:
        """Request unknown texts in the background, and call `then` at the end."""
        wanted = set(event_types)
        now = dt_util.utcnow()
        # Checked here, for a refused call would renew the token first.
        if self._shared.budget.withheld_until(now) is not None:
            return
        if not self._archive.texts.requests(wanted, now):
            return
        self._waiting += 1
        self._shared.entry.async_create_background_task(
            self._shared.hass,
            self._async_learn_then(wanted, then),
            "Enphase Cloud types of events",
        )

    async def _async_learn_then(
        self, event_types: Iterable[int], then: CALLBACK_TYPE
    ) -> None:
        try:
            await self.async_learn(event_types)
        finally:
            self._waiting -= 1
        then()

    async def async_learn(self, event_types: Iterable[int]) -> None:
        """Request unknown texts; a failed request is repeated another day."""
        async with self._requesting:
            now = dt_util.utcnow()
            for event_type in self._archive.texts.requests(event_types, now):
                if not await self._async_request(event_type):
                    return

    async def _async_request(self, event_type: int | None) -> bool:
        """Request one type by its id, or all; return whether to continue."""
        archive, now = self._archive, dt_util.utcnow()
        query = {} if event_type is None else {"event_type_id": event_type}
        try:
            with foreseen():
                response = await self._shared.client.get(EVENT_TYPES, query=query)
        except RequestWithheldError:
            return False
        except UnknownSystemError:
            archive.set_texts(archive.texts.with_request(event_type, now + NOT_KNOWN))
            return True
        except EnphaseCloudError as err:
            _LOGGER.debug("Types of events could not be read: %s", err)
            archive.set_texts(
                archive.texts.with_request(event_type, now + AFTER_FAILURE)
            )
            return False
        rests = archive.texts.with_request(event_type, now + NOT_KNOWN)
        archive.set_texts(rests.with_response(event_type, response.event_types))
        return True
