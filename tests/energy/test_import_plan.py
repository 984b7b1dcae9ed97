"""Which request for energy comes next, and when."""

from collections.abc import Mapping
from copy import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, strategies as st
import pytest

from custom_components.enphase_cloud.energy.import_plan import ImportPlan, ImportSource
from custom_components.enphase_cloud.energy.import_progress import (
    WEEK,
    Days,
    ImportProgress,
    ImportWindow,
    Week,
)
from custom_components.enphase_cloud.measurements.catalog import Source

NOW = datetime(2026, 6, 17, 12, 3, tzinfo=UTC)
HOUR = timedelta(hours=1)
FIRST_AT = timedelta(hours=4, minutes=31)
# Days of 23 and 25 hours, odd offsets, a change by half an hour, one at midnight.
ZONES = [
    "Europe/Berlin",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "America/Havana",
    "Pacific/Kiritimati",
]

PRODUCTION = Source.PRODUCTION_INTERVALS
CONSUMPTION = Source.CONSUMPTION_INTERVALS
IMPORT = Source.IMPORT_INTERVALS

UP_TO_DATE = ImportProgress(updated_at=NOW)


def plan_of(zone: str = "Europe/Berlin") -> ImportPlan:
    """Return the plan of a system in a time zone."""
    return ImportPlan(first_at=FIRST_AT, time_zone=ZoneInfo(zone))


def item(
    progress: ImportProgress,
    source: Source = PRODUCTION,
    *,
    updates: int = 1,
    backoff: Mapping[type[ImportWindow], datetime] | None = None,
) -> ImportSource:
    """Return a document."""
    return ImportSource(
        source=source,
        progress=progress,
        updates_per_day=updates,
        backoff=backoff or {},
    )


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("updates", [1, 2, 4, 24])
def test_updates_come_at_equal_distances(zone: str, updates: int) -> None:
    """Day by day as many, the first one at its time after midnight, for a year."""
    at = datetime(2025, 12, 31, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    document = item(ImportProgress(updated_at=at), updates=updates)
    dues: list[datetime] = []
    while at.year < 2027:
        due = plan_of(zone).next_update(document)
        assert due is not None
        assert due > at
        dues.append(due)
        # It is made a little later than it is due.
        at = due + timedelta(seconds=20)
        document = replace(document, progress=ImportProgress(updated_at=at))
    firsts: dict[date, datetime] = {}
    for due in dues:
        firsts.setdefault((due - FIRST_AT).astimezone(ZoneInfo(zone)).date(), due)
    for first, second in list(pairwise(firsts))[1:-1]:
        midnight = datetime(first.year, first.month, first.day, tzinfo=ZoneInfo(zone))
        assert firsts[first] - midnight.astimezone(UTC) == FIRST_AT
        of_day = [due for due in dues if firsts[first] <= due < firsts[second]]
        assert len(of_day) == updates
        distance = (firsts[second] - firsts[first]) / updates
        assert all(abs(b - a - distance) < HOUR / 24 for a, b in pairwise(of_day))


@given(
    st.timedeltas(timedelta(), timedelta(days=700)).map(
        datetime(2025, 1, 1, tzinfo=UTC).__add__
    ),
    st.sampled_from(ZONES),
    st.integers(1, 24),
)
def test_the_next_update_is_less_than_a_day_away(
    last: datetime, zone: str, updates: int
) -> None:
    """From any moment on; a day may have an hour more."""
    due = plan_of(zone).next_update(
        item(ImportProgress(updated_at=last), updates=updates)
    )
    assert due is not None
    assert timedelta() < due - last <= timedelta(hours=25) / updates + HOUR


def test_news_are_wanted_at_once_at_first_and_then_never_if_not_wished_for() -> None:
    """Without updates there is nothing to do."""
    step = plan_of().next_request([item(ImportProgress())], now=NOW, next_history=NOW)
    assert step is not None
    assert step.is_update
    assert step.due == NOW
    assert step.window == ImportProgress().update(NOW)
    nothing = item(ImportProgress(), updates=0)
    assert plan_of().next_update(nothing) is None
    assert plan_of().next_request([nothing], now=NOW, next_history=NOW) is None
    assert plan_of().next_request([], now=NOW, next_history=NOW) is None


def test_an_update_that_was_missed_is_due_now() -> None:
    """Not at a moment of the past."""
    late = item(ImportProgress(updated_at=NOW - timedelta(days=3)))
    step = plan_of().next_request([late], now=NOW, next_history=NOW)
    assert step is not None
    assert (step.is_update, step.due) == (True, NOW)


def test_days_come_before_updates_and_these_before_hours() -> None:
    """Of what is due; history waits until it can be spared."""
    wanting = ImportProgress().request_hours(NOW - 9 * WEEK, NOW - 8 * WEEK, now=NOW)
    items = [
        item(replace(wanting, updated_at=NOW), PRODUCTION),
        item(ImportProgress(), CONSUMPTION),
        item(UP_TO_DATE.request_days(Days()), IMPORT),
    ]
    order = []
    while (
        step := plan_of().next_request(items, now=NOW, next_history=NOW)
    ) is not None:
        order.append((step.source, type(step.window), step.is_update))
        items = [each for each in items if each.source is not step.source]
    assert order == [
        (IMPORT, Days, False),
        (CONSUMPTION, Week, True),
        (PRODUCTION, Week, False),
    ]


def test_history_waits_until_it_can_be_spared() -> None:
    """An update that comes sooner goes before."""
    wanting = UP_TO_DATE.request_hours(NOW - 9 * WEEK, NOW - 8 * WEEK, now=NOW)
    tomorrow = NOW + timedelta(days=2)
    step = plan_of().next_request([item(wanting)], now=NOW, next_history=tomorrow)
    assert step is not None
    assert step.is_update
    alone = plan_of().next_request(
        [item(wanting, updates=0)], now=NOW, next_history=tomorrow
    )
    assert alone is not None
    assert (alone.is_update, alone.due) == (False, tomorrow)
    # What could be spared earlier can be spared now.
    due = plan_of().next_request(
        [item(wanting, updates=0)], now=NOW, next_history=NOW - HOUR
    )
    assert due is not None
    assert due.due == NOW


def test_the_oldest_week_of_all_documents_comes_first() -> None:
    """So that all flows of a time are there together."""
    items = [
        item(
            UP_TO_DATE.request_hours(NOW - weeks * WEEK, NOW - WEEK, now=NOW),
            source,
            updates=0,
        )
        for source, weeks in ((PRODUCTION, 3), (CONSUMPTION, 9), (IMPORT, 5))
    ]
    step = plan_of().next_request(items, now=NOW, next_history=NOW)
    assert step is not None
    assert step.source is CONSUMPTION


def test_a_document_that_rests_holds_up_no_other() -> None:
    """Whatever is wanted of it."""
    later = NOW + timedelta(hours=6)
    wanting = ImportProgress().request_hours(NOW - 9 * WEEK, NOW, now=NOW)
    backoff: Mapping[type[ImportWindow], datetime] = {Days: later, Week: later}
    failing = item(wanting.request_days(Days()), PRODUCTION, updates=4, backoff=backoff)
    oldest = item(replace(wanting, updated_at=NOW), IMPORT, backoff=backoff)
    younger = item(UP_TO_DATE.request_hours(NOW - 3 * WEEK, NOW, now=NOW), CONSUMPTION)
    step = plan_of().next_request([failing, oldest, younger], now=NOW, next_history=NOW)
    assert step is not None
    assert (step.source, step.due) == (CONSUMPTION, NOW)
    alone = plan_of().next_request([failing], now=NOW, next_history=NOW)
    assert alone is not None
    assert (alone.source, alone.due) == (PRODUCTION, later)
    # Nor when it has rested: first come those that may do better.
    past = replace(failing, backoff={Days: NOW - HOUR, Week: NOW - HOUR})
    step = plan_of().next_request([past, younger], now=NOW, next_history=NOW)
    assert step is not None
    assert (step.source, step.due) == (CONSUMPTION, NOW)
    step = plan_of().next_request([past], now=NOW, next_history=NOW)
    assert step is not None
    assert (step.source, step.due) == (PRODUCTION, NOW)


def test_days_that_cannot_be_had_do_not_hold_up_the_hours() -> None:
    """Nor the other way round."""
    later = NOW + timedelta(hours=6)
    wanting = ImportProgress().request_days(Days())
    step = plan_of().next_request(
        [item(wanting, backoff={Days: later})], now=NOW, next_history=NOW
    )
    assert step is not None
    assert (step.is_update, step.due, step.has_failed) == (True, NOW, False)
    step = plan_of().next_request(
        [item(wanting, backoff={Week: later})], now=NOW, next_history=NOW
    )
    assert step is not None
    assert (step.window, step.due) == (Days(), NOW)
