"""Self-consumption and self-sufficiency."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from ..energy.readings import HOUR, EnergyByHour, Span
from ..measurements.catalog import Flow

# The share of the hours that may be unknown.
_LACKING: Final = 0.1
# The relative difference of two meters.
_MARGIN: Final = 0.05
# Below this energy [Wh] a share is meaningless.
_LEAST: Final = 50
_NO_HOURS: Final[EnergyByHour] = {}


class ShareOf(NamedTuple):
    """A share: the part of `whole` that is not exchanged with the grid (`passes`).

    `passes` may exceed `whole` by the energy of `explained_by`: when the battery is
    charged from the grid or discharged into it.
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
    """A share [%], and the end of the last hour in it."""

    value: float
    until: datetime


class _Part(NamedTuple):
    """The energy [Wh] of all flows in a number of hours of a day, up to a moment."""

    hours: int
    until: datetime
    energy: Mapping[Flow, int]


def share_of_days(
    share: ShareOf, hours: Mapping[Flow, EnergyByHour], days: Sequence[Span]
) -> Share | None:
    """Return a share of consecutive days, up to the last hour known of both flows.

    None if more than a tenth of the hours up to then are unknown, if there is almost no
    energy, or if meters contradict each other.
    """
    parts = [part for day in days for part in _parts(share, hours, day)]
    if not parts:
        return None
    until = max(part.until for part in parts)
    elapsed = (until - days[0].start) // HOUR
    if sum(part.hours for part in parts) < elapsed * (1 - _LACKING):
        return None
    whole, passes, explained = (
        sum(part.energy[flow] for part in parts)
        for flow in (share.whole, share.passes, share.explained_by)
    )
    if whole < _LEAST or passes - explained > whole * (1 + _MARGIN):
        return None
    return Share(100 * max(0, 1 - passes / whole), until)


def is_complete(share: Share | None, day: Span) -> bool:
    """Return whether a share covers enough of a day to be that of the day."""
    if share is None:
        return False
    return share.until >= day.start + day.length * (1 - _LACKING)


def stale_after(share: ShareOf, *, cellular: bool) -> timedelta:
    """Return how long after its last hour a share of the current day is valid.

    In the dark nothing is produced, and often nothing reported.
    """
    hours = 12 if share is SELF_CONSUMPTION else 6
    return (hours + 6 * cellular) * HOUR


def day_total(energy: EnergyByHour, day: Span) -> int | None:
    """Return the energy of a day [Wh], None unless all of it is known."""
    hours = list(day.hours)
    found = [energy[hour] for hour in hours if hour in energy]
    is_whole = any(each.day is not None for each in found) or len(found) == len(hours)
    return sum(each.energy for each in found) if found and is_whole else None


def _parts(
    share: ShareOf, hours: Mapping[Flow, EnergyByHour], day: Span
) -> Iterator[_Part]:
    """Yield all of a day if it is known, else each hour that is known of both flows."""
    flows = {flow: hours.get(flow, _NO_HOURS) for flow in (share.whole, share.passes)}
    others = hours.get(share.explained_by, _NO_HOURS)
    every = list(day.hours)
    totals = {flow: day_total(energy, day) for flow, energy in flows.items()}
    known = {flow: total for flow, total in totals.items() if total is not None}
    if len(known) == len(flows):
        explained = sum(others[hour].energy for hour in every if hour in others)
        whole = {**known, share.explained_by: explained}
        yield _Part(len(every), day.start + day.length, whole)
        return
    for hour in every:
        energy = {
            flow: each[hour].energy
            for flow, each in {**flows, share.explained_by: others}.items()
            if hour in each and each[hour].day is None
        }
        if flows.keys() <= energy.keys():
            yield _Part(1, hour + HOUR, {share.explained_by: 0, **energy})
