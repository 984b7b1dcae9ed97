"""Heat pumps: they run longer when it is colder, and twice a day for hot water.

A heat pump runs at full power or not at all, and not without the grid. A day depends on
the plant alone.
"""

from datetime import date
from functools import lru_cache
from math import copysign, cos, tau

from simulator.moments import HOUR, STEP, day_of, midnight, next_midnight
from simulator.noise import fraction

from .plant import Heating, Plant

_MEAN, _SEASON, _NIGHT, _WEATHER = 10.0, 9.0, 4.0, 6.0
"""Degrees Celsius: mean of the year, and amplitudes of season, hour and chance."""
_COLDEST_DAY, _COLDEST_HOUR = 20, 4
_HEATS_BELOW = 17.0
_WATER_HOURS = (5, 15)
_BACKLOG_STEPS = 24
"""After an outage it makes up for at most this number of steps at full power."""


def load(plant: Plant, day: date, steps: int) -> list[int]:
    """Return the Wh of the heat pump in each step of a local day."""
    if plant.heating is None:
        return [0] * steps
    start = midnight(day, plant.time_zone)
    most = plant.heating.power_w * STEP // HOUR
    result: list[int] = []
    missing = 0.0
    for index in range(steps):
        missing += _wanted(plant, plant.heating, day, index)
        off_grid = any(start + index * STEP in outage for outage in plant.outages)
        taken = most if missing >= most and not off_grid else 0
        missing = min(missing - taken, most * _BACKLOG_STEPS)
        result.append(taken)
    return result


def _wanted(plant: Plant, heating: Heating, day: date, index: int) -> float:
    """Return the Wh that heating and hot water need in a step."""
    hour, rest = divmod(index * STEP, HOUR)
    water = heating.water_wh / len(_WATER_HOURS) if hour in _WATER_HOURS else 0
    cold = max(0.0, _HEATS_BELOW - _outside(plant, day, hour + rest / HOUR))
    return (cold * heating.loss_w_per_degree + water) * STEP / HOUR


def _outside(plant: Plant, day: date, hour: float) -> float:
    """Return the temperature outside in degrees Celsius."""
    season = cos(tau * (day.timetuple().tm_yday - _COLDEST_DAY) / 365)
    night = cos(tau * (hour - _COLDEST_HOUR) / 24)
    weather = fraction(plant.seed, "weather", day) - 0.5
    season = copysign(season, season * plant.latitude)
    return _MEAN - _SEASON * season - _NIGHT * night + _WEATHER * weather


def energy(plant: Plant, start: int, end: int) -> int:
    """Return the Wh of the heat pump in [start, end), both multiples of a step."""
    total = 0
    while start < end:
        local = day_of(start, plant.time_zone)
        first, next_day = (
            midnight(local, plant.time_zone),
            next_midnight(local, plant.time_zone),
        )
        until = min(end, next_day)
        taken = _day(plant.before(next_day), local, (next_day - first) // STEP)
        total += sum(taken[(start - first) // STEP : (until - first) // STEP])
        start = until
    return total


@lru_cache(maxsize=1024)
def _day(plant: Plant, local: date, steps: int) -> tuple[int, ...]:
    if local < plant.commissioned:
        return (0,) * steps
    return tuple(load(plant, local, steps))
