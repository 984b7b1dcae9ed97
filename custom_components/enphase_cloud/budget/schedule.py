"""Which document is due when."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Self

from .daylight import Daylight
from .documents import Document, Feed, Profile, Weight, weight
from .failures import rest
from .preview import Preview, preview
from .rhythm import Rhythm
from .shares import Stretch, level, rate
from .stored import count, optional_moment

__all__ = ["Document", "Feed", "Preview", "Profile", "Schedule", "preview"]

# How much of a share the rest of a day must be worth for another poll.
_HALF = 0.5


@dataclass(frozen=True, slots=True)
class _State:
    """What is known of a feed."""

    profile: Profile = Profile.BALANCED
    rhythm: Rhythm = field(default_factory=Rhythm)
    # From when on the next call is saved up for, and when it was last said to be due.
    since: datetime | None = None
    due: datetime | None = None
    failures: int = 0
    failed_at: datetime | None = None

    @property
    def pause_end(self) -> datetime | None:
        """Return until when a failing feed is left alone."""
        if self.failed_at is None:
            return None
        return self.failed_at + rest(self.failures)

    def not_after(self, now: datetime) -> Self:
        """Return the state as it is if the clock was ahead of itself before now."""
        return replace(
            self,
            rhythm=self.rhythm.not_after(now),
            # It may be ahead by as much as a poll may come early.
            since=self.since and min(self.since, now + self.rhythm.period / 2),
            failed_at=self.failed_at and min(self.failed_at, now),
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the state as JSON."""
        return {
            "rhythm": self.rhythm.as_dict(),
            "since": self.since and self.since.timestamp(),
            "due": self.due and self.due.timestamp(),
            "failures": self.failures,
            "failed_at": self.failed_at and self.failed_at.timestamp(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return what was stored; raises ValueError, KeyError or TypeError."""
        return cls(
            rhythm=Rhythm.from_dict(data["rhythm"]),
            since=optional_moment(data["since"]),
            due=optional_moment(data["due"]),
            failures=count(data["failures"]),
            failed_at=optional_moment(data["failed_at"]),
        )


class Schedule:
    """Shares the calls of one API key out among all that is polled with it.

    All moments are aware datetimes.
    """

    def __init__(self) -> None:
        """Begin without anything to poll."""
        self._feeds: dict[Feed, _State] = {}
        self._daylight: dict[str, Daylight] = {}
        # What was stored of feeds that are not added yet.
        self._remembered: dict[Feed, _State] = {}

    @classmethod
    def restore(cls, data: object) -> Self:
        """Begin with what as_dict() returned earlier; never raises.

        Feeds are polled once added again. Of a damaged record, the rest is used.
        """
        schedule = cls()
        for key, value in _items(data, "feeds"):
            system, _, document = str(key).rpartition("/")
            try:
                feed = Feed(system, Document(document))
                schedule._remembered[feed] = _State.from_dict(value)
            except AttributeError, LookupError, TypeError, ValueError:
                continue
        for key, value in _items(data, "daylight"):
            try:
                schedule._daylight[str(key)] = Daylight.from_dict(value)
            except AttributeError, LookupError, TypeError, ValueError:
                continue
        return schedule

    def as_dict(self) -> dict[str, Any]:
        """Return all that was learnt as JSON."""
        feeds = self._remembered | self._feeds
        return {
            "feeds": {
                f"{feed.system}/{feed.document}": state.as_dict()
                for feed, state in feeds.items()
            },
            "daylight": {
                system: daylight.as_dict()
                for system, daylight in self._daylight.items()
            },
        }

    def add(self, feed: Feed, *, profile: Profile = Profile.BALANCED) -> None:
        """Poll a document from now on; again, to change the profile."""
        state = self._feeds.get(feed) or self._remembered.pop(feed, _State())
        self._feeds[feed] = replace(state, profile=profile)

    def remove(self, feed: Feed) -> None:
        """Poll a document no longer; what was learnt waits for its return."""
        if (state := self._feeds.pop(feed, None)) is not None:
            self._remembered[feed] = state

    def daylight(self, system: str) -> Daylight:
        """Return when a system produces, as far as it is known."""
        return self._daylight.get(system, Daylight())

    def observe(
        self,
        feed: Feed,
        *,
        now: datetime,
        data_at: datetime | None,
        changed: bool,
        producing: bool | None,
    ) -> bool:
        """Learn from an answered poll; return whether it was wasted.

        `data_at` is the moment of the newest data in the answer, `changed` whether the
        answer differs from the one before, and `producing` whether the system produced
        at that moment; None where the answer does not tell.
        """
        state = self._feeds[feed]
        rhythm, is_news = state.rhythm.observe(now, data_at, changed=changed)
        self._feeds[feed] = replace(
            state,
            rhythm=rhythm,
            since=_since(state, now),
            failures=0,
            failed_at=None,
        )
        if is_news and state.rhythm.is_silent:
            self._wake(feed.system)
        if producing is not None and data_at is not None:
            known = self._daylight.get(feed.system, Daylight())
            self._daylight[feed.system] = known.observe(
                min(data_at, now), producing=producing
            )
        return not is_news

    def failed(self, feed: Feed, *, now: datetime) -> None:
        """Note that a poll failed; the pause grows from failure to failure."""
        state = self._feeds[feed]
        self._feeds[feed] = replace(state, failures=state.failures + 1, failed_at=now)

    def demand(self, now: datetime, period_end: datetime) -> float:
        """Return how many calls it would take to ask for all news until then."""
        return sum(
            each.duration / each.period
            for each in self._stretches(now, period_end)
            if each.weight > 0
        )

    def next_poll(
        self, feed: Feed, *, now: datetime, calls_left: int, period_end: datetime
    ) -> datetime:
        """Return when a document is due, now or later.

        `calls_left` is what all feeds together may spend until the period ends.
        """
        state = self._feeds[feed] = self._feeds[feed].not_after(now)
        moment = now
        if state.since is not None:
            level = self._level(now, calls_left, period_end)
            due = self._due(feed, state.since, level, period_end)
            self._feeds[feed] = replace(state, due=due)
            moment = state.rhythm.expected(due - state.rhythm.period / 2)
        if state.pause_end is not None:
            moment = max(moment, state.pause_end)
        return max(moment, now)

    def _due(
        self, feed: Feed, since: datetime, level: float, period_end: datetime
    ) -> datetime:
        """Return when the share of the feed has grown to one call."""
        weighs = self._weight(feed)
        rhythm = self._feeds[feed].rhythm
        daylight = self.daylight(feed.system)
        period = rhythm.period.total_seconds()
        paces = {
            is_day: rate(level, weighs.at(is_day=is_day), period)
            for is_day in (True, False)
        }
        if not paces[True]:
            return period_end
        interval = timedelta(seconds=1 / paces[True])
        if paces[False] or 2 * interval > daylight.length:
            return _saved_up(since, paces, daylight, period_end)
        return _due_by_day(since, min(interval, period_end - since), daylight, rhythm)

    def _level(self, now: datetime, calls_left: int, period_end: datetime) -> float:
        return level(self._stretches(now, period_end), calls_left)

    def _stretches(self, now: datetime, period_end: datetime) -> Iterator[Stretch]:
        for feed, state in self._feeds.items():
            daylight = self._daylight.get(feed.system, Daylight())
            day, night = daylight.seconds(now, period_end)
            weighs = self._weight(feed)
            period = state.rhythm.period.total_seconds()
            yield Stretch(weighs.day, day, period)
            yield Stretch(weighs.night, night, period)

    def _weight(self, feed: Feed) -> Weight:
        beside = {
            other.document for other in self._feeds if other.system == feed.system
        }
        return weight(self._feeds[feed].profile, feed.document, beside)

    def _wake(self, system: str) -> None:
        """Let the other feeds of a system know that its gateway reports again."""
        for feed, state in self._feeds.items():
            if feed.system == system and state.rhythm.in_vain:
                rhythm = replace(state.rhythm, in_vain=min(1, state.rhythm.in_vain))
                self._feeds[feed] = replace(state, rhythm=rhythm)


def _saved_up(
    since: datetime, paces: Mapping[bool, float], daylight: Daylight, end: datetime
) -> datetime:
    """Return when one call is saved up, at one pace by day and another by night."""
    missing = 1.0
    while since < end:
        pace = paces[daylight.is_day(since)]
        until = daylight.next_change(since)
        share = pace * (until - since).total_seconds()
        if share >= missing:
            return min(since + timedelta(seconds=missing / pace), end)
        missing -= share
        since = until
    return end


def _due_by_day(
    since: datetime, interval: timedelta, daylight: Daylight, rhythm: Rhythm
) -> datetime:
    """Return when a document is due that matters by day only.

    It is asked for at dawn, when all that is known is a night old, and at last when it
    tells what the day came to; in between at an interval.
    """
    if rhythm.data_at is None or not daylight.is_known:
        return since + interval
    told = rhythm.data_at
    if not daylight.is_day(told) and since < (dawn := daylight.next_dawn(told)):
        return dawn
    dusk = daylight.next_dusk(told)
    if since + interval * (1 + _HALF) <= dusk:
        return since + interval
    return max(since + interval * _HALF, dusk + rhythm.lag + 2 * rhythm.period)


def _since(state: _State, now: datetime) -> datetime:
    """Return from when on to save up for the next call.

    A poll that only waited for news to arrive counts from when it was due, so that
    waiting costs no calls in the long run.
    """
    if state.due is not None and abs(now - state.due) <= state.rhythm.period / 2:
        return state.due
    return now


def _items(data: object, key: str) -> Iterable[tuple[object, Any]]:
    """Return the items of a stored mapping; none if it is damaged."""
    value = data.get(key) if isinstance(data, Mapping) else None
    return value.items() if isinstance(value, Mapping) else ()
