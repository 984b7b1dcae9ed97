"""Plans the changes that add our systems to the Energy dashboard."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

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

type Choices = Mapping[Kind, Choice]


class Choice(StrEnum):
    """What to do with foreign sources of a kind that may count the same energy."""

    SKIP = "skip"
    KEEP_BOTH = "keep_both"
    REPLACE = "replace"


class Verb(StrEnum):
    """What happens to a source."""

    ADDED = "added"
    COMPLETED = "completed"
    REMOVED = "removed"
    LEFT_ALONE = "left_alone"


class Change(NamedTuple):
    """What happens to a source of a kind.

    `values` are the ids that are added, or the energy ids that are removed or stay; for
    a battery also its capacity as a text.
    """

    verb: Verb
    kind: Kind
    values: tuple[str, ...]


class Plan(NamedTuple):
    """The new preferences, and the changes in them."""

    preferences: dict[str, Any]
    changes: tuple[Change, ...]

    @property
    def is_change(self) -> bool:
        """Return whether the preferences change."""
        return any(each.verb is not Verb.LEFT_ALONE for each in self.changes)

    @property
    def conflicts(self) -> list[Kind]:
        """Return the kinds whose foreign sources prevent adding ours."""
        kinds = {each.kind for each in self.changes if each.verb is Verb.LEFT_ALONE}
        return [kind for kind in Kind if kind in kinds]


def propose(
    preferences: Preferences, offers: Sequence[Offer], choices: Choices | None = None
) -> Plan:
    """Return a plan that adds all offers to the preferences.

    Empty fields of sources with our statistics are filled, other fields stay. Foreign
    sources prevent adding ours unless `choices` says otherwise for the kind. Raises
    KeyError, TypeError or AttributeError where preferences have another shape.
    """
    draft, chosen = Draft(preferences), choices or {}
    changes: list[Change] = []
    for offer in offers:
        if any(map(offer.is_in, draft.of(offer.kind))):
            changes += complete(draft, offer)
            continue
        rivals = list(_rivals(draft, offer, offers))
        choice = chosen.get(offer.kind, Choice.SKIP)
        if rivals and choice is Choice.REPLACE:
            changes += _replace(draft, offer, rivals)
        elif rivals and (choice is Choice.SKIP or offer.kind is Kind.HOME):
            changes.append(energy_change(Verb.LEFT_ALONE, offer.kind, *rivals))
        else:
            source = _fitting(draft, offer)
            draft.add(offer.kind, source)
            changes.append(_change(Verb.ADDED, offer.kind, source))
    return Plan(draft.preferences, tuple(dict.fromkeys(changes)))


def complete(
    draft: Draft, offer: Offer, only: Collection[str] | None = None
) -> Iterator[Change]:
    """Fill the empty fields of the sources that have statistics of the offer."""
    for source in filter(offer.is_in, draft.of(offer.kind)):
        fitting = _fitting(draft, offer)
        has_power = any(source.get(name) for name in POWER)
        added = {
            name: value
            for name, value in fitting.items()
            if value
            and not source.get(name)
            and not (has_power and name in POWER)
            and (only is None or name in only)
        }
        for energy, (money, *_) in MONEY.items():
            # Our costs are of our energy, not of a foreign statistic.
            if {**source, **added}.get(energy) != offer.source.get(energy):
                added.pop(money, None)
        if added:
            source.update(added)
            yield _change(Verb.COMPLETED, offer.kind, added)


def handed_over(source: Mapping[str, Any], kind: Kind) -> dict[str, Any]:
    """Return the fields of a source that are neither energy nor money."""
    money = {name for each in MONEY.values() for name in each}
    own = {"type", *ENERGY_FIELDS[kind], *money}
    return {
        name: value
        for name, value in source.items()
        if name not in own and value is not None
    }


def _rivals(
    draft: Draft, offer: Offer, offers: Sequence[Offer]
) -> Iterator[dict[str, Any]]:
    """Yield the foreign sources that count, or may count, the same energy as ours."""
    foreign = [each for each in draft.of(offer.kind) if not _is_ours(each, offer.kind)]
    if offer.kind is Kind.HOME:
        yield from draft.of(offer.kind)
    elif twins := [each for each in foreign if offer.twins_in(each)]:
        yield from twins
    elif offer.kind is not Kind.DEVICE:
        others = [each for each in offers if each.kind is offer.kind]
        for source in foreign:
            if not any(each.twins_in(source) for each in others):
                yield source


def _is_ours(source: Mapping[str, Any], kind: Kind) -> bool:
    ids = energy_ids(kind, source).values()
    return any(str(each).startswith(PREFIX) for each in ids)


def _fitting(draft: Draft, offer: Offer) -> dict[str, Any]:
    """Return the offered source without ids that other sources of its kind have."""
    used = {
        value
        for source in draft.of(offer.kind)
        for name, value in source.items()
        if name != "type" and isinstance(value, str)
    }
    dropped = {
        name
        for name, value in offer.source.items()
        if isinstance(value, str) and value in used
    }
    if dropped.intersection(POWER):
        dropped |= {*POWER}
    return {name: it for name, it in offer.source.items() if name not in dropped}


def _replace(
    draft: Draft, offer: Offer, rivals: list[dict[str, Any]]
) -> Iterator[Change]:
    """Replace the first rival by our source with its other fields; remove the rest."""
    first, *others = rivals
    kept = handed_over(first, offer.kind)
    source = dict(offer.source)
    if any(name in kept for name in POWER):
        source = {name: it for name, it in source.items() if name not in POWER}
    draft.put(offer.kind, first, {**source, **kept})
    for other in others:
        draft.remove(offer.kind, other)
    yield energy_change(Verb.REMOVED, offer.kind, *rivals)
    yield _change(Verb.ADDED, offer.kind, {**source, **kept})


def energy_change(verb: Verb, kind: Kind, *sources: Mapping[str, Any]) -> Change:
    """Return a change with the energy ids of sources."""
    return _change(verb, kind, *(energy_ids(kind, source) for source in sources))


def _change(verb: Verb, kind: Kind, *sources: Mapping[str, Any]) -> Change:
    values = [
        f"{value:g} kWh" if name == "capacity" else value
        for source in sources
        for name, value in source.items()
        if name.startswith("stat_") or name == "capacity"
    ]
    return Change(verb, kind, tuple(dict.fromkeys(filter(None, values))))
