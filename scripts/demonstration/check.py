"""`scripts/demo --check`: compare Home Assistant with the simulation's true values."""

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
from .system import POWER, System

# No energy at first: its import runs in the background, at times of its own.
_NO_ENERGY: Final = {"energy_updates": 0, "history": "none"}
_ENERGY: Final = {"energy_updates": 1, "history": "day"}
# The shortest live stream.
_LIVE: Final = {
    "streams_per_month": 100,
    "live_bursts": False,
    "burst_length": 30,
    "publish_interval": 1,
}
# Keys of entities, with their names in the simulation's truth.
_SHOWN: Final = {**POWER, "battery_level": "soc"}
# These names in live frames.
_IN_FRAMES: Final = {
    "production": "pv_power",
    "consumption": "consumption_power",
    "grid": "grid_power",
    "battery": "battery_power",
    "soc": "battery_soc",
}
_FACTORS: Final = {"kW": 1e3}
_ROUNDING: Final = 0.5
# The cloud corrects an hour's energy for some time after it ends.
_SETTLES_AFTER: Final = timedelta(hours=6)
_TOLERANCE: Final = 0.001
# Home Assistant logs this for every custom integration.
_NOT_TESTED: Final = f"We found a custom integration {DOMAIN} which has not been tested"
_RECORD: Final = re.compile(r"^(?=\d{4}-\d\d-\d\d \S+ [A-Z]+ )", re.MULTILINE)
_BAD: Final = re.compile(r"\S+ \S+ (WARNING|ERROR|CRITICAL) ")


async def check() -> None:
    """Set the integration up in a temporary folder, and check its values.

    Raises DemoError with each check that failed.
    """
    async with temporary_stage() as stage:
        entry = await add_integration(stage.home_assistant)
        await choose_options(stage.home_assistant, entry, energy=_NO_ENERGY)
        (system_id,) = systems_of(OWNER)
        checked = _Check(stage, entry, System(stage.home_assistant, system_id))
        await checked.polled_values()
        await checked.live_stream()
        await checked.energy()
        checked.log()
        if checked.failures:
            raise DemoError("Failed checks:\n" + "\n".join(checked.failures))
    print("\nAll values match the simulation.")


@dataclass(slots=True)
class _Check:
    """The checks of one system in one Home Assistant."""

    stage: Stage
    entry: Json
    system: System
    failures: list[str] = field(default_factory=list)

    async def polled_values(self) -> None:
        """Press “Refresh now”; each power is the true one of its measuring time."""
        wrong: list[object] = []
        # A second try: a new report may arrive between update and comparison.
        for _ in range(2):
            await self.system.press("refresh")
            known = await self._truth()
            true = (await self._truth(at=known["measured_at"]))["power_w"]
            reported = (await self._truth(at=known["last_report_at"]))["power_w"]
            true["soc"] = reported["soc"]
            if not (wrong := await self._differing(true)):
                break
        self._expect("Updated values match the simulation", wrong)
        missing = [
            key for key, state in (await self.system.states()).items() if not state
        ]
        self._expect("Each entity has a state", missing)

    async def live_stream(self) -> None:
        """Press “Start live session”; values change, and end at the last frame's."""
        cloud = self.stage.cloud
        await choose_options(self.stage.home_assistant, self.entry, live=_LIVE)
        moves: set[str] = set()

        async def is_open() -> bool:
            # Again each time: a press during the reload for the options has no effect.
            await self.system.press("start_live_stream")
            return bool(await cloud.streams())

        async def has_ended() -> bool:
            states = await self.system.states()
            moves.add(states["current_power_consumption"].get("state", ""))
            is_off = states["live_stream"].get("state") == "off"
            return is_off and await cloud.has_ended_streaming()

        await until("a live stream to open", is_open)
        await until("the live session to end", has_ended, seconds=90)
        frames = await cloud.frames(self.system.system_id)
        true = {name: frames[-1][key] for name, key in _IN_FRAMES.items()}
        wrong = await self._differing(true)
        self._expect(f"Entities show the last of {len(frames)} live frames", wrong)
        changes = [] if len(moves) > 1 else [moves]
        self._expect("Values change during the live session", changes)

    async def energy(self) -> None:
        """Import history; hourly statistics of six settled days are true."""
        await choose_options(self.stage.home_assistant, self.entry, energy=_ENERGY)
        await self.system.until_imported()
        end = top_of_hour(datetime.now(UTC) - _SETTLES_AFTER)
        start = end - timedelta(days=6)
        for flow in Flow:
            imported = await self.system.hourly_energy(flow, start)
            hours = {hour: wh for hour, wh in imported.items() if hour < end}
            # The simulation names flows by their last word.
            truth = await self._truth(
                flow=flow.split("_")[-1], start=start.isoformat(), end=end.isoformat()
            )
            found, true = sum(hours.values()), truth["energy_wh"]
            is_true = abs(found - true) <= _TOLERANCE * true
            self._expect(
                f"{flow}: {found / 1000:.1f} kWh in {len(hours)} hours are correct",
                [] if is_true and len(hours) == (end - start) / HOUR else [true],
            )

    def log(self) -> None:
        """Check that the integration logged no warning and no error."""
        log = self.stage.home_assistant_program.log.read_text(errors="replace")
        complaints = [
            record
            for record in _RECORD.split(log)
            if _BAD.match(record) and DOMAIN in record and _NOT_TESTED not in record
        ]
        self._expect("The log has no warning of the integration", complaints)

    def _expect(self, sentence: str, contradictions: Iterable[object]) -> None:
        """Print a sentence; it fails if there are contradictions."""
        against = "; ".join(map(str, contradictions))
        line = f"  ✗ {sentence}: {against}" if against else f"  ✓ {sentence}"
        print(line, flush=True)
        if against:
            self.failures.append(line)

    async def _truth(self, **query: str) -> Any:
        system_id = self.system.system_id
        return await self.stage.cloud.get("truth", system_id=system_id, **query)

    async def _differing(self, true: Json) -> list[object]:
        """Return the entities whose values differ from the true ones [W, %]."""
        states = await self.system.states()
        wrong: list[object] = []
        for key, name in _SHOWN.items():
            unit = states[key]["attributes"].get("unit_of_measurement")
            number = float(states[key]["state"]) * _FACTORS.get(unit, 1)
            if abs(number - true[name]) > _ROUNDING:
                wrong.append((key, states[key]["state"], unit, true[name]))
        return wrong
