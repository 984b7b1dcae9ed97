"""How long to leave alone what fails."""

from datetime import UTC, datetime, timedelta
import json

import pytest

from custom_components.enphase_cloud.budget.failures import Failures

NOW = datetime(2026, 6, 17, 12, 3, tzinfo=UTC)


def test_rests_grow_from_failure_to_failure() -> None:
    """Twice as long each time, up to a quarter of a day, however many there are."""
    failures = Failures()
    assert failures.rest_until is None
    rests = []
    for number in range(1, 2_000):
        failures = failures.another(NOW)
        assert failures.count == number
        assert failures.rest_until is not None
        rests.append(failures.rest_until - NOW)
    assert rests[:3] == [timedelta(minutes=minutes) for minutes in (5, 10, 20)]
    assert rests == sorted(rests)
    assert rests[-1] == timedelta(hours=6)


def test_a_rest_ends_when_it_should() -> None:
    """Not a moment later, also where the clock goes back."""
    assert not Failures().rests(NOW)
    failures = Failures().another(NOW)
    assert failures.rests(NOW)
    assert failures.rests(NOW + timedelta(minutes=4, seconds=59))
    assert not failures.rests(NOW + timedelta(minutes=5))
    assert not failures.rests(NOW - timedelta(seconds=1))


def test_failures_are_stored() -> None:
    """What is read again is what was stored; damage is found."""
    for failures in (Failures(), Failures().another(NOW).another(NOW)):
        stored = json.loads(json.dumps(failures.as_dict()))
        assert Failures.from_dict(stored) == failures
    for damaged in (
        {},
        {"count": -1, "rest_until": 0},
        {"count": 1, "rest_until": "x"},
    ):
        with pytest.raises(ValueError, match="No"):
            Failures.from_dict(damaged)


def test_a_clock_put_right_ends_a_rest() -> None:
    """What failed under a clock that was ahead is asked for at once."""
    assert Failures().rests_until(NOW) == NOW
    failures = Failures().another(NOW)
    assert failures.rests_until(NOW) == NOW + timedelta(minutes=5)
    later = NOW + timedelta(minutes=5)
    assert failures.rests_until(later) == later
    ahead = Failures().another(NOW + timedelta(days=400))
    assert ahead.rests_until(NOW) == NOW
