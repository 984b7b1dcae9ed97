"""The errors of the client.

Their texts are fit for a log: own words, an operation and a status. The cloud's words
are never repeated, for they name systems and serial numbers.
"""

from datetime import datetime
from typing import ClassVar, Literal

from .stream_sample import StreamSample


class EnphaseCloudError(Exception):
    """Anything that keeps the client from giving what it was asked for."""


class RequestWithheldError(EnphaseCloudError):
    """The gate refused an attempt: nothing was sent."""

    def __init__(self, *, until: datetime | None, reason: str) -> None:
        """Say why, and until when where that is known."""
        super().__init__(f"Nothing was asked of the cloud: {reason}")
        self.until = until
        self.reason = reason


class EnphaseConnectionError(EnphaseCloudError):
    """The cloud could not be reached, or the connection broke."""

    def __init__(self, message: str = "The connection to the cloud failed") -> None:
        """Say what failed."""
        super().__init__(message)


class EnphaseTimeoutError(EnphaseConnectionError):
    """The cloud did not answer in time, or a stream fell silent."""

    def __init__(self, message: str = "The cloud did not answer in time") -> None:
        """Say what took too long."""
        super().__init__(message)


class MalformedResponseError(EnphaseCloudError):
    """The cloud answered with something other than what it documents."""


class UnreadableStreamError(MalformedResponseError):
    """A live stream ended without a frame that could be read.

    `sample` is what may be shown of it.
    """

    def __init__(self, sample: StreamSample) -> None:
        """Keep what may be shown."""
        super().__init__(
            f"The live stream brought no readable frame ({sample.content_type})"
        )
        self.sample = sample


class ApiError(EnphaseCloudError):
    """The cloud refused an operation.

    `status` is the HTTP status, or the code of the body where that says more.
    """

    explanation: ClassVar[str] = "the cloud refused the request"

    def __init__(self, operation: str, status: int) -> None:
        """Name the operation and the status."""
        super().__init__(f"{operation}: {self.explanation} (status {status})")
        self.operation = operation
        self.status = status


class InvalidTokenError(ApiError):
    """401 that a new access token may cure.

    The client renews the token by itself, so this only escapes from within a stream
    that was open already.
    """

    explanation = "the access token was refused"


class InvalidApiKeyError(ApiError):
    """401 that names the API key.

    `mismatch` tells that the key is one of another application than the token.
    """

    explanation = "the API key was refused"

    def __init__(self, operation: str, status: int, *, mismatch: bool) -> None:
        """Say whether the key belongs to another application."""
        super().__init__(operation, status)
        self.mismatch = mismatch


class NotEntitledError(ApiError):
    """401 in spite of a new access token: the plan or access control lacks this."""

    explanation = "the application's plan or access controls do not include this"


class ForbiddenError(ApiError):
    """403: the user may not see this system."""

    explanation = "the user may not access this"


class UnknownSystemError(ApiError):
    """404 or 468: there is no such system."""

    explanation = "the cloud knows no such system"


class InvalidRequestError(ApiError):
    """400, 405 or 422: the request made no sense to the cloud.

    `details` is why a write did, in words of the cloud without numbers that may name
    somebody: for the user who wrote it, not for a log.
    """

    explanation = "the cloud found the request invalid"

    def __init__(
        self, operation: str, status: int, *, details: str | None = None
    ) -> None:
        """Keep why, where the cloud says so."""
        super().__init__(operation, status)
        self.details = details


class NoBatteryError(InvalidRequestError):
    """422: the system has no batteries whose settings could be told."""

    explanation = "the system has no batteries"


class InvalidDurationError(InvalidRequestError):
    """461, 462 or 463: a live stream lasts 30 to 300 seconds."""

    explanation = "a live stream cannot last that long or short"


class UnsupportedGatewayError(ApiError):
    """466: live data needs an active gateway with version 6.0.0 or above."""

    explanation = "the gateway is inactive or too old for live data"


class LiveStreamNotSupportedError(ApiError):
    """472: live data needs a production meter, with a battery a consumption meter."""

    explanation = "the system lacks the meters that live data needs"


class GatewayOfflineError(ApiError):
    """473: the gateway does not report."""

    explanation = "the gateway is not reporting"


class ServerError(ApiError):
    """5xx: the cloud failed. It may work later."""

    explanation = "the cloud failed"


class NotOfferedError(ServerError):
    """501: the cloud does not offer this, at least not for this system."""

    explanation = "the cloud does not offer this"


class ServiceUnreachableError(ServerError):
    """550 or 551: the live service could not be reached."""

    explanation = "the live service is unreachable"


class ConnectionNotEstablishedError(ServerError):
    """552: the cloud could not connect to the gateway."""

    explanation = "the cloud could not connect to the gateway"


class QuotaExceededError(ApiError):
    """429: the application has used up a quota.

    The cloud may keep to itself which `period` it counted, when that began and ends,
    and what its limit is.
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
        """Keep what the cloud told about the quota."""
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
    """The token endpoint refused a request, without blaming client or grant."""

    explanation: ClassVar[str] = "The token request was refused"

    def __init__(self, status: int) -> None:
        """Name the status."""
        super().__init__(f"{self.explanation} (status {status})")
        self.status = status


class InvalidClientError(TokenRequestError):
    """The cloud refused the client id or the client secret."""

    explanation = "The client id or client secret was refused"


class InvalidGrantError(TokenRequestError):
    """The code or refresh token is expired, used or revoked: sign in again."""

    explanation = "The authorization code or refresh token is no longer valid"
