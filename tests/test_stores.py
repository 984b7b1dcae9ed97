"""Stores that hold anything: set-up goes on, and nothing is lost without a word."""

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

# Of the store of an API key, whose name ends with the hash of it.
_SUFFIXES = 2
PRODUCTION = "sensor.hilltop_production_power"


pytestmark = pytest.mark.usefixtures("summer_noon")


@pytest.fixture
def hass_storage() -> dict[str, Any]:
    """Leave the stores of Home Assistant as they are: real files."""
    return {}


@pytest.fixture
def hass_config_dir(hass_tmp_config_dir: str) -> str:
    """Return a folder of the test's own."""
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
    """Set an entry up again, after a file was damaged while it was unloaded."""
    await hass.config_entries.async_unload(entry.entry_id)
    _write(path, text)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()


def _paths(storage: Path, entry: MockConfigEntry) -> tuple[Path, Path]:
    stores = storage.glob(f"{DOMAIN}.account.*")
    # Not those that were set aside, by us or by Home Assistant.
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
async def test_a_file_that_cannot_be_read_is_set_aside(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    storage: Path,
    issue_registry: ir.IssueRegistry,
    text: str,
    which: int,
) -> None:
    """It keeps its content under another name, and a repair names it."""
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
    # The next start finds a sound file.
    calls = len(world.calls)
    await hass.config_entries.async_reload(entry.entry_id)
    assert entry.state is ConfigEntryState.LOADED
    assert len(world.calls) == calls


async def test_a_newer_minor_version_is_read(
    hass: HomeAssistant, world: World, set_up: SetUp, storage: Path
) -> None:
    """It only adds."""
    entry = await set_up()
    calls = len(world.calls)
    for path in _paths(storage, entry):
        await hass.config_entries.async_unload(entry.entry_id)
        newer = {**json.loads(path.read_text()), "minor_version": 7}
        await _restart(hass, entry, path, json.dumps(newer))
        assert not _names(storage, "*.damaged")
    assert len(world.calls) == calls


@pytest.mark.parametrize("which", [0, 1])
async def test_of_a_damaged_file_the_rest_is_used(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    storage: Path,
    issue_registry: ir.IssueRegistry,
    which: int,
) -> None:
    """What is sound costs no call; the user learns of the rest."""
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
async def test_anything_in_a_store_is_survived(
    hass: HomeAssistant,
    set_up: SetUp,
    storage: Path,
    freezer: FrozenDateTimeFactory,
    seed: int,
) -> None:
    """Whatever stands there: the entry loads, and works."""
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
        # Without a record of calls, this minute's may be spent.
        assert entry.error_reason_translation_key == "not_due_yet"
        await pass_time(hass, freezer, timedelta(seconds=80))
    assert entry.state is ConfigEntryState.LOADED
    assert await hass.config_entries.async_unload(entry.entry_id)
    for path in _paths(storage, entry):
        assert json.loads(path.read_text())["data"]


@pytest.mark.parametrize(
    "damage", [{"months": None}, {"charged": 2**31}, {"reserved": 2**31}]
)
async def test_a_damaged_ledger_is_told_and_kept(
    hass: HomeAssistant,
    set_up: SetUp,
    storage: Path,
    issue_registry: ir.IssueRegistry,
    damage: dict[str, Any],
) -> None:
    """Calls of the month are estimated then, which the user should know."""
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


async def test_what_was_set_aside_goes_with_the_entry(
    hass: HomeAssistant,
    set_up: SetUp,
    storage: Path,
    issue_registry: ir.IssueRegistry,
) -> None:
    """After removal no file is left, and no repair."""
    entry = await set_up()
    for path in _paths(storage, entry):
        await _restart(hass, entry, path, "null")
    assert len(_names(storage, "*.damaged")) == 2
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert not _names(storage, f"{DOMAIN}*")
    assert not [key for key in issue_registry.issues if key[0] == DOMAIN]


async def test_a_disk_that_cannot_be_read(
    hass: HomeAssistant, set_up: SetUp, storage: Path
) -> None:
    """Set-up is tried again: the file may be whole."""
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


async def test_the_user_takes_note(
    hass: HomeAssistant,
    set_up: SetUp,
    storage: Path,
    issue_registry: ir.IssueRegistry,
    hass_client: ClientSessionGenerator,
) -> None:
    """Then the repair is gone."""
    assert await async_setup_component(hass, "repairs", {})
    entry = await set_up()
    path, _account = _paths(storage, entry)
    await _restart(hass, entry, path, "null")
    issue_id = f"store_damaged_{path.name}"
    client = await hass_client()
    answer = await client.post(
        "/api/repairs/issues/fix", json={"handler": DOMAIN, "issue_id": issue_id}
    )
    form = await answer.json()
    assert form["description_placeholders"] == {"file": f"{path.name}.damaged"}
    await client.post(f"/api/repairs/issues/fix/{form['flow_id']}", json={})
    assert issue_registry.async_get_issue(DOMAIN, issue_id) is None
