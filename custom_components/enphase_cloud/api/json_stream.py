"""A parser that finds JSON objects in a text that arrives in pieces.

It finds one object per line, objects across lines or without separators, arrays,
sequences of RFC 7464, and strings that contain any of these: an object extends from its
first brace to the matching one, and everything outside of objects is a separator.
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
# Not allowed in strings. The last one begins the next text of an RFC 7464 sequence.
_BREAKS: Final = b"\r\n\x1e"
# More objects at once would block the event loop too long.
_MOST_IN_TEXT: Final = 2_000
_QUOTE: Final = ord('"')
_BACKSLASH: Final = ord("\\")
# The bytes that may precede an object inside of another value.
_BEFORE_OBJECT: Final = (b":", b",", b"[")

_decode: Final = json.JSONDecoder().decode

type JsonObject = Mapping[str, Any]


class _Outcome(Enum):
    """The state of a value at the end of a scan."""

    OPEN = auto()
    WHOLE = auto()
    BROKEN = auto()


class JsonReader:
    """Finds the outermost objects in the pieces of a text.

    A damaged value is dropped where the damage shows: at the end of a line inside of a
    string, or at a misplaced brace. Parsing restarts there, so a damaged object costs
    at most the object next to it. `unreadable` counts the dropped values.

    The result does not depend on how the text is cut into pieces. Each byte is scanned
    once. At most `size_limit` bytes are kept; a larger object is dropped.
    """

    def __init__(self, *, size_limit: int = OBJECT_SIZE_LIMIT) -> None:
        """Begin a text."""
        self.unreadable = 0
        self._size_limit = size_limit
        # Whether the text had any value so far, readable or not.
        self._has_found = False
        self._begin_value()

    def feed(self, text: bytes) -> list[JsonObject]:
        """Return the objects that are complete after this piece."""
        whole = self._whole(text)
        return list(self.objects(text)) if whole is None else [whole]

    def end(self) -> None:
        """End a text, and begin the next one.

        An unfinished value is dropped. A text without a value counts as unreadable.
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
        # The last byte that is neither blank nor inside of a string.
        self._last = b""

    def _whole(self, text: bytes) -> JsonObject | None:
        """Return the object if the piece is exactly one: the fast path."""
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
        """Yield the objects that are complete after this piece."""
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
        """Scan a value; return where it ends in the piece, and its state."""
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
        """Scan a string; return where it ends in the piece, and its state."""
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
        """Return the objects of the complete value, and begin the next value."""
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
    """Return the outermost objects of a text, at most the first 2,000."""
    objects = JsonReader().objects(text.encode(errors="replace"))
    return list(islice(objects, _MOST_IN_TEXT))


def _value(text: bytes | bytearray) -> object:
    """Return the value of a JSON text, None if it is not JSON.

    Bytes that are not UTF-8 are replaced: they occur in names, which are not used.
    """
    try:
        return _decode(text.decode(errors="replace"))
    except ValueError, RecursionError:
        return None
