"""Random events of a plant's panels in three years."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum, auto
from random import Random
from typing import Final

DAYS: Final = 3 * 365
FIRST_DAY: Final = date(2023, 1, 1)
WEAK_RATIO: Final = 0.75

# By then, the integration knows a panel's usual share.
_QUIET_DAYS: Final = 60
_LEFT_DAYS: Final = 90
_DEAD, _WEAK = 3, 4
_SNOWS_A_WINTER: Final = 2
_SNOWY_LATITUDE: Final = 40.0


class Kind(Enum):
    """Kinds of events; only the first two are faults."""

    DEAD = auto()
    WEAK = auto()
    SNOW = auto()


@dataclass(frozen=True, slots=True)
class Event:
    """A panel gives a share of its possible energy, from a time to the end of a day.

    After it, a dead panel is replaced; others recover.
    """

    kind: Kind
    position: int
    ratio: float
    start: datetime
    last: date


@dataclass(frozen=True, slots=True)
class Shade:
    """An obstacle to one panel's light: before an hour, or more of it each day."""

    position: int
    until_hour: float | None
    most: float

    def share(self, day: date) -> float:
        """Return the share of the panel's light that it takes at a time."""
        if self.until_hour is not None:
            return self.most
        return self.most * (day - FIRST_DAY).days / DAYS


@dataclass(frozen=True, slots=True)
class Scenario:
    """All events of a plant; `snow` lies on all panels, both days inclusive.

    `swap` is a sound panel that gets a new microinverter on a day.
    """

    events: tuple[Event, ...]
    shades: tuple[Shade, ...]
    snow: tuple[tuple[date, date], ...]
    swap: tuple[int, date]


def draw(random: Random, modules: int, latitude: float) -> Scenario:
    """Draw a plant's events; each panel has one fault or shade at most."""
    positions = random.sample(range(1, modules + 1), _DEAD + _WEAK + 4)
    faults = [
        _fault(random, positions.pop(), kind)
        for kind in [Kind.DEAD] * _DEAD + [Kind.WEAK] * _WEAK
    ]
    shades = (
        Shade(positions.pop(), random.uniform(8, 10.5), random.uniform(0.3, 0.8)),
        Shade(positions.pop(), random.uniform(8, 10.5), random.uniform(0.3, 0.8)),
        Shade(positions.pop(), None, 0.5),
    )
    swap = (positions.pop(), _day(random))
    snow, covered = _winters(random, modules, latitude)
    return Scenario((*faults, *covered), shades, snow, swap)


def _day(random: Random) -> date:
    return FIRST_DAY + timedelta(random.randrange(_QUIET_DAYS, DAYS - _LEFT_DAYS))


def _fault(random: Random, position: int, kind: Kind) -> Event:
    day = _day(random)
    start = datetime.combine(day, time(random.randrange(24)), UTC)
    last = day + timedelta(random.randint(30, 80))
    ratio = WEAK_RATIO if kind is Kind.WEAK else 0.0
    return Event(kind, position, ratio, start, last)


def _winters(
    random: Random, modules: int, latitude: float
) -> tuple[tuple[tuple[date, date], ...], list[Event]]:
    """Return days of snow, and panels on which it lies for some days longer."""
    if latitude < _SNOWY_LATITUDE:
        return (), []
    falls, covered = [], []
    for year in range(3):
        # From December to the middle of February.
        first = FIRST_DAY + timedelta(365 * year + 335)
        for half in range(_SNOWS_A_WINTER):
            begin = first + timedelta(38 * half + random.randrange(20))
            end = begin + timedelta(random.randint(0, 7))
            falls.append((begin, end))
            longer = random.sample(
                range(1, modules + 1), random.randint(0, modules // 3)
            )
            for position in longer:
                last = end + timedelta(random.randint(1, 6))
                start = datetime.combine(end + timedelta(1), time(), UTC)
                # Thick snow takes all light from one panel in five.
                ratio = max(0.0, random.uniform(-0.1, 0.4))
                covered.append(Event(Kind.SNOW, position, ratio, start, last))
    return tuple(falls), covered
