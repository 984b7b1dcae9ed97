"""Sources and devices that the systems offer to the Energy dashboard."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final, NamedTuple

from homeassistant.components.recorder.entity_options import is_entity_recorded
from homeassistant.components.recorder.statistics import get_metadata
from homeassistant.components.sensor import DOMAIN as SENSOR
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.recorder import get_instance

from .const import DOMAIN, SUBENTRY_TARIFF
from .coordinator.device_statistics import RETURNED
from .coordinator.recorded import statistic_id
from .dashboard.sources import PREFIX, SAME_ENERGY, Kind, Offer
from .data import EnphaseCloudConfigEntry, EnphaseSystem
from .energy.recorded import EXPORT_COMPENSATION, IMPORT_COST
from .entity import unique_id
from .measurements.catalog import Flow, Measurement
from .measurements.system import DeviceKind

_ENVOY: Final = "enphase_envoy"
_APPLIANCES: Final = (DeviceKind.CHARGER, DeviceKind.HEAT_PUMP)

# The cost statistic by the direction of a tariff.
_MONEY: Final = {"import": IMPORT_COST, "export": EXPORT_COMPENSATION}
_FLOWS: Final[Mapping[Kind, Mapping[str, Flow]]] = {
    Kind.GRID: {
        "stat_energy_from": Flow.GRID_IMPORT,
        "stat_energy_to": Flow.GRID_EXPORT,
    },
    Kind.SOLAR: {"stat_energy_from": Flow.PRODUCTION},
    Kind.BATTERY: {
        "stat_energy_from": Flow.BATTERY_DISCHARGE,
        "stat_energy_to": Flow.BATTERY_CHARGE,
    },
    Kind.HOME: {"stat_energy_to": Flow.CONSUMPTION},
}
_POWERS: Final = {
    Kind.GRID: Measurement.GRID_POWER,
    Kind.SOLAR: Measurement.PRODUCTION_POWER,
    Kind.BATTERY: Measurement.BATTERY_POWER,
    Kind.HOME: Measurement.CONSUMPTION_POWER,
}
_NO_MONEY: Final = dict.fromkeys(
    (
        "stat_cost",
        "entity_energy_price",
        "number_energy_price",
        "stat_compensation",
        "entity_energy_price_export",
        "number_energy_price_export",
    )
)


class Offers(NamedTuple):
    """Offers of the loaded systems, and the names of all our statistics."""

    by_system: Mapping[int, list[Offer]]
    names: Mapping[str, str]

    @property
    def all(self) -> list[Offer]:
        """Return the offers of all systems."""
        found = [offer for each in self.by_system.values() for offer in each]
        homes = [offer for offer in found if offer.kind is Kind.HOME]
        if len(self.by_system) > 1:
            found = [offer for offer in found if offer not in homes]
        return found


async def async_offers(hass: HomeAssistant) -> Offers:
    """Return the offers: statistics that have rows, and their sensors."""
    found = await get_instance(hass).async_add_executor_job(
        partial(get_metadata, hass, statistic_source=DOMAIN)
    )
    names = {each: metadata["name"] or each for each, (_, metadata) in found.items()}
    systems, kinds = _systems(hass), _kinds()
    by_system = {}
    for entry, system in systems:
        offering = _Offering(hass, entry, system, names, is_only=len(systems) == 1)
        by_system[system.info.system_id] = [
            *filter(None, map(offering.source, kinds)),
            *offering.appliances(),
        ]
    return Offers(by_system=by_system, names=names)


def _kinds() -> list[Kind]:
    """Return the kinds of sources that this Home Assistant supports."""
    from homeassistant.components.energy import data  # noqa: PLC0415

    # Since 2026.11.
    has_home = hasattr(data, "HomeSourceType")
    return [kind for kind in _FLOWS if kind is not Kind.HOME or has_home]


def _systems(
    hass: HomeAssistant,
) -> list[tuple[EnphaseCloudConfigEntry, EnphaseSystem]]:
    entries: list[EnphaseCloudConfigEntry]
    entries = hass.config_entries.async_loaded_entries(DOMAIN)
    return [
        (entry, system)
        for entry in entries
        for system in entry.runtime_data.systems
        if system.energy is not None
    ]


class _Offering(NamedTuple):
    """The offer of one system."""

    hass: HomeAssistant
    entry: EnphaseCloudConfigEntry
    system: EnphaseSystem
    names: Mapping[str, str]
    is_only: bool

    def source(self, kind: Kind) -> Offer | None:
        """Return the source of a kind as far as its statistics have rows."""
        ids = {field: self._statistic(flow) for field, flow in _FLOWS[kind].items()}
        if not (all if kind is Kind.BATTERY else any)(ids.values()):
            return None
        source = {"type": str(kind), **ids, **self._beside(kind)}
        if (power := self._sensor(_POWERS[kind])) is not None:
            source["stat_rate"] = power
            if kind in (Kind.GRID, Kind.BATTERY):
                # Import and discharge are positive here and in the Energy dashboard.
                source["power_config"] = {"stat_rate": power}
        twins = {field: self._twins(flow) for field, flow in _FLOWS[kind].items()}
        return Offer(key=kind, kind=kind, source=source, twins=twins)

    def appliances(self) -> Iterator[Offer]:
        """Yield a device for each charger and heat pump of the system."""
        system_id = self.system.info.system_id
        prefixes = tuple(statistic_id(system_id, f"{each}_") for each in _APPLIANCES)
        for each in sorted(self.names):
            if each.startswith(prefixes) and not each.endswith(RETURNED):
                yield Offer(
                    key=each.removeprefix(PREFIX),
                    kind=Kind.DEVICE,
                    source={"stat_consumption": each},
                )

    def _beside(self, kind: Kind) -> dict[str, Any]:
        """Return further statistics of a source: costs and the level of the battery."""
        match kind:
            case Kind.GRID:
                return {
                    **_NO_MONEY,
                    "stat_cost": self._money("import"),
                    "stat_compensation": self._money("export"),
                    "cost_adjustment_day": 0.0,
                }
            case Kind.SOLAR:
                return {"config_entry_solar_forecast": None}
            case Kind.BATTERY:
                level = self._sensor(Measurement.BATTERY_LEVEL)
                capacity = self.system.board.newest().get(Measurement.BATTERY_CAPACITY)
                found = {
                    "stat_soc": level,
                    "capacity": capacity and round(float(capacity.value) / 1000, 2),
                }
                return {name: value for name, value in found.items() if value}
        return {}

    def _statistic(self, key: str) -> str | None:
        statistic = statistic_id(self.system.info.system_id, key)
        return statistic if statistic in self.names else None

    def _money(self, direction: str) -> str | None:
        """Return the cost statistic of a direction that has a tariff."""
        wanted = (str(self.system.info.system_id), direction)
        has_tariff = any(
            (str(each.data.get("system")), each.data.get("direction")) == wanted
            for each in self.entry.subentries.values()
            if each.subentry_type == SUBENTRY_TARIFF
        )
        return self._statistic(_MONEY[direction]) if has_tariff else None

    def _sensor(self, measurement: Measurement) -> str | None:
        """Return the id of a recorded sensor of the system."""
        key = unique_id(self.system.info.system_id, str(measurement.traits.sensor))
        entity_id = er.async_get(self.hass).async_get_entity_id(SENSOR, DOMAIN, key)
        if entity_id is None or self.hass.states.get(entity_id) is None:
            return None
        return entity_id if is_entity_recorded(self.hass, entity_id) else None

    def _twins(self, flow: Flow) -> frozenset[str]:
        """Return sensors of the same energy: ours, and those of Enphase Envoy."""
        owners = [(DOMAIN, str(self.system.info.system_id))]
        owners += [(_ENVOY, serial) for serial in self._envoys()]
        registry = er.async_get(self.hass)
        found = (
            registry.async_get_entity_id(SENSOR, platform, f"{owner}_{key}")
            for platform, owner in owners
            for key in SAME_ENERGY[flow]
        )
        return frozenset(filter(None, found))

    def _envoys(self) -> Iterator[str]:
        """Yield the gateways of the system that Enphase Envoy also reads."""
        gateways = {
            properties.serial_number or device.identifier
            for device, properties in self.system.board.inventory.items()
            if device.kind is DeviceKind.GATEWAY
        }
        for envoy in self.hass.config_entries.async_entries(_ENVOY):
            # Without a list of devices, assume that Envoy reads the only system.
            if (serial := envoy.unique_id) is not None and (
                serial in gateways or (self.is_only and not gateways)
            ):
                yield serial
