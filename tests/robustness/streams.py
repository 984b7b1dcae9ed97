"""Live streams: spoilt frames in every framing, and random bytes.

They are read in pieces as the client does, and shown as the integration does. A second
reading in one piece must give the same result.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
import json
from random import Random
from typing import Any, Final

from custom_components.enphase_cloud.api import ApiError, LiveFrame
from custom_components.enphase_cloud.api.live_frames import LiveFrameReader
from custom_components.enphase_cloud.documents.readings import read_live_frame
from custom_components.enphase_cloud.measurements.catalog import (
    Source as MeasurementSource,
)
from custom_components.enphase_cloud.measurements.samples import (
    NOTHING,
    advance,
    to_json,
)
from simulator import Cloud
from simulator.errors import RefusalError
from simulator.live_faults import SHAPES
from simulator.live_frames import Source

from .absurd import damaged, spoiled
from .targets import Target, board_with_battery

_COUNT: Final = 1_000_000
_NOW: Final = datetime(2026, 6, 21, 10, 7, tzinfo=UTC)
# The client's size of pieces; other tasks run between two of them.
_PIECE: Final = 4 * 1024
_SIZE_LIMIT: Final = 4 * _PIECE
# The size of a single object.
_LARGE_SIZE: Final = 200 * 1024
_STATUSES: Final = (200, 401, 403, 429, 461, 472, 473, 550, 599)
# Parts of a stream, to be joined in any order.
_CRUMBS: Final = (
    *("{", "}", "[", "]", '"', ":", ",", "\\", "\n", "\r", "\r\n", "\n\n", " ", "\x1e"),
    *("data: ", "data:", "data", "event: ", "id: 7\n", ": \n", "\ufeff", "retry: 1\n"),
    *('"data":', '"pv_power":', '"error":', '"code":', '"timestamp_epoch":', "é", "\0"),
    *("{}", "[]", '""', "1679041508556", "-1e999", "null", "true", "NaN", '\\"', "{{"),
)

type _Pieces = list[bytes]


def _cloud() -> tuple[int, dict[str, Any]]:
    """Return a system's id and one of its frames, as the cloud sends it."""
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
    make = random.choices((_framed, _crumbs, _bytes, _hostile), (70, 20, 8, 2))[0]
    body = make(random)[:_SIZE_LIMIT]
    if not random.randrange(4):
        body = damaged(body, random)
    return list(_cut(body, random))


def _framed(random: Random) -> bytes:
    """Return frames, or errors in their place, in one framing or in several."""
    encoders = random.choices(_ENCODERS, k=random.randrange(1, 4))
    if random.randrange(3):
        encoders = encoders[:1] * len(encoders)
    body = encoders[0][0]
    for _, encode in encoders:
        payload = _spoil(random)
        if not random.randrange(12):
            payload = RefusalError(random.choice(_STATUSES)).live_body(_NOW)
        try:
            body += encode(payload)
        except AttributeError, KeyError, TypeError, UnicodeEncodeError:
            # A spoilt frame may lack the members that a framing needs.
            body += json.dumps(payload).encode() + b"\n"
    return body


def _crumbs(random: Random) -> bytes:
    crumbs = random.choices(_CRUMBS, k=random.randrange(60))
    return "".join(crumbs).encode()


def _bytes(random: Random) -> bytes:
    return random.randbytes(random.randrange(200))


def _hostile(random: Random) -> bytes:
    """Return a few parts, repeated up to the size limit."""
    pattern = "".join(random.choices(_CRUMBS, k=random.randrange(1, 5))).encode()
    return _crumbs(random) + pattern * (_SIZE_LIMIT // len(pattern))


def _large(random: Random) -> bytes:
    """Return a single object that is larger than any frame."""
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
    """Read a stream, show its values and store them."""
    outcome = _outcome(pieces)
    samples, board = NOTHING, board_with_battery()
    for frame in outcome[0]:
        samples = advance(samples, read_live_frame(frame, board), now=_NOW)
        board.put(MeasurementSource.LIVE, samples)
    json.dumps(to_json(samples), allow_nan=False)
    if sum(map(len, pieces)) <= _PIECE:
        assert outcome == _outcome([b"".join(pieces)]), (
            "The result depends on the pieces"
        )


def _outcome(pieces: _Pieces) -> tuple[list[LiveFrame], object]:
    """Return a stream's frames, and the status of its error or what was skipped.

    Data after an error is ignored.
    """
    reader = LiveFrameReader(_SYSTEM_ID)
    frames: list[LiveFrame] = []
    error: int | None = None
    try:
        for piece in pieces:
            frames.extend(reader.feed(piece))
        reader.close()
    except ApiError as err:
        error = err.status
    sample = reader.sample("text/event-stream")
    assert str(_SYSTEM_ID) not in sample.beginning
    return frames, (reader.skipped, sample) if error is None else error


STREAMS: Final = (Target("live streams", _COUNT, _stream, _read, documented=()),)
