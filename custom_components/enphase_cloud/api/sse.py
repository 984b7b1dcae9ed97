"""An event stream to its data, by the rules of the WHATWG HTML standard, 9.2."""

from typing import Final

EVENT_END: Final = b""
"""The piece that ends an event."""

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_BLANK_LINES: Final = (b"\n", b"\r\n", b"\r")


class EventDataReader:
    """Takes everything but the data from the chunks of one event stream.

    Lines that begin like JSON are no fields, and pass as they are. So a stream of bare
    JSON comes out as it went in, and one that mixes both is read, too.

    How the stream is cut into chunks makes no difference to the pieces when joined. No
    more than the first bytes of a line are held in memory.
    """

    def __init__(self) -> None:
        """Begin a stream."""
        self._is_first_line = True
        self._is_after_return = False
        # The first bytes of a line that do not say yet what the line is.
        self._head = b""
        # Whether the line that has no end yet is data; None between lines.
        self._is_data: bool | None = None
        # Whether the last data came from a field; None before any since an event ended.
        self._is_event: bool | None = None

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the data of a chunk, lines with their ends; EVENT_END after events."""
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
        """End the stream; return what it leaves unfinished, and EVENT_END after it."""
        pieces: list[bytes] = []
        if self._head:
            self._begin_line(self._head + b"\n", pieces)
        if self._is_event is not None:
            pieces.append(EVENT_END)
        return pieces

    def _begin_line(self, line: bytes, pieces: list[bytes]) -> None:
        """Take in a line, as far as it has come."""
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
        """Pass on the beginning of a line that is data."""
        if self._is_event is (not is_event):
            pieces.append(EVENT_END)
        self._is_event = is_event
        self._is_data = True
        if piece:
            pieces.append(piece)
