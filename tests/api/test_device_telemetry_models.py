"""Energy of single devices: valid values are read, invalid ones skipped."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
import json
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.enphase_cloud.api import (
    BatteryEnergyIntervals,
    BatteryTelemetry,
    Endpoint,
    EnphaseCloudClient,
    InvertersTelemetry,
    InverterTelemetry,
    MalformedResponseError,
    ProductionMeters,
    interval_query,
)
from custom_components.enphase_cloud.api.endpoints import (
    ENCHARGE_TELEMETRY,
    EVSE_LIFETIME,
    EVSE_TELEMETRY,
    HEAT_PUMP_LIFETIME,
    HEAT_PUMP_TELEMETRY,
    MICRO_TELEMETRY,
    MICROS_TELEMETRY,
    RETRIEVE_SYSTEM_ID,
    RGM_STATS,
)

from .conftest import SYSTEM_ID, FakeCloud, reply

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
EPOCH = int(NOON.timestamp())
SERIAL = "482120011234"
ODD: list[Any] = [None, True, "", "many", [], {}, 1e300, float("nan"), 10**400]
OF_DEVICES: tuple[Endpoint[Any], ...] = (
    MICROS_TELEMETRY,
    MICRO_TELEMETRY,
    ENCHARGE_TELEMETRY,
    EVSE_LIFETIME,
    EVSE_TELEMETRY,
    HEAT_PUMP_LIFETIME,
    HEAT_PUMP_TELEMETRY,
    RGM_STATS,
    RETRIEVE_SYSTEM_ID,
)


def micro(number: int, *intervals: Any) -> dict[str, Any]:
    """Return the document of a microinverter."""
    return {"serial_number": f"{number:012}", "intervals": list(intervals)}


def micros(numbers: range, **members: Any) -> dict[str, Any]:
    """Return a page of microinverters."""
    interval = {"end_at": EPOCH, "powr": 200, "enwh": 17}
    return {
        "system_id": SYSTEM_ID,
        "devices": [micro(number, interval) for number in numbers],
    } | members


class TestInverters:
    """Single microinverters and pages."""

    def test_a_page_ends_after_a_thousand(self) -> None:
        page = MICROS_TELEMETRY.read(micros(range(1, 1_003)))
        assert len(page.inverters) == 1_000

    def test_intervals_have_energy_and_power(self) -> None:
        later = {"end_at": EPOCH + 300, "powr": 210, "enwh": 18}
        earlier = {"end_at": EPOCH, "powr": "odd", "enwh": 17}
        document = micro(7, later, earlier) | {"system_id": SYSTEM_ID}
        read = MICRO_TELEMETRY.read(document | {"start_at": EPOCH})
        assert isinstance(read, InverterTelemetry)
        assert read.serial_number == "000000000007"
        assert read.serial_number not in repr(read)
        energy = read.energy
        assert (energy.length, energy.start_at) == (timedelta(minutes=5), NOON)
        assert [
            (each.end_at, each.energy, each.power) for each in energy.intervals
        ] == [(NOON, 17, None), (NOON + energy.length, 18, 210)]

    async def test_all_pages_are_read(
        self, client: EnphaseCloudClient, cloud: FakeCloud
    ) -> None:
        pages = (range(20), range(20, 40), range(40, 45))
        cloud.script(*(reply(micros(page, total_devices=45)) for page in pages))
        read = await client.pages(
            MICROS_TELEMETRY, query=interval_query(NOON), system_id=SYSTEM_ID
        )
        assert [int(each.serial_number) for each in read] == list(range(45))
        assert {each.energy.system_id for each in read} == {SYSTEM_ID}
        assert [dict(request.query) for request in cloud.requests] == [
            {"page": str(number), "size": "20", "start_at": str(EPOCH)}
            for number in (1, 2, 3)
        ]

    @pytest.mark.parametrize("total", [None, 0, "many"])
    async def test_without_a_total_a_page_that_is_not_full_is_the_last(
        self, client: EnphaseCloudClient, cloud: FakeCloud, total: Any
    ) -> None:
        pages = (range(20), range(20, 25))
        cloud.script(*(reply(micros(page, total_devices=total)) for page in pages))
        read = await client.pages(MICROS_TELEMETRY, system_id=SYSTEM_ID)
        assert len(read) == 25

    def test_a_page_has_a_start(self) -> None:
        page = MICROS_TELEMETRY.read(micros(range(2), start_at=EPOCH - 300))
        starts = {each.energy.start_at for each in page.inverters}
        assert starts == {NOON - timedelta(minutes=5)}

    @pytest.mark.parametrize("odd", [None, True, "", [], {}, -1, 1e300, "x" * 65])
    def test_microinverters_without_a_serial_number_are_skipped(self, odd: Any) -> None:
        document = micros(range(1))
        document["devices"] += [{"serial_number": odd}, odd]
        page = MICROS_TELEMETRY.read(document)
        assert isinstance(page, InvertersTelemetry)
        assert (len(page.inverters), page.listed) == (1, 3)

    @pytest.mark.parametrize("devices", [None, {}, [None], [{"serial_number": ""}]])
    def test_a_page_without_microinverters_is_an_error(self, devices: Any) -> None:
        with pytest.raises(MalformedResponseError):
            MICROS_TELEMETRY.read({"system_id": SYSTEM_ID, "devices": devices})

    def test_an_empty_page_is_valid(self) -> None:
        assert MICROS_TELEMETRY.read(micros(range(0))).inverters == ()


class TestBattery:
    """A single battery, whose charge has a time."""

    def test_is_read_like_all_batteries_together(self) -> None:
        interval = {
            "end_at": EPOCH,
            "charge": {"enwh": 40},
            "discharge": {"enwh": 3},
            "soc": {"percent": 25},
        }
        last = {"last_reported_time": EPOCH + 60, "last_reported_soc": "99%"}
        read = ENCHARGE_TELEMETRY.read(
            {"system_id": SYSTEM_ID, "intervals": [interval]} | last
        )
        assert isinstance(read, BatteryTelemetry)
        (reported,) = read.intervals
        assert reported == (NOON, 40, 3, 25, None)
        assert read.last_reported_state_of_charge == 99
        assert read.last_reported_at == NOON + timedelta(minutes=1)


class TestChargersAndHeatPumps:
    """Devices of other makers, whose energy has a sign."""

    @pytest.mark.parametrize(
        ("reported", "charged", "discharged"),
        [(40, 40, 0), (-10, 0, 10), (0, 0, 0), *((odd, None, None) for odd in ODD)],
    )
    def test_energy_of_a_car_is_charged_or_discharged(
        self, reported: Any, charged: float | None, discharged: float | None
    ) -> None:
        interval = {"end_at": EPOCH, "wh_consumed": reported}
        read = EVSE_TELEMETRY.read({"system_id": SYSTEM_ID, "intervals": [[interval]]})
        assert isinstance(read, BatteryEnergyIntervals)
        days = EVSE_LIFETIME.read(
            {"start_date": "2026-06-01", "consumption": [reported]}
        )
        for energy, flow, daily in (
            (charged, read.charged, days.charged),
            (discharged, read.discharged, days.discharged),
        ):
            assert [each.energy for each in flow.intervals] == [energy]
            assert (daily.start_date, daily.values) == (date(2026, 6, 1), (energy,))

    @pytest.mark.parametrize(
        ("reported", "energy"),
        [(40, 40), (-10, 0), (0, 0), *((odd, None) for odd in ODD)],
    )
    def test_negative_energy_of_a_heat_pump_is_zero(
        self, reported: Any, energy: float | None
    ) -> None:
        interval = {"end_at": EPOCH, "wh_consumed": reported}
        read = HEAT_PUMP_TELEMETRY.read(
            {"system_id": SYSTEM_ID, "intervals": [interval]}
        )
        assert [each.energy for each in read.intervals] == [energy]
        days = {"start_date": "2026-06-01", "consumption": [reported, 5]}
        assert HEAT_PUMP_LIFETIME.read(days).values == (energy, 5)

    @pytest.mark.parametrize(
        ("reported", "minutes"),
        [("5mins", 5), ("15mins", 15), *((odd, 15) for odd in ODD)],
    )
    def test_the_document_has_the_length_of_intervals(
        self, reported: Any, minutes: int
    ) -> None:
        document = {"system_id": SYSTEM_ID, "interval_duration": reported}
        length = timedelta(minutes=minutes)
        assert HEAT_PUMP_TELEMETRY.read(document).length == length
        assert EVSE_TELEMETRY.read(document).discharged.length == length


class TestProductionMeters:
    """Revenue grade meters with their channels."""

    def test_reads_the_sum_and_each_channel(self) -> None:
        meter = {
            "meter_serial_number": SERIAL,
            "envoy_serial_number": "122347675001",
            "intervals": [
                {"channel": channel, "end_at": EPOCH, "wh_del": energy, "curr_w": 80}
                for channel, energy in ((1, 20.5), (2, None))
            ],
        }
        read = RGM_STATS.read(
            {
                "system_id": SYSTEM_ID,
                "total_devices": 2,
                "intervals": [{"end_at": EPOCH, "wh_del": 50, "devices_reporting": 2}],
                "meter_intervals": [meter, None, {"meter_serial_number": "9"}],
            }
        )
        assert isinstance(read, ProductionMeters)
        (interval,) = read.energy.intervals
        assert interval == (NOON, 50, 2, None)
        assert [(each.serial_number, each.channel) for each in read.meters] == [
            (SERIAL, 1),
            (SERIAL, 2),
        ]
        for each, energy in zip(read.meters, (20.5, None), strict=True):
            assert each.energy.intervals == ((NOON, energy, None, 80),)
            assert each.energy.length == read.energy.length == timedelta(minutes=15)
            assert each.gateway_serial_number == "122347675001"
            assert SERIAL not in repr(each)


async def test_reads_the_system_of_a_gateway(
    client: EnphaseCloudClient, cloud: FakeCloud
) -> None:
    cloud.script(reply({"system_id": SYSTEM_ID}))
    query = {"serial_num": "122347675001"}
    assert await client.get(RETRIEVE_SYSTEM_ID, query=query) == SYSTEM_ID
    (request,) = cloud.requests
    assert request.path == "/api/v4/systems/retrieve_system_id"
    assert dict(request.query) == query


MEMBERS = (
    "system_id total_devices devices serial_number intervals end_at powr enwh charge "
    "discharge soc percent last_reported_time last_reported_soc start_date "
    "consumption wh_consumed interval_duration meter_intervals channel wh_del curr_w "
    "meter_serial_number start_at"
).split()
documents = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=6),
        st.sampled_from([EPOCH, EPOCH * 1000, -7, "5mins", "2026-06-01", 10**400]),
    ),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.sampled_from(MEMBERS), inner, max_size=9)
    ),
    max_leaves=30,
)
LISTS = ("devices", "intervals", "consumption", "meter_intervals")


@pytest.mark.parametrize("endpoint", OF_DEVICES, ids=lambda each: each.name)
@given(document=documents, entries=st.lists(documents, max_size=4))
def test_any_document_is_read_or_malformed(
    endpoint: Endpoint[Any], document: Any, entries: list[Any]
) -> None:
    sound = {"system_id": 7, "serial_number": "7", "start_date": "2026-06-01"}
    whole = sound | dict.fromkeys(LISTS, entries)
    for candidate in (document, whole, sound | dict.fromkeys(LISTS, document)):
        try:
            endpoint.read(json.loads(json.dumps(candidate)))
        except MalformedResponseError:
            continue


@given(reported=st.lists(st.none() | st.integers() | st.floats() | st.text(max_size=9)))
def test_charged_and_discharged_energy_is_never_negative(reported: list[Any]) -> None:
    """At least one of them is zero, or both are None."""
    days = EVSE_LIFETIME.read({"start_date": "2026-06-01", "consumption": reported})
    for took, gave in zip(days.charged.values, days.discharged.values, strict=True):
        if took is None or gave is None:
            assert took is gave is None
        else:
            assert min(took, gave) == 0 <= max(took, gave)


@pytest.mark.parametrize("endpoint", OF_DEVICES, ids=lambda each: each.name)
@pytest.mark.parametrize("document", [None, 7, "x", [], {}, {"system_id": "Barn"}])
def test_a_document_of_a_wrong_type_is_an_error(
    endpoint: Endpoint[Any], document: object
) -> None:
    read: Callable[[Any], Any] = endpoint.read
    with pytest.raises(MalformedResponseError):
        read(document)
