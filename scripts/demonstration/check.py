"""`scripts/demo --check`: compare what Home Assistant shows with what is true."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
import re
from typing import Any, Final

from custom_components.enphase_cloud.energy.readings import HOUR, top_of_hour
from custom_components.enphase_cloud.measurements.catalog import Flow
from simulator.demo import OWNER

from .command_line import DemoError
from .home_assistant import Json
from .processes import until
from .set_up import DOMAIN, add_integration, choose_options, systems_of
from .stage import Stage, temporary_stage
from .system import System

# Statistics are imported in the background, with calls at a time of their own.
_NO_ENERGY: Final = {"energy_updates": 0, "history": "none"}
_ENERGY: Final = {"energy_updates": 1, "history": "day"}
# The shortest stream.
_LIVE: Final = {
    "streams_per_month": 100,
    "live_bursts": False,
    "burst_length": 30,
    "publish_interval": 1,
}
# What entities show, as the physical truth and as frames of live data call it.
_SHOWN: Final = {
    "current_power_production": {"production", "pv_power"},
    "current_power_consumption": {"consumption", "consumption_power"},
    "net_consumption": {"grid", "grid_power"},
    "battery_discharge": {"battery", "battery_power"},
    "battery_level": {"soc", "battery_soc"},
}
_FACTORS: Final = {"kW": 1e3}
_ROUNDING: Final = 0.5
# The cloud corrects hours for some time.
_SETTLES_AFTER: Final = timedelta(hours=6)
_TOLERANCE: Final = 0.001
# Home Assistant says this of every custom integration.
_NOT_TESTED: Final = f"We found a custom integration {DOMAIN} which has not been tested"
_RECORD: Final = re.compile(r"^(?=\d{4}-\d\d-\d\d \S+ [A-Z]+ )", re.MULTILINE)
_BAD: Final = re.compile(r"\S+ \S+ (WARNING|ERROR|CRITICAL) ")


async def check() -> None:
    """Walk the flows in a folder of its own. Raises DemoError unless all is well."""
    async with temporary_stage() as stage:
        entry = await add_integration(stage.home_assistant)
        await choose_options(stage.home_assistant, entry, energy=_NO_ENERGY)
        (system_id,) = systems_of(OWNER)
        checked = _Check(stage, entry, System(stage.home_assistant, system_id))
        await checked.polled_values()
        await checked.live_stream()
        await checked.energies()
        checked.log()
        if checked.failures:
            raise DemoError("Not as it should be:\n" + "\n".join(checked.failures))
    print("\nAll is as the simulation's truth says.")


@dataclass(slots=True)
class _Check:
    """One system in one Home Assistant, and its cloud."""

    stage: Stage
    entry: Json
    system: System
    failures: list[str] = field(default_factory=list)

    async def polled_values(self) -> None:
        """Press “Refresh now”; powers are those that really flowed when measured."""
        wrong: list[object] = []
        # A new report may come in between.
        for _ in range(2):
            await self.system.press("refresh")
            known = await self._truth()
            true = (await self._truth(at=known["measured_at"]))["power_w"]
            reported = (await self._truth(at=known["last_report_at"]))["power_w"]
            true["soc"] = reported["soc"]
            if not (wrong := await self._differing(true)):
                break
        self._expect("Polled values are true", wrong)
        missing = [
            key for key, state in (await self.system.states()).items() if not state
        ]
        self._expect("All entities have a state", missing)

    async def live_stream(self) -> None:
        """Press “Start live session”; values change, and end as the last frame says."""
        cloud = self.stage.cloud
        await choose_options(self.stage.home_assistant, self.entry, live=_LIVE)
        moves: set[str] = set()

        async def is_open() -> bool:
            # While the options take effect, nobody listens to the button.
            await self.system.press("start_live_stream")
            return bool(await cloud.streams())

        async def has_ended() -> bool:
            states = await self.system.states()
            moves.add(states["current_power_consumption"].get("state", ""))
            is_off = states["live_stream"].get("state") == "off"
            return is_off and await cloud.has_ended_streaming()

        await until("a live stream is open", is_open)
        await until("live data has ended", has_ended, seconds=90)
        frames = await cloud.frames(self.system.system_id)
        wrong = await self._differing(frames[-1])
        self._expect(f"The last of {len(frames)} live frames is shown", wrong)
        self._expect("Values change in the stream", [] if len(moves) > 1 else [moves])

    async def energies(self) -> None:
        """Wish for history; the hours of the last week are as they flowed."""
        await choose_options(self.stage.home_assistant, self.entry, energy=_ENERGY)
        await self.system.until_imported()
        end = top_of_hour(datetime.now(UTC) - _SETTLES_AFTER)
        start = end - timedelta(days=6)
        for flow in Flow:
            told = await self.system.energies(flow, start)
            hours = {hour: told[hour] for hour in told if hour < end}
            # The simulation names flows by their last word.
            answer = await self._truth(
                flow=flow.split("_")[-1], start=start.isoformat(), end=end.isoformat()
            )
            found, true = sum(hours.values()), answer["energy_wh"]
            is_true = abs(found - true) <= _TOLERANCE * true
            self._expect(
                f"{len(hours)} hours of {flow}: {found / 1000:.1f} kWh as they flowed",
                [] if is_true and len(hours) == (end - start) / HOUR else [true],
            )

    def log(self) -> None:
        """Look for complaints."""
        log = self.stage.home_assistant_program.log.read_text(errors="replace")
        complaints = [
            record
            for record in _RECORD.split(log)
            if _BAD.match(record) and DOMAIN in record and _NOT_TESTED not in record
        ]
        self._expect("The log holds no complaint of the integration", complaints)

    def _expect(self, sentence: str, exceptions: Iterable[object]) -> None:
        """Print a sentence, and what speaks against it."""
        against = "; ".join(map(str, exceptions))
        line = f"  ✗ {sentence}: {against}" if against else f"  ✓ {sentence}"
        print(line, flush=True)
        if against:
            self.failures.append(line)

    async def _truth(self, **query: str) -> Any:
        system_id = self.system.system_id
        return await self.stage.cloud.ask("truth", system_id=system_id, **query)

    async def _differing(self, true: Json) -> list[object]:
        """Return the entities that show something else than what is true [W, %]."""
        states = await self.system.states()
        wrong: list[object] = []
        for key, names in _SHOWN.items():
            (name,) = names & true.keys()
            unit = states[key]["attributes"].get("unit_of_measurement")
            number = float(states[key]["state"]) * _FACTORS.get(unit, 1)
            if abs(number - true[name]) > _ROUNDING:
                wrong.append((key, states[key]["state"], unit, true[name]))
        return wrong
