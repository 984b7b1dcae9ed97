"""A system in Home Assistant: its entities, statistics and Energy dashboard."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
import re
from typing import Final

from custom_components.enphase_cloud.coordinator.recorded import statistic_id
from custom_components.enphase_cloud.measurements.catalog import Flow

from .home_assistant import HomeAssistant, HomeAssistantError, Json
from .processes import until
from .set_up import DOMAIN

# Keys of entities that show power, with their names in the simulation's truth.
POWER: Final = {
    "current_power_production": "production",
    "current_power_consumption": "consumption",
    "net_consumption": "grid",
    "battery_discharge": "battery",
}
# Days whose hours must be imported, and the hours that this makes at least; today's
# arrive anyway.
_RECENT: Final = timedelta(days=3)
_HOURS: Final = 60


@dataclass(frozen=True, slots=True)
class System:
    """A system by its id in the cloud."""

    home_assistant: HomeAssistant
    system_id: int

    async def entities(self) -> dict[str, dict[str, str]]:
        """Return the enabled entities of the system and of the account, by key."""
        key = re.compile(rf"(?:{self.system_id}|account_[^_]+)_(.+)")
        registered = await self.home_assistant.command("config/entity_registry/list")
        return {
            found[1]: entry
            for entry in registered
            if entry["platform"] == DOMAIN
            and (found := key.fullmatch(entry["unique_id"]))
            and entry["disabled_by"] is None
        }

    async def states(self) -> dict[str, Json]:
        """Return the states of these entities by key; {} for one without a state."""
        states = await self.home_assistant.states()
        entities = await self.entities()
        return {
            key: states.get(entity["entity_id"], {}) for key, entity in entities.items()
        }

    async def press(self, key: str) -> None:
        """Press a button. Raises HomeAssistantError if it is refused."""
        entity_id = (await self.entities())[key]["entity_id"]
        await self.home_assistant.command(
            "call_service",
            domain="button",
            service="press",
            service_data={"entity_id": entity_id},
        )

    async def hourly_energy(self, flow: Flow, since: datetime) -> dict[datetime, float]:
        """Return a flow's energy [Wh] by hour from the statistics."""
        statistic = statistic_id(self.system_id, flow)
        found: Json = await self.home_assistant.command(
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

    async def until_imported(self) -> None:
        """Wait for history and the newest hours in the statistics. Raises DemoError."""

        async def is_imported() -> bool:
            recent = datetime.now(UTC) - _RECENT
            hours = [len(await self.hourly_energy(flow, recent)) for flow in Flow]
            progress = (await self.states())["history_import"]
            return min(hours) >= _HOURS and progress["state"] == "100.0"

        await until("the history import", is_imported, seconds=240)

    async def until_on_dashboard(self) -> None:
        """Wait until the system is on the Energy dashboard. Raises DemoError."""

        async def is_added() -> bool:
            with suppress(HomeAssistantError):  # Before the dashboard's first set-up.
                found: Json = await self.home_assistant.command("energy/get_prefs")
                kinds = {source["type"] for source in found["energy_sources"]}
                return kinds >= {"grid", "solar", "battery"}
            return False

        await until("the system on the Energy dashboard", is_added, seconds=240)

    async def until_accepted(self) -> None:
        """Wait until the Energy dashboard reports no problem. Raises DemoError.

        Home Assistant creates the statistics of a new sensor within five minutes.
        """

        async def is_accepted() -> bool:
            found: Json = await self.home_assistant.command("energy/validate")
            return not any(issues for kind in found.values() for issues in kind)

        await until("a valid Energy dashboard", is_accepted, seconds=320)
