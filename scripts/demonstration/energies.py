"""Energies in Home Assistant: statistics, and the dashboard that shows them."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from custom_components.enphase_cloud.coordinator.statistics import statistic_id
from custom_components.enphase_cloud.measurements.catalog import Flow

from .home_assistant import HomeAssistant, Json
from .processes import until
from .set_up import entities_of

# Hours of today have come, not only the day before.
_RECENT: Final = timedelta(hours=6)
_UNUSED: Final = (
    "stat_cost",
    "entity_energy_price",
    "number_energy_price",
    "stat_compensation",
    "entity_energy_price_export",
    "number_energy_price_export",
)


async def told_energies(
    home_assistant: HomeAssistant, system_id: int, flow: Flow, since: datetime
) -> dict[datetime, float]:
    """Return the Wh of each hour that the statistics know of a flow."""
    statistic = statistic_id(system_id, flow)
    found: Json = await home_assistant.command(
        "recorder/statistics_during_period",
        start_time=since.isoformat(),
        statistic_ids=[statistic],
        period="hour",
        types=["change"],
        units={"energy": "Wh"},
    )
    return {
        datetime.fromtimestamp(row["start"] / 1000, UTC): row["change"]
        for row in found.get(statistic, [])
    }


async def until_imported(home_assistant: HomeAssistant, system_id: int) -> None:
    """Wait until history is there, and the newest hours are. Raises DemoError."""
    entities = await entities_of(home_assistant, system_id)
    progress = entities["history_import"]["entity_id"]

    async def is_imported() -> bool:
        recent = datetime.now(UTC) - _RECENT
        told = [
            await told_energies(home_assistant, system_id, flow, recent)
            for flow in Flow
        ]
        states = await home_assistant.states()
        return all(told) and states[progress]["state"] == "100.0"

    await until("energies were imported", is_imported, seconds=240)


async def configure_dashboard(home_assistant: HomeAssistant, system_id: int) -> None:
    """Choose what docs/energy-dashboard.md says for a system with a battery."""
    entities = await entities_of(home_assistant, system_id)

    def source(kind: str, power: str, **fields: Any) -> Json:
        return {"type": kind, "stat_rate": entities[power]["entity_id"], **fields}

    def statistics(start: Flow, end: Flow) -> dict[str, str]:
        return {
            "stat_energy_from": statistic_id(system_id, start),
            "stat_energy_to": statistic_id(system_id, end),
        }

    grid = source(
        "grid",
        "net_consumption",
        **statistics(Flow.GRID_IMPORT, Flow.GRID_EXPORT),
        **dict.fromkeys(_UNUSED),
        cost_adjustment_day=0.0,
    )
    solar = source(
        "solar",
        "current_power_production",
        stat_energy_from=statistic_id(system_id, Flow.PRODUCTION),
        config_entry_solar_forecast=None,
    )
    battery = source(
        "battery",
        "battery_discharge",
        **statistics(Flow.BATTERY_DISCHARGE, Flow.BATTERY_CHARGE),
        stat_soc=entities["battery_level"]["entity_id"],
    )
    await home_assistant.command(
        "energy/save_prefs", energy_sources=[grid, solar, battery]
    )


async def until_accepted(home_assistant: HomeAssistant) -> None:
    """Wait until the Energy dashboard finds nothing missing. Raises DemoError.

    Home Assistant makes statistics of a new sensor within five minutes.
    """

    async def is_accepted() -> bool:
        found: Json = await home_assistant.command("energy/validate")
        return not any(issues for kind in found.values() for issues in kind)

    await until("the Energy dashboard accepts it all", is_accepted, seconds=320)
