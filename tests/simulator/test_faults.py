"""Faults affect the matching requests as often as scheduled."""

import json
from typing import Any

from aiohttp import ClientPayloadError, ClientTimeout, ServerDisconnectedError
import pytest

from simulator import Fault, System

from .conftest import World


async def statuses(world: World, path: str, count: int) -> list[int]:
    """Return the statuses of several requests."""
    return [(await world.request(path)).status for _ in range(count)]


async def test_a_status_as_often_as_ordered(world: World) -> None:
    """A fault skips requests, then affects some, and is removed."""
    fault = world.cloud.faults.add(Fault(status=503, skip=1, times=2))
    assert await statuses(world, "", 4) == [200, 503, 503, 200]
    assert fault.hits == 2
    assert list(world.cloud.faults) == []
    world.cloud.faults.remove(fault)


async def test_a_fault_until_it_is_removed(world: World) -> None:
    """Without `times` a fault stays."""
    fault = world.cloud.faults.add(Fault(status=500))
    assert await statuses(world, "", 3) == [500] * 3
    world.cloud.faults.remove(fault)
    assert await statuses(world, "", 1) == [200]


async def test_a_fault_of_an_operation_and_a_system(
    world: World, system: System
) -> None:
    """Patterns and system ids limit the affected requests."""
    other = world.add_system()
    world.cloud.faults.add(
        Fault(operation="telemetry_*", system_id=system.system_id, status=500)
    )
    assert await statuses(world, f"/{system.system_id}/telemetry/battery", 1) == [500]
    assert await statuses(world, f"/{system.system_id}/summary", 1) == [200]
    assert await statuses(world, f"/{other.system_id}/telemetry/battery", 1) == [200]


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (401, "Not Authorized"),
        (403, "Forbidden"),
        (404, "Not Found"),
        (422, "Unprocessable Entity"),
        (500, "Internal Server Error"),
        (503, "Service Unavailable"),
        (599, "Error"),
    ],
)
async def test_bodies_of_refusals(world: World, status: int, message: str) -> None:
    """A refusal by a fault has the documented body."""
    world.cloud.faults.add(Fault(status=status, details="Because"))
    _, body = await world.refusal("")
    assert body == {"message": message, "details": "Because", "code": status}
    (request,) = world.cloud.requests
    assert (request.status, request.counted) == (status, True)


@pytest.mark.parametrize("period", ["minute", "month"])
async def test_a_fault_can_use_up_a_quota(world: World, period: Any) -> None:
    """Although calls are left."""
    world.cloud.faults.add(Fault(quota=period, times=1))
    status, body = await world.refusal("")
    assert (status, body["period"]) == (429, period)
    now = world.clock().timestamp()
    assert body["period_start"] <= now < body["period_end"]
    assert await statuses(world, "", 1) == [200]


async def test_delay(world: World) -> None:
    """A response may be late."""
    slept = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    world.cloud.sleep = sleep
    world.cloud.faults.add(Fault(delay=9.5, times=1))
    assert await statuses(world, "", 2) == [200, 200]
    assert slept == [9.5]


async def test_no_response(world: World) -> None:
    """A response may never arrive; the client needs a timeout."""
    world.cloud.faults.add(Fault(hang=True))
    with pytest.raises(TimeoutError):
        await world.client.get(
            "/api/v4/systems", headers=world.headers, timeout=ClientTimeout(total=0.2)
        )
    await world.cloud.connections.until_idle()
    (request,) = world.cloud.requests
    assert request.counted


async def test_connection_breaks_before_the_response(world: World) -> None:
    """No byte of the response arrives."""
    world.cloud.faults.add(Fault(cut="before_headers", times=1))
    with pytest.raises(ServerDisconnectedError):
        await world.request("")
    assert await statuses(world, "", 1) == [200]


@pytest.mark.parametrize("cut", ["after_headers", "mid_body"])
async def test_connection_breaks_within_the_response(world: World, cut: Any) -> None:
    """The connection may break after the headers, or within the body."""
    world.cloud.faults.add(Fault(cut=cut, times=1))
    response = await world.request("")
    assert response.status == 200
    with pytest.raises(ClientPayloadError):
        await response.read()


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("html", "text/html"),
        ("empty", "application/json"),
        ("not_json", "application/json"),
        ("list", "application/json"),
        ("wrong_types", "application/json"),
        ("huge", "application/json"),
    ],
)
async def test_invalid_body(world: World, body: Any, content_type: str) -> None:
    """A response with status 200 may have any body."""
    world.cloud.faults.add(Fault(body=body))
    response = await world.request("")
    assert (response.status, response.content_type) == (200, content_type)
    text = await response.text()
    if body in {"html", "empty", "not_json"}:
        with pytest.raises(ValueError, match="Expecting"):
            json.loads(text)
    elif body == "huge":
        assert len(text) > 8_000_000
    else:
        assert json.loads(text) is not None


async def test_invalid_body_with_a_status(world: World) -> None:
    """Proxies respond with HTML if the cloud is down."""
    world.cloud.faults.add(Fault(status=502, body="html", times=1))
    response = await world.request("")
    assert (response.status, response.content_type) == (502, "text/html")
    world.cloud.faults.add(Fault(status=418, raw="short and stout", times=1))
    response = await world.request("")
    assert (response.status, await response.text()) == (418, "short and stout")


async def test_redirect(world: World) -> None:
    """The cloud may redirect."""
    world.cloud.faults.add(Fault(redirect="http://127.0.0.1:9/"))
    response = await world.request("")
    assert (response.status, response.headers["Location"]) == (
        302,
        "http://127.0.0.1:9/",
    )


async def distorted(world: World, path: str, data: Any) -> tuple[Any, Any]:
    """Return a document without and with a fault."""
    true = await world.get(path)
    world.cloud.faults.clear()
    world.cloud.faults.add(Fault(data=data))
    faulty = await world.get(path)
    world.cloud.faults.clear()
    return true, faulty


@pytest.mark.parametrize(
    ("data", "value"),
    [
        ("zero", 0),
        ("null", None),
        ("absurd", 10**12),
    ],
)
async def test_distorted_numbers(
    world: World, system: System, data: str, value: Any
) -> None:
    """All energy and power is distorted, nothing else."""
    path = f"/{system.system_id}/energy_lifetime"
    true, faulty = await distorted(world, path, data)
    assert faulty["production"] == [value] * 10
    assert faulty | {"production": 0} == true | {"production": 0}
    path = f"/{system.system_id}/telemetry/battery"
    true, faulty = await distorted(world, path, data)
    assert faulty["intervals"][0]["charge"]["enwh"] == value
    assert faulty["intervals"][0]["soc"]["percent"] == value
    assert faulty["intervals"][0]["end_at"] == true["intervals"][0]["end_at"]
    path = f"/{system.system_id}/storage_meter_readings"
    _, faulty = await distorted(world, path, data)
    assert faulty["meter_readings"][0]["value_charged"] == value


async def test_invalid_numbers(world: World, system: System) -> None:
    """Readings may decrease, be text, or be negative."""
    path = f"/{system.system_id}/summary"
    true, faulty = await distorted(world, path, "dip")
    assert faulty["energy_lifetime"] == true["energy_lifetime"] // 2
    true, faulty = await distorted(world, path, "strings")
    assert faulty["energy_today"] == str(true["energy_today"])
    _, faulty = await distorted(world, path, "negative")
    assert faulty["current_power"] < 0
    path = f"/{system.system_id}/latest_telemetry"
    _, faulty = await distorted(world, path, "zero")
    powers = [row["power"] for row in faulty["devices"]["meters"]]
    assert powers == [0, None, None, 0, None, None]


async def test_repeats_and_gaps(world: World, system: System) -> None:
    """All intervals may be repeated, or every second one may be missing."""
    for path in ("telemetry/battery", "energy_import_telemetry"):
        nested = path == "energy_import_telemetry"
        where = f"/{system.system_id}/{path}"
        true, faulty = await distorted(world, where, "repeat")
        intervals, repeated = true["intervals"], faulty["intervals"]
        if nested:
            (intervals,), (repeated,) = intervals, repeated
        assert repeated[::2] == repeated[1::2] == intervals
        _, faulty = await distorted(world, where, "gap")
        (kept,) = faulty["intervals"] if nested else (faulty["intervals"],)
        assert kept == intervals[::2]
    true, faulty = await distorted(world, f"/{system.system_id}/summary", "repeat")
    assert faulty == true
