"""How long to leave alone what fails."""

from datetime import UTC, datetime, timedelta

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
