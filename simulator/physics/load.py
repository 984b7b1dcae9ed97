"""The consumption of the home: habits, appliances and chance."""

from dataclasses import dataclass
from datetime import date
from math import cos, exp, tau

from simulator.moments import STEP
from simulator.noise import fraction, fractions

from .plant import Plant

_STEP_MINUTES = STEP // 60
_BASE_W = 230
_FRIDGE_W = 110
_FRIDGE_STEPS = (3, 9)
_PEAKS = ((7.25, 0.9, 420.0), (12.5, 1.1, 160.0), (19.25, 1.9, 780.0))
"""Hour, width in hours and power in W of morning, noon and evening."""


@dataclass(frozen=True, slots=True)
class _Appliance:
    """An appliance that is switched on once on a share of days, `chance`."""

    name: str
    chance: float
    earliest_hour: float
    latest_hour: float
    minutes: int
    power_w: int


_APPLIANCES = (
    _Appliance("kettle", 0.95, 6.5, 8.5, 5, 2_000),
    _Appliance("toaster", 0.6, 6.7, 8.8, 5, 1_400),
    _Appliance("washing machine", 0.4, 9.0, 16.0, 30, 1_900),
    _Appliance("cooker", 0.5, 11.8, 13.0, 25, 1_800),
    _Appliance("coffee", 0.7, 15.0, 16.5, 5, 1_500),
    _Appliance("oven", 0.6, 17.8, 19.5, 40, 2_200),
    _Appliance("dishwasher", 0.8, 20.0, 22.0, 30, 1_800),
)


def consumption(plant: Plant, day: date, steps: int) -> list[int]:
    """Return the Wh that the home demands in each step of a day."""
    season = 1 + 0.2 * cos(tau * (day.timetuple().tm_yday - 15) / 365)
    activity = 0.75 + 0.5 * fraction(plant.seed, "load", day)
    flicker = fractions(plant.seed, "flicker", day, count=steps)
    powers = [
        (_BASE_W + _habits_w(index) * activity) * season * (0.85 + 0.3 * flicker[index])
        for index in range(steps)
    ]
    on, cycle = _FRIDGE_STEPS
    phase = day.toordinal() % cycle
    for index in range(steps):
        if (index + phase) % cycle < on:
            powers[index] += _FRIDGE_W
    for appliance in _APPLIANCES:
        _switch_on(powers, appliance, plant.seed, day)
    scale = plant.load_scale * STEP / 3600
    return [max(1, int(power * scale)) for power in powers]


def _habits_w(index: int) -> float:
    return _HABITS_W[index % len(_HABITS_W)]


def _habits() -> list[float]:
    hours = [index * _STEP_MINUTES / 60 for index in range(24 * 60 // _STEP_MINUTES)]
    return [
        sum(
            power * exp(-(((hour - centre) / width) ** 2))
            for centre, width, power in _PEAKS
        )
        for hour in hours
    ]


_HABITS_W = _habits()


def _switch_on(
    powers: list[float], appliance: _Appliance, seed: int, day: date
) -> None:
    chance, when = fractions(seed, appliance.name, day, count=2)
    if chance >= appliance.chance:
        return
    span = appliance.latest_hour - appliance.earliest_hour
    first = int((appliance.earliest_hour + when * span) * 60) // _STEP_MINUTES
    last = min(first + appliance.minutes // _STEP_MINUTES, len(powers))
    for index in range(first, last):
        powers[index] += appliance.power_w
