"""The token endpoint of the cloud's OAuth2 server."""

from base64 import b64encode
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote_plus

from aiohttp import ClientSession, ClientTimeout
from yarl import URL

from .endpoints import TOKEN
from .error_bodies import ErrorBody, api_error
from .exceptions import (
    ApiError,
    InvalidClientError,
    InvalidGrantError,
    MalformedResponseError,
    TokenRequestError,
)
from .models.convert import to_count, to_text, to_word
from .transport import HttpResponse, exchange, parse_object, secure_url

_TIMEOUT: Final = ClientTimeout(total=30)
_DOCUMENTED_LIFETIME: Final = 86_400
# A shorter lifetime would cost a renewal with each call: the token is then used until
# it is refused. With a longer one the refresh token, valid for 30 days, could expire.
_SHORTEST_LIFETIME: Final = 600
_GRANT_ERRORS: Final = {"invalid_grant", "invalid_token"}
_CLIENT_ERRORS: Final = {"invalid_client", "unauthorized_client"}


async def request_token(
    session: ClientSession,
    token_url: URL | str,
    *,
    client_id: str,
    client_secret: str,
    parameters: Mapping[str, str],
) -> dict[str, Any]:
    """Request a token and return the token document.

    It has `access_token`, `token_type`, `expires_in` in seconds (at least 10 minutes,
    at most a day), usually a new `refresh_token` that replaces the used one, and
    `enl_uid`, the id of the account. The request authenticates the client by HTTP Basic
    and has the parameters in its body.

    Raises InvalidGrantError if the user has to sign in again, InvalidClientError if the
    credentials of the application are wrong, TokenRequestError for other refusals;
    QuotaExceededError, ServerError, EnphaseConnectionError, EnphaseTimeoutError and
    MalformedResponseError if a later request may succeed; and ValueError if the URL is
    neither https nor on this machine.
    """
    response = await exchange(
        session,
        "POST",
        secure_url(token_url),
        data=dict(parameters),
        headers={
            "Accept": "application/json",
            "Authorization": _basic(client_id, client_secret),
        },
        timeout=_TIMEOUT,
    )
    return token_of(response)


def token_of(response: HttpResponse) -> dict[str, Any]:
    """Return the token document of a response, or raise its error."""
    if not response.is_success:
        raise _refusal(response.status, ErrorBody.from_body(response.body))
    return _token(parse_object(response.body))


def _basic(client_id: str, client_secret: str) -> str:
    """Return HTTP Basic credentials, form-encoded first (RFC 6749, 2.3.1)."""
    credentials = f"{quote_plus(client_id)}:{quote_plus(client_secret)}"
    return f"Basic {b64encode(credentials.encode()).decode()}"


def _refusal(status: int, body: ErrorBody) -> ApiError | TokenRequestError:
    """Return the error of a refusal (RFC 6749, 5.2, and the codes of Spring)."""
    if status == HTTPStatus.TOO_MANY_REQUESTS or status in range(500, 600):
        return api_error(TOKEN, status, body)
    error = to_word(body.fields.get("error"))
    if error in _GRANT_ERRORS:
        return InvalidGrantError(status)
    if error in _CLIENT_ERRORS or status == HTTPStatus.UNAUTHORIZED:
        return InvalidClientError(status)
    return TokenRequestError(status)


def _token(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document, with defaults for missing or invalid members.

    The old refresh token may be invalid by now, so only a missing access token makes
    the document unusable.
    """
    token = dict(document)
    if not _is_credential(token.get("access_token")):
        raise MalformedResponseError("The response has no access token")
    if not _is_credential(token.get("refresh_token")):
        token.pop("refresh_token", None)
    lifetime = to_count(token.get("expires_in")) or _DOCUMENTED_LIFETIME
    token["expires_in"] = min(max(_SHORTEST_LIFETIME, lifetime), _DOCUMENTED_LIFETIME)
    token["token_type"] = to_text(token.get("token_type")) or "bearer"
    return token


def _is_credential(value: object) -> bool:
    """Return whether a value can be sent as a token (RFC 6749, A.12 and A.17)."""
    return (
        isinstance(value, str)
        and value != ""
        and value.isascii()
        and value.isprintable()
    )
