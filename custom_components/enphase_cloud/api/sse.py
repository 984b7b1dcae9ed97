"""Bytes to server-sent events, by the rules of the WHATWG HTML standard, 9.2."""

from typing import Final, NamedTuple

EVENT_SIZE_LIMIT: Final = 256 * 1024
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


class SseEvent(NamedTuple):
    """One event: its data, its type, and the last id the stream has named."""

    data: str
    event: str
    id: str


class SseParser:
    """Turns the chunks of one stream into events.

    How the stream is cut into chunks makes no difference. An event that is larger than
    `size_limit` bytes, or has a line that is, is dropped and counted in `dropped`; no
    more than about that is held in memory.

    A `lenient` parser also takes a bare JSON object on a line for an event, which by
    the rules is an unknown field, and keeps an event that the end of the stream cuts
    off before its blank line.
    """

    def __init__(
        self, *, lenient: bool = False, size_limit: int = EVENT_SIZE_LIMIT
    ) -> None:
        """Begin a stream."""
        self.dropped = 0
        self._lenient = lenient
        self._size_limit = size_limit
        # The line that has no end yet.
        self._rest = bytearray()
        self._rest_is_overlong = False
        self._is_first_line = True
        self._is_after_return = False
        # The event that has no blank line yet.
        self._data: list[bytes] = []
        self._size = 0
        self._type = ""
        self._id = ""

    def feed(self, chunk: bytes) -> list[SseEvent]:
        """Return the events that a chunk completes."""
        events: list[SseEvent] = []
        for line in self._lines(chunk):
            if line:
                if line.startswith(b"data: "):
                    self._add_data(line[6:])
                else:
                    self._read_field(line, events)
            elif line is None:
                self._drop()
            else:
                if self._data:
                    data = b"\n".join(self._data).decode(errors="replace")
                    events.append(SseEvent(data, self._type or "message", self._id))
                    self._data.clear()
                self._type = ""
                self._size = 0
        return events

    def close(self) -> list[SseEvent]:
        """End the stream; return what only a lenient parser finds unfinished."""
        return self.feed(b"\n\n") if self._lenient else []

    def _lines(self, chunk: bytes) -> list[bytes | None]:
        """Return the lines that a chunk completes, None for each that is overlong."""
        if self._is_after_return and chunk:
            self._is_after_return = False
            chunk = chunk.removeprefix(b"\n")
        if b"\r" in chunk:
            self._is_after_return = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        complete = chunk.split(b"\n")
        rest = complete.pop()
        lines: list[bytes | None] = [*complete]
        if lines and (self._rest or self._rest_is_overlong or self._is_first_line):
            lines[0] = self._completed(complete[0])
        if len(chunk) > self._size_limit:
            lines = [line if self._fits(line) else None for line in lines]
        if rest:
            self._keep(rest)
        return lines

    def _fits(self, line: bytes | None) -> bool:
        return line is not None and len(line) <= self._size_limit

    def _completed(self, end: bytes) -> bytes | None:
        """Return the line whose end has come, None where it is overlong."""
        is_first, self._is_first_line = self._is_first_line, False
        if self._rest_is_overlong:
            self._rest_is_overlong = False
            return None
        line = end
        if self._rest:
            line = bytes(self._rest) + end
            self._rest.clear()
        if not self._fits(line):
            return None
        return line.removeprefix(_BYTE_ORDER_MARK) if is_first else line

    def _keep(self, rest: bytes) -> None:
        """Hold a line's beginning back until the rest comes."""
        if self._rest_is_overlong:
            return
        self._rest += rest
        if len(self._rest) > self._size_limit:
            self._rest.clear()
            self._rest_is_overlong = True

    def _read_field(self, line: bytes, events: list[SseEvent]) -> None:
        """Take in a line that is not blank."""
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        match name:
            case b"data":
                self._add_data(value)
            case b"event":
                self._type = value.decode(errors="replace")
            case b"id":
                if b"\0" not in value:
                    self._id = value.decode(errors="replace")
            case _ if self._lenient and line.startswith(b"{"):
                events.append(SseEvent(line.decode(errors="replace"), "message", ""))

    def _add_data(self, value: bytes) -> None:
        """Add a line to the event's data."""
        size = self._size + len(value) + 1
        if size > self._size_limit:
            self._drop()
        else:
            self._size = size
            self._data.append(value)

    def _drop(self) -> None:
        """Give the event up: it is too large, and nothing more fits in."""
        if self._size <= self._size_limit:
            self.dropped += 1
        self._size = self._size_limit + 1
        self._data.clear()
