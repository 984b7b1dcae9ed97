"""Finds problems with our systems in the Energy dashboard, and their fixes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

from .sources import (
    ENERGY_FIELDS,
    MONEY,
    POWER,
    PREFIX,
    Draft,
    Kind,
    Offer,
    Preferences,
    energy_ids,
)
from .wizard import Change, Plan, Verb, complete, energy_change, handed_over


class Finding(StrEnum):
    """A problem; its value is the key of the repair."""

    DOUBLE = "dashboard_double"
    """Another sensor counts the same energy as a statistic of ours."""
    COST = "dashboard_cost"
    """There is a statistic of costs that the dashboard does not use."""
    STALE = "dashboard_stale"
    """A statistic of ours gets no rows any more."""


def diagnose(
    preferences: Preferences, offers: Sequence[Offer], is_gone: Callable[[str], bool]
) -> dict[Finding, Plan]:
    """Return the problems, each with a plan that fixes only that one.

    `is_gone` returns whether a statistic of ours will get no more rows. Raises the same
    errors as `propose`.
    """
    plans = {}
    for finding, fix in _FIXES.items():
        draft = Draft(preferences)
        if changes := tuple(fix(draft, offers, is_gone)):
            plans[finding] = Plan(draft.preferences, changes)
    return plans


def _fix_doubles(
    draft: Draft, offers: Sequence[Offer], _is_gone: Callable[[str], bool]
) -> Iterator[Change]:
    for offer in offers:
        ours = offer.energy_ids
        for source in draft.of(offer.kind):
            counted = {
                name: it
                for name, it in offer.twins_in(source).items()
                # An offer may have one direction only.
                if name in ours
                and any(
                    each is not source and each.get(name) == ours[name]
                    for each in draft.of(offer.kind)
                )
            }
            if counted:
                yield from _without(draft, offer.kind, source, counted, successor=offer)


def _fix_costs(
    draft: Draft, offers: Sequence[Offer], _is_gone: Callable[[str], bool]
) -> Iterator[Change]:
    money = [name for name, *_ in MONEY.values()]
    for offer in offers:
        if offer.kind is Kind.GRID:
            yield from complete(draft, offer, only=money)


def _fix_stale(
    draft: Draft, _offers: Sequence[Offer], is_gone: Callable[[str], bool]
) -> Iterator[Change]:
    for kind, source in list(draft.all()):
        gone = {
            name: it
            for name, it in source.items()
            if isinstance(it, str) and it.startswith(PREFIX) and is_gone(it)
        }
        lost = {name: it for name, it in gone.items() if name in ENERGY_FIELDS[kind]}
        if lost:
            yield from _without(draft, kind, source, lost)
        elif gone:
            source.update(dict.fromkeys(gone))
            if kind is Kind.DEVICE:
                source.pop("included_in_stat", None)
            yield Change(Verb.REMOVED, kind, tuple(gone.values()))


_FIXES: Mapping[
    Finding,
    Callable[[Draft, Sequence[Offer], Callable[[str], bool]], Iterator[Change]],
] = {
    Finding.DOUBLE: _fix_doubles,
    Finding.COST: _fix_costs,
    Finding.STALE: _fix_stale,
}


def _without(
    draft: Draft,
    kind: Kind,
    source: dict[str, Any],
    lost: Mapping[str, str],
    *,
    successor: Offer | None = None,
) -> Iterator[Change]:
    """Remove energy from a source, and the source with its last energy.

    Its successor then takes over the other fields that it lacks. A battery needs
    both directions of energy: if one of them remains, the battery stays unchanged.
    """
    if energy_ids(kind, source).keys() - lost.keys():
        if kind is Kind.GRID:
            for name in lost:
                source.update(dict.fromkeys((name, *MONEY[name])))
            yield energy_change(Verb.REMOVED, kind, lost)
        return
    draft.remove(kind, source)
    successors = [] if successor is None else filter(successor.is_in, draft.of(kind))
    if (inheriting := next(iter(successors), None)) is not None:
        kept = handed_over(source, kind)
        if any(inheriting.get(name) for name in POWER):
            kept = {name: it for name, it in kept.items() if name not in POWER}
        inheriting.update(
            {name: it for name, it in kept.items() if inheriting.get(name) is None}
        )
    yield energy_change(Verb.REMOVED, kind, source)
