"""Written settings: when to check them, refusals, and their storage."""

from datetime import UTC, datetime, timedelta
import json
from typing import Any

import pytest

from custom_components.enphase_cloud.measurements.catalog import Source
from custom_components.enphase_cloud.measurements.settings_state import (
    SettingsState,
    Written,
)

NOON = datetime(2026, 6, 21, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def test_checks_are_due_after_two_and_ten_minutes() -> None:
    written = Written({"reserve": 20}, NOON)
    assert written.due == NOON + timedelta(minutes=2)
    again = written.not_found()
    assert again is not None
    assert again.due == NOON + timedelta(minutes=10)
    assert again.not_found() is None


def test_a_request_after_a_refusal_waits_a_day_and_then_a_week() -> None:
    state = SettingsState()
    assert state.probe_at is None
    state.refuse(NOON)
    assert state.probe_at == NOON + DAY
    for _ in range(3):
        state.refuse(NOON)
        assert state.probe_at == NOON + 7 * DAY
    state.allow()
    assert state.probe_at is None


def test_a_clock_that_was_ahead_delays_no_check() -> None:
    state = SettingsState()
    state.refuse(NOON + 60 * DAY)
    written = state.of(Source.BATTERY_SETTINGS)
    written["ahead"] = Written({}, NOON + 60 * DAY)
    written["right"] = Written({}, NOON - DAY)
    for now in (NOON, NOON + DAY):
        state.limit_moments(now)
    assert state.probe_at == NOON + DAY
    assert written["ahead"].at == NOON
    assert written["right"].at == NOON - DAY


def test_the_state_survives_a_restart() -> None:
    state = SettingsState()
    fields = {"mode": "savings", "reserve": 20, "energy_independence": True}
    state.of(Source.BATTERY_SETTINGS)[""] = Written(fields, NOON, 1)
    state.of(Source.LOAD_CONTROL)["NC1"] = Written({"start": 60}, NOON)
    state.refuse(NOON)
    stored = json.loads(json.dumps(state.as_dict()))
    assert SettingsState.from_dict(stored) == state
    assert SettingsState.from_dict({**stored, "written": {"later": 5}}).written == {}


@pytest.mark.parametrize(
    "damage",
    [
        None,
        [],
        {},
        {"refusals": -1},
        {"refused_at": "noon"},
        {"written": {"storm_guard": []}},
        {"written": {"storm_guard": {"": {}}}},
        {"written": {"storm_guard": {"": {"fields": {"x": []}, "at": 1, "looks": 0}}}},
        {"written": {"storm_guard": {"": {"fields": {}, "at": 1, "looks": 2}}}},
    ],
)
def test_damaged_data_raises(damage: Any) -> None:
    stored = SettingsState().as_dict()
    with pytest.raises((ValueError, LookupError)):
        SettingsState.from_dict({**stored, **damage} if damage else damage)
