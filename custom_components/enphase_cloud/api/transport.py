"""One HTTP exchange: sent once, limited in size, with errors that leak no secret."""

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

# 1,000 systems take about half of it. Parsing a larger JSON document would block the
# event loop too long.
DOCUMENT_LIMIT: Final = 1024 * 1024
ERROR_LIMIT: Final = 64 * 1024

_decode: Final = json.JSONDecoder().decode


class HttpResponse(NamedTuple):
    """A status and its body; the body of an error is empty if it was not readable.

    `date` is the time of the cloud: the header `Date` of RFC 9110.
    """

    status: int
    body: bytes
    date: datetime | None = None

    @property
    def is_success(self) -> bool:
        """Return whether the body is the requested document."""
        return is_success(self.status)


def is_success(status: int) -> bool:
    """Return whether a status means success."""
    return status in range(200, 300)


def secure_url(url: URL | str) -> URL:
    """Return a URL to which credentials may be sent.

    Raises ValueError if it is neither https nor on this machine.
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
    """Send a request and read the whole response.

    Raises EnphaseTimeoutError, EnphaseConnectionError, and MalformedResponseError if
    the response redirects or is too long.
    """
    return await guarded(_exchange(session, method, url, **options))


async def _exchange(
    session: ClientSession, method: str, url: URL, **options: Any
) -> HttpResponse:
    async with session.request(method, url, **SENT_ONCE, **options) as response:
        return await read_response(response)


async def guarded[ResultT](work: Awaitable[ResultT]) -> ResultT:
    """Await work of aiohttp, and raise errors of the client in place of its errors.

    Errors of aiohttp contain headers and URLs, so they must not even be the context of
    an error: it is raised outside of the handlers.
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
    """Read a whole response; the body of an error is best effort."""
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
    """Return the header `Date` of a response, None if it is missing or unreadable."""
    try:
        date = parsedate_to_datetime(response.headers[hdrs.DATE])
    except LookupError, OverflowError, TypeError, ValueError:
        return None
    # RFC 9110: UTC. A naive time would count as local time of this machine.
    return date if date.tzinfo is not None else date.replace(tzinfo=UTC)


async def _read(response: ClientResponse, limit: int) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > limit:
            raise MalformedResponseError("The response is too long")
        # Buffered or decompressed chunks do not yield to other tasks.
        await asyncio.sleep(0)
    return bytes(body)


def parse_json(text: bytes | str) -> Any:
    """Return a JSON document, or raise MalformedResponseError."""
    try:
        return _decode(text) if isinstance(text, str) else json.loads(text)
    except ValueError, RecursionError:
        pass
    raise MalformedResponseError("The response is not JSON")


def parse_object(text: bytes | str) -> Mapping[str, Any]:
    """Return a JSON object, or raise MalformedResponseError."""
    return to_object(parse_json(text))


async def _send_once(
    request: ClientRequest, handler: ClientHandlerType
) -> ClientResponse:
    """Keep aiohttp from repeating a GET, past the gate, when the connection drops.

    It repeats on the errors caught here, but not on a ClientConnectionError.
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
"""Options of every request: no redirect may get credentials, and it is sent once."""
