"""Energy in intervals and by day: valid values are read, invalid ones are None."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.enphase_cloud.api import (
    DailyBatteryEnergy,
    DailyEnergy,
    Endpoint,
    EnergyInterval,
    EnergyIntervals,
    EnphaseCloudClient,
    MalformedResponseError,
    day_query,
    interval_query,
)
from custom_components.enphase_cloud.api.endpoints import (
    BATTERY_LIFETIME,
    CONSUMPTION_LIFETIME,
    CONSUMPTION_TELEMETRY,
    EXPORT_LIFETIME,
    EXPORT_TELEMETRY,
    IMPORT_LIFETIME,
    IMPORT_TELEMETRY,
    PRODUCTION_LIFETIME,
    PRODUCTION_METER_TELEMETRY,
    PRODUCTION_MICRO_TELEMETRY,
)

from .conftest import SYSTEM_ID, FakeCloud, reply

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
EPOCH = int(NOON.timestamp())

ODD_NUMBERS: list[Any] = [None, True, "", "many", [], {}, -1, 1e300, float("nan")]
# The path of each document in intervals, and the member with the energy.
INTERVALS = {
    PRODUCTION_METER_TELEMETRY: ("telemetry/production_meter", "wh_del"),
    PRODUCTION_MICRO_TELEMETRY: ("telemetry/production_micro", "enwh"),
    CONSUMPTION_TELEMETRY: ("telemetry/consumption_meter", "enwh"),
    IMPORT_TELEMETRY: ("energy_import_telemetry", "wh_imported"),
    EXPORT_TELEMETRY: ("energy_export_telemetry", "wh_exported"),
}
# The path of each document by day, and the member with the days.
DAYS = {
    PRODUCTION_LIFETIME: ("energy_lifetime", "production"),
    CONSUMPTION_LIFETIME: ("consumption_lifetime", "consumption"),
    IMPORT_LIFETIME: ("energy_import_lifetime", "import"),
    EXPORT_LIFETIME: ("energy_export_lifetime", "export"),
}

json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.sampled_from(["end_at", "enwh", "x"]), inner)
    ),
)


def production(intervals: object, **members: Any) -> EnergyIntervals:
    """Return the intervals of the production meter's document."""
    return PRODUCTION_METER_TELEMETRY.read(
        {"system_id": SYSTEM_ID, "intervals": intervals} | members
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

    def test_count_once(self) -> None:
        values = [250, 40, None, 250, 0]
        repeated = [{"end_at": EPOCH, "wh_del": energy} for energy in values]
        (interval,) = production(repeated).intervals
        assert interval.energy == 250

    def test_may_be_in_nested_arrays_as_in_documents_of_the_grid(self) -> None:
        first, second = (
            {"end_at": EPOCH + 900 * step, "wh_imported": 10 + step} for step in (0, 1)
        )
        document = {"system_id": SYSTEM_ID, "total_devices": 0}
        flat, nested = (
            IMPORT_TELEMETRY.read(document | {"intervals": intervals})
            for intervals in ([first, second], [[first], [[second]]])
        )
        assert flat == nested
        assert [interval.energy for interval in nested.intervals] == [10, 11]
        assert nested.total_devices is None

    @pytest.mark.parametrize("odd", ODD_NUMBERS)
    def test_invalid_energy_is_none(self, odd: object) -> None:
        (interval,) = production([{"end_at": EPOCH, "wh_del": odd}]).intervals
        assert interval.energy is None

    @pytest.mark.parametrize("odd", ODD_NUMBERS)
    def test_intervals_without_an_end_are_skipped(self, odd: object) -> None:
        assert production([{"end_at": odd, "wh_del": 5}]).intervals == ()

    def test_numbers_may_be_texts(self) -> None:
        (interval,) = production([{"end_at": str(EPOCH), "wh_del": "12.5"}]).intervals
        assert (interval.end_at, interval.energy) == (NOON, 12.5)

    def test_need_a_system_id(self) -> None:
        with pytest.raises(MalformedResponseError):
            CONSUMPTION_TELEMETRY.read({})

    @given(json_values)
    def test_any_value_is_read(self, anything: object) -> None:
        for interval in production(anything).intervals:
            assert interval.energy is None or interval.energy >= 0
            assert interval.end_at.tzinfo is UTC


class TestDays:
    """One flow by day."""

    def test_are_read(self) -> None:
        document = {"system_id": SYSTEM_ID, "start_date": "2026-05-30"}
        energy = DailyEnergy.from_api(
            document | {"production": [15_422, None, 0, "7.5", -1]}, member="production"
        )
        assert energy == DailyEnergy(
            start_date=date(2026, 5, 30), values=(15_422, None, 0, 7.5, None)
        )

    @pytest.mark.parametrize("odd", [None, "", "yesterday", 20_260_530, {}])
    def test_need_a_first_day(self, odd: object) -> None:
        with pytest.raises(MalformedResponseError):
            DailyEnergy.from_api({"start_date": odd, "import": [1]}, member="import")

    def test_may_lack_it_if_the_system_never_produced(self) -> None:
        """As the specification says."""
        document = {"system_id": SYSTEM_ID, "start_date": None, "production": []}
        energy = DailyEnergy.from_api(document, member="production")
        assert energy == DailyEnergy(start_date=None, values=())

    @pytest.mark.parametrize("odd", [None, "none", {"a": []}, 5])
    def test_are_empty_without_a_series(self, odd: object) -> None:
        document = {"start_date": "2026-05-30", "export": odd}
        assert DailyEnergy.from_api(document, member="export").values == ()

    def test_end_after_fifty_years(self) -> None:
        document = {"start_date": "2026-05-30", "export": [1] * 20_000}
        energy = DailyEnergy.from_api(document, member="export")
        assert len(energy.values) == 18_263

    def test_read_both_directions_of_a_battery(self) -> None:
        document = {"start_date": "2026-05-30", "charge": [5, 6], "discharge": [4]}
        energy = DailyBatteryEnergy.from_api(document)
        assert energy.charged.values == (5, 6)
        assert energy.discharged.values == (4,)


class TestClient:
    """The requests of the client."""

    @pytest.mark.parametrize(("endpoint", "target"), INTERVALS.items())
    @pytest.mark.parametrize("length", [{}, {"granularity": "week"}])
    async def test_intervals(
        self,
        client: EnphaseCloudClient,
        cloud: FakeCloud,
        journal: list[str],
        endpoint: Endpoint[EnergyIntervals],
        target: tuple[str, str],
        length: dict[str, str],
    ) -> None:
        path, member = target
        interval = {"end_at": EPOCH, member: 42}
        cloud.script(reply({"system_id": SYSTEM_ID, "intervals": [[interval]]}))
        query = interval_query(NOON, week=bool(length))
        document = await client.get(endpoint, query=query, system_id=SYSTEM_ID)
        (request,) = cloud.requests
        assert request.path == f"/api/v4/systems/{SYSTEM_ID}/{path}"
        assert dict(request.query) == {"start_at": str(EPOCH)} | length
        assert [interval.energy for interval in document.intervals] == [42]
        assert f"enter {endpoint.name}" in journal

    def test_today_needs_no_parameters(self) -> None:
        assert interval_query(None) == {}

    @pytest.mark.parametrize(("endpoint", "target"), DAYS.items())
    async def test_days(
        self,
        client: EnphaseCloudClient,
        cloud: FakeCloud,
        journal: list[str],
        endpoint: Endpoint[DailyEnergy],
        target: tuple[str, str],
    ) -> None:
        path, member = target
        document = {"start_date": "2026-05-30", member: [1, 2]}
        cloud.script(reply(document), reply(document))
        query = day_query(date(2026, 5, 30), date(2026, 5, 31))
        days = await client.get(endpoint, query=query, system_id=SYSTEM_ID)
        assert days == await client.get(endpoint, system_id=SYSTEM_ID)
        assert days.values == (1, 2)
        narrow, wide = cloud.requests
        assert narrow.path == f"/api/v4/systems/{SYSTEM_ID}/{path}"
        dates = {"start_date": "2026-05-30", "end_date": "2026-05-31"}
        assert (dict(narrow.query), dict(wide.query)) == (dates, {})
        assert f"enter {endpoint.name}" in journal

    async def test_days_of_batteries(
        self, client: EnphaseCloudClient, cloud: FakeCloud, journal: list[str]
    ) -> None:
        document = {"start_date": "2026-05-30", "charge": [1], "discharge": [2]}
        cloud.script(reply(document))
        query = day_query(date(2026, 5, 30), None)
        days = await client.get(BATTERY_LIFETIME, query=query, system_id=SYSTEM_ID)
        (request,) = cloud.requests
        assert request.path == f"/api/v4/systems/{SYSTEM_ID}/battery_lifetime"
        assert dict(request.query) == {"start_date": "2026-05-30"}
        assert (days.charged.values, days.discharged.values) == ((1,), (2,))
        assert f"enter {BATTERY_LIFETIME.name}" in journal
