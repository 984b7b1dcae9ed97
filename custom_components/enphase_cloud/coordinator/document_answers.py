"""What the answers of a document say: requested, read, kept, and learnt from."""

from collections.abc import Callable
from datetime import datetime
import logging
from typing import Any

from homeassistant.core import callback

from ..api import UnknownSystemError
from ..documents.base import AnyDocument, Known, Report
from ..measurements.lifetime import LifetimeGuard
from ..measurements.samples import NOTHING, Samples, advance, as_of
from ..measurements.system import SYSTEM
from .base import SystemContext
from .document_plan import DocumentPlan

_LOGGER = logging.getLogger(__name__)


class DocumentAnswers:
    """Brings what the answers of a document say onto the board of its system."""

    def __init__(
        self, context: SystemContext, document: AnyDocument, plan: DocumentPlan
    ) -> None:
        """Begin; the plan learns from each answer."""
        self._context = context
        self._document = document
        self._plan = plan
        self._board = context.board
        self._lifetime = LifetimeGuard()
        self._listeners: list[Callable[[Any, datetime], None]] = []

    @callback
    def async_add_listener(self, listener: Callable[[Any, datetime], None]) -> None:
        """Call a listener with each answer and its moment."""
        self._listeners.append(listener)

    async def async_request(self, now: datetime) -> None:
        """Request the document, and keep what it says. Raises the client's errors."""
        self._take(await self._async_read(now), now)

    async def _async_read(self, now: datetime) -> Report:
        try:
            answer = await self._async_request()
        except UnknownSystemError:
            if not self._document.is_optional:
                raise
            # The system has nothing of what this document tells.
            return {}
        for listener in self._listeners:
            listener(answer, now)
        if self._document.inventory is not None:
            listed = self._document.inventory(answer)
            is_complete = self._document.lists_all_devices
            self._board.take_inventory(listed, is_complete=is_complete)
        known = Known(info=self._context.info, board=self._board, fetched_at=now)
        if self._document.learn is not None:
            self._document.learn(answer, known)
        return self._document.read(answer, known)

    async def _async_request(self) -> Any:
        client, endpoint = self._context.shared.client, self._document.endpoint
        system_id = self._context.info.system_id
        if self._document.site_query:
            return await client.pages(endpoint, query={"site_id": system_id})
        return await client.get(endpoint, system_id=system_id)

    def _take(self, report: Report, now: datetime) -> None:
        """Keep what an answer says, and learn from it."""
        source = self._document.source
        for device in report.keys() - {SYSTEM}:
            held = self._board.samples(source, device)
            told = report[device]
            if not self._plan.is_errand:
                told = advance(held, told, now=now)
            self._board.put(source, told, device)
        arrived = report.get(SYSTEM, NOTHING)
        known = self._board.samples(source)
        newest = newest_measurement(arrived, now)
        is_news = newest not in {None, newest_measurement(known, now)}
        self._plan.take_evidence(arrived, now)
        self._board.put(source, self._kept(known, arrived, now))
        self._context.store.save_soon()
        self._plan.learn(arrived, now, newest=newest, is_news=is_news)

    def _kept(self, known: Samples, arrived: Samples, now: datetime) -> Samples:
        """Return what is known from now on.

        An errand tells of one day: what it lacks is not known any more. A poll may
        lack what is still true.
        """
        if self._plan.is_errand:
            return as_of(arrived, now)
        return self._advance(known, arrived, now)

    def _advance(self, known: Samples, arrived: Samples, now: datetime) -> Samples:
        """Return what is known from now on."""
        waited = self._lifetime.claim is not None
        self._lifetime, known, believed = self._lifetime.check(known, arrived, now=now)
        if self._lifetime.claim is not None and not waited:
            _LOGGER.warning(
                "The lifetime energy that Enphase reports is not what the size of the"
                " system explains; it is shown once later answers confirm it"
            )
        elif self._lifetime.claim is None and waited:
            _LOGGER.info("The lifetime energy follows Enphase again")
        return advance(known, believed, now=now)


def newest_measurement(samples: Samples, now: datetime) -> datetime | None:
    """Return the newest moment of measurement, leaving out what the answer dated."""
    return max(
        (
            sample.observed_at
            for measurement, sample in samples.items()
            if measurement.traits.is_dated and sample.observed_at <= now
        ),
        default=None,
    )
