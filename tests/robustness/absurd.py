"""Spoilt documents: with all that JSON can hold, and damaged bytes."""

from collections.abc import Callable, Iterator
import json
from random import Random
from typing import Any, Final

_VALUES: Final[tuple[Any, ...]] = (
    *(None, True, False, "", [], {}, [[]], [None], {"": None}),
    *(0, -1, 1, 2, 9, 0.5, -0.0, 100.000001, 1e-320, 10**400, -(10**400)),
    *(2**31, 2**32, 2**53 + 1, 2**63, -(2**63), 5e8, 1e300, -1e308, 1e308),
    *(float("inf"), float("-inf"), float("nan")),
    # Times: 1970, 1901, 2038, 2242, the years 9999, 10000, 33658, milliseconds.
    *(86_400, -(2**31), 2_147_483_648, 8_589_934_592, 253_402_300_799),
    *(253_402_300_800, 1_000_000_000_000, 1_782_561_600_000, 1_782_561_600),
    *("0001-01-01", "9999-12-31", "2026-02-30", "2026-06-21", "2026-W53-7"),
    *("0001-01-01 00:00:00+23:59", "9999-12-31T23:59:59-23:59", "10000-01-01"),
    *("97%", "NaN", "1e999", "-inf", "\u0663", "\uff11", "0x10", "true", "null", " 7 "),
    *("\ud800", "\0", "\u202e", "é" * 70, "Europe/", "../..", "<b>[x](y)</b>"),
    *("error", "code", "data", "unknown", "meter", "month", "minute", "normal"),
)
_DEEP: Final = 2_000
_LONG: Final = 20_000
# Roughly the most elements that fit in a response.
_LARGEST: Final = 100_000

# One value in 2,000 is large, and one body in 8 is damaged.
_LARGE: Final = 2_000
_DAMAGED: Final = 8

type _Path = tuple[str | int, ...]


def bytes_like(document: object, *, limit: int) -> Callable[[Random], bytes]:
    """Return a generator of bodies that resemble a document, up to a size limit."""
    spoil = spoiled(document)

    def generate(random: Random) -> bytes:
        while len(body := json.dumps(spoil(random)).encode()) > limit:
            pass
        return body if random.randrange(_DAMAGED) else damaged(body, random)[:limit]

    return generate


def spoiled(document: object) -> Callable[[Random], Any]:
    """Return a generator of documents that differ from one in a few places."""
    paths = list(_paths(document))

    def generate(random: Random) -> Any:
        result = document
        for _ in range(random.choice((0, 1, 1, 1, 2, 3, 8))):
            result = _changed(result, random.choice(paths), random)
        return result

    return generate


def damaged(body: bytes, random: Random) -> bytes:
    """Return bytes with some of them lost, repeated, replaced or added."""
    begin = random.randrange(len(body) + 1)
    end = random.randrange(begin, min(len(body), begin + 40) + 1)
    match random.randrange(5):
        case 0:
            return body[:begin]
        case 1:
            return body[:begin] + body[end:]
        case 2:
            return body[:begin] + random.randbytes(end - begin) + body[end:]
        case 3:
            return body[:end] + body[begin:]
    return random.choice((b"", b"\xef\xbb\xbf", b"\x1f\x8b", b"<html>")) + body


def value(random: Random) -> Any:
    """Return a value that fits nowhere."""
    if not random.randrange(_LARGE):
        return _large(random)
    chosen = random.choice(_VALUES)
    match random.randrange(12):
        case 0:
            return random.uniform(-1, 1) * 10.0 ** random.randrange(-5, 20)
        case 1:
            return random.randrange(-(2**40), 2**40)
        case 2:
            return [chosen] * random.randrange(4)
        case 3:
            return {random.choice(("data", "", "code", "x")): chosen}
    return chosen


def _large(random: Random) -> Any:
    size = random.choice((_LONG, _LARGEST))
    kinds: tuple[Callable[[], Any], ...] = (
        lambda: random.choice(("x", " ", "é", "api key ", "[{")) * size,
        lambda: {str(number): number for number in range(size)},
        lambda: [{"end_at": number} for number in range(size)],
        lambda: [random.choice(({}, [], 7))] * size,
        lambda: _nested(random),
    )
    return random.choice(kinds)()


def _nested(random: Random) -> Any:
    nested: Any = random.choice(_VALUES)
    for _ in range(_DEEP):
        nested = random.choice(([nested], {"data": nested}))
    return nested


def _paths(document: object, before: _Path = ()) -> Iterator[_Path]:
    """Yield the paths of all places to change, the whole document included."""
    yield before
    if isinstance(document, dict):
        items = list(document.items())
    elif isinstance(document, list):
        items = list(enumerate(document[:3]))
    else:
        return
    for key, item in items:
        yield from _paths(item, (*before, key))


def _changed(document: Any, path: _Path, random: Random) -> Any:
    """Return a document with one place changed; only its ancestors are copied."""
    if not path:
        return value(random)
    key, *rest = path
    if isinstance(document, dict) and key in document:
        copied: Any = dict(document)
    elif isinstance(document, list) and isinstance(key, int) and key < len(document):
        copied = list(document)
    else:
        return document
    if not rest and not random.randrange(5):
        del copied[key]
    elif not rest and not random.randrange(8):
        copied[key] = [copied[key]]
    else:
        copied[key] = _changed(copied[key], tuple(rest), random)
    return copied
