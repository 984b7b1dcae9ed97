"""Bytes to server-sent events, by the rules of the WHATWG HTML standard, 9.2."""

from typing import Final, NamedTuple

EVENT_SIZE_LIMIT: Final = 256 * 1024
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_LINE_ENDS: Final = (b"\n", b"\r")


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
        self._is_dropping = False
        self._type = ""
        self._id = ""

    def feed(self, chunk: bytes) -> list[SseEvent]:
        """Return the events that a chunk completes."""
        events: list[SseEvent] = []
        for line in self._lines(chunk):
            if line:
                if line.startswith(b"data:"):
                    self._add_data(line[6:] if line.startswith(b" ", 5) else line[5:])
                else:
                    self._read_field(line, events)
            elif line is None:
                self._drop()
            else:
                self._dispatch(events)
        return events

    def close(self) -> list[SseEvent]:
        """End the stream; return what only a lenient parser finds unfinished."""
        events: list[SseEvent] = []
        if self._lenient:
            events += self.feed(b"\n")
            self._dispatch(events)
        return events

    def _lines(self, chunk: bytes) -> list[bytes | None]:
        """Return the lines that a chunk completes, None for each that is overlong."""
        if self._is_after_return and chunk:
            self._is_after_return = False
            chunk = chunk.removeprefix(b"\n")
        if b"\n" not in chunk and b"\r" not in chunk:
            self._keep(chunk)
            return []
        self._is_after_return = chunk.endswith(b"\r")
        if self._rest:
            chunk = bytes(self._rest) + chunk
            self._rest.clear()
        lines: list[bytes | None] = [*chunk.splitlines()]
        rest = b"" if chunk.endswith(_LINE_ENDS) else lines.pop()
        if len(chunk) > self._size_limit:
            lines = [
                line if line is None or len(line) <= self._size_limit else None
                for line in lines
            ]
        if self._rest_is_overlong:
            self._rest_is_overlong = False
            lines[0] = None
        if self._is_first_line:
            self._is_first_line = False
            if lines[0] is not None:
                lines[0] = lines[0].removeprefix(_BYTE_ORDER_MARK)
        if rest:
            self._keep(rest)
        return lines

    def _keep(self, rest: bytes) -> None:
        """Hold a line's beginning back until the rest comes."""
        if self._rest_is_overlong:
            return
        self._rest += rest
        if len(self._rest) > self._size_limit:
            self._rest.clear()
            self._rest_is_overlong = True

    def _read_field(self, line: bytes, events: list[SseEvent]) -> None:
        """Take in a line that is neither blank nor `data:`."""
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
        if self._is_dropping:
            return
        self._size += len(value) + 1
        if self._size > self._size_limit:
            self._drop()
        else:
            self._data.append(value)

    def _drop(self) -> None:
        """Give the event up."""
        if not self._is_dropping:
            self._is_dropping = True
            self.dropped += 1
        self._data.clear()

    def _dispatch(self, events: list[SseEvent]) -> None:
        """End the event at a blank line."""
        if self._data:
            data = b"\n".join(self._data).decode(errors="replace")
            events.append(SseEvent(data, self._type or "message", self._id))
            self._data.clear()
        self._type = ""
        self._size = 0
        self._is_dropping = False
