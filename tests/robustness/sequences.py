"""Random sequences of absurd events, to test the invariants of the budget."""

from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from typing import Any, Final

from custom_components.enphase_cloud.quota.ledger import Period, Purpose
from custom_components.enphase_cloud.quota.plans import Plan, custom_plan

from .household import FINE, Household, Outcome, Refused, Response

type Play = Callable[[Callable[[int], tuple[bool, bool]], Iterable[int]], Iterable[Any]]

PLANS: Final[tuple[Plan, ...]] = tuple(
    custom_plan(calls_per_minute=minute, calls_per_month=month, live_stream=False)
    for minute, month in ((3, 60), (5, 60), (10, 100), (12, 200), (10, 1_000))
)
_STEPS: Final = 40
_DAY: Final = timedelta(days=1)
_ERRORS: Final = (
    *(timedelta(), timedelta(), timedelta()),
    *(sign * timedelta(minutes=minutes) for sign in (-1, 1) for minutes in (2, 50)),
    *(sign * timedelta(days=days) for sign in (-1, 1) for days in (1, 31, 35, 730)),
)


@dataclass(frozen=True, slots=True)
class Sequences:
    """Numbers of sequences: all, and those with an overrun or a deadlock."""

    count: int = 0
    overruns: int = 0
    deadlocks: int = 0


def run(numbers: Iterable[int], play: Play = map) -> Sequences:
    """Play sequences by their numbers, and return the totals.

    `play` may spread them over processes.
    """
    outcomes = list(play(_outcome, numbers))
    return Sequences(
        len(outcomes),
        overruns=sum(broken for broken, _ in outcomes),
        deadlocks=sum(stuck for _, stuck in outcomes),
    )


def run_side_by_side(count: int, *, seed: int = 0) -> Sequences:
    """Play a number of sequences on all processors."""
    with ProcessPoolExecutor() as pool:
        return run(numbers(count, seed=seed), partial(pool.map, chunksize=50))


def numbers(count: int, *, seed: int) -> range:
    """Return the numbers of sequences, different ones for each seed."""
    first = seed * 1_000_003
    return range(first, first + count)


def _outcome(number: int) -> tuple[bool, bool]:
    return run_one(Random(number))


def run_one(random: Random) -> tuple[bool, bool]:
    """Return whether a sequence led to an overrun, and whether to a deadlock."""
    start = datetime(2026, random.choice((2, 3, 6)), 1, tzinfo=UTC)
    wrong = error(random, start) if not random.randrange(5) else timedelta()
    home = Household(random.choice(PLANS), start, wrong)
    if not wrong:
        home.send(Purpose.USER)
        home.pass_time(
            random.choice((timedelta(minutes=2), random.randrange(28) * _DAY))
        )
    # The cloud's clock is wrong at most once.
    doubtful_at = random.choice((None, random.randrange(_STEPS)))
    for step in range(_STEPS):
        event = random.choices(_EVENTS, _WEIGHTS)[0]
        event(home, random)
        if step == doubtful_at:
            home.send(Purpose.USER, replace(FINE, date=absurd_date(random, home.time)))
    home.pass_time(timedelta(minutes=2))
    stuck = home.is_deadlocked()
    home.pass_time(timedelta(minutes=2))
    return bool(home.counted.overruns), stuck


def error(random: Random, time: datetime) -> timedelta:
    """Return the error of a clock; some clocks begin in 1970."""
    if not random.randrange(8):
        return datetime(1970, 1, 1, tzinfo=UTC) - time
    return random.choice(_ERRORS)


def absurd_date(random: Random, time: datetime) -> datetime:
    """Return a wrong `Date`."""
    if not random.randrange(3):
        return datetime(random.choice((1970, 2099, 9999)), 12, 31, tzinfo=UTC)
    return time + random.choice((-400, -40, -2, 2, 40, 400)) * _DAY


def absurd_refusal(random: Random, time: datetime, limit: int) -> Refused:
    """Return a 429 that contradicts every plan."""
    first = time.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    following = (first + timedelta(days=32)).replace(day=1)
    before = (first - _DAY).replace(day=1)
    after = (following + timedelta(days=32)).replace(day=1)
    never = datetime(9999, 12, 31, tzinfo=UTC)
    start, end = random.choice(
        (
            (first, time + timedelta(seconds=1)),
            (before, first),
            (following, after),
            (first, never),
            (never, never),
            (datetime(1970, 1, 21, tzinfo=UTC), datetime(1970, 1, 22, tzinfo=UTC)),
            (None, time - timedelta(seconds=1)),
            (None, never),
            (None, None),
        )
    )
    if random.randrange(3):
        period = random.choice((Period.MONTH, Period.MINUTE, None))
        return Refused(period, start, end, random.choice((limit, 1, None)))
    return Refused(Period.MONTH, first, following, 1)


def _calls(home: Household, random: Random) -> None:
    purpose = random.choice((Purpose.BACKGROUND, Purpose.USER, Purpose.USER))
    for _ in range(random.choice((1, 3, 15))):
        home.send(purpose, _random_outcome(home, random))
        home.pass_time(timedelta(seconds=random.choice((0, 0, 1, 4))))


def _random_outcome(home: Household, random: Random) -> Outcome:
    responses: tuple[Response, ...] = ("served", "error", "nothing", "refused")
    return Outcome(
        there=random.choice((0.1, 0.1, 2, 25)),
        back=random.choice((0.1, 0.5, 4)),
        response=random.choices(responses, (20, 1, 1, 1))[0],
        refused=absurd_refusal(random, home.time, home.plan.calls_per_month),
        dated=bool(random.randrange(20)),
    )


def _spree(home: Household, random: Random) -> None:
    """Send many calls."""
    for _ in range(random.choice((40, 100))):
        home.send(Purpose.USER)
        home.pass_time(timedelta(seconds=random.choice((8, 30))))


def _pass(home: Household, random: Random) -> None:
    longest = random.choice((90, 3_600, 4 * 86_400, 31 * 86_400))
    home.pass_time(timedelta(seconds=random.uniform(0.1, longest)))


def _jump(home: Household, random: Random) -> None:
    home.set_clock(error(random, home.time))


def _kill(home: Household, random: Random) -> None:
    home.kill(random.choice((home.clock_error, error(random, home.time))))


def _restart(home: Household, random: Random) -> None:
    home.restart(random.choice((home.clock_error, error(random, home.time))))


def _sign_in(home: Household, _random: Random) -> None:
    home.sign_in()


def _another(home: Household, random: Random) -> None:
    home.another_program(random.choice((1, 30)))


_WEIGHTED: Final[dict[Callable[[Household, Random], None], int]] = {
    _calls: 30,
    _spree: 8,
    _pass: 25,
    _jump: 10,
    _kill: 8,
    _restart: 8,
    _sign_in: 5,
    _another: 2,
}
_EVENTS: Final = tuple(_WEIGHTED)
_WEIGHTS: Final = tuple(_WEIGHTED.values())
