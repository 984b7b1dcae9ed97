"""What an error means for live data, decided once for all bursts."""

from typing import Final

from homeassistant.exceptions import HomeAssistantError

from .api import (
    ConnectionNotEstablishedError,
    EnphaseCloudError,
    ForbiddenError,
    GatewayOfflineError,
    InvalidClientError,
    InvalidGrantError,
    LiveStreamNotSupportedError,
    NotEntitledError,
    RequestWithheldError,
    ServiceUnreachableError,
    UnknownSystemError,
    UnsupportedGatewayError,
)
from .errors import translated

# What the plan or the user's rights lack: live data is switched off.
REFUSED: Final = (NotEntitledError, ForbiddenError)
# What the installation lacks: scheduled bursts end until a reload.
UNSUPPORTED: Final = (
    LiveStreamNotSupportedError,
    UnknownSystemError,
    UnsupportedGatewayError,
)
# What may be over in a moment: tried again a few times.
PASSING: Final = (
    ConnectionNotEstablishedError,
    GatewayOfflineError,
    ServiceUnreachableError,
)
# What nothing but a new sign-in helps against.
SIGNED_OUT: Final = (InvalidClientError, InvalidGrantError)


class StoppedError(EnphaseCloudError):
    """A burst was stopped before its first stream was open."""

    def __init__(self) -> None:
        """Say so."""
        super().__init__("It was stopped")


class NoStreamLeftError(EnphaseCloudError):
    """The user does not want to pay for another stream this month."""

    def __init__(self, limit: int) -> None:
        """Keep how many streams the user wants to pay for."""
        super().__init__("The live streams of this month are used up")
        self.limit = limit


def explained(err: EnphaseCloudError) -> HomeAssistantError:
    """Return an error for who asked for live data."""
    match err:
        case RequestWithheldError():
            return translated(HomeAssistantError, "budget_exhausted", until=err.until)
        case NoStreamLeftError():
            return translated(
                HomeAssistantError, "live_budget_used_up", limit=err.limit
            )
        case InvalidClientError() | InvalidGrantError():
            return translated(HomeAssistantError, "sign_in_again")
        case NotEntitledError() | ForbiddenError():
            return translated(HomeAssistantError, "live_not_entitled")
    return _not_possible(err)


def _not_possible(err: EnphaseCloudError) -> HomeAssistantError:
    """Return an error that tells what the system lacks, now or for good."""
    match err:
        case UnsupportedGatewayError():
            return translated(HomeAssistantError, "live_gateway_too_old")
        case LiveStreamNotSupportedError():
            return translated(HomeAssistantError, "live_needs_meters")
        case GatewayOfflineError():
            return translated(HomeAssistantError, "live_gateway_offline")
    return translated(HomeAssistantError, "live_failed", error=err)
