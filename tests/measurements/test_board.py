"""The samples of a system, by source and device."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
import json
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.enphase_cloud.api.models import EnergyIntervals
from custom_components.enphase_cloud.measurements.board import Board
from custom_components.enphase_cloud.measurements.catalog import Measurement, Source
from custom_components.enphase_cloud.measurements.evidence import Evidence
from custom_components.enphase_cloud.measurements.inventory import DeviceProperties
from custom_components.enphase_cloud.measurements.open_alarms import OpenAlarms
from custom_components.enphase_cloud.measurements.panel_health import (
    PanelDay,
    PanelHealth,
)
from custom_components.enphase_cloud.measurements.samples import (
    NOTHING,
    Sample,
    Samples,
    merge,
)
from custom_components.enphase_cloud.measurements.system import Device, DeviceKind
from custom_components.enphase_cloud.measurements.system_events import SystemEvent

CHARGER = Device(DeviceKind.CHARGER, "202620010308")
NOON = datetime(2026, 6, 21, 12, tzinfo=UTC)
SOURCES = (Source.SUMMARY, Source.LATEST, Source.LIVE)
MEASUREMENTS = (
    Measurement.PRODUCTION_POWER,
    Measurement.GRID_POWER,
    Measurement.BATTERY_POWER,
)


@st.composite
def puts(draw: st.DrawFn) -> list[tuple[Source, Samples]]:
    """Return samples of sources in turn; some lack measurements or are older."""
    reported = st.dictionaries(
        st.sampled_from(MEASUREMENTS), st.tuples(st.integers(0, 9), st.integers(0, 5))
    )
    return [
        (
            source,
            {
                measurement: Sample(value, NOON + timedelta(minutes=minutes), source)
                for measurement, (value, minutes) in draw(reported).items()
            },
        )
        for source in draw(st.lists(st.sampled_from(SOURCES), max_size=9))
    ]


@given(puts())
def test_newest_is_the_merge_of_all_sources(
    reported: list[tuple[Source, Samples]],
) -> None:
    """After each change."""
    board = Board()
    for source, samples in reported:
        board.put(source, samples)
        parts = [board.samples(each) for each in Source]
        assert board.newest() == merge(parts)


def test_a_device_without_a_source_has_no_samples() -> None:
    """It is not an error."""
    assert Board().newest() == NOTHING


def _charger_board() -> Board:
    """Return a board with the intervals and sessions of a charger."""
    board = Board()
    board.take_inventory({CHARGER: DeviceProperties()}, complete=())
    board.sessions[CHARGER] = ()
    board.charged[CHARGER] = EnergyIntervals(7, (), None, timedelta(minutes=15))
    return board


def test_a_removed_charger_leaves_no_sessions() -> None:
    """A charger with its serial number may return."""
    board = _charger_board()
    for absences in range(3):
        assert len(board.sessions) == len(board.charged) == 1, absences
        board.take_inventory({}, complete=DeviceKind)
    assert not board.sessions
    assert not board.charged


@pytest.mark.parametrize(
    ("source", "sessions", "intervals"),
    [
        (Source.CHARGER_SESSIONS, 0, 1),
        (Source.CHARGER_INTERVALS, 1, 0),
        (Source.CHARGER_DAYS, 1, 1),
    ],
)
def test_a_dropped_source_leaves_no_sessions_or_intervals(
    source: Source, sessions: int, intervals: int
) -> None:
    board = _charger_board()
    board.drop([source])
    assert (len(board.sessions), len(board.charged)) == (sessions, intervals)


def _full_board() -> Board:
    """Return a board with something of each kind."""
    board = _charger_board()
    board.put(
        Source.SUMMARY,
        {Measurement.PRODUCTION_POWER: Sample(900, NOON, Source.SUMMARY)},
    )
    board.put(
        Source.CHARGERS,
        {Measurement.CHARGER_MONITORED: Sample(1, NOON, Source.CHARGERS)},
        CHARGER,
    )
    board.set_evidence(
        Source.SUMMARY, Evidence(requested_at=NOON, has_response=True, cue="5")
    )
    alarm = SystemEvent(
        event_type_id=3, started_at=NOON, severity="error", serials=("4824",)
    )
    board.open_alarms = OpenAlarms().with_response([alarm])
    board.panel_health = PanelHealth().after(
        NOON.date(), {str(number): PanelDay(1_500, "122", None) for number in range(5)}
    )
    return board


def _read(reader: Callable[[Any], Any], value: object, default: object) -> object:
    try:
        return default if value is None else reader(value)
    except ValueError:
        return default


def _restored(stored: dict[str, Any], *, is_same: bool = True) -> Board:
    board = Board()
    board.restore(stored, _read, now=NOON, is_same=is_same)
    return board


def test_a_board_is_restored() -> None:
    """What is due for a check depends on whether the system is the same."""
    board = _full_board()
    stored = json.loads(json.dumps(board.as_dict()))
    same, other = (_restored(stored, is_same=each) for each in (True, False))
    for again in (same, other):
        assert again.devices() == board.devices()
        assert again.newest() == board.newest()
        assert again.newest(CHARGER) == board.newest(CHARGER)
        assert again.inventory == board.inventory
        assert again.open_alarms == board.open_alarms
        assert again.panel_health.as_dict() == board.panel_health.as_dict()
    evidence = board.evidence_of(Source.SUMMARY)
    assert same.evidence_of(Source.SUMMARY) == evidence
    assert other.evidence_of(Source.SUMMARY) == evidence.to_be_checked() != evidence


@pytest.mark.parametrize("key", ["samples", "evidence", "inventory", "open_alarms"])
@pytest.mark.parametrize("damage", [None, [], 5, {"?": []}, {"summary": "x"}])
def test_each_part_of_a_board_is_damaged_alone(key: str, damage: object) -> None:
    """The others are restored."""
    stored = json.loads(json.dumps(_full_board().as_dict()))
    found = _restored(stored | {key: damage}).as_dict()
    for other in stored.keys() - {key, "evidence"}:
        assert found[other] == stored[other]


def test_what_follows_from_a_dropped_source_is_dropped() -> None:
    """Alarms and the health of panels."""
    board = _full_board()
    board.drop([Source.SUMMARY])
    assert board.newest() == NOTHING
    assert board.evidence_of(Source.SUMMARY) == Evidence()
    assert board.open_alarms.listed
    assert board.panel_health.as_dict() != PanelHealth().as_dict()
    board.drop([Source.ALARMS, Source.PANELS])
    assert board.open_alarms == OpenAlarms()
    assert board.panel_health.as_dict() == PanelHealth().as_dict()
