"""When a document of a system is requested: by its weight, periodically, or never."""

from datetime import datetime, timedelta
from typing import Final

from homeassistant.util import dt as dt_util

from ..documents.base import REPORTED_AFTER_DUSK, AnyDocument
from ..measurements.catalog import Measurement
from ..measurements.evidence import (
    CHECK_PERIOD,
    Evidence,
    adds,
    cue,
    is_offline,
    recently_reported,
)
from ..measurements.samples import Samples, is_producing
from ..runtime.options import profile_from_options
from ..runtime.system_properties import calls_of_system
from ..scheduling.daylight import Daylight
from ..scheduling.periodic import after_dawn, next_periodic_request, spread
from ..scheduling.weights import PolledDocument
from .base import SystemContext

# How often to poll a system that the cloud no longer shows.
_DAY: Final = timedelta(days=1)


class DocumentPlan:
    """Plans the requests of a document, and learns from its responses."""

    def __init__(self, context: SystemContext, document: AnyDocument) -> None:
        """Continue from the stored evidence."""
        options = context.shared.entry.options
        self.polled = PolledDocument(str(context.info.system_id), document.source)
        self._document = document
        self._context = context
        self._store = context.store
        self._board = context.board
        self._budget = context.shared.budget
        self._profile = profile_from_options(options)
        if not self._board.samples(document.source) and not document.is_optional:
            self._budget.schedule.forget_responses(self.polled)
        # When the document is due, None if it is not requested.
        self.next_poll_at: datetime | None = None
        self.update()

    @property
    def is_periodic(self) -> bool:
        """Whether the document is requested daily or weekly, not polled."""
        return self._document.period is not None

    @property
    def is_active(self) -> bool:
        """Whether the document is requested at all, even if rarely."""
        if self._document.source in self._store.refusals:
            return False
        if self._document.is_optional and not self._store.is_visible:
            return False
        is_expected = self._document.is_expected(self._board)
        if self.is_periodic:
            return is_expected and bool(self._document.devices(self._board))
        return self.evidence.has_response or is_expected

    @property
    def is_scheduled(self) -> bool:
        """Whether the document is polled, because it adds values to those of others.

        A document that adds nothing is only checked now and then.
        """
        if self.is_periodic:
            return False
        if not self.is_active or not self._document.is_optional:
            return self.is_active
        return self._document.is_expected(self._board) and (
            not self.evidence.has_response
            or adds(self._board.evidence, self._document.source)
        )

    def update(self) -> datetime | None:
        """Update and return when the document is due, None if it is not requested."""
        self.next_poll_at = None
        self._budget.periodic_calls.pop(self.polled, None)
        if not self.is_active:
            self._budget.schedule.remove(self.polled)
            self.next_poll_at = self._probe_at
            return self.next_poll_at
        of_system = self._calls_of_system, self._daylight.length
        per_day = self._document.calls_per_day(self._board, *of_system)
        if per_day is not None:
            self._budget.periodic_calls[self.polled] = per_day
        now = dt_util.utcnow()
        due = self._due(now)
        ledger = self._budget.ledger
        probe = ledger.probe_at(now)
        if probe is not None and not ledger.spendable(now):
            # A refusal for quota used up the month; check whether it still holds.
            due = probe
        withheld_until = self._budget.withheld_until(now)
        self.next_poll_at = max(due, withheld_until or due)
        return self.next_poll_at

    @property
    def _probe_at(self) -> datetime | None:
        """Return when to check whether a refused document is allowed by now."""
        if not self._document.probes or not self._store.is_visible:
            return None
        is_refused = self._document.source in self._store.refusals
        return self._store.settings.probe_at if is_refused else None

    def stop(self) -> None:
        """Release the document's share of the calls."""
        self._budget.periodic_calls.pop(self.polled, None)
        self._budget.schedule.remove(self.polled)

    def _due(self, now: datetime) -> datetime:
        schedule, hidden = self._budget.schedule, self._store.hidden
        if hidden is not None:
            # A hidden system gets no share of the calls.
            schedule.remove(self.polled)
            return hidden.paused_until(now, longest=_DAY)
        of_system = self._calls_of_system, self._daylight.length
        period = self._document.period_of(self._board, *of_system)
        if period is not None:
            return self._next_periodic_request(now, period)
        if not self.is_scheduled:
            schedule.remove(self.polled)
            return self.evidence.next_check(now, self._cue)
        schedule.add(self.polled, profile=self._profile)
        return schedule.next_poll(
            self.polled,
            now=now,
            calls_left=self._budget.calls_for_polls(now),
            period_end=self._budget.ledger.period_end(now),
        )

    @property
    def _calls_of_system(self) -> float:
        entry, plan = self._context.shared.entry, self._budget.ledger.plan
        return calls_of_system(entry, plan)

    @property
    def _daylight(self) -> Daylight:
        return self._budget.schedule.daylight(self.polled.system)

    def _next_periodic_request(self, now: datetime, period: timedelta) -> datetime:
        info, evidence = self._context.info, self.evidence
        due = next_periodic_request(
            now=now,
            requested_at=evidence.requested_at,
            period=max(period, CHECK_PERIOD) if evidence.is_absent else period,
            time_zone=info.time_zone,
            spread=spread(info.system_id),
            has_failed=evidence.failed,
            is_urgent=evidence.has_response and evidence.cue != self._cue,
        )
        at = evidence.requested_at
        if at is None or not self._document.by_day or period >= _DAY:
            return due
        return after_dawn(due, at - REPORTED_AFTER_DUSK, self._daylight)

    def begin(self) -> None:
        """Note that the document is requested, due or not."""
        if not self.is_periodic:
            self._budget.schedule.add(self.polled, profile=self._profile)

    def failed(self, now: datetime) -> None:
        """Note that a request failed: the pause grows."""
        if not self.is_periodic:
            self._budget.schedule.failed(self.polled, now=now)

    @property
    def evidence(self) -> Evidence:
        """Return the evidence from the document's responses."""
        return self._board.evidence_of(self._document.source)

    def set_evidence(self, evidence: Evidence) -> None:
        """Keep the evidence from the document's responses."""
        source = self._document.source
        self._board.set_evidence(source, evidence)
        # The cue depends on the evidence of all documents, including this one.
        self._board.set_evidence(source, evidence.with_cue(self._cue))
        self._store.save_soon()

    @property
    def _cue(self) -> str:
        if self._document.cue is not None:
            return self._document.cue(self._board)
        return cue(self._board.newest(), self._board.evidence)

    def take_evidence(
        self, arrived: Samples, now: datetime, *, is_absent: bool
    ) -> None:
        """Learn from a response what the system has; `is_absent` if no document."""
        known, cellular = self._board.newest(), self._context.info.is_cellular
        recent = recently_reported(arrived, known, now=now, cellular=cellular)
        offline = is_offline(known, self._board.evidence)
        self.set_evidence(
            self.evidence.with_response(
                recent, now=now, offline=offline, is_absent=is_absent
            )
        )

    def learn(
        self, arrived: Samples, now: datetime, *, newest: datetime | None, is_news: bool
    ) -> None:
        """Report the age of a response to the schedule; remove a useless document."""
        budget = self._budget
        if self.is_periodic:
            return
        if not self.is_scheduled:
            budget.schedule.remove(self.polled)
            budget.ledger.record_wasted(now)
            budget.notify()
            return
        known = {**self._board.newest(), **arrived}
        production = arrived.get(Measurement.PRODUCTION_POWER)
        energy = arrived.get(Measurement.ENERGY_PRODUCED_LIFETIME)
        was_wasted = budget.schedule.observe(
            self.polled,
            now=now,
            data_at=newest,
            changed=is_news,
            producing=None
            if production is None
            else is_producing(production.value, known),
            produced_until=None if energy is None else energy.observed_at,
        )
        if was_wasted:
            budget.ledger.record_wasted(now)
        budget.notify()
