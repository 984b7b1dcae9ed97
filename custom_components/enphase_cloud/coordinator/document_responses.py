"""Requests a document, keeps the values of its responses, and learns from them."""

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
from .document_reader import DocumentReader, ResponseListener

_LOGGER = logging.getLogger(__name__)

# Devices to update before the event loop gets a turn.
_AT_ONCE: Final = 200


class DocumentResponses:
    """Puts the values in a document's responses on the board of its system."""

    def __init__(
        self, context: SystemContext, document: AnyDocument, plan: DocumentPlan
    ) -> None:
        """Begin; the plan learns from each response."""
        self._context = context
        self._document = document
        self._plan = plan
        self._board = context.board
        self._lifetime = LifetimeGuard()
        self._reader = DocumentReader(context, document)

    @callback
    def async_add_listener(self, listener: ResponseListener) -> None:
        """Call a listener with each response and its context."""
        self._reader.add_listener(listener)

    async def async_request(self, now: datetime) -> None:
        """Request the document, and keep its values. Raises the client's errors."""
        arrived: Samples = NOTHING
        async for report in self._reader.reports(now):
            await self._async_take_devices(report, now)
            arrived = report.get(SYSTEM, NOTHING)
        self._take(arrived, now)

    async def async_take(self, response: Any, now: datetime) -> None:
        """Keep the values in the response to a write, and values that it lacks."""
        known = Known(info=self._context.info, board=self._board, fetched_at=now)
        report = await self._reader.async_read(response, known)
        await self._async_take_devices(report, now)
        before = self._board.samples(self._document.source)
        self._take({**before, **report.get(SYSTEM, NOTHING)}, now)

    async def _async_take_devices(self, report: Report, now: datetime) -> None:
        for batch in batched(report.keys() - {SYSTEM}, _AT_ONCE, strict=False):
            for device in batch:
                self._take_device(device, report[device], now)
            if len(batch) == _AT_ONCE:
                await asyncio.sleep(0)

    def _take_device(self, device: Device, samples: Samples, now: datetime) -> None:
        source = self._document.source
        if not self._plan.is_periodic:
            samples = advance(self._board.samples(source, device), samples, now=now)
        self._board.put(source, samples, device)

    def _take(self, arrived: Samples, now: datetime) -> None:
        """Keep the values of the system, and learn from them."""
        source = self._document.source
        known = self._board.samples(source)
        newest = newest_measurement(arrived, now)
        is_news = newest not in {None, newest_measurement(known, now)}
        self._plan.take_evidence(arrived, now, is_absent=not self._reader.has_found)
        self._board.put(source, self._kept(known, arrived, now))
        self._context.store.save_soon()
        self._plan.learn(arrived, now, newest=newest, is_news=is_news)

    def _kept(self, known: Samples, arrived: Samples, now: datetime) -> Samples:
        """Return the values to keep.

        A periodic response replaces all values, for it covers one day. A poll may lack
        values that are still valid.
        """
        if self._plan.is_periodic:
            return as_of(arrived, now)
        return self._advance(known, arrived, now)

    def _advance(self, known: Samples, arrived: Samples, now: datetime) -> Samples:
        """Return the values to keep, with a lifetime energy that is plausible."""
        waited = self._lifetime.claim is not None
        self._lifetime, known, accepted = self._lifetime.check(known, arrived, now=now)
        if self._lifetime.claim is not None and not waited:
            _LOGGER.warning(
                "The lifetime energy that Enphase reports does not fit the size of the"
                " system; it is shown once later responses confirm it"
            )
        elif self._lifetime.claim is None and waited:
            _LOGGER.info("The lifetime energy follows Enphase again")
        return advance(known, accepted, now=now)


def newest_measurement(samples: Samples, now: datetime) -> datetime | None:
    """Return the newest moment of measurement that the document itself reports."""
    return max(
        (
            sample.observed_at
            for measurement, sample in samples.items()
            if measurement.traits.is_dated and sample.observed_at <= now
        ),
        default=None,
    )
