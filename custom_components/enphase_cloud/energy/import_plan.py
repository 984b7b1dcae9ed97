"""Which call for energies comes next, and when."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from operator import attrgetter, itemgetter
from typing import NamedTuple

from ..measurements.catalog import Source
from .import_progress import Days, ImportProgress, ImportWindow, Week
from .parsing import system_day


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportSource:
    """A document, how far it is known, and how often a day its news are wanted.

    Windows of a kind that could not be had are left alone until `rests` say.
    """

    source: Source
    progress: ImportProgress
    updates_per_day: int
    backoff: Mapping[type[ImportWindow], datetime] = field(default_factory=dict)


class ImportRequest(NamedTuple):
    """One call: a window of a document, due at a moment.

    It is either an update or a part of history. `has_failed` tells whether the last
    one of its kind could not be had.
    """

    source: Source
    window: ImportWindow
    due: datetime
    is_update: bool
    has_failed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPlan:
    """When a system's energies are asked for.

    Updates come at equal distances, the first of a day at `first_at` after the
    system's midnight. Weeks of history come when calls can be spared.
    """

    first_at: timedelta
    time_zone: tzinfo

    def next_request(
        self, items: Iterable[ImportSource], *, now: datetime, next_history: datetime
    ) -> ImportRequest | None:
        """Return the next call; None if there is none.

        Of those that are due, days come first, then updates, then the oldest week; and
        what failed comes after all others.
        `next_history` is when a call for a week of history can be spared.
        """
        days: list[ImportRequest] = []
        updates: list[ImportRequest] = []
        weeks: list[tuple[datetime, ImportRequest]] = []
        for item in items:
            progress = item.progress
            match progress.next_wanted:
                case Days() as window:
                    days.append(_step(item, window, now))
                case Week() as window:
                    due = max(next_history, now)
                    weeks.append((window.start, _step(item, window, due)))
            if (news := self.next_update(item)) is not None:
                window = progress.update(now)
                updates.append(_step(item, window, max(news, now), is_update=True))
        oldest = [request for _, request in sorted(weeks, key=itemgetter(0))]
        return min(
            [*days, *updates, *oldest],
            key=attrgetter("due", "has_failed"),
            default=None,
        )

    def next_update(self, item: ImportSource) -> datetime | None:
        """Return when a document's news are due; None where they are not wanted.

        They are wanted once at the very beginning.
        """
        if not item.updates_per_day:
            return None
        if (last := item.progress.updated_at) is None:
            return datetime.min.replace(tzinfo=UTC)
        today = last.astimezone(self.time_zone).date()
        days = (
            system_day(today + timedelta(days=offset), self.time_zone)
            for offset in (-1, 0, 1)
        )
        return next(
            due
            for day in days
            for number in range(item.updates_per_day)
            if (
                due := day.start
                + self.first_at
                + day.length * number / item.updates_per_day
            )
            > last
        )


def _step(
    item: ImportSource, window: ImportWindow, due: datetime, *, is_update: bool = False
) -> ImportRequest:
    paused_until = item.backoff.get(type(window))
    return ImportRequest(
        source=item.source,
        window=window,
        due=max(due, paused_until or due),
        is_update=is_update,
        has_failed=paused_until is not None,
    )
