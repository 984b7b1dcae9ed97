"""Refusals with the texts and formats of the official specification."""

from collections.abc import Mapping
from datetime import UTC, datetime

_MESSAGES = {
    400: "Bad request",
    401: "Not Authorized",
    403: "Forbidden",
    404: "Not Found",
    422: "Unprocessable Entity",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
_DETAILS = {
    401: "User is not authorized",
    403: "Not authorized to access this resource",
    500: "unable to fetch data",
}
_REASONS = {405: "Method not allowed", 501: "Not Implemented"}

_LIVE = {
    401: ("authentication_error", "UNAUTHORIZED", "Access token is invalid"),
    403: ("authorization_error", "FORBIDDEN", "User is not authorized"),
    429: ("request_exceeded_error", "TOO_MANY_REQUESTS", "Too Many Requests"),
    461: ("validation_error", "INVALID_DURATION", "Duration cannot be less than 30"),
    462: (
        "validation_error",
        "INVALID_DURATION",
        "Duration cannot be greater than 300",
    ),
    463: ("validation_error", "INVALID_DURATION", "Duration must be an integer"),
    466: (
        "validation_error",
        "UNSUPPORTED_ENVOY",
        "Envoy must be active and envoy version must be at least 6.0.0",
    ),
    468: ("validation_error", "INVALID_SYSTEM_ID", "System ID doesn't exist"),
    472: (
        "validation_error",
        "LIVE_STREAM_NOT_SUPPORTED",
        "The system doesn\u2019t support live stream",
    ),
    473: (
        "site_connectivity_error",
        "IQ_GATEWAY_NOT_REPORTING",
        "IQ gateway is not reporting",
    ),
    550: (
        "server_error",
        "SERVICE_UNREACHABLE",
        "Service unreachable, please try again",
    ),
    551: (
        "server_error",
        "SERVICE_UNREACHABLE",
        "Service unreachable, please try again",
    ),
    552: (
        "server_error",
        "CONNECTION_NOT_ESTABLISHED",
        "Unable to connect, please try again",
    ),
}
_LIVE_OTHER = ("server_error", "SERVICE_UNREACHABLE", "Internal Server Error")


class RefusalError(Exception):
    """A request is refused with an error response.

    `live` has status and message of the body of `live_data`, `extra` further fields of
    the body of all other operations.
    """

    def __init__(
        self,
        status: int,
        details: str | None = None,
        *,
        live: tuple[str, str] | None = None,
        extra: Mapping[str, object] | None = None,
    ) -> None:
        """Use the documented details of an HTTP status unless others are given."""
        super().__init__(status, details)
        self.status = status
        self.details = details or _DETAILS.get(status, "Unknown")
        self.live = live
        self.extra = extra or {}

    def body(self, *, details: bool = True) -> dict[str, object]:
        """Return the body of all operations but `live_data`.

        Without `details` it lacks the fields of `extra`.
        """
        if reason := _REASONS.get(self.status):
            return {"reason": str(self.status), "message": [reason]}
        return {
            "message": _MESSAGES.get(self.status, "Error"),
            "details": self.details,
            "code": self.status,
            **(self.extra if details else {}),
        }

    def live_body(self, now: datetime) -> dict[str, object]:
        """Return the body of `live_data`."""
        kind, status, message = _LIVE.get(self.status, _LIVE_OTHER)
        if self.live is not None:
            status, message = self.live
        error = {
            "code": self.status,
            "details": [{}],
            "message": message,
            "status": status,
        }
        return {"error": error, **timestamps(now), "type": kind}


def timestamps(moment: datetime) -> dict[str, object]:
    """Return the fields of a moment in `live_data`."""
    text = moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    return {
        "timestamp_epoch": int(moment.timestamp() * 1000),
        "timestamp_utc": text,
    }
