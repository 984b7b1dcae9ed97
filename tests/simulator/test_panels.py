"""Single panels: energy and faults."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.enphase_cloud.api import DeviceStatus, InvertersSummary
from simulator import Fault, Flow, SecondGateway, System
from simulator.moments import STEP, Window, midnight, next_midnight
from simulator.physics import Mark, Plant, Roof, Weakness, energy, panels

from .conftest import NOON, World

DAY = date(2026, 6, 16)
TODAY = date(2026, 6, 17)
MORNING = datetime(2026, 6, 17, 7, tzinfo=UTC)
"""Midnight in California."""
EVENING = datetime(2026, 6, 18, 6, 30, tzinfo=UTC)
"""23:30 in California."""


def plant(roof: Roof, seed: int = 7, **properties: Any) -> Plant:
    """Return a plant in the middle of Europe."""
    return Plant(
        seed=seed,
        time_zone="Europe/Berlin",
        latitude=50.0,
        longitude=10.0,
        commissioned=date(2026, 1, 1),
        size_w=6_800,
        **properties,
        roof=roof,
    )


def of_day(plant: Plant, day: date = DAY) -> list[int]:
    """Return the Wh of each panel on a day."""
    start, end = midnight(day, plant.time_zone), next_midnight(day, plant.time_zone)
    return panels.energy_by_panel(plant, start, end)


def produced(plant: Plant, day: date = DAY) -> int:
    """Return the Wh of the whole site on a day."""
    start, end = midnight(day, plant.time_zone), next_midnight(day, plant.time_zone)
    return energy(plant, Flow.PRODUCTION, start, end)


def test_panels_add_up_to_the_production_of_each_day() -> None:
    """Exactly, and none is negative."""
    home = plant(Roof(modules=17))
    for number in range(100):
        day = date.fromordinal(date(2026, 1, 1).toordinal() + 3 * number)
        given_by = of_day(home, day)
        assert sum(given_by) == produced(home, day)
        assert min(given_by) >= 0


def test_a_roof_has_two_sides_and_a_tree() -> None:
    """West panels start and end later; shaded ones yield less."""
    home = plant(Roof(modules=16))
    start = midnight(DAY, home.time_zone)
    morning, afternoon = (
        panels.split(home, start + hour * 3_600, 16_000) for hour in (9, 18)
    )
    assert min(morning[:10]) > 1.5 * max(morning[10:])
    assert min(afternoon[10:]) > 1.5 * max(afternoon[:10])
    shaded = panels.split(home, start + 17 * 3_600, 16_000)
    assert max(shaded[8:10]) < 0.6 * min(shaded[:8])
    assert sum(morning) == sum(afternoon) == sum(shaded) == 16_000
    assert len(set(of_day(home))) > 12


def test_panels_without_faults_do_not_change_the_site() -> None:
    """With any number of panels and replacements."""
    home = plant(Roof(modules=16))
    noon = midnight(DAY, home.time_zone) + 43_200
    other = plant(Roof(modules=5, replaced=(Mark(2, noon),)))
    assert produced(home) == produced(other)


@pytest.mark.parametrize("ratio", [0.0, 0.6])
def test_a_broken_panel_yields_less_from_a_moment_on(ratio: float) -> None:
    """The others do not change; the site loses the difference."""
    sound = plant(Roof())
    start = midnight(DAY, sound.time_zone)
    broken = plant(Roof(weaknesses=(Weakness(3, ratio, Window(start)),)))
    before, after = of_day(sound), of_day(broken)
    assert after[2] == pytest.approx(before[2] * ratio, rel=0.01)
    del before[2], after[2]
    assert after == pytest.approx(before, rel=0.005)
    assert sum(of_day(broken)) == produced(broken) < produced(sound)
    day_before = date.fromordinal(DAY.toordinal() - 1)
    assert of_day(broken, day_before) == of_day(sound, day_before)


def test_snow_covers_all_panels() -> None:
    """The small remainder is divided as without snow."""
    start = midnight(DAY, "Europe/Berlin")
    home = plant(Roof(), snow=(Window(start, start + 86_400),))
    assert 0 < produced(home) < 0.05 * produced(plant(Roof()))
    assert sum(of_day(home)) == produced(home)


changes = st.builds(
    Roof,
    modules=st.just(6),
    weaknesses=st.lists(
        st.builds(
            Weakness,
            position=st.integers(1, 6),
            ratio=st.sampled_from([0.0, 0.3, 0.6, 1.0]),
            window=st.builds(
                lambda start, length: Window(
                    midnight(DAY, "Europe/Berlin") + start * STEP,
                    None
                    if length is None
                    else midnight(DAY, "Europe/Berlin") + (start + length) * STEP,
                ),
                st.integers(-500, 500),
                st.none() | st.integers(0, 500),
            ),
        ),
        max_size=4,
    ).map(tuple),
    retired=st.lists(
        st.builds(
            Mark,
            st.integers(1, 6),
            st.integers(-300, 300).map(
                lambda step: midnight(DAY, "Europe/Berlin") + step * STEP
            ),
        ),
        max_size=2,
    ).map(tuple),
)


@settings(max_examples=30)
@given(roof=changes, cut=st.integers(0, 288))
def test_panels_with_any_faults_add_up_and_never_decrease(roof: Roof, cut: int) -> None:
    home = plant(roof)
    start = midnight(DAY, home.time_zone)
    end = next_midnight(DAY, home.time_zone)
    middle = start + cut * STEP
    first = panels.energy_by_panel(home, start, middle)
    second = panels.energy_by_panel(home, middle, end)
    both = [sum(pair) for pair in zip(first, second, strict=True)]
    assert both == of_day(home)
    assert min(first + second) >= 0
    assert sum(both) == produced(home)
    for mark in roof.retired:
        later = panels.energy_by_panel(home, max(mark.at, start), end)
        if mark.at < end:
            assert later[mark.position - 1] <= 1


# Documents of panels


@pytest.fixture
def home(world: World) -> System:
    """Return a system whose intervals are complete at once."""
    return world.add_system(corrections=False)


async def summary(
    world: World, home: System, **query: object
) -> dict[str, dict[str, Any]]:
    """Return the shown microinverters by serial number."""
    query = {"site_id": home.system_id, "size": 100} | query
    page = await world.get("/inverters_summary_by_envoy_or_site", **query)
    return {
        row["serial_number"]: row for item in page for row in item["micro_inverters"]
    }


def read(page: Any) -> InvertersSummary:
    """Return a page as the client reads it."""
    return InvertersSummary.from_api(page)


async def lifetimes(world: World, home: System) -> dict[str, int]:
    """Return the shown energy by serial number."""
    shown = await summary(world, home)
    return {serial: row["energy"]["value"] for serial, row in shown.items()}


def serials(home: System) -> list[str]:
    """Return the listed serial numbers."""
    return [each.serial for each in home.microinverters]


async def later(world: World, moment: datetime) -> None:
    """Set the time, and sign in again."""
    world.clock.moment = moment
    world.headers = world.sign_in()


async def test_lifetimes_add_up(world: World, home: System) -> None:
    """The difference between two nights is the energy of the day."""
    world.clock.moment = MORNING
    before = await lifetimes(world, home)
    await later(world, EVENING)
    after = await lifetimes(world, home)
    days = {serial: after[serial] - before[serial] for serial in after}
    truth = world.cloud.truth(home.system_id)
    assert days == truth.panels(TODAY)
    assert sum(days.values()) == truth.day("production", TODAY)
    assert sum(after.values()) == truth.lifetime("production", EVENING)


async def test_power_adds_up(world: World, home: System) -> None:
    """It is that of the last 5 minutes; the client reads both forms."""
    page = await world.get(
        "/inverters_summary_by_envoy_or_site", site_id=home.system_id, size=100
    )
    (row, bare, *_) = page[0]["micro_inverters"]
    assert row["power_produced"].keys() == {"value", "units", "precision"}
    assert isinstance(bare["power_produced"], int)
    inverters = read(page).inverters
    ended = NOON - timedelta(minutes=10)
    wh = world.cloud.truth(home.system_id).energy(
        "production", ended - timedelta(minutes=5), ended
    )
    assert sum(inverter.power or 0 for inverter in inverters) == wh * 12
    assert {each.status for each in inverters} == {DeviceStatus.NORMAL}
    assert {inverter.last_report_at for inverter in inverters} == {ended}


async def test_panels_do_not_report_at_night(world: World, home: System) -> None:
    """Their last report is of dusk."""
    await later(world, EVENING)
    for row in (await summary(world, home)).values():
        power = row["power_produced"]
        assert (power if isinstance(power, int) else power["value"]) == 0
        assert row["last_report_date"] < EVENING.timestamp() - 3 * 3_600
        assert row["status"] == "normal"


async def test_a_dead_panel(world: World, home: System) -> None:
    """It reports zeros, and the cloud shows its status."""
    dead, sound = serials(home)[4:6]
    before = await lifetimes(world, home)
    home.break_panel(dead, world.clock())
    world.clock.advance(hours=1)
    shown = await summary(world, home)
    assert shown[dead]["energy"]["value"] - before[dead] < 80
    assert shown[sound]["energy"]["value"] - before[sound] > 250
    assert shown[dead]["status"] == "power"
    home.repair_panel(dead, world.clock())
    world.clock.advance(hours=1)
    repaired = await summary(world, home)
    assert repaired[dead]["energy"]["value"] > shown[dead]["energy"]["value"]
    assert repaired[dead]["status"] == "normal"


async def test_a_weak_panel_has_a_normal_status(world: World, home: System) -> None:
    """Its neighbors yield more."""
    weak, other = serials(home)[2:4]
    home.break_panel(weak, MORNING, 0.6)
    given_today = world.cloud.truth(home.system_id).panels(TODAY)
    assert given_today[weak] == pytest.approx(0.6 * given_today[other], rel=0.08)
    assert (await summary(world, home))[weak]["status"] == "normal"


async def test_a_panel_is_replaced(world: World, home: System) -> None:
    """The new one begins with zero, and has another serial number and id."""
    old = serials(home)[0]
    before = await summary(world, home)
    home.break_panel(old, world.clock())
    world.clock.advance(minutes=30)
    new = home.replace_panel(old, world.clock())
    world.clock.advance(hours=1)
    after = await summary(world, home)
    assert old not in after
    assert after.keys() - before.keys() == {new}
    assert after[new]["id"] not in {row["id"] for row in before.values()}
    assert 0 < after[new]["energy"]["value"] < 500
    devices = (await world.get(f"/{home.system_id}/devices"))["devices"]
    assert {row["serial_number"] for row in devices["micros"]} == after.keys()
    with pytest.raises(KeyError):
        home.break_panel(old, world.clock())


async def test_a_panel_is_retired(world: World, home: System) -> None:
    """It is not listed, unless retired panels are shown."""
    gone = serials(home)[0]
    home.retire_panel(gone, world.clock())
    world.clock.advance(hours=1)
    assert gone not in await summary(world, home)
    assert (await world.get(f"/{home.system_id}/summary"))["modules"] == 15
    micro = await world.get(f"/{home.system_id}/telemetry/production_micro")
    assert micro["total_devices"] == 15
    home.show_retired = True
    assert (await summary(world, home))[gone]["status"] == "retired"


async def test_a_panel_stops_reporting(world: World, home: System) -> None:
    """Its values do not change until it resumes."""
    silent = serials(home)[3]
    world.clock.advance(minutes=5)
    home.silence_panel(silent, world.clock())
    world.clock.advance(minutes=30)
    first = (await summary(world, home))[silent]
    world.clock.advance(hours=2)
    second = (await summary(world, home))[silent]
    assert first == second
    assert first["status"] == "micro"
    devices = (await world.get(f"/{home.system_id}/devices"))["devices"]
    times = {row["serial_number"]: row["last_report_at"] for row in devices["micros"]}
    assert times.pop(silent) == first["last_report_date"] < min(times.values())
    home.resume_panel(silent, world.clock())
    world.clock.advance(minutes=30)
    third = (await summary(world, home))[silent]
    assert third["status"] == "normal"
    assert third["energy"]["value"] > second["energy"]["value"] + 200


async def test_a_status_can_be_set(world: World, home: System) -> None:
    """Also an unknown one."""
    odd = serials(home)[0]
    home.device_statuses[odd] = "sleepwalking"
    assert (await summary(world, home))[odd]["status"] == "sleepwalking"
    devices = (await world.get(f"/{home.system_id}/devices"))["devices"]
    assert devices["micros"][0]["status"] == "sleepwalking"


async def test_pages(world: World) -> None:
    """Ten a page, and at most a hundred."""
    farm = world.add_system(size_w=130 * 425, battery=None)
    path = "/inverters_summary_by_envoy_or_site"
    sizes = []
    for query in ({}, {"size": 500}, {"size": 500, "page": 2}, {"size": 60, "page": 3}):
        page = await world.get(path, site_id=farm.system_id, **query)
        sizes.append(sum(len(item["micro_inverters"]) for item in page))
    assert sizes == [10, 100, 30, 10]
    assert await world.get(path, site_id=farm.system_id, page=14) == []
    refused = await world.request(path, site_id=farm.system_id, page="x")
    assert refused.status == 422


async def test_a_second_gateway_has_its_own_panels(world: World, home: System) -> None:
    """Each gateway is an entry, and can be requested by serial number."""
    home.second_gateway = SecondGateway(frozenset(), 0, panels=6)
    path = "/inverters_summary_by_envoy_or_site"
    page = await world.get(path, site_id=home.system_id, size=100)
    assert [len(item["micro_inverters"]) for item in page] == [10, 6]
    first, second = home.gateway_serials
    assert {row["envoy_serial_number"] for row in page[1]["micro_inverters"]} == {
        second
    }
    page = await world.get(path, envoy_serial_number=second, site_id=7)
    assert [len(item["micro_inverters"]) for item in page] == [6]
    devices = (await world.get(f"/{home.system_id}/devices"))["devices"]
    assert [each["serial_number"] for each in devices["gateways"]] == [first, second]


@pytest.mark.parametrize(
    ("query", "status", "details"),
    [
        ({}, 422, "Envoy serial number or Site id mandatory"),
        ({"site_id": 7}, 404, 'System not found for {:id=>"7"}'),
        ({"site_id": "roof"}, 404, 'System not found for {:id=>"roof"}'),
        ({"envoy_serial_number": 8}, 404, 'System not found for {:id=>"none"}'),
    ],
)
async def test_refusals(
    world: World, query: dict[str, Any], status: int, details: str
) -> None:
    """The request needs an existing site or gateway."""
    path = "/inverters_summary_by_envoy_or_site"
    code, body = await world.refusal(path, **query)
    assert (code, body["details"]) == (status, details)


async def test_a_site_is_no_gateway(world: World, home: System) -> None:
    """Its id is not a serial number."""
    path = "/inverters_summary_by_envoy_or_site"
    status, _ = await world.refusal(path, envoy_serial_number=home.system_id)
    assert status == 404


async def test_panels_of_other_accounts_are_refused(world: World, home: System) -> None:
    """Only the owner has access, and only with the access control."""
    stranger = world.cloud.add_account(email="stranger@example.com", password="x")
    path = "/inverters_summary_by_envoy_or_site"
    headers = world.sign_in(owner=stranger)
    status, _ = await world.refusal(path, headers=headers, site_id=home.system_id)
    assert status == 403
    narrow = world.cloud.add_application(
        client_id="narrow", client_secret="s", api_key="narrow", access=[]
    )
    headers = world.sign_in(narrow)
    status, _ = await world.refusal(path, headers=headers, site_id=home.system_id)
    assert status == 401


async def test_faults_match_the_system_in_the_query(world: World, home: System) -> None:
    """A fault of one system distorts its numbers."""
    other = world.add_system()
    world.cloud.faults.add(
        Fault(operation="inverters_summary", system_id=other.system_id, data="null")
    )
    sound = await summary(world, home)
    assert all(row["energy"]["value"] for row in sound.values())
    distorted = await summary(world, other)
    assert {row["energy"]["value"] for row in distorted.values()} == {None}
