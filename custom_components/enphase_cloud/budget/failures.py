"""How long to leave alone what fails."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Self

_FIRST_PAUSE: Final = timedelta(minutes=5)
_LONGEST_PAUSE: Final = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Failures:
    """Failures in a row, and until when to rest after the last of them."""

    count: int = 0
    rest_until: datetime | None = None

    def another(self, now: datetime) -> Self:
        """Return what there is after another failure; the rest grows each time."""
        count = self.count + 1
        return type(self)(count, now + rest(count))


def rest(failures: int) -> timedelta:
    """Return how long to rest after so many failures in a row, at least one."""
    return min(_FIRST_PAUSE * 2.0 ** min(failures - 1, 10), _LONGEST_PAUSE)
