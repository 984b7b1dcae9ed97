"""Heat pump and chargers of other makers, which are parts of the consumption."""

from copy import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import given, settings, strategies as st
import pytest

from simulator import Charger, EvCharger, Heating, HeatPump, System
from simulator.moments import DAY, QUARTER, STEP, Window, midnight
from simulator.physics import ChargingSession, Flow, charging, day, energy, heating

from .conftest import NOON, World
from .test_physics import HOME, days, plants, steps, supplied, used

SERIAL = "380017"
ZONE = "America/Los_Angeles"
YESTERDAY = date(2026, 6, 16)
KINDS = ("hp", "evse")

heatings = st.builds(
    Heating,
    power_w=st.integers(500, 12_000),
    loss_w_per_degree=st.integers(0, 300),
    water_wh=st.integers(0, 8_000),
)
chargers = st.builds(
    Charger,
    serial=st.sampled_from(["1", "2"]),
    power_w=st.integers(1_400, 22_000),
    habit=st.floats(0, 1),
    returns_w=st.sampled_from([0, 500, 9_000]),
)


@pytest.fixture
def house(world: World) -> System:
    """Return a system with a heat pump, and a charger of a car that discharges."""
    system = world.add_system(corrections=False)
    system.install_heat_pump()
    system.install_ev_charger(Charger(serial=SERIAL, habit=1, returns_w=2_000))
    return system


def path(house: System, kind: str, what: str) -> str:
    """Return the path of an operation."""
    of = f"{SERIAL}/" if kind == "evse" else ""
    return f"/{house.system_id}/{of}{kind}_{what}"


def moment(seconds: int) -> datetime:
    """Return a moment."""
    return datetime.fromtimestamp(seconds, UTC)


def taken(world: World, house: System, kind: str, start: int, end: int) -> int:
    """Return the actual Wh of an appliance."""
    truth = world.cloud.truth(house.system_id)
    if kind == "hp":
        return truth.heated(moment(start), moment(end))
    return truth.charged(SERIAL, moment(start), moment(end))


class TestPhysics:
    """The effect of appliances on the energy of a home."""

    @settings(max_examples=30, deadline=None)
    @given(
        plants,
        days,
        st.none() | heatings,
        st.lists(chargers, max_size=2, unique_by=lambda each: each.serial),
    )
    def test_appliances_are_part_of_the_consumption(
        self, plant: Any, local: date, pump: Any, cars: Any
    ) -> None:
        """In each step the balance holds; discharge of a car reduces consumption."""
        plant = replace(plant, heating=pump, chargers=tuple(cars))
        that = day(plant, local)
        bare = day(replace(plant, heating=None, chargers=()), local)
        heat = heating.load(plant, local, len(steps(that)))
        car = charging.load(plant, local, len(steps(that)))
        for index, wh in enumerate(steps(that)):
            assert supplied(wh) == used(wh)
            assert min(wh.values()) >= 0
            assert 0 <= heat[index] <= wh[Flow.CONSUMPTION]
            if not plant.outages:
                home = steps(bare)[index][Flow.CONSUMPTION]
                assert wh[Flow.CONSUMPTION] == home + heat[index] + car[index]

    @settings(max_examples=20, deadline=None)
    @given(plants, days, heatings)
    def test_energy_of_a_heat_pump_is_the_sum_of_its_steps(
        self, plant: Any, local: date, pump: Any
    ) -> None:
        """Over days and parts of days."""
        plant = replace(plant, heating=pump)
        start = midnight(local, plant.time_zone)
        end = midnight(local + timedelta(days=1), plant.time_zone)
        load = heating.load(plant, local, (end - start) // STEP)
        assert heating.energy(plant, start, end) == sum(load)
        middle = start + 100 * STEP
        parts = ((start, middle), (middle, end + DAY))
        assert sum(heating.energy(plant, *part) for part in parts) == (
            heating.energy(plant, start, end + DAY)
        )

    def test_it_runs_longer_in_winter_and_not_without_a_grid(self) -> None:
        """In both hemispheres; hot water needs energy in summer, too."""
        north = replace(HOME, heating=Heating())
        south = replace(north, latitude=-37.8)
        for plant, cold, warm in ((north, 1, 7), (south, 7, 1)):
            january, july = (of_month(plant, month) for month in (cold, warm))
            assert january > 3 * july > 0
        start = midnight(YESTERDAY, ZONE)
        outage = Window(start + 4 * 3_600, start + 7 * 3_600)
        off = replace(north, outages=(outage,))
        assert heating.energy(off, start + 4 * 3_600, start + 7 * 3_600) == 0
        assert heating.energy(north, start + 4 * 3_600, start + 7 * 3_600) > 0
        assert heating.energy(replace(HOME), start, start + DAY) == 0

    def test_energy_before_commissioning_is_zero(self) -> None:
        """Also that of the heat pump."""
        start = midnight(date(2024, 12, 1), ZONE)
        plant = replace(HOME, heating=Heating())
        assert heating.energy(plant, start, start + DAY) == 0

    def test_a_car_discharges_until_it_charges(self) -> None:
        """Up to the load and its power, and not without a grid."""
        start = midnight(YESTERDAY, ZONE) + 18 * 3_600
        session = ChargingSession(
            start=start, end=start + 7_200, charges_at=start + 3_600, wanted=2_000
        )
        charger = Charger(
            serial="1", power_w=7_200, returns_w=1_200, sessions=(session,)
        )
        plant = replace(HOME, chargers=(charger,))
        that = charging.charged(plant, charger, session)
        assert [at for at, _ in that.returned] == list(
            range(start, start + 3_600, STEP)
        )
        for at, wh in that.returned:
            home = energy(HOME, Flow.CONSUMPTION, at, at + STEP)
            assert wh == min(100, home)
        assert that.energy == 2_000
        given_ = sum(wh for _, wh in that.returned)
        assert charging.energy(plant, charger, start, start + 7_200) == 2_000 - given_
        off = replace(plant, outages=(Window(start, start + 1_800),))
        ends = [at for at, _ in charging.charged(off, charger, session).returned]
        assert ends[0] == start + 1_800


def test_two_cars_do_not_exceed_the_load() -> None:
    """Each discharges half of it, if possible."""
    start = midnight(YESTERDAY, ZONE) + 18 * 3_600
    session = ChargingSession(
        start=start, end=start + 7_200, charges_at=start + 7_200, wanted=2_000
    )
    cars = tuple(
        Charger(serial=serial, returns_w=20_000, sessions=(session,))
        for serial in ("1", "2")
    )
    plant = replace(HOME, chargers=cars)
    for at in range(start, start + 7_200, STEP):
        home = energy(HOME, Flow.CONSUMPTION, at, at + STEP)
        given_ = [charging.energy(plant, car, at, at + STEP) for car in cars]
        assert given_ == [-(home // 2)] * 2
        assert energy(plant, Flow.CONSUMPTION, at, at + STEP) == home % 2


def of_month(plant: Any, month: int) -> int:
    """Return the Wh of a heat pump in ten days of a month."""
    start = midnight(date(2026, month, 10), ZONE)
    return heating.energy(plant, start, start + 10 * DAY)


class TestTelemetry:
    """Energy in intervals."""

    @pytest.mark.parametrize("kind", KINDS)
    async def test_intervals_have_the_actual_energy(
        self, world: World, house: System, kind: str
    ) -> None:
        """A week has 672; only a car has negative ones."""
        query = {"start_date": "2026-06-10", "granularity": "week"}
        document = await world.get(path(house, kind, "telemetry"), **query)
        assert document["start_date"] == "2026-06-10"
        assert "start_at" not in document
        assert document["interval_duration"] == "15mins"
        start = midnight(date(2026, 6, 10), ZONE)
        rows = document["intervals"]
        ends = [each["end_at"] for each in rows]
        assert ends == list(range(start + QUARTER, start + 7 * DAY + 1, QUARTER))
        for row in rows:
            end = row["end_at"]
            wh = taken(world, house, kind, end - QUARTER, end)
            assert row["wh_consumed"] == wh
        assert any(each["wh_consumed"] for each in rows)
        assert any(each["wh_consumed"] < 0 for each in rows) is (kind == "evse")

    @pytest.mark.parametrize("kind", KINDS)
    async def test_without_a_start_it_is_today_so_far(
        self, world: World, house: System, kind: str
    ) -> None:
        """Up to the last report."""
        document = await world.get(path(house, kind, "telemetry"))
        ends = [each["end_at"] for each in document["intervals"]]
        assert ends[0] == midnight(date(2026, 6, 17), ZONE) + QUARTER
        assert ends[-1] == world.cloud.published(house).until
        assert document["end_at"] == int(NOON.timestamp())

    @pytest.mark.parametrize("kind", KINDS)
    async def test_intervals_of_five_minutes(
        self, world: World, house: System, kind: str
    ) -> None:
        """They are refused unless the site supports them."""
        query = {"start_date": YESTERDAY.isoformat(), "interval_duration": "5mins"}
        status, _ = await world.refusal(path(house, kind, "telemetry"), **query)
        assert status == 422
        house.five_minute_telemetry = True
        document = await world.get(path(house, kind, "telemetry"), **query)
        assert document["interval_duration"] == "5mins"
        ends = [each["end_at"] for each in document["intervals"]]
        assert len(ends) == 288
        assert {end - start for start, end in pairwise(ends)} == {STEP}
        start = midnight(YESTERDAY, ZONE)
        total = sum(each["wh_consumed"] for each in document["intervals"])
        assert total == taken(world, house, kind, start, start + DAY)

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize(
        ("granularity", "most"), [("15mins", 1), ("day", 96), ("week", 672)]
    )
    async def test_granularity_is_the_length_of_the_span(
        self, world: World, house: System, kind: str, granularity: str, most: int
    ) -> None:
        """These operations ignore a requested end."""
        start = midnight(date(2026, 6, 9), ZONE)
        query = {"start_at": start, "granularity": granularity, "end_at": start + 1}
        document = await world.get(path(house, kind, "telemetry"), **query)
        assert document["start_at"] == start
        assert document["granularity"] == granularity
        assert len(document["intervals"]) == most

    @pytest.mark.parametrize("kind", KINDS)
    async def test_intervals_may_be_in_a_nested_list(
        self, world: World, house: System, kind: str
    ) -> None:
        """As the schema of the specification has them."""
        flat = await world.get(path(house, kind, "telemetry"))
        house.nested_intervals = True
        nested = await world.get(path(house, kind, "telemetry"))
        assert nested["intervals"] == [flat["intervals"]]

    @pytest.mark.parametrize("kind", KINDS)
    async def test_refusals(self, world: World, house: System, kind: str) -> None:
        """All refusals have the same text."""
        future = int(NOON.timestamp()) + 60
        wrong = (
            ("telemetry", {"start_at": future}),
            ("telemetry", {"start_at": 1_000}),
            ("telemetry", {"start_date": "2026"}),
            ("telemetry", {"granularity": "hour"}),
            ("telemetry", {"interval_duration": "1min"}),
            ("lifetime", {"start_date": "2026-06-18"}),
            ("lifetime", {"end_date": "2026-06-18"}),
            ("lifetime", {"start_date": "2026-06-16", "end_date": "2026-06-15"}),
            ("lifetime", {"start_date": "20260616x"}),
        )
        for what, query in wrong:
            refusal = await world.refusal(path(house, kind, what), **query)
            assert refusal == (
                422,
                {
                    "message": "Unprocessable Entity",
                    "details": "Invalid request because of 'Invalid date/time range'",
                    "code": 422,
                },
            )

    @pytest.mark.parametrize("what", ["telemetry", "lifetime"])
    async def test_other_chargers_are_not_found(
        self, world: World, house: System, what: str
    ) -> None:
        """Neither Enphase chargers nor removed ones."""
        house.install_charger(Charger(serial="202620010308"))
        house.remove_ev_charger(SERIAL)
        for serial in ("202620010308", SERIAL):
            status, body = await world.refusal(
                f"/{house.system_id}/{serial}/evse_{what}"
            )
            assert status == 404
            assert body["details"] == f'System not found for {{:id=>"{serial}"}}'

    async def test_without_a_heat_pump_lists_are_empty(
        self, world: World, house: System
    ) -> None:
        """The documents exist."""
        house.remove_heat_pump()
        assert (await world.get(path(house, "hp", "telemetry")))["intervals"] == []
        assert (await world.get(path(house, "hp", "lifetime")))["consumption"] == []

    async def test_the_energy_of_a_listed_charger_is_zero(self, world: World) -> None:
        """It is not installed; its status does not matter."""
        bare = world.add_system()
        bare.ev_chargers = (EvCharger(serial=SERIAL, status="CHARGING"),)
        document = await world.get(path(bare, "evse", "telemetry"))
        assert {each["wh_consumed"] for each in document["intervals"]} == {0}


class TestLifetime:
    """Energy by day."""

    @pytest.mark.parametrize("kind", KINDS)
    async def test_days_have_the_actual_energy(
        self, world: World, house: System, kind: str
    ) -> None:
        """From the first day to today so far."""
        document = await world.get(path(house, kind, "lifetime"))
        assert document["start_date"] == "2026-06-07"
        assert document["end_date"] == "2026-06-17"
        assert len(document["consumption"]) == 11
        until = world.cloud.published(house).until
        for number, wh in enumerate(document["consumption"]):
            start = midnight(date(2026, 6, 7 + number), ZONE)
            assert wh == taken(world, house, kind, start, min(start + DAY, until))
        assert document["consumption"][-2]

    @pytest.mark.parametrize("kind", KINDS)
    async def test_some_days(self, world: World, house: System, kind: str) -> None:
        """Days before the first one are omitted."""
        everything = await world.get(path(house, kind, "lifetime"))
        query = {"start_date": "2026-01-01", "end_date": "2026-06-09"}
        document = await world.get(path(house, kind, "lifetime"), **query)
        assert document["start_date"] == "2026-06-07"
        assert document["end_date"] == "2026-06-09"
        assert document["consumption"] == everything["consumption"][:3]


class TestSilence:
    """Appliances that do not report."""

    @pytest.mark.parametrize(
        ("kind", "part"), [("hp", "heat pump"), ("evse", f"charger {SERIAL}")]
    )
    async def test_missing_reports_are_a_gap_in_intervals_only(
        self, world: World, house: System, kind: str, part: str
    ) -> None:
        """Days do not change meanwhile; afterwards they are complete."""
        before = await world.get(path(house, kind, "lifetime"))
        start = midnight(YESTERDAY, ZONE)
        house.silence(part, moment(start))
        document = await world.get(path(house, kind, "lifetime"))
        assert document["consumption"] == [*before["consumption"][:-2], 0, 0]
        house.resume_part(part, moment(start + DAY))
        assert (await world.get(path(house, kind, "lifetime"))) == before
        query = {"start_date": YESTERDAY.isoformat()}
        document = await world.get(path(house, kind, "telemetry"), **query)
        assert document["intervals"] == []
        document = await world.get(path(house, kind, "telemetry"))
        assert document["intervals"]

    async def test_latest_telemetry_keeps_the_last_mode_for_a_week(
        self, world: World, house: System
    ) -> None:
        """Then it is null."""
        house.silence("heat pump", world.clock())
        house.silence(f"charger {SERIAL}", world.clock())
        world.clock.advance(hours=12)
        at = int(NOON.timestamp())
        document = await world.get(f"/{house.system_id}/latest_telemetry")
        for kind in ("heat-pump", "evse"):
            (row,) = document["devices"][kind]
            assert row["last_report_at"] == at
        world.clock.advance(days=8)
        world.headers = world.sign_in()
        document = await world.get(f"/{house.system_id}/latest_telemetry")
        for kind in ("heat-pump", "evse"):
            (row,) = document["devices"][kind]
            assert row["last_report_at"] is None
            assert row["operational_mode"] is None


async def test_a_charger_shows_its_actual_status(world: World, house: System) -> None:
    """Unless `status` replaces it."""
    start = midnight(date(2026, 6, 17), ZONE) + 14 * 3_600
    session = ChargingSession(
        start=start, end=start + 9_000, charges_at=start + 3_600, wanted=4_000
    )
    house.remove_ev_charger(SERIAL)
    charger = Charger(serial="7", power_w=7_200, returns_w=900, sessions=(session,))
    house.install_ev_charger(charger)
    house.heat_pump = HeatPump(mode="MODE_4")

    async def mode(at: int) -> object:
        world.clock.moment = moment(at + 1_200)
        document = await world.get(f"/{house.system_id}/latest_telemetry")
        assert document["devices"]["heat-pump"][0]["operational_mode"] == "MODE_4"
        return document["devices"]["evse"][0]["operational_mode"]

    assert await mode(start - 3_600) == "PLUGGED_OUT"
    assert await mode(start + 1_800) == "IDLE"
    assert await mode(start + 4_500) == "CHARGING"
    assert await mode(start + 12_000) == "PLUGGED_OUT"
