"""Requests a document, once or for each device, and reads the responses."""

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

type ResponseListener = Callable[[Any, Known], None]

# Errors of one device that do not prevent the requests for the others.
_OF_ONE_DEVICE: Final = (
    InvalidRequestError,
    MalformedResponseError,
    ServerError,
    UnknownSystemError,
)
# Errors that mean that a system lacks what a document describes.
_NOTHING_THERE: Final = (NoBatteryError, NotOfferedError, UnknownSystemError)
# A device with a newer response is not requested again after an interrupted round.
_SAME_ROUND: Final = timedelta(hours=6)


class DocumentReader:
    """Makes the requests of a document of a system."""

    def __init__(self, context: SystemContext, document: AnyDocument) -> None:
        """Begin with nothing requested."""
        self._context = context
        self._document = document
        self._listeners: list[ResponseListener] = []
        # When each device of an interrupted round was read.
        self._read_at: dict[Device, datetime] = {}
        # Whether the last round found a document, even if an empty one.
        self.has_found = False

    def add_listener(self, listener: ResponseListener) -> None:
        """Call a listener with each response and its context."""
        self._listeners.append(listener)

    async def reports(self, now: datetime) -> AsyncGenerator[Report]:
        """Yield the values of each response.

        Where one device of several fails, the others are still requested, and its error
        is raised at the end. After another error, a round within 6 hours continues with
        the remaining devices.
        """
        failure: EnphaseCloudError | None = None
        board = self._context.board
        if not self._read_at:
            self.has_found = False
        for device in self._document.devices(board):
            read_at = self._read_at.get(device)
            if read_at is not None and now - read_at < _SAME_ROUND:
                continue
            try:
                yield await self._async_report(device, now)
            except _OF_ONE_DEVICE as err:
                if device == SYSTEM:
                    raise
                failure = failure or err
            else:
                self._read_at[device] = now
        self._read_at.clear()
        if failure is not None:
            raise failure

    async def _async_report(self, device: Device, now: datetime) -> Report:
        document, board = self._document, self._context.board
        known = Known(
            info=self._context.info, board=board, fetched_at=now, device=device
        )
        try:
            response = await self._async_request(known)
        except _NOTHING_THERE:
            if not document.is_optional:
                raise
            return {}
        return await self.async_read(response, known)

    async def async_read(self, response: Any, known: Known) -> Report:
        """Return the values of a response, after calling the listeners."""
        self.has_found = True
        for listener in self._listeners:
            listener(response, known)
        listed, report = await self._async_digest(response, known)
        if listed is not None:
            known.board.take_inventory(listed, complete=self._document.lists_all)
        return report

    async def _async_digest(
        self, response: Any, known: Known
    ) -> tuple[Inventory | None, Report]:
        digest = self._document.digest
        if self._document.is_short:
            return digest(response, known)
        # Thousands of panels would block the event loop.
        hass = self._context.shared.hass
        return await hass.async_add_executor_job(digest, response, known)

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
