"""Which document is due when."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
import math
from typing import Any, Self

from ..stored import count, moment, optional, record
from .daylight import Daylight
from .documents import Document, Feed, Profile, Weight, weight
from .failures import rest
from .itinerary import Outlook, first_stop
from .preview import Preview, preview
from .rhythm import Rhythm
from .shares import Stretch, level, price, rate

__all__ = ["Document", "Feed", "Preview", "Profile", "Schedule", "preview"]

# How far ahead to look for the best publications.
_HORIZON = timedelta(hours=30)
# So many periods after dusk data tell for sure what a day came to.
_AFTER_DUSK = 1.5
# With fewer calls a day than that, none is spent on what a day came to.
_FEW = 2


@dataclass(frozen=True, slots=True)
class _State:
    """What is known of a feed."""

    profile: Profile = Profile.BALANCED
    rhythm: Rhythm = field(default_factory=Rhythm)
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
            failed_at=self.failed_at and min(self.failed_at, now),
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the state as JSON."""
        return {
            "rhythm": self.rhythm.as_dict(),
            "failures": self.failures,
            "failed_at": self.failed_at and self.failed_at.timestamp(),
        }

    @classmethod
    def from_dict(cls, data: object) -> Self:
        """Return what was stored; raises ValueError where that is damaged."""
        stored = record(data)
        return cls(
            rhythm=Rhythm.from_dict(stored["rhythm"]),
            failures=count(stored["failures"]),
            failed_at=optional(moment, stored["failed_at"]),
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
        """Begin with what as_dict() returned earlier.

        Feeds are polled once added again. Raises ValueError where it is damaged.
        """
        schedule, stored = cls(), record(data)
        for key, value in record(stored["feeds"]).items():
            system, _, document = key.rpartition("/")
            # A newer version may know more documents.
            if document in Document:
                feed = Feed(system, Document(document))
                schedule._remembered[feed] = _State.from_dict(value)
        for system, value in record(stored["daylight"]).items():
            schedule._daylight[system] = Daylight.from_dict(value)
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

    def forget_answers(self, feed: Feed) -> None:
        """Let a document be due at once, for what it said is lost; a pause stays."""
        for feeds in (self._feeds, self._remembered):
            if (state := feeds.get(feed)) is not None:
                feeds[feed] = replace(
                    state, rhythm=replace(state.rhythm, asked_at=None)
                )

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
        produced_until: datetime | None = None,
    ) -> bool:
        """Learn from an answered poll; return whether it was wasted.

        `data_at` is the moment of the newest data in the answer, `changed` whether the
        answer differs from the one before, and `producing` whether the system produced
        at that moment, and `produced_until` when it did so last; None where the answer
        does not tell.
        """
        state = self._feeds[feed]
        rhythm, is_news = state.rhythm.observe(now, data_at, changed=changed)
        self._feeds[feed] = replace(
            state,
            rhythm=rhythm,
            failures=0,
            failed_at=None,
        )
        if is_news and state.rhythm.is_silent:
            self._wake(feed.system)
        if producing is not None and data_at is not None:
            known = self.daylight(feed.system).not_after(now)
            self._daylight[feed.system] = known.observe(
                min(data_at, now), producing=producing, produced_until=produced_until
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
        if (daylight := self._daylight.get(feed.system)) is not None:
            self._daylight[feed.system] = daylight.not_after(now)
        moment = now
        if state.rhythm.asked_at is not None:
            level = self._level(now, calls_left, period_end)
            moment = self._best(feed, now, level) if level else period_end
        if state.pause_end is not None:
            moment = max(moment, state.pause_end)
        return max(moment, now)

    def _best(self, feed: Feed, now: datetime, level: float) -> datetime:
        """Return the moment of the publication to ask for next."""
        rhythm = self._feeds[feed].rhythm
        duty = self._duty(feed, now, level)
        end = now + _HORIZON if duty is None else duty + rhythm.lag + rhythm.period
        # What was there to be had last may be asked for at any time.
        stops = [rhythm.expected(now - rhythm.period)]
        while len(stops) == 1 or stops[-1] <= max(now, end):
            stops.append(stops[-1] + rhythm.period)
        outlook = self._outlook(feed, now, stops, duty)
        return stops[first_stop(outlook, price(level))]

    def _outlook(
        self,
        feed: Feed,
        now: datetime,
        stops: Sequence[datetime],
        duty: datetime | None,
    ) -> Outlook:
        def ahead(moment: datetime) -> float:
            return (moment - now).total_seconds()

        rhythm, daylight = self._feeds[feed].rhythm, self.daylight(feed.system)
        weighs, day = self._weight(feed), daylight.length / timedelta(days=1)
        return Outlook(
            stops=[ahead(stop) for stop in stops],
            lag=rhythm.lag.total_seconds(),
            known=ahead(min(now, rhythm.data_at or now)),
            steps=[
                (ahead(at), weighs.mean(day=chance))
                for at, chance in daylight.chances(now, stops[-1])
            ],
            after=weighs.mean(day=day),
            duty=math.inf if duty is None else ahead(duty),
        )

    def _duty(self, feed: Feed, now: datetime, level: float) -> datetime | None:
        """Return from when on data tell what the day came to, if that is asked for.

        It is of documents that weigh nothing by night: nobody else would ask.
        """
        weighs, daylight = self._weight(feed), self.daylight(feed.system)
        rhythm = self._feeds[feed].rhythm
        if weighs.night or not daylight.is_known or rhythm.data_at is None:
            return None
        pace = rate(level, weighs.day, rhythm.period.total_seconds())
        if daylight.length.total_seconds() * pace < _FEW:
            return None
        days = (rhythm.data_at, now, daylight.next_dawn(now))
        day = next((at for at in days if daylight.is_day(at)), None)
        return day and daylight.next_dusk(day) + _AFTER_DUSK * rhythm.period

    def _level(self, now: datetime, calls_left: int, period_end: datetime) -> float:
        return level(self._stretches(now, period_end), calls_left)

    def _stretches(self, now: datetime, period_end: datetime) -> Iterator[Stretch]:
        # Once for each system: an account may have a hundred.
        beside: defaultdict[str, set[Document]] = defaultdict(set)
        for feed in self._feeds:
            beside[feed.system].add(feed.document)
        seconds = {
            system: self.daylight(system).seconds(now, period_end) for system in beside
        }
        for feed, state in self._feeds.items():
            day, night = seconds[feed.system]
            weighs = weight(state.profile, feed.document, beside[feed.system])
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
