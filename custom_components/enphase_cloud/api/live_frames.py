"""A parser from the bytes of a live stream to frames."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from .endpoints import LIVE_DATA
from .error_bodies import ErrorBody, api_error
from .exceptions import MalformedResponseError
from .json_stream import JsonReader
from .live_messages import messages_of
from .models.convert import to_integer
from .models.live_frame import MEASURED_FIELDS, LiveFrame
from .sse import EVENT_END, EventDataReader
from .stream_sample import SAMPLE_BYTES, StreamSample

type Message = Mapping[str, Any]


class LiveFrameReader:
    """Parses the bytes of one live stream into frames.

    No recording of a stream is public, so all framings are accepted: events or bare
    JSON, wrapped or not, single objects or arrays. Objects that are not frames of the
    system are counted in `skipped`.
    """

    def __init__(self, system_id: int) -> None:
        """Accept frames of this system."""
        self._system_id = system_id
        self._data = EventDataReader()
        self._json = JsonReader()
        self._beginning = b""
        self._ignored = 0
        self.has_message = False
        """Whether a frame or an error was read."""

    @property
    def skipped(self) -> int:
        """Return the number of objects that were not frames of the system."""
        return self._ignored + self._json.unreadable

    def feed(self, chunk: bytes) -> Iterator[LiveFrame]:
        """Yield the frames that are complete after this chunk.

        Raises the ApiError that the stream reports; frames after it are lost.
        """
        if len(self._beginning) < SAMPLE_BYTES:
            self._beginning += chunk[:SAMPLE_BYTES]
        return self._frames(self._data.feed(chunk))

    def close(self) -> None:
        """End the stream; an unfinished object is not a frame."""
        for piece in self._data.close():
            if piece == EVENT_END:
                self._json.end()

    def sample(self, content_type: str) -> StreamSample:
        """Return the beginning of the stream with all values masked."""
        return StreamSample.of(content_type, self._beginning)

    def _frames(self, pieces: list[bytes]) -> Iterator[LiveFrame]:
        for piece in pieces:
            if piece == EVENT_END:
                self._json.end()
                continue
            for document in self._json.feed(piece):
                for message in messages_of(document):
                    if (frame := self._frame(message)) is not None:
                        yield frame

    def _frame(self, message: Message) -> LiveFrame | None:
        """Return the frame of a message, None if it is none; raise a reported error."""
        if _is_error(message):
            self.has_message = True
            body = ErrorBody.from_document(message)
            raise api_error(LIVE_DATA.name, HTTPStatus.OK, body)
        if not MEASURED_FIELDS.isdisjoint(message) and self._is_ours(message):
            with suppress(MalformedResponseError):
                frame = LiveFrame.from_api(message)
                self.has_message = True
                return frame
        self._ignored += 1
        return None

    def _is_ours(self, message: Message) -> bool:
        return to_integer(message.get("system_id")) in (None, self._system_id)


def _is_error(message: Message) -> bool:
    """Return whether a message is an error: frames may have other codes."""
    if not (message.get("error") or ("code" in message and "message" in message)):
        return False
    code = ErrorBody.from_document(message).code
    return code is not None or MEASURED_FIELDS.isdisjoint(message)
