"""Home Assistant's Energy dashboard, set up as docs/energy-dashboard.md says."""

from typing import Any, Final

from custom_components.enphase_cloud.coordinator.statistics import statistic_id
from custom_components.enphase_cloud.energy.readings import Flow

from .entities import Entities
from .home_assistant import HomeAssistant, Json

_PARTS: Final = ("energy_sources", "device_consumption")


async def configure(home_assistant: HomeAssistant, system_id: int) -> None:
    """Choose the statistics and power sensors of a system with a battery."""
    entities = await Entities.find(home_assistant, system_id)
    await home_assistant.command(
        "energy/save_prefs", energy_sources=_sources(system_id, entities)
    )


async def complaints(home_assistant: HomeAssistant) -> list[Any]:
    """Return what the dashboard's own validator has to say against the choice."""
    found: Json = await home_assistant.command("energy/validate")
    return [issue for kind in _PARTS for source in found[kind] for issue in source]


def _sources(system_id: int, entities: Entities) -> list[Json]:
    def statistic(flow: Flow) -> str:
        return statistic_id(system_id, flow)

    return [
        {
            "type": "grid",
            "stat_energy_from": statistic(Flow.GRID_IMPORT),
            "stat_energy_to": statistic(Flow.GRID_EXPORT),
            "stat_rate": entities.ids["net_consumption"],
            "stat_cost": None,
            "entity_energy_price": None,
            "number_energy_price": None,
            "stat_compensation": None,
            "entity_energy_price_export": None,
            "number_energy_price_export": None,
            "cost_adjustment_day": 0.0,
        },
        {
            "type": "solar",
            "stat_energy_from": statistic(Flow.PRODUCTION),
            "stat_rate": entities.ids["current_power_production"],
            "config_entry_solar_forecast": None,
        },
        {
            "type": "battery",
            "stat_energy_from": statistic(Flow.BATTERY_DISCHARGE),
            "stat_energy_to": statistic(Flow.BATTERY_CHARGE),
            "stat_rate": entities.ids["battery_discharge"],
            "stat_soc": entities.ids["battery_level"],
        },
    ]
