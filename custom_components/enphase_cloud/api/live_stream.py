"""Live data as it comes."""

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

# Small enough that what is in one chunk does not keep the event loop waiting.
_CHUNK_SIZE: Final = 4 * 1024
# What brings no frame is not read any further than this.
_PATIENCE: Final = 4 * 1024 * 1024


class LiveStream:
    """The frames of one live stream, until it ends.

    What is no frame of the system is left out and counted in `skipped`.

    Iterating raises UnreadableStreamError when the stream ends, in whatever way, and
    nothing of it could be read; otherwise EnphaseTimeoutError when it falls silent or
    does not end, EnphaseConnectionError when it breaks before its time, and the
    ApiError that an error inside the stream tells. Where that says that a quota is used
    up, it is kept as `quota_error`.
    """

    def __init__(
        self, response: ClientResponse, *, system_id: int, ends_at: float
    ) -> None:
        """Take an open response, whose end is due at `ends_at` of the loop's clock."""
        self._response = response
        self._ends_at = ends_at
        self._reader = LiveFrameReader(system_id)
        self._frames: Iterator[LiveFrame] = iter(())
        self._is_open = True
        self._size = 0
        self.quota_error: QuotaExceededError | None = None

    @property
    def skipped(self) -> int:
        """Return how many objects were no frame of the system."""
        return self._reader.skipped

    def close(self) -> None:
        """Close the connection."""
        self._is_open = False
        self._response.close()

    async def async_peek(self) -> None:
        """Wait for the first frame, which remains to be iterated over.

        Raises what iterating does, UnreadableStreamError also where it takes too long.
        """
        # Whatever ends without a frame raises an error.
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
            failure = EnphaseTimeoutError("The live stream fell silent or did not end")
        except ClientError, OSError:
            chunk = b""  # Some servers just hang up when the time is over.
            if asyncio.get_running_loop().time() < self._ends_at:
                failure = EnphaseConnectionError("The live stream broke")
        self._size += len(chunk)
        if chunk and (self._reader.has_message or self._size <= _PATIENCE):
            if len(chunk) == _CHUNK_SIZE:
                # More is waiting, and reading it would not let others run.
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
    """Return the stream of a system that a response carries.

    Raises the ApiError or MalformedResponseError that the response is instead.
    """
    if not is_success(response.status):
        successful_body(LIVE_DATA.name, await guarded(read_response(response)))
    stream = LiveStream(response, system_id=system_id, ends_at=ends_at)
    if _is_document(response):
        await stream.async_peek()
    return stream


def _is_document(response: ClientResponse) -> bool:
    """Tell whether a response is more likely an response or a page than a stream."""
    content_type = response.content_type
    return content_type != "text/event-stream" and (
        response.content_length is not None
        or "html" in content_type
        or "xml" in content_type
    )
