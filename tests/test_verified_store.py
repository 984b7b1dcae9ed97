"""Only what can be read again counts as saved."""

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
    """Return a folder of the test's own."""
    return str(tmp_path)


@pytest.fixture
def folder(hass_config_dir: str) -> Path:
    """Return where stores are kept."""
    return Path(hass_config_dir) / ".storage"


async def _loaded(hass: HomeAssistant) -> Any:
    stored = await VerifiedStore(hass, KEY).async_load()
    assert stored is not None
    return stored["a"]


async def test_what_is_saved_can_be_loaded(hass: HomeAssistant) -> None:
    """In the form that JSON gives it."""
    store = VerifiedStore(hass, KEY)
    assert await store.async_save_verified({"a": (1, 2.5, None)})
    assert (await _loaded(hass)) == [1, 2.5, None]


@pytest.fixture
def occupied(folder: Path) -> Callable[[], None]:
    """Put a file where the folder is to be; return what removes it."""
    folder.touch()
    return folder.unlink


async def test_there_is_no_folder(
    hass: HomeAssistant, occupied: Callable[[], None]
) -> None:
    """An error that Home Assistant does not catch is a failed write, too."""
    store = VerifiedStore(hass, KEY)
    assert not await store.async_save_verified({"a": 1})
    occupied()
    assert await store.async_save_verified({"a": 1})


async def test_what_is_written_cannot_be_read(
    hass: HomeAssistant, folder: Path
) -> None:
    """A disk that takes it and loses it."""
    store = VerifiedStore(hass, KEY)
    assert await store.async_save_verified({"a": 1})
    with patch("homeassistant.helpers.storage.write_utf8_file_atomic"):
        assert not await store.async_save_verified({"a": 2})
        assert not await store.async_save_verified({"a": 1})
    with patch.object(Store, "async_load", side_effect=HomeAssistantError):
        assert not await store.async_save_verified({"a": 3})
    assert await store.async_save_verified({"a": 3})


async def test_nothing_is_written_while_home_assistant_stops(
    hass: HomeAssistant, folder: Path
) -> None:
    """What is only planned is not saved."""
    store = VerifiedStore(hass, KEY)
    with patch.object(hass, "state", CoreState.stopping):
        assert not await store.async_save_verified({"a": 1})


async def test_concurrent_callers_share_a_write(hass: HomeAssistant) -> None:
    """Who saved something older is content with what is newer."""
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


async def test_a_caller_that_gives_up_takes_nobody_along(hass: HomeAssistant) -> None:
    """The write it had begun for others is begun again."""
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
