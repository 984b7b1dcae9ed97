"""How long to leave alone what fails."""

from datetime import UTC, datetime, timedelta
import json

import pytest

from custom_components.enphase_cloud.quota.backoff import Backoff

NOW = datetime(2026, 6, 17, 12, 3, tzinfo=UTC)


def test_rests_grow_from_failure_to_failure() -> None:
    """Twice as long each time, up to a quarter of a day, however many there are."""
    failures = Backoff()
    assert failures.until is None
    rests = []
    for number in range(1, 2_000):
        failures = failures.another(NOW)
        assert failures.count == number
        assert failures.until is not None
        rests.append(failures.until - NOW)
    assert rests[:3] == [timedelta(minutes=minutes) for minutes in (5, 10, 20)]
    assert rests == sorted(rests)
    assert rests[-1] == timedelta(hours=6)


def test_a_rest_ends_when_it_should() -> None:
    """Not a moment later, also where the clock goes back."""
    assert not Backoff().is_pausing(NOW)
    failures = Backoff().another(NOW)
    assert failures.is_pausing(NOW)
    assert failures.is_pausing(NOW + timedelta(minutes=4, seconds=59))
    assert not failures.is_pausing(NOW + timedelta(minutes=5))
    assert not failures.is_pausing(NOW - timedelta(seconds=1))


def test_pause_may_be_longer_than_usual() -> None:
    """A caller that allows a longer one gets all of it."""
    day = timedelta(days=1)
    failures = Backoff(10).another(NOW, longest=day)
    assert failures.until == NOW + day
    last = NOW + day - timedelta(minutes=1)
    for now in (NOW, last):
        assert failures.is_pausing(now, longest=day)
        assert failures.paused_until(now, longest=day) == NOW + day
    ahead = NOW - timedelta(seconds=1)
    assert failures.paused_until(ahead, longest=day) == ahead


def test_failures_are_stored() -> None:
    """What is read again is what was stored; damage is found."""
    for failures in (Backoff(), Backoff().another(NOW).another(NOW)):
        stored = json.loads(json.dumps(failures.as_dict()))
        assert Backoff.from_dict(stored) == failures
    for damaged in (
        {},
        {"count": -1, "rest_until": 0},
        {"count": 1, "rest_until": "x"},
    ):
        with pytest.raises(ValueError, match="No"):
            Backoff.from_dict(damaged)


def test_a_clock_put_right_ends_a_rest() -> None:
    """A failure under a clock that was ahead causes no pause."""
    assert Backoff().paused_until(NOW) == NOW
    failures = Backoff().another(NOW)
    assert failures.paused_until(NOW) == NOW + timedelta(minutes=5)
    later = NOW + timedelta(minutes=5)
    assert failures.paused_until(later) == later
    ahead = Backoff().another(NOW + timedelta(days=400))
    assert ahead.paused_until(NOW) == NOW
