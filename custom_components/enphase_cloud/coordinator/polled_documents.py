"""The documents of a system that are polled: how each is requested and read."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ..api import EnphaseCloudClient
from ..api.endpoints import BATTERY_TELEMETRY, LATEST_TELEMETRY, SUMMARY
from ..data import EnphaseSystem
from ..documents.readings import (
    from_battery_telemetry,
    from_latest_telemetry,
    from_summary,
)
from ..measurements.samples import Samples, Source
from ..scheduling.weights import Document


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentSource:
    """How a document is asked for, and what it says."""

    document: Document
    source: Source
    async_read: Callable[
        [EnphaseCloudClient, EnphaseSystem, datetime], Awaitable[Samples]
    ]
    # Whether other documents show the system to have what this one tells.
    is_expected: Callable[[EnphaseSystem], bool]
    is_optional: bool = True


async def _async_read_summary(
    client: EnphaseCloudClient, system: EnphaseSystem, now: datetime
) -> Samples:
    summary = await client.get(SUMMARY, system_id=system.system_id)
    return from_summary(summary, fetched_at=now, time_zone=system.time_zone)


async def _async_read_battery(
    client: EnphaseCloudClient, system: EnphaseSystem, now: datetime
) -> Samples:
    telemetry = await client.get(BATTERY_TELEMETRY, system_id=system.system_id)
    if system.energies is not None:
        system.energies.take_battery(telemetry, fetched_at=now)
    return from_battery_telemetry(telemetry, fetched_at=now, time_zone=system.time_zone)


async def _async_read_latest(
    client: EnphaseCloudClient, system: EnphaseSystem, now: datetime
) -> Samples:
    latest = await client.get(LATEST_TELEMETRY, system_id=system.system_id)
    return from_latest_telemetry(
        latest,
        fetched_at=now,
        has_battery=system.has_battery,
        cellular=system.cellular,
    )


# In the order in which a new system is asked: what comes later depends on it.
DOCUMENT_SOURCES: Final = (
    DocumentSource(
        document=Document.SUMMARY,
        source=Source.SUMMARY,
        async_read=_async_read_summary,
        is_expected=lambda _system: True,
        is_optional=False,
    ),
    DocumentSource(
        document=Document.BATTERY,
        source=Source.BATTERY,
        async_read=_async_read_battery,
        is_expected=lambda system: system.has_battery,
    ),
    DocumentSource(
        document=Document.LATEST,
        source=Source.LATEST,
        async_read=_async_read_latest,
        is_expected=lambda _system: True,
    ),
)
