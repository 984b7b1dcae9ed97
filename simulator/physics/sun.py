"""Possible production of the panels: position of the sun, air, clouds and snow."""

from collections.abc import Iterable
from datetime import date
from math import cos, exp, radians, sin, tau

from simulator.moments import DAY, STEP
from simulator.noise import fraction, fractions

from .plant import Plant

_TILT = radians(30)
_DIFFUSE = 0.12
_PERFORMANCE = 0.92
_FINE, _PASSING_CLOUDS, _OVERCAST = (0.94, 0.06), (0.6, 0.38), (0.2, 0.15)
_WEATHER = 4 * (_FINE,) + 3 * (_PASSING_CLOUDS,) + 2 * (_OVERCAST,)
"""Mean clearness of the sky on a day, and its variation."""
_UNDER_SNOW = 0.02
_NODE_STEPS = 4
"""Clouds change smoothly, with a random value every 20 minutes."""


def production(plant: Plant, day: date, start: int, steps: int) -> list[int]:
    """Return the possible production [Wh] in each step of a day."""
    declination, noon = _sun(plant.longitude, day)
    latitude = radians(plant.latitude)
    facing = latitude - _TILT if latitude > 0 else latitude + _TILT
    high, high_span = sin(latitude) * sin(declination), cos(latitude) * cos(declination)
    tilted, tilted_span = sin(facing) * sin(declination), cos(facing) * cos(declination)
    sky = _sky(plant.seed, day, steps)
    bare = _bare(plant, start, steps)
    scale = plant.size_w * _PERFORMANCE * STEP / 3600
    result = [0] * steps
    for index in range(steps):
        angle = tau * ((start + (index + 0.5) * STEP - noon) / DAY)
        swing = cos(angle)
        height = high + high_span * swing
        if height <= 0:
            continue
        beam = exp(-0.16 / (height + 0.04)) * max(0.0, tilted + tilted_span * swing)
        clear = sky[index]
        light = clear * beam + _DIFFUSE * (2 - clear) * height
        result[index] = int(scale * light * bare[index])
    return result


def _bare(plant: Plant, start: int, steps: int) -> list[float]:
    """Return the share of light that reaches the panels through snow."""
    if not plant.snow:
        return [1.0] * steps
    return [
        _UNDER_SNOW
        if any(start + index * STEP in window for window in plant.snow)
        else 1.0
        for index in range(steps)
    ]


def hour_angles(plant: Plant, day: date, start: int, steps: int) -> list[float]:
    """Return the hour angle of the sun in each step, in radians after noon."""
    _, noon = _sun(plant.longitude, day)
    return [
        tau * ((start + (index + 0.5) * STEP - noon) / DAY) for index in range(steps)
    ]


def facing(
    plant: Plant, day: date, angles: Iterable[float], azimuth: float
) -> list[float]:
    """Return the cosine of the angle of incidence at each hour angle, at least 0.

    `azimuth` is in degrees from the equator to the west.
    """
    declination, _ = _sun(plant.longitude, day)
    if plant.latitude < 0:
        declination = -declination
    latitude, turn = radians(abs(plant.latitude)), radians(azimuth)
    fixed = sin(declination) * (
        sin(latitude) * cos(_TILT) - cos(latitude) * sin(_TILT) * cos(turn)
    )
    swing = cos(declination) * (
        cos(latitude) * cos(_TILT) + sin(latitude) * sin(_TILT) * cos(turn)
    )
    drift = cos(declination) * sin(_TILT) * sin(turn)
    return [
        max(0.0, fixed + swing * cos(angle) + drift * sin(angle)) for angle in angles
    ]


def _sun(longitude: float, day: date) -> tuple[float, float]:
    """Return the declination of the sun, and solar noon in epoch seconds."""
    year = tau * (day.timetuple().tm_yday - 81) / 365
    declination = radians(23.45) * sin(year)
    equation_of_time = 60 * (9.87 * sin(2 * year) - 7.53 * cos(year) - 1.5 * sin(year))
    noon_utc = (day.toordinal() - date(1970, 1, 1).toordinal()) * DAY + DAY / 2
    return declination, noon_utc - longitude / 360 * DAY - equation_of_time


def _sky(seed: int, day: date, steps: int) -> list[float]:
    """Return the clearness of the sky in each step: 1 is clear, 0 is dark."""
    base, swing = _WEATHER[int(len(_WEATHER) * fraction(seed, "weather", day))]
    nodes = fractions(seed, "clouds", day, count=steps // _NODE_STEPS + 2)
    result = []
    for index in range(steps):
        node, offset = divmod(index, _NODE_STEPS)
        share = offset / _NODE_STEPS
        cover = nodes[node] * (1 - share) + nodes[node + 1] * share
        result.append(base + swing * (2 * cover - 1))
    return result
