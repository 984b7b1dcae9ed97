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
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

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


def _old_entry(hass: HomeAssistant, world: World) -> MockConfigEntry:
    """Return the entry of version 0.1.0, with its registered account entities."""
    entry = world.entry(options=STORED["options"], minor_version=1)
    object.__setattr__(entry, "entry_id", STORED["entry_id"])
    entry.add_to_hass(hass)
    device = dr.async_get(hass).async_get_or_create(
        config_entry_id=entry.entry_id,
        identifiers={(DOMAIN, str(STORED["system_id"]))},
    )
    for entity_id, unique_id in STORED["unique_ids"].items():
        if "calls" not in entity_id:
            continue
        domain, _, object_id = entity_id.partition(".")
        er.async_get(hass).async_get_or_create(
            domain,
            DOMAIN,
            unique_id,
            suggested_object_id=object_id,
            config_entry=entry,
            device_id=device.id,
            disabled_by=None
            if entity_id in STORED["states"]
            else er.RegistryEntryDisabler.INTEGRATION,
        )
    return entry


async def test_entities_and_states_of_version_0_1_0_are_kept(
    recorder_mock: object,
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    world: World,
    set_up: SetUp,
    stored: dict[str, Any],
) -> None:
    """They are restored without a call."""
    freezer.move_to(STORED["now"])
    assert world.system.system_id == STORED["system_id"]
    entry = _old_entry(hass, world)
    await set_up(entry)

    assert entry.state is ConfigEntryState.LOADED
    assert world.calls == []
    registry = er.async_get(hass)
    entities = er.async_entries_for_config_entry(registry, entry.entry_id)
    kept = {entity.unique_id: entity.entity_id for entity in entities}
    # Names have changed since; entities of the account were registered above.
    moved = {each for each in STORED["unique_ids"] if "calls" in each}
    ids = {
        each: each if each in moved else kept[old]
        for each, old in STORED["unique_ids"].items()
    }
    assert moved <= set(kept.values())
    assert not kept.keys() & {STORED["unique_ids"][each] for each in moved}
    shown = sensor_states(hass)
    assert {name: shown[ids[name]] for name in STORED["states"]} == STORED["states"]
    [account] = [
        device
        for device in dr.async_entries_for_config_entry(
            dr.async_get(hass), entry.entry_id
        )
        if device.entry_type is dr.DeviceEntryType.SERVICE
    ]
    of_account = er.async_entries_for_device(
        registry, account.id, include_disabled_entities=True
    )
    new = {"sensor.enphase_account_api_calls_assumed"}
    assert {each.entity_id for each in of_account} == moved | new
    store = entry.runtime_data.storage.system(STORED["system_id"])
    assert store.progress(Source.PRODUCTION_INTERVALS) != ImportProgress()

    await hass.config_entries.async_unload(entry.entry_id)
    saved = stored[f"{DOMAIN}.{STORED['entry_id']}"]
    assert saved["version"] == 2
    [system] = saved["data"]["systems"].values()
    assert system["samples"]["battery"].keys() == {"system"}
    assert dt_util.utcnow().isoformat() == STORED["now"]
