"""Meters and batteries: what reports by itself, and may fall silent or be replaced."""

from dataclasses import dataclass
from typing import Literal

from .moments import Window

type Meter = Literal["production", "consumption"]
type Part = str
"""A meter, `battery` for all batteries, or `battery 1` for one."""

BATTERY = "battery"


@dataclass(frozen=True, slots=True)
class Silence:
    """A time in which a part does not report."""

    part: Part
    window: Window


@dataclass(frozen=True, slots=True)
class Replaced:
    """A meter that stays listed although another took its place at a moment."""

    meter: Meter
    at: int


@dataclass(frozen=True, slots=True)
class SecondGateway:
    """Another gateway at the site: its parts are read `behind` seconds earlier."""

    parts: frozenset[Part]
    behind: int
