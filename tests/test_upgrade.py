"""A configuration folder of version 0.1.0 continues where that version stopped.

tests/fixtures/version_0_1_0.json holds the files that version wrote after a simulated
day on the plan Watt, with the states that it showed then.
"""

import json
from pathlib import Path
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
import pytest

from custom_components.enphase_cloud.const import DOMAIN
from custom_components.enphase_cloud.energy.import_progress import ImportProgress
from custom_components.enphase_cloud.measurements.catalog import Source

from .conftest import SetUp, World
from .helpers import sensor_states

STORED = json.loads(
    (Path(__file__).parent / "fixtures/version_0_1_0.json").read_text(encoding="utf-8")
)


@pytest.fixture
def plan() -> str:
    """Return the plan of the stored day."""
    return "watt"


@pytest.fixture
def stored(hass_storage: dict[str, Any]) -> dict[str, Any]:
    """Return the files of version 0.1.0, where Home Assistant finds them."""
    hass_storage.update(json.loads(json.dumps(STORED["stores"])))
    return hass_storage


async def test_nothing_is_lost(
    recorder_mock: object,
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    world: World,
    set_up: SetUp,
    stored: dict[str, Any],
) -> None:
    """The same entities with the same states, without a call."""
    freezer.move_to(STORED["now"])
    assert world.system.system_id == STORED["system_id"]
    entry = world.entry(options=STORED["options"])
    object.__setattr__(entry, "entry_id", STORED["entry_id"])
    await set_up(entry)

    assert entry.state is ConfigEntryState.LOADED
    assert world.calls == []
    shown = sensor_states(hass)
    assert {name: shown[name] for name in STORED["states"]} == STORED["states"]
    registry = er.async_get(hass)
    entities = er.async_entries_for_config_entry(registry, entry.entry_id)
    kept = {entity.entity_id: entity.unique_id for entity in entities}
    assert kept.items() >= STORED["unique_ids"].items()
    store = entry.runtime_data.storage.system(STORED["system_id"])
    assert store.progress(Source.PRODUCTION_INTERVALS) != ImportProgress()

    await hass.config_entries.async_unload(entry.entry_id)
    saved = stored[f"{DOMAIN}.{STORED['entry_id']}"]
    assert saved["version"] == 2
    [system] = saved["data"]["systems"].values()
    assert system["samples"]["battery"].keys() == {"system"}
    assert dt_util.utcnow().isoformat() == STORED["now"]
