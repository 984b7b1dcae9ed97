"""Applies a fault to a request."""

import json

from aiohttp import hdrs, web

from .cloud import Cloud
from .connections import Connection
from .errors import RefusalError
from .faults import BodyFault, Cut, Fault

_HUGE = 8 * 1024 * 1024
_HALF_A_BODY = b'{"system_id": 42'

_BODIES: dict[BodyFault, tuple[str, str]] = {
    "html": (
        "text/html",
        "<!DOCTYPE html><title>Maintenance</title><h1>We will be back soon</h1>",
    ),
    "empty": ("application/json", ""),
    "not_json": ("application/json", _HALF_A_BODY.decode()),
    "list": ("application/json", "[]"),
    "wrong_types": (
        "application/json",
        json.dumps(
            {
                "access_token": 5,
                "data": [True],
                "devices": 7,
                "energy_today": {},
                "intervals": "none",
                "meter_readings": 1.5,
                "production": {"a": []},
                "system_id": "none",
                "systems": {"0": None},
            }
        ),
    ),
}


async def apply(
    cloud: Cloud, fault: Fault, request: web.Request, connection: Connection
) -> web.StreamResponse | None:
    """Apply a fault; return the response that replaces the correct one, if any."""
    if fault.delay:
        await cloud.sleep(fault.delay)
    if fault.hang:
        await connection.until_closed()
    if fault.hang or fault.cut:
        return await _cut(fault.cut or "before_headers", request, connection)
    response = _ordered_response(fault)
    if response is None and fault.status is not None and fault.stream is None:
        raise RefusalError(fault.status, fault.details)
    return response


def _ordered_response(fault: Fault) -> web.Response | None:
    """Return the undocumented response of a fault, if it has one."""
    if fault.redirect is not None:
        return web.Response(status=302, headers={hdrs.LOCATION: fault.redirect})
    if fault.raw is not None:
        return web.Response(
            status=fault.status or 200,
            text=fault.raw,
            content_type="application/json",
        )
    if fault.body is not None:
        content_type, text = _nonsense(fault.body)
        return web.Response(
            status=fault.status or 200, text=text, content_type=content_type
        )
    return None


def _nonsense(body: BodyFault) -> tuple[str, str]:
    """Return content type and text of a body."""
    if body == "huge":
        return "application/json", '{"padding": "' + "x" * _HUGE + '"}'
    return _BODIES[body]


async def _cut(
    where: Cut, request: web.Request, connection: Connection
) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    response.content_length = 1_000
    if where != "before_headers":
        await response.prepare(request)
    if where == "mid_body":
        await response.write(_HALF_A_BODY)
    connection.drop()
    return response
