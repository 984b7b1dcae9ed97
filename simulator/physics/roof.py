"""The panels on a roof: where they look, what shades them, and what befell them."""

from dataclasses import dataclass, replace
from functools import lru_cache

from simulator.moments import Window
from simulator.noise import fraction

_MAIN_SHARE = 0.6
_WEST_DEGREES = 90.0
_SPREAD = 0.03
_SHADED_SHARE = 8
"""One in so many panels is in the shade of a tree in the afternoon."""


@dataclass(frozen=True, slots=True)
class Weakness:
    """A time in which a panel gives only a share of what it could; 0 is dead."""

    position: int
    ratio: float
    window: Window


@dataclass(frozen=True, slots=True)
class Mark:
    """A panel, counted from 1, and the moment at which something befell it."""

    position: int
    at: int


@dataclass(frozen=True, slots=True)
class Roof:
    """The panels of a site by their position, counted from 1.

    At a moment of `replaced` another device takes the place of the one before; one
    that is `retired` gives nothing from then on.
    """

    modules: int = 16
    weaknesses: tuple[Weakness, ...] = ()
    replaced: tuple[Mark, ...] = ()
    retired: tuple[Mark, ...] = ()

    @property
    def is_sound(self) -> bool:
        """Return whether each panel always gave what it could."""
        return not self.weaknesses and not self.retired

    def before(self, end: int) -> Roof:
        """Return what of it matters for the energies before a moment."""
        if self.is_sound and not self.replaced:
            return self
        weaknesses = (each for each in self.weaknesses if each.window.start < end)
        return Roof(
            modules=self.modules,
            weaknesses=tuple(_clipped(each, end) for each in weaknesses),
            retired=tuple(each for each in self.retired if each.at < end),
        )

    def ratio(self, position: int, at: int) -> float:
        """Return which share of what it could a panel gives at a moment."""
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
        """Tell whether a panel is no longer in use at a moment."""
        return any(each.position == position and each.at <= at for each in self.retired)

    def changed(self) -> set[int]:
        """Return the positions of panels that did not always give what they could."""
        weak = {each.position for each in self.weaknesses}
        return weak | {each.position for each in self.retired}


def _clipped(weakness: Weakness, end: int) -> Weakness:
    window = weakness.window
    if window.end is None or window.end < end:
        return weakness
    return replace(weakness, window=Window(window.start))


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel: the direction it looks, and how much better than others it is.

    `azimuth` is in degrees from the equator to the west.
    """

    position: int
    azimuth: float
    factor: float
    shaded: bool


@lru_cache(maxsize=256)
def panels_of(seed: int, modules: int) -> tuple[Panel, ...]:
    """Return the panels of a roof: most look to the equator, the others west."""
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
