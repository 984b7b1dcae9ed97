"""A system in Home Assistant: its entities, its energies, and their dashboard."""

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

# Of these days hours have come, and not days alone; of today there are hours anyway.
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
        """Return the states of these entities by key; an empty one where none is."""
        states = await self.home_assistant.states()
        entities = await self.entities()
        return {
            key: states.get(entity["entity_id"], {}) for key, entity in entities.items()
        }

    async def press(self, key: str) -> None:
        """Press a button. Raises HomeAssistantError where it refuses."""
        entity_id = (await self.entities())[key]["entity_id"]
        await self.home_assistant.command(
            "call_service",
            domain="button",
            service="press",
            service_data={"entity_id": entity_id},
        )

    async def energies(self, flow: Flow, since: datetime) -> dict[datetime, float]:
        """Return the Wh of each hour that the statistics know of a flow."""
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
        """Wait until history is there, and the newest hours are. Raises DemoError."""

        async def is_imported() -> bool:
            recent = datetime.now(UTC) - _RECENT
            told = [len(await self.energies(flow, recent)) for flow in Flow]
            progress = (await self.states())["history_import"]
            return min(told) >= _HOURS and progress["state"] == "100.0"

        await until("energies were imported", is_imported, seconds=240)

    async def until_on_dashboard(self) -> None:
        """Wait until the integration has added the system. Raises DemoError."""

        async def is_added() -> bool:
            with suppress(HomeAssistantError):  # Nobody has set up the dashboard yet.
                found: Json = await self.home_assistant.command("energy/get_prefs")
                kinds = {source["type"] for source in found["energy_sources"]}
                return kinds >= {"grid", "solar", "battery"}
            return False

        await until("the system is on the Energy dashboard", is_added, seconds=240)

    async def until_accepted(self) -> None:
        """Wait until the Energy dashboard finds nothing missing. Raises DemoError.

        Home Assistant makes statistics of a new sensor within five minutes.
        """

        async def is_accepted() -> bool:
            found: Json = await self.home_assistant.command("energy/validate")
            return not any(issues for kind in found.values() for issues in kind)

        await until("the Energy dashboard accepts it all", is_accepted, seconds=320)
