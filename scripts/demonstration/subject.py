"""What the check looks at: one system in one Home Assistant, and its cloud."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from .cloud import Cloud
from .credentials import Credentials
from .entities import Entities
from .expected import POWERS, imbalance
from .home_assistant import HomeAssistant, Json
from .report import Report
from .set_up import DOMAIN
from .stage import Stage

# What a restart takes at most on a slow machine.
_RESTART: Final = timedelta(seconds=45)

# Home Assistant runs; what it would ask for because of its start, it asks for now.
_SETTLE_SECONDS: Final = 2


@dataclass(slots=True, kw_only=True)
class Subject:
    """A system that was set up through the flows."""

    stage: Stage
    credentials: Credentials
    entry_id: str
    system_id: int
    report: Report

    @property
    def cloud(self) -> Cloud:
        """Return the simulated cloud."""
        return self.stage.cloud

    @property
    def home_assistant(self) -> HomeAssistant:
        """Return Home Assistant."""
        return self.stage.home_assistant

    async def entities(self) -> Entities:
        """Return the system's entities as they are registered now."""
        return await Entities.find(self.home_assistant, self.system_id)

    async def calls(self) -> Counter[str]:
        """Return the calls that the cloud has counted, by operation."""
        return await self.cloud.calls(self.credentials.application.client_id)

    async def shown(self) -> dict[str, str]:
        """Return the state of each entity, by key."""
        states = await self.home_assistant.states()
        entities = await self.entities()
        return {
            key: states[entity_id]["state"] if entity_id in states else "missing"
            for key, entity_id in sorted(entities.ids.items())
        }

    async def press(self, key: str) -> None:
        """Press a button. Raises HomeAssistantError where it refuses."""
        entities = await self.entities()
        await self.home_assistant.act("button.press", entity_id=entities.ids[key])

    async def diagnostics(self) -> Json:
        """Return the diagnostics that a user can download."""
        answer: Json = await self.home_assistant.get(
            f"/api/diagnostics/config_entry/{self.entry_id}"
        )
        return answer

    async def settle_after_start(self) -> None:
        """Give what a start sets off the time to happen."""
        await asyncio.sleep(_SETTLE_SECONDS)

    async def until_nothing_is_due(self) -> None:
        """Wait until no document is due for as long as a restart takes."""
        while (due := await self._next_poll()) < datetime.now(UTC) + _RESTART:
            pause = (due - datetime.now(UTC)).total_seconds()
            await asyncio.sleep(max(1, pause + 1))

    def expect_balance(self, entities: Entities, states: dict[str, Json]) -> None:
        """Expect the powers to fit together, which only right signs do."""
        numbers = entities.numbers(states)
        self.report.expect(
            "Production, grid (+ import) and battery (+ discharge) make up consumption",
            holds=abs(imbalance(numbers)) < 1,
            found={key: numbers.get(key) for key in POWERS},
        )

    async def expect_nothing_lost(self, when: str) -> None:
        """Expect the sign-in to hold, and the ledger to know of every call."""
        entry: Json = await self.home_assistant.command(
            "config_entries/get_single", entry_id=self.entry_id
        )
        state = entry["config_entry"]["state"]
        flows: list[Json] = await self.home_assistant.command(
            "config_entries/flow/progress"
        )
        asked = [flow["context"] for flow in flows if flow["handler"] == DOMAIN]
        self.report.expect(
            f"{when} the integration is loaded and nobody is asked to sign in",
            holds=state == "loaded" and not asked,
            found=(state, asked),
        )
        used = int((await self.shown())["calls_used"])
        counted = (await self.calls()).total()
        self.report.expect(
            f"{when} the ledger knows of all {counted} calls that the cloud counted",
            holds=used >= counted,
            found=f"only {used}",
        )

    async def _next_poll(self) -> datetime:
        diagnostics = (await self.diagnostics())["data"]
        return min(
            datetime.fromisoformat(document["next_poll"])
            for system in diagnostics["systems"]
            for document in system["documents"]
            if document["next_poll"] is not None
        )
