"""The client of the Monitoring API v4: get, put, post, pages and stream."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final, Protocol

from aiohttp import ClientSession, ClientTimeout
from yarl import URL

from .auth import AbstractAuth
from .endpoints import LIVE_DATA, Endpoint
from .error_bodies import successful_body
from .exceptions import InvalidTokenError, NotEntitledError, QuotaExceededError
from .live_stream import LiveStream, open_stream
from .transport import SENT_ONCE, date_of, exchange, guarded, parse_json, secure_url

_TIMEOUT: Final = ClientTimeout(total=30)
_STREAM_CONNECT_SECONDS: Final = 10
_STREAM_IDLE_SECONDS: Final = 45
_STREAM_OVERTIME_SECONDS: Final = 60
_MOST_PAGES: Final = 100
NO_QUERY: Final[Mapping[str, str | int]] = {}


class Page[ItemT](Protocol):
    """One page of a list, as `EnphaseCloudClient.pages` reads it."""

    @property
    def listed(self) -> int:
        """Return the number of entries on the page, readable or not."""

    @property
    def total(self) -> int | None:
        """Return the number of entries on all pages, None if it is unknown."""

    @property
    def by_id(self) -> Mapping[Any, ItemT]:
        """Return the readable items by id."""


class Attempt(Protocol):
    """One request, from before it is sent until its response arrives."""

    def on_response(self, status: int, date: datetime | None) -> None:
        """Receive the HTTP status and the `Date` of the response, None if missing."""


class Gate(Protocol):
    """Permits and counts requests, and receives their responses and errors."""

    def attempt(self, operation: str) -> AbstractAsyncContextManager[Attempt]:
        """Return the context manager of one request.

        Entering it counts the request, which is sent at once, or raises
        RequestWithheldError. An error of the request passes through its exit. For a
        stream, the context ends when the stream is open; later errors do not reach it.
        """

    async def on_quota_error(self, err: QuotaExceededError) -> None:
        """Receive the quota error that ended an open stream."""


class EnphaseCloudClient:
    """Sends requests for one user of one developer application.

    Besides the errors that it documents, every method raises RequestWithheldError if
    the gate refuses; EnphaseConnectionError and EnphaseTimeoutError;
    MalformedResponseError; InvalidApiKeyError, NotEntitledError, QuotaExceededError,
    ServerError and other kinds of ApiError; and all errors of `auth`. A request is
    repeated only once, with a new access token after the cloud refused the old one.
    """

    def __init__(
        self,
        session: ClientSession,
        auth: AbstractAuth,
        api_key: str,
        gate: Gate,
        *,
        url: URL | str,
    ) -> None:
        """Use the API key of an application and the access tokens of `auth`.

        Raises ValueError if the URL is neither https nor on this machine, or if the key
        contains characters that a header cannot.
        """
        if not api_key.isprintable():
            raise ValueError("The API key contains control characters")
        self._session = session
        self._auth = auth
        self._api_key = api_key
        self._gate = gate
        self._url = secure_url(url) / "api" / "v4" / "systems"

    async def get[DocumentT](
        self,
        endpoint: Endpoint[DocumentT],
        *,
        query: Mapping[str, str | int] = NO_QUERY,
        **parameters: int | str,
    ) -> DocumentT:
        """Return the document of an endpoint; `parameters` fill in its path.

        Raises UnknownSystemError, ForbiddenError and InvalidRequestError.
        """
        return await self._request(endpoint, query=query, parameters=parameters)

    async def put[DocumentT](
        self,
        endpoint: Endpoint[DocumentT],
        body: Mapping[str, Any],
        **parameters: int | str,
    ) -> DocumentT:
        """Write settings, and return the settings of the response.

        Raises UnknownSystemError, ForbiddenError and InvalidRequestError.
        """
        return await self._request(endpoint, body=body, parameters=parameters)

    async def post[DocumentT](
        self,
        endpoint: Endpoint[DocumentT],
        body: Mapping[str, Any] | None = None,
        **parameters: int | str,
    ) -> DocumentT:
        """Start an operation, and return the document of the response.

        Raises UnknownSystemError, ForbiddenError and InvalidRequestError.
        """
        return await self._request(endpoint, body=body, parameters=parameters)

    async def pages[ItemT](
        self,
        endpoint: Endpoint[Page[ItemT]],
        *,
        query: Mapping[str, str | int] = NO_QUERY,
        wanted: Iterable[Any] | None = None,
        **parameters: int | str,
    ) -> list[ItemT]:
        """Return the items of all pages; each page is an API call.

        Stops when all items or all with the `wanted` ids are read, when a page has no
        new item, or after 100 pages.
        """
        items: dict[Any, ItemT] = {}
        missing = None if wanted is None else set(wanted)
        listed = 0
        for number in range(1, _MOST_PAGES + 1):
            page = await self._request(
                endpoint,
                query={"page": number, "size": endpoint.page_size or 1, **query},
                parameters=parameters,
            )
            known = len(items)
            items |= page.by_id
            listed += page.listed
            is_last = (
                page.listed < (endpoint.page_size or 1)
                if page.total is None
                else listed >= page.total
            )
            has_wanted = missing is not None and missing <= items.keys()
            if is_last or has_wanted or len(items) == known:
                break
        return list(items.values())

    @asynccontextmanager
    async def stream(
        self, system_id: int, *, duration: int
    ) -> AsyncGenerator[LiveStream]:
        """Open a stream of live data (GET /systems/{id}/live_data).

        `duration` is 30 to 300 seconds; Enphase bills each stream. Entering raises
        UnknownSystemError, ForbiddenError, InvalidDurationError,
        UnsupportedGatewayError, LiveStreamNotSupportedError, GatewayOfflineError,
        ServiceUnreachableError and ConnectionNotEstablishedError, and
        UnreadableStreamError if the response is a page or a document without a frame.
        On exit the connection closes, and the gate receives a QuotaExceededError of the
        stream.
        """

        async def send(token: str, attempt: Attempt) -> LiveStream:
            return await self._open_stream(attempt, token, system_id, duration)

        stream = await self._attempt(LIVE_DATA, send)
        try:
            yield stream
        finally:
            stream.close()
            if stream.quota_error is not None:
                await self._gate.on_quota_error(stream.quota_error)

    async def _request[DocumentT](
        self,
        endpoint: Endpoint[DocumentT],
        *,
        query: Mapping[str, str | int] = NO_QUERY,
        body: Mapping[str, Any] | None = None,
        parameters: Mapping[str, int | str],
    ) -> DocumentT:
        """Send a request and return its document."""
        url = self._url_of(endpoint, **parameters)
        options: dict[str, Any] = {"params": {**query, **endpoint.query}}
        if (sent := endpoint.body if body is None else body) is not None:
            options["json"] = sent

        async def send(token: str, attempt: Attempt) -> Any:
            response = await exchange(
                self._session,
                endpoint.method,
                url,
                headers=self._headers(token),
                timeout=_TIMEOUT,
                **options,
            )
            attempt.on_response(response.status, response.date)
            is_write = endpoint.is_write
            return parse_json(
                successful_body(endpoint.name, response, is_write=is_write)
            )

        return endpoint.read(await self._attempt(endpoint, send))

    async def _open_stream(
        self, attempt: Attempt, token: str, system_id: int, duration: int
    ) -> LiveStream:
        """Open a stream; return it after the cloud accepts the request."""
        headers = self._headers(token) | {
            "Accept": "text/event-stream",
            # Compression would delay frames.
            "Accept-Encoding": "identity",
            # A connection that is kept would also keep the unread rest of a stream.
            "Connection": "close",
            "duration": str(duration),
        }
        timeout = ClientTimeout(
            total=duration + _STREAM_OVERTIME_SECONDS,
            sock_connect=_STREAM_CONNECT_SECONDS,
            sock_read=_STREAM_IDLE_SECONDS,
        )
        url = self._url_of(LIVE_DATA, system_id=system_id)
        ends_at = asyncio.get_running_loop().time() + duration
        response = await guarded(
            self._session.get(url, headers=headers, timeout=timeout, **SENT_ONCE)
        )
        attempt.on_response(response.status, date_of(response))
        try:
            return await open_stream(response, system_id=system_id, ends_at=ends_at)
        except BaseException:
            response.close()
            raise

    async def _attempt[ResultT](
        self,
        endpoint: Endpoint[Any],
        send: Callable[[str, Attempt], Awaitable[ResultT]],
    ) -> ResultT:
        """Send a request, and repeat it with a new token after a 401.

        401 has several causes. If the response to a new token is 401, too, the
        application is not entitled to the operation.
        """
        token = await self._auth.async_get_access_token()
        with suppress(InvalidTokenError):
            async with self._gate.attempt(endpoint.name) as attempt:
                return await send(token, attempt)
        renewed = await self._auth.async_get_access_token(rejected=token)
        if renewed != token:
            with suppress(InvalidTokenError):
                async with self._gate.attempt(endpoint.name) as attempt:
                    return await send(renewed, attempt)
        raise NotEntitledError(endpoint.name, HTTPStatus.UNAUTHORIZED)

    def _url_of(self, endpoint: Endpoint[Any], **parameters: int | str) -> URL:
        path = endpoint.path_of(**parameters)
        return self._url.joinpath(*path.split("/")) if path else self._url

    def _headers(self, token: str) -> dict[str, str]:
        return {
            # Operations of chargers are documented as application/octet-stream.
            "Accept": "application/json, */*;q=0.5",
            "Authorization": f"Bearer {token}",
            "key": self._api_key,
        }
