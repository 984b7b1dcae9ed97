"""All flows of a plant in steps of 5 minutes, exact to the Wh.

A flow is constant within a step except for a flicker with a mean of zero in each
minute, so sums over steps are exact, and the balance

    production + import + discharge + generator = consumption + export + charge

holds at every instant and over every interval. A day depends on the plant alone; it is
computed when it is first needed.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from functools import cached_property, lru_cache
from math import sin, tau

from simulator.moments import HOUR, STEP, day_of, midnight, next_midnight
from simulator.noise import fraction

from . import charging, heating, load, sun
from .dispatch import CENTI, Step, balance, calibrates
from .exposure import weakened
from .plant import Plant

_W_PER_WH = HOUR // STEP
_YEAR = timedelta(days=365.25)


class Flow(StrEnum):
    """A flow of energy, never negative; in the order of the fields of `Step`."""

    PRODUCTION = "production"
    CONSUMPTION = "consumption"
    IMPORT = "import"
    EXPORT = "export"
    CHARGE = "charge"
    DISCHARGE = "discharge"
    GENERATOR = "generator"


@dataclass(frozen=True)
class Day:
    """A local day of a plant: the Wh of each flow in each step.

    `stored` is the energy in the battery in hundredths of a Wh: at midnight, then at
    the end of each step.
    """

    start: int
    flows: dict[Flow, array[int]]
    stored: array[int]

    @cached_property
    def totals(self) -> dict[Flow, int]:
        """Return the Wh of each flow over the whole day."""
        return {flow: sum(steps) for flow, steps in self.flows.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Power:
    """The power of all flows at one instant, in W.

    Grid power is positive for import, battery power for discharge; `soc` is in %, None
    without a battery.
    """

    production: int
    consumption: int
    grid: int
    battery: int
    generator: int
    soc: float | None
    on_grid: bool

    @property
    def grid_status(self) -> str:
        """Return the grid status as live data spell it."""
        return "On Grid" if self.on_grid else "Off Grid"


def day(plant: Plant, local: date) -> Day:
    """Return a local day; before commissioning all flows are zero."""
    start = midnight(local, plant.time_zone)
    end = next_midnight(local, plant.time_zone)
    return _day(plant.before(end), local, start, end)


@lru_cache(maxsize=8192)
def _day(plant: Plant, local: date, start: int, end: int) -> Day:
    count = (end - start) // STEP
    if local < plant.commissioned:
        nothing = array("H", bytes(2 * count))
        return Day(
            start, dict.fromkeys(Flow, nothing), array("l", bytes(8 + 8 * count))
        )
    opening = _closing(plant, local - timedelta(days=1))
    storage = plant.storage
    if storage is not None:
        opening = min(opening, storage.as_of(start).capacity_wh * CENTI)
    *flows, stored = zip(*_steps(plant, local, start, count, opening), strict=True)
    return Day(
        start=start,
        flows={
            flow: array("H", steps) for flow, steps in zip(Flow, flows, strict=True)
        },
        stored=array("l", (opening, *stored)),
    )


def _closing(plant: Plant, local: date) -> int:
    """Return the stored energy at the end of a local day."""
    if plant.storage is None:
        return 0
    reserve = plant.storage.capacity_wh * plant.storage.reserve_percent
    if local < plant.commissioned:
        return reserve
    start = midnight(local, plant.time_zone)
    if calibrates(plant, local, start):
        count = (next_midnight(local, plant.time_zone) - start) // STEP
        return _steps(plant, local, start, count, reserve)[-1].stored
    return day(plant, local).stored[-1]


def _steps(
    plant: Plant, local: date, start: int, count: int, stored: int
) -> list[Step]:
    available = sun.production(plant, local, start, count)
    available = weakened(plant, local, start, available)
    if plant.ageing_percent:
        age = (local - plant.commissioned) / _YEAR
        left = (1 - plant.ageing_percent / 100) ** age
        available = [round(energy * left) for energy in available]
    wanted = load.consumption(plant, local, count)
    for device in (plant.chargers and charging, plant.heating and heating):
        if device:
            taken = device.load(plant, local, count)
            wanted = [home + part for home, part in zip(wanted, taken, strict=True)]
    return list(
        balance(plant, local, start, available=available, wanted=wanted, stored=stored)
    )


def energy(plant: Plant, flow: Flow, start: int, end: int) -> int:
    """Return the Wh of a flow in [start, end), both multiples of a step."""
    if start % STEP or end % STEP:
        raise ValueError("Start and end have to be multiples of 5 minutes")
    total = 0
    while start < end:
        local = day_of(start, plant.time_zone)
        this = day(plant, local)
        until = min(end, next_midnight(local, plant.time_zone))
        if (start, until) == (this.start, next_midnight(local, plant.time_zone)):
            total += this.totals[flow]
        else:
            first, last = (start - this.start) // STEP, (until - this.start) // STEP
            total += sum(this.flows[flow][first:last])
        start = until
    return total


def power(plant: Plant, at: float) -> Power:
    """Return the power at an instant in epoch seconds."""
    this = day(plant, day_of(int(at), plant.time_zone))
    if plant.storage is not None and plant.storage.departures:
        plant = replace(plant, storage=plant.storage.as_of(this.start))
    index, rest = divmod(at - this.start, STEP)
    step = int(index)
    wh = {flow: steps[step] * _W_PER_WH for flow, steps in this.flows.items()}
    grid = wh[Flow.IMPORT] - wh[Flow.EXPORT]
    battery = wh[Flow.DISCHARGE] - wh[Flow.CHARGE]
    load_flicker, sun_flicker = _flicker(plant, at, wh, grid, battery)
    if _buffer_is_grid(grid, battery):
        grid += load_flicker - sun_flicker
    else:
        battery += load_flicker - sun_flicker
    return Power(
        production=wh[Flow.PRODUCTION] + sun_flicker,
        consumption=wh[Flow.CONSUMPTION] + load_flicker,
        grid=grid,
        battery=battery,
        generator=wh[Flow.GENERATOR],
        soc=_soc(plant, int(at), this.stored[step : step + 2], rest / STEP),
        on_grid=not any(int(at) in outage for outage in plant.outages),
    )


def _buffer_is_grid(grid: int, battery: int) -> bool:
    """Return whether the grid, not the battery, compensates the flicker."""
    return abs(grid) >= abs(battery)


def _flicker(
    plant: Plant, at: float, wh: dict[Flow, int], grid: int, battery: int
) -> tuple[int, int]:
    """Return by how many W load and production differ from the mean of their step.

    They are so small that neither grid nor battery changes direction, and the battery
    does not exceed its power; the mean over a minute is zero.
    """
    if _buffer_is_grid(grid, battery):
        room = abs(grid)
    else:
        limit = plant.storage.power_w if plant.storage else 0
        room = min(abs(battery), limit - abs(battery))
    phase = fraction(plant.seed, "flicker", int(at) // STEP)
    fast, slow = sin(tau * (at / 20 + phase)), sin(tau * (at / 60 + phase))
    load_w = min(0.08 * wh[Flow.CONSUMPTION], room / 2)
    sun_w = min(0.03 * wh[Flow.PRODUCTION], room / 2)
    return round(load_w * (fast + slow) / 2), round(sun_w * slow)


def _soc(plant: Plant, at: int, stored: Sequence[int], share: float) -> float | None:
    if plant.storage is None or not plant.storage.is_there(at):
        return None
    before, after = stored
    return (before + (after - before) * share) / plant.storage.capacity_wh
