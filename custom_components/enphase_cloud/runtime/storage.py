"""What a config entry remembers over a restart, so that a restart costs no call."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util

from ..api import StreamSample
from ..const import DOMAIN
from ..documents.evidence import Evidence
from ..energy.import_progress import ImportProgress
from ..energy.power_cap import PowerCap
from ..energy.readings import Flow
from ..json_values import Record, moment, record
from ..measurements.catalog import Kind
from ..measurements.samples import NOTHING, Samples, Source, as_of, from_json, to_json
from ..quota.backoff import Backoff
from .checked_store import CheckedStore

_STORAGE_VERSION: Final = 1
_SAVE_DELAY_SECONDS: Final = 10


class Refusal(StrEnum):
    """Why the cloud refuses a document; also the key of the translated exception."""

    NOT_ENTITLED = "not_entitled"
    """The plan or the access controls of the application lack it (401)."""
    FORBIDDEN = "forbidden"
    """The user may not see the system (403)."""


class EntryStore:
    """What is known of each system by source, and which sources the cloud refused."""

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        """Begin with nothing known."""
        self._store = CheckedStore(
            hass, _STORAGE_VERSION, f"{DOMAIN}.{entry_id}", private=True
        )
        self._samples: dict[tuple[int, Source], Samples] = {}
        self._evidence: dict[tuple[int, Source], Evidence] = {}
        self._refused: dict[tuple[int, Source], Refusal] = {}
        self._hidden: dict[int, Backoff] = {}
        # When the list of systems is due.
        self.systems_due_at: datetime | None = None
        self._live_started_at: dict[int, datetime] = {}
        self._unreadable_streams: dict[int, StreamSample] = {}
        self._progress: dict[tuple[int, Source], ImportProgress] = {}
        self._power_caps: dict[tuple[int, Flow], PowerCap] = {}

    async def async_load(self, terms: str) -> None:
        """Read what is stored.

        `terms` names what refusals depend on (plan, application, sign-in): under other
        terms what the cloud refused, or what added nothing, is requested again. What a
        clock that was ahead dated in the future is of now.
        """
        self._terms = terms
        stored = await self._store.async_load() or {}
        for system_id, remembered in self._members(stored, "systems").items():
            if system_id.isdecimal():
                same_terms = stored.get("terms") == terms
                self._restore(int(system_id), remembered, same_terms=same_terms)
        due = stored.get("systems_due_at")
        self.systems_due_at = due and self._store.read(moment, due, None)
        if await self._store.async_set_damaged_aside():
            await self.async_save()

    def _restore(self, system_id: int, stored: object, *, same_terms: bool) -> None:
        """Take over what is stored of a system, as far as it can be read."""
        now = dt_util.utcnow()
        read = self._store.read
        remembered = read(record, stored, Record())
        samples = self._members(remembered, "samples")
        progress = self._members(remembered, "progress")
        caps = (
            self._members(remembered, "power_caps")
            if "power_caps" in remembered
            else {}
        )
        evidence = self._members(remembered, "evidence")
        refused = read(_reasons, remembered.get("refused"), dict[str, Refusal]())
        for source in Source:
            known = read(from_json, samples.get(source), NOTHING)
            self._samples[system_id, source] = as_of(known, now)
            showed = read(
                Evidence.from_dict, evidence.get(source), Evidence.of_samples(known)
            )
            self._evidence[system_id, source] = (
                showed if same_terms else showed.to_be_checked()
            )
            if source in progress:
                self._progress[system_id, source] = read(
                    ImportProgress.from_dict, progress[source], ImportProgress()
                )
            if same_terms and source in refused:
                self._refused[system_id, source] = refused[source]
        for flow in Flow:
            if flow in caps:
                self._power_caps[system_id, flow] = read(
                    PowerCap.from_dict, caps[flow], PowerCap()
                )
        if (hidden := remembered.get("hidden")) is not None:
            self._hidden[system_id] = read(Backoff.from_dict, hidden, Backoff())
        if started := read(moment, remembered.get("live_started_at"), None):
            self._live_started_at[system_id] = started
        unreadable = remembered.get("unreadable_stream")
        if sample := read(StreamSample.restore, unreadable, None):
            self._unreadable_streams[system_id] = sample

    def _members(self, stored: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        return self._store.read(record, stored.get(name), Record())

    async def async_remove(self) -> None:
        """Delete what is stored."""
        await self._store.async_remove()

    async def async_save(self) -> None:
        """Write everything now."""
        await self._store.async_save(self._as_dict())

    def samples(self, system_id: int, source: Source) -> Samples:
        """Return what a source was last known to say."""
        return self._samples.get((system_id, source), NOTHING)

    @callback
    def set_samples(self, system_id: int, source: Source, samples: Samples) -> None:
        """Keep what a source says."""
        self._samples[system_id, source] = samples
        self._save_soon()

    @callback
    def forget_today(self, system_id: int) -> None:
        """Forget the energies of today, for the day has other limits now."""
        for source in Source:
            self._samples[system_id, source] = {
                measurement: sample
                for measurement, sample in self.samples(system_id, source).items()
                if measurement.traits.kind is not Kind.ENERGY_TODAY
            }
        self._save_soon()

    def evidence(self, system_id: int, source: Source) -> Evidence:
        """Return what the answers of a document showed."""
        return self._evidence.get((system_id, source), Evidence())

    @callback
    def set_evidence(self, system_id: int, source: Source, evidence: Evidence) -> None:
        """Keep what the answers of a document showed."""
        self._evidence[system_id, source] = evidence
        self._save_soon()

    def is_refused(self, system_id: int, source: Source) -> bool:
        """Tell whether the cloud refuses a document for good."""
        return (system_id, source) in self._refused

    def refusal(self, system_id: int, source: Source) -> Refusal | None:
        """Return why the cloud refuses a document; None where it does not."""
        return self._refused.get((system_id, source))

    @callback
    def set_refusal(self, system_id: int, source: Source, reason: Refusal) -> None:
        """Keep that the cloud refuses a document, and why."""
        self._refused[system_id, source] = reason
        self._save_soon()

    @callback
    def forget_refusals(self, system_id: int | None = None) -> None:
        """Ask again for what the cloud refused, of one system or of all."""
        self._refused = {
            (owner, source): reason
            for (owner, source), reason in self._refused.items()
            if system_id is not None and owner != system_id
        }
        self._save_soon()

    def hidden(self, system_id: int) -> Backoff | None:
        """Return how often in a row the cloud did not show a system, None if it does.

        With it comes until when the system is left alone.
        """
        return self._hidden.get(system_id)

    @callback
    def set_hidden(self, system_id: int, hidden: Backoff | None) -> None:
        """Keep whether the cloud shows a system."""
        if hidden is None:
            self._hidden.pop(system_id, None)
        else:
            self._hidden[system_id] = hidden
        self._save_soon()

    @callback
    def set_systems_due(self, at: datetime) -> None:
        """Keep when the list of systems is due."""
        self.systems_due_at = at
        self._save_soon()

    def live_started_at(self, system_id: int) -> datetime | None:
        """Return when the last burst of live data began."""
        started = self._live_started_at.get(system_id)
        return started and min(started, dt_util.utcnow())

    @callback
    def set_live_start(self, system_id: int, at: datetime) -> None:
        """Keep when a burst of live data began."""
        self._live_started_at[system_id] = at
        self._save_soon()

    def unreadable_stream(self, system_id: int) -> StreamSample | None:
        """Return what the last stream was if nobody could read it, else None."""
        return self._unreadable_streams.get(system_id)

    @callback
    def set_unreadable_stream(self, system_id: int, sample: StreamSample) -> None:
        """Keep that a stream brought no frame, and what it was."""
        self._unreadable_streams[system_id] = sample
        self._save_soon()

    @callback
    def forget_unreadable_stream(self, system_id: int) -> None:
        """Let streams be opened again."""
        if self._unreadable_streams.pop(system_id, None) is not None:
            self._save_soon()

    def progress(self, system_id: int, source: Source) -> ImportProgress:
        """Return how far the energies of a source are known."""
        return self._progress.get((system_id, source), ImportProgress())

    @callback
    def set_progress(
        self, system_id: int, source: Source, progress: ImportProgress
    ) -> None:
        """Keep how far the energies of a source are known."""
        self._progress[system_id, source] = progress
        self._save_soon()

    def power_cap(self, system_id: int, flow: Flow) -> PowerCap:
        """Return how much power a flow can carry."""
        return self._power_caps.get((system_id, flow), PowerCap())

    @callback
    def set_power_cap(self, system_id: int, flow: Flow, cap: PowerCap) -> None:
        """Keep how much power a flow can carry."""
        self._power_caps[system_id, flow] = cap
        self._save_soon()

    @callback
    def _save_soon(self) -> None:
        self._store.async_delay_save(self._as_dict, _SAVE_DELAY_SECONDS)

    def _as_dict(self) -> dict[str, Any]:
        systems: dict[str, dict[str, Any]] = {}
        known = {system_id for system_id, _ in (*self._samples, *self._refused)}
        known |= self._hidden.keys() | self._unreadable_streams.keys()
        for system_id in known:
            hidden = self._hidden.get(system_id)
            started = self._live_started_at.get(system_id)
            unreadable = self._unreadable_streams.get(system_id)
            systems[str(system_id)] = {
                "samples": {
                    source: to_json(self.samples(system_id, source))
                    for source in Source
                },
                "evidence": {
                    source: evidence.as_dict()
                    for (owner, source), evidence in self._evidence.items()
                    if owner == system_id
                },
                "refused": {
                    source: reason
                    for (owner, source), reason in self._refused.items()
                    if owner == system_id
                },
                "hidden": hidden and hidden.as_dict(),
                "live_started_at": started.timestamp() if started else None,
                "unreadable_stream": unreadable.as_dict() if unreadable else None,
                "progress": {
                    source: progress.as_dict()
                    for (owner, source), progress in self._progress.items()
                    if owner == system_id
                },
                "power_caps": {
                    flow: cap.as_dict()
                    for (owner, flow), cap in self._power_caps.items()
                    if owner == system_id
                },
            }
        due = self.systems_due_at
        return {
            "terms": self._terms,
            "systems": systems,
            "systems_due_at": due and due.timestamp(),
        }


def _reasons(stored: object) -> dict[str, Refusal]:
    """Return why documents were refused; version 0.1.0 stored no reasons."""
    if isinstance(stored, list):
        stored = {name: Refusal.NOT_ENTITLED for name in stored if name in Source}
    return {name: Refusal(reason) for name, reason in record(stored).items()}
