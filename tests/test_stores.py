"""Damaged stores: set-up continues, and the user is notified of lost data."""

from datetime import timedelta
import json
from pathlib import Path
from random import Random
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.enphase_cloud.const import DOMAIN
from tests.robustness.absurd import spoiled

from .conftest import SetUp, World
from .helpers import pass_time, state

# The name of an API key's store ends with the hash of the key.
_SUFFIXES = 2
PRODUCTION = "sensor.hilltop_production_power"


pytestmark = pytest.mark.usefixtures("summer_noon")


@pytest.fixture
def hass_storage() -> dict[str, Any]:
    """Use real files for the stores of Home Assistant."""
    return {}


@pytest.fixture
def hass_config_dir(hass_tmp_config_dir: str) -> str:
    """Return a folder that only this test uses."""
    return hass_tmp_config_dir


@pytest.fixture
def storage(hass_config_dir: str) -> Path:
    """Return the folder of the stores."""
    return Path(hass_config_dir) / ".storage"


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _names(storage: Path, pattern: str) -> list[str]:
    return [path.name for path in storage.glob(pattern)]


async def _restart(
    hass: HomeAssistant, entry: MockConfigEntry, path: Path, text: str
) -> None:
    """Unload an entry, replace a file, and set the entry up again."""
    await hass.config_entries.async_unload(entry.entry_id)
    _write(path, text)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()


def _paths(storage: Path, entry: MockConfigEntry) -> tuple[Path, Path]:
    stores = storage.glob(f"{DOMAIN}.account.*")
    # Files that were set aside, by us or by Home Assistant, are skipped.
    [account] = [path for path in stores if len(path.suffixes) == _SUFFIXES]
    return storage / f"{DOMAIN}.{entry.entry_id}", account


WHOLE_FILES = {
    "null": "null",
    "list": "[]",
    "number": "5",
    "text": '"store"',
    "no version": '{"data": {}}',
    "no data": '{"version": 1, "minor_version": 1}',
    "a newer version": '{"version": 3, "minor_version": 1, "data": {}}',
    "an absurd version": '{"version": 1e300, "minor_version": 1, "data": {}}',
    "an older version": '{"version": 0, "minor_version": 1, "data": {}}',
    "a version of null": '{"version": null, "minor_version": 1, "data": {}}',
    "a list of data": '{"version": 1, "minor_version": 1, "data": [1]}',
}


@pytest.mark.parametrize("text", WHOLE_FILES.values(), ids=WHOLE_FILES)
@pytest.mark.parametrize("which", [0, 1])
async def test_unreadable_file_is_set_aside(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    storage: Path,
    issue_registry: ir.IssueRegistry,
    text: str,
    which: int,
) -> None:
    """It is renamed with its content, and a repair issue has its new name."""
    entry = await set_up()
    path = _paths(storage, entry)[which]
    await _restart(hass, entry, path, text)
    assert entry.state is ConfigEntryState.LOADED
    assert float(state(hass, PRODUCTION)) > 0
    aside = path.with_name(f"{path.name}.damaged")
    assert aside.read_text(encoding="utf-8") == text
    issue = issue_registry.async_get_issue(DOMAIN, f"store_damaged_{path.name}")
    assert issue is not None
    assert issue.translation_placeholders == {"file": aside.name}
    # The next start finds a valid file.
    calls = len(world.calls)
    await hass.config_entries.async_reload(entry.entry_id)
    assert entry.state is ConfigEntryState.LOADED
    assert len(world.calls) == calls


async def test_newer_minor_version_is_read(
    hass: HomeAssistant, world: World, set_up: SetUp, storage: Path
) -> None:
    """A minor version only adds data."""
    entry = await set_up()
    calls = len(world.calls)
    for path in _paths(storage, entry):
        await hass.config_entries.async_unload(entry.entry_id)
        newer = {**json.loads(path.read_text()), "minor_version": 7}
        await _restart(hass, entry, path, json.dumps(newer))
        assert not _names(storage, "*.damaged")
    assert len(world.calls) == calls


@pytest.mark.parametrize("which", [0, 1])
async def test_valid_parts_of_a_damaged_file_are_used(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    storage: Path,
    issue_registry: ir.IssueRegistry,
    which: int,
) -> None:
    """They cost no call; a repair issue names the damaged file."""
    entry = await set_up()
    calls = len(world.calls)
    await hass.config_entries.async_unload(entry.entry_id)
    path = _paths(storage, entry)[which]
    stored = json.loads(path.read_text())
    if which:
        stored["data"]["backlog"]["last"] = 1e300
    else:
        [system] = stored["data"]["systems"].values()
        system["samples"]["live"] = {"system": {"grid_power": ["much", 33_658, None]}}
    await _restart(hass, entry, path, json.dumps(stored))
    assert entry.state is ConfigEntryState.LOADED
    assert len(world.calls) == calls
    assert json.loads(path.with_name(f"{path.name}.damaged").read_text()) == stored
    assert path.exists()
    assert issue_registry.async_get_issue(DOMAIN, f"store_damaged_{path.name}")


@pytest.mark.parametrize("seed", range(24))
@pytest.mark.thorough
async def test_entry_loads_with_random_data_in_its_stores(
    hass: HomeAssistant,
    set_up: SetUp,
    storage: Path,
    freezer: FrozenDateTimeFactory,
    seed: int,
) -> None:
    """After the load, the entry stores valid data again."""
    entry = await set_up()
    await hass.config_entries.async_unload(entry.entry_id)
    random = Random(seed)
    for path in _paths(storage, entry):
        stored = json.loads(path.read_text())
        stored["data"] = spoiled(stored["data"])(random)
        path.write_text(json.dumps(stored), encoding="utf-8")
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    if entry.state is ConfigEntryState.SETUP_RETRY:
        # Without a record of calls, those of this minute count as used.
        assert entry.error_reason_translation_key == "not_due_yet"
        await pass_time(hass, freezer, timedelta(seconds=80))
    assert entry.state is ConfigEntryState.LOADED
    assert await hass.config_entries.async_unload(entry.entry_id)
    for path in _paths(storage, entry):
        assert json.loads(path.read_text())["data"]


@pytest.mark.parametrize(
    "damage", [{"months": None}, {"charged": 2**31}, {"reserved": 2**31}]
)
async def test_damaged_ledger_is_set_aside_with_an_issue(
    hass: HomeAssistant,
    set_up: SetUp,
    storage: Path,
    issue_registry: ir.IssueRegistry,
    damage: dict[str, Any],
) -> None:
    """The user should know that calls of the month are now estimated."""
    entry = await set_up()
    await hass.config_entries.async_unload(entry.entry_id)
    _entry_path, path = _paths(storage, entry)
    stored = json.loads(path.read_text())
    ledger = stored["data"]["ledger"]
    stored["data"]["ledger"] = (
        [] if damage is None else {**ledger, **damage, "months": 0}
    )
    await _restart(hass, entry, path, json.dumps(stored))
    assert entry.state is ConfigEntryState.LOADED
    assert json.loads(path.with_name(f"{path.name}.damaged").read_text()) == stored
    assert issue_registry.async_get_issue(DOMAIN, f"store_damaged_{path.name}")


async def test_removal_deletes_files_set_aside(
    hass: HomeAssistant,
    set_up: SetUp,
    storage: Path,
    issue_registry: ir.IssueRegistry,
) -> None:
    """After the removal of the entry there is no file and no repair issue."""
    entry = await set_up()
    for path in _paths(storage, entry):
        await _restart(hass, entry, path, "null")
    assert len(_names(storage, "*.damaged")) == 2
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert not _names(storage, f"{DOMAIN}*")
    assert not [key for key in issue_registry.issues if key[0] == DOMAIN]


async def test_unreadable_disk_causes_a_retry_of_set_up(
    hass: HomeAssistant, set_up: SetUp, storage: Path
) -> None:
    """The file itself may be valid, so it is not set aside."""
    entry = await set_up()
    path, _account = _paths(storage, entry)
    await hass.config_entries.async_unload(entry.entry_id)
    stored = path.read_text(encoding="utf-8")
    path.unlink()
    path.mkdir()
    await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == "storage_unreadable"
    path.rmdir()
    path.write_text(stored, encoding="utf-8")
    await hass.config_entries.async_reload(entry.entry_id)
    assert entry.state is ConfigEntryState.LOADED


async def test_fix_removes_the_issue(
    hass: HomeAssistant,
    set_up: SetUp,
    storage: Path,
    issue_registry: ir.IssueRegistry,
    hass_client: ClientSessionGenerator,
) -> None:
    """The user confirms the repair issue."""
    assert await async_setup_component(hass, "repairs", {})
    entry = await set_up()
    path, _account = _paths(storage, entry)
    await _restart(hass, entry, path, "null")
    issue_id = f"store_damaged_{path.name}"
    client = await hass_client()
    response = await client.post(
        "/api/repairs/issues/fix", json={"handler": DOMAIN, "issue_id": issue_id}
    )
    form = await response.json()
    assert form["description_placeholders"] == {"file": f"{path.name}.damaged"}
    await client.post(f"/api/repairs/issues/fix/{form['flow_id']}", json={})
    assert issue_registry.async_get_issue(DOMAIN, issue_id) is None
