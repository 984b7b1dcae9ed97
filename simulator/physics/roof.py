"""The panels on a roof: directions, shade and faults."""

from dataclasses import dataclass, replace
from functools import lru_cache

from simulator.moments import Window
from simulator.noise import fraction

_MAIN_SHARE = 0.6
_WEST_DEGREES = 90.0
_SPREAD = 0.03
_SHADED_SHARE = 8
"""One in this many panels is in the shade of a tree in the afternoon."""


@dataclass(frozen=True, slots=True)
class Weakness:
    """A time in which a panel yields a share of its possible production; 0 is dead."""

    position: int
    ratio: float
    window: Window


@dataclass(frozen=True, slots=True)
class Mark:
    """The position of a panel, from 1, and the moment of its change."""

    position: int
    at: int


@dataclass(frozen=True, slots=True)
class Roof:
    """The panels of a site; positions begin with 1.

    `replaced` are replacements of microinverters. A `retired` panel yields nothing.
    """

    modules: int = 16
    weaknesses: tuple[Weakness, ...] = ()
    replaced: tuple[Mark, ...] = ()
    retired: tuple[Mark, ...] = ()

    @property
    def has_no_faults(self) -> bool:
        """Return whether no panel ever had a fault or was retired."""
        return not self.weaknesses and not self.retired

    def before(self, end: int) -> Roof:
        """Return the roof with only what affects energy before a moment."""
        if self.has_no_faults and not self.replaced:
            return self
        weaknesses = (each for each in self.weaknesses if each.window.start < end)
        return Roof(
            modules=self.modules,
            weaknesses=tuple(_clipped(each, end) for each in weaknesses),
            retired=tuple(each for each in self.retired if each.at < end),
        )

    def ratio(self, position: int, at: int) -> float:
        """Return the share of its possible production that a panel yields."""
        if self.is_retired(position, at):
            return 0.0
        return next(
            (
                each.ratio
                for each in reversed(self.weaknesses)
                if each.position == position and at in each.window
            ),
            1.0,
        )

    def is_retired(self, position: int, at: int) -> bool:
        """Return whether a panel is retired at a moment."""
        return any(each.position == position and each.at <= at for each in self.retired)

    def changed(self) -> set[int]:
        """Return the positions of panels that ever had a fault or were retired."""
        weak = {each.position for each in self.weaknesses}
        return weak | {each.position for each in self.retired}


def _clipped(weakness: Weakness, end: int) -> Weakness:
    window = weakness.window
    if window.end is None or window.end < end:
        return weakness
    return replace(weakness, window=Window(window.start))


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel with its direction, and a factor of its production, about 1.

    `azimuth` is in degrees from the equator to the west.
    """

    position: int
    azimuth: float
    factor: float
    shaded: bool


@lru_cache(maxsize=256)
def panels_of(seed: int, modules: int) -> tuple[Panel, ...]:
    """Return the panels of a roof: most face the equator, the others west."""
    main = max(1, round(modules * _MAIN_SHARE))
    shaded = range(main - modules // _SHADED_SHARE + 1, main + 1)
    return tuple(
        Panel(
            position=position,
            azimuth=0.0 if position <= main else _WEST_DEGREES,
            factor=1 + _SPREAD * (2 * fraction(seed, "panel", position) - 1),
            shaded=position in shaded,
        )
        for position in range(1, modules + 1)
    )
