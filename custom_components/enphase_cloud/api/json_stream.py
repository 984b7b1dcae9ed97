"""JSON objects out of a text that arrives piece by piece, whatever stands between them.

One object a line, objects spread over lines or right behind one another, arrays,
sequences by RFC 7464, strings that hold any of these: an object begins with its brace,
ends with it, and everything outside only separates.
"""

from collections.abc import Iterator, Mapping
from enum import Enum, auto
from itertools import islice
import json
import re
from typing import Any, Final

OBJECT_SIZE_LIMIT: Final = 256 * 1024

_BEGINNING: Final = re.compile(rb'[{"]')
_STRUCTURE: Final = re.compile(rb'["{}\[\]\x1e]')
_INSIDE_STRING: Final = re.compile(rb'(?:[^"\\\r\n\x1e]++|\\[^\r\n\x1e])*+')
# No string holds these. The last one begins the next text of a sequence.
_BREAKS: Final = b"\r\n\x1e"
# To look at more of them at once would keep the event loop waiting.
_MOST_IN_TEXT: Final = 2_000
_QUOTE: Final = ord('"')
_BACKSLASH: Final = ord("\\")
# What an object within another value follows.
_BEFORE_OBJECT: Final = (b":", b",", b"[")

_decode: Final = json.JSONDecoder().decode

type JsonObject = Mapping[str, Any]


class _Outcome(Enum):
    """What became of a value by the end of a scan."""

    OPEN = auto()
    WHOLE = auto()
    BROKEN = auto()


class JsonReader:
    """Finds the outermost objects in the pieces of a text.

    A value that goes wrong is dropped where that shows: where a line ends its string,
    or a brace stands where none may. From there reading begins again, so a damaged
    object costs its neighbour at most. `unreadable` counts what could not be read.

    How the text is cut into pieces makes no difference. Each byte is looked at once.
    At most `size_limit` bytes are held in memory; a larger object is dropped.
    """

    def __init__(self, *, size_limit: int = OBJECT_SIZE_LIMIT) -> None:
        """Begin a text."""
        self.unreadable = 0
        self._size_limit = size_limit
        # Whether the text held anything so far, readable or not.
        self._has_found = False
        self._begin_value()

    def feed(self, text: bytes) -> list[JsonObject]:
        """Return the objects that a piece completes."""
        whole = self._whole(text)
        return list(self.objects(text)) if whole is None else [whole]

    def end(self) -> None:
        """End a text, and begin another.

        What is unfinished is dropped. A text that held nothing counts as unreadable.
        """
        if self._is_inside or not self._has_found:
            self._drop()
        self._has_found = False

    @property
    def _is_inside(self) -> bool:
        return self._depth > 0 or self._is_in_string

    def _begin_value(self) -> None:
        self._kept = bytearray()
        self._is_overlong = False
        self._depth = 0
        self._is_in_string = False
        self._is_escaped = False
        # The last byte that is neither blank nor in a string.
        self._last = b""

    def _whole(self, text: bytes) -> JsonObject | None:
        """Return the object that a piece is, without a look at its inside."""
        if self._is_inside or not text.startswith(b"{"):
            return None
        text = text.rstrip()
        if len(text) > self._size_limit:
            return None
        value = _value(text)
        if not isinstance(value, dict):
            return None
        self._has_found = True
        return value

    def objects(self, text: bytes) -> Iterator[JsonObject]:
        """Yield the objects that a piece completes."""
        at = 0
        while at < len(text):
            if not self._is_inside:
                beginning = _BEGINNING.search(text, at)
                if beginning is None:
                    break
                at = beginning.start()
            end, outcome = self._scan(text, at)
            if outcome is _Outcome.BROKEN:
                self._drop()
            else:
                self._keep(text[at:end])
                if outcome is _Outcome.WHOLE:
                    yield from self._take()
            at = end

    def _scan(self, text: bytes, at: int) -> tuple[int, _Outcome]:
        """Follow a value through a piece; return where it ends there, and how."""
        while at < len(text):
            if self._is_in_string:
                at, outcome = self._scan_string(text, at)
                if outcome is not _Outcome.WHOLE or not self._depth:
                    return at, outcome
                continue
            found = _STRUCTURE.search(text, at)
            if found is None:
                self._last = text[at:].rstrip()[-1:] or self._last
                break
            last = text[at : found.start()].rstrip()[-1:] or self._last
            self._last = mark = found[0]
            at = found.end()
            if mark == b"\x1e" or (
                mark == b"{" and self._depth and last not in _BEFORE_OBJECT
            ):
                return found.start(), _Outcome.BROKEN
            if mark == b'"':
                self._is_in_string = True
            else:
                self._depth += 1 if mark in b"{[" else -1
                if not self._depth:
                    return at, _Outcome.WHOLE
        return len(text), _Outcome.OPEN

    def _scan_string(self, text: bytes, at: int) -> tuple[int, _Outcome]:
        """Follow a string through a piece; return where it ends there, and how."""
        if self._is_escaped and text[at] not in _BREAKS:
            self._is_escaped = False
            at += 1
        found = _INSIDE_STRING.match(text, at)
        at = len(text) if found is None else found.end()
        if at == len(text):
            return at, _Outcome.OPEN
        if text[at] == _QUOTE:
            self._is_in_string = False
            return at + 1, _Outcome.WHOLE
        if at + 1 == len(text) and text[at] == _BACKSLASH:
            self._is_escaped = True
            return at + 1, _Outcome.OPEN
        return at, _Outcome.BROKEN

    def _keep(self, part: bytes) -> None:
        if len(self._kept) + len(part) > self._size_limit:
            self._is_overlong = True
            self._kept.clear()
        elif not self._is_overlong:
            self._kept += part

    def _take(self) -> list[JsonObject]:
        """Return the objects of the value that is whole."""
        value = None if self._is_overlong else _value(self._kept)
        objects: list[JsonObject] = []
        if isinstance(value, dict):
            objects = [value]
        elif isinstance(value, str) and "{" in value:
            objects = objects_in(value)
        if not objects:
            self.unreadable += 1
        self._has_found = True
        self._begin_value()
        return objects

    def _drop(self) -> None:
        self.unreadable += 1
        self._has_found = True
        self._begin_value()


def objects_in(text: str) -> list[JsonObject]:
    """Return the outermost objects of a text, the first ones of very many."""
    objects = JsonReader().objects(text.encode(errors="replace"))
    return list(islice(objects, _MOST_IN_TEXT))


def _value(text: bytes | bytearray) -> object:
    """Return what a JSON text says, None where it is none.

    Its strings may hold bytes that are no UTF-8: names, which nobody needs here.
    """
    try:
        return _decode(text.decode(errors="replace"))
    except ValueError, RecursionError:
        return None
