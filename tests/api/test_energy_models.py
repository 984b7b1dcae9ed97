"""Energies in intervals and by day: what is sound is kept, what is odd is None."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.enphase_cloud.api import (
    DailyBatteryEnergies,
    DailyEnergies,
    DailySeries,
    EnergyInterval,
    EnergyIntervals,
    EnphaseCloudClient,
    Granularity,
    IntervalSeries,
    MalformedAnswerError,
    Operation,
)

from .conftest import SYSTEM_ID, FakeCloud, reply

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
EPOCH = int(NOON.timestamp())

ODD_NUMBERS: list[Any] = [None, True, "", "many", [], {}, -1, 1e300, float("nan")]
PATHS = {
    IntervalSeries.PRODUCTION_METER: "telemetry/production_meter",
    IntervalSeries.PRODUCTION_MICRO: "telemetry/production_micro",
    IntervalSeries.CONSUMPTION: "telemetry/consumption_meter",
    IntervalSeries.GRID_IMPORT: "energy_import_telemetry",
    IntervalSeries.GRID_EXPORT: "energy_export_telemetry",
    DailySeries.PRODUCTION: "energy_lifetime",
    DailySeries.CONSUMPTION: "consumption_lifetime",
    DailySeries.GRID_IMPORT: "energy_import_lifetime",
    DailySeries.GRID_EXPORT: "energy_export_lifetime",
}

json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.sampled_from(["end_at", "enwh", "x"]), inner)
    ),
)


def production(intervals: object, **members: Any) -> EnergyIntervals:
    """Return what the production meter's document says."""
    return EnergyIntervals.from_api(
        {"system_id": SYSTEM_ID, "intervals": intervals} | members,
        IntervalSeries.PRODUCTION_METER,
    )


class TestIntervals:
    """One flow in intervals."""

    def test_are_read_in_order(self) -> None:
        later = {"end_at": EPOCH + 900, "devices_reporting": 1, "wh_del": 250}
        earlier = {"end_at": EPOCH, "devices_reporting": 0, "wh_del": 0}
        assert production([later, earlier], total_devices=1) == EnergyIntervals(
            system_id=SYSTEM_ID,
            intervals=(
                EnergyInterval(end_at=NOON, energy=0, devices_reporting=0),
                EnergyInterval(
                    end_at=NOON + timedelta(minutes=15), energy=250, devices_reporting=1
                ),
            ),
            total_devices=1,
            length=timedelta(minutes=15),
        )

    def test_are_found_in_nested_arrays_as_the_grids_documents_have_them(self) -> None:
        first, second = (
            {"end_at": EPOCH + 900 * step, "wh_imported": 10 + step} for step in (0, 1)
        )
        document = {"system_id": SYSTEM_ID, "total_devices": 0}
        flat, nested = (
            EnergyIntervals.from_api(
                document | {"intervals": intervals}, IntervalSeries.GRID_IMPORT
            )
            for intervals in ([first, second], [[first], [[second]]])
        )
        assert flat == nested
        assert [interval.energy for interval in nested.intervals] == [10, 11]
        assert nested.total_devices is None

    @pytest.mark.parametrize("odd", ODD_NUMBERS)
    def test_know_nothing_of_odd_energies(self, odd: object) -> None:
        (interval,) = production([{"end_at": EPOCH, "wh_del": odd}]).intervals
        assert interval.energy is None

    @pytest.mark.parametrize("odd", ODD_NUMBERS)
    def test_are_left_out_without_an_end(self, odd: object) -> None:
        assert production([{"end_at": odd, "wh_del": 5}]).intervals == ()

    def test_take_numbers_that_are_texts(self) -> None:
        (interval,) = production([{"end_at": str(EPOCH), "wh_del": "12.5"}]).intervals
        assert (interval.end_at, interval.energy) == (NOON, 12.5)

    def test_belong_to_a_system(self) -> None:
        with pytest.raises(MalformedAnswerError):
            EnergyIntervals.from_api({}, IntervalSeries.CONSUMPTION)

    @given(json_values)
    def test_are_read_from_anything(self, anything: object) -> None:
        for interval in production(anything).intervals:
            assert interval.energy is None or interval.energy >= 0
            assert interval.end_at.tzinfo is UTC


class TestDays:
    """One flow day by day."""

    def test_are_read(self) -> None:
        document = {"system_id": SYSTEM_ID, "start_date": "2026-05-30"}
        energies = DailyEnergies.from_api(
            document | {"production": [15_422, None, 0, "7.5", -1]}, member="production"
        )
        assert energies == DailyEnergies(
            start_date=date(2026, 5, 30), values=(15_422, None, 0, 7.5, None)
        )

    @pytest.mark.parametrize("odd", [None, "", "yesterday", 20_260_530, {}])
    def test_need_their_first_day(self, odd: object) -> None:
        with pytest.raises(MalformedAnswerError):
            DailyEnergies.from_api({"start_date": odd, "import": [1]}, member="import")

    @pytest.mark.parametrize("odd", [None, "none", {"a": []}, 5])
    def test_are_none_where_there_is_no_series(self, odd: object) -> None:
        document = {"start_date": "2026-05-30", "export": odd}
        assert DailyEnergies.from_api(document, member="export").values == ()

    def test_tell_both_directions_of_a_battery(self) -> None:
        document = {"start_date": "2026-05-30", "charge": [5, 6], "discharge": [4]}
        energies = DailyBatteryEnergies.from_api(document)
        assert energies.charged.values == (5, 6)
        assert energies.discharged.values == (4,)


class TestClient:
    """What the client asks for."""

    @pytest.mark.parametrize("series", IntervalSeries)
    @pytest.mark.parametrize(
        ("granularity", "length"), [("day", {}), ("week", {"granularity": "week"})]
    )
    async def test_intervals(
        self,
        client: EnphaseCloudClient,
        cloud: FakeCloud,
        journal: list[str],
        series: IntervalSeries,
        granularity: Granularity,
        length: dict[str, str],
    ) -> None:
        interval = {"end_at": EPOCH, series.member: 42}
        cloud.script(reply({"system_id": SYSTEM_ID, "intervals": [[interval]]}))
        document = await client.get_energy_intervals(
            SYSTEM_ID, series, start_at=NOON, granularity=granularity
        )
        (request,) = cloud.requests
        assert request.path == f"/api/v4/systems/{SYSTEM_ID}/{PATHS[series]}"
        assert dict(request.query) == {"start_at": str(EPOCH)} | length
        assert [interval.energy for interval in document.intervals] == [42]
        assert f"enter {series.operation}" in journal

    async def test_today_needs_no_parameters(
        self, client: EnphaseCloudClient, cloud: FakeCloud
    ) -> None:
        cloud.script(reply({"system_id": SYSTEM_ID}))
        await client.get_energy_intervals(SYSTEM_ID, IntervalSeries.CONSUMPTION)
        assert dict(cloud.requests[0].query) == {}

    @pytest.mark.parametrize("series", DailySeries)
    async def test_days(
        self,
        client: EnphaseCloudClient,
        cloud: FakeCloud,
        journal: list[str],
        series: DailySeries,
    ) -> None:
        document = {"start_date": "2026-05-30", series.member: [1, 2]}
        cloud.script(reply(document), reply(document))
        days = await client.get_daily_energies(
            SYSTEM_ID,
            series,
            start_date=date(2026, 5, 30),
            end_date=date(2026, 5, 31),
        )
        assert days == await client.get_daily_energies(SYSTEM_ID, series)
        assert days.values == (1, 2)
        narrow, wide = cloud.requests
        assert narrow.path == f"/api/v4/systems/{SYSTEM_ID}/{PATHS[series]}"
        query = {"start_date": "2026-05-30", "end_date": "2026-05-31"}
        assert (dict(narrow.query), dict(wide.query)) == (query, {})
        assert f"enter {series.operation}" in journal

    async def test_days_of_batteries(
        self, client: EnphaseCloudClient, cloud: FakeCloud, journal: list[str]
    ) -> None:
        document = {"start_date": "2026-05-30", "charge": [1], "discharge": [2]}
        cloud.script(reply(document))
        days = await client.get_daily_battery_energies(
            SYSTEM_ID, start_date=date(2026, 5, 30)
        )
        (request,) = cloud.requests
        assert request.path == f"/api/v4/systems/{SYSTEM_ID}/battery_lifetime"
        assert dict(request.query) == {"start_date": "2026-05-30"}
        assert (days.charged.values, days.discharged.values) == ((1,), (2,))
        assert f"enter {Operation.BATTERY_LIFETIME}" in journal
