"""How much of the production is used at home, and of the consumption is one's own."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from ..energy.readings import HOUR, HourlyEnergies, Span
from ..measurements.catalog import Flow

# Less than that of all hours need not be known.
_LACKING: Final = 0.1
# Two meters differ by so much.
_MARGIN: Final = 0.05
# A share of next to nothing says nothing [Wh].
_LEAST: Final = 50
_NO_HOURS: Final[HourlyEnergies] = {}


class ShareOf(NamedTuple):
    """A share: what of a `whole` is no part of what `passes` by.

    What went through the battery the other way explains that more passes than there
    is: the grid filled it, or it was emptied into the grid.
    """

    whole: Flow
    passes: Flow
    explained_by: Flow


SELF_CONSUMPTION: Final = ShareOf(
    Flow.PRODUCTION, Flow.GRID_EXPORT, Flow.BATTERY_DISCHARGE
)
SELF_SUFFICIENCY: Final = ShareOf(
    Flow.CONSUMPTION, Flow.GRID_IMPORT, Flow.BATTERY_CHARGE
)


class Share(NamedTuple):
    """A share [%], and up to when it is of."""

    value: float
    until: datetime


class _Part(NamedTuple):
    """What is known of all flows together in some hours of a day, up to a moment."""

    hours: int
    until: datetime
    energies: Mapping[Flow, int]


def share_of_days(
    share: ShareOf, hours: Mapping[Flow, HourlyEnergies], days: Sequence[Span]
) -> Share | None:
    """Return a share of days in a row, up to the last hour known of both flows.

    None where a tenth or more of the hours up to then are not known, where there was
    next to nothing to share, or where meters contradict each other.
    """
    parts = [part for day in days for part in _parts(share, hours, day)]
    if not parts:
        return None
    until = max(part.until for part in parts)
    elapsed = (until - days[0].start) // HOUR
    if sum(part.hours for part in parts) < elapsed * (1 - _LACKING):
        return None
    whole, passes, explained = (
        sum(part.energies[flow] for part in parts)
        for flow in (share.whole, share.passes, share.explained_by)
    )
    if whole < _LEAST or passes - explained > whole * (1 + _MARGIN):
        return None
    return Share(100 * max(0, 1 - passes / whole), until)


def is_complete(share: Share | None, day: Span) -> bool:
    """Tell whether a share is of so much of a day that it is the day's."""
    if share is None:
        return False
    return share.until >= day.start + day.length * (1 - _LACKING)


def stale_after(share: ShareOf, *, cellular: bool) -> timedelta:
    """Return how long a share of a day that goes on may be shown.

    In the dark nothing is produced, and often nothing told of it.
    """
    hours = 12 if share is SELF_CONSUMPTION else 6
    return (hours + 6 * cellular) * HOUR


def day_total(energies: HourlyEnergies, day: Span) -> int | None:
    """Return the energy of a day [Wh], None unless it is known as a whole."""
    told = [energies[hour] for hour in day.hours if hour in energies]
    if any(each.day is not None for each in told) or (
        told and len(told) == sum(1 for _ in day.hours)
    ):
        return sum(each.energy for each in told)
    return None


def _parts(
    share: ShareOf, hours: Mapping[Flow, HourlyEnergies], day: Span
) -> Iterator[_Part]:
    """Yield what is known of a day: the whole of it, or the hours known of both."""
    flows = {flow: hours.get(flow, _NO_HOURS) for flow in (share.whole, share.passes)}
    others = hours.get(share.explained_by, _NO_HOURS)
    every = list(day.hours)
    totals = {flow: day_total(energies, day) for flow, energies in flows.items()}
    known = {flow: total for flow, total in totals.items() if total is not None}
    if len(known) == len(flows):
        explained = sum(others[hour].energy for hour in every if hour in others)
        energies = {**known, share.explained_by: explained}
        yield _Part(len(every), day.start + day.length, energies)
        return
    for hour in every:
        told = {flow: each.get(hour) for flow, each in flows.items()}
        sure = {
            flow: each.energy
            for flow, each in told.items()
            if each is not None and each.day is None
        }
        if len(sure) == len(flows):
            explained = others[hour].energy if hour in others else 0
            yield _Part(1, hour + HOUR, {**sure, share.explained_by: explained})
