"""The sources of the Energy dashboard, as Home Assistant's preferences have them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from ..measurements.catalog import Flow

type Source = Mapping[str, Any]
type Preferences = Mapping[str, Any]

PREFIX: Final = "enphase_cloud:"
"""What the ids of our statistics begin with."""


class Kind(StrEnum):
    """A kind of source: its type in the preferences, but for individual devices."""

    GRID = "grid"
    SOLAR = "solar"
    BATTERY = "battery"
    HOME = "home"
    DEVICE = "device"


ENERGIES: Final[Mapping[Kind, tuple[str, ...]]] = {
    Kind.GRID: ("stat_energy_from", "stat_energy_to"),
    Kind.SOLAR: ("stat_energy_from",),
    Kind.BATTERY: ("stat_energy_from", "stat_energy_to"),
    Kind.HOME: ("stat_energy_to",),
    Kind.DEVICE: ("stat_consumption",),
}
"""The fields of each kind with the statistics of its energies."""

MONEY: Final[Mapping[str, tuple[str, ...]]] = {
    "stat_energy_from": ("stat_cost", "entity_energy_price", "number_energy_price"),
    "stat_energy_to": (
        "stat_compensation",
        "entity_energy_price_export",
        "number_energy_price_export",
    ),
}
"""What belongs to an energy of the grid; first the statistic of its money."""

POWER: Final = ("stat_rate", "power_config")

SAME_ENERGY: Final[Mapping[Flow, tuple[str, ...]]] = {
    Flow.PRODUCTION: (
        "daily_production",
        "lifetime_production",
        "production_ct_energy_delivered",
    ),
    Flow.CONSUMPTION: ("daily_consumption", "lifetime_consumption"),
    Flow.GRID_IMPORT: (
        "daily_grid_import",
        "lifetime_grid_import",
        "lifetime_net_consumption",
    ),
    Flow.GRID_EXPORT: (
        "daily_grid_export",
        "lifetime_grid_export",
        "lifetime_net_production",
    ),
    Flow.BATTERY_CHARGE: ("daily_battery_charged", "lifetime_battery_charged"),
    Flow.BATTERY_DISCHARGE: (
        "daily_battery_discharged",
        "lifetime_battery_discharged",
    ),
}
"""The keys of sensors that count a flow, of ours and of the Enphase Envoy's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A source of a system of ours.

    `key` is its name among those of the system. `twins` are the ids of sensors that
    count the same energy, by its field; some may be used instead of ours, none beside.
    """

    key: str
    kind: Kind
    source: Source
    twins: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def money(self) -> list[str]:
        """Return the fields of its money that there are."""
        return [name for name, *_ in MONEY.values() if self.source.get(name)]

    @property
    def energies(self) -> dict[str, str]:
        """Return the ids of the energies that there are, by field."""
        return energies(self.kind, self.source)

    def is_in(self, source: Source) -> bool:
        """Tell whether a source of the kind has an energy of ours, in any field."""
        return not {*self.energies.values()}.isdisjoint(
            energies(self.kind, source).values()
        )

    def twins_in(self, source: Source) -> dict[str, str]:
        """Return the energies of a source that are the same as ours, by field."""
        return {
            name: it
            for name, it in energies(self.kind, source).items()
            if it in self.twins.get(name, ())
        }


class Draft:
    """Preferences in the course of a change; those it is made from stay as they are."""

    def __init__(self, preferences: Preferences) -> None:
        """Begin with what is there; raises where it has another shape than foreseen."""
        self._rest = dict(preferences)
        self._sources = [dict(each) for each in preferences["energy_sources"]]
        self._devices = [dict(each) for each in preferences["device_consumption"]]

    @property
    def preferences(self) -> dict[str, Any]:
        """Return the preferences with all changes."""
        return {
            **self._rest,
            "energy_sources": self._sources,
            "device_consumption": self._devices,
        }

    def of(self, kind: Kind) -> list[dict[str, Any]]:
        """Return the sources of a kind, to be changed in place."""
        if kind is Kind.DEVICE:
            return list(self._devices)
        return [each for each in self._sources if each["type"] == kind]

    def all(self) -> Iterator[tuple[Kind, dict[str, Any]]]:
        """Yield all sources whose kind is known, with their kind."""
        for kind in Kind:
            for source in self.of(kind):
                yield kind, source

    def add(self, kind: Kind, source: Source) -> None:
        """Add a source at the end."""
        self._list(kind).append(dict(source))

    def put(self, kind: Kind, old: Source, new: Source) -> None:
        """Put a source where another one is."""
        sources = self._list(kind)
        sources[_position(sources, old)] = dict(new)

    def remove(self, kind: Kind, source: Source) -> None:
        """Remove a source."""
        sources = self._list(kind)
        del sources[_position(sources, source)]

    def _list(self, kind: Kind) -> list[dict[str, Any]]:
        return self._devices if kind is Kind.DEVICE else self._sources


def energies(kind: Kind, source: Source) -> dict[str, str]:
    """Return the ids of the energies of a source, by field."""
    return {name: it for name in ENERGIES[kind] if (it := source.get(name)) is not None}


def _position(sources: list[dict[str, Any]], source: Source) -> int:
    # Two may be equal.
    return next(number for number, each in enumerate(sources) if each is source)
