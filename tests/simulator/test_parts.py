"""Meters and batteries: installation, removal, missing reports, second gateway."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from simulator import SecondGateway, Storage, System

from .conftest import World

MIDNIGHT = datetime(2026, 6, 18, 7, 30, tzinfo=UTC)
"""00:30 in California."""


@pytest.fixture
def home(world: World) -> System:
    """Return a system whose intervals are complete at once."""
    return world.add_system(corrections=False)


async def latest(world: World, home: System) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of latest_telemetry with a power by kind."""
    document = await world.get(f"/{home.system_id}/latest_telemetry")
    kinds: dict[str, list[dict[str, Any]]] = {}
    for row in document["devices"]["meters"]:
        if row["power"] is not None:
            kinds.setdefault(row["name"], []).append(row)
    if "encharges" in document["devices"]:
        kinds["battery"] = document["devices"]["encharges"]
    return kinds


async def test_without_meters_nothing_is_listed(world: World) -> None:
    """The list is empty."""
    bare = world.add_system(battery=None, meters=())
    document = await world.get(f"/{bare.system_id}/latest_telemetry")
    assert document == {
        "system_id": bare.system_id,
        "items": "devices",
        "devices": {"meters": []},
    }


async def test_a_meter_is_installed_and_removed(world: World) -> None:
    """It is listed in between."""
    bare = world.add_system(battery=None, meters=())
    bare.install_meter("consumption")
    assert (await latest(world, bare)).keys() == {"consumption"}
    bare.remove_meter("consumption")
    assert not await latest(world, bare)


async def test_a_meter_without_reports_keeps_its_power_for_a_week(
    world: World, home: System
) -> None:
    """With its time; then both are null."""
    before = await latest(world, home)
    home.silence("consumption", world.clock())
    world.clock.advance(hours=2)
    after = await latest(world, home)
    assert after["production"] != before["production"]
    (old,), (kept,) = before["consumption"], after["consumption"]
    assert 0 <= kept["last_report_at"] - old["last_report_at"] < 900
    world.clock.advance(days=7)
    world.headers = world.sign_in()
    assert "consumption" not in await latest(world, home)
    home.resume_part("consumption", world.clock())
    world.clock.advance(minutes=20)
    assert "consumption" in await latest(world, home)


async def test_a_replaced_meter_stays_listed(world: World, home: System) -> None:
    """The new one has another id."""
    home.replace_meter("production", world.clock())
    world.clock.advance(hours=1)
    old, new = (await latest(world, home))["production"]
    assert old["id"] != new["id"]
    assert new["last_report_at"] - old["last_report_at"] >= 1_800
    document = await world.get(f"/{home.system_id}/devices")
    (production, _) = document["devices"]["meters"]
    assert production["id"] == new["id"]


async def test_one_of_two_batteries_stops_reporting(world: World, home: System) -> None:
    """The other one continues."""
    home.silence("battery 1", world.clock())
    world.clock.advance(days=2)
    world.headers = world.sign_in()
    silent, speaking = (await latest(world, home))["battery"]
    assert speaking["last_report_at"] - silent["last_report_at"] > 86_400


async def test_batteries_are_removed(world: World, home: System) -> None:
    """Documents only show the intervals of their time."""
    path = f"/{home.system_id}"
    before = (await world.get(f"{path}/telemetry/battery"))["intervals"]
    home.remove_batteries(world.clock())
    world.clock.advance(hours=1)
    assert (await world.get(f"{path}/summary"))["battery_capacity_wh"] == 0
    assert "battery" not in await latest(world, home)
    document = await world.get(f"{path}/devices")
    assert "encharges" not in document["devices"]
    kept = await world.get(f"{path}/telemetry/battery")
    assert kept["intervals"][: len(before)] == before
    assert len(kept["intervals"]) <= len(before) + 1
    assert kept["last_reported_aggregate_soc"] is None
    world.clock.moment = MIDNIGHT
    document = await world.get(f"{path}/telemetry/battery")
    assert document["intervals"] == []
    truth = world.cloud.truth(home.system_id).power(world.clock())
    assert truth.battery == 0
    assert truth.soc is None


async def test_batteries_are_installed(world: World) -> None:
    """They begin with their reserve."""
    home = world.add_system(battery=None, corrections=False)
    path = f"/{home.system_id}"
    assert (await world.get(f"{path}/summary"))["battery_capacity_wh"] == 0
    home.install_batteries(Storage(units=3), world.clock())
    world.clock.advance(hours=1)
    assert (await world.get(f"{path}/summary"))["battery_capacity_wh"] == 15_000
    assert len((await latest(world, home))["battery"]) == 3
    document = await world.get(f"{path}/telemetry/battery")
    assert document["intervals"][0]["soc"]["percent"] >= 20


async def test_an_outage_after_the_removal_of_batteries(
    world: World, home: System
) -> None:
    """Without a battery the panels are off."""
    home.remove_batteries(world.clock())
    world.clock.advance(minutes=10)
    home.start_grid_outage(world.clock())
    world.clock.advance(minutes=10)
    assert world.cloud.truth(home.system_id).power(world.clock()).production == 0


async def test_a_second_gateway_reports_at_other_times(
    world: World, home: System
) -> None:
    """Its parts are always older by the same time."""
    home.second_gateway = SecondGateway(frozenset({"consumption", "battery"}), 400)
    rows = await latest(world, home)
    (production,) = rows["production"]
    for other in (*rows["consumption"], *rows["battery"]):
        assert production["last_report_at"] - other["last_report_at"] == 400
    truth = world.cloud.truth(home.system_id)
    read_at = datetime.fromtimestamp(rows["consumption"][0]["last_report_at"], UTC)
    flows = truth.power(read_at)
    assert rows["consumption"][0]["power"] == flows.production + flows.grid


async def test_a_meter_is_noisy_in_the_dark(world: World, home: System) -> None:
    """Summary and meter show the same few watts of either sign, by night only."""
    home.dark_noise_w = 3
    before = await latest(world, home)
    home.dark_noise_w = 0
    assert before == await latest(world, home)
    home.dark_noise_w = 3
    world.clock.moment = MIDNIGHT
    seen = set()
    for _ in range(8):
        (production,) = (await latest(world, home))["production"]
        summary = await world.get(f"/{home.system_id}/summary")
        assert summary["current_power"] == production["power"]
        assert summary["last_report_at"] - summary["last_interval_end_at"] < 900
        seen.add(production["power"])
        world.clock.advance(minutes=15)
    assert -3 <= min(seen) < 0 < max(seen) <= 3


@pytest.mark.parametrize("part", ["production", "consumption"])
async def test_orders_to_meters(world: World, home: System, part: str) -> None:
    """The control endpoint has the same orders."""
    path = f"systems/{home.system_id}/parts"
    for order in ("silence", "report", "replace"):
        await world.control("POST", path, {"part": part, "order": order})
    world.clock.advance(hours=1)
    assert len((await latest(world, home))[part]) == 2
    await world.control("POST", path, {"part": part, "order": "remove"})
    assert part not in await latest(world, home)
    await world.control("POST", path, {"part": part, "order": "install"})
    assert part in await latest(world, home)


async def test_orders_to_batteries(world: World, home: System) -> None:
    """One may stop reporting; all may be removed and installed."""
    path = f"systems/{home.system_id}/parts"
    await world.control("POST", path, {"part": "battery 1", "order": "silence"})
    await world.control("POST", path, {"part": "battery", "order": "remove"})
    world.clock.advance(minutes=10)
    assert "battery" not in await latest(world, home)
    await world.control("POST", path, {"part": "battery", "order": "install"})
    world.clock.advance(minutes=20)
    assert len((await latest(world, home))["battery"]) == 2


async def test_orders_to_appliances(world: World, home: System) -> None:
    """They are installed, stop and resume reports, and are removed."""
    path = f"systems/{home.system_id}/parts"
    for part, kind in (("heat pump", "heat_pump"), ("charger 38", "ev_chargers")):

        async def order(what: str, part: str = part) -> None:
            await world.control("POST", path, {"part": part, "order": what})

        async def listed(kind: str = kind) -> list[int]:
            document = await world.get(f"/{home.system_id}/devices")
            found = document["devices"].get(kind, [])
            return [each["last_report_at"] for each in found]

        assert await listed() == []
        await order("install")
        (before,) = await listed()
        await order("silence")
        at = int(world.clock().timestamp())
        world.clock.advance(hours=2)
        assert await listed() == [at]
        await order("report")
        world.clock.advance(minutes=30)
        (after,) = await listed()
        assert after > at > before
        await order("remove")
        assert await listed() == []


async def test_orders_to_one_of_several_meters(world: World, home: System) -> None:
    """Only this one stops reporting."""
    home.production_meters = 2
    path = f"systems/{home.system_id}/parts"
    await world.control("POST", path, {"part": "production 2", "order": "silence"})
    world.clock.advance(hours=1)
    document = await world.get(f"/{home.system_id}/devices")
    first, second, _ = document["devices"]["meters"]
    assert first["last_report_at"] > second["last_report_at"]


@pytest.mark.parametrize(
    "order",
    [
        {},
        {"part": "production 2", "order": "remove"},
        {"part": "roof", "order": "silence"},
        {"part": "battery 1", "order": "replace"},
        {"part": "consumption", "order": "explode"},
    ],
)
async def test_invalid_orders(
    world: World, home: System, order: dict[str, str]
) -> None:
    """They are refused."""
    response = await world.client.post(
        f"/_control/systems/{home.system_id}/parts", json=order
    )
    assert response.status == 400


async def test_the_past_does_not_change(world: World, home: System) -> None:
    """Removal of batteries has no effect on earlier energy."""
    truth, now = world.cloud.truth(home.system_id), world.clock()
    start = now.replace(minute=0) - timedelta(hours=12)
    before = truth.energy("import", start, now.replace(minute=0))
    home.remove_batteries(now)
    assert truth.energy("import", start, now.replace(minute=0)) == before
