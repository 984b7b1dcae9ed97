"""Chargers for cars: sessions, and their energy."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from simulator.moments import HOUR, STEP, day_of, midnight, next_midnight
from simulator.noise import fractions

from . import load as home_load
from .plant import Charger, ChargingSession, Command, Plant

_ARRIVES = (16.5, 20.0)
_LEAVES = (6.5, 8.5)
"""Hours of plugging in, and of plugging out on the next morning."""
_WAITS = 0.5
"""The share of sessions in which the car waits for the hour `_NIGHT_HOUR`."""
_NIGHT_HOUR = 1
_WANTED_WH = (4_000, 28_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Charged:
    """The energy of a session: start and Wh of each step with charging.

    `returned` has start and Wh of steps with discharging to the home.
    """

    session: ChargingSession
    steps: tuple[tuple[int, int], ...]
    returned: tuple[tuple[int, int], ...] = ()

    @property
    def energy(self) -> int:
        """Return the charged Wh."""
        return sum(wh for _, wh in self.steps)

    @property
    def seconds(self) -> int:
        """Return the seconds of charging."""
        return len(self.steps) * STEP


def sessions(
    plant: Plant, charger: Charger, first: date, last: date
) -> Iterator[ChargingSession]:
    """Yield the sessions that start on local days, in order."""
    days = range(
        max(first, plant.commissioned).toordinal(), min(last, date.max).toordinal() + 1
    )
    if not days:
        return
    start = midnight(date.fromordinal(days[0]), plant.time_zone)
    end = next_midnight(date.fromordinal(days[-1]), plant.time_zone)
    ordered = (*(charger.sessions or ()), *charger.visits)
    known = (each for each in ordered if start <= each.start < end)
    if charger.sessions is not None:
        yield from sorted(known)
        return
    usual = (_by_habit(plant, charger, date.fromordinal(each)) for each in days)
    come = (each for each in usual if each and not _is_occupied(charger, each))
    yield from sorted([*come, *known]) if charger.visits else come


def _is_occupied(charger: Charger, session: ChargingSession) -> bool:
    return any(
        visit.start < session.end and session.start < visit.end
        for visit in charger.visits
    )


def _by_habit(plant: Plant, charger: Charger, day: date) -> ChargingSession | None:
    chance, arrives, leaves, waits, wants = fractions(
        plant.seed, "car", charger.serial, day, count=5
    )
    if chance >= charger.habit:
        return None
    evening = midnight(day, plant.time_zone)
    morning = next_midnight(day, plant.time_zone)
    start = evening + int(_between(_ARRIVES, arrives) * HOUR)
    return ChargingSession(
        start=start,
        end=morning + int(_between(_LEAVES, leaves) * HOUR),
        charges_at=morning + _NIGHT_HOUR * HOUR if waits < _WAITS else start,
        wanted=int(_between(_WANTED_WH, wants)),
    )


def _between(limits: tuple[float, float], share: float) -> float:
    least, most = limits
    return least + (most - least) * share


def charged(plant: Plant, charger: Charger, session: ChargingSession) -> Charged:
    """Return the energy of a session; without a grid it is zero."""
    commands = [
        each for each in charger.commands if session.start <= each.at < session.end
    ]
    first = [max(session.charges_at, session.start), *(each.at for each in commands)]
    at = -(-min(first) // STEP) * STEP
    most = charger.power_w * STEP // HOUR
    left = session.wanted
    steps = []
    while left > 0 and at + STEP <= session.end:
        if commands:
            level = _level(session, commands, at)
            most = charger.power_w * STEP * level // (HOUR * 100)
        if most and not any(at in outage for outage in plant.outages):
            steps.append((at, min(most, left)))
            left -= most
        at += STEP
    returned = tuple(_returned(plant, charger, session)) if charger.returns_w else ()
    return Charged(session=session, steps=tuple(steps), returned=returned)


def _returned(
    plant: Plant, charger: Charger, session: ChargingSession
) -> Iterator[tuple[int, int]]:
    """Yield start and Wh of the steps in which a car discharges to the home."""
    most = charger.returns_w * STEP // HOUR
    first = -(-session.start // STEP) * STEP
    for at in range(first, min(session.charges_at, session.end) - STEP + 1, STEP):
        if not any(at in outage for outage in plant.outages):
            used = _home(plant, day_of(at, plant.time_zone))
            start = midnight(day_of(at, plant.time_zone), plant.time_zone)
            yield at, min(most, used[(at - start) // STEP] // len(plant.chargers))


@lru_cache(maxsize=256)
def _home(plant: Plant, local: date) -> list[int]:
    """Return the Wh of the home without chargers in each step of a day."""
    start, end = (each(local, plant.time_zone) for each in (midnight, next_midnight))
    return home_load.consumption(plant, local, (end - start) // STEP)


def _level(session: ChargingSession, commands: list[Command], at: int) -> int:
    """Return the share of the power of the charger at which a car charges [%]."""
    given = [each.level for each in commands if each.mark <= at]
    if given:
        return given[-1]
    return 100 if at >= session.charges_at else 0


def load(plant: Plant, day: date, steps: int) -> list[int]:
    """Return the Wh of all chargers in each step of a local day.

    Negative values are discharge, in sum no more than the home uses.
    """
    start = midnight(day, plant.time_zone)
    result = [0] * steps
    for charger in plant.chargers:
        for at, wh in _steps(plant, charger, day, day):
            if 0 <= (index := (at - start) // STEP) < steps:
                result[index] += wh
    return result


def energy(plant: Plant, charger: Charger, start: int, end: int) -> int:
    """Return the Wh of a charger in [start, end), both multiples of a step.

    They are negative if the car discharges more than it charges.
    """
    first, last = (day_of(each, plant.time_zone) for each in (start, end))
    return sum(
        wh for at, wh in _steps(plant, charger, first, last) if start <= at < end
    )


def _steps(
    plant: Plant, charger: Charger, first: date, last: date
) -> Iterator[tuple[int, int]]:
    """Yield the steps of all sessions that may overlap local days."""
    before = date.fromordinal(first.toordinal() - charger.longest_days)
    for session in sessions(plant, charger, before, last):
        that = charged(plant, charger, session)
        yield from that.steps
        yield from ((at, -wh) for at, wh in that.returned)
