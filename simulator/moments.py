"""Epoch seconds, local days and windows of time."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
import time
from zoneinfo import ZoneInfo

STEP = 300
QUARTER = 900
HOUR = 3600
DAY = 86_400

type Clock = Callable[[], datetime]


def utcnow() -> datetime:
    """Return the current time of this machine."""
    return datetime.now(UTC)


class VirtualClock:
    """A clock that starts anywhere, runs at any speed and can be moved."""

    def __init__(self, start: datetime | None = None, speed: float = 1.0) -> None:
        """Start at `start` (default: now); one real second lasts `speed` seconds."""
        self._origin = start or utcnow()
        self._started = time.monotonic()
        self._speed = speed

    def __call__(self) -> datetime:
        """Return the current time of the clock."""
        elapsed = (time.monotonic() - self._started) * self._speed
        return self._origin + timedelta(seconds=elapsed)

    @property
    def speed(self) -> float:
        """Return how many seconds pass in one real second."""
        return self._speed

    def set(self, now: datetime | None = None, speed: float | None = None) -> None:
        """Set the time, the speed, or both."""
        self._origin = now or self()
        self._started = time.monotonic()
        self._speed = self._speed if speed is None else speed

    def advance(self, span: timedelta) -> None:
        """Move the clock forward, or back if `span` is negative."""
        self.set(self() + span)


@dataclass(frozen=True, slots=True)
class Window:
    """A span of epoch seconds, with or without an end."""

    start: int
    end: int | None = None

    def __contains__(self, moment: int) -> bool:
        """Return whether the moment is in [start, end)."""
        return self.start <= moment and (self.end is None or moment < self.end)

    def overlaps(self, start: int, end: int) -> bool:
        """Return whether the window overlaps [start, end)."""
        return self.start < end and (self.end is None or start < self.end)


def epoch(moment: datetime) -> int:
    """Return whole epoch seconds."""
    return int(moment.timestamp())


def day_of(moment: int, time_zone: str) -> date:
    """Return the local day of a moment."""
    return datetime.fromtimestamp(moment, ZoneInfo(time_zone)).date()


@lru_cache(maxsize=8192)
def _midnight(ordinal: int, time_zone: str) -> int:
    local = datetime.fromordinal(ordinal).replace(tzinfo=ZoneInfo(time_zone))
    return int(local.timestamp())


def midnight(day: date, time_zone: str) -> int:
    """Return the start of a local day."""
    return _midnight(day.toordinal(), time_zone)


def next_midnight(day: date, time_zone: str) -> int:
    """Return the end of a local day."""
    return _midnight(day.toordinal() + 1, time_zone)
