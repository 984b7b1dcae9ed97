"""The production of each panel.

The production of the site in a step is divided in proportion to the possible production
of each panel, by its direction, factor, shade and faults. Over a whole day panels have
whole Wh that add up to the production of the site; within a day each is at most 1 Wh
behind.
"""

from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from math import floor
from operator import mul, sub

from simulator.moments import STEP, day_of, next_midnight

from .exposure import Group, groups_of
from .model import Flow, day
from .plant import Plant


def energy_by_panel(plant: Plant, start: int, end: int) -> list[int]:
    """Return the Wh of each panel in [start, end), both multiples of a step."""
    totals = [0] * plant.roof.modules
    while start < end:
        local = day_of(start, plant.time_zone)
        until = min(end, next_midnight(local, plant.time_zone))
        begun, ended = _given(plant, local, start), _given(plant, local, until)
        totals = [
            total + after - before
            for total, before, after in zip(totals, begun, ended, strict=True)
        ]
        start = until
    return totals


def steps(plant: Plant, start: int, end: int) -> list[tuple[int, ...]]:
    """Return the Wh of each panel in each step of [start, end).

    The result is that of `energy_by_panel` for single steps, but faster.
    """
    result: list[tuple[int, ...]] = []
    while start < end:
        local = day_of(start, plant.time_zone)
        midnight = next_midnight(local, plant.time_zone)
        first = day(plant, local).start
        until = min(end, midnight)
        that = _steps_of(plant.before(midnight), local)
        result += that[(start - first) // STEP : (until - first) // STEP]
        start = until
    return result


def split(plant: Plant, at: int, amount: int) -> list[int]:
    """Divide an amount among panels, in proportion to those of a moment."""
    local = day_of(at, plant.time_zone)
    this = day(plant, local)
    step = (at - this.start) // STEP
    sums = _sums(plant, local, this.start, [0] * step + [amount])
    return _rounded(sums, amount)


def _given(plant: Plant, local: date, until: int) -> tuple[int, ...]:
    """Return the Wh of each panel from midnight to a moment of that day."""
    this = day(plant, local)
    produced = this.flows[Flow.PRODUCTION][: (until - this.start) // STEP]
    if sum(produced) == this.totals[Flow.PRODUCTION]:
        end = next_midnight(local, plant.time_zone)
        return _of_day(plant.before(end), local)
    return tuple(map(floor, _sums(plant, local, this.start, list(produced))))


@lru_cache(maxsize=8192)
def _of_day(plant: Plant, local: date) -> tuple[int, ...]:
    this = day(plant, local)
    sums = _sums(plant, local, this.start, list(this.flows[Flow.PRODUCTION]))
    return tuple(_rounded(sums, this.totals[Flow.PRODUCTION]))


@lru_cache(maxsize=128)
def _steps_of(plant: Plant, local: date) -> list[tuple[int, ...]]:
    """Return the Wh of each panel in each step of a day."""
    this = day(plant, local)
    produced = list(this.flows[Flow.PRODUCTION])
    groups = groups_of(plant, local, this.start, len(produced))
    before: tuple[int, ...] = (0,) * plant.roof.modules
    left = this.totals[Flow.PRODUCTION]
    result = []
    for energy, sums in zip(produced, _growing(groups, produced), strict=True):
        left -= energy
        so_far = _of_day(plant, local)
        if left:
            so_far = tuple(map(floor, _divided(plant, groups, sums)))
        result.append(tuple(map(sub, so_far, before, strict=True)))
        before = so_far
    return result


def _rounded(sums: list[float], total: int) -> list[int]:
    """Round numbers so that they add up to a total."""
    whole = list(map(floor, sums))
    order = sorted(range(len(sums)), key=lambda index: whole[index] - sums[index])
    for index in order[: total - sum(whole)]:
        whole[index] += 1
    return whole


def _sums(plant: Plant, local: date, start: int, produced: list[int]) -> list[float]:
    """Return the energy of each panel over the steps of a day so far."""
    groups = groups_of(plant, local, start, len(produced))
    sums = [0.0] * len(groups)
    for sums in _growing(groups, produced):  # noqa: B007 - the last ones count
        pass
    return _divided(plant, groups, sums)


def _growing(groups: list[Group], produced: list[int]) -> Iterator[list[float]]:
    """Yield the energy up to each step of a panel with factor 1 of each group."""
    strengths = [group.strength for group in groups]
    sums = [0.0] * len(groups)
    for step, energy in enumerate(produced):
        if energy:
            able = [group.weights[step] * group.ratios[step] for group in groups]
            whole = sum(map(mul, able, strengths, strict=True))
            for index, weight in enumerate(able):
                sums[index] += energy * weight / whole
        yield sums


def _divided(plant: Plant, groups: list[Group], sums: list[float]) -> list[float]:
    result = [0.0] * plant.roof.modules
    for group, total in zip(groups, sums, strict=True):
        for panel in group.panels:
            result[panel.position - 1] = panel.factor * total
    return result
