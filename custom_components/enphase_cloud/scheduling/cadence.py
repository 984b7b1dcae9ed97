"""When new data of a document arrives, learnt from the responses."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
import math
from typing import Any, Self

from ..json_values import count, duration, moment, optional, record

USUAL_PERIOD = timedelta(minutes=15)
_FIRST_LAG = timedelta(minutes=8)
# A request that is too early delays the next ones by a step; one in time moves them a
# small part of it earlier. So about one in twenty is too early: with fewer, the others
# would wait for longer than that saves.
_STEP = timedelta(seconds=8)
_PART = 1 / 20
# After this many early requests, the first large steps are over.
_MOST_TOO_EARLY = 9
# Only a request this soon after the expected time shows how late new data arrives.
_ON_TIME = timedelta(minutes=2)
# Requests without result after which a gateway is silent, with longer pauses.
_SILENT = 2
_LONGEST_PAUSE = timedelta(hours=6)
# Two long gaps that differ by less than this share are a cadence; one may be an outage.
_ALIKE = 0.25
# A longer gap is always an outage.
_LONGEST_GAP = timedelta(days=30)
# A slow cadence is tested after new data arrived this often.
_TEST_AFTER = 90


@dataclass(frozen=True, slots=True)
class Cadence:
    """The period in which a document is published, and how late it arrives."""

    period: timedelta = USUAL_PERIOD
    lag: timedelta = _FIRST_LAG
    data_at: datetime | None = None
    requested_at: datetime | None = None
    too_early: int = 0  # requests that were too early, up to _MOST_TOO_EARLY
    misses: int = 0  # requests in a row without the expected new data
    news: int = 0  # how often new data arrived since the last test of the period
    gap: timedelta | None = None  # the last gap between new data, if it was long

    def observe(
        self, now: datetime, data_at: datetime | None, *, changed: bool
    ) -> tuple[Cadence, bool]:
        """Learn from a response; return the new cadence and whether it had new data.

        Without a time of the data, a changed response is new data of about now.
        """
        if data_at is None:
            is_news = changed or self.data_at is None
            data_at = now - self.lag
        else:
            data_at = min(data_at, now)
            is_news = self.data_at is None or data_at > self.data_at
        if self.data_at is None:
            return replace(self, data_at=data_at, requested_at=now), True
        if is_news:
            return self._with_news(now, self.data_at, data_at), True
        return self._without_news(now, self.data_at), False

    @property
    def is_silent(self) -> bool:
        """Whether expected data was missing several times in a row."""
        return self.misses >= _SILENT

    def expected(self, after: datetime) -> datetime:
        """Return when new data is expected next, not before a moment."""
        if self.data_at is None or self.requested_at is None:
            return after
        # A slow cadence that may be wrong is tested with the usual period.
        in_doubt = self.misses or self.news >= _TEST_AFTER
        period = USUAL_PERIOD if in_doubt else self.period
        after = max(after, self.requested_at + max(period / 2, self._pause))
        first = self.data_at + period + self.lag
        if after <= first:
            return first
        return first + math.ceil((after - first) / period) * period

    @property
    def _pause(self) -> timedelta:
        """Return the pause between requests while the gateway is silent."""
        if not self.is_silent:
            return timedelta()
        first = max(USUAL_PERIOD, self.period / 4)
        pause = first * 2.0 ** min(self.misses - _SILENT + 1, 10)
        return min(pause, _LONGEST_PAUSE)

    def _without_news(self, now: datetime, data_at: datetime) -> Cadence:
        if now < data_at + self.period + self.lag:
            return replace(self, requested_at=now, news=0)
        known: Cadence = self
        if self._is_on_time(now, data_at) and not self.misses:
            known = _requested_too_early(self)
        return replace(known, requested_at=now, misses=self.misses + 1)

    def _with_news(self, now: datetime, before: datetime, data_at: datetime) -> Cadence:
        known: Cadence = self
        if self._is_on_time(now, before):
            # There was new data, but the newest has not arrived yet.
            is_old = now - data_at > self.lag + self.period / 2
            known = _requested_too_early(self) if is_old else _requested_in_time(self)
        gap = data_at - before
        period, news = self.period, self.news + 1
        is_long = self.is_silent and 2 * self.period < gap <= _LONGEST_GAP
        long_gap = gap if is_long else None
        if long_gap is not None and self.gap is not None and _alike(gap, self.gap):
            period, news = min(gap, self.gap), 0
        elif gap < self.period * (1 - _ALIKE):
            period, news = max(USUAL_PERIOD, gap), 0
        return replace(
            known,
            period=period,
            data_at=data_at,
            requested_at=now,
            misses=0,
            news=news,
            gap=long_gap,
        )

    def _is_on_time(self, now: datetime, data_at: datetime) -> bool:
        """Return whether the request was made just when new data was expected."""
        since_expected = now - data_at - self.lag
        return since_expected >= self.period and since_expected % self.period < _ON_TIME

    def not_after(self, now: datetime) -> Cadence:
        """Return it without times in the future, after a clock was set back."""
        return replace(
            self,
            data_at=self.data_at and min(self.data_at, now),
            requested_at=self.requested_at and min(self.requested_at, now),
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the cadence as JSON."""
        return {
            "period": self.period.total_seconds(),
            "lag": self.lag.total_seconds(),
            "data_at": self.data_at and self.data_at.timestamp(),
            "asked_at": self.requested_at and self.requested_at.timestamp(),
            "too_early": self.too_early,
            "in_vain": self.misses,
            "news": self.news,
            "gap": None if self.gap is None else self.gap.total_seconds(),
        }

    @classmethod
    def from_dict(cls, data: object) -> Self:
        """Return a stored cadence; raises ValueError where it is damaged."""
        stored = record(data)
        return cls(
            period=max(USUAL_PERIOD, duration(stored["period"])),
            lag=duration(stored["lag"]),
            data_at=optional(moment, stored["data_at"]),
            requested_at=optional(moment, stored["asked_at"]),
            too_early=count(stored["too_early"], most=_MOST_TOO_EARLY),
            misses=count(stored["in_vain"]),
            news=count(stored["news"]),
            gap=optional(duration, stored["gap"]),
        )


def _requested_too_early(cadence: Cadence) -> Cadence:
    return replace(
        cadence,
        lag=cadence.lag + _STEP,
        too_early=min(cadence.too_early + 1, _MOST_TOO_EARLY),
    )


def _requested_in_time(cadence: Cadence) -> Cadence:
    # Large steps until requests are too early; small ones where a wait matters little.
    part = max(1 / 4**cadence.too_early, _PART * (USUAL_PERIOD / cadence.period))
    return replace(cadence, lag=max(timedelta(), cadence.lag - part * _STEP))


def _alike(one: timedelta, other: timedelta) -> bool:
    return abs(one - other) <= _ALIKE * max(one, other)
