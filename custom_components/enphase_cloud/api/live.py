"""Live data as it comes."""

import asyncio
from collections.abc import Iterable
from http import HTTPStatus
from typing import Final, Self

from aiohttp import ClientError, ClientResponse

from .endpoints import LIVE_DATA
from .error_bodies import ErrorBody, api_error, success
from .exceptions import (
    EnphaseConnectionError,
    EnphaseTimeoutError,
    MalformedAnswerError,
    QuotaExceededError,
)
from .models.live import LiveFrame
from .sse import SseEvent, SseParser
from .transport import guarded, is_success, parse_object, read_answer

# Small enough that the frames of one chunk do not keep the event loop waiting.
_CHUNK_SIZE: Final = 16 * 1024


class LiveStream:
    """The frames of one live stream, until it ends.

    The cloud's framing is documented by an example only. So frames are taken with or
    without the outer `data` wrapper, as events or as bare JSON lines, and what cannot
    be read is left out and counted in `skipped`.

    Iterating raises EnphaseTimeoutError when the stream falls silent or does not end,
    EnphaseConnectionError when it breaks before its time, and the ApiError that an
    error inside the stream tells. Where that says that a quota is used up, it is kept
    as `refusal`.
    """

    def __init__(
        self,
        response: ClientResponse,
        *,
        ends_at: float,
        events: Iterable[SseEvent] = (),
    ) -> None:
        """Take an open response, whose end is due at `ends_at` of the loop's clock.

        `events` have been read already.
        """
        self._response = response
        self._ends_at = ends_at
        self._parser = SseParser(lenient=True)
        self._events = iter(events)
        self._is_open = True
        self._unreadable = 0
        self.refusal: QuotaExceededError | None = None

    @property
    def skipped(self) -> int:
        """Return how many frames could not be read."""
        return self._unreadable + self._parser.dropped

    def close(self) -> None:
        """Close the connection."""
        self._is_open = False
        self._response.close()

    def __aiter__(self) -> Self:
        """Iterate over the frames still to come."""
        return self

    async def __anext__(self) -> LiveFrame:
        """Return the next frame."""
        while True:
            for event in self._events:
                try:
                    return _to_frame(event)
                except MalformedAnswerError:
                    self._unreadable += 1
                except QuotaExceededError as err:
                    self.refusal = err
                    raise
            if not self._is_open:
                raise StopAsyncIteration
            self._events = iter(await self._receive())

    async def _receive(self) -> list[SseEvent]:
        """Wait for the next chunk and return its events."""
        chunk = await self._read()
        if len(chunk) == _CHUNK_SIZE:
            # More is waiting, and reading it would not let others run.
            await asyncio.sleep(0)
        if chunk:
            return self._parser.feed(chunk)
        self._is_open = False
        return self._parser.close()

    async def _read(self) -> bytes:
        """Return the next bytes, none at the end."""
        failure: EnphaseConnectionError
        try:
            return await self._response.content.read(_CHUNK_SIZE)
        except TimeoutError:
            failure = EnphaseTimeoutError("The live stream fell silent or did not end")
        except ClientError, OSError:
            if asyncio.get_running_loop().time() >= self._ends_at:
                return b""  # Some servers just hang up when the time is over.
            failure = EnphaseConnectionError("The live stream broke")
        self._is_open = False
        raise failure


async def open_stream(response: ClientResponse, *, ends_at: float) -> LiveStream:
    """Return the stream that a response carries.

    Raises the ApiError or MalformedAnswerError that the response is instead.
    """
    if not is_success(response.status) or _is_document(response):
        body = success(LIVE_DATA.name, await guarded(read_answer(response)))
        event = SseEvent(body.decode(errors="replace"), "message", "")
        _to_frame(event)
        return LiveStream(response, ends_at=ends_at, events=[event])
    if "html" in response.content_type or "xml" in response.content_type:
        raise MalformedAnswerError("The answer is no live stream")
    return LiveStream(response, ends_at=ends_at)


def _is_document(response: ClientResponse) -> bool:
    """Tell whether a response is one JSON document: a stream has no length."""
    return (
        response.content_type == "application/json"
        and response.content_length is not None
    )


def _to_frame(event: SseEvent) -> LiveFrame:
    """Read an event.

    Raises ApiError where it is an error, MalformedAnswerError where it cannot be read.
    """
    data = parse_object(event.data)
    inner: object = data
    while isinstance(inner, dict):
        if inner.get("error") or ("code" in inner and "message" in inner):
            body = ErrorBody.from_document(inner)
            raise api_error(LIVE_DATA.name, HTTPStatus.OK, body)
        inner = inner.get("data")
    return LiveFrame.from_api(data)
