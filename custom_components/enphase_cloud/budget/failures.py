"""How long to leave alone what fails."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Self

from ..stored import count, moment, optional, record

_FIRST_PAUSE: Final = timedelta(minutes=5)
_LONGEST_PAUSE: Final = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Failures:
    """Failures in a row, and until when to rest after the last of them."""

    count: int = 0
    rest_until: datetime | None = None

    def another(self, now: datetime, *, longest: timedelta = _LONGEST_PAUSE) -> Self:
        """Return what there is after another failure; the rest grows each time."""
        failures = self.count + 1
        return type(self)(failures, now + rest(failures, longest=longest))

    def rests(self, now: datetime) -> bool:
        """Return whether to wait still; never longer than the last rest was."""
        if self.rest_until is None:
            return False
        return now < self.rest_until <= now + rest(self.count)

    def rests_until(self, now: datetime) -> datetime:
        """Return until when to wait still; now where there is no need to."""
        return self.rest_until if self.rest_until and self.rests(now) else now

    def as_dict(self) -> dict[str, Any]:
        """Return the failures as JSON."""
        until = self.rest_until
        return {"count": self.count, "rest_until": until and until.timestamp()}

    @classmethod
    def from_dict(cls, data: object) -> Self:
        """Return stored failures; raises ValueError where they are damaged."""
        stored = record(data)
        return cls(count(stored["count"]), optional(moment, stored["rest_until"]))


def rest(failures: int, *, longest: timedelta = _LONGEST_PAUSE) -> timedelta:
    """Return how long to rest after so many failures in a row, at least one."""
    return min(_FIRST_PAUSE * 2.0 ** min(failures - 1, 10), longest)
