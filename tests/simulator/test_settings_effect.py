"""Effects of settings on batteries and chargers, and of events that override them."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from simulator import Charger, ChargingSession, Fault, Flow, Settings, Storage, System
from simulator.live_frames import Source
from simulator.moments import STEP
from simulator.physics import Day, day

from .conftest import NOON, World

EVENING = datetime(2026, 6, 18, 4, 31, tzinfo=UTC)
"""A Wednesday, 21:31 in California: dark, and after the peak hours."""
NIGHT = EVENING + timedelta(hours=5)
MORNING = EVENING + timedelta(hours=10, minutes=29)
SERIAL = "202620010308"


@pytest.fixture(autouse=True)
def partner(world: World) -> None:
    """Use an application with all access controls, in the evening."""
    application = world.cloud.add_application(
        client_id="partner", client_secret="secret", api_key="partner", plan="partner"
    )
    world.headers = world.sign_in(application)
    world.clock.moment = EVENING


async def put(world: World, system: System, setting: str, **body: object) -> Any:
    """Write a setting and return the response."""
    response = await world.request(
        f"/config/{system.system_id}/{setting}", method="PUT", body=body
    )
    assert response.status == 200, await response.text()
    return await response.json()


def frame(world: World, system: System) -> dict[str, Any]:
    """Return the data of the next live frame."""
    data: dict[str, Any] = Source(system, world.clock).frame()["data"]
    return data


def today(system: System) -> Day:
    """Return the model of that day."""
    return day(system.plant, date(2026, 6, 17))


def balanced(this: Day) -> bool:
    """Return whether sources equal sinks in each step of a day."""
    flows = this.flows
    come = (Flow.PRODUCTION, Flow.IMPORT, Flow.DISCHARGE, Flow.GENERATOR)
    go = (Flow.CONSUMPTION, Flow.EXPORT, Flow.CHARGE)
    return all(
        sum(flows[flow][step] for flow in come) == sum(flows[flow][step] for flow in go)
        for step in range(len(this.stored) - 1)
    )


async def test_mode_takes_effect_after_a_delay(world: World, system: System) -> None:
    """Documents show it at once; batteries follow, and the past does not change."""
    before = today(system)
    assert frame(world, system)["battery_power"] > 0
    reply = await put(world, system, "battery_settings", battery_mode="Full Backup")
    assert reply["battery_mode"] == "Full Backup"
    assert frame(world, system)["battery_mode"] == "Self-consumption"
    world.clock.advance(seconds=120)
    assert frame(world, system)["battery_mode"] == "Full Backup"
    world.clock.advance(minutes=2)
    after = frame(world, system)
    assert after["battery_power"] == 0
    assert after["grid_power"] == after["consumption_power"]
    step = (int(world.clock().timestamp()) - before.start) // STEP
    now = today(system)
    assert balanced(now)
    assert now.stored[: step + 1] == before.stored[: step + 1]
    assert now.stored[-1] > before.stored[-1]


async def test_batteries_keep_the_reserve(world: World, system: System) -> None:
    """They do not discharge below it, until it is lowered."""
    system.settings_delay = 0
    level = frame(world, system)["battery_soc"]
    await put(world, system, "battery_settings", reserve_soc=level - 5)
    world.clock.advance(hours=7)
    assert frame(world, system)["battery_soc"] == level - 5
    assert frame(world, system)["battery_power"] == 0
    await put(world, system, "battery_settings", reserve_soc=level - 9)
    world.clock.advance(minutes=5)
    assert frame(world, system)["battery_power"] > 0


@pytest.mark.parametrize(
    ("independence", "at", "discharges"),
    [
        ("disabled", EVENING, False),
        ("enabled", EVENING, True),
        ("enabled", NIGHT, True),
        ("enabled", MORNING, False),
        ("disabled", EVENING - timedelta(hours=1), True),
    ],
)
async def test_energy_independence(
    world: World, independence: str, at: datetime, *, discharges: bool
) -> None:
    """With it batteries discharge after the peak hours, until the morning."""
    system = world.add_system(battery=6)
    world.clock.moment = at - timedelta(minutes=10)
    mode = {"battery_mode": "Savings Mode", "energy_independence": independence}
    await put(world, system, "battery_settings", **mode)
    world.clock.moment = at
    assert (frame(world, system)["battery_power"] > 0) is discharges


async def test_charge_from_grid(world: World, system: System) -> None:
    """If it is enabled, the grid charges batteries up to the reserve."""
    system.settings_delay = 0
    system.change_settings(Settings(charge_from_grid=True), world.clock())
    level = frame(world, system)["battery_soc"]
    await put(world, system, "battery_settings", reserve_soc=90)
    world.clock.advance(minutes=5)
    assert frame(world, system)["battery_power"] < -1_000
    world.clock.advance(hours=4)
    assert level < frame(world, system)["battery_soc"] == 90
    assert balanced(today(system))
    assert balanced(day(system.plant, date(2026, 6, 18)))


def test_old_settings_have_no_later_effect(world: World, system: System) -> None:
    """After a calibration night the settings of a month ago do not matter."""
    other = world.add_system(seed=system.plant.seed)
    system.change_settings(Settings(mode="Full Backup"), EVENING)
    later = EVENING + timedelta(days=2)
    system.change_settings(Settings(mode="Self-consumption"), later)
    late = date(2026, 7, 2)
    plants = system.plant, other.plant
    assert day(plants[0], date(2026, 6, 18)) != day(plants[1], date(2026, 6, 18))
    assert day(plants[0], late) == day(plants[1], late)


@pytest.mark.parametrize("mode", ["Self-consumption", "Savings Mode", "Full Backup"])
async def test_same_settings_change_nothing(world: World, mode: Any) -> None:
    """A write of the same settings does not change flows."""
    reserve = 100 if mode == "Full Backup" else 20
    storage = Storage(mode=mode, reserve_percent=reserve)
    system = world.add_system(battery=storage)
    plant = system.plant
    document = await world.get(f"/config/{system.system_id}/battery_settings")
    body = {"battery_mode": mode, "reserve_soc": document["reserve_soc"]}
    await put(world, system, "battery_settings", **body)
    assert system.plant == plant


async def test_documents_may_show_settings_later(world: World, system: System) -> None:
    """The response to a write has them at once."""
    system.settings_shown_after = 300
    path = f"/config/{system.system_id}/battery_settings"
    reply = await put(world, system, "battery_settings", reserve_soc=60)
    assert reply["reserve_soc"] == 60
    world.clock.advance(minutes=1)
    reply = await put(world, system, "battery_settings", reserve_soc=70)
    assert (await world.get(path))["reserve_soc"] == 20
    world.clock.advance(minutes=4)
    assert (await world.get(path))["reserve_soc"] == 60
    world.clock.advance(minutes=1)
    assert (await world.get(path))["reserve_soc"] == 70


async def test_storm_guard_keeps_all_energy(world: World, system: System) -> None:
    """During an alert, if storm guard is on."""
    place = f"systems/{system.system_id}/storm"
    await world.control("POST", place, {"alert": True})
    assert frame(world, system)["battery_mode"] == "Self-consumption"
    await put(world, system, "storm_guard", storm_guard_status="enabled")
    world.clock.advance(seconds=120)
    assert frame(world, system)["battery_mode"] == "Full Backup"
    response = await world.get(f"/config/{system.system_id}/battery_settings")
    assert response["battery_mode"] == "Self - Consumption"
    await world.control("POST", place, {"alert": False})
    assert frame(world, system)["battery_mode"] == "Self-consumption"


async def test_dr_event_controls_the_batteries(world: World, system: System) -> None:
    """They discharge to the grid, and writes take effect afterwards."""
    place = f"systems/{system.system_id}/dr_event"
    await world.control("POST", place, {"active": True})
    world.clock.advance(minutes=5)
    now = frame(world, system)
    assert now["battery_mode"] == "DR Event Active"
    assert now["grid_power"] < 0 < now["battery_power"]
    reply = await put(
        world, system, "battery_settings", battery_mode="Full Backup", reserve_soc=100
    )
    response = await world.get(f"/config/{system.system_id}/battery_settings")
    assert reply == response
    assert (response["battery_mode"], response["reserve_soc"]) == (
        "DR Event Active",
        100,
    )
    world.clock.advance(minutes=10)
    assert frame(world, system)["battery_mode"] == "DR Event Active"
    await world.control("POST", place, {"active": False})
    assert frame(world, system)["battery_mode"] == "Full Backup"


async def test_offline_gateway(world: World, system: System) -> None:
    """It applies writes when it is back."""
    backup = world.add_system(battery=Storage(mode="Full Backup"))
    untouched = backup.plant
    for each in (system, backup):
        each.go_offline(world.clock())
    reply = await put(world, system, "battery_settings", battery_mode="Full Backup")
    assert reply["battery_mode"] == "Full Backup"
    world.clock.advance(hours=1)
    assert frame(world, system)["battery_mode"] == "Self-consumption"
    for each in (system, backup):
        each.come_online(world.clock())
    assert backup.plant == untouched
    assert frame(world, system)["battery_mode"] == "Self-consumption"
    world.clock.advance(minutes=2)
    assert frame(world, system)["battery_mode"] == "Full Backup"


async def test_alerts_without_batteries(world: World) -> None:
    """They have no effect."""
    system = world.add_system(battery=None)
    plant = system.plant
    system.set_storm_alert(world.clock(), alert=True)
    system.set_dr_event(world.clock(), active=True)
    assert system.plant == plant


async def command(
    world: World, system: System, order: str, **options: Any
) -> tuple[int, Any]:
    """Send a command to the charger; return status and body."""
    path = f"/{system.system_id}/ev_charger/{SERIAL}/{order}_charging"
    return await world.refusal(path, method="POST", **options)


def garage(world: World, **session: int) -> System:
    """Add a system with a car that waits for the night."""
    start = int(EVENING.timestamp())
    times = {"start": start, "end": start + 36_000, "charges_at": start + 18_000}
    visit = ChargingSession(**(times | {"wanted": 9_000} | session))
    system = world.add_system()
    system.install_charger(Charger(serial=SERIAL, sessions=(visit,)))
    return system


def watts(world: World, system: System) -> int:
    """Return the current power of the charger."""
    return world.cloud.truth(system.system_id).charging_power(SERIAL, world.clock())


async def test_charging_starts_and_stops(world: World) -> None:
    """A car follows from the next multiple of 5 minutes on, until it is charged."""
    system = garage(world)
    world.clock.advance(minutes=10)
    home = frame(world, system)["consumption_power"]
    body = {"connectorId": "1", "chargingLevel": "50"}
    status, document = await command(world, system, "start", body=body)
    assert (status, document) == (202, {"message": "Request sent successfully"})
    assert watts(world, system) == 0
    world.clock.advance(minutes=5)
    assert watts(world, system) == 3_840
    assert frame(world, system)["consumption_power"] > home + 3_000
    assert (await command(world, system, "stop"))[0] == 202
    world.clock.advance(minutes=5)
    assert watts(world, system) == 0
    world.clock.advance(hours=5)
    assert watts(world, system) == 0
    await command(world, system, "start")
    world.clock.advance(minutes=5)
    assert watts(world, system) == 7_680
    world.clock.advance(hours=2)
    assert watts(world, system) == 0
    (session,) = world.cloud.truth(system.system_id).sessions(
        SERIAL, date(2026, 6, 17), date(2026, 6, 17)
    )
    assert session.energy == 9_000


async def test_command_before_the_car_charges_by_itself(world: World) -> None:
    """It charges until a stop; commands of earlier visits have no effect."""
    system = garage(world, charges_at=0)
    await command(world, system, "stop")
    assert watts(world, system) == 0
    world.clock.advance(minutes=5)
    assert watts(world, system) == 0
    waiting = garage(world)
    world.clock.moment = EVENING - timedelta(minutes=1)
    await command(world, waiting, "start")
    world.clock.moment = EVENING + timedelta(hours=2)
    assert watts(world, waiting) == 0
    world.clock.advance(hours=3, minutes=5)
    assert watts(world, waiting) == 7_680


@pytest.mark.parametrize(
    ("body", "details"),
    [
        ({"connectorId": "0"}, "Connector Id must be greater than 0"),
        ({"connectorId": 1}, "Connector Id must be greater than 0"),
        ({"chargingLevel": "101"}, "Charging level should be in the range [0-100]"),
        ({"chargingLevel": "-1"}, "Charging level should be in the range [0-100]"),
        ({"level": "5"}, "Invalid body"),
        ([], "Invalid body"),
    ],
)
async def test_commands_by_value(world: World, body: object, details: str) -> None:
    """Invalid values are refused with the text of the specification."""
    system = garage(world)
    refusal = await command(world, system, "start", body=body)
    assert refusal == (
        400,
        {"message": "Bad request", "details": details, "code": "400"},
    )
    system.remove_charger(SERIAL)
    status, document = await command(world, system, "stop")
    assert (status, document["details"]) == (400, "Invalid system_id or serial_no")
    assert not any(write.took_effect for write in world.cloud.writes)


async def test_car_by_control(world: World, system: System) -> None:
    """A car is plugged in, waits for a command, and drives away."""
    system.install_charger(Charger(serial=SERIAL, habit=1))
    place = f"systems/{system.system_id}/chargers"
    world.clock.moment = NOON
    free = {"serial": SERIAL, "plugged_in": False, "power_w": 0}
    assert await world.control("GET", place) == [free]
    order = {"serial": SERIAL, "hours": 2, "wanted_wh": 3_000}
    await world.control("POST", place, order)
    assert await world.control("GET", place) == [free | {"plugged_in": True}]
    response = await world.client.post(f"/_control/{place}", json=order)
    assert response.status == 409
    await command(world, system, "start")
    world.clock.advance(minutes=5)
    (response,) = await world.control("GET", place)
    assert response["power_w"] == 7_680
    world.clock.advance(hours=2)
    assert await world.control("GET", place) == [free]
    truth = world.cloud.truth(system.system_id)
    before, visit, *_ = truth.sessions(SERIAL, date(2026, 6, 16), date(2026, 6, 17))
    assert (visit.energy, visit.session.start) == (3_000, int(NOON.timestamp()))
    assert before.session.end < visit.session.start


@pytest.mark.parametrize(
    ("body", "status"), [({"serial": "7"}, 404), ({"hours": "two"}, 400)]
)
async def test_invalid_cars(
    world: World, system: System, body: object, status: int
) -> None:
    place = f"/_control/systems/{system.system_id}/chargers"
    assert (await world.client.post(place, json=body)).status == status


async def test_a_visit_replaces_the_usual_one(world: World, system: System) -> None:
    """While a car is plugged in, there is no usual session."""
    system.install_charger(Charger(serial=SERIAL, habit=1))
    truth = world.cloud.truth(system.system_id)
    span = date(2026, 6, 16), date(2026, 6, 18)
    usual = truth.sessions(SERIAL, *span)
    system.plug_in(SERIAL, NOON, timedelta(hours=12), 5_000)
    before, visit, after = truth.sessions(SERIAL, *span)
    assert [before, after] == [usual[0], usual[2]]
    assert visit.energy == 0


async def test_settings_by_control(world: World, system: System) -> None:
    """They are changed, and the regime in force is shown."""
    place = f"systems/{system.system_id}/settings"
    response = await world.control("GET", place)
    in_force = {
        "mode": "Self-consumption",
        "reserve_percent": 20,
        "energy_independence": False,
        "charge_from_grid": False,
    }
    assert response["in_force"] == in_force
    assert response["to_come"] == []
    assert response["battery_w"] == frame(world, system)["battery_power"]
    order = {
        "mode": "Savings Mode",
        "reserve": 40,
        "charge_from_grid": True,
        "loads": [{"name": "NC1", "load_name": "Pump"}],
    }
    response = await world.control("POST", place, order)
    assert response["in_force"] == in_force
    (to_come,) = response["to_come"]
    assert to_come == in_force | {
        "at": (EVENING + timedelta(seconds=120)).isoformat(),
        "mode": "Savings Mode",
        "reserve_percent": 40,
        "charge_from_grid": True,
    }
    document = await world.get(f"/config/{system.system_id}/battery_settings")
    assert document["charge_from_grid"] == "enabled"
    document = await world.get(f"/config/{system.system_id}/load_control")
    assert document["load_control_data"][0]["load_name"] == "Pump"
    order = {"settings_delay": 0, "settings_shown_after": 60}
    response = await world.control("POST", place, order)
    assert response.items() >= order.items()
    assert len(response["to_come"]) == 1
    bare = world.add_system(battery=None)
    response = await world.control("GET", f"systems/{bare.system_id}/settings")
    assert (response["in_force"], response["to_come"]) == (None, [])


@pytest.mark.parametrize(
    "order",
    [
        {"battery_mode": "Full Backup"},
        {"mode": "full backup"},
        {"reserve": "20"},
        {"settings_delay": True},
        {"storm_guard": "enabled"},
        {"loads": [{"name": "NC1", "color": "red"}]},
        {"loads": 5},
    ],
)
async def test_invalid_settings(world: World, system: System, order: object) -> None:
    place = f"/_control/systems/{system.system_id}/settings"
    assert (await world.client.post(place, json=order)).status == 400
    assert system.settings == Settings()


async def test_writes_by_control(world: World, system: System) -> None:
    """With bodies and whether they took effect."""
    world.cloud.faults.add(Fault(operation="set_*", lost=True, times=1))
    for reserve in (30, 40):
        await put(world, system, "battery_settings", reserve_soc=reserve)
    first, second = await world.control("GET", "writes")
    assert first["body"] == {"reserve_soc": 30}
    assert (first["took_effect"], second["took_effect"]) == (False, True)
    assert (second["at"], second["status"]) == (EVENING.isoformat(), 200)


async def test_refusal_of_what_is_not_entitled(world: World, system: System) -> None:
    """A missing access control may have the status 403, as some report."""
    world.headers = world.sign_in()
    world.cloud.not_entitled = 403
    path = f"/config/{system.system_id}/storm_guard"
    status, document = await world.refusal(path)
    assert (status, document["message"]) == (403, "Forbidden")


async def test_overview(world: World, system: System) -> None:
    """The start page lists all operations."""
    await world.get(f"/config/{system.system_id}/battery_settings")
    response = await world.client.get("/")
    page = await response.text()
    assert response.content_type == "text/html"
    assert page.count("<tr") == 52
    row = page[page.index("<tr><td>GET</td><td>/config/{system_id}/battery_") :]
    cells = row[: row.index("</tr>")].split("</td>")
    assert [cell.rpartition(">")[2] for cell in cells[2:6]] == [
        "System Configurations",
        "Megawatt",
        "yes",
        "1",
    ]
