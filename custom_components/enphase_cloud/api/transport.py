"""One HTTP exchange: sent once, read within limits, failing without leaking."""

import asyncio
from collections.abc import Awaitable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
import json
from typing import Any, Final, NamedTuple

from aiohttp import (
    ClientConnectionError,
    ClientError,
    ClientHandlerType,
    ClientOSError,
    ClientRequest,
    ClientResponse,
    ClientSession,
    ServerDisconnectedError,
    hdrs,
)
from yarl import URL

from .exceptions import (
    EnphaseConnectionError,
    EnphaseTimeoutError,
    MalformedResponseError,
)
from .models.convert import to_object

# 1,000 systems take about half of it. A JSON document is read in one go, which must
# not keep the event loop waiting.
DOCUMENT_LIMIT: Final = 1024 * 1024
ERROR_LIMIT: Final = 64 * 1024

_decode: Final = json.JSONDecoder().decode


class HttpResponse(NamedTuple):
    """A status and its body; an error's body may be empty though the cloud sent one.

    `date` is the cloud's time, which RFC 9110 has each response tell.
    """

    status: int
    body: bytes
    date: datetime | None = None

    @property
    def is_success(self) -> bool:
        """Tell whether the body is what was asked for."""
        return is_success(self.status)


def is_success(status: int) -> bool:
    """Tell whether a status says that a request succeeded."""
    return status in range(200, 300)


def secure_url(url: URL | str) -> URL:
    """Return a URL that credentials may be sent to.

    Raises ValueError where it is neither https nor on this machine.
    """
    url = URL(url)
    host = url.host or ""
    if (host and url.scheme == "https") or (
        url.scheme == "http" and _is_loopback(host)
    ):
        return url
    raise ValueError("Credentials are only sent over https")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


async def exchange(
    session: ClientSession, method: str, url: URL, **options: Any
) -> HttpResponse:
    """Send a request and read the response whole.

    Raises EnphaseTimeoutError, EnphaseConnectionError, and MalformedResponseError where
    the response redirects or is too long.
    """
    return await guarded(_exchange(session, method, url, **options))


async def _exchange(
    session: ClientSession, method: str, url: URL, **options: Any
) -> HttpResponse:
    async with session.request(method, url, **SENT_ONCE, **options) as response:
        return await read_response(response)


async def guarded[ResultT](work: Awaitable[ResultT]) -> ResultT:
    """Await what aiohttp does, turning its errors into the client's.

    Its errors hold headers and URLs, so they must not even be the context of ours:
    these are raised outside the handlers.
    """
    failure: EnphaseConnectionError
    try:
        return await work
    except TimeoutError:
        failure = EnphaseTimeoutError()
    except ClientError, OSError:
        failure = EnphaseConnectionError()
    raise failure


async def read_response(response: ClientResponse) -> HttpResponse:
    """Read a response whole, of an error only what can be had."""
    status, date = response.status, date_of(response)
    if status in range(300, 400):
        raise MalformedResponseError(f"The cloud redirects (status {status})")
    if is_success(status):
        return HttpResponse(status, await _read(response, DOCUMENT_LIMIT), date)
    try:
        return HttpResponse(status, await _read(response, ERROR_LIMIT), date)
    except ClientError, OSError, MalformedResponseError:
        return HttpResponse(status, b"", date)


def date_of(response: ClientResponse) -> datetime | None:
    """Return the `Date` of an response, None where it has none that can be read."""
    try:
        date = parsedate_to_datetime(response.headers[hdrs.DATE])
    except LookupError, OverflowError, TypeError, ValueError:
        return None
    # Without a zone it would be taken for this machine's.
    return date if date.tzinfo is not None else date.replace(tzinfo=UTC)


async def _read(response: ClientResponse, limit: int) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > limit:
            raise MalformedResponseError("The response is too long")
        # More may be there already, most of all where a little was decompressed.
        await asyncio.sleep(0)
    return bytes(body)


def parse_json(text: bytes | str) -> Any:
    """Return a JSON document, or raise MalformedResponseError."""
    try:
        return _decode(text) if isinstance(text, str) else json.loads(text)
    except ValueError, RecursionError:
        pass
    raise MalformedResponseError("The response is no JSON")


def parse_object(text: bytes | str) -> Mapping[str, Any]:
    """Return a JSON object, or raise MalformedResponseError."""
    return to_object(parse_json(text))


async def _send_once(
    request: ClientRequest, handler: ClientHandlerType
) -> ClientResponse:
    """Keep aiohttp from sending a request again when the connection drops.

    It does so for every GET, past the gate; but not on this error.
    """
    try:
        return await handler(request)
    except ClientOSError, ServerDisconnectedError:
        pass
    raise ClientConnectionError


SENT_ONCE: Final[Mapping[str, Any]] = {
    "allow_redirects": False,
    "middlewares": (_send_once,),
    "raise_for_status": False,
}
"""Options of every request: credentials do not travel, and it leaves once."""
