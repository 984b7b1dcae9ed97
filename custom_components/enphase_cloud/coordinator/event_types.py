"""Asks the cloud what types of events mean: once for all, later for unknown ones."""

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
    """Learns what types of events mean; the systems of an entry share it."""

    def __init__(self, shared: EntryContext) -> None:
        """Begin with what is stored."""
        self._shared = shared
        self._archive: EventArchive = shared.storage.events
        self._asking = asyncio.Lock()
        self._waiting = 0

    @property
    def is_learning(self) -> bool:
        """Whether answers are awaited: names that lack now may be there soon."""
        return self._waiting > 0

    @callback
    def learn_soon(self, event_types: Iterable[int], then: CALLBACK_TYPE) -> None:
        """Ask in the background for what is unknown, and call `then` at the end."""
        wanted = set(event_types)
        now = dt_util.utcnow()
        # Asked first, for a token would be renewed before the call is refused.
        if self._shared.budget.withheld_until(now) is not None:
            return
        if not self._archive.texts.requests(wanted, now):
            return
        self._waiting += 1
        self._shared.entry.async_create_background_task(
            self._shared.hass,
            self._async_learn_and_tell(wanted, then),
            "Enphase Cloud types of events",
        )

    async def _async_learn_and_tell(
        self, event_types: Iterable[int], then: CALLBACK_TYPE
    ) -> None:
        try:
            await self.async_learn(event_types)
        finally:
            self._waiting -= 1
        then()

    async def async_learn(self, event_types: Iterable[int]) -> None:
        """Ask for what is unknown; what fails is asked for again another day."""
        async with self._asking:
            now = dt_util.utcnow()
            for event_type in self._archive.texts.requests(event_types, now):
                if not await self._async_ask(event_type):
                    return

    async def _async_ask(self, event_type: int | None) -> bool:
        """Ask for one type, or for all; return whether to go on asking."""
        archive, now = self._archive, dt_util.utcnow()
        query = {} if event_type is None else {"event_type_id": event_type}
        try:
            with foreseen():
                answer = await self._shared.client.get(EVENT_TYPES, query=query)
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
        archive.set_texts(rests.with_response(event_type, answer.event_types))
        return True
