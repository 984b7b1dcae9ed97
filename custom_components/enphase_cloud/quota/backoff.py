"""Pauses after failures, which grow from failure to failure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Self

from ..json_values import count, moment, optional, record

_FIRST_PAUSE: Final = timedelta(minutes=5)
_LONGEST_PAUSE: Final = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Backoff:
    """The number of failures in a row, and the end of the pause after the last one."""

    count: int = 0
    until: datetime | None = None

    def another(self, now: datetime, *, longest: timedelta = _LONGEST_PAUSE) -> Self:
        """Return the backoff after another failure, with a longer pause."""
        failures = self.count + 1
        return type(self)(failures, now + pause_after(failures, longest=longest))

    def is_pausing(self, now: datetime, *, longest: timedelta = _LONGEST_PAUSE) -> bool:
        """Return whether the pause lasts still; False if the clock was set back.

        `longest` is the same as for `another`.
        """
        if self.until is None:
            return False
        return now < self.until <= now + pause_after(self.count, longest=longest)

    def paused_until(
        self, now: datetime, *, longest: timedelta = _LONGEST_PAUSE
    ) -> datetime:
        """Return the end of the pause; now where there is none."""
        is_pausing = self.is_pausing(now, longest=longest)
        return self.until if self.until and is_pausing else now

    def as_dict(self) -> dict[str, Any]:
        """Return the failures as JSON."""
        until = self.until
        return {"count": self.count, "rest_until": until and until.timestamp()}

    @classmethod
    def from_dict(cls, data: object) -> Self:
        """Return stored failures; raises ValueError where they are damaged."""
        stored = record(data)
        return cls(count(stored["count"]), optional(moment, stored["rest_until"]))


def pause_after(failures: int, *, longest: timedelta = _LONGEST_PAUSE) -> timedelta:
    """Return the pause after a number of failures in a row, at least one."""
    return min(_FIRST_PAUSE * 2.0 ** min(failures - 1, 10), longest)
