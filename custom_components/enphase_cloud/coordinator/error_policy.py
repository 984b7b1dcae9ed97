"""Maps each error of the client to its consequence and the message for the user."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from enum import StrEnum
import logging
from pathlib import Path
import traceback
from typing import Final, NamedTuple

from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util

from ..api import (
    ConnectionNotEstablishedError,
    EnphaseCloudError,
    EnphaseConnectionError,
    EnphaseTimeoutError,
    ForbiddenError,
    GatewayOfflineError,
    InvalidApiKeyError,
    InvalidClientError,
    InvalidGrantError,
    InvalidRequestError,
    LiveStreamNotSupportedError,
    MalformedResponseError,
    NotEntitledError,
    QuotaExceededError,
    RequestWithheldError,
    ServerError,
    ServiceUnreachableError,
    StreamSample,
    UnknownSystemError,
    UnreadableStreamError,
    UnsupportedGatewayError,
)
from ..api.access import Access
from ..api.endpoints import LIVE_DATA
from ..documents.base import Group
from ..documents.table import DOCUMENTS
from ..energy.flows import ENERGY_SOURCES
from ..errors import translated
from ..measurements.catalog import Source
from ..quota.ledger import Purpose
from ..quota.plans import PLANS
from ..runtime.oauth import RenewalPausedError
from ..runtime.persistence import StorageFailedError
from ..runtime.storage import Refusal
from .base import SystemContext
from .live_errors import NoStreamLeftError, StoppedError

_LOGGER = logging.getLogger(__name__)

_SHOWN_FRAMES: Final = 3


class UnforeseenError(EnphaseCloudError):
    """An exception of our own code; its text may contain secrets and is dropped."""

    def __init__(self, err: Exception) -> None:
        """Keep the type of the exception, and where it was raised."""
        frames = traceback.extract_tb(err.__traceback__)[-_SHOWN_FRAMES:]
        places = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames]
        super().__init__(f"Unforeseen {type(err).__name__} at {' > '.join(places)}")


class Consequence(StrEnum):
    """What the integration does after an error."""

    WAIT = "wait"
    """Nothing was sent: wait until the budget allows it."""
    WAIT_FOR_QUOTA = "wait_for_quota"
    """Keep the values, and wait until the cloud accepts calls again."""
    RETRY = "retry"
    """Try again within seconds, a few times."""
    BACK_OFF = "back_off"
    """Try again, with a pause that grows with each failure."""
    SKIP = "skip"
    """Back off, and give up the request after a few attempts."""
    REFUSE_DOCUMENT = "refuse_document"
    """Stop requesting the document: the application lacks its access control."""
    FORBID_SYSTEM = "forbid_system"
    """Stop requesting the document: the account has no access to the system."""
    UNKNOWN_SYSTEM = "unknown_system"
    """The cloud has no such system, or no longer."""
    UNSUPPORTED = "unsupported"
    """Stop until a reload: the installation does not support it."""
    STOP_STREAMS = "stop_streams"
    """Stop paid scheduled streams until one that the user starts can be read."""
    REFUSE_KEY = "refuse_key"
    """Start reauthentication if the document is indispensable; else back off."""
    REAUTH = "reauth"
    """Start reauthentication."""


class ErrorPolicy(NamedTuple):
    """One row of the table.

    `message` is a key of the translated exceptions, `reason` one of the errors and
    aborts of the config flow.
    """

    consequence: Consequence
    message: str = "update_failed"
    reason: str = "request_refused"


# The first row whose class matches applies.
ERROR_POLICIES: Final[Mapping[type[EnphaseCloudError], ErrorPolicy]] = {
    StorageFailedError: ErrorPolicy(
        Consequence.WAIT, "storage_failed", "storage_failed"
    ),
    RequestWithheldError: ErrorPolicy(
        Consequence.WAIT, "budget_exhausted", "budget_exhausted"
    ),
    NoStreamLeftError: ErrorPolicy(Consequence.WAIT, "live_budget_used_up"),
    StoppedError: ErrorPolicy(Consequence.WAIT, "live_stopped"),
    QuotaExceededError: ErrorPolicy(
        Consequence.WAIT_FOR_QUOTA, reason="quota_exceeded"
    ),
    InvalidClientError: ErrorPolicy(
        Consequence.REAUTH, "sign_in_again", "invalid_client"
    ),
    InvalidGrantError: ErrorPolicy(Consequence.REAUTH, "sign_in_again", "code_expired"),
    InvalidApiKeyError: ErrorPolicy(
        Consequence.REFUSE_KEY, "api_key_refused", "api_key_refused"
    ),
    NotEntitledError: ErrorPolicy(
        Consequence.REFUSE_DOCUMENT, "not_entitled", "api_key_refused"
    ),
    ForbiddenError: ErrorPolicy(Consequence.FORBID_SYSTEM, "forbidden", "forbidden"),
    UnknownSystemError: ErrorPolicy(Consequence.UNKNOWN_SYSTEM),
    UnsupportedGatewayError: ErrorPolicy(
        Consequence.UNSUPPORTED, "live_gateway_too_old"
    ),
    LiveStreamNotSupportedError: ErrorPolicy(
        Consequence.UNSUPPORTED, "live_needs_meters"
    ),
    GatewayOfflineError: ErrorPolicy(Consequence.RETRY, "live_gateway_offline"),
    ConnectionNotEstablishedError: ErrorPolicy(
        Consequence.RETRY, reason="server_error"
    ),
    ServiceUnreachableError: ErrorPolicy(Consequence.RETRY, reason="server_error"),
    InvalidRequestError: ErrorPolicy(Consequence.SKIP),
    UnreadableStreamError: ErrorPolicy(
        Consequence.STOP_STREAMS, "live_unreadable", "malformed_answer"
    ),
    MalformedResponseError: ErrorPolicy(Consequence.SKIP, reason="malformed_answer"),
    RenewalPausedError: ErrorPolicy(Consequence.BACK_OFF, "renewal_paused"),
    EnphaseTimeoutError: ErrorPolicy(Consequence.BACK_OFF, reason="timeout"),
    EnphaseConnectionError: ErrorPolicy(Consequence.BACK_OFF, reason="cannot_connect"),
    ServerError: ErrorPolicy(Consequence.BACK_OFF, reason="server_error"),
    EnphaseCloudError: ErrorPolicy(Consequence.BACK_OFF),
}

REFUSALS: Final[Mapping[Consequence, Refusal]] = {
    Consequence.REFUSE_DOCUMENT: Refusal.NOT_ENTITLED,
    Consequence.FORBID_SYSTEM: Refusal.FORBIDDEN,
}

# What the operations of each source need (the tags of the official specification).
ACCESS_CONTROLS: Final[Mapping[Source, Access]] = {
    **{row.source: row.endpoint.access for row in DOCUMENTS},
    Source.LIVE: LIVE_DATA.access,
    **{row.source: row.days.access for row in ENERGY_SOURCES.values()},
}

# All settings need the same access control, so a refusal of one applies to all.
_SETTINGS: Final = tuple(row.source for row in DOCUMENTS if row.group is Group.SETTINGS)


@contextmanager
def foreseen() -> Generator[None]:
    """Convert any exception that is no EnphaseCloudError into an UnforeseenError.

    So each failure has a row in the table, and a pause before the next attempt.
    """
    failure: UnforeseenError
    try:
        yield
    except EnphaseCloudError:
        raise
    except Exception as err:  # noqa: BLE001  # nothing may become a hot loop
        failure = UnforeseenError(err)
    else:
        return
    _LOGGER.error("%s. Please report this", failure)
    raise failure


class Outage:
    """Logs once when something becomes unavailable, and once when it is back."""

    def __init__(self, what: str) -> None:
        """Begin as available; `what` is its name in the log."""
        self._what = what
        self._lasts = False

    def begin(self, err: EnphaseCloudError) -> None:
        """Note that it is unavailable."""
        if not self._lasts:
            _LOGGER.info("%s: unavailable for now: %s", self._what, err)
        self._lasts = True

    def end(self) -> None:
        """Note that it is available."""
        if self._lasts:
            _LOGGER.info("%s: available again", self._what)
        self._lasts = False


def error_policy(err: EnphaseCloudError) -> ErrorPolicy:
    """Return the row of the table for an error."""
    return next(
        policy for kind, policy in ERROR_POLICIES.items() if isinstance(err, kind)
    )


def explained[ErrorT: HomeAssistantError](
    kind: type[ErrorT], err: EnphaseCloudError, source: Source
) -> ErrorT:
    """Return the translated exception for an error of a source."""
    sample: StreamSample | None = getattr(err, "sample", None)
    return translated(
        kind,
        error_policy(err).message,
        error=err,
        until=getattr(err, "until", None),
        limit=getattr(err, "limit", None),
        content_type=sample and sample.content_type,
        beginning=sample and sample.beginning,
        **_remedy(source),
    )


def refused(refusal: Refusal, source: Source) -> HomeAssistantError:
    """Return the translated exception for a source that the cloud refuses."""
    return translated(HomeAssistantError, refusal, **_remedy(source))


def as_refusal(err: EnphaseCloudError, source: Source) -> EnphaseCloudError:
    """Return the error to handle for an error of a source.

    A 403 of settings reportedly means what a 401 does: no access control.
    """
    if isinstance(err, ForbiddenError) and source in _SETTINGS:
        return NotEntitledError(err.operation, err.status)
    return err


def raise_if_refused(context: SystemContext, source: Source) -> None:
    """Raise HomeAssistantError where a request of the user cannot succeed.

    The cloud hides the system or refuses the source, or no call is left.
    """
    store = context.store
    if store.hidden is not None:
        until = store.hidden.until
        raise translated(HomeAssistantError, "system_not_visible", until=until)
    if (refusal := store.refusals.get(source)) is not None:
        raise refused(refusal, source)
    if (withheld := _withheld(context)) is not None:
        raise withheld


def explained_to_user(
    context: SystemContext, err: EnphaseCloudError, source: Source
) -> HomeAssistantError:
    """Return the translated exception for an error of a user's own request.

    After a refusal for quota it says when calls are left again.
    """
    withheld = _withheld(context) if isinstance(err, QuotaExceededError) else None
    return withheld or explained(HomeAssistantError, err, source)


def _withheld(context: SystemContext) -> HomeAssistantError | None:
    """Return the translated exception where no call is left for the user."""
    ledger = context.shared.budget.ledger
    withheld = ledger.refusal(dt_util.utcnow(), purpose=Purpose.USER)
    if withheld is None:
        return None
    return translated(HomeAssistantError, "budget_exhausted", until=withheld.until)


def _remedy(source: Source) -> Mapping[str, str]:
    access_control = ACCESS_CONTROLS[source]
    return {
        "access_control": access_control,
        "plan": smallest_plan(access_control),
    }


def smallest_plan(access_control: Access) -> str:
    """Return the name of the smallest plan that includes an access control."""
    plans = (plan.key for plan in PLANS.values() if access_control in plan.access)
    return next(plans).capitalize()


def refuse(context: SystemContext, source: Source, err: EnphaseCloudError) -> None:
    """Stop requesting a source that the cloud refuses, and log why."""
    refusal = REFUSALS[error_policy(err).consequence]
    if refusal is Refusal.FORBIDDEN:
        _LOGGER.warning(
            "The Enphase account may not see %s of this system; it is not requested"
            " again (%s)",
            source,
            err,
        )
    else:
        _LOGGER.warning(
            "The API key is not entitled to %s: the access control %r is missing, or"
            " the plan does not include it; it is not requested again (%s)",
            source,
            str(ACCESS_CONTROLS[source]),
            err,
        )
    for each in _SETTINGS if source in _SETTINGS else (source,):
        context.store.refuse(each, refusal)
    if source in _SETTINGS:
        context.store.settings.refuse(dt_util.utcnow())
    context.shared.budget.notify()
