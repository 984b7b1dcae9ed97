"""Which document is due when."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
import math
from typing import Any, Self

from ..json_values import count, moment, optional, record
from ..measurements.catalog import Source
from ..quota.backoff import pause_after
from .allocation import RatePeriod, level, price, rate
from .cadence import Cadence
from .daylight import Daylight
from .lookahead import PlanningWindow, first_stop
from .weights import POLLED, PolledDocument, Profile, Weight, weight

# How far ahead publications are compared.
_HORIZON = timedelta(hours=30)
# Data of this many periods after dusk certainly has the total of the day.
_AFTER_DUSK = 1.5
# With fewer calls a day, none is used for the total of the day.
_FEW = 2


@dataclass(frozen=True, slots=True)
class _State:
    """The state of a document."""

    profile: Profile = Profile.BALANCED
    cadence: Cadence = field(default_factory=Cadence)
    failures: int = 0
    failed_at: datetime | None = None

    @property
    def pause_end(self) -> datetime | None:
        """Return until when a failing document is skipped."""
        if self.failed_at is None:
            return None
        return self.failed_at + pause_after(self.failures)

    def not_after(self, now: datetime) -> Self:
        """Return the state without times in the future, after a clock was set back."""
        return replace(
            self,
            cadence=self.cadence.not_after(now),
            failed_at=self.failed_at and min(self.failed_at, now),
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the state as JSON."""
        return {
            "rhythm": self.cadence.as_dict(),
            "failures": self.failures,
            "failed_at": self.failed_at and self.failed_at.timestamp(),
        }

    @classmethod
    def from_dict(cls, data: object) -> Self:
        """Return a stored state; raises ValueError where it is damaged."""
        stored = record(data)
        return cls(
            cadence=Cadence.from_dict(stored["rhythm"]),
            failures=count(stored["failures"]),
            failed_at=optional(moment, stored["failed_at"]),
        )


class Schedule:
    """Distributes the calls of one API key among all documents polled with it.

    All moments are aware datetimes.
    """

    def __init__(self) -> None:
        """Begin without anything to poll."""
        self._polled: dict[PolledDocument, _State] = {}
        self._daylight: dict[str, Daylight] = {}
        # Stored states of documents that are not added yet.
        self._remembered: dict[PolledDocument, _State] = {}
        # Each state and daylight with its JSON, which takes long for a hundred systems.
        self._json: dict[object, tuple[object, dict[str, Any]]] = {}

    @classmethod
    def restore(cls, data: object) -> Self:
        """Restore the result of as_dict(); raises ValueError where it is damaged.

        Documents are polled once they are added again.
        """
        schedule, stored = cls(), record(data)
        for key, value in record(stored["feeds"]).items():
            system, _, document = key.rpartition("/")
            # A newer version may have stored other documents.
            if document in POLLED:
                polled = PolledDocument(system, Source(document))
                schedule._remembered[polled] = _State.from_dict(value)
        for system, value in record(stored["daylight"]).items():
            schedule._daylight[system] = Daylight.from_dict(value)
        return schedule

    def as_dict(self) -> dict[str, Any]:
        """Return the schedule as JSON."""
        polled_documents = self._remembered | self._polled
        return {
            "feeds": {
                f"{polled.system}/{polled.document}": self._as_json(polled, state)
                for polled, state in polled_documents.items()
            },
            "daylight": {
                system: self._as_json(system, daylight)
                for system, daylight in self._daylight.items()
            },
        }

    def _as_json(self, of: object, state: _State | Daylight) -> dict[str, Any]:
        """Return a state as JSON, computed again only if it changed."""
        known = self._json.get(of)
        if known is None or known[0] is not state:
            known = self._json[of] = (state, state.as_dict())
        return known[1]

    def add(
        self, polled: PolledDocument, *, profile: Profile = Profile.BALANCED
    ) -> None:
        """Poll a document from now on; again, to change the profile."""
        state = self._polled.get(polled) or self._remembered.pop(polled, _State())
        self._polled[polled] = replace(state, profile=profile)

    def remove(self, polled: PolledDocument) -> None:
        """Stop polling a document; its state is kept in case it is added again."""
        if (state := self._polled.pop(polled, None)) is not None:
            self._remembered[polled] = state

    def forget_responses(self, polled: PolledDocument) -> None:
        """Make a document due at once, because its data is lost; a pause stays."""
        for polled_documents in (self._polled, self._remembered):
            if (state := polled_documents.get(polled)) is not None:
                polled_documents[polled] = replace(
                    state, cadence=replace(state.cadence, requested_at=None)
                )

    def period(self, polled: PolledDocument) -> timedelta:
        """Return the interval between reports of a document."""
        return self._cadence(polled).period

    def requested_at(self, polled: PolledDocument) -> datetime | None:
        """Return when a document was last requested with a response."""
        return self._cadence(polled).requested_at

    def _cadence(self, polled: PolledDocument) -> Cadence:
        known = self._polled.get(polled) or self._remembered.get(polled, _State())
        return known.cadence

    def daylight(self, system: str) -> Daylight:
        """Return when a system produces."""
        return self._daylight.get(system, Daylight())

    def observe(
        self,
        polled: PolledDocument,
        *,
        now: datetime,
        data_at: datetime | None,
        changed: bool,
        producing: bool | None,
        produced_until: datetime | None = None,
    ) -> bool:
        """Learn from a response; return whether the call was wasted: no new data.

        `data_at` is the time of the newest data in the response, and `changed` whether
        the response differs from the previous one. `producing` says whether the system
        produced at that time, `produced_until` when it last did; None if unknown.
        """
        state = self._polled[polled]
        cadence, is_news = state.cadence.observe(now, data_at, changed=changed)
        self._polled[polled] = replace(
            state,
            cadence=cadence,
            failures=0,
            failed_at=None,
        )
        if is_news and state.cadence.is_silent:
            self._wake(polled.system)
        if producing is not None and data_at is not None:
            known = self.daylight(polled.system).not_after(now)
            self._daylight[polled.system] = known.observe(
                min(data_at, now), producing=producing, produced_until=produced_until
            )
        return not is_news

    def failed(self, polled: PolledDocument, *, now: datetime) -> None:
        """Note that a poll failed; the pause grows with failures in a row."""
        state = self._polled[polled]
        self._polled[polled] = replace(
            state, failures=state.failures + 1, failed_at=now
        )

    def demand(self, now: datetime, period_end: datetime) -> float:
        """Return how many calls it takes to request all new data until then."""
        return sum(
            each.duration / each.period
            for each in self._stretches(now, period_end)
            if each.weight > 0
        )

    def next_poll(
        self,
        polled: PolledDocument,
        *,
        now: datetime,
        calls_left: int,
        period_end: datetime,
    ) -> datetime:
        """Return when a document is due, now or later.

        `calls_left` is how many calls all documents may use until the period ends.
        """
        state = self._polled[polled] = self._polled[polled].not_after(now)
        if (daylight := self._daylight.get(polled.system)) is not None:
            self._daylight[polled.system] = daylight.not_after(now)
        moment = now
        if state.cadence.requested_at is not None:
            level = self._level(now, calls_left, period_end)
            moment = self._best(polled, now, level) if level else period_end
        if state.pause_end is not None:
            moment = max(moment, state.pause_end)
        return max(moment, now)

    def _best(self, polled: PolledDocument, now: datetime, level: float) -> datetime:
        """Return the time of the publication to request next."""
        cadence = self._polled[polled].cadence
        duty = self._duty(polled, now, level)
        end = now + _HORIZON if duty is None else duty + cadence.lag + cadence.period
        # The last publication is available at any time.
        stops = [cadence.expected(now - cadence.period)]
        while len(stops) == 1 or stops[-1] <= max(now, end):
            stops.append(stops[-1] + cadence.period)
        outlook = self._outlook(polled, now, stops, duty)
        return stops[first_stop(outlook, price(level))]

    def _outlook(
        self,
        polled: PolledDocument,
        now: datetime,
        stops: Sequence[datetime],
        duty: datetime | None,
    ) -> PlanningWindow:
        def ahead(moment: datetime) -> float:
            return (moment - now).total_seconds()

        cadence, daylight = self._polled[polled].cadence, self.daylight(polled.system)
        weighs, day = self._weight(polled), daylight.length / timedelta(days=1)
        return PlanningWindow(
            stops=[ahead(stop) for stop in stops],
            lag=cadence.lag.total_seconds(),
            known=ahead(min(now, cadence.data_at or now)),
            steps=[
                (ahead(at), weighs.mean(day=chance))
                for at, chance in daylight.chances(now, stops[-1])
            ],
            after=weighs.mean(day=day),
            duty=math.inf if duty is None else ahead(duty),
        )

    def _duty(
        self, polled: PolledDocument, now: datetime, level: float
    ) -> datetime | None:
        """Return from when on data has the total of the day; None if not required.

        It is required of documents without a weight at night, which would not be
        requested otherwise.
        """
        weighs, daylight = self._weight(polled), self.daylight(polled.system)
        cadence = self._polled[polled].cadence
        if weighs.night or not daylight.is_known or cadence.data_at is None:
            return None
        pace = rate(level, weighs.day, cadence.period.total_seconds())
        if daylight.length.total_seconds() * pace < _FEW:
            return None
        days = (cadence.data_at, now, daylight.next_dawn(now))
        day = next((at for at in days if daylight.is_day(at)), None)
        return day and daylight.next_dusk(day) + _AFTER_DUSK * cadence.period

    def _level(self, now: datetime, calls_left: int, period_end: datetime) -> float:
        return level(self._stretches(now, period_end), calls_left)

    def _stretches(self, now: datetime, period_end: datetime) -> Iterator[RatePeriod]:
        # Computed once for each system, because a key may have a hundred.
        beside: defaultdict[str, set[Source]] = defaultdict(set)
        for polled in self._polled:
            beside[polled.system].add(polled.document)
        seconds = {
            system: self.daylight(system).seconds(now, period_end) for system in beside
        }
        for polled, state in self._polled.items():
            day, night = seconds[polled.system]
            weighs = weight(state.profile, polled.document, beside[polled.system])
            period = state.cadence.period.total_seconds()
            yield RatePeriod(weighs.day, day, period)
            yield RatePeriod(weighs.night, night, period)

    def _weight(self, polled: PolledDocument) -> Weight:
        beside = {
            other.document for other in self._polled if other.system == polled.system
        }
        return weight(self._polled[polled].profile, polled.document, beside)

    def _wake(self, system: str) -> None:
        """Reset the misses of all documents of a system whose gateway reports again."""
        for polled, state in self._polled.items():
            if polled.system == system and state.cadence.misses:
                cadence = replace(state.cadence, misses=min(1, state.cadence.misses))
                self._polled[polled] = replace(state, cadence=cadence)
