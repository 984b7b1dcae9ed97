"""Enphase chargers: valid values are read, invalid ones skipped."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
import json
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.enphase_cloud.api import (
    DailyEnergy,
    Devices,
    EnergyIntervals,
    MalformedResponseError,
)
from custom_components.enphase_cloud.api.endpoints import (
    EV_CHARGER_EVENTS,
    EV_CHARGER_LIFETIME,
    EV_CHARGER_SCHEDULES,
    EV_CHARGER_SESSIONS,
    EV_CHARGER_TELEMETRY,
    EV_CHARGERS,
    Endpoint,
)
from custom_components.enphase_cloud.api.models import (
    ChargerEvents,
    ChargerSchedules,
    ChargingSession,
    ChargingSessions,
    ChargingTimes,
)

EPOCH = 1_700_059_683
START = datetime.fromtimestamp(EPOCH, UTC)
SERIAL = "202320010308"
ODD: list[Any] = [None, True, "", "many", [], {}, -1, 1e300, float("nan")]
OF_CHARGERS: tuple[Endpoint[Any], ...] = (
    EV_CHARGERS,
    EV_CHARGER_EVENTS,
    EV_CHARGER_SESSIONS,
    EV_CHARGER_SCHEDULES,
    EV_CHARGER_LIFETIME,
    EV_CHARGER_TELEMETRY,
)


def session(**changes: Any) -> Any:
    """Return the session of the specification's example."""
    return {
        "start_time": EPOCH,
        "end_time": EPOCH + 11_497,
        "duration": 11_497,
        "energy_added": 14.83,
        "charge_time": 7_080,
        "miles_added": 1.2,
        "cost": 0.5,
    } | changes


def sessions(*items: Any) -> tuple[ChargingSession, ...]:
    """Return the model of sessions."""
    document = {"system_id": 7, "count": len(items), "sessions": list(items)}
    return ChargingSessions.from_api(document).sessions


def times(**changes: Any) -> tuple[ChargingTimes, ...]:
    """Return the model of the periods of a schedule."""
    reported = {
        "days": [1, 2],
        "start_time": "1:00",
        "end_time": "02:30",
        "charging_level": 70,
    } | changes
    document = {
        "system_id": 7,
        "charger_schedules": [{"type": "Custom", "schedules": [reported]}],
    }
    (schedule,) = ChargerSchedules.from_api(document).schedules
    return schedule.times


class TestSessions:
    """Sessions, whose unit of energy is unclear."""

    def test_reads_all_fields(self) -> None:
        (read,) = sessions(session())
        assert read == ChargingSession(
            start_at=START,
            end_at=START + timedelta(seconds=11_497),
            charged_for=timedelta(seconds=7_080),
            energy_added=14.83,
            cost=0.5,
        )

    def test_sessions_are_sorted_by_end(self) -> None:
        newer = session(start_time=EPOCH + 20_000, end_time=EPOCH + 21_000)
        expected = [START + timedelta(seconds=each) for each in (11_497, 21_000)]
        for order in ([session(), newer], [newer, session()]):
            assert [each.end_at for each in sessions(*order)] == expected

    @pytest.mark.parametrize("odd", ODD)
    def test_invalid_values_are_none(self, odd: Any) -> None:
        assert not sessions(session(start_time=odd))
        assert not sessions(session(end_time=odd))
        (read,) = sessions(session(energy_added=odd, charge_time=odd, cost=odd))
        assert (read.energy_added, read.charged_for, read.cost) == (None, None, None)

    @pytest.mark.parametrize("length", [-1, 400 * 86_400])
    def test_sessions_of_impossible_length_are_skipped(self, length: int) -> None:
        assert not sessions(session(end_time=EPOCH + length))


class TestSchedules:
    """Periods of a week."""

    def test_reads_all_fields(self) -> None:
        assert times() == (
            ChargingTimes(days=(1, 2), start=time(1), end=time(2, 30), level=70),
        )

    @pytest.mark.parametrize(
        ("reported", "read"),
        [("0:00", time()), ("24:00", time()), ("23:59:59", time(23, 59))],
    )
    def test_times_of_day(self, reported: str, read: time) -> None:
        assert times(end_time=reported)[0].end == read

    @pytest.mark.parametrize("odd", [*ODD, "25:00", "7", "1:60", "1:00 am"])
    def test_invalid_times_are_skipped(self, odd: Any) -> None:
        assert not times(start_time=odd)
        assert not times(end_time=odd)

    def test_invalid_days_are_skipped(self) -> None:
        assert times(days=[7, 0, 8, "3", None, 7])[0].days == (3, 7)
        assert not times(days=[0])
        assert not times(days="12")

    def test_a_schedule_is_active_only_if_true(self) -> None:
        reported = [{"is_active": value} for value in (True, False, "yes", None)]
        read = ChargerSchedules.from_api(
            {"system_id": 7, "charger_schedules": reported}
        )
        assert [each.is_active for each in read.schedules] == [True] + 3 * [False]


def test_events_without_a_time_are_skipped() -> None:
    details = f"Charging started on IQ EV Charger (SNo. {SERIAL})."
    reported = [{"triggered_date": EPOCH, "details": details}, {"details": "?"}]
    (event,) = ChargerEvents.from_api({"system_id": 7, "events": reported}).events
    assert (event.triggered_at, event.details) == (START, details)
    assert SERIAL not in repr(event)


def test_the_id_of_a_charger_is_not_a_device_id() -> None:
    """It is made of serial number and system; the serial number identifies it."""
    charger = {"id": f"{SERIAL}:7", "serial_number": SERIAL, "status": "normal"}
    devices = EV_CHARGERS.read({"system_id": 7, "devices": {"ev_chargers": [charger]}})
    assert isinstance(devices, Devices)
    (read,) = devices.ev_chargers
    assert (read.device_id, read.serial_number) == (None, SERIAL)


def test_energy_has_its_own_member_names() -> None:
    reported = [{"consumption": 38, "end_at": EPOCH}, {"consumption": None}]
    intervals = EV_CHARGER_TELEMETRY.read({"system_id": 7, "consumption": reported})
    assert isinstance(intervals, EnergyIntervals)
    (interval,) = intervals.intervals
    assert (interval.end_at, interval.energy) == (START, 38)
    assert intervals.length == timedelta(minutes=15)
    days = EV_CHARGER_LIFETIME.read(
        {"system_id": 7, "start_date": "2024-01-01", "consumption": [3494, None]}
    )
    assert isinstance(days, DailyEnergy)
    assert (days.start_date, days.values) == (date(2024, 1, 1), (3494, None))


MEMBERS = (
    "system_id sessions charger_schedules schedules days start_time end_time "
    "energy_added charge_time cost charging_level type is_active events "
    "triggered_date details consumption end_at start_date devices ev_chargers"
).split()
documents = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=6),
        st.sampled_from([EPOCH, EPOCH * 1000, 7, "1:00", "2024-01-01", 10**400]),
    ),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.sampled_from(MEMBERS), inner, max_size=9)
    ),
    max_leaves=30,
)


@pytest.mark.parametrize("endpoint", OF_CHARGERS, ids=lambda each: each.name)
@given(document=documents, entries=st.lists(documents, max_size=4))
def test_any_document_is_read_or_malformed(
    endpoint: Endpoint[Any], document: Any, entries: list[Any]
) -> None:
    whole = {"system_id": 7, **dict.fromkeys(MEMBERS[1:3], entries)}
    for candidate in (document, whole, {"system_id": 7, "sessions": document}):
        try:
            endpoint.read(json.loads(json.dumps(candidate)))
        except MalformedResponseError:
            continue


@pytest.mark.parametrize("endpoint", OF_CHARGERS, ids=lambda each: each.name)
@pytest.mark.parametrize("document", [None, 7, "x", {"system_id": "Barn"}])
def test_a_document_of_a_wrong_type_is_an_error(
    endpoint: Endpoint[Any], document: object
) -> None:
    read: Callable[[Any], Any] = endpoint.read
    with pytest.raises(MalformedResponseError):
        read(document)
