"""Enphase chargers: their documents have the values of the model."""

from copy import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given, settings, strategies as st
import pytest

from simulator import AccessControl, Charger, ChargingSession, IqCharger, System
from simulator.moments import STEP, Window, midnight
from simulator.physics import Flow, charging, day, energy

from .conftest import World
from .test_physics import HOME, plants, steps, supplied, used

SERIAL = "202620010308"
ZONE = "America/Los_Angeles"
YESTERDAY = date(2026, 6, 16)

chargers = st.builds(
    Charger,
    serial=st.sampled_from(["1", "2"]),
    power_w=st.integers(1_400, 22_000),
    habit=st.floats(0, 1),
)


@pytest.fixture
def house(world: World) -> System:
    """Return a system with a charger and a car every night."""
    system = world.add_system()
    system.install_charger(Charger(serial=SERIAL, habit=1))
    return system


def at(hour: int, minute: int = 0, *, day: date = YESTERDAY) -> int:
    """Return a moment in the time zone of the home."""
    return midnight(day, ZONE) + hour * 3_600 + minute * 60


def moment(seconds: int) -> datetime:
    """Return a moment."""
    return datetime.fromtimestamp(seconds, UTC)


class TestPhysics:
    """The effect of chargers on the energy of a home."""

    @settings(max_examples=25, deadline=None)
    @given(plants, st.lists(chargers, max_size=2, unique_by=lambda each: each.serial))
    def test_cars_are_part_of_the_consumption(self, plant: Any, cars: Any) -> None:
        """In each step the balance holds, and consumption includes cars."""
        plant = replace(plant, chargers=tuple(cars))
        local = date(2026, 3, 5)
        that, bare = day(plant, local), day(replace(plant, chargers=()), local)
        taken = charging.load(plant, local, len(that.flows[Flow.CONSUMPTION]))
        for wh in steps(that):
            assert supplied(wh) == used(wh)
        if not plant.outages:
            more = [
                with_car - without
                for with_car, without in zip(
                    that.flows[Flow.CONSUMPTION],
                    bare.flows[Flow.CONSUMPTION],
                    strict=True,
                )
            ]
            assert more == taken

    @settings(max_examples=25, deadline=None)
    @given(chargers, st.integers(0, 40))
    def test_energy_of_sessions_is_the_energy_of_days(
        self, charger: Charger, days: int
    ) -> None:
        """The energy of the charger is the sum of its sessions."""
        plant = replace(HOME, chargers=(charger,))
        first = date(2026, 3, 1)
        last = first + timedelta(days=days)
        taken = sum(
            charging.charged(plant, charger, each).energy
            for each in charging.sessions(plant, charger, first, last)
        )
        # The night after the last day minus the night before the first.
        start, end = midnight(first, ZONE), midnight(last + timedelta(days=2), ZONE)
        given_ = charging.energy(plant, charger, start, end)
        before = charging.sessions(
            plant, charger, first - timedelta(days=1), first - timedelta(days=1)
        )
        after = charging.sessions(
            plant, charger, last + timedelta(days=1), last + timedelta(days=1)
        )
        edges = sum(
            wh
            for each in [*before, *after]
            for step, wh in charging.charged(plant, charger, each).steps
            if start <= step < end
        )
        assert given_ == taken + edges

    def test_a_car_charges_the_wanted_energy_within_its_power(self) -> None:
        """The last step has the rest; a car that leaves early has less."""
        start = at(18, 2)
        session = ChargingSession(
            start=start, end=at(18, 21), charges_at=start, wanted=1_500
        )
        charger = Charger(serial="1", power_w=7_200, sessions=(session,))
        taken = charging.charged(HOME, charger, session)
        assert taken.steps == ((at(18, 5), 600), (at(18, 10), 600), (at(18, 15), 300))
        assert (taken.energy, taken.seconds) == (1_500, 900)
        short = replace(session, end=at(18, 14))
        assert charging.charged(HOME, charger, short).energy == 600

    def test_nothing_is_charged_without_a_grid(self) -> None:
        """The charger pauses in an outage."""
        session = ChargingSession(
            start=at(18), end=at(20), charges_at=at(18), wanted=1_800
        )
        plant = replace(HOME, outages=(Window(at(18, 5), at(19)),))
        charger = Charger(serial="1", power_w=7_200, sessions=(session,))
        assert [
            step for step, _ in charging.charged(plant, charger, session).steps
        ] == [
            at(18),
            at(19),
            at(19, 5),
        ]


class TestDocuments:
    """The documents of chargers."""

    async def test_lists_chargers(self, world: World, house: System) -> None:
        """Also in the devices of the system, there by serial number only."""
        house.device_statuses[SERIAL] = "error"
        document = await world.get(f"/{house.system_id}/ev_charger/devices")
        (listed,) = document["devices"]["ev_chargers"]
        assert listed["id"] == f"{SERIAL}:{house.system_id}"
        assert listed["status"] == "error"
        document = await world.get(f"/{house.system_id}/devices")
        (device,) = document["devices"]["ev_chargers"]
        assert (device["id"], device["serial_number"]) == ("", SERIAL)
        house.remove_charger(SERIAL)
        document = await world.get(f"/{house.system_id}/ev_charger/devices")
        assert document["devices"] == {"ev_chargers": []}

    async def test_telemetry_is_of_yesterday(self, world: World, house: System) -> None:
        """It has the actual Wh of each quarter hour."""
        document = await self.get(world, house, "telemetry")
        rows = document["consumption"]
        assert [each["end_at"] for each in rows] == list(
            range(at(0, 15), at(24) + 1, 900)
        )
        truth = world.cloud.truth(house.system_id)
        for each in rows:
            end = moment(each["end_at"])
            wh = truth.charged(SERIAL, end - timedelta(minutes=15), end)
            assert each["consumption"] == wh
        assert any(each["consumption"] for each in rows)
        assert (document["start_at"], document["end_at"]) == (at(0), at(24))

    async def test_telemetry_of_a_week(self, world: World, house: System) -> None:
        """From a day or a moment on, up to the newest report."""
        query = {"granularity": "week", "start_date": "20260610"}
        document = await self.get(world, house, "telemetry", **query)
        rows = document["consumption"]
        assert len(rows) == 7 * 96
        assert (document["start_date"], document["end_date"]) == (
            "2026-06-10",
            "2026-06-16",
        )
        start = at(6)
        document = await self.get(
            world, house, "telemetry", granularity="week", start_at=start
        )
        ends = [each["end_at"] for each in document["consumption"]]
        assert (ends[0], ends[-1]) == (at(6, 15), at(36, 30))

    async def test_days_are_the_sums_of_intervals(
        self, world: World, house: System
    ) -> None:
        """From the requested first day up to yesterday."""
        document = await self.get(world, house, "lifetime", start_date="20260601")
        assert document["start_date"] == "2026-06-01"
        days = document["consumption"]
        assert len(days) == 16
        # The system began to operate on the seventh.
        assert not any(days[:6])
        rows = (await self.get(world, house, "telemetry"))["consumption"]
        assert days[-1] == sum(each["consumption"] for each in rows)
        query = {"start_date": "20260610", "end_date": "20260611"}
        document = await self.get(world, house, "lifetime", **query)
        assert document["consumption"] == days[9:11]

    @pytest.mark.parametrize("unit", ["Wh", "kWh"])
    async def test_sessions_are_listed_when_they_are_completed(
        self, world: World, unit: Any
    ) -> None:
        """Newest first, with energy in the unit of the charger."""
        system = world.add_system()
        sessions = tuple(
            ChargingSession(start=start, end=start + 7_200, charges_at=start, wanted=wh)
            for start, wh in ((at(1), 3_456), (at(20), 9_000), (at(36), 9_000))
        )
        system.install_charger(
            Charger(serial=SERIAL, sessions=sessions),
            IqCharger(serial=SERIAL, energy_unit=unit),
        )
        document = await self.get(world, system, "sessions")
        assert document["count"] == 2
        newest, oldest = document["sessions"]
        assert (newest["start_time"], newest["end_time"]) == (at(20), at(22))
        assert oldest["energy_added"] == {"Wh": 3_456, "kWh": 3.46}[unit]
        assert oldest["charge_time"] == 6 * STEP
        assert (oldest["duration"], oldest["cost"]) == (7_200, 0.97)
        document = await self.get(world, system, "sessions", offset=1, limit=1)
        assert document["sessions"] == [oldest]

    async def test_latest_telemetry_has_the_status_of_chargers(
        self, world: World
    ) -> None:
        """As the specification spells it."""
        system = world.add_system()
        now = int(world.clock().timestamp())
        session = ChargingSession(
            start=now, end=now + 7_200, charges_at=now + 3_600, wanted=9_000
        )
        system.install_charger(Charger(serial=SERIAL, sessions=(session,)))
        rows = []
        for _ in range(3):
            document = await world.get(f"/{system.system_id}/latest_telemetry")
            rows.append(document["devices"]["evse"][0]["operational_mode"])
            world.clock.advance(minutes=50)
        assert rows == ["PLUGGED_OUT", "IDLE", "CHARGING"]

    async def test_schedules_are_in_the_time_zone_of_the_home(
        self, world: World, house: System
    ) -> None:
        """With times such as "1:00", and days from Monday on."""
        document = await self.get(world, house, "schedules")
        (schedule,) = document["charger_schedules"]
        assert schedule["is_active"] is True
        assert schedule["schedules"][0] == {
            "days": [1, 2, 3, 4, 5],
            "start_time": "1:00",
            "end_time": "6:30",
            "charging_level": 80,
        }

    async def test_events_are_prose(self, world: World, house: System) -> None:
        """Newest first; of one charger on request."""
        document = await world.get(f"/{house.system_id}/ev_charger/events", limit=2)
        newest, older = document["events"]
        assert newest["triggered_date"] >= older["triggered_date"]
        assert newest["details"].startswith("Charging ")
        assert SERIAL in newest["details"]
        document = await world.get(
            f"/{house.system_id}/ev_charger/events", serial_num="1"
        )
        assert (document["count"], document["events"]) == (0, [])

    async def get(
        self, world: World, system: System, name: str, **query: object
    ) -> Any:
        """Return a document of the charger."""
        path = f"/{system.system_id}/ev_charger/{SERIAL}/{name}"
        return await world.get(path, **query)


class TestRefusals:
    """Refusals."""

    @pytest.mark.parametrize(
        ("path", "query", "details"),
        [
            ("1/telemetry", {}, "Invalid system_id or serial_no"),
            (f"{SERIAL}/telemetry", {"granularity": "15mins"}, "Invalid granularity"),
            (f"{SERIAL}/telemetry", {"start_date": "2026-06-16"}, "Invalid start_date"),
            (f"{SERIAL}/telemetry", {"start_date": "20261340"}, "Invalid start_date"),
            (f"{SERIAL}/telemetry", {"start_date": "20270101"}, "Invalid start_date"),
            (f"{SERIAL}/telemetry", {"start_at": "soon"}, "Invalid start_at"),
            (f"{SERIAL}/lifetime", {}, "Invalid start_date/end_date"),
            (
                f"{SERIAL}/lifetime",
                {"start_date": "20260610", "end_date": "20260609"},
                "Invalid start_date/end_date",
            ),
            (f"{SERIAL}/sessions", {"limit": "101"}, "Invalid offset/limit"),
            (f"{SERIAL}/sessions", {"offset": "x"}, "Invalid offset/limit"),
            ("events", {"offset": "-1"}, "Invalid offset/limit"),
        ],
    )
    async def test_bad_requests(
        self,
        world: World,
        house: System,
        path: str,
        query: dict[str, str],
        details: str,
    ) -> None:
        """The code is text, and the content type is not JSON."""
        response = await world.request(f"/{house.system_id}/ev_charger/{path}", **query)
        assert response.content_type == "application/octet-stream"
        body = await response.json(content_type=None)
        assert (response.status, body) == (
            400,
            {"message": "Bad request", "code": "400", "details": details},
        )

    async def test_an_unknown_system_is_a_bad_request(self, world: World) -> None:
        """Not 404, as with other operations."""
        status, body = await world.refusal("/5/ev_charger/devices")
        assert (status, body["details"]) == (400, "Invalid system_id")

    async def test_needs_its_access_control(self, world: World, house: System) -> None:
        """Every plan includes it, but an application may lack it."""
        application = world.cloud.add_application(
            client_id="bare",
            client_secret="secret",
            api_key="bare",
            access=[AccessControl.SYSTEM_DETAILS],
        )
        status, body = await world.refusal(
            f"/{house.system_id}/ev_charger/{SERIAL}/sessions",
            headers=world.sign_in(application),
        )
        assert (status, body["code"]) == (401, "401")

    async def test_methods(self, world: World, house: System) -> None:
        """Only GET is allowed for documents."""
        status, body = await world.refusal(
            f"/{house.system_id}/ev_charger/devices", method="POST"
        )
        assert (status, body["reason"]) == (405, "405")


def test_consumption_includes_chargers(world: World, house: System) -> None:
    """Also in published documents."""
    plant = house.plant
    bare = replace(plant, chargers=())
    start, end = midnight(YESTERDAY, ZONE), at(24)
    more = energy(plant, Flow.CONSUMPTION, start, end) - energy(
        bare, Flow.CONSUMPTION, start, end
    )
    truth = world.cloud.truth(house.system_id)
    assert more == truth.charged(SERIAL, moment(start), moment(end)) > 0
    sessions = truth.sessions(SERIAL, YESTERDAY, YESTERDAY)
    assert [each.session.start for each in sessions] == sorted(
        each.session.start for each in sessions
    )
