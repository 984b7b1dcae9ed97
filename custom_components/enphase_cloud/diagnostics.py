"""Diagnostics of a config entry, without secrets."""

import re
from typing import Any, Final

from homeassistant.components.diagnostics import REDACTED, async_redact_data
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_API_KEY, CONF_ID, CONF_NAME, CONF_TOKEN
from homeassistant.core import HomeAssistant
from homeassistant.helpers.json import json_dumps
from homeassistant.util import dt as dt_util
from homeassistant.util.json import JsonObjectType, JsonValueType, json_loads_object

from .const import CONF_ACCOUNT_ID, CONF_PANELS, CONF_SYSTEM, CONF_SYSTEMS
from .coordinator.document import DocumentCoordinator
from .coordinator.energy import EnergyCoordinator
from .coordinator.live_sessions import LiveSessions
from .data import EnphaseCloudConfigEntry, EnphaseCloudData, EnphaseSystem
from .energy.flows import ENERGY_SOURCES
from .measurements.board import Board
from .measurements.catalog import Source
from .measurements.samples import Samples, merge
from .runtime.event_archive import EventArchive

_SECRET: Final = {
    CONF_ACCOUNT_ID,
    CONF_API_KEY,
    CONF_ID,
    CONF_NAME,
    CONF_PANELS,
    CONF_SYSTEM,
    CONF_TOKEN,
    "title",
    "unique_id",
}


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: EnphaseCloudConfigEntry
) -> dict[str, Any]:
    """Return what helps to understand a problem."""
    diagnostics = {
        "entry": async_redact_data(entry.as_dict(), _SECRET),
        "token_expires_at": (entry.data.get(CONF_TOKEN) or {}).get("expires_at"),
    }
    if entry.state is ConfigEntryState.LOADED:
        diagnostics |= _loaded(entry.runtime_data)
    return _without_identifiers(diagnostics, entry)


def _loaded(data: EnphaseCloudData) -> dict[str, Any]:
    ledger = data.budget.ledger
    now = dt_util.utcnow()
    return {
        "budget": {
            "used": ledger.used(now),
            "left": ledger.left(now),
            "period_end": ledger.period_end(now),
            "blocked_until": ledger.blocked_until(now),
            "by_operation": ledger.by_operation(now),
        },
        "event_types": len(data.storage.events.texts.texts),
        "systems": [_system(system, data.storage.events) for system in data.systems],
    }


def _system(system: EnphaseSystem, events: EventArchive) -> dict[str, Any]:
    return {
        "time_zone": str(system.info.time_zone),
        "is_time_zone_known": system.info.is_time_zone_known,
        "is_visible": system.store.is_visible,
        "cellular": system.info.is_cellular,
        "arrays": [
            {
                "panels": len(array.panels),
                "known": len(set(array.panels) & system.board.devices()),
            }
            for array in system.arrays
        ],
        "documents": [_document(each, system.board) for each in system.documents],
        "open_alarms": [
            {
                "event_type_id": alarm.event_type_id,
                "severity": alarm.severity,
                "started_at": alarm.started_at,
                "devices": len(alarm.serials),
            }
            for alarm in system.board.open_alarms.listed
        ],
        "event_weeks": sorted(events.weeks(system.info.system_id)),
        "settings": system.store.settings.as_dict(),
        "gateway_notified": system.store.notified_reporting.as_dict(),
        "live": system.live_sessions and _live(system.live_sessions, system),
        "energy": system.energy and _energy(system.energy, system.board),
    }


def _document(coordinator: DocumentCoordinator, board: Board) -> dict[str, Any]:
    return {
        "document": coordinator.source,
        "is_active": coordinator.plan.is_active,
        "is_scheduled": coordinator.plan.is_scheduled,
        "last_update_success": coordinator.last_update_success,
        "next_poll": coordinator.plan.next_poll_at,
        "samples": _samples(board.samples(coordinator.source)),
    }


def _live(live_sessions: LiveSessions, system: EnphaseSystem) -> dict[str, Any]:
    unreadable = system.store.unreadable_stream
    return {
        "is_running": live_sessions.is_running,
        "ends_at": live_sessions.ends_at,
        "streams_left": live_sessions.budget.left,
        "skipped_frames": live_sessions.live.skipped_frames,
        "unreadable_stream": unreadable and unreadable.as_dict(),
        "samples": _samples(system.board.samples(Source.LIVE)),
    }


def _energy(energy: EnergyCoordinator, board: Board) -> dict[str, Any]:
    importer, now = energy.importer, dt_util.utcnow()
    return {
        "next_update": importer.next_update(now),
        "calls_per_day": importer.calls_per_day,
        "calls_pending": importer.calls_pending(now),
        "share_done": importer.share_done(now),
        "samples": _samples(merge(map(board.samples, ENERGY_SOURCES))),
    }


def _samples(samples: Samples) -> dict[str, Any]:
    return {
        measurement: {"value": sample.value, "observed_at": sample.observed_at}
        for measurement, sample in samples.items()
    }


def _without_identifiers(
    diagnostics: dict[str, Any], entry: EnphaseCloudConfigEntry
) -> JsonObjectType:
    """Redact system ids inside other texts, too."""
    ids = "|".join(str(system[CONF_ID]) for system in entry.data[CONF_SYSTEMS])
    found = re.compile(rf"\b(?:{ids})\b")

    def redacted(value: JsonValueType) -> JsonValueType:
        match value:
            case str():
                return found.sub(REDACTED, value)
            case list():
                return [redacted(each) for each in value]
            case dict():
                return of_object(value)
        return value  # A number may equal an id by chance.

    def of_object(value: JsonObjectType) -> JsonObjectType:
        return {found.sub(REDACTED, key): redacted(it) for key, it in value.items()}

    return of_object(json_loads_object(json_dumps(diagnostics)))
