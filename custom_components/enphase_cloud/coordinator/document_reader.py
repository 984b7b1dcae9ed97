"""Requests a document, once or for each device, and reads the answers."""

from collections.abc import AsyncGenerator, Callable
from datetime import datetime, timedelta
from typing import Any, Final

from ..api import (
    EnphaseCloudError,
    InvalidRequestError,
    MalformedResponseError,
    NoBatteryError,
    NotOfferedError,
    ServerError,
    UnknownSystemError,
)
from ..documents.base import AnyDocument, Known, Report, serial_number
from ..measurements.inventory import Inventory
from ..measurements.system import SYSTEM, Device
from .base import SystemContext

type AnswerListener = Callable[[Any, Known], None]

# What one device of several may fail with, while the others answer.
_OF_ONE_DEVICE: Final = (
    InvalidRequestError,
    MalformedResponseError,
    ServerError,
    UnknownSystemError,
)
# What a system is answered with that has nothing of what a document tells.
_NOTHING_THERE: Final = (NoBatteryError, NotOfferedError, UnknownSystemError)
# Who answered a shorter time ago is not asked again for the sake of the others.
_SAME_ROUND: Final = timedelta(hours=6)


class DocumentReader:
    """The requests of a document of a system."""

    def __init__(self, context: SystemContext, document: AnyDocument) -> None:
        """Begin with nothing requested."""
        self._context = context
        self._document = document
        self._listeners: list[AnswerListener] = []
        # When devices answered before something withheld the other requests.
        self._answered: dict[Device, datetime] = {}
        # Whether the last round found a document, be it an empty one.
        self.has_found = False

    def add_listener(self, listener: AnswerListener) -> None:
        """Call a listener with each answer, and what is known beside it."""
        self._listeners.append(listener)

    async def reports(self, now: datetime) -> AsyncGenerator[Report]:
        """Yield what each answer says.

        Where one device of several fails, the others are requested all the same, and
        its error is raised at the end. After another error, a call soon after goes on
        with the devices that are left.
        """
        failure: EnphaseCloudError | None = None
        board = self._context.board
        if not self._answered:
            self.has_found = False
        for device in self._document.devices(board):
            answered_at = self._answered.get(device)
            if answered_at is not None and now - answered_at < _SAME_ROUND:
                continue
            try:
                yield await self._async_report(device, now)
            except _OF_ONE_DEVICE as err:
                if device == SYSTEM:
                    raise
                failure = failure or err
            else:
                self._answered[device] = now
        self._answered.clear()
        if failure is not None:
            raise failure

    async def _async_report(self, device: Device, now: datetime) -> Report:
        document, board = self._document, self._context.board
        known = Known(
            info=self._context.info, board=board, fetched_at=now, device=device
        )
        try:
            answer = await self._async_request(known)
        except _NOTHING_THERE:
            if not document.is_optional:
                raise
            return {}
        return await self.async_read(answer, known)

    async def async_read(self, answer: Any, known: Known) -> Report:
        """Return what an answer says, after the listeners have heard of it."""
        self.has_found = True
        for listener in self._listeners:
            listener(answer, known)
        listed, report = await self._async_digest(answer, known)
        if listed is not None:
            known.board.take_inventory(listed, complete=self._document.lists_all)
        return report

    async def _async_digest(
        self, answer: Any, known: Known
    ) -> tuple[Inventory | None, Report]:
        digest = self._document.digest
        if self._document.is_short:
            return digest(answer, known)
        # Thousands of panels would hold up the event loop.
        hass = self._context.shared.hass
        return await hass.async_add_executor_job(digest, answer, known)

    async def _async_request(self, known: Known) -> Any:
        client, endpoint = self._context.shared.client, self._document.endpoint
        system_id = self._context.info.system_id
        if self._document.site_query:
            return await client.pages(endpoint, query={"site_id": system_id})
        query = self._document.query(known)
        if endpoint.page_size is not None:
            return await client.pages(endpoint, query=query, system_id=system_id)
        if known.device == SYSTEM:
            return await client.get(endpoint, query=query, system_id=system_id)
        return await client.get(
            endpoint,
            query=query,
            system_id=system_id,
            serial_no=serial_number(known.device, known.board.inventory) or "",
        )
