"""Failed writes to the disk: no call is made that is not recorded on the disk."""

import asyncio
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import timedelta
import errno
import json
from pathlib import Path
import subprocess
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import CONF_TOKEN
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.enphase_cloud.const import DOMAIN
from simulator import Fault

from .conftest import SetUp, Stepper
from .flows import User
from .helpers import pass_time, press, state
from .world import API_KEY, World

# Home Assistant leaves files open if a write fails.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Implicitly cleaning up:ResourceWarning"),
    pytest.mark.usefixtures("summer_noon"),
]

REFRESH = "button.hilltop_refresh_now"
USED = "sensor.enphase_account_api_calls_used"
TEN_HOURS = timedelta(hours=10)


@pytest.fixture
def plan() -> str:
    """Return the free plan, which has few calls."""
    return "watt"


@pytest.fixture
def hass_storage() -> dict[str, Any]:
    """Write to the real disk."""
    return {}


@pytest.fixture
def hass_config_dir(tmp_path: Path) -> str:
    """Return a folder that only this test uses."""
    (tmp_path / ".storage").mkdir()
    return str(tmp_path)


@contextmanager
def _os_error(number: int) -> Generator[None]:
    """Let each write of Home Assistant fail with an `errno`."""

    def fail(*_args: object, **_kwargs: object) -> None:
        raise OSError(number, "Ordered by the test")

    with (
        patch("homeassistant.util.file.AtomicWriter", fail),
        patch("tempfile.NamedTemporaryFile", fail),
    ):
        yield


@contextmanager
def _full_disk(folder: Path) -> Generator[None]:
    """Mount a full disk over the folder, with copies of its files."""
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("Only root may mount a disk")
    try:
        for name, content in files.items():
            (folder / name).write_bytes(content)
        with suppress(OSError), (folder / "ballast").open("wb", buffering=0) as ballast:
            while True:
                ballast.write(bytes(4096))
        yield
    finally:
        files = {path.name: path.read_bytes() for path in folder.iterdir()}
        subprocess.run(["umount", str(folder)], check=True)
        for name in files.keys() - {"ballast"}:
            (folder / name).write_bytes(files[name])


type _DiskFailure = AbstractContextManager[None]


@pytest.fixture(params=["full", "read-only", "broken", "full disk"])
def disk_failure(request: pytest.FixtureRequest, hass_config_dir: str) -> _DiskFailure:
    """Return a context in which the disk fails."""
    folder = Path(hass_config_dir) / ".storage"
    match request.param:
        case "full":
            return _os_error(errno.ENOSPC)
        case "read-only":
            return _os_error(errno.EROFS)
        case "broken":
            return _os_error(errno.EIO)
    return _full_disk(folder)


async def _until(hass: HomeAssistant, condition: Callable[[], object]) -> None:
    """Wait for a condition that depends on the real disk."""
    for _ in range(10_000):
        if condition():
            return
        await hass.async_add_executor_job(lambda: None)
    pytest.fail("The condition was not met")


def _record(hass: HomeAssistant) -> dict[str, Any]:
    """Return the record of calls on the disk."""
    ledger: dict[str, Any] = _stored(hass, "account.*")["ledger"]
    return ledger


def _stored(hass: HomeAssistant, name: str) -> dict[str, Any]:
    [path] = Path(hass.config.path()).glob(f"*/{DOMAIN}.{name}")
    data: dict[str, Any] = json.loads(path.read_text())["data"]
    return data


def _has_issue(hass: HomeAssistant, entry: MockConfigEntry) -> bool:
    issue_id = f"storage_failed_{entry.entry_id}"
    return ir.async_get(hass).async_get_issue(DOMAIN, issue_id) is not None


@pytest.mark.wide
async def test_calls_stop_at_the_reservation_on_the_disk(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    disk_failure: _DiskFailure,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """No unrecorded call is made; updates continue once the disk works again."""
    entry = await set_up()
    await pass_time(hass, freezer, timedelta(hours=1))
    before = len(world.cloud.requests)
    with disk_failure:
        record = _record(hass)
        await pass_time(hass, freezer, TEN_HOURS)
        assert len(world.cloud.requests) - before <= record["reserved"]
        assert _record(hass) == record
        assert _has_issue(hass, entry)
        used = int(state(hass, USED))
        for _ in range(5):
            with pytest.raises(HomeAssistantError) as raised:
                await press(hass, REFRESH)
            assert raised.value.translation_key == "storage_failed"
        assert len(world.cloud.requests) - before <= record["reserved"]
        # Calls that are not made are not counted.
        assert int(state(hass, USED)) == used <= before + 2 + _assumed(record)
    assert caplog.text.count("The disk cannot be written") == 1

    requests = len(world.cloud.requests)
    await pass_time(hass, freezer, timedelta(minutes=6))
    assert not _has_issue(hass, entry)
    assert caplog.text.count("The disk can be written again") == 1
    await press(hass, REFRESH)
    await pass_time(hass, freezer, TEN_HOURS)
    assert len(world.cloud.requests) > requests + 8
    assert _record(hass)["charged"] >= len(world.cloud.requests)


def _assumed(record: dict[str, Any]) -> int:
    assumed: int = record["months"]["known"][-1]["operations"]["assumed"]
    return assumed


async def test_refresh_button_tries_the_disk_at_once(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """The user need not wait for the next scheduled attempt."""
    entry = await set_up()
    freezer.tick(timedelta(minutes=2))
    with _os_error(errno.ENOSPC), suppress(HomeAssistantError):
        for _ in range(3):
            await press(hass, REFRESH)
    assert _has_issue(hass, entry)
    before = len(world.calls)
    await press(hass, REFRESH)
    assert len(world.calls) == before + 3
    assert not _has_issue(hass, entry)


async def test_unload_with_a_failing_disk_forgets_no_call(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """The reservation on the disk counts as used, and no call counts twice."""
    entry = await set_up()
    freezer.tick(timedelta(minutes=2))
    with _os_error(errno.EROFS):
        with suppress(HomeAssistantError):
            await press(hass, REFRESH)
        left = len(world.calls)
        await hass.config_entries.async_unload(entry.entry_id)
        await hass.async_block_till_done()
        assert not _has_issue(hass, entry)
        record = _record(hass)
    assert record["charged"] + record["reserved"] >= left
    await set_up(entry)
    assert int(state(hass, USED)) >= left


async def test_no_token_renewal_while_the_disk_fails(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    disk_failure: _DiskFailure,
) -> None:
    """A renewal ends the old refresh token, and a restart would lose the new one."""
    entry = await set_up()
    before = entry.data[CONF_TOKEN]
    with disk_failure:
        freezer.tick(timedelta(days=2))
        await pass_time(hass, freezer, timedelta(hours=1))
        assert "token" not in _operations(world)
        assert entry.data[CONF_TOKEN] == before
    await pass_time(hass, freezer, timedelta(hours=1))
    assert _operations(world).count("token") == 1
    assert not _has_issue(hass, entry)


async def test_token_is_used_once_it_is_on_the_disk(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    stepper: Stepper,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The disk fails during a renewal; until it works, the token is only in memory."""
    entry = await set_up()
    before = entry.data[CONF_TOKEN]
    world.cloud.requests.clear()
    fault = world.cloud.faults.add(Fault(operation="token", delay=1, times=1))
    freezer.tick(timedelta(days=1))
    pressing = asyncio.ensure_future(press(hass, REFRESH))
    await _until(hass, lambda: fault.hits)
    with _os_error(errno.ENOSPC):
        stepper.step()
        with pytest.raises(HomeAssistantError) as raised:
            await pressing
        assert raised.value.translation_key == "storage_failed"
        assert entry.data[CONF_TOKEN] != before
        await pass_time(hass, freezer, timedelta(hours=1))
        assert _operations(world) == ["token"]
        assert _has_issue(hass, entry)
    await pass_time(hass, freezer, timedelta(hours=1))
    assert not _has_issue(hass, entry)
    assert _operations(world).count("token") == 1
    assert "summary" in _operations(world)
    assert _stored(hass, "*.token")["token"] == entry.data[CONF_TOKEN]


@pytest.mark.usefixtures("current_request_with_host")
async def test_config_flow_continues_after_a_full_disk(
    hass: HomeAssistant,
    world: World,
    credentials: None,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    """The form shows an error, and makes no call before the disk works."""
    user = User(hass, await hass_client_no_auth())
    form = await user.sign_in(await user.add())
    with _os_error(errno.ENOSPC):
        form = await user.submit(form, api_key=API_KEY, plan="watt")
        assert form["errors"] == {"base": "storage_failed"}
        assert not world.calls
    await user.submit(form, plan="watt")
    assert world.calls[0] == "systems"


@pytest.mark.usefixtures("current_request_with_host", "credentials")
async def test_account_is_not_added_while_the_budget_of_its_key_is_unreadable(
    hass: HomeAssistant,
    world: World,
    hass_client_no_auth: ClientSessionGenerator,
    hass_config_dir: str,
) -> None:
    """The form says what to do; its plan does not limit who adds the account later."""
    user = User(hass, await hass_client_no_auth())
    form = await user.sign_in(await user.add())
    world.cloud.faults.add(Fault(operation="systems", status=503, times=1))
    form = await user.submit(form, api_key=API_KEY, plan="watt")
    budget = _budget_file(hass_config_dir)
    stored = budget.read_bytes()
    budget.unlink()
    budget.mkdir()
    form = await user.submit(form, plan="watt")
    assert form["errors"] == {"base": "storage_failed"}
    assert world.calls.count("systems") == 1
    budget.rmdir()
    budget.write_bytes(stored)
    form = await user.sign_in(await user.add())
    await user.submit(form, api_key=API_KEY, plan="kilowatt")
    await hass.async_block_till_done()
    assert int(state(hass, "sensor.enphase_account_api_calls_left")) > 1_000


def _budget_file(folder: str) -> Path:
    [path] = Path(folder).glob(f".storage/{DOMAIN}.account.*")
    return path


def _operations(world: World) -> list[str]:
    return [request.operation for request in world.cloud.requests]
