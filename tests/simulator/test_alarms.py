"""Events and alarms, and rare devices."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from custom_components.enphase_cloud.api import (
    Alarms,
    Devices,
    EvChargerStatus,
    Events,
    EventStatus,
    EventTypes,
    HeatPumpMode,
    LatestTelemetry,
    Severity,
)
from simulator import EvCharger, HeatPump, Storage, System

from .conftest import NOON, World

EPOCH = int(NOON.timestamp())
SERIALS = ("482000000001", "482000000002")


async def alarms(world: World, system: System, **query: object) -> Alarms:
    """Return alarms of a span, or open ones, as the client reads them."""
    name = "alarms" if query else "open_alarms"
    return Alarms.from_api(await world.get(f"/{system.system_id}/{name}", **query))


async def events(world: World, system: System, **query: object) -> Events:
    """Return events of a span, or open ones, as the client reads them."""
    name = "events" if query else "open_events"
    return Events.from_api(await world.get(f"/{system.system_id}/{name}", **query))


async def test_an_alarm_is_opened_and_cleared(world: World, system: System) -> None:
    """Its id differs between documents, but its key is the same."""
    number = system.open_alarm(
        "micro_silent", world.clock(), severity=2, serials=SERIALS
    )
    (opened,) = (await alarms(world, system)).alarms
    assert opened.severity is Severity.ERROR
    assert opened.started_at == NOON
    assert [event.serial_number for event in opened.events] == list(SERIALS)
    assert not opened.cleared
    (listed,) = (await alarms(world, system, start_time=EPOCH)).alarms
    assert listed.key == opened.key
    assert listed.alarm_id != opened.alarm_id
    world.clock.advance(hours=2)
    system.clear_alarm(number, world.clock())
    assert (await alarms(world, system)).alarms == ()
    assert (await alarms(world, system, start_time=EPOCH)).alarms == ()
    (cleared,) = (await alarms(world, system, start_time=EPOCH, cleared="true")).alarms
    assert cleared.key == opened.key
    assert cleared.cleared
    assert cleared.ended_at == NOON + timedelta(hours=2)
    assert cleared.events[0].ended_at == cleared.ended_at


async def test_events(world: World, system: System) -> None:
    """Each device has its event; events without a duration are never open."""
    alarm = system.open_alarm("battery_hot", world.clock(), serials=SERIALS)
    system.open_alarm(107, world.clock(), severity=None)
    first, second = (await events(world, system)).events
    assert {first.status, second.status} == {EventStatus.OPEN}
    assert (first.serial_number, second.serial_number) == SERIALS
    world.clock.advance(minutes=5)
    system.clear_alarm(alarm, world.clock())
    assert (await events(world, system)).events == ()
    found = (await events(world, system, start_time=EPOCH)).events
    assert [event.status for event in found] == [
        EventStatus.CLOSED,
        EventStatus.CLOSED,
        EventStatus.INFO,
    ]
    assert found[2].serial_number == system.gateway_serial
    assert (await alarms(world, system, start_time=EPOCH)).alarms == ()


async def test_future_starts_and_ends_are_not_shown(
    world: World, system: System
) -> None:
    """Alarms may be scheduled."""
    number = system.open_alarm("grid_gone", NOON + timedelta(hours=1))
    assert (await alarms(world, system)).alarms == ()
    world.clock.advance(hours=1)
    system.clear_alarm(number, NOON + timedelta(hours=3))
    assert len((await alarms(world, system)).alarms) == 1
    world.clock.advance(hours=2)
    assert (await alarms(world, system)).alarms == ()


async def test_spans(world: World, system: System) -> None:
    """A day by default, and a week at most."""
    system.open_alarm("grid_gone", NOON - timedelta(days=3))
    start = EPOCH - 5 * 86_400
    path = {"start_time": start}
    assert (await events(world, system, **path)).events == ()
    end = start + 7 * 86_400
    assert len((await events(world, system, **path, end_time=end)).events) == 1


@pytest.mark.parametrize("name", ["events", "alarms"])
@pytest.mark.parametrize(
    "query",
    [
        {},
        {"start_time": "yesterday"},
        {"start_time": EPOCH + 3_600},
        {"start_time": EPOCH - 300 * 86_400},
        {"start_time": EPOCH - 8 * 86_400, "end_time": EPOCH},
        {"start_time": EPOCH - 60, "end_time": EPOCH - 120},
        {"start_time": EPOCH - 60, "end_time": "noon"},
    ],
)
async def test_spans_that_are_refused(
    world: World, system: System, name: str, query: dict[str, Any]
) -> None:
    status, body = await world.refusal(f"/{system.system_id}/{name}", **query)
    assert status == body["code"] == 422
    if not query:
        assert body["details"] == "start_time is required"


@pytest.mark.parametrize("name", ["events", "alarms", "open_events", "open_alarms"])
async def test_alarms_of_other_accounts_are_refused(
    world: World, system: System, name: str
) -> None:
    """Only the owner has access, and unknown systems are refused."""
    stranger = world.cloud.add_account(email="stranger@example.com", password="x")
    headers = world.sign_in(owner=stranger)
    path = f"/{system.system_id}/{name}"
    assert (await world.refusal(path, headers=headers))[0] == 403
    assert (await world.refusal(f"/7/{name}"))[0] == 404


async def test_event_types(world: World, system: System) -> None:
    """All of them, or one."""
    known = EventTypes.from_api(await world.get("/event_types")).by_id
    assert len(known) == 7
    assert all(each.name and each.description for each in known.values())
    system.open_alarm("meter_silent", world.clock())
    (alarm,) = (await alarms(world, system)).alarms
    one = EventTypes.from_api(
        await world.get("/event_types", event_type_id=alarm.event_type_id)
    )
    assert one.event_types == (known[alarm.event_type_id],)
    assert one.event_types[0].key == "meter_silent"
    status, body = await world.refusal("/event_types", event_type_id=9)
    assert (status, body["details"]) == (404, 'Event type not found for {:id=>"9"}')


async def test_invalid_orders(world: World, system: System) -> None:
    with pytest.raises(KeyError):
        system.open_alarm("rain", world.clock())
    with pytest.raises(KeyError):
        system.clear_alarm(1, world.clock())
    with pytest.raises(KeyError):
        system.remove_battery(3, world.clock())


async def test_a_system_with_all_kinds_of_devices(world: World) -> None:
    """The client reads each kind of device."""
    house = world.add_system(battery=2, generator_w=5_000, connection="cellular")
    house.relays, house.ac_batteries, house.collars, house.iq_airs = 2, 3, 1, 1
    house.heat_pump = HeatPump(mode="MODE_3")
    house.ev_chargers = (EvCharger(serial="380017", status="CHARGING"),)
    house.device_statuses["380017"] = "error"
    document = await world.get(f"/{house.system_id}/devices")
    devices = Devices.from_api(document)
    assert len(devices.devices) == document["total_devices"] == devices.total
    counts = {
        name: len(getattr(devices, name))
        for name in ("relays", "ac_batteries", "collars", "iq_airs", "batteries")
    }
    assert list(counts.values()) == [2, 3, 1, 1, 2]
    assert devices.gateways[0].modem is not None
    assert devices.generators[0].name == "Generator"
    (charger,), (pump,) = devices.ev_chargers, devices.heat_pumps
    assert (charger.device_id, charger.serial_number) == (None, "380017")
    assert charger.status.is_problem
    assert pump.name == "Heat pump"
    ids = [each.device_id for each in devices.devices if each.device_id]
    assert len(ids) == len(set(ids)) == len(devices.devices) - 3
    latest = LatestTelemetry.from_api(
        await world.get(f"/{house.system_id}/latest_telemetry")
    )
    assert latest.ev_chargers[0].status is EvChargerStatus.CHARGING
    assert latest.ev_chargers[0].serial_number == "380017"
    assert latest.heat_pumps[0].mode is HeatPumpMode.RECOMMENDED
    assert {each.device_id for each in latest.batteries} == {
        each.device_id for each in devices.batteries
    }
    assert {each.device_id for each in latest.meters} == {
        each.device_id for each in devices.meters
    }


async def test_devices_without_reports_keep_their_last_report(world: World) -> None:
    """A battery and a meter stop reporting independently."""
    home = world.add_system(corrections=False)
    home.silence("battery 1", world.clock())
    home.silence("consumption", world.clock())
    world.clock.advance(hours=3)
    devices = Devices.from_api(await world.get(f"/{home.system_id}/devices"))
    for silent, speaking in (devices.batteries, reversed(devices.meters)):
        assert silent.last_report_at is not None
        assert speaking.last_report_at is not None
        assert speaking.last_report_at - silent.last_report_at > timedelta(hours=2)


async def test_one_battery_is_removed(world: World) -> None:
    """It is not listed from then on; its capacity is missing from midnight on."""
    home = world.add_system(battery=3, corrections=False)
    path = f"/{home.system_id}"
    before = Devices.from_api(await world.get(f"{path}/devices")).batteries
    full = world.cloud.truth(home.system_id).power(world.clock()).soc
    home.remove_battery(2, world.clock())
    after = Devices.from_api(await world.get(f"{path}/devices")).batteries
    assert after == (before[0], before[2])
    latest = LatestTelemetry.from_api(await world.get(f"{path}/latest_telemetry"))
    assert [each.device_id for each in latest.batteries] == [
        each.device_id for each in after
    ]
    assert (await world.get(f"{path}/summary"))["battery_capacity_wh"] == 10_000
    telemetry = await world.get(f"{path}/telemetry/battery")
    assert telemetry["total_devices"] == 2
    assert world.cloud.truth(home.system_id).power(world.clock()).soc == full
    world.clock.moment = datetime(2026, 6, 20, 1, tzinfo=UTC)
    world.headers = world.sign_in()
    truth = world.cloud.truth(home.system_id)
    hours = [world.clock() - timedelta(hours=hour) for hour in range(36)]
    charges = [truth.power(hour).soc for hour in hours]
    assert all(charge is not None and 0 <= charge <= 100 for charge in charges)
    powers = [truth.power(hour) for hour in hours]
    assert all(
        each.production + each.grid + each.battery == each.consumption
        for each in powers
    )
    home.remove_battery(1, world.clock())
    home.remove_battery(3, world.clock())
    world.clock.advance(hours=1)
    assert "encharges" not in (await world.get(f"{path}/devices"))["devices"]


async def test_installed_batteries_can_be_removed_one_by_one(
    world: World,
) -> None:
    home = world.add_system(battery=None)
    home.install_batteries(Storage(units=2), world.clock())
    world.clock.advance(hours=1)
    home.remove_battery(1, world.clock())
    assert home.battery_units(int(world.clock().timestamp())) == [2]
