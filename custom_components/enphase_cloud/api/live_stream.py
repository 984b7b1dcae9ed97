"""A live stream: an open response that yields frames."""

import asyncio
from collections.abc import Iterator
from itertools import chain
from typing import Final, Self

from aiohttp import ClientError, ClientResponse

from .endpoints import LIVE_DATA
from .error_bodies import successful_body
from .exceptions import (
    EnphaseCloudError,
    EnphaseConnectionError,
    EnphaseTimeoutError,
    QuotaExceededError,
    UnreadableStreamError,
)
from .live_frames import LiveFrameReader
from .models.live_frame import LiveFrame
from .transport import guarded, is_success, read_response

# Small enough that parsing a chunk does not block the event loop.
_CHUNK_SIZE: Final = 4 * 1024
# The size at which a stream without a frame or an error is closed.
_UNREADABLE_LIMIT: Final = 4 * 1024 * 1024


class LiveStream:
    """The frames of one live stream; iterate over it until it ends.

    Iterating raises UnreadableStreamError if the stream ends or fails without anything
    readable; otherwise EnphaseTimeoutError if it sends nothing for too long or does not
    end, EnphaseConnectionError if it breaks early, and the ApiError that the stream
    reports. A QuotaExceededError is also kept as `quota_error`.
    """

    def __init__(
        self, response: ClientResponse, *, system_id: int, ends_at: float
    ) -> None:
        """Read an open response; it should end at `ends_at` of the loop's clock."""
        self._response = response
        self._ends_at = ends_at
        self._reader = LiveFrameReader(system_id)
        self._frames: Iterator[LiveFrame] = iter(())
        self._is_open = True
        self._size = 0
        self.quota_error: QuotaExceededError | None = None

    @property
    def skipped(self) -> int:
        """Return the number of objects that were not frames of the system."""
        return self._reader.skipped

    def close(self) -> None:
        """Close the connection."""
        self._is_open = False
        self._response.close()

    async def async_peek(self) -> None:
        """Wait for the first frame; iterating still yields it.

        Raises the errors of iterating.
        """
        # A stream that ends without a frame raises an error, never StopAsyncIteration.
        first = await anext(self)
        self._frames = chain([first], self._frames)

    def __aiter__(self) -> Self:
        """Iterate over the frames still to come."""
        return self

    async def __anext__(self) -> LiveFrame:
        """Return the next frame."""
        while True:
            try:
                for frame in self._frames:
                    return frame
            except QuotaExceededError as err:
                self.quota_error = err
                raise
            if not self._is_open:
                raise StopAsyncIteration
            self._frames = await self._receive()

    async def _receive(self) -> Iterator[LiveFrame]:
        """Wait for the next chunk and return its frames."""
        failure: EnphaseCloudError | None = None
        try:
            chunk = await self._response.content.read(_CHUNK_SIZE)
        except TimeoutError:
            chunk = b""
            failure = EnphaseTimeoutError("The live stream stalled or did not end")
        except ClientError, OSError:
            chunk = b""  # Some servers break the connection when the time is over.
            if asyncio.get_running_loop().time() < self._ends_at:
                failure = EnphaseConnectionError("The live stream broke")
        self._size += len(chunk)
        if chunk and (self._reader.has_message or self._size <= _UNREADABLE_LIMIT):
            if len(chunk) == _CHUNK_SIZE:
                # Reading buffered data does not yield to other tasks.
                await asyncio.sleep(0)
            return self._reader.feed(chunk)
        self._is_open = False
        self._reader.close()
        if not self._reader.has_message:
            failure = UnreadableStreamError(
                self._reader.sample(self._response.content_type)
            )
        if failure is not None:
            raise failure
        return iter(())


async def open_stream(
    response: ClientResponse, *, system_id: int, ends_at: float
) -> LiveStream:
    """Return the live stream of a response.

    Raises the ApiError or MalformedResponseError of any other response.
    """
    if not is_success(response.status):
        successful_body(LIVE_DATA.name, await guarded(read_response(response)))
    stream = LiveStream(response, system_id=system_id, ends_at=ends_at)
    if _is_document(response):
        await stream.async_peek()
    return stream


def _is_document(response: ClientResponse) -> bool:
    """Return whether a response is more likely a document or a page than a stream."""
    content_type = response.content_type
    return content_type != "text/event-stream" and (
        response.content_length is not None
        or "html" in content_type
        or "xml" in content_type
    )
