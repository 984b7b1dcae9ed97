"""A parser from event streams to their data (WHATWG HTML standard, 9.2)."""

from typing import Final

EVENT_END: Final = b""
"""The piece that marks the end of an event."""

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_BLANK_LINES: Final = (b"\n", b"\r\n", b"\r")


class EventDataReader:
    """Extracts the data from the chunks of one event stream.

    Lines that begin like JSON are not fields, and pass unchanged. So bare JSON passes
    unchanged, and a mix of events and bare JSON is readable, too.

    The joined pieces do not depend on how the stream is cut into chunks. Only the first
    bytes of a line are kept in memory.
    """

    def __init__(self) -> None:
        """Begin a stream."""
        self._is_first_line = True
        self._is_after_return = False
        # The first bytes of a line, as long as the kind of the line is unclear.
        self._head = b""
        # Whether the unfinished line is data; None between lines.
        self._is_data: bool | None = None
        # Whether the last data came from a field; None if an event has no data yet.
        self._is_event: bool | None = None

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the data of a chunk, with line ends; EVENT_END after each event."""
        pieces: list[bytes] = []
        if self._is_after_return and chunk:
            self._is_after_return = False
            chunk = chunk.removeprefix(b"\n")
        for part in chunk.splitlines(keepends=True):
            if self._is_data is None:
                self._begin_line(self._head + part, pieces)
            elif self._is_data:
                pieces.append(part)
            if part[-1] in b"\r\n":
                self._is_data = None
        if chunk.endswith(b"\r"):
            self._is_after_return = True
        return pieces

    def close(self) -> list[bytes]:
        """End the stream; return its unfinished data, and EVENT_END after it."""
        pieces: list[bytes] = []
        if self._head:
            self._begin_line(self._head + b"\n", pieces)
        if self._is_event is not None:
            pieces.append(EVENT_END)
        return pieces

    def _begin_line(self, line: bytes, pieces: list[bytes]) -> None:
        """Process the beginning of a line, as far as it has arrived."""
        self._head = b""
        if self._is_first_line:
            if line != _BYTE_ORDER_MARK and _BYTE_ORDER_MARK.startswith(line):
                self._head = line
                return
            self._is_first_line = False
            line = line.removeprefix(_BYTE_ORDER_MARK)
        if line.startswith(b"data: "):
            self._add(line[6:], pieces, is_event=True)
        elif line in _BLANK_LINES:
            if self._is_event:
                pieces.append(EVENT_END)
                self._is_event = None
        elif b"data:".startswith(line):
            self._head = line
        elif line.startswith(b"data:"):
            self._add(line[5:], pieces, is_event=True)
        elif line.rstrip(b"\r\n") == b"data":
            self._add(line[4:], pieces, is_event=True)
        elif line[:1].isalpha() or line.startswith(b":"):
            self._is_data = False
        else:
            self._add(line, pieces, is_event=False)

    def _add(self, piece: bytes, pieces: list[bytes], *, is_event: bool) -> None:
        """Add the beginning of a line that is data."""
        if self._is_event is (not is_event):
            pieces.append(EVENT_END)
        self._is_event = is_event
        self._is_data = True
        if piece:
            pieces.append(piece)
