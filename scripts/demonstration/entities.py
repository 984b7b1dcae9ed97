"""The integration's entities, by the keys of their unique ids."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from .home_assistant import HomeAssistant, Json
from .report import Row
from .set_up import DOMAIN

type Truth = float | str

_BASE_UNITS: Final = {"kW": 1e3, "kWh": 1e3, "MWh": 1e6}

# States are whole watts, watt-hours or percent, shown in larger units.
_TOLERANCE: Final = 0.5


@dataclass(frozen=True, slots=True)
class Entities:
    """The entity ids of a system, by key; what is disabled is not among them."""

    device_id: str
    ids: Mapping[str, str]
    disabled: Mapping[str, str]

    @classmethod
    async def find(cls, home_assistant: HomeAssistant, system_id: int) -> Entities:
        """Look the entities of a system up in the registries."""
        prefix = f"{system_id}_"
        registered: list[Json] = await home_assistant.command(
            "config/entity_registry/list"
        )
        ours = [
            entry
            for entry in registered
            if entry["platform"] == DOMAIN and entry["unique_id"].startswith(prefix)
        ]
        by_key = {entry["unique_id"].removeprefix(prefix): entry for entry in ours}
        return cls(
            device_id=ours[0]["device_id"],
            ids={
                key: entry["entity_id"]
                for key, entry in by_key.items()
                if entry["disabled_by"] is None
            },
            disabled={
                key: entry["entity_id"]
                for key, entry in by_key.items()
                if entry["disabled_by"] is not None
            },
        )

    def compare(
        self, states: Mapping[str, Json], truths: Mapping[str, Truth]
    ) -> Iterator[Row]:
        """Yield a row for each truth, with the state that should tell it."""
        for key, truth in truths.items():
            entity_id = self.ids.get(key, f"({key})")
            state = states.get(entity_id)
            unit = "" if state is None else unit_of(state)
            shown = str(truth)
            if isinstance(truth, int | float):
                shown = f"{truth / _BASE_UNITS.get(unit, 1):.10g}"
            yield Row(
                entity_id=entity_id,
                state="missing" if state is None else state["state"],
                unit=unit,
                truth=shown,
                ok=state is not None and tells(state, truth),
            )

    def numbers(self, states: Mapping[str, Json]) -> dict[str, float]:
        """Return the states that are numbers, by key, in W, Wh or %."""
        return {
            key: value
            for key, entity_id in self.ids.items()
            if entity_id in states and (value := number(states[entity_id])) is not None
        }


def unit_of(state: Json) -> str:
    """Return the unit of a state, or nothing."""
    return str(state["attributes"].get("unit_of_measurement", ""))


def number(state: Json) -> float | None:
    """Return a state in W, Wh or %; None where it is no number."""
    try:
        return float(state["state"]) * _BASE_UNITS.get(unit_of(state), 1)
    except ValueError:
        return None


def tells(state: Json, truth: Truth) -> bool:
    """Tell whether a state says what is true."""
    if isinstance(truth, str):
        return bool(state["state"] == truth)
    shown = number(state)
    return shown is not None and abs(shown - truth) < _TOLERANCE
