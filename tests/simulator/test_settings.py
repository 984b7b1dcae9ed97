"""Settings of a system: documents and writes."""

import asyncio
from contextlib import suppress
from typing import Any
from unittest.mock import ANY

from aiohttp import ClientError
import pytest

from simulator import Fault, Load, Settings, System

from .conftest import World

NINE = {"reserve_soc": 9}
LOADS = (
    Load(name="NC1", load_name="Pump"),
    Load(name="NC2", load_name="Oven", owner_can_override=False),
)


@pytest.fixture(autouse=True)
def megawatt(world: World) -> None:
    """Use an application with the access control of settings."""
    application = world.cloud.add_application(
        client_id="mega", client_secret="secret", api_key="mega", plan="megawatt"
    )
    world.headers = world.sign_in(application)


@pytest.fixture
def system(world: World) -> System:
    """Return a system with batteries and two loads."""
    system = world.add_system()
    system.settings = Settings(loads=LOADS)
    return system


def path(system: System, setting: str = "battery_settings") -> str:
    """Return the path of a setting."""
    return f"/config/{system.system_id}/{setting}"


async def put(world: World, path: str, **body: object) -> Any:
    """Write a setting and return the response."""
    response = await world.request(path, method="PUT", body=body)
    document = await response.json()
    assert response.status == 200, document
    return document


async def refused(world: World, path: str, body: object) -> str:
    """Return the details of a refused write."""
    status, document = await world.refusal(path, method="PUT", body=body)
    assert status == 422
    assert document["message"] == "Unprocessable Entity"
    return str(document["details"])


async def test_battery_settings(world: World, system: System) -> None:
    """A mode has spaces in documents, and lower case in responses to writes."""
    expected = {
        "system_id": system.system_id,
        "battery_mode": "Self - Consumption",
        "reserve_soc": 20,
        "energy_independence": "disabled",
        "charge_from_grid": "disabled",
        "battery_shutdown_level": 5,
    }
    assert await world.get(path(system)) == expected
    reply = await put(world, path(system), reserve_soc=35)
    assert reply == expected | {"battery_mode": "self-consumption", "reserve_soc": 35}
    assert await world.get(path(system)) == expected | {"reserve_soc": 35}


async def test_each_mode_has_its_reserve(world: World, system: System) -> None:
    """Full backup keeps 100 %; afterwards the earlier reserve is in force."""
    await put(world, path(system), battery_mode="Savings Mode", reserve_soc=40)
    reply = await put(world, path(system), battery_mode="Full Backup", reserve_soc=30)
    assert (reply["battery_mode"], reply["reserve_soc"]) == ("Full Backup", 100)
    reply = await put(world, path(system), battery_mode="Self-consumption")
    assert reply["reserve_soc"] == 20
    reply = await put(
        world, path(system), battery_mode="Savings Mode", energy_independence="enabled"
    )
    assert (reply["reserve_soc"], reply["energy_independence"]) == (40, "enabled")


@pytest.mark.parametrize(
    ("body", "details"),
    [
        ({"battery_mode": "self-consumption"}, "battery_mode should be one of "),
        ({"battery_mode": None}, "battery_mode is of a wrong type"),
        ({"reserve_soc": 4}, "reserve_soc should be between 5 and 100"),
        ({"reserve_soc": 101}, "reserve_soc should be between 5 and 100"),
        ({"reserve_soc": True}, "reserve_soc is of a wrong type"),
        ({"energy_independence": "on"}, "energy_independence should be enabled or "),
        ({"charge_from_grid": "enabled"}, "charge_from_grid is unknown"),
        ([], "The body is no JSON object"),
    ],
)
async def test_battery_settings_by_value(
    world: World, system: System, body: object, details: str
) -> None:
    """Invalid values are refused, and change nothing."""
    before = await world.get(path(system))
    assert (await refused(world, path(system), body)).startswith(details)
    assert await world.get(path(system)) == before


async def test_storm_guard(world: World, system: System) -> None:
    """Without an alert it is inactive."""
    place = path(system, "storm_guard")
    expected = {
        "system_id": system.system_id,
        "storm_guard_status": "disabled",
        "storm_alert": "false",
    }
    assert await world.get(place) == expected
    reply = await put(world, place, storm_guard_status="enabled")
    assert reply["storm_guard_status"] == "Enabled (Inactive)"
    assert (await world.get(place))["storm_guard_status"] == "enabled"
    system.storm_alert = True
    assert (await world.get(place))["storm_alert"] == "true"
    reply = await put(world, place, storm_guard_status="enabled")
    assert reply["storm_guard_status"] == "enabled"
    assert await put(world, place, storm_guard_status="disabled") == expected | {
        "storm_alert": "true"
    }
    assert await refused(world, place, {}) == "storm_guard_status is missing"


@pytest.mark.parametrize("setting", ["battery_settings", "storm_guard"])
async def test_without_batteries(world: World, setting: str) -> None:
    """Their settings are refused."""
    place = path(world.add_system(battery=None), setting)
    status, document = await world.refusal(place)
    assert (status, document["details"]) == (422, "System doesn't have encharges")
    assert await refused(world, place, {}) == "System doesn't have encharge"


async def test_grid_status(world: World, system: System) -> None:
    """It is that of the newest report."""
    place = path(system, "grid_status")
    document = await world.get(place)
    assert document["grid_state"] == "On Grid"
    assert document["last_report_date"] == (
        world.cloud.published(system).last_report_at
    )
    system.start_grid_outage(world.clock())
    assert (await world.get(place))["grid_state"] == "On Grid"
    world.clock.advance(minutes=20)
    assert (await world.get(place))["grid_state"] == "Off Grid"
    system.go_offline(world.clock())
    world.clock.advance(hours=2)
    assert (await world.get(place))["grid_state"] == "Unknown"
    assert (await world.request(place, method="PUT")).status == 405
    new = world.add_system(commissioned=world.clock().date())
    new.go_offline(world.clock().replace(hour=0))
    status, document = await world.refusal(path(new, "grid_status"))
    assert (status, document["details"]) == (
        422,
        "grid_state not available as the site has not reported yet",
    )


async def test_load_control(world: World, system: System) -> None:
    """The response to a write has all loads."""
    place = path(system, "load_control")
    pump, oven = (await world.get(place))["load_control_data"]
    assert pump == {
        "name": "NC1",
        "load_name": "Pump",
        "owner_can_override": True,
        "mode": "Basic",
        "soc_low": 30,
        "soc_high": 50,
        "status": "enabled",
        "essential_start_time": 32_400,
        "essential_end_time": 57_600,
    }
    battery = {"mode": "Advanced_BatteryPowered", "soc_low": 60}
    reply = await put(world, place, name="NC1", load_name="Pump", **battery)
    pump |= battery | {"soc_high": 70}
    assert reply["load_control_data"] == [pump, oven]
    times = {"essential_start_time": 0, "essential_end_time": 86_400}
    reply = await put(world, place, name="NC1", mode="Scheduled", **times)
    assert reply["load_control_data"][0] == pump | times | {"mode": "Scheduled"}
    assert await world.get(place) == reply


@pytest.mark.parametrize(
    ("body", "details"),
    [
        ({}, "name is missing"),
        ({"name": "NC3"}, "Load not found"),
        ({"name": "NC1", "load_name": "Oven"}, "Load not found"),
        (
            {"name": "NC2", "mode": "Basic"},
            "Owner can not override the load control settings",
        ),
        (
            {"name": "NC1", "mode": "Advanced_BatteryPowered"},
            "soc_low is mandatory for Advanced_BatteryPowered mode",
        ),
        (
            {"name": "NC1", "mode": "Scheduled", "essential_start_time": 0},
            "essential_end_time is mandatory for Scheduled mode",
        ),
        ({"name": "NC1", "mode": "basic"}, "mode should be one of Scheduled, Basic, "),
        ({"name": "NC1", "soc_low": 9}, "soc_low should be between 10 and 90"),
        (
            {"name": "NC1", "essential_end_time": 86_401},
            "essential times are seconds of a day",
        ),
    ],
)
async def test_load_control_by_value(
    world: World, system: System, body: object, details: str
) -> None:
    """Invalid values are refused, and changes that the owner may not make."""
    place = path(system, "load_control")
    assert (await refused(world, place, body)).startswith(details)
    assert system.settings.loads == LOADS


async def test_without_loads(world: World) -> None:
    """A system without loads has an empty list."""
    system = world.add_system(battery=None)
    document = await world.get(path(system, "load_control"))
    assert document["load_control_data"] == []


async def test_refusal_by_plan(world: World, system: System) -> None:
    """Smaller plans can neither read nor write settings."""
    world.headers = world.sign_in()
    for method in ("GET", "PUT"):
        status, document = await world.refusal(path(system), method=method)
        assert (status, document["message"]) == (401, "Not Authorized")


async def test_writes_are_recorded(world: World, system: System) -> None:
    """With body, time and whether they took effect."""
    await world.get(path(system))
    await put(world, path(system), reserve_soc=30)
    await refused(world, path(system), {"reserve_soc": 3})
    first, second = world.cloud.writes
    assert (first.at, first.operation, first.body, first.took_effect) == (
        world.clock(),
        "set_battery_settings",
        {"reserve_soc": 30},
        True,
    )
    assert (second.status, second.body, second.took_effect) == (
        422,
        {"reserve_soc": 3},
        False,
    )


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(
    "trouble", [{"status": 500}, {"cut": "before_headers"}, {"cut": "mid_body"}]
)
async def test_no_valid_response_to_a_write(
    world: World, system: System, trouble: dict[str, Any], *, after: bool
) -> None:
    """The write may have taken effect, or not."""
    world.cloud.faults.add(Fault(operation="set_*", times=1, after=after, **trouble))
    with suppress(ClientError):
        assert await world.refusal(path(system), method="PUT", body=NINE) == (
            500,
            ANY,
        )
        assert "cut" not in trouble
    assert (await world.get(path(system)))["reserve_soc"] == (9 if after else 20)
    assert [write.took_effect for write in world.cloud.writes] == [after]


@pytest.mark.parametrize("after", [False, True])
async def test_timeout(world: World, system: System, *, after: bool) -> None:
    """After a timeout it is unknown whether a write took effect."""
    world.cloud.faults.add(Fault(operation="set_*", times=1, after=after, hang=True))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await world.request(path(system), method="PUT", body=NINE)
    await world.cloud.connections.until_idle()
    assert (await world.get(path(system)))["reserve_soc"] == (9 if after else 20)
    assert [write.body for write in world.cloud.writes] == [NINE]


async def test_delayed_response_to_a_write(world: World, system: System) -> None:
    """The write takes effect before or after the delay."""
    moments = []

    async def sleep(seconds: float) -> None:
        moments.append((await world.get(path(system)))["reserve_soc"])

    world.cloud.sleep = sleep
    for after in (False, True):
        world.cloud.faults.add(Fault(operation="set_*", times=1, after=after, delay=30))
        await put(world, path(system), reserve_soc=30 + after)
    assert moments == [20, 31]


async def test_invalid_response_to_a_write(world: World, system: System) -> None:
    """The write took effect."""
    world.cloud.faults.add(Fault(operation="set_*", times=1, after=True, body="list"))
    assert await put(world, path(system), reserve_soc=9) == []
    assert (await world.get(path(system)))["reserve_soc"] == 9


@pytest.mark.usefixtures("without_waiting")
async def test_faults_of_live_streams_always_come_first(
    world: World, system: System
) -> None:
    """`after` has no effect on live streams."""
    world.cloud.faults.add(Fault(operation="live_data", after=True, status=500))
    assert (await world.request(f"/{system.system_id}/live_data")).status == 500


async def test_lost_write(world: World, system: System) -> None:
    """The response is as usual, but the write has no effect."""
    world.cloud.faults.add(Fault(operation="set_*", times=1, lost=True))
    assert (await put(world, path(system), reserve_soc=9))["reserve_soc"] == 9
    assert (await world.get(path(system)))["reserve_soc"] == 20
    assert not world.cloud.writes[0].took_effect
