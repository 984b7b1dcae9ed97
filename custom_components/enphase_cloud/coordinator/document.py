"""The coordinator of one document of one system, which handles the client's errors."""

import asyncio
from datetime import datetime, timedelta
import logging
from typing import Final, override

from homeassistant.exceptions import ConfigEntryAuthFailed, HomeAssistantError
from homeassistant.helpers.update_coordinator import UpdateFailed
from homeassistant.util import dt as dt_util

from ..api import EnphaseCloudError, RequestWithheldError
from ..const import DOMAIN
from ..documents.base import AnyDocument
from ..errors import translated
from ..measurements.evidence import Evidence
from ..quota.backoff import Backoff
from ..quota.ledger import Purpose
from ..runtime.key_budget import for_the_user
from .base import SystemContext
from .document_plan import DocumentPlan
from .document_responses import DocumentResponses
from .error_policy import (
    REFUSALS,
    Consequence,
    Outage,
    as_refusal,
    error_policy,
    explained,
    foreseen,
    refuse,
)
from .listeners import EnphaseCloudCoordinator

_LOGGER = logging.getLogger(__name__)

# Between polls a coordinator wakes up to check whether the plan has changed and
# whether values have become too old; that costs no API call.
_LONGEST_SLEEP: Final = timedelta(minutes=5)
_SHORTEST_SLEEP: Final = timedelta(seconds=1)
# How often to request a system that the cloud no longer shows.
_DAY: Final = timedelta(days=1)
_GONE: Final = (Consequence.FORBID_SYSTEM, Consequence.UNKNOWN_SYSTEM)
# Failures after which the pause of a backoff is longest.
_MANY: Final = 10


class DocumentCoordinator(EnphaseCloudCoordinator):
    """Polls one document of one system when its plan says that it is due."""

    def __init__(self, context: SystemContext, document: AnyDocument) -> None:
        """Begin with the stored values."""
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
        self.plan = DocumentPlan(context, document)
        self.responses = DocumentResponses(context, document, self.plan)
        self._context = context
        self._store = context.store
        self._board = context.board
        self._budget = shared.budget
        self._is_for_user = False
        self._requesting_for_user = asyncio.Lock()
        self._requests_for_user = 0
        self._failure: UpdateFailed | None = None
        # Why the last poll got no response, where that is no failure.
        self._withheld: EnphaseCloudError | None = None
        self._quota_outage = Outage(f"Calls for the document {document.source}")
        # The error of the last poll, None if it succeeded.
        self.last_error: EnphaseCloudError | None = None

    @property
    def is_known(self) -> bool:
        """Whether there are values of the document."""
        return bool(self._board.samples(self.source))

    async def async_refresh_for_user(self) -> None:
        """Request the document now, due or not, on the user's reserve.

        Concurrent callers share one request. Raises HomeAssistantError where the
        reserve is used up or the cloud fails.
        """
        requests = self._requests_for_user
        async with self._requesting_for_user:
            if self._requests_for_user == requests:
                await self._async_request_for_user()
                self._requests_for_user += 1
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
        """Stop polling, and release the document's share of the calls."""
        await super().async_shutdown()
        self.plan.stop()

    @override
    async def _async_update_data(self) -> None:
        # Unless the rest says otherwise: no failure of it may become a hot loop.
        self.update_interval = _LONGEST_SLEEP
        self._store.limit_moments(dt_util.utcnow())
        due = self.plan.update()
        # After `due`, which is the present moment for a document due at once.
        now = dt_util.utcnow()
        if due is None:
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
        self._sleep_until(self.plan.update())

    def _raise_if_failing(self, due: datetime) -> None:
        """Raise UpdateFailed between polls while the last one counts as a failure."""
        if self._failure is not None:
            # Home Assistant notifies only of the first failure, but values age.
            self.async_update_listeners()
            raise self._failure.with_traceback(None)
        if self._store.hidden is not None:
            raise self._not_visible(self._store.hidden)
        if not self.is_known and not self.document.is_optional and self._has_failed:
            raise translated(UpdateFailed, "not_due_yet", until=due)

    @property
    def _has_failed(self) -> bool:
        """Whether a failure, not the budget, is why the document is not due."""
        ledger = self._budget.ledger
        now = dt_util.utcnow()
        is_withheld = ledger.refusal(now, purpose=Purpose.BACKGROUND) is not None
        return not is_withheld or ledger.blocked_until(now) is not None

    def _sleep_until(self, due: datetime | None) -> None:
        pause = _LONGEST_SLEEP if due is None else due - dt_util.utcnow()
        self.update_interval = min(max(pause, _SHORTEST_SLEEP), _LONGEST_SLEEP)

    async def _async_poll(self, now: datetime) -> None:
        self._withheld = None
        self.plan.begin()
        try:
            with foreseen():
                await self.responses.async_request(now)
        except RequestWithheldError as err:
            self._withheld = err
            return
        except EnphaseCloudError as err:
            self.last_error = as_refusal(err, self.source)
            self._handle_error(self.last_error, now)
            return
        self._quota_outage.end()
        self.last_error = None
        self._show_again()
        self._allow_again()

    def _hide_if_gone(self, consequence: Consequence, now: datetime) -> None:
        """Hide the system if the cloud does not show it, or prolong that."""
        if self.document.is_optional:
            return
        if consequence in _GONE or self._store.hidden is not None:
            self.hide(now)

    def hide(self, now: datetime) -> None:
        """Make no requests for the system for a day.

        The pause is shorter for a system without values: a new one may appear soon.
        """
        hidden = self._store.hidden or Backoff(_MANY if self.is_known else 0)
        self._context.hide(hidden.another(now, longest=_DAY))

    def _show_again(self) -> None:
        if not self.document.is_optional and self._store.hidden is not None:
            _LOGGER.info("The cloud shows a system again")
            self._context.show()

    def _allow_again(self) -> None:
        """Forget all refusals once a refused document has a response."""
        if self.source in self._store.refusals:
            _LOGGER.info("The cloud allows %s again", self.source)
            self._store.settings.allow()
            self._context.allow()

    def _not_visible(self, hidden: Backoff) -> UpdateFailed:
        return translated(UpdateFailed, "system_not_visible", until=hidden.until)

    def _handle_error(self, err: EnphaseCloudError, now: datetime) -> None:
        """Plan the next attempt; raise UpdateFailed unless the values remain valid."""
        consequence = error_policy(err).consequence
        is_optional = self.document.is_optional
        self.plan.set_evidence(self.plan.evidence.with_failure(now))
        if consequence in REFUSALS and is_optional:
            # Not a failure, so that no backoff remains once the document is allowed.
            refuse(self._context, self.source, err)
            self.plan.set_evidence(Evidence())
            return
        self.plan.failed(now)
        self._hide_if_gone(consequence, now)
        self._sleep_until(self.plan.update())
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
        if not self.plan.is_scheduled and not needs_user:
            _LOGGER.debug("The check of %s failed: %s", self.source, err)
            return
        kind = ConfigEntryAuthFailed if needs_user else UpdateFailed
        raise explained(kind, err, self.source) from None
