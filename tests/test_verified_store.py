"""Data counts as saved only if it can be read again."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

from homeassistant.core import CoreState, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.storage import Store
import pytest

from custom_components.enphase_cloud.runtime.verified_store import VerifiedStore

KEY = "enphase_cloud.test"


@pytest.fixture
def hass_storage() -> dict[str, Any]:
    """Write to the real disk."""
    return {}


@pytest.fixture
def hass_config_dir(tmp_path: Path) -> str:
    """Return a folder that only this test uses."""
    return str(tmp_path)


@pytest.fixture
def folder(hass_config_dir: str) -> Path:
    """Return the folder of the stores."""
    return Path(hass_config_dir) / ".storage"


async def _loaded(hass: HomeAssistant) -> Any:
    stored = await VerifiedStore(hass, KEY).async_load()
    assert stored is not None
    return stored["a"]


async def test_saved_data_can_be_loaded(hass: HomeAssistant) -> None:
    """It is loaded as JSON types."""
    store = VerifiedStore(hass, KEY)
    assert await store.async_save_verified({"a": (1, 2.5, None)})
    assert (await _loaded(hass)) == [1, 2.5, None]


@pytest.fixture
def occupied(folder: Path) -> Callable[[], None]:
    """Put a file in place of the folder; return a function that removes it."""
    folder.touch()
    return folder.unlink


async def test_save_fails_without_a_folder(
    hass: HomeAssistant, occupied: Callable[[], None]
) -> None:
    """An error that Home Assistant does not catch counts as a failed write."""
    store = VerifiedStore(hass, KEY)
    assert not await store.async_save_verified({"a": 1})
    occupied()
    assert await store.async_save_verified({"a": 1})


async def test_save_fails_if_the_data_cannot_be_read(
    hass: HomeAssistant, folder: Path
) -> None:
    """The disk accepts the write, but loses the data."""
    store = VerifiedStore(hass, KEY)
    assert await store.async_save_verified({"a": 1})
    with patch("homeassistant.helpers.storage.write_utf8_file_atomic"):
        assert not await store.async_save_verified({"a": 2})
        assert not await store.async_save_verified({"a": 1})
    with patch.object(Store, "async_load", side_effect=HomeAssistantError):
        assert not await store.async_save_verified({"a": 3})
    assert await store.async_save_verified({"a": 3})


async def test_save_fails_while_home_assistant_stops(
    hass: HomeAssistant, folder: Path
) -> None:
    """Home Assistant only schedules the write then."""
    store = VerifiedStore(hass, KEY)
    with patch.object(hass, "state", CoreState.stopping):
        assert not await store.async_save_verified({"a": 1})


async def test_concurrent_callers_share_a_write(hass: HomeAssistant) -> None:
    """A caller with older data succeeds if newer data is saved."""
    store = VerifiedStore(hass, KEY)
    save = Store.async_save
    written: list[Any] = []

    async def record(self: Store[Any], data: Any) -> None:
        written.append(data["a"])
        await save(self, data)

    with patch.object(Store, "async_save", record):
        saves = [store.async_save_verified({"a": number}) for number in range(5)]
        assert await asyncio.gather(*saves) == [True] * 5
    assert len(written) < 5
    assert written[-1] == 4
    assert await _loaded(hass) == 4


async def test_cancelled_caller_does_not_cancel_the_others(hass: HomeAssistant) -> None:
    """The write that it began is started again for the others."""
    store = VerifiedStore(hass, KEY)
    save = Store.async_save
    may_write = asyncio.Event()

    async def save_later(self: Store[Any], data: Any) -> None:
        await may_write.wait()
        await save(self, data)

    with patch.object(Store, "async_save", save_later):
        first = asyncio.ensure_future(store.async_save_verified({"a": 1}))
        second = asyncio.ensure_future(store.async_save_verified({"a": 2}))
        await asyncio.sleep(0)
        first.cancel()
        may_write.set()
        assert await second
    assert first.cancelled()
    assert await _loaded(hass) == 2
