"""Stored data of a config entry, so that a restart costs no API call."""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.util import dt as dt_util

from ..api import StreamSample
from ..const import DOMAIN
from ..energy.import_progress import ImportProgress
from ..energy.power_cap import PowerCap
from ..figures.battery import BatteryHistory
from ..figures.peaks import Peaks
from ..json_values import Record, day, moment, optional, record
from ..measurements.board import Board, Reader
from ..measurements.catalog import Flow, Source
from ..measurements.reporting import ReportingState
from ..measurements.settings_state import SettingsState
from ..money.costs import Priced
from ..money.tariff import Direction
from ..quota.backoff import Backoff
from .event_archive import EventArchive
from .migrated_store import MigratedStore

# Version 2 has samples by device.
_STORAGE_VERSION: Final = 2
_SAVE_DELAY_SECONDS: Final = 10


class Refusal(StrEnum):
    """Why the cloud refuses a document; also the key of the translated exception."""

    NOT_ENTITLED = "not_entitled"
    """The plan or the access controls of the application lack it (401)."""
    FORBIDDEN = "forbidden"
    """The user may not see the system (403)."""


class SystemStore:
    """The stored data of a system; each change is saved soon."""

    def __init__(self, save_soon: CALLBACK_TYPE) -> None:
        """Begin empty."""
        self.save_soon = save_soon
        self.board = Board()
        self._refused: dict[Source, Refusal] = {}
        self._progress: dict[Source, ImportProgress] = {}
        self._power_caps: dict[Flow, PowerCap] = {}
        self._priced: dict[Direction, Priced] = {}
        # When the last live session began.
        self.live_started_at: datetime | None = None
        # The backoff while the cloud does not show the system; None if it does.
        self.hidden: Backoff | None = None
        # The last stream, if it could not be read.
        self.unreadable_stream: StreamSample | None = None
        # The state of the gateway in the last notification.
        self.notified_reporting = ReportingState()
        # The keys of sources that set-up has offered to the Energy dashboard.
        self.on_dashboard: frozenset[str] = frozenset()
        # The day of the last daily report that was fired.
        self.last_report_day: date | None = None
        # Input of figures that the recorder does not have.
        self.peaks = Peaks()
        self.battery_history = BatteryHistory()
        self.settings = SettingsState()

    @property
    def is_visible(self) -> bool:
        """Whether the cloud shows the system to the Enphase account."""
        return self.hidden is None

    @property
    def refusals(self) -> Mapping[Source, Refusal]:
        """Return which documents the cloud refuses for good, and why."""
        return self._refused

    @callback
    def refuse(self, source: Source, reason: Refusal) -> None:
        """Keep that the cloud refuses a document."""
        self._refused[source] = reason
        self.save_soon()

    @callback
    def forget_refusals(self) -> None:
        """Request again what the cloud refused."""
        self._refused.clear()
        self.save_soon()

    @callback
    def set_hidden(self, hidden: Backoff | None) -> None:
        """Keep whether the cloud shows the system."""
        self.hidden = hidden
        self.save_soon()

    @callback
    def forget_today(self) -> None:
        """Forget today's energy, because the day has other bounds now."""
        self.board.forget_today()
        self.save_soon()

    @callback
    def set_live_start(self, at: datetime) -> None:
        """Keep when a live session began."""
        self.live_started_at = at
        self.save_soon()

    @callback
    def limit_moments(self, now: datetime) -> None:
        """Replace moments in the future by now, after a clock was set back."""
        self.board.limit_moments(now)
        self.settings.limit_moments(now)
        if self.live_started_at is not None:
            self.live_started_at = min(self.live_started_at, now)

    @callback
    def set_unreadable_stream(self, sample: StreamSample | None) -> None:
        """Keep a sample of a stream without a readable frame; None if it had one."""
        if sample != self.unreadable_stream:
            self.unreadable_stream = sample
            self.save_soon()

    @callback
    def set_last_report_day(self, day: date) -> None:
        """Keep the day of the last report that was fired."""
        self.last_report_day = day
        self.save_soon()

    def progress(self, source: Source) -> ImportProgress:
        """Return how far the energy of a source is imported."""
        return self._progress.get(source, ImportProgress())

    @callback
    def set_progress(self, source: Source, progress: ImportProgress) -> None:
        """Keep how far the energy of a source is imported."""
        if progress != self._progress.get(source):
            self._progress[source] = progress
            self.save_soon()

    @callback
    def set_on_dashboard(self, keys: Iterable[str]) -> None:
        """Add sources to those that were offered to the Energy dashboard."""
        self.on_dashboard |= frozenset(keys)
        self.save_soon()

    def power_cap(self, flow: Flow) -> PowerCap:
        """Return the plausible power of a flow."""
        return self._power_caps.get(flow, PowerCap())

    @callback
    def set_power_cap(self, flow: Flow, cap: PowerCap) -> None:
        """Keep the plausible power of a flow."""
        self._power_caps[flow] = cap
        self.save_soon()

    @property
    def priced(self) -> Mapping[Direction, Priced]:
        """Return the prices with which costs in statistics were computed."""
        return self._priced

    @callback
    def set_priced(self, direction: Direction, priced: Priced) -> None:
        """Keep the prices with which costs in statistics were computed."""
        if priced != self._priced.get(direction):
            self._priced[direction] = priced
            self.save_soon()

    @callback
    def keep_priced(self, directions: Iterable[Direction]) -> None:
        """Forget costs of other directions, because they are not complete any more."""
        for direction in self._priced.keys() - set(directions):
            del self._priced[direction]
            self.save_soon()

    def restore(
        self, stored: Mapping[str, Any], read: Reader, *, is_same: bool
    ) -> None:
        """Restore the result of `as_dict`, as far as it can be read.

        If `is_same` is false, documents that the cloud refused are requested again.
        """
        self.board.restore(stored, read, now=dt_util.utcnow(), is_same=is_same)
        progress = read(record, stored.get("progress"), {})
        for source in Source:
            if source in progress:
                self._progress[source] = read(
                    ImportProgress.from_dict, progress[source], ImportProgress()
                )
        caps = read(record, stored.get("power_caps"), {})
        for flow in Flow:
            if flow in caps:
                cap = read(PowerCap.from_dict, caps[flow], PowerCap())
                self._power_caps[flow] = cap
        for key, kept in read(record, stored.get("priced"), {}).items():
            if key in Direction and (each := read(Priced.from_dict, kept, None)):
                self._priced[Direction(key)] = each
        if is_same:
            self._refused = read(_refusals, stored.get("refused"), {})
        if (hidden := stored.get("hidden")) is not None:
            self.hidden = read(Backoff.from_dict, hidden, Backoff())
        self.live_started_at = read(moment, stored.get("live_started_at"), None)
        self.unreadable_stream = read(
            StreamSample.restore, stored.get("unreadable_stream"), None
        )
        self.notified_reporting = read(
            ReportingState.from_dict, stored.get("reporting_told"), ReportingState()
        )
        self.on_dashboard = frozenset(read(record, stored.get("on_dashboard"), {}))
        self.last_report_day = read(
            lambda value: optional(day, value), stored.get("report_told"), None
        )
        self.peaks = read(Peaks.from_dict, stored.get("peaks"), Peaks())
        self.battery_history = read(
            BatteryHistory.from_dict, stored.get("battery_history"), BatteryHistory()
        )
        kept = stored.get("settings")
        self.settings = read(SettingsState.from_dict, kept, SettingsState())
        self.limit_moments(dt_util.utcnow())

    def as_dict(self) -> dict[str, Any]:
        """Return the data as JSON."""
        started, unreadable = self.live_started_at, self.unreadable_stream
        reported = self.last_report_day
        return {
            **self.board.as_dict(),
            "refused": dict(self._refused),
            "hidden": self.hidden and self.hidden.as_dict(),
            "live_started_at": started and started.timestamp(),
            "unreadable_stream": unreadable and unreadable.as_dict(),
            "reporting_told": self.notified_reporting.as_dict(),
            "on_dashboard": dict.fromkeys(sorted(self.on_dashboard), True),
            "report_told": reported and reported.isoformat(),
            "peaks": self.peaks.as_dict(),
            "battery_history": self.battery_history.as_dict(),
            "settings": self.settings.as_dict(),
            "progress": _as_dicts(self._progress),
            "power_caps": _as_dicts(self._power_caps),
            "priced": _as_dicts(self._priced),
        }


class EntryStore:
    """The stored data of each system of an entry."""

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        """Begin empty."""
        self._hass = hass
        # An older state must not overtake a newer one.
        self._saving = asyncio.Lock()
        self._is_closed = False
        self._store = MigratedStore(
            hass,
            _STORAGE_VERSION,
            f"{DOMAIN}.{entry_id}",
            private=True,
            # A system can have thousands of panels.
            serialize_in_event_loop=False,
        )
        self.events = EventArchive(hass, entry_id)
        self._systems: dict[int, SystemStore] = {}
        self._terms = ""
        # When the list of systems is due.
        self.systems_due_at: datetime | None = None

    async def async_load(self, terms: str) -> None:
        """Load the stored data.

        `terms` names what refusals depend on (plan, application, sign-in): if it
        changed, documents that the cloud refused, or that added nothing, are requested
        again. Times in the future become now, after a clock was set back.
        """
        self._terms = terms
        stored = await self._store.async_load() or {}
        await self._hass.async_add_executor_job(self._restore, stored)
        if await self._store.async_set_damaged_aside():
            await self.async_save()
        await self.events.async_load()

    def _restore(self, stored: Mapping[str, Any]) -> None:
        read = self._store.read
        is_same = stored.get("terms") == self._terms
        for system_id, kept in read(record, stored.get("systems"), Record()).items():
            if system_id.isdecimal():
                system = self.system(int(system_id))
                system.restore(read(record, kept, Record()), read, is_same=is_same)
        self.systems_due_at = read(moment, stored.get("systems_due_at"), None)

    def system(self, system_id: int) -> SystemStore:
        """Return the stored data of a system."""
        if system_id not in self._systems:
            self._systems[system_id] = SystemStore(self._save_soon)
        return self._systems[system_id]

    async def async_remove(self) -> None:
        """Delete the stored data."""
        await self._store.async_remove()
        await self.events.async_remove()

    async def async_save(self) -> None:
        """Write the data of all systems now."""
        async with self._saving:
            data = await self._hass.async_add_executor_job(self._as_dict)
            await self._store.async_save(data)

    async def async_close(self) -> None:
        """Write everything for the last time, even if a task ends later."""
        if self._is_closed:
            return
        self._is_closed = True
        await self.async_save()
        await self.events.async_close()

    @callback
    def forget_refusals(self) -> None:
        """Request refused documents of all systems again."""
        for system in self._systems.values():
            system.forget_refusals()

    @callback
    def set_systems_due(self, at: datetime) -> None:
        """Keep when the list of systems is due."""
        self.systems_due_at = at
        self._save_soon()

    @callback
    def _save_soon(self) -> None:
        if not self._is_closed:
            self._store.async_delay_save(self._as_dict, _SAVE_DELAY_SECONDS)

    def _as_dict(self) -> dict[str, Any]:
        due = self.systems_due_at
        return {
            "terms": self._terms,
            "systems": _as_dicts(self._systems),
            "systems_due_at": due and due.timestamp(),
        }


def _as_dicts(parts: Mapping[Any, Any]) -> dict[str, Any]:
    """Return parts as JSON, in a thread while there may be new ones."""
    return {str(key): part.as_dict() for key, part in dict(parts).items()}


def _refusals(stored: object) -> dict[Source, Refusal]:
    """Return why documents were refused."""
    refused = record(stored)
    return {source: Refusal(refused[source]) for source in Source if source in refused}
