"""The documents of chargers: how they are read, and when they are due."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from custom_components.enphase_cloud.api.models import (
    ChargerSchedule,
    ChargerSchedules,
    ChargingSession,
    ChargingSessions,
    ChargingTimes,
    DailyEnergy,
    Devices,
    EnergyInterval,
    EnergyIntervals,
)
from custom_components.enphase_cloud.documents import chargers
from custom_components.enphase_cloud.documents.base import Known
from custom_components.enphase_cloud.documents.table import (
    CHARGER_DAYS_DOCUMENT,
    CHARGER_INTERVALS_DOCUMENT,
    CHARGER_SESSIONS_DOCUMENT,
    CHARGERS_DOCUMENT,
)
from custom_components.enphase_cloud.measurements.board import Board
from custom_components.enphase_cloud.measurements.catalog import Measurement, Source
from custom_components.enphase_cloud.measurements.evidence import Evidence
from custom_components.enphase_cloud.measurements.samples import NOTHING, Sample
from custom_components.enphase_cloud.measurements.system import (
    Device,
    DeviceKind,
    SystemInfo,
)

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 6, 21, 1, 30, tzinfo=UTC)
MIDNIGHT = datetime(2026, 6, 20, 22, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
DEVICE = Device(DeviceKind.CHARGER, "2026")
INFO = SystemInfo(system_id=7, name="Home", time_zone=BERLIN)


@pytest.fixture
def board() -> Board:
    """Return the board of a system with a charger that has documents."""
    board = Board()
    monitored = Sample(1, NOW, Source.CHARGERS)
    board.put(Source.CHARGERS, {Measurement.CHARGER_MONITORED: monitored}, DEVICE)
    return board


def known(board: Board, at: datetime = NOW) -> Known:
    """Return the context of a response of the charger."""
    return Known(info=INFO, board=board, fetched_at=at, device=DEVICE)


def intervals(energy: dict[datetime, float], days: int = 1) -> EnergyIntervals:
    """Return all quarters of the days before midnight, with some energy."""
    first = MIDNIGHT - timedelta(days=days)
    ends = [first + number * QUARTER for number in range(1, 96 * days + 1)]
    return EnergyIntervals(
        system_id=7,
        intervals=tuple(
            EnergyInterval(
                end_at=end, energy=energy.get(end, 0), devices_reporting=None
            )
            for end in ends
        ),
        total_devices=None,
        length=QUARTER,
    )


def read_intervals(
    board: Board, response: EnergyIntervals, at: datetime = NOW
) -> dict[Measurement, object]:
    """Return the values of the charger after a response."""
    report = chargers.read_intervals(response, known(board, at))
    board.put(Source.CHARGER_INTERVALS, report[DEVICE], DEVICE)
    return {key: sample.value for key, sample in report[DEVICE].items()}


def devices(*serials: str) -> Devices:
    """Return a list of chargers."""
    listed = [{"serial_number": serial, "name": "IQ EV Charger"} for serial in serials]
    return Devices.from_api({"system_id": 7, "devices": {"ev_chargers": listed}})


def test_only_valid_serial_numbers_are_requested(board: Board) -> None:
    report = chargers.read_chargers(devices("2026", "20/26", "31"), known(board))
    assert {device.identifier for device, samples in report.items() if samples} == {
        "2026",
        "31",
    }


def test_only_chargers_with_a_number_have_devices() -> None:
    listed = Devices.from_api(
        {
            "system_id": 7,
            "devices": {
                "ev_chargers": [{"serial_number": "2026"}, {"name": "Garage"}],
                "micros": [{"serial_number": "31"}],
            },
        }
    )
    assert chargers.inventory(listed).keys() == {DEVICE}


def test_a_charger_no_longer_listed_is_not_requested(board: Board) -> None:
    report = chargers.read_chargers(devices("31"), known(board))
    assert report[DEVICE] == NOTHING
    assert CHARGER_DAYS_DOCUMENT.devices(board) == [DEVICE]


def test_calls_are_counted_for_each_charger(board: Board) -> None:
    assert CHARGER_INTERVALS_DOCUMENT.calls_per_day(board) == 1
    assert CHARGER_SESSIONS_DOCUMENT.calls_per_day(board) == 1
    assert CHARGERS_DOCUMENT.calls_per_day(board) == pytest.approx(1 / 7)
    assert CHARGER_DAYS_DOCUMENT.calls_per_day(board) == pytest.approx(0, abs=1e-4)
    other = Device(DeviceKind.CHARGER, "31")
    board.put(Source.CHARGERS, board.samples(Source.CHARGERS, DEVICE), other)
    assert CHARGER_INTERVALS_DOCUMENT.calls_per_day(board) == 2
    assert CHARGER_INTERVALS_DOCUMENT.calls_per_day(Board()) == 0


def test_queries_have_local_days(board: Board) -> None:
    assert chargers.query_of_week(known(board)) == {
        "granularity": "week",
        "start_date": "20260615",
    }
    assert chargers.query_of_days(known(board)) == {"start_date": "20160623"}
    since = Sample(
        datetime(2025, 3, 1, 23, 30, tzinfo=UTC).timestamp(), NOW, Source.SUMMARY
    )
    board.put(Source.SUMMARY, {Measurement.OPERATIONAL_SINCE: since})
    assert chargers.query_of_days(known(board)) == {"start_date": "20250302"}


def test_yesterday_is_known_only_as_a_whole(board: Board) -> None:
    evening = MIDNIGHT - timedelta(hours=3)
    whole = intervals({evening: 1_500, MIDNIGHT: 400})
    assert read_intervals(board, whole)[Measurement.CHARGER_ENERGY_YESTERDAY] == 1_900
    part = EnergyIntervals(
        system_id=7,
        intervals=whole.intervals[1:],
        total_devices=None,
        length=QUARTER,
    )
    assert Measurement.CHARGER_ENERGY_YESTERDAY not in read_intervals(board, part)


def test_sessions_are_due_after_a_day_with_energy_and_a_day_later(board: Board) -> None:
    cues = [chargers.cue_of_sessions(board)]
    evening = MIDNIGHT - timedelta(hours=3)
    for days in range(4):
        at = NOW + timedelta(days=days)
        read_intervals(board, intervals({evening: 1_500}), at)
        cues.append(chargers.cue_of_sessions(board))
    # Later responses do not have that day.
    read_intervals(board, intervals({}), NOW + timedelta(days=9))
    cues.append(chargers.cue_of_sessions(board))
    assert len(set(cues[:3])) == 3
    assert len(set(cues[2:])) == 1


def test_the_last_day_with_energy_is_over(board: Board) -> None:
    noon, evening = MIDNIGHT - timedelta(hours=36), MIDNIGHT - timedelta(hours=3)
    both = intervals({noon: 1_500, evening: 400}, days=2)
    for response, at, day in (
        (both, NOW, "2026-06-20"),
        (both, NOW - timedelta(days=1), "2026-06-19"),
        (intervals({noon: 1_500}, days=2), NOW, "2026-06-19+"),
    ):
        assert read_intervals(board, response, at)[Measurement.CHARGED_ON] == day


@pytest.mark.parametrize("count", [1, 12])
def test_a_day_with_energy_of_any_charger_makes_sessions_due(count: int) -> None:
    board, monitored = Board(), Sample(1, NOW, Source.CHARGERS)
    serials = [f"2026200103{number:02}" for number in range(count)]
    found = [Device(DeviceKind.CHARGER, serial) for serial in serials]
    cues = [chargers.cue_of_each(board)]
    for device in found:
        board.put(Source.CHARGERS, {Measurement.CHARGER_MONITORED: monitored}, device)
        cues += [chargers.cue(board), chargers.cue_of_each(board)]
    assert len(set(cues)) == count + 1
    cues = [chargers.cue_of_sessions(board)]
    for device in found:
        charged_on = Sample("2026-06-20", NOW, Source.CHARGER_INTERVALS)
        samples = {Measurement.CHARGED_ON: charged_on}
        board.put(Source.CHARGER_INTERVALS, samples, device)
        cues.append(chargers.cue_of_sessions(board))
    assert len(set(cues)) == count + 1
    evidence = Evidence(cue=cues[-1])
    assert Evidence.from_dict(evidence.as_dict()) == evidence


def test_a_short_cue_keeps_its_form(board: Board) -> None:
    """Stored cues stay valid after an update."""
    assert chargers.cue(board) == chargers.cue_of_each(board) == "2026"
    assert chargers.cue_of_sessions(board) == "2026 "


def test_the_last_session_counts_and_its_energy_stays_known(board: Board) -> None:
    end_at = MIDNIGHT - timedelta(hours=1)
    session = ChargingSession(
        start_at=end_at - timedelta(hours=2),
        end_at=end_at,
        charged_for=None,
        energy_added=3.0,
        cost=0.9,
    )
    older = ChargingSession(
        start_at=end_at - timedelta(hours=9),
        end_at=end_at - timedelta(hours=8),
        charged_for=None,
        energy_added=1.0,
        cost=None,
    )
    response = ChargingSessions(system_id=7, sessions=(older, session))
    charged = intervals({end_at: 1_500, end_at - QUARTER: 1_500})
    chargers.learn_intervals(charged, known(board))
    for _ in range(2):
        report = chargers.read_sessions(response, known(board))[DEVICE]
        values = {key: sample.value for key, sample in report.items()}
        assert values == {
            Measurement.LAST_SESSION_END: end_at.timestamp(),
            Measurement.LAST_SESSION_ENERGY: 3_000,
            Measurement.LAST_SESSION_DURATION: 7_200,
            Measurement.LAST_SESSION_COST: 0.9,
        }
        assert {each.observed_at for each in report.values()} == {end_at}
        board.put(Source.CHARGER_SESSIONS, report, DEVICE)
        # As after a restart.
        board.charged.clear()
    other = ChargingSessions(system_id=7, sessions=(older,))
    report = chargers.read_sessions(other, known(board))[DEVICE]
    assert Measurement.LAST_SESSION_ENERGY not in report
    assert not chargers.read_sessions(
        ChargingSessions(system_id=7, sessions=()), known(board)
    )[DEVICE]


def test_a_session_may_have_no_known_energy(board: Board) -> None:
    """Also if it is read again; of its intervals the energy is learnt."""
    end_at = MIDNIGHT - timedelta(hours=1)
    session = ChargingSession(
        start_at=end_at - timedelta(hours=2),
        end_at=end_at,
        charged_for=None,
        energy_added=3.0,
        cost=None,
    )
    response = ChargingSessions(system_id=7, sessions=(session,))
    for _ in range(2):
        report = chargers.read_sessions(response, known(board))[DEVICE]
        assert report[Measurement.LAST_SESSION_END].value == end_at.timestamp()
        assert Measurement.LAST_SESSION_ENERGY not in report
        board.put(Source.CHARGER_SESSIONS, report, DEVICE)
    chargers.learn_sessions(response, known(board))
    assert board.sessions[DEVICE] == ((session, None),)
    charged = intervals({end_at: 1_500, end_at - QUARTER: 1_500})
    chargers.learn_intervals(charged, known(board))
    chargers.learn_sessions(response, known(board))
    assert board.sessions[DEVICE] == ((session, 3_000),)


def test_only_active_schedules_count(board: Board) -> None:
    def schedule(level: int, *, is_active: bool) -> ChargerSchedule:
        at = (NOW.replace(hour=1, minute=0).time(), NOW.replace(hour=6).time())
        times = ChargingTimes(days=(1,), start=at[0], end=at[1], level=level)
        return ChargerSchedule(kind="Custom", is_active=is_active, times=(times,))

    response = ChargerSchedules(
        system_id=7,
        schedules=(schedule(70, is_active=False), schedule(80, is_active=True)),
    )
    report = chargers.read_schedules(response, known(board))[DEVICE]
    assert report[Measurement.CHARGER_SCHEDULE].value == "1@0100-0630*80"


def test_days_are_for_statistics_only(board: Board) -> None:
    response = DailyEnergy(start_date=date(2026, 6, 1), values=(1.0,))
    assert chargers.read_days(response, known(board)) == {}
