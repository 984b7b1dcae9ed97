"""What is wrong with our systems in the Energy dashboard, and what mends it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

from .sources import (
    ENERGIES,
    MONEY,
    POWER,
    PREFIX,
    Draft,
    Kind,
    Offer,
    Preferences,
    energies,
)
from .wizard import Change, Plan, Verb, complete, energies_change, handed_over


class Finding(StrEnum):
    """What may be wrong; also the key of its repair."""

    DOUBLE = "dashboard_double"
    """An energy of ours is counted by another sensor, too."""
    COST = "dashboard_cost"
    """The money of an energy is known, but not shown."""
    STALE = "dashboard_stale"
    """A statistic of ours does not come any more."""


def diagnose(
    preferences: Preferences, offers: Sequence[Offer], is_gone: Callable[[str], bool]
) -> dict[Finding, Plan]:
    """Return what is wrong, each with the plan that mends it and nothing else.

    `is_gone` tells of an id of ours whether it will get no rows any more. Raises as
    `propose` does where preferences have another shape than foreseen.
    """
    plans = {}
    for finding, mend in _CURES.items():
        draft = Draft(preferences)
        if changes := tuple(mend(draft, offers, is_gone)):
            plans[finding] = Plan(draft.preferences, changes)
    return plans


def _mend_doubles(
    draft: Draft, offers: Sequence[Offer], _is_gone: Callable[[str], bool]
) -> Iterator[Change]:
    for offer in offers:
        for source in draft.of(offer.kind):
            twins = offer.twins_in(source)
            counted = {
                name: it
                for name, it in twins.items()
                if any(
                    each is not source and each.get(name) == offer.energies.get(name)
                    for each in draft.of(offer.kind)
                )
            }
            if counted:
                yield from _without(draft, offer.kind, source, counted, heir=offer)


def _mend_costs(
    draft: Draft, offers: Sequence[Offer], _is_gone: Callable[[str], bool]
) -> Iterator[Change]:
    money = [name for name, *_ in MONEY.values()]
    for offer in offers:
        if offer.kind is Kind.GRID:
            yield from complete(draft, offer, only=money)


def _mend_stale(
    draft: Draft, _offers: Sequence[Offer], is_gone: Callable[[str], bool]
) -> Iterator[Change]:
    for kind, source in list(draft.all()):
        gone = {
            name: it
            for name, it in source.items()
            if isinstance(it, str) and it.startswith(PREFIX) and is_gone(it)
        }
        if lost := {name: it for name, it in gone.items() if name in ENERGIES[kind]}:
            yield from _without(draft, kind, source, lost)
        elif gone:
            source.update(dict.fromkeys(gone))
            if kind is Kind.DEVICE:
                source.pop("included_in_stat", None)
            yield Change(Verb.REMOVED, kind, tuple(gone.values()))


_CURES: Mapping[
    Finding,
    Callable[[Draft, Sequence[Offer], Callable[[str], bool]], Iterator[Change]],
] = {
    Finding.DOUBLE: _mend_doubles,
    Finding.COST: _mend_costs,
    Finding.STALE: _mend_stale,
}


def _without(
    draft: Draft,
    kind: Kind,
    source: dict[str, Any],
    lost: Mapping[str, str],
    *,
    heir: Offer | None = None,
) -> Iterator[Change]:
    """Take energies out of a source; it goes with its last one.

    What else it has is then handed over to the source of ours, as far as that lacks it.
    A battery must have both energies: with another one beside, it stays as it is.
    """
    if energies(kind, source).keys() - lost.keys():
        if kind is Kind.GRID:
            for name in lost:
                source.update(dict.fromkeys((name, *MONEY[name])))
            yield energies_change(Verb.REMOVED, kind, lost)
        return
    draft.remove(kind, source)
    if heir is not None:
        inheriting = next(filter(heir.is_in, draft.of(kind)))
        kept = handed_over(source, kind)
        if any(inheriting.get(name) for name in POWER):
            kept = {name: it for name, it in kept.items() if name not in POWER}
        inheriting.update(
            {name: it for name, it in kept.items() if inheriting.get(name) is None}
        )
    yield energies_change(Verb.REMOVED, kind, source)
