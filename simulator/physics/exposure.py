"""The light on the panels of a roof in each step."""

from datetime import date
from math import tau
from typing import NamedTuple

from simulator.moments import STEP

from . import sun
from .plant import Plant
from .roof import Panel, Roof, panels_of

_DIFFUSE = 0.3
_SHADE = tuple(tau * (hour - 12) / 24 for hour in (14.5, 17.0))
_IN_THE_SHADE = 0.45


class Group(NamedTuple):
    """Panels that differ only in their factors, with their weight in each step."""

    panels: list[Panel]
    weights: list[float]
    ratios: list[float]

    @property
    def strength(self) -> float:
        """Return the sum of the factors."""
        return sum(panel.factor for panel in self.panels)


def weakened(plant: Plant, local: date, start: int, able: list[int]) -> list[int]:
    """Return the production of a roof, from that of a roof without faults."""
    if plant.roof.has_no_faults:
        return able
    groups = groups_of(plant, local, start, len(able))
    strengths = [group.strength for group in groups]
    result = []
    for step, energy in enumerate(able):
        possible = actual = 0.0
        for group, strength in zip(groups, strengths, strict=True):
            weight = group.weights[step] * strength
            possible += weight
            actual += weight * group.ratios[step]
        result.append(round(energy * actual / possible))
    return result


def groups_of(plant: Plant, local: date, start: int, steps: int) -> list[Group]:
    """Group panels by direction and shade; a panel with changes is its own group."""
    changed = plant.roof.changed()
    alike: dict[tuple[float, bool, int], list[Panel]] = {}
    for panel in panels_of(plant.seed, plant.roof.modules):
        own = panel.position if panel.position in changed else 0
        alike.setdefault((panel.azimuth, panel.shaded, own), []).append(panel)
    angles = sun.hour_angles(plant, local, start, steps)
    facing = {
        azimuth: sun.facing(plant, local, angles, azimuth) for azimuth, *_ in alike
    }
    groups = []
    for (azimuth, shaded, own), members in alike.items():
        weights = [_DIFFUSE + beam for beam in facing[azimuth]]
        if shaded:
            weights = [
                weight * _IN_THE_SHADE if _SHADE[0] <= angle < _SHADE[1] else weight
                for weight, angle in zip(weights, angles, strict=True)
            ]
        ratios = _ratios(plant.roof, own, start, steps)
        groups.append(Group(members, weights, ratios))
    return groups


def _ratios(roof: Roof, position: int, start: int, steps: int) -> list[float]:
    if not position:
        return [1.0] * steps
    return [roof.ratio(position, start + step * STEP) for step in range(steps)]
