"""A coordinator per document and system; the client's errors are mapped once."""

import asyncio
from datetime import datetime, timedelta
import logging
from typing import Final, override

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConfigEntryAuthFailed, HomeAssistantError
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed
from homeassistant.util import dt as dt_util

from ..api import EnphaseCloudError, RequestWithheldError, UnknownSystemError
from ..const import DOMAIN
from ..data import EnphaseCloudConfigEntry, EnphaseSystem
from ..documents.evidence import Evidence, adds, cue, is_offline, told_lately
from ..errors import translated
from ..measurements.catalog import Measurement
from ..measurements.lifetime import LifetimeGuard
from ..measurements.samples import NOTHING, Samples, advance, is_producing
from ..quota.backoff import Backoff
from ..quota.ledger import Purpose
from ..runtime.key_budget import for_the_user
from ..runtime.options import profile_from_options
from ..scheduling.weights import PolledDocument
from .error_policy import (
    REFUSALS,
    Consequence,
    Outage,
    error_policy,
    explained,
    foreseen,
    refuse,
)
from .polled_documents import DocumentSource

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


class DocumentCoordinator(DataUpdateCoordinator[Samples]):
    """Poll one document of one system when the schedule says so."""

    config_entry: EnphaseCloudConfigEntry

    def __init__(
        self,
        hass: HomeAssistant,
        entry: EnphaseCloudConfigEntry,
        system: EnphaseSystem,
        source: DocumentSource,
    ) -> None:
        """Begin with what is remembered."""
        super().__init__(
            hass,
            _LOGGER,
            config_entry=entry,
            name=f"Enphase Cloud {source.document}",
            update_interval=_LONGEST_SLEEP,
        )
        self.source = source
        self.system = system
        self.polled = PolledDocument(
            system=str(system.system_id), document=source.document
        )
        self.data = entry.runtime_data.storage.samples(system.system_id, source.source)
        if not self.data and not source.is_optional:
            entry.runtime_data.budget.schedule.forget_answers(self.polled)
        system.evidence[source.source] = entry.runtime_data.storage.evidence(
            system.system_id, source.source
        )
        self._profile = profile_from_options(entry.options)
        self._asked_for = False
        self._asking_for_user = asyncio.Lock()
        self._answers_for_user = 0
        self._failure: UpdateFailed | None = None
        self._lifetime = LifetimeGuard()
        # What kept the last poll from an answer without being a failure.
        self._withheld: EnphaseCloudError | None = None
        self._quota_outage = Outage(f"Calls for the document {source.document}")
        # What the cloud said to the last poll, None if it answered.
        self.last_error: EnphaseCloudError | None = None

    @property
    def is_active(self) -> bool:
        """Whether the document is requested at all, be it rarely."""
        refused = self.config_entry.runtime_data.storage.is_refused(
            self.system.system_id, self.source.source
        )
        if refused or (self.source.is_optional and not self.system.is_visible):
            return False
        return self._evidence.answered or self.source.is_expected(self.system)

    @property
    def is_scheduled(self) -> bool:
        """Whether the document is polled: it adds to what others tell.

        What adds nothing is only checked now and then.
        """
        if not self.is_active or not self.source.is_optional:
            return self.is_active
        return self.source.is_expected(self.system) and (
            not self._evidence.answered
            or adds(self.system.evidence, self.source.source)
        )

    def next_poll(self) -> datetime | None:
        """Return when the document is due, or None if it is not requested."""
        if not self.is_active:
            return None
        budget = self.config_entry.runtime_data.budget
        now = dt_util.utcnow()
        if self._hidden is not None:
            # It gets no share of the calls.
            budget.schedule.remove(self.polled)
            due = min(self._hidden.until or now, now + _DAY)
        elif not self.is_scheduled:
            budget.schedule.remove(self.polled)
            due = self._evidence.next_check(now, self._cue)
        else:
            budget.schedule.add(self.polled, profile=self._profile)
            due = budget.schedule.next_poll(
                self.polled,
                now=now,
                calls_left=budget.calls_for_polls(now),
                period_end=budget.ledger.period_end(now),
            )
        probe = budget.ledger.probe_at(now)
        if probe is not None and not budget.ledger.spendable(now):
            # The cloud's refusal took the rest of the month; see whether it still does.
            due = probe
        withheld_until = budget.withheld_until(now)
        return due if withheld_until is None else max(due, withheld_until)

    @property
    def _hidden(self) -> Backoff | None:
        """Return how often in a row the cloud said that there is no such system."""
        return self.config_entry.runtime_data.storage.hidden(self.system.system_id)

    async def async_refresh_for_user(self) -> None:
        """Ask the cloud now, due or not, on the user's reserve.

        Who asks while an answer is under way gets that one. Raises HomeAssistantError
        where the reserve is used up or the cloud fails.
        """
        answers = self._answers_for_user
        async with self._asking_for_user:
            if self._answers_for_user == answers:
                await self._async_ask_for_user()
                self._answers_for_user += 1
        if self._withheld is not None:
            self._raise_if_exhausted()
            raise explained(HomeAssistantError, self._withheld, self.source.source)
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
        ledger = self.config_entry.runtime_data.budget.ledger
        now = dt_util.utcnow()
        if (refusal := ledger.refusal(now, purpose=Purpose.USER)) is None:
            return
        if ledger.may_try(now):
            raise translated(HomeAssistantError, "quota_refused", until=refusal.until)
        raise translated(HomeAssistantError, "budget_exhausted", until=refusal.until)

    async def _async_ask_for_user(self) -> None:
        self._raise_if_exhausted()
        self._asked_for = True
        try:
            with for_the_user():
                await self.async_refresh()
        finally:
            self._asked_for = False

    @override
    async def async_shutdown(self) -> None:
        """Stop polling, and leave the calls to what else is polled with the key."""
        await super().async_shutdown()
        self.config_entry.runtime_data.budget.schedule.remove(self.polled)

    @override
    async def _async_update_data(self) -> Samples:
        self.system.put_clock_right(dt_util.utcnow())
        due = self.next_poll()
        if due is None:
            self.config_entry.runtime_data.budget.schedule.remove(self.polled)
            self.update_interval = _LONGEST_SLEEP
            return self.data
        if not self._asked_for and due > dt_util.utcnow():
            self._sleep_until(due)
            return self._still_known(due)
        try:
            samples = await self._async_poll()
        except UpdateFailed as err:
            self._failure = err
            raise
        self._failure = None
        self._sleep_until(self.next_poll())
        return samples

    def _still_known(self, due: datetime) -> Samples:
        """Return what is known between two polls; a failure lasts until the next."""
        if self._failure is not None:
            # Home Assistant is silent while a failure lasts, but values age.
            self.async_update_listeners()
            raise self._failure.with_traceback(None)
        if self._hidden is not None:
            raise self._not_visible(self._hidden)
        if not self.data and not self.source.is_optional and self._has_failed:
            raise translated(UpdateFailed, "not_due_yet", until=due)
        return self.data

    @property
    def _has_failed(self) -> bool:
        """Whether the cloud's answer is why the document is not due."""
        ledger = self.config_entry.runtime_data.budget.ledger
        now = dt_util.utcnow()
        is_withheld = ledger.refusal(now, purpose=Purpose.BACKGROUND) is not None
        return not is_withheld or ledger.blocked_until(now) is not None

    def _sleep_until(self, due: datetime | None) -> None:
        pause = _LONGEST_SLEEP if due is None else due - dt_util.utcnow()
        self.update_interval = min(max(pause, _SHORTEST_SLEEP), _LONGEST_SLEEP)

    async def _async_poll(self) -> Samples:
        data = self.config_entry.runtime_data
        now = dt_util.utcnow()
        self._withheld = None
        data.budget.schedule.add(self.polled, profile=self._profile)
        try:
            with foreseen():
                arrived = await self._async_read(now)
                samples = self._advance(arrived, now)
                self._take_evidence(arrived, now)
                self._learn(arrived, now)
        except RequestWithheldError as err:
            self._withheld = err
            return self.data
        except EnphaseCloudError as err:
            self.last_error = err
            return self._handle_error(err, now)
        self._quota_outage.end()
        self.last_error = None
        self._show_again()
        data.storage.set_samples(self.system.system_id, self.source.source, samples)
        return samples

    def _advance(self, arrived: Samples, now: datetime) -> Samples:
        """Return what is known from now on."""
        waited = self._lifetime.claim is not None
        self._lifetime, known, believed = self._lifetime.check(
            self.data, arrived, now=now
        )
        if self._lifetime.claim is not None and not waited:
            _LOGGER.warning(
                "The lifetime energy that Enphase reports is not what the size of the"
                " system explains; it is shown once later answers confirm it"
            )
        elif self._lifetime.claim is None and waited:
            _LOGGER.info("The lifetime energy follows Enphase again")
        return advance(known, believed, now=now)

    async def _async_read(self, now: datetime) -> Samples:
        client = self.config_entry.runtime_data.client
        try:
            return await self.source.async_read(client, self.system, now)
        except UnknownSystemError:
            if not self.source.is_optional:
                raise
            # The system has nothing of what this document tells.
            return NOTHING

    @property
    def _evidence(self) -> Evidence:
        return self.system.evidence[self.source.source]

    def _remember_evidence(self, evidence: Evidence) -> None:
        self.system.evidence[self.source.source] = evidence
        # It may have changed what all documents together say.
        evidence = evidence.with_cue(self._cue)
        self.system.evidence[self.source.source] = evidence
        self.config_entry.runtime_data.storage.set_evidence(
            self.system.system_id, self.source.source, evidence
        )

    @property
    def _cue(self) -> str:
        return cue(self.system.samples, self.system.evidence)

    def _take_evidence(self, arrived: Samples, now: datetime) -> None:
        system, known = self.system, self.system.samples
        told = told_lately(arrived, known, now=now, cellular=system.cellular)
        offline = is_offline(known, system.evidence)
        evidence = self._evidence.with_answer(told, now=now, offline=offline)
        self._remember_evidence(evidence)

    def _learn(self, arrived: Samples, now: datetime) -> None:
        """Tell the schedule how new the answer was; what adds nothing leaves it."""
        budget = self.config_entry.runtime_data.budget
        if not self.is_scheduled:
            budget.schedule.remove(self.polled)
            budget.ledger.record_wasted(now)
            budget.notify()
            return
        known = {**self.system.samples, **arrived}
        production = arrived.get(Measurement.PRODUCTION_POWER)
        energy = arrived.get(Measurement.ENERGY_PRODUCED_LIFETIME)
        newest = newest_measurement(arrived, now)
        was_wasted = budget.schedule.observe(
            self.polled,
            now=now,
            data_at=newest,
            changed=newest not in {None, newest_measurement(self.data, now)},
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
        if self.source.is_optional:
            return
        if consequence not in _GONE and self._hidden is None:
            return
        self.hide(now)

    def hide(self, now: datetime) -> None:
        """Leave the system alone for a day; or less if it was never seen.

        Such a one may be about to appear.
        """
        hidden = self._hidden or Backoff(_MANY if self.data else 0)
        hidden = hidden.another(now, longest=_DAY)
        self.config_entry.runtime_data.hide(self.system, hidden)

    def _show_again(self) -> None:
        if not self.source.is_optional and self._hidden is not None:
            _LOGGER.info("The cloud shows a system again")
            self.config_entry.runtime_data.show(self.system)

    def _not_visible(self, hidden: Backoff) -> UpdateFailed:
        return translated(UpdateFailed, "system_not_visible", until=hidden.until)

    def _handle_error(self, err: EnphaseCloudError, now: datetime) -> Samples:
        """Return what is known where the error allows it; raise it otherwise."""
        data = self.config_entry.runtime_data
        consequence = error_policy(err).consequence
        is_optional = self.source.is_optional
        self._remember_evidence(self._evidence.with_failure(now))
        if consequence in REFUSALS and is_optional:
            # No failure, from which the document would have to rest once it is allowed.
            refuse(data, self.system.system_id, self.source.source, err)
            self._remember_evidence(Evidence())
            return self.data
        data.budget.schedule.failed(self.polled, now=now)
        self._hide_if_gone(consequence, now)
        self._sleep_until(self.next_poll())
        if self._hidden is not None and consequence is not Consequence.REAUTH:
            raise self._not_visible(self._hidden) from None
        if consequence is Consequence.WAIT_FOR_QUOTA and self.data:
            self._withheld = err
            self._quota_outage.begin(err)
            return self.data
        needs_user = consequence is Consequence.REAUTH or (
            consequence is Consequence.REFUSE_KEY and not is_optional
        )
        if not self.is_scheduled and not needs_user:
            _LOGGER.debug("The check of %s failed: %s", self.source.document, err)
            return self.data
        kind = ConfigEntryAuthFailed if needs_user else UpdateFailed
        raise explained(kind, err, self.source.source) from None


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
