"""Live streams: frames in every framing, in which something is wrong, and mere bytes.

STREAMS holds the one target, "live streams". Its inputs are the pieces in which a
stream arrives; its check reads them as the client does, shows what they say as the
integration does, and reads them once more in one piece: that must make no difference.
The only documented error is ApiError, which an error inside a stream is.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
import json
from random import Random
from typing import Any, Final, NamedTuple

from custom_components.enphase_cloud.api import ApiError, LiveFrame, StreamSample
from custom_components.enphase_cloud.api.live_frames import LiveFrameReader
from custom_components.enphase_cloud.documents.readings import read_live_frame
from custom_components.enphase_cloud.measurements.samples import (
    NOTHING,
    Source as MeasurementSource,
    advance,
    to_json,
)
from simulator import Cloud
from simulator.errors import RefusalError
from simulator.live_faults import SHAPES
from simulator.live_frames import Source

from .absurd import damaged, spoiled
from .boards import board_with_battery
from .targets import Target

_COUNT: Final = 1_000_000
_NOW: Final = datetime(2026, 6, 21, 10, 7, tzinfo=UTC)
# As the client reads. Between two pieces others run.
_PIECE: Final = 4 * 1024
_SIZE_LIMIT: Final = 4 * _PIECE
# Of an object, that is.
_LARGE_SIZE: Final = 200 * 1024
_STATUSES: Final = (200, 401, 403, 429, 461, 472, 473, 550, 599)
# What a stream is made of, to be put together in any order.
_CRUMBS: Final = (
    *("{", "}", "[", "]", '"', ":", ",", "\\", "\n", "\r", "\r\n", "\n\n", " ", "\x1e"),
    *("data: ", "data:", "data", "event: ", "id: 7\n", ": \n", "\ufeff", "retry: 1\n"),
    *('"data":', '"pv_power":', '"error":', '"code":', '"timestamp_epoch":', "é", "\0"),
    *("{}", "[]", '""', "1679041508556", "-1e999", "null", "true", "NaN", '\\"', "{{"),
)

type _Pieces = list[bytes]


class _Outcome(NamedTuple):
    """What a stream comes to: what follows an error counts for nothing."""

    frames: list[LiveFrame]
    skipped: int | None = None
    sample: StreamSample | None = None
    error: int | None = None


def _cloud() -> tuple[int, dict[str, Any]]:
    """Return a system and a frame of it, as the cloud writes it."""
    cloud = Cloud(lambda: _NOW)
    owner = cloud.add_account(email="owner@example.com", password="secret")
    system = cloud.add_system(owner, battery=2)
    return system.system_id, Source(system, cloud.now).frame()


_SYSTEM_ID, _FRAME = _cloud()
_ENCODERS: Final = [(shape.preamble, shape.encode) for shape in SHAPES.values()]
_spoil: Final = spoiled(_FRAME)


def _stream(random: Random) -> _Pieces:
    """Return the pieces of a stream."""
    if not random.randrange(1_000):
        return list(_cut(_large(random), random))
    make = random.choices(
        (_framed, _mixed, _crumbs, _bytes, _hostile), (50, 20, 20, 8, 2)
    )[0]
    body = make(random)[:_SIZE_LIMIT]
    if not random.randrange(4):
        body = damaged(body, random)
    return list(_cut(body, random))


def _payload(random: Random) -> Any:
    """Return a frame, or an error instead."""
    if random.randrange(12):
        return _spoil(random)
    return RefusalError(random.choice(_STATUSES)).live_body(_NOW)


def _framed(random: Random) -> bytes:
    """Return a stream in one framing."""
    preamble, encode = random.choice(_ENCODERS)
    return preamble + b"".join(
        _encoded(encode, _payload(random)) for _ in range(random.randrange(1, 4))
    )


def _mixed(random: Random) -> bytes:
    """Return a stream that changes its framing from frame to frame."""
    return b"".join(
        _encoded(random.choice(_ENCODERS)[1], _payload(random))
        for _ in range(random.randrange(1, 4))
    )


def _encoded(encode: Callable[[Any], bytes], payload: Any) -> bytes:
    try:
        return encode(payload)
    except AttributeError, KeyError, TypeError, UnicodeEncodeError:
        # What is spoilt has not everything that a framing moves about.
        return json.dumps(payload).encode() + b"\n"


def _crumbs(random: Random) -> bytes:
    crumbs = random.choices(_CRUMBS, k=random.randrange(60))
    return "".join(crumbs).encode()


def _bytes(random: Random) -> bytes:
    return random.randbytes(random.randrange(200))


def _hostile(random: Random) -> bytes:
    """Return a few crumbs, repeated until a reader tires."""
    pattern = "".join(random.choices(_CRUMBS, k=random.randrange(1, 5))).encode()
    return _crumbs(random) + pattern * (_SIZE_LIMIT // len(pattern))


def _large(random: Random) -> bytes:
    """Return a single object of a size that no frame has."""
    filling = json.dumps(
        random.choice((_FRAME, _FRAME["data"], 7, "x" * 99, "\\" * 99))
    )
    items = ",".join([filling] * (_LARGE_SIZE // (len(filling) + 1)))
    name = random.choice(("data", "pv_power", "error"))
    return f'{{"{name}":[{items}]}}'.encode()


def _cut(body: bytes, random: Random) -> Iterator[bytes]:
    most = random.choice((7, 400, _PIECE)) if len(body) <= _PIECE else _PIECE
    at = 0
    while at < len(body):
        size = random.randrange(1, most + 1) if most < _PIECE else most
        yield body[at : at + size]
        at += size


def _read(pieces: _Pieces) -> None:
    """Read a stream, and show and store what it says."""
    outcome = _outcome(pieces)
    samples, board = NOTHING, board_with_battery()
    for frame in outcome.frames:
        samples = advance(samples, read_live_frame(frame, board), now=_NOW)
        board.put(MeasurementSource.LIVE, samples)
    json.dumps(to_json(samples), allow_nan=False)
    if sum(map(len, pieces)) <= _PIECE:
        assert outcome == _outcome([b"".join(pieces)]), "The cuts make a difference"


def _outcome(pieces: _Pieces) -> _Outcome:
    reader = LiveFrameReader(_SYSTEM_ID)
    frames: list[LiveFrame] = []
    error: int | None = None
    try:
        for piece in pieces:
            frames.extend(reader.polled(piece))
        reader.close()
    except ApiError as err:
        error = err.status
    sample = reader.sample("text/event-stream")
    assert str(_SYSTEM_ID) not in sample.beginning
    if error is None:
        return _Outcome(frames, reader.skipped, sample)
    return _Outcome(frames, error=error)


STREAMS: Final = (
    Target(
        name="live streams",
        count=_COUNT,
        generate=_stream,
        run=_read,
    ),
)
