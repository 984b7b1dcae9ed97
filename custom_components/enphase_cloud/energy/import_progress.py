"""How far the energy of a document is imported, and what to request next."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
import math
from typing import Any, Final, NamedTuple, Self

from ..json_values import count, day, moment, optional, record, rows, text
from .readings import HOUR, SETTLES_AFTER, top_of_hour
from .time_ranges import Ranges, union, within, without

WEEK: Final = timedelta(days=7)
"""The time covered by one request for intervals."""
KEPT: Final = timedelta(days=729)
"""How long the cloud keeps intervals: two years, less a day for clock errors."""

_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Days:
    """Days of the system for one request, both included; None means no bound."""

    first: date | None = None
    last: date | None = None

    def extended(self, other: Self) -> Self:
        """Return the days from the first to the last of both."""
        firsts, lasts = (self.first, other.first), (self.last, other.last)
        return replace(
            self,
            first=None if None in firsts else min(filter(None, firsts)),
            last=None if None in lasts else max(filter(None, lasts)),
        )


class Week(NamedTuple):
    """Seven days of intervals from a moment on, for one request."""

    start: datetime

    @property
    def end(self) -> datetime:
        """Return when it ends; there are no intervals after the present."""
        return self.start + WEEK


type ImportWindow = Days | Week


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportProgress:
    """What is imported of a document, and what is still wanted.

    `known` hours are settled: the cloud does not correct them any more. `updated_at` is
    when the newest intervals were requested last, and `newest` the end of the newest of
    them. `late` are hours that a gateway did not report for longer than a week; they
    are requested twice if necessary. `last_request` names the last one-time request
    (see `Importer.change_once`), and `calls_requested` counts the calls of everything
    requested.
    """

    known: Ranges = ()
    wanted: Ranges = ()
    late: Ranges = ()
    days: Days | None = None
    updated_at: datetime | None = None
    newest: datetime | None = None
    last_request: str | None = None
    calls_requested: int = 0

    @property
    def calls_wanted(self) -> int:
        """Return how many calls of history are still to be made."""
        return (self.days is not None) + sum(1 for _ in _weeks(self.wanted))

    @property
    def next_wanted(self) -> ImportWindow | None:
        """Return the next window of history: days first, then the oldest hours."""
        if self.days is not None:
            return self.days
        return next(_weeks(self.wanted), None)

    def has_settled(self, end: datetime, *, newest: datetime | None) -> bool:
        """Return whether data up to a moment was settled at the last update."""
        return (
            self.updated_at is not None
            and self.updated_at >= end + SETTLES_AFTER
            and newest is not None
            and newest >= end
        )

    def update(self, now: datetime) -> Week:
        """Return the week with the newest hours and those not settled yet."""
        earliest = top_of_hour(now - WEEK) + HOUR
        settled = self.known[-1][1] if self.known else earliest
        return Week(min(max(settled, earliest), top_of_hour(now)))

    def request_days(self, days: Days) -> Self:
        """Request days, in addition to those that are requested already."""
        wanted = days if self.days is None else self.days.extended(days)
        return self._with_calls(replace(self, days=wanted))

    def as_of(self, now: datetime) -> Self:
        """Return the progress as of now.

        It wants no hours that the cloud does not keep any more, and has no times in the
        future, after a clock was set back.
        """
        return replace(
            self,
            known=within(self.known, _LONG_AGO, now),
            wanted=within(self.wanted, top_of_hour(now - KEPT) + HOUR, now),
            late=within(self.late, now - KEPT, now),
            updated_at=self.updated_at and min(self.updated_at, now),
            newest=self.newest and min(self.newest, now),
        )

    def request_hours(
        self, start: datetime, end: datetime, *, now: datetime, again: bool = False
    ) -> Self:
        """Request hours that are not known; with `again`, also those that are."""
        start = max(top_of_hour(start), top_of_hour(now - KEPT) + HOUR)
        known = without(self.known, [(start, end)]) if again else self.known
        wanted = union([*self.wanted, *without([(start, min(end, now))], known)])
        return self._with_calls(replace(self, known=known, wanted=wanted))

    def cancel_requests(self) -> Self:
        """Cancel what is still wanted; what is known stays."""
        return replace(self, wanted=(), late=(), days=None, calls_requested=0)

    def have_days(self, days: Days) -> Self:
        """Note that days were imported."""
        return replace(self, days=None if days == self.days else self.days)

    def have_week(
        self, week: Week, *, fetched_at: datetime, certain_until: datetime | None
    ) -> Self:
        """Note that a week was imported.

        Up to `certain_until` the response was certain and without a gap. A gateway may
        report the rest within a week. For hours that it reports late, one response with
        no data, or only zeros, is not accepted.
        """
        requested = [(week.start, week.end)]
        late = without(self.late, requested)
        if certain_until is None and late != self.late:
            return replace(self, late=late)
        data_until = min(certain_until or week.start, fetched_at) - SETTLES_AFTER
        settled = top_of_hour(max(data_until, fetched_at - WEEK))
        return replace(
            self,
            known=union([*self.known, (week.start, min(week.end, settled))]),
            wanted=without(self.wanted, requested),
            late=late,
        )

    def have_update(
        self,
        week: Week,
        *,
        fetched_at: datetime,
        certain_until: datetime | None,
        newest: datetime | None,
    ) -> Self:
        """Note that an update was imported, with intervals up to `newest`.

        If earlier data ended before this week, the hours between are wanted: they were
        not requested, or the gateway was silent for that long. While it is still
        silent, nothing is wanted. Hours more than a week before the earlier data ended
        are not requested again.
        """
        progress = self.have_week(
            week, fetched_at=fetched_at, certain_until=certain_until
        )
        ends = [end for _, end in self.known]
        data_until = max(filter(None, [*ends, self.newest]), default=week.start)
        if newest is not None and data_until < week.start:
            since = max([data_until - WEEK, *ends])
            progress = progress.request_hours(since, week.start, now=fetched_at)
            progress = replace(
                progress, late=union([*progress.late, (since, week.start)])
            )
        # A gateway with a wrong clock may date intervals in the future.
        newest = min(max(data_until, newest or data_until), fetched_at)
        return replace(progress, updated_at=fetched_at, newest=newest)

    def _with_calls(self, wanting: Self) -> Self:
        """Return a progress that wants more than this one, with its calls counted."""
        done = self.calls_requested - self.calls_wanted if self.calls_wanted else 0
        return replace(wanting, calls_requested=max(0, done) + wanting.calls_wanted)

    def as_dict(self) -> dict[str, Any]:
        """Return the progress as JSON."""
        return {
            "known": _stored(self.known),
            "wanted": _stored(self.wanted),
            "late": _stored(self.late),
            "days": self.days and [_iso(self.days.first), _iso(self.days.last)],
            "updated_at": self.updated_at and self.updated_at.timestamp(),
            "newest": self.newest and self.newest.timestamp(),
            "wish": self.last_request,
            "calls_asked": self.calls_requested,
        }

    @classmethod
    def from_dict(cls, data: object) -> Self:
        """Restore the result of as_dict(); raises ValueError where it is damaged."""
        stored = record(data)
        return cls(
            known=_restored(stored["known"]),
            wanted=_restored(stored["wanted"]),
            late=_restored(stored["late"]),
            days=optional(_days, stored["days"]),
            updated_at=optional(moment, stored["updated_at"]),
            newest=optional(moment, stored["newest"]),
            last_request=optional(text, stored["wish"]),
            calls_requested=count(stored["calls_asked"]),
        )


def _weeks(ranges: Ranges) -> Iterator[Week]:
    for start, end in ranges:
        weeks = math.ceil((end - start) / WEEK)
        yield from (Week(start + number * WEEK) for number in range(weeks))


def _stored(ranges: Ranges) -> list[list[float]]:
    return [[start.timestamp(), end.timestamp()] for start, end in ranges]


def _restored(stored: object) -> Ranges:
    return union((moment(start), moment(end)) for start, end in rows(stored, width=2))


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _days(stored: object) -> Days:
    ((first, last),) = rows([stored], width=2)
    return Days(optional(day, first), optional(day, last))
