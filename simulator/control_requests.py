"""Readers of control requests, and their responses."""

from datetime import UTC, datetime
import json
from typing import Any

from aiohttp import web

from .cloud import Cloud
from .physics import Flow
from .world import System


def system_of(cloud: Cloud, system_id: str | None) -> System:
    """Return a system, or refuse."""
    known = {str(system.system_id): system for system in cloud.systems}
    if system_id not in known:
        raise not_found("No such system")
    return known[system_id]


async def body(request: web.Request) -> dict[str, Any]:
    """Return the JSON object of a request, or refuse."""
    try:
        order = json.loads(await request.text() or "{}")
    except ValueError:
        order = None
    if not isinstance(order, dict):
        raise bad_request("The body is a JSON object")
    return order


async def switch(request: web.Request, name: str) -> bool:
    """Return a boolean member of the body of a request, or refuse."""
    state = (await body(request)).get(name)
    if not isinstance(state, bool):
        raise bad_request(f"{name} is true or false")
    return state


def flow(text: str) -> Flow:
    """Return a flow, or refuse."""
    try:
        return Flow(text)
    except ValueError:
        raise bad_request(f"flow is one of: {', '.join(Flow)}") from None


def moment(text: str | None) -> datetime:
    """Return a moment, or refuse."""
    try:
        if text and text.isdecimal():
            return from_epoch(int(text))
        value = datetime.fromisoformat(text or "")
    except ValueError:
        raise bad_request("A moment is ISO or epoch seconds") from None
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def from_epoch(seconds: int) -> datetime:
    """Return the moment of epoch seconds."""
    return datetime.fromtimestamp(seconds, UTC)


def json_response(value: object, status: int = 200) -> web.Response:
    """Return a JSON response."""
    text = json.dumps(value, default=datetime.isoformat)
    return web.Response(text=text, status=status, content_type="application/json")


def bad_request(reason: str) -> web.HTTPBadRequest:
    """Return the refusal of an invalid order."""
    return web.HTTPBadRequest(text=reason)


def not_found(reason: str) -> web.HTTPNotFound:
    """Return the refusal of an order to something that does not exist."""
    return web.HTTPNotFound(text=reason)


def conflict(reason: str) -> web.HTTPConflict:
    """Return the refusal of an order that is impossible in the current state."""
    return web.HTTPConflict(text=reason)
