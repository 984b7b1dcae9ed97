"""Tests of the control endpoint."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from simulator import Flow, System, VirtualClock

from .conftest import NOON, World


async def refused(world: World, method: str, path: str, **options: Any) -> int:
    """Return the status of a refused order."""
    response = await world.client.request(method, f"/_control/{path}", **options)
    return response.status


async def test_truth_of_a_moment(world: World, system: System) -> None:
    """Control tells powers, and energies of the day and of all days."""
    real = world.cloud.truth(system.system_id)
    told = await world.control("GET", f"truth?system_id={system.system_id}")
    now = real.power(NOON)
    assert told["at"] == NOON.isoformat()
    assert told["power_w"]["production"] == now.production
    assert told["power_w"]["soc"] == now.soc
    midnight = datetime(2026, 6, 17, 7, tzinfo=UTC)
    for flow in Flow:
        assert told["today_wh"][flow] == real.energy(flow, midnight, NOON)
        assert told["lifetime_wh"][flow] == real.lifetime(flow, NOON)
    assert told["published_until"] == "2026-06-17T19:30:00+00:00"
    earlier = await world.control(
        "GET", f"truth?system_id={system.system_id}&at=2026-06-17T10:00:00"
    )
    assert earlier["power_w"]["production"] == 0


async def test_truth_of_an_interval(world: World, system: System) -> None:
    """Control tells the energy between two moments."""
    start = int(NOON.timestamp()) - 3_600
    told = await world.control(
        "GET",
        f"truth?system_id={system.system_id}&flow=production"
        f"&start={start}&end={NOON:%Y-%m-%dT%H:%M:%SZ}",
    )
    real = world.cloud.truth(system.system_id)
    energy = real.energy("production", NOON - timedelta(hours=1), NOON)
    assert told == {"flow": "production", "energy_wh": energy}


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 404),
        ("system_id=7", 404),
        ("system_id={0}&at=noon", 400),
        ("system_id={0}&flow=water", 400),
        ("system_id={0}&flow=import&start=300", 400),
        ("system_id={0}&flow=import&start=1&end=300", 400),
    ],
)
async def test_questions_without_answer(
    world: World, system: System, query: str, status: int
) -> None:
    """Control says what is wrong with a question."""
    path = "truth?" + query.format(system.system_id)
    assert await refused(world, "GET", path) == status


async def test_counts_and_records(world: World, system: System) -> None:
    """Control tells what arrived."""
    await world.get("")
    await world.get(f"/{system.system_id}/summary")
    counts = await world.control("GET", "counts")
    assert counts == {
        "operations": {"systems": 1, "summary": 1},
        "quota": {"client": {"minute": 2, "month": 2}},
        "streams": 0,
        "live_cost_usd": 0,
    }
    counts = await world.control("GET", "counts?client_id=other")
    assert counts["operations"] == {}
    requests = await world.control("GET", "requests")
    assert [request["operation"] for request in requests] == ["systems", "summary"]
    assert requests[0]["at"] == NOON.isoformat()
    assert requests[1]["system_id"] == system.system_id


@pytest.mark.usefixtures("hasty")
async def test_frames(world: World, system: System) -> None:
    """Control tells the live streams and their frames."""
    response = await world.request(f"/{system.system_id}/live_data")
    await response.read()
    told = await world.control("GET", "frames")
    assert told["streams"][0]["frames"] == 30
    assert len(told["frames"]) == 30
    assert told["frames"][0]["payload"]["data"]["system_id"] == system.system_id


async def test_faults(world: World) -> None:
    """Control orders, lists and withdraws faults."""
    order = {"operation": "systems", "status": 503, "times": 5}
    assert await world.control("POST", "faults", order) == {"number": 1}
    assert await world.control("POST", "faults", {"hang": True}) == {"number": 2}
    assert (await world.request("")).status == 503
    first, second = await world.control("GET", "faults")
    assert first.items() >= (order | {"hits": 1}).items()
    assert second["hang"] is True
    await world.control("DELETE", "faults/1")
    await world.control("DELETE", "faults")
    assert await world.control("GET", "faults") == []
    await world.get("")


@pytest.mark.parametrize(
    "body",
    [
        {"color": "red"},
        {"stream": "sideways"},
        {"cut": "everywhere"},
        {"body": 7},
        [],
    ],
)
async def test_orders_that_make_no_sense(world: World, body: Any) -> None:
    """A typing error does not become a fault that never happens."""
    assert await refused(world, "POST", "faults", json=body) == 400
    assert await refused(world, "POST", "faults", data="{") == 400
    assert await refused(world, "DELETE", "faults/1") == 404
    assert await refused(world, "DELETE", "faults/x") == 404
    assert list(world.cloud.faults) == []


async def test_clock_that_stands(world: World) -> None:
    """A test's clock is told but not moved."""
    told = await world.control("GET", "clock")
    assert told == {"now": NOON.isoformat(), "speed": 1.0}
    assert await refused(world, "POST", "clock", json={"advance": 1}) == 409


async def test_clock_that_moves(world: World) -> None:
    """A virtual clock can be set, moved and stopped."""
    world.cloud.now = VirtualClock(NOON, speed=0)
    told = await world.control("POST", "clock", {"advance": 90})
    assert told == {"now": "2026-06-17T19:41:30+00:00", "speed": 0}
    told = await world.control("POST", "clock", {"now": "2027-01-01T00:00:00Z"})
    assert told["now"] == "2027-01-01T00:00:00+00:00"
    told = await world.control("POST", "clock", {"speed": 3_600})
    assert told["speed"] == 3_600
    assert world.cloud.now() >= datetime(2027, 1, 1, tzinfo=UTC)


async def test_revocation(world: World) -> None:
    """Tokens of one owner or of all are revoked."""
    world.cloud.add_account(email="other@example.com", password="x")
    await world.control("POST", "tokens/revoke", {"email": "other@example.com"})
    await world.get("")
    await world.control("POST", "tokens/revoke", {"only": "access"})
    assert (await world.request("")).status == 401
    await world.control("POST", "tokens/revoke")
    assert (await world.request("")).status == 401


async def test_switches(world: World, system: System) -> None:
    """Grid, gateway and reports are switched off and on."""
    path = f"systems/{system.system_id}"
    real = world.cloud.truth(system.system_id)
    later = NOON + timedelta(hours=1)
    await world.control("POST", f"{path}/grid", {"outage": True})
    assert not real.power(later).on_grid
    await world.control("POST", f"{path}/grid", {"outage": False})
    assert real.power(later).on_grid
    await world.control("POST", f"{path}/gateway", {"offline": True})
    assert system.is_offline(int(later.timestamp()))
    await world.control("POST", f"{path}/gateway", {"offline": False})
    assert not system.is_offline(int(later.timestamp()))
    await world.control("POST", f"{path}/uploads", {"paused": True})
    world.clock.advance(hours=5)
    assert (await world.get(f"/{system.system_id}"))["status"] == "comm"
    await world.control("POST", f"{path}/uploads", {"paused": False})
    world.clock.advance(minutes=20)
    assert (await world.get(f"/{system.system_id}"))["status"] == "normal"


async def test_switches_are_true_or_false(world: World, system: System) -> None:
    """Anything else is refused, and so is a system that does not exist."""
    path = f"systems/{system.system_id}/grid"
    assert await refused(world, "POST", path, json={"outage": "yes"}) == 400
    body = {"outage": True}
    assert await refused(world, "POST", "systems/7/grid", json=body) == 404
