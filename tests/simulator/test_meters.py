"""Several production meters, and the system of a gateway."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from simulator import Fault, SecondGateway, System
from simulator.documents.meters import meters_of
from simulator.moments import DAY, QUARTER, midnight

from .conftest import NOON, World

ZONE = "America/Los_Angeles"
YESTERDAY = midnight(date(2026, 6, 16), ZONE)


@pytest.fixture
def farm(world: World) -> System:
    """Return a system with three production meters and complete intervals."""
    system = world.add_system(corrections=False)
    system.production_meters = 3
    return system


def moment(seconds: int) -> datetime:
    """Return a moment."""
    return datetime.fromtimestamp(seconds, UTC)


async def stats(world: World, system: System, **query: object) -> Any:
    """Return the document of production meters."""
    return await world.get(f"/{system.system_id}/rgm_stats", **query)


def by_meter(document: Any) -> dict[str, dict[int, int]]:
    """Return the Wh of each meter, summed over channels, by the end of intervals."""
    found: dict[str, dict[int, int]] = {}
    for meter in document["meter_intervals"]:
        wh = found.setdefault(meter["meter_serial_number"], {})
        for row in meter["intervals"]:
            if row["wh_del"] is not None:
                wh[row["end_at"]] = wh.get(row["end_at"], 0) + row["wh_del"]
    return found


class TestStats:
    """The statistics of production meters."""

    @pytest.mark.parametrize("phases", [1, 3])
    async def test_meters_add_up_to_the_production(
        self, world: World, farm: System, phases: Any
    ) -> None:
        """In each interval; each meter has its actual energy."""
        farm.phases = phases
        query = {"start_at": YESTERDAY, "end_at": YESTERDAY + DAY}
        document = await stats(world, farm, **query)
        assert document["total_devices"] == 3
        ends = list(range(YESTERDAY + QUARTER, YESTERDAY + DAY + 1, QUARTER))
        assert [each["end_at"] for each in document["intervals"]] == ends
        assert {each["devices_reporting"] for each in document["intervals"]} == {3}
        measured = by_meter(document)
        truth = world.cloud.truth(farm.system_id)
        quarter = timedelta(minutes=15)
        for row in document["intervals"]:
            at = moment(row["end_at"])
            assert row["wh_del"] == truth.energy("production", at - quarter, at)
            parts = {serial: wh[row["end_at"]] for serial, wh in measured.items()}
            assert sum(parts.values()) == row["wh_del"]
            assert parts == {
                serial: truth.metered(serial, at - quarter, at) for serial in measured
            }
        totals = sorted(sum(wh.values()) for wh in measured.values())
        assert totals[0] > 0
        assert len(set(totals)) == 3

    async def test_power_is_that_of_the_interval(
        self, world: World, farm: System
    ) -> None:
        """A channel without a phase has null."""
        document = await stats(world, farm)
        for meter in document["meter_intervals"]:
            assert {row["channel"] for row in meter["intervals"]} == {1, 2, 3}
            for row in meter["intervals"]:
                if row["channel"] == 1:
                    assert row["curr_w"] == 4 * row["wh_del"]
                else:
                    assert row["curr_w"] is row["wh_del"] is None

    async def test_without_a_start_it_is_today_so_far(
        self, world: World, farm: System
    ) -> None:
        """Up to the last report."""
        ends = [each["end_at"] for each in (await stats(world, farm))["intervals"]]
        assert ends[0] == YESTERDAY + DAY + QUARTER
        assert ends[-1] == world.cloud.published(farm).until

    async def test_spans_are_rounded_and_limited(
        self, world: World, farm: System
    ) -> None:
        """Starts are rounded down; the document has at most a week."""
        start = midnight(date(2026, 6, 8), ZONE)
        document = await stats(world, farm, start_at=start + 899, end_at=start + 2_699)
        ends = [each["end_at"] for each in document["intervals"]]
        assert ends == [start + QUARTER, start + 2 * QUARTER]
        for query in ({}, {"end_at": start + 9 * DAY}):
            document = await stats(world, farm, start_at=start, **query)
            ends = [each["end_at"] for each in document["intervals"]]
            assert len(ends) == 672
            assert ends[-1] == start + 7 * DAY

    async def test_it_begins_with_the_first_day(
        self, world: World, farm: System
    ) -> None:
        """An earlier start is midnight of that day; a late one has no intervals."""
        first = midnight(date(2026, 6, 7), ZONE)
        document = await stats(world, farm, start_at=first - 100 * DAY)
        assert document["intervals"][0]["end_at"] == first + QUARTER
        document = await stats(world, farm, start_at=int(NOON.timestamp()))
        assert document["intervals"] == []

    @pytest.mark.parametrize(
        "query",
        [
            {"start_at": int(NOON.timestamp()) + 1},
            {"start_at": 1_000},
            {"start_at": "yesterday"},
            {"start_at": YESTERDAY, "end_at": YESTERDAY - 1},
        ],
    )
    async def test_refusals(
        self, world: World, farm: System, query: dict[str, object]
    ) -> None:
        """Invalid requests are refused with the documented text."""
        refusal = await world.refusal(f"/{farm.system_id}/rgm_stats", **query)
        assert refusal == (
            422,
            {
                "message": "Unprocessable Entity",
                "details": "Requested date range is invalid for this system",
                "code": 422,
            },
        )

    async def test_data_is_temporarily_unavailable(
        self, world: World, farm: System
    ) -> None:
        """The error has its own body."""
        world.cloud.faults.add(Fault(operation="rgm_stats", status=500, times=1))
        status, body = await world.refusal(f"/{farm.system_id}/rgm_stats")
        assert status == 500
        assert body == {
            "errorCode": 7,
            "errorMessages": ["Data is temporarily unavailable"],
        }

    async def test_without_a_meter_lists_are_empty(self, world: World) -> None:
        """The document exists."""
        bare = world.add_system(meters=["consumption"])
        document = await stats(world, bare)
        assert document["total_devices"] == 0
        assert document["intervals"] == document["meter_intervals"] == []

    async def test_in_the_dark(self, world: World, farm: System) -> None:
        """Intervals are omitted like those of production telemetry."""
        farm.dark_intervals = False
        document = await stats(world, farm)
        telemetry = await world.get(f"/{farm.system_id}/telemetry/production_meter")
        ends = [each["end_at"] for each in telemetry["intervals"]]
        assert [each["end_at"] for each in document["intervals"]] == ends
        assert telemetry["total_devices"] == 3

    async def test_a_meter_without_reports_is_missing(
        self, world: World, farm: System
    ) -> None:
        """The others continue; if no meter reports, there are no intervals."""
        at = NOON.replace(minute=0) - timedelta(hours=2)
        farm.silence("production 2", at)
        document = await stats(world, farm)
        first, second, third = by_meter(document).values()
        assert max(second) == int(at.timestamp())
        assert max(first) == max(third) > max(second)
        last = document["intervals"][-1]
        assert last["devices_reporting"] == 2
        assert last["wh_del"] == first[last["end_at"]] + third[last["end_at"]]
        farm.silence("production", at)
        document = await stats(world, farm)
        assert document["intervals"][-1]["end_at"] == int(at.timestamp())

    async def test_a_replaced_meter_has_intervals_of_its_time(
        self, world: World, farm: System
    ) -> None:
        """Its successor continues in the same quarter hour."""
        at = NOON.replace(minute=7) - timedelta(hours=2)
        farm.replace_meter("production", at)
        document = await stats(world, farm)
        assert document["total_devices"] == 3
        old, new, *_ = by_meter(document).values()
        mark = int(at.timestamp()) // QUARTER * QUARTER
        assert max(old) == mark
        assert min(new) == mark + QUARTER
        assert {each["devices_reporting"] for each in document["intervals"]} == {3}

    async def test_an_interval_that_lacks_a_meter(self, world: World) -> None:
        """One meter lacks it; a single meter has no row."""
        farm = world.add_system()
        farm.production_meters = 2
        telemetry = await world.get(f"/{farm.system_id}/telemetry/production_meter")
        late = [
            each["end_at"]
            for each in telemetry["intervals"]
            if each["devices_reporting"] == 1
        ]
        assert late
        document = await stats(world, farm)
        found = by_meter(document).values()
        reporting = {
            each["end_at"]: each["devices_reporting"] for each in document["intervals"]
        }
        for at, count in reporting.items():
            assert count == sum(at in wh for wh in found) == 2 - (at in late)
        farm.production_meters = 1
        ends = [each["end_at"] for each in (await stats(world, farm))["intervals"]]
        assert not set(late) & set(ends)

    async def test_meters_of_two_gateways(self, world: World, farm: System) -> None:
        """Each has the serial number of its gateway."""
        farm.second_gateway = SecondGateway(frozenset({"production 3"}), behind=30)
        document = await stats(world, farm)
        named = [each["envoy_serial_number"] for each in document["meter_intervals"]]
        first, second = farm.gateway_serials
        assert named == [first, first, second]


class TestOtherDocuments:
    """Several production meters in the documents that list meters."""

    async def test_all_are_listed(self, world: World, farm: System) -> None:
        """With the same ids and serial numbers everywhere."""
        path = f"/{farm.system_id}"
        listed = (await world.get(f"{path}/devices"))["devices"]["meters"]
        named = [each["name"] for each in listed]
        assert named == [*3 * ["production"], "consumption"]
        assert len({each["id"] for each in listed}) == 4
        serials = [each["serial_number"] for each in listed[:3]]
        readings = await world.get(f"{path}/production_meter_readings")
        assert [each["serial_number"] for each in readings["meter_readings"]] == serials
        assert list(by_meter(await stats(world, farm))) == serials
        latest = (await world.get(f"{path}/latest_telemetry"))["devices"]["meters"]
        assert {each["id"] for each in latest} == {each["id"] for each in listed}

    async def test_readings_add_up(self, world: World, farm: System) -> None:
        """They change by the energy between them."""
        path = f"/{farm.system_id}/production_meter_readings"
        before, after = [
            {
                each["serial_number"]: each["value"]
                for each in (await world.get(path, end_at=at))["meter_readings"]
            }
            for at in (YESTERDAY, YESTERDAY + DAY)
        ]
        truth = world.cloud.truth(farm.system_id)
        start, end = moment(YESTERDAY), moment(YESTERDAY + DAY)
        assert sum(after.values()) == truth.lifetime("production", end)
        query = {"start_at": YESTERDAY, "end_at": YESTERDAY + DAY}
        for serial, wh in by_meter(await stats(world, farm, **query)).items():
            assert after[serial] - before[serial] == sum(wh.values())
            assert sum(wh.values()) == truth.metered(serial, start, end)

    async def test_power_adds_up(self, world: World, farm: System) -> None:
        """To the production of the site."""
        document = await world.get(f"/{farm.system_id}/latest_telemetry")
        powers = [
            each["power"]
            for each in document["devices"]["meters"]
            if each["name"] == "production" and each["power"] is not None
        ]
        until = world.cloud.published(farm).until
        truth = world.cloud.truth(farm.system_id).power(moment(until))
        assert len(powers) == 3
        assert sum(powers) == truth.production > 0

    def test_parts_never_decrease(self, farm: System) -> None:
        """With any number of meters."""
        farm.production_meters = 5
        meters = list(meters_of(farm, "production"))
        before = [0] * 5
        for total in range(2_000):
            parts = [meter.part_of(total) for meter in meters]
            assert sum(parts) == total
            assert all(new >= old for new, old in zip(parts, before, strict=True))
            before = parts


class TestGateways:
    """The system of a gateway."""

    async def test_a_serial_number_finds_the_system(
        self, world: World, farm: System
    ) -> None:
        """For each gateway; the request counts."""
        farm.second_gateway = SecondGateway(frozenset(), behind=0)
        for serial in farm.gateway_serials:
            document = await world.get("/retrieve_system_id", serial_num=serial)
            assert document == {"system_id": farm.system_id}
        assert world.cloud.counts() == {"retrieve_system_id": 2}

    async def test_unknown_gateways(self, world: World, farm: System) -> None:
        """Gateways of other accounts and removed ones are not found."""
        farm.second_gateway = SecondGateway(frozenset(), behind=0)
        _, gone = farm.gateway_serials
        farm.second_gateway = None
        other = world.cloud.add_account(email="o@example.com", password="x")
        foreign = world.cloud.add_system(other).gateway_serial
        for serial in (gone, foreign, "1"):
            refusal = await world.refusal("/retrieve_system_id", serial_num=serial)
            assert refusal == (
                404,
                {
                    "message": "Not Found",
                    "details": "Envoy not found with this serial number",
                    "code": 404,
                },
            )

    async def test_without_a_serial_number(self, world: World, farm: System) -> None:
        """The request is refused."""
        status, body = await world.refusal("/retrieve_system_id")
        assert status == 422
        assert body["details"] == "Provide envoy serial number"
