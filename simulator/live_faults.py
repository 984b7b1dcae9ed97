"""Shapes of faulty live streams.

Each shape differs from the normal stream as its name says.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import batched
import json
from math import nan

from .errors import RefusalError, timestamps
from .faults import Fault, StreamFault
from .live_frames import Payload, Source

_MEGABYTE = 1024 * 1024
_JSON = "application/json"
_END = b"\n\n"
_HOUR = timedelta(hours=1)
_LATE = timedelta(seconds=30)
_FLOOD_FRAMES = 100
_FLOOD_INTERVAL = 0.01
_ABSURDITIES: tuple[object, ...] = (nan, 10**12, "much", -40, None, [], True, -1e300)


def event(payload: Payload) -> bytes:
    """Return a payload as one server-sent event."""
    return b"data: " + _json(payload) + _END


def _line(payload: Payload) -> bytes:
    return _json(payload) + b"\n"


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _one(number: int, source: Source) -> list[Payload]:
    del number
    return [source.frame()]


def _whole(data: bytes) -> Iterable[bytes]:
    return [data]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The format of a stream.

    `frames` returns the payloads of a tick, `encode` their bytes and `pieces` cuts
    these into writes. The stream ends after `ends_after` ticks; with `resets` the
    connection breaks within a frame. An `endless` stream ignores its duration. `length`
    sets Content-Length; blanks fill the rest.
    """

    frames: Callable[[int, Source], list[Payload]] = _one
    encode: Callable[[Payload], bytes] = event
    pieces: Callable[[bytes], Iterable[bytes]] = _whole
    preamble: bytes = b""
    filler: bytes = b""
    content_type: str = "text/event-stream"
    gzip: bool = False
    length: int | None = None
    endless: bool = False
    interval: float | None = None
    ends_after: int | None = None
    resets: bool = False


def _none(number: int, source: Source) -> list[Payload]:
    del number, source
    return []


def _twice(number: int, source: Source) -> list[Payload]:
    return 2 * _one(number, source)


def _flood(number: int, source: Source) -> list[Payload]:
    return _FLOOD_FRAMES * _one(number, source)


def _late_every_other(number: int, source: Source) -> list[Payload]:
    """Alternate frames of now and of half a minute ago."""
    return [source.frame(source.now() - _LATE if number % 2 else None)]


def _stamped(offset: timedelta) -> Callable[[int, Source], list[Payload]]:
    def frames(number: int, source: Source) -> list[Payload]:
        del number
        return [source.frame() | timestamps(source.now() + offset)]

    return frames


def _absurd(number: int, source: Source) -> list[Payload]:
    frame = source.frame()
    value = _ABSURDITIES[number % len(_ABSURDITIES)]
    data = {
        key: value if key.endswith(("_power", "_soc")) else kept
        for key, kept in frame["data"].items()
    }
    return [frame | {"data": data}]


def _bare_minimum(number: int, source: Source) -> list[Payload]:
    frame = source.frame()
    pv_power = frame["data"]["pv_power"]
    return [{"data": {"pv_power": pv_power} if number % 2 else None}]


def _failing(status: int) -> Callable[[int, Source], list[Payload]]:
    """Send one frame, then only error objects."""

    def frames(number: int, source: Source) -> list[Payload]:
        if number:
            return [RefusalError(status).live_body(source.now())]
        return [source.frame()]

    return frames


def _foreign_letters(number: int, source: Source) -> list[Payload]:
    del number
    frame = source.frame()
    return [frame | {"data": {"site": "Zoë's hütte ☀ 家", **frame["data"]}}]


def _annotated(payload: Payload) -> bytes:
    return b": frame\nid: 7\nevent: live\nretry: 1000\nunknown: field\n" + event(
        payload
    )


def _on_many_lines(payload: Payload) -> bytes:
    lines = json.dumps(payload, indent=1).encode().splitlines()
    return b"".join(b"data: " + line + b"\n" for line in lines) + b"\n"


def _indented(payload: Payload) -> bytes:
    return json.dumps(payload, indent=2).encode() + b"\n"


def _of_another_system(number: int, source: Source) -> list[Payload]:
    del number
    frame = source.frame()
    data = frame["data"]
    return [frame | {"data": data | {"system_id": data["system_id"] + 1}}]


def _with_moment_outside(payload: Payload) -> bytes:
    outside = {key: value for key, value in payload.items() if key != "data"}
    return event(outside | {"data": {"data": payload["data"]}})


def _bytes(data: bytes) -> Iterable[bytes]:
    return (bytes([byte]) for byte in data)


def _sevens(data: bytes) -> Iterable[bytes]:
    return (bytes(piece) for piece in batched(data, 7, strict=False))


def shape_of(fault: Fault | None) -> Shape:
    """Return the shape of a stream with a fault, if any."""
    if fault is None or fault.stream is None:
        return Shape()
    shape = SHAPES[fault.stream]
    return (
        shape if fault.status is None else replace(shape, frames=_failing(fault.status))
    )


SHAPES: dict[StreamFault, Shape] = {
    "absurd": Shape(frames=_absurd),
    "annotated": Shape(encode=_annotated),
    "array": Shape(encode=lambda payload: _json([payload]) + b"\n"),
    "array_in_event": Shape(encode=lambda payload: b"data: " + _json([payload]) + _END),
    "array_streamed": Shape(
        preamble=b"[", encode=lambda payload: _json(payload) + b",", content_type=_JSON
    ),
    "array_wrapped": Shape(
        encode=lambda payload: event(payload | {"data": [payload["data"]]})
    ),
    "bare": Shape(encode=lambda payload: event(payload["data"])),
    "bom": Shape(preamble=b"\xef\xbb\xbf"),
    "byte_by_byte": Shape(pieces=_bytes),
    "clock_ahead": Shape(frames=_stamped(_HOUR)),
    "clock_behind": Shape(frames=_stamped(-_HOUR)),
    "comments": Shape(frames=_none, filler=b": still here\n\n", endless=True),
    "concatenated": Shape(encode=_json),
    "content_type": Shape(content_type="text/plain"),
    "cr": Shape(encode=lambda payload: event(payload).replace(b"\n", b"\r")),
    "crlf": Shape(encode=lambda payload: event(payload).replace(b"\n", b"\r\n")),
    "double_encoded": Shape(
        encode=lambda payload: b"data: " + _json(_json(payload).decode()) + _END
    ),
    "double_wrapped": Shape(encode=lambda payload: event({"data": {"data": payload}})),
    "duplicates": Shape(frames=_twice),
    "empty": Shape(ends_after=0),
    "endless": Shape(endless=True),
    "error_object": Shape(frames=_failing(551)),
    "events_as_json": Shape(content_type=_JSON),
    "flood": Shape(frames=_flood, interval=_FLOOD_INTERVAL),
    "garbage": Shape(encode=lambda _: b"data: {\xff\xfe not json\n\n"),
    "gzip": Shape(gzip=True),
    "html": Shape(encode=lambda _: b"<p>Maintenance</p>\n", content_type="text/html"),
    "indented": Shape(encode=_indented),
    "lines_as_json": Shape(encode=_line, content_type=_JSON),
    "lines_with_length": Shape(encode=_line, content_type=_JSON, length=_MEGABYTE),
    "moment_outside": Shape(encode=_with_moment_outside),
    "multi_line": Shape(encode=_on_many_lines),
    "ndjson": Shape(encode=_line),
    "no_blank_lines": Shape(encode=lambda payload: b"data: " + _line(payload)),
    "no_newline": Shape(preamble=b"data: " + b"x" * _MEGABYTE, frames=_none),
    "other_system": Shape(frames=_of_another_system),
    "out_of_order": Shape(frames=_late_every_other),
    "reset": Shape(ends_after=2, resets=True),
    "silence": Shape(frames=_none, endless=True),
    "sparse": Shape(frames=_bare_minimum),
    "split": Shape(frames=_foreign_letters, pieces=_sevens),
    "success_code": Shape(
        encode=lambda payload: event({"code": 200, "message": "Success", **payload})
    ),
    "text_sequence": Shape(encode=lambda payload: b"\x1e" + _line(payload)),
    "wrapped": Shape(encode=lambda payload: event({"data": payload})),
}
