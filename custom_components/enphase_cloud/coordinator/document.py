"""A coordinator per document and system; the client's errors are mapped once."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
import logging
from typing import Any, Final, override

from homeassistant.core import callback
from homeassistant.exceptions import ConfigEntryAuthFailed, HomeAssistantError
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed
from homeassistant.util import dt as dt_util

from ..api import EnphaseCloudError, RequestWithheldError, UnknownSystemError
from ..const import DOMAIN
from ..documents.base import AnyDocument, Known, Report
from ..errors import translated
from ..measurements.catalog import Measurement
from ..measurements.evidence import Evidence, adds, cue, is_offline, told_lately
from ..measurements.lifetime import LifetimeGuard
from ..measurements.samples import NOTHING, Samples, advance, is_producing
from ..measurements.system import SYSTEM
from ..quota.backoff import Backoff
from ..quota.ledger import Purpose
from ..runtime.key_budget import for_the_user
from ..runtime.options import groups_from_options, profile_from_options
from ..scheduling.errands import next_errand, spread
from ..scheduling.weights import PolledDocument
from .base import SystemContext
from .error_policy import (
    REFUSALS,
    Consequence,
    Outage,
    error_policy,
    explained,
    foreseen,
    refuse,
)

_LOGGER = logging.getLogger(__name__)

# Between polls a coordinator wakes up to see whether the plan has changed and
# whether values have aged; waking up costs nothing.
_LONGEST_SLEEP: Final = timedelta(minutes=5)
_SHORTEST_SLEEP: Final = timedelta(seconds=1)
# How often a system is asked for that the cloud does not show any more.
_DAY: Final = timedelta(days=1)
_GONE: Final = (Consequence.FORBID_SYSTEM, Consequence.UNKNOWN_SYSTEM)
# Failures after which the pause is as long as it gets.
_MANY: Final = 10


class DocumentCoordinator(DataUpdateCoordinator[None]):
    """Poll one document of one system when the schedule says so."""

    def __init__(self, context: SystemContext, document: AnyDocument) -> None:
        """Begin with what is stored."""
        shared = context.shared
        super().__init__(
            shared.hass,
            _LOGGER,
            config_entry=shared.entry,
            name=f"Enphase Cloud {document.source}",
            update_interval=_LONGEST_SLEEP,
        )
        self.document = document
        self.source = document.source
        self.polled = PolledDocument(str(context.info.system_id), document.source)
        self._context = context
        self._store = context.store
        self._board = context.board
        self._budget = shared.budget
        if not self.is_known and not document.is_optional:
            self._budget.schedule.forget_answers(self.polled)
        self._profile = profile_from_options(shared.entry.options)
        self._is_enabled = (
            document.group is None
            or document.group in groups_from_options(shared.entry.options)
        )
        self._is_for_user = False
        self._requesting_for_user = asyncio.Lock()
        self._answers_for_user = 0
        self._failure: UpdateFailed | None = None
        self._lifetime = LifetimeGuard()
        # What kept the last poll from an answer without being a failure.
        self._withheld: EnphaseCloudError | None = None
        self._quota_outage = Outage(f"Calls for the document {document.source}")
        # What the cloud said to the last poll, None if it answered.
        self.last_error: EnphaseCloudError | None = None
        self._answer_listeners: list[Callable[[Any, datetime], None]] = []
        # When the document is due, None if it is not requested; planned on events.
        self.next_poll_at: datetime | None = None
        self._plan()

    @property
    def is_known(self) -> bool:
        """Whether the document told anything yet."""
        return bool(self._board.samples(self.source))

    @property
    def is_active(self) -> bool:
        """Whether the document is requested at all, be it rarely."""
        if self.source in self._store.refusals or not self._is_enabled:
            return False
        if self.document.is_optional and not self._store.is_visible:
            return False
        return self._evidence.answered or self.document.is_expected(self._board)

    @property
    def is_scheduled(self) -> bool:
        """Whether the document is polled: it adds to what others tell.

        What adds nothing is only checked now and then.
        """
        if self.document.period is not None:
            return False
        if not self.is_active or not self.document.is_optional:
            return self.is_active
        return self.document.is_expected(self._board) and (
            not self._evidence.answered or adds(self._board.evidence, self.source)
        )

    def _plan(self) -> datetime | None:
        """Keep and return when the document is due, None if it is not requested."""
        self.next_poll_at = None
        self._budget.errands.pop(self.polled, None)
        if not self.is_active:
            self._budget.schedule.remove(self.polled)
            return None
        if (per_day := self.document.calls_per_day(self._board)) is not None:
            self._budget.errands[self.polled] = per_day
        now = dt_util.utcnow()
        due = self._due(now)
        ledger = self._budget.ledger
        probe = ledger.probe_at(now)
        if probe is not None and not ledger.spendable(now):
            # The cloud's refusal took the rest of the month; see whether it still does.
            due = probe
        withheld_until = self._budget.withheld_until(now)
        self.next_poll_at = max(due, withheld_until or due)
        return self.next_poll_at

    def _due(self, now: datetime) -> datetime:
        schedule, hidden = self._budget.schedule, self._store.hidden
        if hidden is not None:
            # It gets no share of the calls.
            schedule.remove(self.polled)
            return min(hidden.until or now, now + _DAY)
        if not self.is_scheduled:
            schedule.remove(self.polled)
            if self.document.period is not None:
                return self._next_errand(now, self.document.period)
            return self._evidence.next_check(now, self._cue)
        schedule.add(self.polled, profile=self._profile)
        return schedule.next_poll(
            self.polled,
            now=now,
            calls_left=self._budget.calls_for_polls(now),
            period_end=self._budget.ledger.period_end(now),
        )

    def _next_errand(self, now: datetime, period: timedelta) -> datetime:
        info, evidence = self._context.info, self._evidence
        return next_errand(
            now=now,
            requested_at=evidence.requested_at,
            period=period,
            time_zone=info.time_zone,
            spread=spread(info.system_id),
            has_failed=evidence.failed,
            is_urgent=evidence.answered and evidence.cue != self._cue,
        )

    async def async_refresh_for_user(self) -> None:
        """Request the document now, due or not, on the user's reserve.

        Concurrent callers share one request. Raises HomeAssistantError where the
        reserve is used up or the cloud fails.
        """
        answers = self._answers_for_user
        async with self._requesting_for_user:
            if self._answers_for_user == answers:
                await self._async_request_for_user()
                self._answers_for_user += 1
        if self._withheld is not None:
            self._raise_if_exhausted()
            raise explained(HomeAssistantError, self._withheld, self.source)
        if not self.last_update_success:
            failure = self.last_exception
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key=getattr(failure, "translation_key", None),
                translation_placeholders=getattr(
                    failure, "translation_placeholders", None
                ),
            )

    def _raise_if_exhausted(self) -> None:
        ledger = self._budget.ledger
        now = dt_util.utcnow()
        if (refusal := ledger.refusal(now, purpose=Purpose.USER)) is None:
            return
        if ledger.may_try(now):
            raise translated(HomeAssistantError, "quota_refused", until=refusal.until)
        raise translated(HomeAssistantError, "budget_exhausted", until=refusal.until)

    async def _async_request_for_user(self) -> None:
        self._raise_if_exhausted()
        self._is_for_user = True
        try:
            with for_the_user():
                await self.async_refresh()
        finally:
            self._is_for_user = False

    @override
    async def async_shutdown(self) -> None:
        """Stop polling, and leave the calls to what else is polled with the key."""
        await super().async_shutdown()
        self._budget.errands.pop(self.polled, None)
        self._budget.schedule.remove(self.polled)

    @override
    async def _async_update_data(self) -> None:
        self._board.put_clock_right(dt_util.utcnow())
        due = self._plan()
        # Not before: what is due at once is due when it is planned.
        now = dt_util.utcnow()
        if due is None:
            self.update_interval = _LONGEST_SLEEP
            return
        if not self._is_for_user and due > now:
            self._sleep_until(due)
            self._raise_if_failing(due)
            return
        try:
            await self._async_poll(now)
        except UpdateFailed as err:
            self._failure = err
            raise
        self._failure = None
        self._sleep_until(self._plan())

    def _raise_if_failing(self, due: datetime) -> None:
        """Between two polls a failure lasts until the next."""
        if self._failure is not None:
            # Home Assistant is silent while a failure lasts, but values age.
            self.async_update_listeners()
            raise self._failure.with_traceback(None)
        if self._store.hidden is not None:
            raise self._not_visible(self._store.hidden)
        if not self.is_known and not self.document.is_optional and self._has_failed:
            raise translated(UpdateFailed, "not_due_yet", until=due)

    @property
    def _has_failed(self) -> bool:
        """Whether the cloud's answer is why the document is not due."""
        ledger = self._budget.ledger
        now = dt_util.utcnow()
        is_withheld = ledger.refusal(now, purpose=Purpose.BACKGROUND) is not None
        return not is_withheld or ledger.blocked_until(now) is not None

    def _sleep_until(self, due: datetime | None) -> None:
        pause = _LONGEST_SLEEP if due is None else due - dt_util.utcnow()
        self.update_interval = min(max(pause, _SHORTEST_SLEEP), _LONGEST_SLEEP)

    async def _async_poll(self, now: datetime) -> None:
        self._withheld = None
        if self.document.period is None:
            self._budget.schedule.add(self.polled, profile=self._profile)
        try:
            with foreseen():
                self._take(await self._async_read(now), now)
        except RequestWithheldError as err:
            self._withheld = err
            return
        except EnphaseCloudError as err:
            self.last_error = err
            self._handle_error(err, now)
            return
        self._quota_outage.end()
        self.last_error = None
        self._show_again()

    @callback
    def on_answer(self, listener: Callable[[Any, datetime], None]) -> None:
        """Call a listener with each answer and its moment."""
        self._answer_listeners.append(listener)

    async def _async_read(self, now: datetime) -> Report:
        try:
            answer = await self._async_request()
        except UnknownSystemError:
            if not self.document.is_optional:
                raise
            # The system has nothing of what this document tells.
            return {}
        for listener in self._answer_listeners:
            listener(answer, now)
        if self.document.inventory is not None:
            listed = self.document.inventory(answer)
            is_complete = self.document.lists_all_devices
            self._board.take_inventory(listed, is_complete=is_complete)
        known = Known(info=self._context.info, board=self._board, fetched_at=now)
        return self.document.read(answer, known)

    async def _async_request(self) -> Any:
        client, endpoint = self._context.shared.client, self.document.endpoint
        system_id = self._context.info.system_id
        if self.document.site_query:
            return await client.pages(endpoint, query={"site_id": system_id})
        return await client.get(endpoint, system_id=system_id)

    def _take(self, report: Report, now: datetime) -> None:
        """Keep what an answer says, and learn from it."""
        source = self.source
        for device in report.keys() - {SYSTEM}:
            held = self._board.samples(source, device)
            self._board.put(source, advance(held, report[device], now=now), device)
        arrived = report.get(SYSTEM, NOTHING)
        known = self._board.samples(source)
        newest = newest_measurement(arrived, now)
        is_news = newest not in {None, newest_measurement(known, now)}
        self._take_evidence(arrived, now)
        self._board.put(source, self._advance(known, arrived, now))
        self._store.save_soon()
        self._learn(arrived, now, newest=newest, is_news=is_news)

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

    @property
    def _evidence(self) -> Evidence:
        return self._board.evidence_of(self.source)

    def _set_evidence(self, evidence: Evidence) -> None:
        self._board.set_evidence(self.source, evidence)
        # It may have changed what all documents together say.
        self._board.set_evidence(self.source, evidence.with_cue(self._cue))
        self._store.save_soon()

    @property
    def _cue(self) -> str:
        if self.document.cue is not None:
            return self.document.cue(self._board)
        return cue(self._board.newest(), self._board.evidence)

    def _take_evidence(self, arrived: Samples, now: datetime) -> None:
        known, cellular = self._board.newest(), self._context.info.is_cellular
        told = told_lately(arrived, known, now=now, cellular=cellular)
        offline = is_offline(known, self._board.evidence)
        self._set_evidence(self._evidence.with_answer(told, now=now, offline=offline))

    def _learn(
        self, arrived: Samples, now: datetime, *, newest: datetime | None, is_news: bool
    ) -> None:
        """Tell the schedule how new the answer was; what adds nothing leaves it."""
        budget = self._budget
        if self.document.period is not None:
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

    def _hide_if_gone(self, consequence: Consequence, now: datetime) -> None:
        """Leave a system alone that the cloud does not show, or did not before."""
        if self.document.is_optional:
            return
        if consequence in _GONE or self._store.hidden is not None:
            self.hide(now)

    def hide(self, now: datetime) -> None:
        """Leave the system alone for a day; or less if it was never seen.

        Such a one may be about to appear.
        """
        hidden = self._store.hidden or Backoff(_MANY if self.is_known else 0)
        self._context.hide(hidden.another(now, longest=_DAY))

    def _show_again(self) -> None:
        if not self.document.is_optional and self._store.hidden is not None:
            _LOGGER.info("The cloud shows a system again")
            self._context.show()

    def _not_visible(self, hidden: Backoff) -> UpdateFailed:
        return translated(UpdateFailed, "system_not_visible", until=hidden.until)

    def _handle_error(self, err: EnphaseCloudError, now: datetime) -> None:
        """Return where the error leaves what is known valid; raise it otherwise."""
        consequence = error_policy(err).consequence
        is_optional = self.document.is_optional
        self._set_evidence(self._evidence.with_failure(now))
        if consequence in REFUSALS and is_optional:
            # No failure: the document need not back off once it is allowed.
            refuse(self._context, self.source, err)
            self._set_evidence(Evidence())
            return
        if self.document.period is None:
            self._budget.schedule.failed(self.polled, now=now)
        self._hide_if_gone(consequence, now)
        self._sleep_until(self._plan())
        hidden = self._store.hidden
        if hidden is not None and consequence is not Consequence.REAUTH:
            raise self._not_visible(hidden) from None
        if consequence is Consequence.WAIT_FOR_QUOTA and self.is_known:
            self._withheld = err
            self._quota_outage.begin(err)
            return
        needs_user = consequence is Consequence.REAUTH or (
            consequence is Consequence.REFUSE_KEY and not is_optional
        )
        if not self.is_scheduled and not needs_user:
            _LOGGER.debug("The check of %s failed: %s", self.source, err)
            return
        kind = ConfigEntryAuthFailed if needs_user else UpdateFailed
        raise explained(kind, err, self.source) from None


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
