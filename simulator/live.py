"""Live data: a stream of server-sent events."""

import json

from aiohttp import web

from .cloud import Cloud
from .connections import Connection
from .errors import RefusalError, timestamps
from .faults import Fault
from .live_support import unsupported
from .moments import epoch
from .physics import power
from .records import Frame, Stream
from .world import Application, System

_DEFAULT_DURATION = "30"
_SHORTEST, _LONGEST = 30, 300

type Payload = dict[str, object]


def duration_of(request: web.Request) -> int:
    """Return the requested duration in seconds or refuse."""
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
    """Refuse to stream what cannot be streamed now."""
    if refusal := unsupported(system):
        raise refusal
    if system.is_offline(epoch(cloud.now())):
        raise RefusalError(473)


def payload(cloud: Cloud, system: System) -> Payload:
    """Return what flows now, as the stream writes it.

    Without a battery its fields are absent.
    """
    now = cloud.now()
    flows = power(system.plant, now.timestamp())
    data: Payload = {
        "consumption_power": flows.consumption,
        "envoy_serial_number": [system.gateway_serial],
        "generator_power": flows.generator,
        "grid_power": flows.grid,
        "grid_status": "On Grid" if flows.on_grid else "Off Grid",
        "pv_power": flows.production,
        "system_id": system.system_id,
    }
    if system.plant.storage is not None and flows.soc is not None:
        data["battery_mode"] = system.plant.storage.mode
        data["battery_power"] = flows.battery
        data["battery_soc"] = round(flows.soc)
    return {"type": "response", **timestamps(now), "data": data}


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
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"}
    )
    await response.prepare(request)
    try:
        for _ in range(int(duration / cloud.live_interval)):
            frame = payload(cloud, system)
            cloud.frames.append(
                Frame(at=cloud.now(), system_id=system.system_id, payload=frame)
            )
            record.frames += 1
            await response.write(b"data: " + json.dumps(frame).encode() + b"\n\n")
            await connection.wait(cloud.sleep(cloud.live_interval))
            if not connection.is_open:
                break
    except ConnectionResetError:
        pass
    finally:
        record.closed_at = cloud.now()
    return response
