"""A key that the user says is new: no calls are assumed, at any time of the clock."""

from datetime import UTC, datetime, timedelta
import json

import pytest

from custom_components.enphase_cloud.quota.ledger import ASSUMED, Ledger, Purpose
from custom_components.enphase_cloud.quota.month import share_assumed
from custom_components.enphase_cloud.quota.plans import PLANS

WATT = PLANS["watt"]
NOON = datetime(2026, 6, 21, 12, tzinfo=UTC)


def _restored(ledger: Ledger, now: datetime) -> Ledger:
    stored = json.loads(json.dumps(ledger.as_dict()))
    return Ledger.restore(stored, WATT, now=now)


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("ahead", [timedelta(), timedelta(days=-40), timedelta(40)])
def test_all_calls_are_there(ahead: timedelta, *, restarts: bool) -> None:
    """Also if it is another month by the cloud's time."""
    ledger = Ledger(WATT, now=NOON + ahead)
    ledger.set_new_key(NOON + ahead, is_new=True)
    if restarts:
        ledger = _restored(ledger, NOON + ahead)
    for _ in range(2):
        call = ledger.charge("systems", NOON + ahead, purpose=Purpose.USER)
        ledger.ended(call, NOON + ahead, served=True, date=NOON)
    assert ASSUMED not in ledger.by_operation(NOON + ahead)
    # A crash may cost one more.
    assert ledger.used(NOON + ahead) in (2, 3)


def test_what_is_said_last_counts() -> None:
    """Taken back, it is assumed as if it had never been said; and said again."""
    ledger = Ledger(WATT, now=NOON)
    assumed = int(1_000 * share_assumed(NOON))
    assert ledger.used(NOON) == assumed == 683
    ledger.set_new_key(NOON, is_new=True)
    ledger.charge("systems", NOON, purpose=Purpose.USER)
    assert ledger.used(NOON) == 1
    for _ in range(2):
        ledger.set_new_key(NOON, is_new=False)
        assert ledger.used(NOON) == 1 + assumed
    ledger.set_new_key(NOON, is_new=True)
    assert ledger.used(NOON) == 1


def test_what_was_counted_is_no_assumption() -> None:
    """That a known key is not new says nothing that the record does not."""
    begun = datetime(2026, 5, 31, 12, tzinfo=UTC)
    ledger = Ledger(WATT, now=begun)
    call = ledger.charge("systems", begun, purpose=Purpose.USER)
    ledger.ended(call, begun, served=True, date=begun)
    ledger.set_new_key(NOON, is_new=False)
    assert ledger.used(NOON) <= 1
