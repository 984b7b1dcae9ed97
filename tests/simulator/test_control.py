"""Tests of the control endpoint."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from simulator import Flow, System, VirtualClock

from .conftest import NOON, World


async def refused(world: World, method: str, path: str, **options: Any) -> int:
    """Return the status of a refused order."""
    response = await world.client.request(method, f"/_control/{path}", **options)
    return response.status


async def test_actual_values_of_a_moment(world: World, system: System) -> None:
    """Power, and energy of the day and of the lifetime."""
    real = world.cloud.truth(system.system_id)
    response = await world.control("GET", f"truth?system_id={system.system_id}")
    now = real.power(NOON)
    assert response["at"] == NOON.isoformat()
    assert response["power_w"]["production"] == now.production
    assert response["power_w"]["soc"] == now.soc
    midnight = datetime(2026, 6, 17, 7, tzinfo=UTC)
    for flow in Flow:
        assert response["today_wh"][flow] == real.energy(flow, midnight, NOON)
        assert response["lifetime_wh"][flow] == real.lifetime(flow, NOON)
    assert response["published_until"] == "2026-06-17T19:30:00+00:00"
    earlier = await world.control(
        "GET", f"truth?system_id={system.system_id}&at=2026-06-17T10:00:00"
    )
    assert earlier["power_w"]["production"] == 0


async def test_actual_energy_of_an_interval(world: World, system: System) -> None:
    """The energy between two moments."""
    start = int(NOON.timestamp()) - 3_600
    response = await world.control(
        "GET",
        f"truth?system_id={system.system_id}&flow=production"
        f"&start={start}&end={NOON:%Y-%m-%dT%H:%M:%SZ}",
    )
    real = world.cloud.truth(system.system_id)
    energy = real.energy("production", NOON - timedelta(hours=1), NOON)
    assert response == {"flow": "production", "energy_wh": energy}


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
async def test_invalid_requests(
    world: World, system: System, query: str, status: int
) -> None:
    """The response has the reason."""
    path = "truth?" + query.format(system.system_id)
    assert await refused(world, "GET", path) == status


async def test_counts_and_records(world: World, system: System) -> None:
    """Requests and their numbers."""
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


@pytest.mark.usefixtures("without_waiting")
async def test_frames(world: World, system: System) -> None:
    """Live streams and their frames."""
    response = await world.request(f"/{system.system_id}/live_data")
    await response.read()
    response = await world.control("GET", "frames")
    assert response["streams"][0]["frames"] == 30
    assert len(response["frames"]) == 30
    assert response["frames"][0]["payload"]["data"]["system_id"] == system.system_id


async def test_faults(world: World) -> None:
    """Faults are scheduled, listed and removed."""
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
async def test_invalid_faults(world: World, body: Any) -> None:
    """A typing error is refused; the fault would never occur."""
    assert await refused(world, "POST", "faults", json=body) == 400
    assert await refused(world, "POST", "faults", data="{") == 400
    assert await refused(world, "DELETE", "faults/1") == 404
    assert await refused(world, "DELETE", "faults/x") == 404
    assert list(world.cloud.faults) == []


async def test_the_clock_of_a_test_cannot_be_moved(world: World) -> None:
    """Its time is returned."""
    response = await world.control("GET", "clock")
    assert response == {"now": NOON.isoformat(), "speed": 1.0}
    assert await refused(world, "POST", "clock", json={"advance": 1}) == 409


async def test_a_virtual_clock_can_be_moved(world: World) -> None:
    """It can be set, moved and stopped."""
    world.cloud.now = VirtualClock(NOON, speed=0)
    response = await world.control("POST", "clock", {"advance": 90})
    assert response == {"now": "2026-06-17T19:41:30+00:00", "speed": 0}
    response = await world.control("POST", "clock", {"now": "2027-01-01T00:00:00Z"})
    assert response["now"] == "2027-01-01T00:00:00+00:00"
    response = await world.control("POST", "clock", {"speed": 3_600})
    assert response["speed"] == 3_600
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


async def test_access(world: World, system: System) -> None:
    """Another account sees the system while it has access."""
    tenant = world.cloud.add_account(email="tenant@example.com", password="x")
    path = f"systems/{system.system_id}/access"
    body = {"email": tenant.email, "granted": True}
    await world.control("POST", path, body)
    await world.control("POST", path, body)
    assert system.is_visible_to(tenant)
    await world.control("POST", path, {**body, "granted": False})
    assert not system.is_visible_to(tenant)
    unknown = {"email": "nobody@example.com", "granted": True}
    assert await refused(world, "POST", path, json=unknown) == 404


async def test_panels(world: World, system: System) -> None:
    """Energy of panels, and orders to change one."""
    path = f"systems/{system.system_id}/panels"
    response = await world.control("GET", path)
    truth = world.cloud.truth(system.system_id)
    assert sum(panel["energy_wh"] for panel in response) == truth.day(
        "production", date(2026, 6, 16)
    )
    assert {panel["azimuth"] for panel in response} == {0, 90}
    serial = response[4]["serial"]
    order = {"serial": serial, "order": "break", "ratio": 0.6}
    at = "2026-06-16T00:00:00"
    assert await world.control("POST", path, order | {"at": at}) == {"serial": serial}
    broken = await world.control("GET", f"{path}?day=2026-06-16")
    assert broken[4]["ratio"] == 0.6
    assert broken[4]["energy_wh"] < 0.7 * response[4]["energy_wh"]
    for name in ("repair", "silence", "report"):
        await world.control("POST", path, {"serial": serial, "order": name})
    world.clock.advance(minutes=5)
    assert (await world.control("GET", path))[4]["ratio"] == 1
    new = await world.control("POST", path, {"serial": serial, "order": "replace"})
    assert new["serial"] != serial
    await world.control("POST", path, {"serial": new["serial"], "order": "retire"})
    assert len(await world.control("GET", path)) == len(response) - 1


async def test_snow(world: World, system: System) -> None:
    """Snow stays until it is cleared."""
    path = f"systems/{system.system_id}/snow"
    later = NOON + timedelta(hours=1)
    clear = world.cloud.truth(system.system_id).power(later).production
    await world.control("POST", path, {"lies": True})
    assert world.cloud.truth(system.system_id).power(later).production < 0.1 * clear
    await world.control("POST", path, {"lies": False, "at": int(NOON.timestamp())})
    assert world.cloud.truth(system.system_id).power(later).production == clear


async def test_alarms(world: World, system: System) -> None:
    """Alarms are opened, listed and cleared."""
    path = f"systems/{system.system_id}/alarms"
    order = {"type": "micro_silent", "severity": 2, "serials": ["482000000001"]}
    assert await world.control("POST", path, order) == {"number": 1}
    event = {"type": 107, "severity": None}
    assert await world.control("POST", path, event) == {"number": 2}
    document = await world.get(f"/{system.system_id}/open_alarms")
    assert document["alarms"][0]["severity"] == 2
    await world.control("DELETE", f"{path}/1")
    first, second = await world.control("GET", path)
    assert first["end"] == int(NOON.timestamp())
    assert (second["severity"], second["event_type"]["key"]) == (
        None,
        "gateway_restarted",
    )


async def test_statuses_and_batteries(world: World, system: System) -> None:
    """A status is set and reset; a battery is removed."""
    path = f"systems/{system.system_id}"
    documents = f"/{system.system_id}/devices"
    order = {"serial": system.gateway_serial, "status": "error"}
    await world.control("POST", f"{path}/devices", order)
    devices = (await world.get(documents))["devices"]
    assert devices["gateways"][0]["status"] == "error"
    del order["status"]
    await world.control("POST", f"{path}/devices", order)
    part = {"part": "battery 2", "order": "remove"}
    await world.control("POST", f"{path}/parts", part)
    devices = (await world.get(documents))["devices"]
    assert devices["gateways"][0]["status"] == "normal"
    assert len(devices["encharges"]) == 1
    assert await refused(world, "POST", f"{path}/parts", json=part) == 404


@pytest.mark.parametrize(
    ("path", "order", "status"),
    [
        ("panels", {"order": "break"}, 404),
        ("panels", {"order": "explode"}, 400),
        ("panels", {"order": "break", "ratio": "half"}, 400),
        ("panels", {"order": "break", "at": "noon"}, 400),
        ("snow", {"lies": "yes"}, 400),
        ("alarms", {}, 400),
        ("alarms", {"type": "rain"}, 400),
        ("alarms", {"type": "grid_gone", "severity": 7}, 400),
        ("alarms", {"type": "grid_gone", "serials": "all"}, 400),
    ],
)
async def test_invalid_orders_to_devices(
    world: World, system: System, path: str, order: dict[str, Any], status: int
) -> None:
    place = f"systems/{system.system_id}"
    assert await refused(world, "POST", f"{place}/{path}", json=order) == status
    assert await refused(world, "POST", f"systems/7/{path}", json=order) == 404
    assert await refused(world, "DELETE", f"{place}/alarms/1") == 404
    assert await refused(world, "DELETE", f"{place}/alarms/x") == 404
    assert await refused(world, "GET", f"{place}/panels?day=monday") == 400
