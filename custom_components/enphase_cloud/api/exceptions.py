"""The errors of the client.

Their texts may be logged: they have the operation, the status and words of this module.
They never repeat a text of the cloud, which may contain system ids and serial numbers.
"""

from datetime import datetime
from typing import ClassVar, Literal

from .stream_sample import StreamSample


class EnphaseCloudError(Exception):
    """Base of all errors of the client."""


class RequestWithheldError(EnphaseCloudError):
    """The gate refused a request: nothing was sent."""

    def __init__(self, *, until: datetime | None, reason: str) -> None:
        """Keep the reason, and the end of the refusal, None if it is unknown."""
        super().__init__(f"No request was sent: {reason}")
        self.until = until
        self.reason = reason


class EnphaseConnectionError(EnphaseCloudError):
    """The cloud could not be reached, or the connection broke."""

    def __init__(self, message: str = "The connection to the cloud failed") -> None:
        """Set the message."""
        super().__init__(message)


class EnphaseTimeoutError(EnphaseConnectionError):
    """The cloud did not respond in time, or a stream sent nothing for too long."""

    def __init__(self, message: str = "The cloud did not respond in time") -> None:
        """Set the message."""
        super().__init__(message)


class MalformedResponseError(EnphaseCloudError):
    """The response of the cloud is not what its specification describes."""


class UnreadableStreamError(MalformedResponseError):
    """A live stream ended without a readable frame.

    `sample` is its beginning with all values masked.
    """

    def __init__(self, sample: StreamSample) -> None:
        """Keep the sample."""
        super().__init__(
            f"The live stream had no readable frame ({sample.content_type})"
        )
        self.sample = sample


class ApiError(EnphaseCloudError):
    """The cloud refused an operation.

    `status` is the HTTP status, or the code of the body if that is more specific.
    """

    explanation: ClassVar[str] = "the cloud refused the request"

    def __init__(self, operation: str, status: int) -> None:
        """Keep the operation and the status."""
        super().__init__(f"{operation}: {self.explanation} (status {status})")
        self.operation = operation
        self.status = status


class InvalidTokenError(ApiError):
    """401: the access token was refused.

    The client renews the token itself and raises this only from an open stream.
    """

    explanation = "the access token was refused"


class InvalidApiKeyError(ApiError):
    """401 or 403 because of the API key.

    `mismatch` is True if key and token belong to different applications.
    """

    explanation = "the API key was refused"

    def __init__(self, operation: str, status: int, *, mismatch: bool) -> None:
        """Keep whether the key belongs to another application."""
        super().__init__(operation, status)
        self.mismatch = mismatch


class NotEntitledError(ApiError):
    """401 with a new access token: plan or access controls lack the operation."""

    explanation = "the application's plan or access controls do not include this"


class ForbiddenError(ApiError):
    """403: the user may not access this system."""

    explanation = "the user may not access this"


class UnknownSystemError(ApiError):
    """404 or 468: there is no such system, or no such device of it."""

    explanation = "the system or device does not exist"


class InvalidRequestError(ApiError):
    """400, 405 or 422: the request is invalid.

    `details` is why a write is, in words of the cloud with identifiers masked: show it
    to the user of the write, do not log it.
    """

    explanation = "the request is invalid"

    def __init__(
        self, operation: str, status: int, *, details: str | None = None
    ) -> None:
        """Keep the details, None if the cloud sends none."""
        super().__init__(operation, status)
        self.details = details


class NoBatteryError(InvalidRequestError):
    """422: the system has no batteries with settings."""

    explanation = "the system has no batteries"


class InvalidDurationError(InvalidRequestError):
    """461, 462 or 463: the duration of a live stream is not 30 to 300 seconds."""

    explanation = "the duration of the live stream is invalid"


class UnsupportedGatewayError(ApiError):
    """466: live data needs an active gateway with version 6.0.0 or above."""

    explanation = "the gateway is inactive or too old for live data"


class LiveStreamNotSupportedError(ApiError):
    """472: live data needs a production meter; with a battery, a consumption meter."""

    explanation = "the system lacks the meters that live data needs"


class GatewayOfflineError(ApiError):
    """473: the gateway does not report."""

    explanation = "the gateway is not reporting"


class ServerError(ApiError):
    """5xx: the cloud failed. A later request may succeed."""

    explanation = "the cloud failed"


class NotOfferedError(ServerError):
    """501: the cloud does not offer the operation, or not for this system."""

    explanation = "the cloud does not offer this operation"


class ServiceUnreachableError(ServerError):
    """550 or 551: the live service could not be reached."""

    explanation = "the live service is unreachable"


class ConnectionNotEstablishedError(ServerError):
    """552: the cloud could not connect to the gateway."""

    explanation = "the cloud could not connect to the gateway"


class QuotaExceededError(ApiError):
    """429: the application has used up a quota.

    `period`, its start and end, and `limit`, its number of calls, are None if the cloud
    does not report them.
    """

    explanation = "the application's quota is used up"
    period: ClassVar[Literal["minute", "month"] | None] = None

    def __init__(
        self,
        operation: str,
        status: int = 429,
        *,
        period_start: datetime | None = None,
        period_end: datetime | None = None,
        limit: int | None = None,
    ) -> None:
        """Keep the quota as the cloud reports it."""
        super().__init__(operation, status)
        self.period_start = period_start
        self.period_end = period_end
        self.limit = limit


class MinuteQuotaError(QuotaExceededError):
    """429: too many requests in this minute."""

    explanation = "the application's quota for this minute is used up"
    period = "minute"


class MonthQuotaError(QuotaExceededError):
    """429: too many requests in this month."""

    explanation = "the application's quota for this month is used up"
    period = "month"


class TokenRequestError(EnphaseCloudError):
    """The token endpoint refused a request for an unspecified reason."""

    explanation: ClassVar[str] = "The token request was refused"

    def __init__(self, status: int) -> None:
        """Keep the HTTP status."""
        super().__init__(f"{self.explanation} (status {status})")
        self.status = status


class InvalidClientError(TokenRequestError):
    """The cloud refused the client id or the client secret."""

    explanation = "The client id or client secret was refused"


class InvalidGrantError(TokenRequestError):
    """The code or refresh token has expired, is used or revoked: sign in again."""

    explanation = "The authorization code or refresh token is no longer valid"
