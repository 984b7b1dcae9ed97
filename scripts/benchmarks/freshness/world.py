"""A system under the sun, and the times at which the cloud publishes its data.

This model is independent: it uses no code of the integration that it tests. All times
are seconds since the year began in UTC.
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import pairwise
import math

import numpy as np

type Days = tuple[tuple[float, float], ...]
type Moments = np.ndarray[tuple[int], np.dtype[np.float64]]

YEAR = datetime(2027, 1, 1, tzinfo=UTC)
DAY = 86_400.0
END = 365 * DAY
QUARTER = 900.0
# The number of kinds of clouds; all are equally frequent.
_CLOUDS = 15
# The shares of uploads that are lost, and that arrive many minutes late.
_LOST, _STUCK = 0.007, 0.015


class Kind(StrEnum):
    """The documents of the cloud."""

    SUMMARY = "summary"
    BATTERY = "battery"
    LATEST = "latest"


@dataclass(frozen=True, slots=True)
class Site:
    """The place of a system, and how it reports."""

    name: str
    latitude: float
    longitude: float
    cellular: bool = False
    # Whether the cloud takes the same time for each upload, and loses none.
    steady: bool = False
    silences: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Publications:
    """The publications of a document: data up to `data_at`, available from `at` on."""

    at: Moments
    data_at: Moments

    def newest(self, moment: float) -> int:
        """Return the index of the newest publication at a time."""
        return int(self.at.searchsorted(moment, side="right")) - 1


@dataclass(frozen=True, slots=True)
class System:
    """A year of a system: its days, and all publications of the cloud."""

    name: str
    days: Days
    # The same under other clouds, each equally likely.
    likely_days: tuple[Days, ...]
    published: dict[Kind, Publications]

    def produces(self, data_at: float) -> bool:
        """Return whether there was production in the interval that ends at a time."""
        index = bisect_left(self.days, (data_at,)) - 1
        return index >= 0 and bool(data_at - QUARTER < self.days[index][1])

    def produced_until(self, data_at: float) -> float:
        """Return the end of the last quarter of an hour with production."""
        index = max(0, bisect_left(self.days, (data_at,)) - 1)
        return min(data_at, math.ceil(self.days[index][1] / QUARTER) * QUARTER)


def build(site: Site, kinds: tuple[Kind, ...], seed: int) -> System:
    """Simulate a year at a site."""
    chance = np.random.default_rng(seed)
    uploads = _uploads(site, chance)
    data_at = {
        # In the only recording, it ends 55 s before the gateway's report.
        Kind.SUMMARY: uploads - 55,
        Kind.LATEST: uploads - 5,
        # Telemetry contains whole quarters of an hour only.
        Kind.BATTERY: np.floor(uploads / QUARTER) * QUARTER,
    }
    published = {
        kind: _as_seen(uploads + _delays(site, uploads.size, chance), data_at[kind])
        for kind in kinds
    }
    sunlit = tuple(_sunlit_days(site))
    dulls = (_dull(chance, 2) for _ in sunlit)
    days = tuple(
        (begin + late, end - early)
        for (begin, end), (late, early) in zip(sunlit, dulls, strict=True)
    )
    clouds = _dull(np.random.default_rng(seed), 10_000)
    likely_days = tuple(
        tuple((begin + dull, end - dull) for begin, end in sunlit)
        for dull in np.quantile(clouds, (np.arange(_CLOUDS) + 0.5) / _CLOUDS)
    )
    return System(site.name, days, likely_days, published)


def _uploads(site: Site, chance: np.random.Generator) -> Moments:
    """Return the times of a gateway's uploads."""
    period = 6 * 3600.0 if site.cellular else QUARTER
    # Each gateway has its own time within the period, to spread the load on the cloud.
    offset = chance.uniform(120, 300)
    grid = np.arange(-DAY, END + DAY, period)
    jitter = 120.0 if site.cellular else 10.0
    uploads = grid + offset + chance.normal(0, jitter, grid.size).clip(-100, 900)
    lost = 0.0 if site.steady else _LOST
    kept = chance.random(grid.size) >= lost
    for begin, end in site.silences:
        kept &= ~((uploads >= begin) & (uploads < end))
    return np.compress(kept, uploads)


def _delays(site: Site, count: int, chance: np.random.Generator) -> Moments:
    """Return how long the cloud takes to receive, process and show uploads.

    No recording shows these delays: here usually 1.5 to 3 minutes, at times much
    longer.
    """
    if site.steady:
        return np.full(count, 115.0)
    delays = 60 + chance.lognormal(math.log(45), 0.6, count)
    stuck = chance.random(count) < _STUCK
    delays[stuck] += chance.uniform(300, 840, np.count_nonzero(stuck))
    return delays


def _as_seen(at: Moments, data_at: Moments) -> Publications:
    """Drop data that arrives after newer data."""
    order = np.argsort(at, kind="stable")
    at, data_at = at[order], data_at[order]
    is_news = np.ones(at.size, dtype=bool)
    is_news[1:] = data_at[1:] > np.maximum.accumulate(data_at)[:-1]
    return Publications(at[is_news], data_at[is_news])


def _sunlit_days(site: Site) -> Iterator[tuple[float, float]]:
    """Return sunrise and sunset of each day."""
    noon = -DAY - site.longitude / 360 * DAY + DAY / 2
    while noon < END + DAY:
        year_angle = 2 * math.pi * (noon / DAY + 10) / 365.25
        declination = math.radians(-23.44) * math.cos(year_angle)
        half = DAY / 2 * _sunlit(math.radians(site.latitude), declination)
        equation_of_time = 60 * (
            9.87 * math.sin(2 * year_angle - 2.99) - 7.67 * math.sin(year_angle - 0.17)
        )
        middle = noon - equation_of_time
        yield middle - half, middle + half
        noon += DAY


def _dull(chance: np.random.Generator, count: int) -> Moments:
    """Return the time from sunrise until inverters start: later under thick clouds."""
    return chance.beta(1.5, 3.0, count) * 1800 + chance.normal(0, 120, count)


def _sunlit(latitude: float, declination: float) -> float:
    """Return the share of a day in which the sun is at least 2° above the horizon."""
    height = math.sin(math.radians(2))
    sine = math.sin(latitude) * math.sin(declination)
    cosine = math.cos(latitude) * math.cos(declination)
    return math.acos(min(1.0, max(-1.0, (height - sine) / cosine))) / math.pi


def months() -> list[tuple[float, float]]:
    """Return start and end of the twelve months of the year in UTC."""
    begins = [seconds(YEAR.replace(month=month)) for month in range(1, 13)]
    return list(pairwise([*begins, END]))


def clock(moment: float) -> datetime:
    """Return the local time at a time."""
    return YEAR + timedelta(seconds=moment)


def seconds(shown: datetime) -> float:
    """Return the time at a local time."""
    return (shown - YEAR).total_seconds()
