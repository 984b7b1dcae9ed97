"""What was imported of a document, and what is requested next."""

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
import json
from random import Random
from typing import Any

from hypothesis import example, given, settings, strategies as st
import pytest

from custom_components.enphase_cloud.energy.import_progress import (
    KEPT,
    WEEK,
    Days,
    ImportProgress,
    Week,
)
from custom_components.enphase_cloud.energy.readings import (
    HOUR,
    SETTLES_AFTER,
    top_of_hour,
)
from custom_components.enphase_cloud.energy.time_ranges import (
    Ranges,
    union,
    within,
    without,
)

NOW = datetime(2026, 6, 17, 12, 3, tzinfo=UTC)
DAY = timedelta(days=1)
YEARS_AGO = NOW - timedelta(days=900)
# Two years and a day.
OLDEST = timedelta(days=730)

hours_back = st.integers(0, 900 * 24)


def ago(hours: int) -> datetime:
    """Return a moment of the past."""
    return NOW - hours * HOUR


def stored(progress: ImportProgress) -> ImportProgress:
    """Return the progress as a restart finds it."""
    return ImportProgress.from_dict(json.loads(json.dumps(progress.as_dict())))


def overlap(one: Ranges, other: Ranges) -> Ranges:
    """Return what is in both."""
    return without(one, without(one, other))


@dataclass(slots=True)
class Importer:
    """Makes calls one by one as they are wanted, of a cloud that is always in time."""

    progress: ImportProgress = field(default_factory=ImportProgress)
    now: datetime = NOW
    requested: list[Week | Days] = field(default_factory=list)

    def make(self, calls: int = 10_000, *, restarts: bool = False) -> None:
        """Make a number of the wanted calls."""
        while calls and (window := self.progress.next_wanted) is not None:
            self.requested.append(window)
            left = self.progress.calls_wanted
            if isinstance(window, Days):
                self.progress = self.progress.have_days(window)
            else:
                self.progress = self.progress.have_week(
                    window, fetched_at=self.now, certain_until=self.now
                )
            assert self.progress.calls_wanted < left
            assert 0 <= self.progress.calls_wanted <= self.progress.calls_requested
            if restarts:
                self.progress = stored(self.progress)
            calls -= 1

    def update(self, newest: datetime | None) -> Week:
        """Make an update with data up to a moment, if that is within its week."""
        week = self.progress.update(self.now)
        if newest is not None and newest <= week.start:
            newest = None
        self.progress = self.progress.have_update(
            week, fetched_at=self.now, certain_until=newest, newest=newest
        )
        return week

    @property
    def weeks(self) -> list[Week]:
        """Return the requested weeks."""
        return [window for window in self.requested if isinstance(window, Week)]


@given(st.lists(st.tuples(hours_back, hours_back), min_size=1, max_size=5))
def test_no_hour_is_requested_twice(requests: list[tuple[int, int]]) -> None:
    """However requests overlap; each call reduces the wanted ones to none."""
    importer = Importer()
    for start, end in requests:
        progress = importer.progress.request_hours(ago(start), ago(end), now=NOW)
        assert not overlap(progress.known, progress.wanted)
        importer.progress = progress
        importer.make()
        assert importer.progress.calls_wanted == 0
        assert importer.progress.next_wanted is None
    for week in importer.weeks:
        assert NOW - week.start < OLDEST
    wanted = within(
        union((top_of_hour(ago(start)), ago(end)) for start, end in requests),
        top_of_hour(NOW - KEPT) + HOUR,
        top_of_hour(NOW - SETTLES_AFTER),
    )
    assert not without(wanted, importer.progress.known)
    wanted_again = importer.progress.request_hours(YEARS_AGO, NOW, now=NOW)
    assert not overlap(wanted_again.wanted, importer.progress.known)


@settings(max_examples=40)
@given(hours_back, hours_back)
def test_known_hours_are_requested_again_on_demand(start: int, end: int) -> None:
    """All of those, and no others."""
    importer = Importer(ImportProgress().request_hours(YEARS_AGO, NOW, now=NOW))
    importer.make()
    known = importer.progress.known
    progress = importer.progress.request_hours(
        ago(start), ago(end), now=NOW, again=True
    )
    expected = within([(top_of_hour(ago(start)), ago(end))], NOW - KEPT, NOW)
    assert not without(overlap(expected, known), progress.wanted)
    assert not without(progress.wanted, expected)
    importer.progress = progress
    importer.make()
    assert not without(known, importer.progress.known)


def test_a_week_old_window_is_known_even_without_data() -> None:
    """A window that is empty or skipped is not requested again."""
    progress = ImportProgress().request_hours(NOW - 5 * WEEK, NOW, now=NOW)
    week = progress.next_wanted
    assert isinstance(week, Week)
    progress = progress.have_week(week, fetched_at=NOW, certain_until=None)
    assert progress.known == ((week.start, week.end),)
    again = progress.request_hours(week.start, week.end, now=NOW)
    assert again.wanted == progress.wanted


@settings(max_examples=40)
@given(st.integers(1, 120), st.randoms(use_true_random=False))
def test_interruptions_change_nothing(weeks: int, random: Random) -> None:
    """A restart after any call continues; no window is requested twice."""
    wanting = (
        ImportProgress()
        .request_days(Days())
        .request_hours(NOW - weeks * WEEK, NOW, now=NOW)
    )
    alone = Importer(wanting)
    alone.make()
    interrupted = Importer(wanting)
    while interrupted.progress.next_wanted is not None:
        interrupted.make(random.randint(1, 20), restarts=random.random() < 0.5)
        interrupted.progress = stored(interrupted.progress)
    assert interrupted.requested == alone.requested
    assert interrupted.progress == alone.progress
    assert len(set(alone.requested)) == len(alone.requested) == wanting.calls_requested


def test_what_is_asked_for_is_counted() -> None:
    """The share that is done never falls while more is requested or cancelled."""
    progress = ImportProgress()
    assert progress.calls_wanted == progress.calls_requested == 0
    progress = progress.request_days(Days()).request_hours(NOW - 3 * WEEK, NOW, now=NOW)
    assert progress.calls_wanted == progress.calls_requested == 5
    importer = Importer(progress)
    importer.make(2)
    assert (importer.progress.calls_wanted, importer.progress.calls_requested) == (3, 5)
    more = importer.progress.request_hours(NOW - 10 * WEEK, NOW - 8 * WEEK, now=NOW)
    assert (more.calls_wanted, more.calls_requested) == (6, 8)
    importer.make()
    assert (importer.progress.calls_wanted, importer.progress.calls_requested) == (0, 5)
    # All is done; the next requests count from zero.
    again = importer.progress.request_days(Days())
    assert (again.calls_wanted, again.calls_requested) == (1, 1)


def test_days_come_first_then_the_oldest_hours() -> None:
    """The whole life is there at once, roughly."""
    importer = Importer(
        ImportProgress().request_hours(NOW - 2 * WEEK, NOW - DAY, now=NOW)
    )
    importer.progress = importer.progress.request_days(Days())
    importer.make()
    assert importer.requested[0] == Days()
    starts = [week.start for week in importer.weeks]
    assert starts == sorted(starts)
    assert starts[0] == top_of_hour(NOW - 2 * WEEK)


JANUARY = Days(date(2025, 1, 1), date(2025, 1, 31))
MARCH = Days(date(2025, 3, 1), date(2025, 3, 31))


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (JANUARY, MARCH, Days(JANUARY.first, MARCH.last)),
        (MARCH, JANUARY, Days(JANUARY.first, MARCH.last)),
        (JANUARY, Days(), Days()),
        (Days(), JANUARY, Days()),
        (Days(None, date(2024, 1, 1)), MARCH, Days(None, MARCH.last)),
        (Days(date(2024, 1, 1), None), MARCH, Days(date(2024, 1, 1), None)),
    ],
)
def test_requested_days_are_not_forgotten_for_others(
    first: Days, second: Days, expected: Days
) -> None:
    """One request covers both."""
    progress = ImportProgress().request_days(first).request_days(second)
    assert progress.days == expected
    assert progress.calls_wanted == 1
    # A request sent before the second one does not fulfil it.
    assert progress.have_days(expected).days is None
    if first != expected:
        assert progress.have_days(first).days == expected


def test_giving_up_keeps_what_is_known() -> None:
    """Nothing is wanted then."""
    importer = Importer(ImportProgress().request_hours(NOW - 9 * WEEK, NOW, now=NOW))
    importer.make(4)
    given_up = importer.progress.request_days(Days()).cancel_requests()
    assert given_up.next_wanted is None
    assert given_up.calls_wanted == given_up.calls_requested == 0
    assert given_up.known == importer.progress.known != ()


@given(
    st.lists(
        st.tuples(
            st.timedeltas(timedelta(minutes=30), timedelta(days=30)),
            st.one_of(
                st.none(), st.timedeltas(timedelta(hours=-1), timedelta(days=10))
            ),
            st.integers(0, 3),
        ),
        max_size=20,
    )
)
@example([(HOUR / 2, -HOUR, 0), (WEEK, None, 0)])
def test_all_unsettled_hours_are_requested_in_time(
    life: list[tuple[timedelta, timedelta | None, int]],
) -> None:
    """Also after pauses, and if the gateway reports late.

    An update covers all unsettled hours of the last week that are not wanted. Of older
    ones, once the gateway reports again, only those are missing that had no data in
    requests for a week.
    """
    importer = Importer(now=YEARS_AGO)
    begun_at: datetime | None = None
    seen: Ranges = ()
    for pause, lateness, calls in life:
        importer.now = now = importer.now + pause
        importer.progress = importer.progress.as_of(now)
        week_ago = top_of_hour(now - WEEK) + HOUR
        week = importer.update(None if lateness is None else now - lateness)
        assert week_ago <= week.start <= now <= week.end
        seen = union([*seen, (week.start, now)])
        begun_at = begun_at or week.start
        importer.make(calls)
        seen = union(
            [*seen, *((week.start, min(week.end, now)) for week in importer.weeks)]
        )
        following = importer.progress.update(now)
        unsettled = without(
            [(week_ago, now)],
            [*importer.progress.known, *importer.progress.wanted],
        )
        assert not without(unsettled, [(following.start, following.end)])
        if importer.progress.newest >= week.start:
            assert not without([(begun_at, now)], [*seen, *importer.progress.wanted])


def test_a_silent_gateway_costs_no_other_calls() -> None:
    """Updates request the last week each day; nothing requests older hours."""
    importer = Importer(ImportProgress().request_hours(NOW - 2 * WEEK, NOW, now=NOW))
    importer.make()
    for _ in range(30):
        importer.now += DAY
        assert importer.update(newest=None).start >= top_of_hour(importer.now - WEEK)
        assert importer.progress.calls_wanted == 0


@pytest.mark.parametrize("silent", [timedelta(days=8), timedelta(days=9.5), 3 * WEEK])
def test_what_a_gateway_reports_after_weeks_is_asked_for_once(
    silent: timedelta,
) -> None:
    """Not while it is silent; and all of it, restarts or not."""
    importer = Importer()
    importer.update(NOW)
    settled = importer.progress.known[-1][1]
    for days in range(1, silent // DAY):
        importer.now = NOW + days * DAY
        importer.update(newest=NOW)
        importer.progress = stored(importer.progress.as_of(importer.now))
        assert importer.progress.calls_wanted == 0
    importer.now = NOW + silent
    week = importer.update(newest=importer.now)
    assert importer.progress.wanted == ((settled, week.start),)
    importer.make()
    for _ in range(3):
        importer.now += DAY
        importer.update(newest=importer.now)
        assert importer.progress.calls_wanted == 0


def test_what_a_gateway_reports_late_is_doubted_once() -> None:
    """One response without data or with zeros alone is repeated; a second is not."""
    importer = Importer()
    importer.update(NOW)
    importer.now = NOW + 2 * WEEK
    importer.update(importer.now)
    wanted, calls = importer.progress.wanted, importer.progress.calls_wanted
    assert calls == 2
    for left in (2, 1, 1, 0):
        week = importer.progress.next_wanted
        assert isinstance(week, Week)
        importer.progress = stored(
            importer.progress.have_week(
                week, fetched_at=importer.now, certain_until=None
            )
        )
        assert importer.progress.calls_wanted == left
    again = importer.progress.request_hours(*wanted[0], now=importer.now, again=True)
    week = again.next_wanted
    assert isinstance(week, Week)
    done = again.have_week(week, fetched_at=importer.now, certain_until=None)
    assert done.calls_wanted == calls - 1


def test_what_was_in_vain_before_a_pause_stays_so() -> None:
    """Hours that stay uncertain for long are not requested again."""
    importer = Importer()
    importer.update(NOW)
    for _ in range(60):
        importer.now += DAY
        importer.progress = importer.progress.have_update(
            importer.progress.update(importer.now),
            fetched_at=importer.now,
            certain_until=None,
            newest=importer.now,
        )
    assert importer.progress.calls_wanted == 0
    before = importer.now
    importer.now += 2 * WEEK
    week = importer.update(newest=importer.now)
    assert importer.progress.wanted == ((top_of_hour(before - WEEK), week.start),)


def test_a_pause_of_weeks_becomes_wanted() -> None:
    """All hours between the known ones and the first update."""
    importer = Importer()
    importer.update(NOW)
    settled = importer.progress.known[-1][1]
    importer.now += 5 * WEEK
    week = importer.update(importer.now)
    assert importer.progress.wanted == ((settled, week.start),)
    importer.make()
    ((start, end),) = importer.progress.known
    assert start < NOW - 6 * DAY
    assert end == top_of_hour(importer.now - SETTLES_AFTER)


def test_history_that_no_update_followed_is_continued() -> None:
    """After weeks without updates, hours are requested from the last known one on."""
    importer = Importer(ImportProgress().request_hours(NOW - 2 * WEEK, NOW, now=NOW))
    importer.make()
    settled = importer.progress.known[-1][1]
    importer.now += 5 * WEEK
    week = importer.update(importer.now)
    assert importer.progress.wanted == ((settled, week.start),)


def test_an_update_takes_what_is_wanted_with_it() -> None:
    """Its hours need no request of their own."""
    importer = Importer(ImportProgress().request_hours(NOW - 2 * WEEK, NOW, now=NOW))
    week = importer.update(NOW)
    assert importer.progress.wanted == ((top_of_hour(NOW - 2 * WEEK), week.start),)


def test_what_the_cloud_still_corrects_is_not_settled() -> None:
    """Four hours before its end, and before now."""
    week = Week(top_of_hour(NOW) - WEEK)
    for newest in (NOW, NOW + DAY):
        progress = ImportProgress().have_week(
            week, fetched_at=NOW, certain_until=newest
        )
        assert progress.known == ((week.start, top_of_hour(NOW - SETTLES_AFTER)),)
    late = ImportProgress().have_week(week, fetched_at=NOW, certain_until=NOW - DAY)
    assert late.known == ((week.start, top_of_hour(NOW - DAY - SETTLES_AFTER)),)


@given(st.timedeltas(timedelta(), timedelta(days=800)))
def test_what_became_too_old_is_not_asked_for(pause: timedelta) -> None:
    """The cloud keeps two years; that took longer is given up."""
    later = NOW + pause
    wanting = ImportProgress().request_hours(YEARS_AGO, NOW, now=NOW).as_of(later)
    importer = Importer(wanting, now=later)
    importer.make()
    assert all(later - week.start < OLDEST for week in importer.weeks)
    if pause < timedelta(days=700):
        assert importer.progress.known[-1][1] >= NOW - SETTLES_AFTER - HOUR


def test_a_clock_that_was_ahead_is_forgotten() -> None:
    """What it noted neither holds updates up nor hides hours."""
    importer = Importer(now=NOW + 60 * DAY)
    importer.progress = importer.progress.request_hours(
        NOW - WEEK, NOW + 60 * DAY, now=importer.now
    )
    importer.update(newest=importer.now)
    importer.make()
    progress = importer.progress.request_hours(
        NOW - WEEK, NOW + 60 * DAY, now=importer.now, again=True
    ).as_of(NOW)
    assert progress.updated_at == NOW
    assert all(end <= NOW for _, end in (*progress.known, *progress.wanted))
    assert progress.update(NOW).end >= NOW


def test_progress_survives_a_restart() -> None:
    """All of it."""
    importer = Importer(
        ImportProgress(last_request="hour")
        .request_days(JANUARY)
        .request_hours(YEARS_AGO, NOW, now=NOW)
    )
    importer.update(NOW)
    assert stored(importer.progress) == importer.progress
    importer.make(30)
    assert stored(importer.progress) == importer.progress
    assert stored(ImportProgress(days=Days())) == ImportProgress(days=Days())


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda children: (
        st.lists(children, max_size=3)
        | st.dictionaries(st.text(max_size=5), children, max_size=3)
    ),
    max_leaves=6,
)


def is_sound(progress: ImportProgress) -> bool:
    """Return whether a progress is valid."""
    wanting = progress.as_of(NOW).request_hours(NOW - WEEK, NOW, now=NOW)
    wanting = wanting.request_days(Days())
    done = wanting.have_update(
        wanting.update(NOW), fetched_at=NOW, certain_until=NOW, newest=NOW
    )
    return stored(done) == done and isinstance(done.calls_wanted, int)


@given(json_values)
def test_anything_else_is_refused(data: object) -> None:
    """It is no progress."""
    with pytest.raises(ValueError, match="No"):
        ImportProgress.from_dict(data)


@given(
    st.sampled_from(
        "known wanted days updated_at newest late calls_asked wish".split()
    ),
    json_values,
    st.booleans(),
)
def test_damage_does_no_harm(key: str, value: object, is_missing: bool) -> None:  # noqa: FBT001
    """What cannot be read is refused; what can is sound."""
    data: dict[str, Any] = (
        ImportProgress(last_request="day")
        .request_hours(YEARS_AGO, NOW, now=NOW)
        .as_dict()
    )
    data[key] = value
    if is_missing:
        del data[key]
        with pytest.raises(ValueError, match=f"No {key}"):
            ImportProgress.from_dict(data)
    with suppress(ValueError):
        assert is_sound(ImportProgress.from_dict(data))
