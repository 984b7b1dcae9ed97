"""Live streams of server-sent events."""

from contextlib import suppress
from dataclasses import dataclass
import zlib

from aiohttp import hdrs, web

from .cloud import Cloud
from .connections import Connection
from .errors import RefusalError
from .faults import Fault
from .live_faults import Shape, shape_of
from .live_frames import Payload, Source, unsupported
from .moments import epoch
from .records import Frame, Stream
from .world import Application, System

_DEFAULT_DURATION = "30"
_SHORTEST, _LONGEST = 30, 300
_GZIP = 16 + zlib.MAX_WBITS


def duration_of(request: web.Request) -> int:
    """Return the requested duration in seconds, or refuse."""
    text = request.headers.get("duration", _DEFAULT_DURATION)
    try:
        duration = int(text)
    except ValueError:
        raise RefusalError(463) from None
    if duration < _SHORTEST:
        raise RefusalError(461)
    if duration > _LONGEST:
        raise RefusalError(462)
    return duration


def check(cloud: Cloud, system: System) -> None:
    """Refuse a system that cannot stream now."""
    if refusal := unsupported(system):
        raise refusal
    if system.is_offline(epoch(cloud.now())):
        raise RefusalError(473)


async def stream(
    cloud: Cloud,
    request: web.Request,
    *,
    connection: Connection,
    system: System,
    application: Application,
    fault: Fault | None,
) -> web.StreamResponse:
    """Stream a frame a second for the requested duration, and bill it."""
    duration = duration_of(request)
    check(cloud, system)
    record = Stream(
        opened_at=cloud.now(),
        system_id=system.system_id,
        application=application.client_id,
        duration=duration,
    )
    cloud.streams.append(record)
    shape = shape_of(fault)
    response = web.StreamResponse(
        headers={
            hdrs.CONTENT_TYPE: shape.content_type,
            hdrs.CACHE_CONTROL: "no-cache",
            **({hdrs.CONTENT_ENCODING: "gzip"} if shape.gzip else {}),
        }
    )
    response.content_length = shape.length
    await response.prepare(request)
    try:
        with suppress(ConnectionResetError):
            await _Stream(cloud, system, record, shape, response, connection).run()
    finally:
        record.closed_at = cloud.now()
    return response


@dataclass(frozen=True, slots=True)
class _Stream:
    """An open stream."""

    cloud: Cloud
    system: System
    record: Stream
    shape: Shape
    response: web.StreamResponse
    connection: Connection

    async def run(self) -> None:
        """Send all frames, until the time is over or the client disconnects."""
        shape, cloud = self.shape, self.cloud
        interval = shape.interval or cloud.live_interval
        source = Source(self.system, cloud.now)
        packed = zlib.compressobj(wbits=_GZIP) if shape.gzip else None
        size = len(shape.preamble)
        await self._write(shape.preamble)
        number = 0
        while self._continues(number, interval):
            data = shape.filler + b"".join(
                map(shape.encode, self._published(number, source))
            )
            if packed is not None:
                data = packed.compress(data) + packed.flush(zlib.Z_SYNC_FLUSH)
            size += len(data)
            await self._write(data)
            await self.connection.wait(cloud.sleep(interval))
            number += 1
        if shape.length is not None:
            await self.response.write(b" " * (shape.length - size))
        if shape.resets:
            await self._write(shape.encode(source.frame())[:40])
            self.connection.drop()

    def _continues(self, number: int, interval: float) -> bool:
        shape = self.shape
        if not self.connection.is_open or number == shape.ends_after:
            return False
        if self.system.is_offline(epoch(self.cloud.now())):
            return False
        return shape.endless or number * interval < self.record.duration

    def _published(self, number: int, source: Source) -> list[Payload]:
        """Return the payloads of a tick and record them."""
        payloads = self.shape.frames(number, source)
        at, system_id = self.cloud.now(), self.system.system_id
        self.cloud.frames.extend(
            Frame(at=at, system_id=system_id, payload=payload) for payload in payloads
        )
        self.record.frames += len(payloads)
        return payloads

    async def _write(self, data: bytes) -> None:
        for piece in self.shape.pieces(data):
            await self.response.write(piece)
