"""What the answers of a document say: requested, read, kept, and learnt from."""

import asyncio
from datetime import datetime
from itertools import batched
import logging
from typing import Any, Final

from homeassistant.core import callback

from ..documents.base import AnyDocument, Known, Report
from ..measurements.lifetime import LifetimeGuard
from ..measurements.samples import NOTHING, Samples, advance, as_of
from ..measurements.system import SYSTEM, Device
from .base import SystemContext
from .document_plan import DocumentPlan
from .document_reader import AnswerListener, DocumentReader

_LOGGER = logging.getLogger(__name__)

# Between so many devices, others have their turn.
_AT_ONCE: Final = 200


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
        self._reader = DocumentReader(context, document)

    @callback
    def async_add_listener(self, listener: AnswerListener) -> None:
        """Call a listener with each answer, and what is known beside it."""
        self._reader.add_listener(listener)

    async def async_request(self, now: datetime) -> None:
        """Request the document, and keep what it says. Raises the client's errors."""
        arrived: Samples = NOTHING
        async for report in self._reader.reports(now):
            await self._async_take_devices(report, now)
            arrived = report.get(SYSTEM, NOTHING)
        self._take(arrived, now)

    async def async_take(self, answer: Any, now: datetime) -> None:
        """Keep what the cloud answered to a write; what it lacks stays known."""
        known = Known(info=self._context.info, board=self._board, fetched_at=now)
        report = await self._reader.async_read(answer, known)
        await self._async_take_devices(report, now)
        before = self._board.samples(self._document.source)
        self._take({**before, **report.get(SYSTEM, NOTHING)}, now)

    async def _async_take_devices(self, report: Report, now: datetime) -> None:
        for batch in batched(report.keys() - {SYSTEM}, _AT_ONCE, strict=False):
            for device in batch:
                self._take_device(device, report[device], now)
            if len(batch) == _AT_ONCE:
                await asyncio.sleep(0)

    def _take_device(self, device: Device, told: Samples, now: datetime) -> None:
        source = self._document.source
        if not self._plan.is_errand:
            told = advance(self._board.samples(source, device), told, now=now)
        self._board.put(source, told, device)

    def _take(self, arrived: Samples, now: datetime) -> None:
        """Keep what answers say of the system, and learn from it."""
        source = self._document.source
        known = self._board.samples(source)
        newest = newest_measurement(arrived, now)
        is_news = newest not in {None, newest_measurement(known, now)}
        self._plan.take_evidence(arrived, now, is_absent=not self._reader.has_found)
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
