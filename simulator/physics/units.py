"""Energy and state of charge of each battery of a system.

Below half of the charge some batteries take and give a little more than their equal
part, above it the others, so their levels differ most at half. In each quarter hour the
parts add up to the flow of the system, exact to the Wh.
"""

from collections.abc import Sequence
from functools import lru_cache

from simulator.moments import QUARTER, STEP

from .model import Flow, energy, power
from .plant import Plant

_SPREAD = 0.05
_HALF = 50.0


def energy_by_unit(plant: Plant, flow: Flow, start: int, end: int) -> dict[int, int]:
    """Return the Wh of a flow in [start, end) of each battery by its number.

    Both are multiples of 15 minutes. The result has the batteries that were installed
    at any time of it.
    """
    totals: dict[int, int] = {}
    for at in range(start, end, QUARTER):
        for unit, wh in _quarter(plant, flow, at).items():
            totals[unit] = totals.get(unit, 0) + wh
    return totals


@lru_cache(maxsize=4096)
def _quarter(plant: Plant, flow: Flow, at: int) -> dict[int, int]:
    units = _units(plant, at)
    if not units:
        return {}
    leans, shares, total = _leans(units), [0.0] * len(units), 0
    for step in range(at, at + QUARTER, STEP):
        wh = energy(plant, flow, step, step + STEP)
        total += wh
        sign = -1 if wh and (power(plant, step).soc or 0.0) >= _HALF else 1
        for index, lean in enumerate(leans):
            shares[index] += wh * (1 + sign * lean) / len(units)
    return dict(zip(units, _whole(shares, total), strict=True))


def levels(plant: Plant, at: int) -> dict[int, float]:
    """Return the state of charge [%] of each installed battery by its number."""
    units, soc = _units(plant, at), power(plant, at).soc
    if soc is None:
        return {}
    room = min(soc, 100 - soc)
    leans = _leans(units)
    return {unit: soc + lean * room for unit, lean in zip(units, leans, strict=True)}


def _units(plant: Plant, at: int) -> list[int]:
    storage = plant.storage
    return storage.units_at(at) if storage and storage.is_there(at) else []


def _leans(units: Sequence[int]) -> list[float]:
    """Return the share that each takes above its equal part; the sum is zero."""
    last = len(units) - 1
    return [
        _SPREAD * (2 * index / last - 1) if last else 0.0 for index in range(last + 1)
    ]


def _whole(shares: list[float], total: int) -> list[int]:
    """Round shares so that they add up to a total."""
    whole = [int(share) for share in shares]
    order = sorted(range(len(shares)), key=lambda index: whole[index] - shares[index])
    for index in order[: total - sum(whole)]:
        whole[index] += 1
    return whole
