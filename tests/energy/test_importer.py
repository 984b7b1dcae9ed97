"""What is requested next, after responses, failures and clocks that jump."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, strategies as st
import pytest

from custom_components.enphase_cloud.energy.import_plan import ImportPlan, ImportRequest
from custom_components.enphase_cloud.energy.import_progress import (
    WEEK,
    Days,
    ImportProgress,
)
from custom_components.enphase_cloud.energy.importer import Importer
from custom_components.enphase_cloud.energy.readings import (
    HOUR,
    SETTLES_AFTER,
    Reading,
    Span,
)
from custom_components.enphase_cloud.measurements.catalog import Flow, Source

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
AGENDA = ImportPlan(first_at=timedelta(hours=4), time_zone=UTC)
PRODUCTION = Source.PRODUCTION_INTERVALS
IMPORT = Source.IMPORT_INTERVALS
MINUTE = timedelta(minutes=1)


@pytest.fixture
def importer() -> Importer:
    """Return an importer of two sources that knows nothing yet."""
    importer = Importer(AGENDA, {})
    importer.use({PRODUCTION: 1, IMPORT: 1})
    return importer


def due(importer: Importer, now: datetime) -> ImportRequest | None:
    """Return the request that is due."""
    step = importer.next_request(now, next_history=now)
    return step if step is not None and step.due <= now else None


def hours_of(step: ImportRequest, now: datetime) -> dict[Flow, dict[Span, Reading]]:
    """Return a response that covers the whole window."""
    assert not isinstance(step.window, Days)
    start, readings = step.window.start, {}
    while start + HOUR <= now:
        readings[Span(start, HOUR)] = Reading(
            is_certain=True, fetched_at=now, energy=100.0
        )
        start += HOUR
    return {Flow.PRODUCTION: readings}


def test_a_day_begins_with_an_update_of_each_source(importer: Importer) -> None:
    """And then there is nothing to do until the next day."""
    seen = []
    while (step := due(importer, NOW)) is not None:
        importer.begin(NOW)
        importer.imported(step, hours_of(step, NOW), changed=None, now=NOW)
        seen.append(step.source)
    assert sorted(seen) == sorted([PRODUCTION, IMPORT])
    tomorrow = NOW.replace(hour=4) + timedelta(days=1)
    assert importer.next_update(NOW) == tomorrow
    assert due(importer, tomorrow - MINUTE) is None
    assert due(importer, tomorrow) is not None


def test_a_request_whose_outcome_is_unknown_pauses_the_import(
    importer: Importer,
) -> None:
    """Where the recorder fails, more requests are useless."""
    importer.begin(NOW)
    assert due(importer, NOW + 14 * MINUTE) is None
    assert due(importer, NOW + 15 * MINUTE) is not None


@given(st.timedeltas(timedelta(days=-900), timedelta(seconds=-1)))
def test_a_clock_put_back_ends_a_pause(jump: timedelta) -> None:
    """However far ahead it was."""
    importer = Importer(AGENDA, {})
    importer.use({PRODUCTION: 1})
    importer.pause(NOW + timedelta(days=400), NOW)
    assert due(importer, NOW) is None
    assert due(importer, NOW + jump) is not None


def test_a_clock_that_was_ahead_delays_no_update() -> None:
    """Updates continue with the next one of the day."""
    progress = ImportProgress(updated_at=NOW + timedelta(days=60))
    importer = Importer(AGENDA, {PRODUCTION: progress})
    importer.use({PRODUCTION: 1})
    assert due(importer, NOW) is None
    tomorrow = NOW.replace(hour=4) + timedelta(days=1)
    assert importer.next_update(NOW) == tomorrow
    assert due(importer, tomorrow) is not None


def test_what_fails_holds_up_nothing_else(importer: Importer) -> None:
    """After a short pause the other source comes first."""
    first = due(importer, NOW)
    assert first is not None
    assert not importer.failed(first, NOW, is_useless=False)
    assert due(importer, NOW) is None
    later = NOW + 5 * MINUTE
    second = due(importer, later)
    assert second is not None
    assert second.source is not first.source


def test_a_useless_answer_is_skipped_after_three_tries(importer: Importer) -> None:
    """It counts as requested then, so that the import does not stop there."""
    importer.use({PRODUCTION: 1})
    now, skipped = NOW, []
    for _ in range(3):
        while (step := due(importer, now)) is None:
            now += 5 * MINUTE
        skipped.append(importer.failed(step, now, is_useless=True))
    assert skipped == [False, False, True]
    assert importer.progress[PRODUCTION].updated_at == now


def test_history_is_requested_once_for_a_wish(importer: Importer) -> None:
    """What it costs is known before, and how much of it is done at any time."""

    def change(progress: ImportProgress) -> ImportProgress:
        return progress.request_hours(NOW - 4 * WEEK, NOW - 2 * WEEK, now=NOW)

    assert importer.cost(change, NOW) == 4
    importer.change_once("hour", change, NOW)
    importer.change_once("hour", change, NOW)
    assert importer.calls_pending(NOW) == 4
    assert importer.share_done(NOW) == 0
    while (step := due(importer, NOW)) is not None:
        importer.imported(step, hours_of(step, NOW), changed=None, now=NOW)
    assert importer.calls_pending(NOW) == 0
    assert importer.share_done(NOW) == 100
    assert importer.cost(change, NOW) == 0
    importer.change_once("hour", _all_again, NOW)
    assert importer.calls_pending(NOW) == 0
    importer.change_once("another", _all_again, NOW)
    assert importer.calls_pending(NOW) == 4
    importer.change(ImportProgress.cancel_requests, NOW)
    assert importer.share_done(NOW) is None


def _all_again(progress: ImportProgress) -> ImportProgress:
    return progress.request_hours(NOW - 4 * WEEK, NOW - 2 * WEEK, now=NOW, again=True)


def test_a_day_is_complete_once_all_its_sources_are_final(importer: Importer) -> None:
    """By their newest data, and for production by the report of the gateway."""
    end = NOW - SETTLES_AFTER
    assert not importer.is_complete(end, reported_at=NOW)
    while (step := due(importer, NOW)) is not None:
        assert not importer.is_complete(end, reported_at=NOW)
        readings = {} if step.source is PRODUCTION else hours_of(step, NOW)
        importer.imported(step, readings, changed=None, now=NOW)
    assert importer.is_complete(end, reported_at=end)
    assert not importer.is_complete(end + MINUTE, reported_at=NOW)
    assert not importer.is_complete(end, reported_at=end - MINUTE)
    assert not importer.is_complete(end, reported_at=None)
    importer.use({})
    assert not importer.is_complete(end, reported_at=NOW)


def test_a_day_without_data_is_not_complete(importer: Importer) -> None:
    """What was not delivered may come later."""
    while (step := due(importer, NOW)) is not None:
        importer.imported(step, {}, changed=None, now=NOW)
    assert not importer.is_complete(NOW - SETTLES_AFTER, reported_at=NOW)


def test_only_what_the_system_has_is_imported(importer: Importer) -> None:
    """A source that is gone keeps its progress for when it comes back."""
    step = due(importer, NOW)
    assert step is not None
    importer.imported(step, hours_of(step, NOW), changed=None, now=NOW)
    importer.use({})
    assert importer.calls_per_day == 0
    assert importer.next_update(NOW) is None
    assert importer.next_request(NOW, next_history=NOW) is None
    assert importer.progress[step.source].updated_at == NOW
