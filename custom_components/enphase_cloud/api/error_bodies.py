"""Error bodies of the cloud, which come in several shapes, to exceptions."""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
import json
import re
from typing import Any, Final, NamedTuple, Self

from .exceptions import (
    ApiError,
    ConnectionNotEstablishedError,
    ForbiddenError,
    GatewayOfflineError,
    InvalidApiKeyError,
    InvalidDurationError,
    InvalidRequestError,
    InvalidTokenError,
    LiveStreamNotSupportedError,
    MinuteQuotaError,
    MonthQuotaError,
    NoBatteryError,
    NotEntitledError,
    NotOfferedError,
    QuotaExceededError,
    ServerError,
    ServiceUnreachableError,
    UnknownSystemError,
    UnsupportedGatewayError,
)
from .models.convert import to_count, to_datetime, to_word
from .transport import HttpResponse, is_success

_ERRORS: Final[dict[int, type[ApiError]]] = {
    400: InvalidRequestError,
    403: ForbiddenError,
    404: UnknownSystemError,
    405: InvalidRequestError,
    422: InvalidRequestError,
    501: NotOfferedError,
}
_LIVE_ERRORS: Final[dict[int, type[ApiError]]] = {
    461: InvalidDurationError,
    462: InvalidDurationError,
    463: InvalidDurationError,
    466: UnsupportedGatewayError,
    468: UnknownSystemError,
    472: LiveStreamNotSupportedError,
    473: GatewayOfflineError,
    550: ServiceUnreachableError,
    551: ServiceUnreachableError,
    552: ConnectionNotEstablishedError,
}
_NAMED_CODES: Final[Mapping[str, int]] = {
    "NOT_AUTHENTICATED": 401,
    "UNAUTHORIZED": 401,
    "FORBIDDEN": 403,
    "TOO_MANY_REQUESTS": 429,
    "INVALID_DURATION": 461,
    "UNSUPPORTED_ENVOY": 466,
    "INVALID_SYSTEM_ID": 468,
    "LIVE_STREAM_NOT_SUPPORTED": 472,
    "IQ_GATEWAY_NOT_REPORTING": 473,
    "SERVICE_UNREACHABLE": 550,
    "CONNECTION_NOT_ESTABLISHED": 552,
}
_QUOTAS: Final[Mapping[str, type[QuotaExceededError]]] = {
    "minute": MinuteQuotaError,
    "month": MonthQuotaError,
}
_KEY_STATUSES: Final = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_KEY_MESSAGE: Final = re.compile(
    r"(missing|invalid|unknown|expired)\W{1,3}api[ _-]?key"
    r"|api[ _-]?key.{1,40}?"
    r"(missing|invalid|unknown|expired|required|mismatch|not (found|valid|recogni))"
)
# A longer text is not a message, but a document or a page.
_LONGEST_TEXT: Final = 4_000
_NO_BATTERY: Final = "have encharge"
# Serial numbers and system ids.
_IDENTIFIER: Final = re.compile(r"\S*\d{4}\S*")
_LONGEST_DETAILS: Final = 200
_NO_ACCESS: Final = "application is not authorized"


class ErrorBody(NamedTuple):
    """The content of an error body.

    `text` joins all its strings in lower case, to distinguish errors. Never show or log
    it: it may contain system ids and serial numbers.
    """

    code: int | None
    text: str
    fields: Mapping[str, Any]

    @classmethod
    def from_body(cls, body: bytes) -> Self:
        """Read a body: JSON or plain text. A page counts as empty."""
        try:
            document = json.loads(body)
        except ValueError, RecursionError:
            document = None if b"<" in body else body.decode(errors="replace")
        return cls.from_document(document)

    @classmethod
    def from_document(cls, document: object) -> Self:
        """Read a JSON document of any shape."""
        envelope = document if isinstance(document, Mapping) else {}
        inner = envelope.get("error")
        fields = {**envelope, **inner} if isinstance(inner, Mapping) else envelope
        codes = (_to_code(fields.get(name)) for name in ("code", "reason", "status"))
        return cls(
            code=next(filter(None, codes), None),
            text="\n".join(_strings(document))[:_LONGEST_TEXT].lower(),
            fields=fields,
        )

    @property
    def details(self) -> str | None:
        """Return why a request was invalid, with identifiers masked, for its user."""
        text = " ".join(_strings(self.fields.get("details")))[:_LONGEST_DETAILS]
        return _IDENTIFIER.sub("…", " ".join(text.split())) or None


def successful_body(
    operation: str, response: HttpResponse, *, is_write: bool = False
) -> bytes:
    """Return the body of a successful response; raise the ApiError of any other."""
    if response.is_success:
        return response.body
    body = ErrorBody.from_body(response.body)
    raise api_error(operation, response.status, body, is_write=is_write)


def api_error(
    operation: str, status: int, body: ErrorBody, *, is_write: bool = False
) -> ApiError:
    """Return the exception for a status and its body; for a write with its details.

    The HTTP status decides. The code of the body does so only if the status is a
    success, or if it is a code of live streams: these are unambiguous, and a proxy may
    have replaced the status.
    """
    if body.code is not None and (is_success(status) or body.code in _LIVE_ERRORS):
        status = body.code
    if status in _KEY_STATUSES and _KEY_MESSAGE.search(body.text):
        return InvalidApiKeyError(operation, status, mismatch="mismatch" in body.text)
    if status == HTTPStatus.UNAUTHORIZED:
        refused = NotEntitledError if _NO_ACCESS in body.text else InvalidTokenError
        return refused(operation, status)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return _quota_error(operation, body)
    if _ERRORS.get(status) is InvalidRequestError:
        invalid = NoBatteryError if _NO_BATTERY in body.text else InvalidRequestError
        details = body.details if is_write else None
        return invalid(operation, status, details=details)
    fallback = ServerError if status in range(500, 600) else ApiError
    error = (_ERRORS | _LIVE_ERRORS).get(status, fallback)
    return error(operation, status)


def _quota_error(operation: str, body: ErrorBody) -> QuotaExceededError:
    error = _QUOTAS.get(to_word(body.fields.get("period")), QuotaExceededError)
    return error(
        operation,
        period_start=to_datetime(body.fields.get("period_start")),
        period_end=to_datetime(body.fields.get("period_end")),
        limit=to_count(body.fields.get("limit")),
    )


def _to_code(value: object) -> int | None:
    """Return the error status that a number or a name stands for, else None."""
    if isinstance(value, str) and value in _NAMED_CODES:
        return _NAMED_CODES[value]
    code = to_count(value)
    return code if code in range(400, 600) else None


def _strings(document: object) -> Iterator[str]:
    """Yield every string of a JSON document, without its keys."""
    waiting = [document]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, Mapping):
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
