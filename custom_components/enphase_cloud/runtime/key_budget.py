"""The budget of an API key, shared by all config entries that use the key."""

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from copy import replace
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
import logging
import math
from typing import Any, Final

from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.helpers.event import async_track_point_in_utc_time
from homeassistant.util import dt as dt_util

from ..api import ApiError, QuotaExceededError, RequestWithheldError
from ..api.endpoints import LIVE_DATA, TOKEN
from ..quota.backfill import Backfill, BudgetLeft
from ..quota.ledger import BudgetExhaustedError, Ledger, Period, Purpose
from ..quota.reserve import Call, reserve
from ..scheduling.poll_schedule import Schedule
from ..scheduling.weights import PolledDocument
from .persistence import Persistence, StorageFailedError
from .verified_store import VerifiedStore

_LOGGER = logging.getLogger(__name__)

# A lost stream costs money, and a lost token the sign-in: save before these calls.
_SAVED_FIRST: Final = frozenset({LIVE_DATA.name, TOKEN})
_MONTH: Final = timedelta(days=30)
_SHORTEST_WAIT: Final = timedelta(minutes=1)
_FAILED: Final = HTTPStatus.INTERNAL_SERVER_ERROR
_NOT_COUNTED: Final = (
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.TOO_MANY_REQUESTS,
)


@dataclass(slots=True)
class _Acting:
    """The purpose of the calls made inside a block."""

    purpose: Purpose
    is_over: bool = False


_ACTING: ContextVar[_Acting | None] = ContextVar("acting", default=None)


@contextmanager
def for_the_user() -> Generator[None]:
    """Let the calls made inside use the reserve for the user."""
    with _acting_for(Purpose.USER):
        yield


@contextmanager
def signing_in() -> Generator[None]:
    """Let the calls made inside use the reserve for sign-ins."""
    with _acting_for(Purpose.SIGN_IN):
        yield


@contextmanager
def _acting_for(purpose: Purpose) -> Generator[None]:
    acting = _Acting(purpose)
    token = _ACTING.set(acting)
    try:
        yield
    finally:
        # Timers and tasks that begin inside keep the context, and outlive the block.
        acting.is_over = True
        _ACTING.reset(token)


def _purpose() -> Purpose:
    acting = _ACTING.get()
    return Purpose.BACKGROUND if acting is None or acting.is_over else acting.purpose


@dataclass(slots=True)
class Attempt:
    """The response to one attempt, as far as it is known."""

    is_served: bool = False
    date: datetime | None = None

    def on_response(self, status: int, date: datetime | None) -> None:
        """Take the status and `Date` of a response.

        Errors of the request count as calls; those of the server or the key do not.
        """
        self.is_served = status < _FAILED and status not in _NOT_COUNTED
        self.date = date


class KeyBudget:
    """The budget of one API key, saved before calls are sent."""

    def __init__(
        self,
        hass: HomeAssistant,
        store: VerifiedStore,
        ledger: Ledger,
        schedule: Schedule,
        backfill: Backfill,
    ) -> None:
        """Take the restored parts; `KeyBudgets` restores them."""
        self.ledger = ledger
        self.schedule = schedule
        self.backfill = backfill
        self._hass = hass
        self.persistence = Persistence(
            hass,
            store,
            self._as_dict,
            on_saved=lambda saved: ledger.saved(saved["ledger"]),
            on_change=self._call_listeners,
        )
        # The calls per day of periodic documents.
        self.periodic_calls: dict[PolledDocument, float] = {}
        self._listeners: set[CALLBACK_TYPE] = set()
        self._renewal: datetime | None = None
        self._cancel_renewal: CALLBACK_TYPE | None = None
        self._is_closed = False
        # Whether the last refusal by the cloud was plausible; the change is logged.
        self._was_possible = True
        self._cancel_stop: CALLBACK_TYPE | None = hass.bus.async_listen_once(
            EVENT_HOMEASSISTANT_STOP, self._async_stop
        )

    @asynccontextmanager
    async def attempt(self, operation: str) -> AsyncGenerator[Attempt]:
        """Count one attempt before it is sent, and note its outcome.

        Raises RequestWithheldError if the budget does not allow it, and its subclass
        StorageFailedError if the count cannot be saved.
        """
        # While the disk fails, a call that cannot be sent is not counted.
        if self.persistence.failed_until and not await self.persistence.async_save():
            raise StorageFailedError
        now = dt_util.utcnow()
        try:
            call = self.ledger.charge(operation, now, purpose=_purpose())
        except BudgetExhaustedError as err:
            raise RequestWithheldError(until=err.until, reason=err.period) from None
        attempt = Attempt()
        try:
            must_save = call.must_be_saved or operation in _SAVED_FIRST
            if must_save and not await self.persistence.async_save():
                raise StorageFailedError
            self.notify()
            yield attempt
        except ApiError as err:
            attempt.on_response(err.status, attempt.date)
            self._ended(call, attempt)
            if isinstance(err, QuotaExceededError):
                await self.on_quota_error(err)
            raise
        finally:
            self._ended(call, attempt)
            self.notify()

    def _ended(self, call: Call, attempt: Attempt) -> None:
        if call.ended is None:
            self.ledger.ended(
                call, dt_util.utcnow(), served=attempt.is_served, date=attempt.date
            )

    async def on_quota_error(self, err: QuotaExceededError) -> None:
        """Note that a quota is used up by the cloud's count, and save that."""
        is_possible = self.ledger.refused_by_cloud(
            dt_util.utcnow(),
            period=None if err.period is None else Period(err.period),
            period_start=err.period_start,
            period_end=err.period_end,
            limit=err.limit,
        )
        if self._was_possible and not is_possible:
            _LOGGER.warning(
                "Enphase refuses API calls (429) with a limit or a period that no plan"
                " has. They are ignored; one call tries again after a pause"
            )
        self._was_possible = is_possible
        await self.persistence.async_save()
        self.notify()

    def withheld_until(self, now: datetime) -> datetime | None:
        """Return until when no background call is allowed; None if one is."""
        refusal = self.ledger.refusal(now, purpose=Purpose.BACKGROUND)
        until = None if refusal is None else refusal.until
        moments = (self.persistence.failed_until, until)
        return max((at for at in moments if at is not None), default=None)

    def budget_left(self, now: datetime) -> BudgetLeft:
        """Return the calls that background work may use until the month ends."""
        period_end = self.ledger.period_end(now)
        days = (period_end - now) / timedelta(days=1)
        periodic = math.ceil(sum(self.periodic_calls.values()) * days)
        return BudgetLeft(
            calls_left=max(0, self.ledger.spendable(now) - periodic),
            polls=self.schedule.demand(now, period_end),
            period_end=period_end,
            calls_per_minute=self.ledger.plan.calls_per_minute,
        )

    def duration_of_history(self, now: datetime, *, more: int = 0) -> timedelta | None:
        """Return how long the import of history takes, with `more` calls in addition.

        None if no call is available for it.
        """
        budget_left = self.budget_left(now)
        end = budget_left.period_end + _MONTH
        limit = self.ledger.limit
        month = replace(
            budget_left,
            calls_left=limit - reserve(limit, _MONTH, elapsed=0),
            polls=self.schedule.demand(budget_left.period_end, end),
            period_end=end,
        )
        return self.backfill.duration(now, budget_left, month, more=more)

    def calls_for_polls(self, now: datetime) -> int:
        """Return how many calls polling may use until the month ends."""
        budget_left = self.budget_left(now)
        return budget_left.calls_left - self.backfill.claim(now, budget_left)

    @callback
    def async_add_listener(self, listener: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Call a listener after each change; return a function that removes it."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    @callback
    def notify(self) -> None:
        """Call the listeners, and save soon: losing these changes does no harm."""
        self.persistence.save_soon()
        self._call_listeners()
        self._await_renewal()

    async def async_close(self) -> None:
        """Cancel the reservation and save the true numbers."""
        if self._cancel_stop is not None:
            self._cancel_stop()
        await self._async_save_released()

    @callback
    def _await_renewal(self) -> None:
        """Call the listeners when calls become available, even if none was made."""
        now = dt_util.utcnow()
        renewal = self.ledger.blocked_until(now) or self.ledger.period_end(now)
        # A call may still end after the budget is closed.
        if renewal != self._renewal and not self._is_closed:
            self._forget_renewal()
            self._renewal = renewal
            # This machine's clock may be ahead of the cloud's.
            at = max(renewal, now + _SHORTEST_WAIT)
            self._cancel_renewal = async_track_point_in_utc_time(
                self._hass, self._async_renewed, at
            )

    @callback
    def _async_renewed(self, _now: datetime) -> None:
        self._renewal = self._cancel_renewal = None
        self.notify()

    @callback
    def _forget_renewal(self) -> None:
        if self._cancel_renewal is not None:
            self._cancel_renewal()
        self._renewal = self._cancel_renewal = None

    async def _async_stop(self, _event: Event) -> None:
        self._cancel_stop = None
        await self._async_save_released()

    async def _async_save_released(self) -> None:
        self._is_closed = True
        self._forget_renewal()
        self.ledger.release(dt_util.utcnow())
        await self.persistence.async_close()

    @callback
    def _call_listeners(self) -> None:
        for listener in tuple(self._listeners):
            try:
                listener()
            except Exception:
                # The call that changed the budget is made all the same.
                _LOGGER.exception("A listener of the budget failed")

    def _as_dict(self) -> dict[str, Any]:
        return {
            "ledger": self.ledger.as_dict(),
            "schedule": self.schedule.as_dict(),
            "backlog": self.backfill.as_dict(),
        }
