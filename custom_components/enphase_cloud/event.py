"""Events of Enphase Cloud: each occurrence fires once."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, override

from homeassistant.components.event import EventEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .adding_entities import async_add_as_evidence_comes, async_add_in_batches
from .alarm_texts import describe
from .charger_entities import ENDED, ChargerSessionEvent, is_charger_with
from .data import EnphaseCloudConfigEntry, EnphaseCloudData, EnphaseSystem
from .entity import EnphaseEventEntity, News
from .gateway import is_reporting, reported_at
from .measurements.catalog import Source
from .measurements.open_alarms import AlarmChange
from .measurements.reporting import ReportingChange
from .measurements.system import DeviceKind
from .report import READY, ReportEvent

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class EnphaseEventDescription(EventEntityDescription):
    """Describe an event entity of a system.

    `take_news_fn` returns what has not fired yet, and stores that it has now.
    """

    take_news_fn: Callable[[EnphaseCloudData, EnphaseSystem], News]
    exists_fn: Callable[[EnphaseSystem], bool] = lambda _system: True


def _take_alarms(data: EnphaseCloudData, system: EnphaseSystem) -> News:
    board = system.board
    # Wait for the names of event types that are being requested.
    if data.event_types.is_learning or not (news := board.open_alarms.news()):
        return []
    board.open_alarms = board.open_alarms.with_all_notified()
    system.store.save_soon()
    return [(each.change.value, describe(data, system, each.alarm)) for each in news]


def _take_reporting(data: EnphaseCloudData, system: EnphaseSystem) -> News:
    store, reports = system.store, is_reporting(data, system)
    if reports is None or (at := reported_at(system)) is None:
        return []
    before = store.notified_reporting
    change = before.change(is_reporting=reports)
    if (after := before.updated(is_reporting=reports, reported_at=at)) != before:
        store.notified_reporting = after
        store.save_soon()
    if change is None:
        return []
    since = after.silent_since or before.silent_since
    return [(change.value, {"silent_since": since and since.isoformat()})]


def _reads_alarms(system: EnphaseSystem) -> bool:
    return any(each.source is Source.ALARMS for each in system.documents)


EVENTS: Final = (
    EnphaseEventDescription(
        key="alarm",
        translation_key="alarm",
        event_types=[each.value for each in AlarmChange],
        take_news_fn=_take_alarms,
        exists_fn=_reads_alarms,
    ),
    EnphaseEventDescription(
        key="reporting",
        translation_key="reporting",
        entity_category=EntityCategory.DIAGNOSTIC,
        event_types=[each.value for each in ReportingChange],
        take_news_fn=_take_reporting,
    ),
)


SESSION: Final = EventEntityDescription(
    key="session", translation_key="session", event_types=[ENDED]
)
REPORT: Final = EventEntityDescription(
    key="report", translation_key="report", event_types=[READY]
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: EnphaseCloudConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the events of each system and charger."""
    events = (
        EnphaseEvent(entry, system, description)
        for system in entry.runtime_data.systems
        for description in EVENTS
        if description.exists_fn(system)
    )
    await async_add_in_batches(async_add_entities, events)
    reports = (
        ReportEvent(entry, system, REPORT)
        for system in entry.runtime_data.systems
        if system.energy is not None and system.energy.is_wanted
    )
    await async_add_in_batches(async_add_entities, reports)
    await async_add_as_evidence_comes(
        entry,
        async_add_entities,
        {DeviceKind.CHARGER: (SESSION,)},
        has_evidence=partial(is_charger_with, Source.CHARGER_SESSIONS),
        create=partial(ChargerSessionEvent, entry),
    )


class EnphaseEvent(EnphaseEventEntity):
    """Fire when a response shows something new about a system."""

    entity_description: EnphaseEventDescription

    @override
    def take_news(self) -> News:
        return self.entity_description.take_news_fn(self._data, self._system)
