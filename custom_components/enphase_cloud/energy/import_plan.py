"""Which request for energy data comes next, and when."""

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
    """A document, its progress, and how often a day it is updated.

    Windows of a kind that failed are skipped until the time in `backoff`.
    """

    source: Source
    progress: ImportProgress
    updates_per_day: int
    backoff: Mapping[type[ImportWindow], datetime] = field(default_factory=dict)


class ImportRequest(NamedTuple):
    """One request: a window of a document, due at a moment.

    It is an update or a part of history. `has_failed` says whether the last one of its
    kind failed.
    """

    source: Source
    window: ImportWindow
    due: datetime
    is_update: bool
    has_failed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPlan:
    """When the energy data of a system is requested.

    Updates are at equal intervals, the first of a day at `first_at` after the system's
    midnight. Weeks of history are requested when calls are available.
    """

    first_at: timedelta
    time_zone: tzinfo

    def next_request(
        self, items: Iterable[ImportSource], *, now: datetime, next_history: datetime
    ) -> ImportRequest | None:
        """Return the next request; None if there is none.

        Of those that are due, days are first, then updates, then the oldest week; those
        that failed are last. `next_history` is when a call for a week of history is
        available.
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
            if (update := self.next_update(item)) is not None:
                window = progress.update(now)
                updates.append(_step(item, window, max(update, now), is_update=True))
        oldest = [request for _, request in sorted(weeks, key=itemgetter(0))]
        return min(
            [*days, *updates, *oldest],
            key=attrgetter("due", "has_failed"),
            default=None,
        )

    def next_update(self, item: ImportSource) -> datetime | None:
        """Return when the next update of a document is due; None without updates.

        The first update is due at once.
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
