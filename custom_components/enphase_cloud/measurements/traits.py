"""The columns of the catalog's rows, and functions for frequent kinds of rows."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from ..api.models import LiveFrame, Summary
from .system import DeviceKind

POWER_AGE: Final = timedelta(hours=3)
# What is requested once a day becomes unknown after two failed requests.
_STALE_PERIODIC: Final = timedelta(days=3)


class Kind(StrEnum):
    """The physical kind of a measurement, with its unit."""

    POWER = "power"  # [W]
    LEVEL = "level"  # [%]
    CAPACITY = "capacity"  # [Wh]
    ENERGY_TODAY = "energy_today"  # [Wh] since the system's midnight
    ENERGY_DAY = "energy_day"  # [Wh] of the day before, or of a session that ended
    ENERGY_TOTAL = "energy_total"  # [Wh]
    STATE = "state"  # one of the words of `states`
    MOMENT = "moment"  # [s] since the epoch
    RATING = "rating"  # [W], of the equipment
    COUNT = "count"
    RATIO = "ratio"  # [%]
    DURATION = "duration"  # [s]
    COST = "cost"  # in the currency of the home
    TEXT = "text"  # in a format of our own


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """The columns of a row.

    `device`: the kind of device it belongs to. `sensor`: the key of its sensor, or
    None. A value older than `max_age` is unknown. `is_dated`: responses say when it was
    measured. `states`: the words of a state. `summary` and `frame` read it from a
    summary and from a frame of the live stream, if it needs no computation.
    """

    kind: Kind
    device: DeviceKind = DeviceKind.SYSTEM
    sensor: str | None = None
    max_age: timedelta | None = None
    is_dated: bool = True
    is_diagnostic: bool = False
    is_enabled: bool = True
    states: tuple[str, ...] = ()
    summary: Callable[[Summary], float | str | None] | None = None
    frame: Callable[[LiveFrame], float | str | None] | None = None


def words(states: type[StrEnum]) -> tuple[str, ...]:
    """Return the states of a sensor: all but UNKNOWN."""
    return tuple(state.value for state in states if state.name != "UNKNOWN")


def power(
    sensor: str,
    frame: Callable[[LiveFrame], int | None] | None = None,
    *,
    device: DeviceKind = DeviceKind.SYSTEM,
    is_enabled: bool = True,
) -> Traits:
    """Return the traits of a power whose moment the responses give."""
    return Traits(
        kind=Kind.POWER,
        device=device,
        sensor=sensor,
        max_age=POWER_AGE,
        is_enabled=is_enabled,
        frame=frame,
    )


def state(
    sensor: str,
    states: type[StrEnum],
    frame: Callable[[LiveFrame], str | None] | None = None,
    *,
    device: DeviceKind = DeviceKind.SYSTEM,
    max_age: timedelta = POWER_AGE,
) -> Traits:
    """Return the traits of a state whose moment the responses give."""
    return Traits(
        kind=Kind.STATE,
        device=device,
        sensor=sensor,
        max_age=max_age,
        states=words(states),
        frame=frame,
    )


def energy(kind: Kind, sensor: str, device: DeviceKind = DeviceKind.SYSTEM) -> Traits:
    """Return the traits of an energy whose moment the responses give."""
    return Traits(kind=kind, sensor=sensor, device=device)


def lifetime(sensor: str, device: DeviceKind, *, is_dated: bool = True) -> Traits:
    """Return the traits of the lifetime energy of a device, disabled by default."""
    return Traits(
        kind=Kind.ENERGY_TOTAL,
        device=device,
        sensor=sensor,
        is_enabled=False,
        is_dated=is_dated,
    )


def level(
    sensor: str,
    frame: Callable[[LiveFrame], int | None] | None = None,
    *,
    device: DeviceKind = DeviceKind.SYSTEM,
) -> Traits:
    """Return the traits of a state of charge."""
    return Traits(
        kind=Kind.LEVEL,
        device=device,
        sensor=sensor,
        max_age=timedelta(hours=6),
        frame=frame,
    )


def moment(sensor: str, device: DeviceKind = DeviceKind.SYSTEM) -> Traits:
    """Return the traits of the time of a report, enabled only for the system."""
    return Traits(
        kind=Kind.MOMENT,
        device=device,
        sensor=sensor,
        is_diagnostic=True,
        is_enabled=device is DeviceKind.SYSTEM,
    )


def nameplate(kind: Kind, summary: Callable[[Summary], float | str | None]) -> Traits:
    """Return the traits of a rating in the summary, without a sensor."""
    return Traits(kind=kind, is_dated=False, summary=summary)


def periodic(
    kind: Kind,
    sensor: str | None = None,
    *,
    device: DeviceKind = DeviceKind.SYSTEM,
    states: type[StrEnum] | None = None,
    is_diagnostic: bool = False,
    is_enabled: bool = True,
) -> Traits:
    """Return the traits of a value of a periodic document that gives no time."""
    return Traits(
        kind=kind,
        device=device,
        sensor=sensor,
        max_age=_STALE_PERIODIC,
        is_dated=False,
        is_diagnostic=is_diagnostic,
        is_enabled=is_enabled,
        states=words(states) if states else (),
    )


def of_charger(
    kind: Kind, sensor: str | None = None, *, is_enabled: bool = True
) -> Traits:
    """Return the traits of a value of a charger that stays valid until the next one."""
    return Traits(
        kind=kind, device=DeviceKind.CHARGER, sensor=sensor, is_enabled=is_enabled
    )
