"""When news of a document arrives, learnt from the answers."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
import math
from typing import Any, Self

from .stored import count, number, optional_moment

USUAL_PERIOD = timedelta(minutes=15)
_FIRST_LAG = timedelta(minutes=8)
# A question asked too early shifts the next ones a step later, one asked in time a
# small part of it earlier: so about one in seventeen is asked too early, which is where
# a later question would wait for longer than it would save.
_STEP = timedelta(seconds=15)
_PART = 1 / 16
# Only questions asked so soon after news was expected teach how late it arrives.
_ON_TIME = timedelta(minutes=2)
# So many questions in vain make a gateway a silent one, which is asked more rarely.
_SILENT = 2
_LONGEST_PAUSE = timedelta(hours=6)
_ALIKE = 0.25
# A slow rhythm is put to the test after so much news.
_TEST_AFTER = 40


@dataclass(frozen=True, slots=True)
class Rhythm:
    """The period in which a document is published, and how late it arrives."""

    period: timedelta = USUAL_PERIOD
    lag: timedelta = _FIRST_LAG
    data_at: datetime | None = None
    asked_at: datetime | None = None
    too_early: int = 0  # questions on time that came too early
    in_vain: int = 0  # expected news that did not come, in a row
    news: int = 0  # news since the period was last put to the test
    gap: timedelta | None = None  # between the last news, if that took long

    def observe(
        self, now: datetime, data_at: datetime | None, *, changed: bool
    ) -> tuple[Self, bool]:
        """Learn from an answer; return the new rhythm and whether it brought news.

        Without a moment of the data, a change of the answer is news of that moment.
        """
        if data_at is None:
            is_news = changed or self.data_at is None
            data_at = now - self.lag
        else:
            data_at = min(data_at, now)
            is_news = self.data_at is None or data_at > self.data_at
        if self.data_at is None:
            return replace(self, data_at=data_at, asked_at=now), True
        if not is_news:
            return self._without_news(now, self.data_at), False
        return self._with_news(now, self.data_at, data_at), True

    @property
    def is_silent(self) -> bool:
        """Whether news fails to come again and again."""
        return self.in_vain >= _SILENT

    def expected(self, after: datetime) -> datetime:
        """Return when news is expected first, not before a moment."""
        if self.data_at is None or self.asked_at is None:
            return after
        period = self._period_to_ask
        after = max(after, self.asked_at + period / 2, self._pause_end(self.asked_at))
        first = self.data_at + period + self.lag
        if after <= first:
            return first
        periods = math.ceil((after - first) / period)
        return first + periods * period

    @property
    def _period_to_ask(self) -> timedelta:
        """Return the period, or the usual one if a slow rhythm is to be tested."""
        return USUAL_PERIOD if self.news >= _TEST_AFTER else self.period

    def _with_lag(self, *, too_early: bool) -> Self:
        """Learn from a question that was asked on time."""
        # Boldly at first, until the limit is felt.
        earlier = max(_STEP / 4**self.too_early, _STEP * _PART)
        lag = self.lag + _STEP if too_early else max(timedelta(), self.lag - earlier)
        return replace(self, lag=lag, too_early=min(self.too_early + too_early, 9))

    def _pause_end(self, asked_at: datetime) -> datetime:
        """Return until when a gateway that went silent is left alone."""
        if not self.is_silent:
            return asked_at
        pause = self.period * 2.0 ** min(self.in_vain - _SILENT + 1, 10)
        return asked_at + min(pause, max(self.period, _LONGEST_PAUSE))

    def _without_news(self, now: datetime, data_at: datetime) -> Self:
        known = replace(self, asked_at=now)
        if now < data_at + self.period + self.lag:
            return replace(known, news=0)
        if self._is_on_time(now, data_at) and not self.in_vain:
            known = known._with_lag(too_early=True)
        return replace(known, in_vain=self.in_vain + 1)

    def _with_news(self, now: datetime, before: datetime, data_at: datetime) -> Self:
        known = replace(self, data_at=data_at, asked_at=now, in_vain=0)
        if self._is_on_time(now, before):
            # The newest may be yet to come although there was some news.
            is_old = now - data_at > self.lag + self.period / 2
            known = known._with_lag(too_early=is_old)
        gap = data_at - before
        period, news = self.period, self.news + 1
        long_gap = gap if self.is_silent and gap > 2 * self.period else None
        if long_gap is not None and self.gap is not None and _alike(gap, self.gap):
            # One long gap may be an outage, two alike are a rhythm.
            period, news = min(gap, self.gap), 0
        elif gap < self.period * (1 - _ALIKE):
            period, news = max(USUAL_PERIOD, gap), 0
        return replace(known, period=period, news=news, gap=long_gap)

    def _is_on_time(self, now: datetime, data_at: datetime) -> bool:
        """Return whether the question came right when news was expected."""
        since_expected = now - data_at - self.lag
        return since_expected >= self.period and since_expected % self.period < _ON_TIME

    def as_dict(self) -> dict[str, Any]:
        """Return what was learnt as JSON."""
        return {
            "period": self.period.total_seconds(),
            "lag": self.lag.total_seconds(),
            "data_at": self.data_at and self.data_at.timestamp(),
            "asked_at": self.asked_at and self.asked_at.timestamp(),
            "too_early": self.too_early,
            "in_vain": self.in_vain,
            "news": self.news,
            "gap": self.gap and self.gap.total_seconds(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return what was stored; raises ValueError, KeyError or TypeError."""
        gap = data["gap"]
        return cls(
            period=max(USUAL_PERIOD, timedelta(seconds=number(data["period"]))),
            lag=timedelta(seconds=number(data["lag"])),
            data_at=optional_moment(data["data_at"]),
            asked_at=optional_moment(data["asked_at"]),
            too_early=count(data["too_early"]),
            in_vain=count(data["in_vain"]),
            news=count(data["news"]),
            gap=None if gap is None else timedelta(seconds=number(gap)),
        )


def _alike(one: timedelta, other: timedelta) -> bool:
    return abs(one - other) <= _ALIKE * max(one, other)
