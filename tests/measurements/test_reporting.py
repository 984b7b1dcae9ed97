"""Changes of the gateway: silent, and reporting again."""

from datetime import UTC, datetime, timedelta
import itertools
import json

from hypothesis import given, strategies as st
import pytest

from custom_components.enphase_cloud.measurements.reporting import (
    ReportingChange,
    ReportingState,
)

NOON = datetime(2026, 6, 21, 12, tzinfo=UTC)


@given(st.lists(st.tuples(st.sampled_from([True, False, None]), st.booleans())))
def test_lost_and_restored_take_turns(seen: list[tuple[bool | None, bool]]) -> None:
    """With unknown states and restarts in between."""
    notified, news = ReportingState(), []
    for hour, (is_reporting, is_restarted) in enumerate(seen):
        at = NOON + timedelta(hours=hour)
        if (change := notified.change(is_reporting=is_reporting)) is not None:
            news.append(change)
        notified = notified.updated(is_reporting=is_reporting, reported_at=at)
        if is_restarted:
            notified = ReportingState.from_dict(
                json.loads(json.dumps(notified.as_dict()))
            )
    assert all(one is not other for one, other in itertools.pairwise(news))
    known = [each for each, _ in seen if each is not None]
    expected = [
        ReportingChange.RESTORED if after else ReportingChange.LOST
        for before, after in itertools.pairwise(known)
        if before is not after
    ]
    assert news == expected


def test_a_silence_keeps_its_beginning() -> None:
    """Until the gateway reports again."""
    notified = ReportingState().updated(is_reporting=True, reported_at=NOON)
    assert notified.silent_since is None
    notified = notified.updated(is_reporting=False, reported_at=NOON)
    later = NOON + timedelta(hours=1)
    notified = notified.updated(is_reporting=False, reported_at=later)
    assert notified.silent_since == NOON
    notified = notified.updated(is_reporting=None, reported_at=later)
    assert notified.silent_since == NOON
    assert notified.updated(is_reporting=True, reported_at=later).silent_since is None


@pytest.mark.parametrize(
    "stored",
    [None, {}, {"is_reporting": 1, "silent_since": None}, {"is_reporting": True}],
)
def test_damaged_data_raises(stored: object) -> None:
    """Always ValueError."""
    with pytest.raises(ValueError, match=r"^No"):
        ReportingState.from_dict(stored)
