"""Intervals of panels and batteries, which add up to those of the system."""

from collections import Counter
from copy import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given, settings
import pytest

from simulator import Flow, Storage, System
from simulator.moments import DAY, QUARTER, STEP, midnight
from simulator.physics import energy, panels, power, units

from .conftest import NOON, World
from .test_physics import HOME, days, plants

ZONE = "America/Los_Angeles"
YESTERDAY = date(2026, 6, 16)
DARK = 2 * 3_600


@pytest.fixture
def home(world: World) -> System:
    """Return a system whose intervals are complete at once."""
    return world.add_system(corrections=False)


def moment(seconds: int) -> datetime:
    """Return a moment."""
    return datetime.fromtimestamp(seconds, UTC)


async def panel(world: World, home: System, serial: str, **query: object) -> Any:
    """Return the telemetry of a panel."""
    path = f"/{home.system_id}/devices/micros/{serial}/telemetry"
    return await world.get(path, **query)


async def battery(world: World, home: System, unit: int, **query: object) -> Any:
    """Return the telemetry of a battery, by its number."""
    serial = await battery_serial(world, home, unit)
    path = f"/{home.system_id}/devices/encharges/{serial}/telemetry"
    return await world.get(path, **query)


async def battery_serial(world: World, home: System, unit: int) -> str:
    """Return the serial number of a listed battery, by its number."""
    document = await world.get(f"/{home.system_id}/devices")
    serials = [each["serial_number"] for each in document["devices"]["encharges"]]
    return next(each for each in serials if each.endswith(f"{unit:02}"))


async def all_panels(world: World, home: System, **query: object) -> dict[str, Any]:
    """Return the intervals of all panels by serial number, page by page."""
    found: dict[str, Any] = {}
    for page in range(1, 10):
        document = await world.get(
            f"/{home.system_id}/devices/micros/telemetry", page=page, size=20, **query
        )
        rows = {each["serial_number"]: each for each in document["devices"]}
        assert not found.keys() & rows.keys()
        assert document["page_size"] == len(rows)
        found |= {serial: each["intervals"] for serial, each in rows.items()}
        if len(found) == document["total_devices"]:
            return found
    raise AssertionError("There are more panels than pages")


class TestPhysics:
    """Division of the energy of a system."""

    @settings(max_examples=20, deadline=None)
    @given(plants, days)
    def test_steps_of_panels_have_their_energy(self, plant: Any, local: date) -> None:
        """In each step; the sum is the production of the day."""
        start = midnight(local, plant.time_zone)
        end = midnight(local + timedelta(days=1), plant.time_zone)
        steps = panels.steps(plant, start, end)
        sums = [sum(each) for each in zip(*steps, strict=True)]
        assert sums == panels.energy_by_panel(plant, start, end)
        assert sum(sums) == energy(plant, Flow.PRODUCTION, start, end)
        middle = (end - start) // STEP // 2
        noon = start + middle * STEP
        assert list(steps[middle]) == panels.energy_by_panel(plant, noon, noon + STEP)
        assert (
            panels.steps(plant, noon, end + STEP)[: len(steps) - middle]
            == (steps[middle:])
        )

    @settings(max_examples=20, deadline=None)
    @given(plants, days)
    def test_batteries_add_up_in_every_quarter(self, plant: Any, local: date) -> None:
        """Energy and charge of all batteries are those of the system."""
        start = midnight(local, plant.time_zone)
        for at in range(start, start + DAY, QUARTER):
            for flow in (Flow.CHARGE, Flow.DISCHARGE):
                wh = units.energy_by_unit(plant, flow, at, at + QUARTER)
                total = energy(plant, flow, at, at + QUARTER)
                assert sum(wh.values()) == (total if plant.storage else 0)
                assert all(each >= 0 for each in wh.values())
            levels = units.levels(plant, at)
            assert len(levels) == (plant.storage.units if plant.storage else 0)
            assert all(0 <= level <= 100 for level in levels.values())

    def test_batteries_differ_and_their_mean_is_the_charge(self) -> None:
        """Of three the outer ones differ most in the middle of the range."""
        plant = replace(HOME, storage=Storage(units=3))
        start = midnight(YESTERDAY, ZONE)
        widest = 0.0
        for at in range(start, start + DAY, QUARTER):
            first, second, third = units.levels(plant, at).values()
            assert (first + third) / 2 == pytest.approx(second)
            widest = max(widest, third - first)
        assert 3 < widest <= 5
        charged = units.energy_by_unit(plant, Flow.CHARGE, start, start + DAY)
        assert len(set(charged.values())) == 3

    def test_a_level_follows_from_charge_and_discharge(self) -> None:
        """From the lowest charge of a day up to the highest, and down again."""
        storage = Storage(units=2)
        plant = replace(HOME, storage=storage)
        start = midnight(YESTERDAY, ZONE)
        marks = range(start, start + DAY, QUARTER)
        full = max(marks, key=lambda at: power(plant, at).soc or 0)
        low = min(range(start, full, QUARTER), key=lambda at: power(plant, at).soc or 0)
        assert (power(plant, low).soc or 0) < 40
        assert (power(plant, full).soc or 0) > 90
        for begin, end in ((low, full), (full, start + DAY)):
            before, after = units.levels(plant, begin), units.levels(plant, end)
            taken, given_ = (
                units.energy_by_unit(plant, flow, begin, end)
                for flow in (Flow.CHARGE, Flow.DISCHARGE)
            )
            for unit in (1, 2):
                stored = taken[unit] * storage.efficiency_percent / 100 - given_[unit]
                percent = stored * 100 / storage.unit_capacity_wh
                assert after[unit] - before[unit] == pytest.approx(percent, abs=0.4)


class TestPanels:
    """The telemetry of microinverters."""

    async def test_all_panels_add_up_to_the_production(
        self, world: World, home: System
    ) -> None:
        """Over a day exactly; each interval is the difference of its register."""
        found = await all_panels(world, home, start_date=YESTERDAY.isoformat())
        assert len(found) == home.modules
        truth = world.cloud.truth(home.system_id)
        totals = {
            serial: sum(each["enwh"] for each in rows) for serial, rows in found.items()
        }
        assert totals == truth.panels(YESTERDAY)
        assert sum(totals.values()) == truth.day("production", YESTERDAY)
        start = midnight(YESTERDAY, ZONE)
        for serial, rows in found.items():
            ends = [each["end_at"] for each in rows]
            assert ends == list(range(start + STEP, start + DAY + 1, STEP))
            for row in rows[140:150]:
                end = moment(row["end_at"])
                wh = truth.panel(serial, end - timedelta(minutes=5), end)
                assert (row["enwh"], row["powr"]) == (wh, wh * 12)

    async def test_a_single_panel_has_the_intervals_of_its_page(
        self, world: World, home: System
    ) -> None:
        """Both documents have the same intervals."""
        found = await all_panels(world, home)
        for serial in list(found)[::5]:
            document = await panel(world, home, serial)
            assert document["serial_number"] == serial
            assert document["total_devices"] == 1
            assert document["intervals"] == found[serial]

    async def test_pages(self, world: World) -> None:
        """Ten without a size, twenty at most; the last page has what is left."""
        home = world.add_system(size_w=25 * 425)
        path = f"/{home.system_id}/devices/micros/telemetry"
        sizes = []
        for query in ({}, {"size": 100}, {"size": 20, "page": 2}, {"page": 9}):
            document = await world.get(path, **query)
            assert document["total_devices"] == 25
            assert document["page"] == query.get("page", 1)
            assert document["page_size"] == len(document["devices"])
            sizes.append(document["page_size"])
        assert sizes == [10, 20, 5, 0]

    @pytest.mark.parametrize(
        ("granularity", "most"), [("5mins", 1), ("15mins", 3), ("day", 288)]
    )
    async def test_granularity_is_the_length_of_the_span(
        self, world: World, home: System, granularity: str, most: int
    ) -> None:
        """The document has start and end, and not more intervals than documented."""
        start = midnight(YESTERDAY, ZONE) + 9 * 3_600
        serial = home.microinverters[0].serial
        query = {"start_at": start, "granularity": granularity}
        document = await panel(world, home, serial, **query)
        assert len(document["intervals"]) == most
        assert document["granularity"] == granularity
        assert document["start_at"] == start
        assert document["end_at"] == start + most * STEP
        (first, *_) = document["intervals"]
        assert first["end_at"] == start + STEP

    async def test_dates_are_shown_as_requested(
        self, world: World, home: System
    ) -> None:
        """The names of their fields depend on the request."""
        path = f"/{home.system_id}/devices/micros/telemetry"
        document = await world.get(
            path, start_date="2026-06-15", end_date="2026-06-16", size=1
        )
        assert (document["start_date"], document["end_date"]) == (
            "2026-06-15",
            "2026-06-16",
        )
        assert not {"start_at", "end_at"} & document.keys()
        assert len(document["devices"][0]["intervals"]) == 2 * 288

    @pytest.mark.parametrize(
        ("query", "words"),
        [
            ({"start_at": int(NOON.timestamp()) + 60}, "Requested date is in the fu"),
            ({"start_at": 1_000}, "Requested date range is invalid for this system"),
            ({"start_date": "yesterday"}, "Failed to parse date yesterday"),
            ({"granularity": "hour"}, "Invalid granularity hour"),
            (
                {"start_at": 1_781_600_000, "end_at": 1_781_500_000},
                "{:start_at=>1781600000, :end_at=>1781500000, :first_interval=>",
            ),
        ],
    )
    async def test_refusals(
        self, world: World, home: System, query: dict[str, object], words: str
    ) -> None:
        """Invalid requests are refused with the documented text."""
        serial = home.microinverters[0].serial
        paths = ("micros/telemetry", f"micros/{serial}/telemetry")
        for path in paths:
            status, body = await world.refusal(
                f"/{home.system_id}/devices/{path}", **query
            )
            assert (status, body["code"]) == (422, 422)
            assert words in body["details"]

    async def test_unknown_panels(self, world: World, home: System) -> None:
        """Panels that are not listed are not found."""
        status, body = await world.refusal(
            f"/{home.system_id}/devices/micros/1/telemetry"
        )
        assert status == 404
        assert body["details"] == 'Micro not found for {:id=>"1"}'

    async def test_a_dead_panel_has_zeros(self, world: World, home: System) -> None:
        """Its intervals continue; the other panels do not change."""
        dead, sound = (each.serial for each in home.microinverters[:2])
        home.break_panel(dead, NOON - timedelta(hours=2))
        rows = (await panel(world, home, dead))["intervals"]
        assert rows[-60]["enwh"] > 0
        assert [each["enwh"] for each in rows[-12:]] == [0] * 12
        rows = (await panel(world, home, sound))["intervals"]
        assert min(each["enwh"] for each in rows[-12:]) > 0

    async def test_a_panel_without_reports_has_a_gap(
        self, world: World, home: System
    ) -> None:
        """The intervals are missing, also after it resumes."""
        serial = home.microinverters[0].serial
        home.silence_panel(serial, NOON - timedelta(hours=3))
        ends = await ends_of(world, home, serial)
        start = int(NOON.timestamp()) - 3 * 3_600
        assert ends[-1] == start
        home.resume_panel(serial, NOON - timedelta(hours=1))
        ends = await ends_of(world, home, serial)
        gap = [end for end in ends if start < end <= start + 2 * 3_600]
        assert gap == []
        assert start + 2 * 3_600 + STEP in ends

    async def test_a_replaced_panel_begins_with_zero(
        self, world: World, home: System
    ) -> None:
        """The old one is not found, and the new one has only intervals of its time."""
        old = home.microinverters[0].serial
        new = home.replace_panel(old, NOON - timedelta(hours=2))
        (first, *_) = await ends_of(world, home, new)
        assert first == int(NOON.timestamp()) - 2 * 3_600 + STEP
        status, _ = await world.refusal(
            f"/{home.system_id}/devices/micros/{old}/telemetry"
        )
        assert status == 404

    async def test_a_retired_panel_ends(self, world: World, home: System) -> None:
        """It is only found if retired panels are shown."""
        serial = home.microinverters[0].serial
        home.retire_panel(serial, NOON - timedelta(hours=2))
        path = f"/{home.system_id}/devices/micros/{serial}/telemetry"
        assert (await world.refusal(path))[0] == 404
        assert serial not in await all_panels(world, home)
        home.show_retired = True
        ends = await ends_of(world, home, serial)
        assert ends[-1] == int(NOON.timestamp()) - 2 * 3_600

    async def test_an_interval_that_lacks_a_panel_is_completed_later(
        self, world: World
    ) -> None:
        """At first its interval is missing; it exists after three hours."""
        home = world.add_system()
        before = await all_panels(world, home)
        counts = Counter(each["end_at"] for rows in before.values() for each in rows)
        lacking = {end for end, count in counts.items() if count < home.modules}
        assert lacking
        assert {counts[end] for end in lacking} == {home.modules - 1}
        document = await world.get(f"/{home.system_id}/telemetry/production_micro")
        reporting = {
            each["end_at"]
            for each in document["intervals"]
            if 0 < each["devices_reporting"] < home.modules
        }
        assert lacking == reporting
        world.clock.advance(hours=4)
        after = await all_panels(world, home)
        ends = {each["end_at"] for rows in after.values() for each in rows}
        assert lacking < ends
        for rows in after.values():
            assert lacking <= {each["end_at"] for each in rows}

    async def test_in_the_dark(self, world: World, home: System) -> None:
        """Intervals have zeros, or are omitted like those of the system."""
        serial = home.microinverters[0].serial
        start = midnight(YESTERDAY, ZONE)
        query = {"start_at": start, "end_at": start + DARK}
        rows = (await panel(world, home, serial, **query))["intervals"]
        assert [each["enwh"] for each in rows] == [0] * (DARK // STEP)
        home.dark_intervals = False
        assert (await panel(world, home, serial, **query))["intervals"] == []


async def ends_of(world: World, home: System, serial: str) -> list[int]:
    """Return the ends of a panel's intervals of today."""
    document = await panel(world, home, serial)
    return [each["end_at"] for each in document["intervals"]]


class TestBatteries:
    """The telemetry of single batteries."""

    async def test_batteries_add_up_to_the_system(
        self, world: World, home: System
    ) -> None:
        """In each interval; their mean charge is the system's."""
        query = {"start_date": YESTERDAY.isoformat()}
        site = await world.get(f"/{home.system_id}/telemetry/battery", **query)
        first, second = [
            (await battery(world, home, unit, **query))["intervals"] for unit in (1, 2)
        ]
        assert len(first) == len(second) == len(site["intervals"]) == 96
        for row, *rows in zip(site["intervals"], first, second, strict=True):
            assert {each["end_at"] for each in rows} == {row["end_at"]}
            for flow in ("charge", "discharge"):
                parts = [each[flow]["enwh"] for each in rows]
                assert sum(parts) == row[flow]["enwh"]
            levels = [each["soc"]["percent"] for each in rows]
            assert sum(levels) / 2 == pytest.approx(row["soc"]["percent"], abs=1)
        assert first != second

    async def test_intervals_have_the_actual_values(
        self, world: World, home: System
    ) -> None:
        """Charge, discharge and state of charge."""
        truth = world.cloud.truth(home.system_id)
        serial = await battery_serial(world, home, 2)
        document = await battery(world, home, 2)
        assert document["serial_number"] == serial
        assert document["total_devices"] == 1
        for row in document["intervals"]:
            end = moment(row["end_at"])
            start = end - timedelta(minutes=15)
            for flow in ("charge", "discharge"):
                wh = truth.battery(serial, flow, start, end)
                assert row[flow] == {"enwh": wh}
            assert row["soc"] == {"percent": round(truth.level(serial, end))}
        heard = moment(document["last_reported_time"])
        assert heard == moment(world.cloud.published(home).last_report_at)
        level = truth.level(serial, heard)
        assert document["last_reported_soc"] == f"{round(level)}%"

    async def test_a_battery_without_reports_keeps_its_last_charge(
        self, world: World, home: System
    ) -> None:
        """Its intervals end."""
        at = NOON.replace(minute=0) - timedelta(hours=2)
        home.silence("battery 1", at)
        document = await battery(world, home, 1)
        assert document["intervals"][-1]["end_at"] == int(at.timestamp())
        assert document["last_reported_time"] == int(at.timestamp())
        other = await battery(world, home, 2)
        assert other["intervals"][-1]["end_at"] > int(at.timestamp())
        home.silence("battery", at)
        assert len((await battery(world, home, 2))["intervals"]) == len(
            document["intervals"]
        )

    async def test_a_removed_battery_is_not_found(
        self, world: World, home: System
    ) -> None:
        """The remaining ones have all the energy."""
        serial = await battery_serial(world, home, 2)
        home.remove_battery(2, NOON - timedelta(hours=2))
        path = f"/{home.system_id}/devices/encharges/{serial}/telemetry"
        status, body = await world.refusal(path)
        assert status == 404
        assert body["details"] == f'Encharge not found for {{:id=>"{serial}"}}'
        site = await world.get(f"/{home.system_id}/telemetry/battery")
        alone = await battery(world, home, 1)
        for row, own in zip(
            site["intervals"][-4:], alone["intervals"][-4:], strict=True
        ):
            assert own["charge"]["enwh"] == row["charge"]["enwh"]

    async def test_new_batteries(self, world: World) -> None:
        """They have no intervals before their installation."""
        bare = world.add_system(battery=None, corrections=False)
        path = f"/{bare.system_id}/devices/encharges/1/telemetry"
        assert (await world.refusal(path))[0] == 404
        at = NOON.replace(minute=0) - timedelta(hours=2)
        bare.install_batteries(Storage(units=1), at)
        document = await battery(world, bare, 1)
        (first, *_) = document["intervals"]
        assert first["end_at"] == int(at.timestamp()) + QUARTER

    async def test_an_interval_that_lacks_a_battery(self, world: World) -> None:
        """One battery lacks it, and the interval of the system has a lower count."""
        home = world.add_system()
        site = await world.get(f"/{home.system_id}/telemetry/battery")
        rows = [(await battery(world, home, unit))["intervals"] for unit in (1, 2)]
        counts = Counter(each["end_at"] for unit in rows for each in unit)
        expected = {
            each["end_at"]: each["soc"]["devices_reporting"]
            for each in site["intervals"]
        }
        assert counts == expected
        assert set(expected.values()) == {1, 2}
