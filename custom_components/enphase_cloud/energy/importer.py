"""Which energy to request next, and the effect of responses and failures on that."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from copy import replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from ..measurements.catalog import Flow, Source
from ..quota.backoff import Backoff
from .coverage import confirmed_until, covered_until, newest_end
from .import_plan import ImportPlan, ImportRequest, ImportSource
from .import_progress import Days, ImportProgress, ImportWindow, Week
from .readings import Readings

_RETRY_AFTER: Final = timedelta(minutes=15)
# A window whose response cannot be used is requested this often; then it is skipped.
_TRIES: Final = 3

type Change = Callable[[ImportProgress], ImportProgress]


class _Pause(NamedTuple):
    began: datetime
    end: datetime


class Importer:
    """The state of one system's import: progress, backoff and pauses.

    It makes no API call and writes nothing. `next_request` says what to request; the
    caller does so, and reports the outcome with `imported`, `failed` or `pause`.
    """

    def __init__(
        self, plan: ImportPlan, progress: Mapping[Source, ImportProgress]
    ) -> None:
        """Continue from the stored progress of each source."""
        self._plan = plan
        self._progress = dict(progress)
        self._updates: Mapping[Source, int] = {}
        self._failures_of: defaultdict[tuple[Source, type[ImportWindow]], Backoff]
        self._failures_of = defaultdict(Backoff)
        self._failures = Backoff()
        self._pause: _Pause | None = None

    def use(self, updates_per_day: Mapping[Source, int]) -> None:
        """Import these sources from now on, each with this number of updates a day."""
        self._updates = updates_per_day

    @property
    def progress(self) -> Mapping[Source, ImportProgress]:
        """Return the progress of each source, to be stored."""
        return self._progress

    @property
    def calls_per_day(self) -> int:
        """Return the API calls of a day's updates."""
        return sum(self._updates.values())

    def calls_pending(self, now: datetime) -> int:
        """Return how many API calls the requested history still takes."""
        return sum(item.progress.calls_wanted for item in self._items(now))

    def share_done(self, now: datetime) -> float | None:
        """Return how much of the requested history is imported [%]; None without."""
        requested = sum(item.progress.calls_requested for item in self._items(now))
        return 100 * (1 - self.calls_pending(now) / requested) if requested else None

    def cost(self, change: Change, now: datetime) -> int:
        """Return how many more API calls a change of the progress takes."""
        return sum(
            change(item.progress).calls_wanted - item.progress.calls_wanted
            for item in self._items(now)
        )

    def change(self, change: Change, now: datetime) -> None:
        """Change what is requested of each source."""
        for item in self._items(now):
            self._progress[item.source] = change(item.progress)

    def change_source(self, source: Source, change: Change, now: datetime) -> None:
        """Change what is requested of one source."""
        self._progress[source] = change(self._progress_of(source, now))

    def change_once(self, request: str, change: Change, now: datetime) -> None:
        """Change what is requested, unless a source had this `request` last."""
        for item in self._items(now):
            if item.progress.last_request != request:
                changed = replace(change(item.progress), last_request=request)
                self._progress[item.source] = changed

    def next_update(self, now: datetime) -> datetime | None:
        """Return when the next update is due; None where there are none."""
        due = filter(None, map(self._plan.next_update, self._items(now)))
        earliest = min(due, default=None)
        return earliest and max(earliest, now)

    def next_request(
        self, now: datetime, *, next_history: datetime
    ) -> ImportRequest | None:
        """Return the next request, due now or later; None where there is none.

        `next_history` is when a call for history is available.
        """
        request = self._plan.next_request(
            self._items(now), now=now, next_history=next_history
        )
        return request and replace(request, due=max(request.due, self._pause_end(now)))

    def is_complete(self, end: datetime, *, reported_at: datetime | None) -> bool:
        """Return whether the data of all sources is final up to the end of a day.

        `reported_at` is the gateway's newest report, which counts for production: at
        night it may have no intervals.
        """
        progress = {
            source: self._progress.get(source, ImportProgress())
            for source in self._updates
        }
        return bool(progress) and all(
            each.has_settled(
                end,
                newest=reported_at
                if source is Source.PRODUCTION_INTERVALS
                else each.newest,
            )
            for source, each in progress.items()
        )

    def begin(self, now: datetime) -> None:
        """Note that a request begins.

        The import pauses until its outcome is reported: if the recorder fails, requests
        would be wasted.
        """
        self._pause = _Pause(now, now + _RETRY_AFTER)

    def pause(self, until: datetime | None, now: datetime) -> None:
        """Note that a request was withheld or refused for now; it stays due."""
        self._pause = None if until is None else _Pause(now, until)

    def imported(
        self,
        request: ImportRequest,
        readings: Mapping[Flow, Readings],
        *,
        changed: datetime | None,
        now: datetime,
    ) -> None:
        """Note the readings of a response, and the first hour that it changed."""
        self._advance(request, readings, changed=changed, now=now)
        self._pause = None
        self._failures = self._failures_of[_kind(request)] = Backoff()

    def failed(
        self, request: ImportRequest, now: datetime, *, is_useless: bool
    ) -> bool:
        """Note a failure, and back off; other requests come first meanwhile.

        If the response is useless, the window is skipped after a few tries. Returns
        whether it is skipped.
        """
        failures = self._failures_of[_kind(request)].another(now)
        self._failures_of[_kind(request)] = failures
        self._failures = self._failures.another(now)
        self.pause(self._failures.until, now)
        if not is_useless or failures.count < _TRIES:
            return False
        self._advance(request, {}, changed=None, now=now)
        self._failures_of[_kind(request)] = Backoff()
        return True

    def _items(self, now: datetime) -> list[ImportSource]:
        return [
            ImportSource(
                source=source,
                progress=self._progress_of(source, now),
                backoff=self._backoff(source, now),
                updates_per_day=updates,
            )
            for source, updates in self._updates.items()
        ]

    def _progress_of(self, source: Source, now: datetime) -> ImportProgress:
        progress = self._progress.get(source, ImportProgress())
        if progress.updated_at is not None and progress.updated_at > now:
            # Kept: an update at the present moment, whenever that is, blocks the next.
            self._progress[source] = progress = replace(progress, updated_at=now)
        return progress.as_of(now)

    def _backoff(
        self, source: Source, now: datetime
    ) -> dict[type[ImportWindow], datetime]:
        return {
            kind: failures.paused_until(now)
            for (failing, kind), failures in self._failures_of.items()
            if failing is source and failures.count
        }

    def _pause_end(self, now: datetime) -> datetime:
        """Return when the next request may be made; a clock put back ends a pause."""
        if self._pause is None or now < self._pause.began:
            return now
        return max(self._pause.end, now)

    def _advance(
        self,
        request: ImportRequest,
        readings: Mapping[Flow, Readings],
        *,
        changed: datetime | None,
        now: datetime,
    ) -> None:
        progress = self._progress_of(request.source, now)
        match request.window:
            case Days() as days:
                progress = progress.have_days(days)
            case Week() as week:
                certain_until = confirmed_until(
                    covered_until(readings, week.start), changed=changed
                )
                if request.is_update:
                    progress = progress.have_update(
                        week,
                        fetched_at=now,
                        certain_until=certain_until,
                        newest=newest_end(readings),
                    )
                else:
                    progress = progress.have_week(
                        week, fetched_at=now, certain_until=certain_until
                    )
        self._progress[request.source] = progress


def _kind(request: ImportRequest) -> tuple[Source, type[ImportWindow]]:
    return request.source, type(request.window)
