"""Sums of the powers that meters and batteries report, each at its own moment."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from ..api.models import BatteryReading, PowerReading

# Gateways report each quarter of an hour. If the newest reports of two parts are less
# than that apart, neither missed one, whether they share a gateway or not.
_REPORT_PERIOD: Final = timedelta(minutes=15)
# How far a part may lag the newest before it counts as gone. A sum is as old as its
# oldest part, so this is less than the age limit of powers.
_SILENT_AFTER: Final = timedelta(hours=2)
_SILENT_AFTER_CELLULAR: Final = timedelta(hours=8)


class Total(NamedTuple):
    """A power in W, and when the oldest of its parts was measured."""

    power: int
    measured_at: datetime


def total(
    readings: Iterable[PowerReading | BatteryReading],
    *,
    fetched_at: datetime,
    cellular: bool,
) -> Total | None:
    """Return the sum of the parts that report; None if there are none.

    The cloud lists the last reading of a meter or battery for days after it fell
    silent or was replaced, so parts that lag the newest by hours are skipped. None also
    if a power is unknown, such as that of a battery without a direction.
    """
    known = list(readings)
    moments = [part.reported_at for part in known if part.reported_at is not None]
    # A part whose clock is ahead must not make the others look old.
    newest = min(max(moments, default=fetched_at), fetched_at)
    since = newest - silent_after(cellular=cellular)
    counted = [
        part for part in known if part.reported_at is None or part.reported_at >= since
    ]
    powers = [part.power for part in counted if part.power is not None]
    if not powers or len(powers) < len(counted):
        return None
    measured = [at for at in moments if at >= since]
    return Total(sum(powers), min(measured, default=fetched_at))


def silent_after(*, cellular: bool) -> timedelta:
    """Return how far a part may lag the newest before it counts as gone."""
    return _SILENT_AFTER_CELLULAR if cellular else _SILENT_AFTER


def measured_together(*totals: Total) -> datetime | None:
    """Return the moment of the oldest of totals that may be combined.

    None if they are one report or more apart: changes in between would show as power
    that never flowed.
    """
    moments = [each.measured_at for each in totals]
    oldest, newest = min(moments), max(moments)
    return oldest if newest - oldest < _REPORT_PERIOD else None
