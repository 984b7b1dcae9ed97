"""The sources of the Energy dashboard in Home Assistant's energy preferences."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from ..measurements.catalog import Flow

type Source = Mapping[str, Any]
type Preferences = Mapping[str, Any]

PREFIX: Final = "enphase_cloud:"
"""The beginning of our statistic ids."""


class Kind(StrEnum):
    """A kind of source: its type in the preferences, or an individual device."""

    GRID = "grid"
    SOLAR = "solar"
    BATTERY = "battery"
    HOME = "home"
    DEVICE = "device"


ENERGY_FIELDS: Final[Mapping[Kind, tuple[str, ...]]] = {
    Kind.GRID: ("stat_energy_from", "stat_energy_to"),
    Kind.SOLAR: ("stat_energy_from",),
    Kind.BATTERY: ("stat_energy_from", "stat_energy_to"),
    Kind.HOME: ("stat_energy_to",),
    Kind.DEVICE: ("stat_consumption",),
}
"""The fields of each kind that contain statistic ids of energy."""

MONEY: Final[Mapping[str, tuple[str, ...]]] = {
    "stat_energy_from": ("stat_cost", "entity_energy_price", "number_energy_price"),
    "stat_energy_to": (
        "stat_compensation",
        "entity_energy_price_export",
        "number_energy_price_export",
    ),
}
"""The fields of money of each energy field of the grid; the statistic is the first."""

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
"""The keys of sensors that count a flow, of this integration and of Enphase Envoy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A source that one of our systems can add to the dashboard.

    `key` identifies it within the system. `twins` are the ids of sensors that count the
    same energy, by field: the dashboard may use them instead of ours, not as well.
    """

    key: str
    kind: Kind
    source: Source
    twins: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def money(self) -> list[str]:
        """Return the fields of money that have a statistic."""
        return [name for name, *_ in MONEY.values() if self.source.get(name)]

    @property
    def energy_ids(self) -> dict[str, str]:
        """Return the statistic ids of energy by field."""
        return energy_ids(self.kind, self.source)

    def is_in(self, source: Source) -> bool:
        """Return whether a source of the kind has a statistic of this offer."""
        return not {*self.energy_ids.values()}.isdisjoint(
            energy_ids(self.kind, source).values()
        )

    def twins_in(self, source: Source) -> dict[str, str]:
        """Return the ids in a source that count the same energy as ours, by field."""
        return {
            name: it
            for name, it in energy_ids(self.kind, source).items()
            if it in self.twins.get(name, ())
        }


class Draft:
    """A copy of preferences that can be changed."""

    def __init__(self, preferences: Preferences) -> None:
        """Copy; raises KeyError or TypeError where preferences have another shape."""
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
        """Return the sources of a kind, which may be changed in place."""
        if kind is Kind.DEVICE:
            return list(self._devices)
        return [each for each in self._sources if each["type"] == kind]

    def all(self) -> Iterator[tuple[Kind, dict[str, Any]]]:
        """Yield all sources of known kinds with their kind."""
        for kind in Kind:
            for source in self.of(kind):
                yield kind, source

    def add(self, kind: Kind, source: Source) -> None:
        """Add a source at the end."""
        self._list(kind).append(dict(source))

    def put(self, kind: Kind, old: Source, new: Source) -> None:
        """Replace a source at its position."""
        sources = self._list(kind)
        sources[_position(sources, old)] = dict(new)

    def remove(self, kind: Kind, source: Source) -> None:
        """Remove a source."""
        sources = self._list(kind)
        del sources[_position(sources, source)]

    def _list(self, kind: Kind) -> list[dict[str, Any]]:
        return self._devices if kind is Kind.DEVICE else self._sources


def energy_ids(kind: Kind, source: Source) -> dict[str, str]:
    """Return the statistic ids of energy in a source, by field."""
    ids = {name: source.get(name) for name in ENERGY_FIELDS[kind]}
    return {name: it for name, it in ids.items() if it is not None}


def _position(sources: list[dict[str, Any]], source: Source) -> int:
    # By identity, for two sources may be equal.
    return next(number for number, each in enumerate(sources) if each is source)
