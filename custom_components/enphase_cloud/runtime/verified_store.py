"""A store that verifies whether saved data is on the disk."""

import asyncio
from secrets import token_hex
from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.json import json_bytes
from homeassistant.helpers.storage import Store
from homeassistant.util.json import json_loads

from .checked_store import CheckedStore

_STORAGE_VERSION: Final = 1


class VerifiedStore(CheckedStore):
    """A store for data that must not be lost.

    Home Assistant's store logs a failed write and raises nothing, so this one reads the
    data back: only data that can be read again counts as saved.
    """

    def __init__(self, hass: HomeAssistant, key: str) -> None:
        """Bind the store to its key."""
        self._options: dict[str, Any] = {"private": True, "atomic_writes": True}
        super().__init__(hass, _STORAGE_VERSION, key, **self._options)
        self._verifying = asyncio.Lock()
        self._newest: dict[str, Any] = {}
        self._newest_version = self._saved_version = 0

    async def async_save_verified(self, data: dict[str, Any]) -> bool:
        """Write data; return whether it, or newer data, is on the disk now.

        Concurrent callers share a write.
        """
        self._newest = data
        self._newest_version = version = self._newest_version + 1
        async with self._verifying:
            if self._saved_version < version:
                newest, newest_version = self._newest, self._newest_version
                if await self._async_write_verified(newest):
                    self._saved_version = newest_version
            return self._saved_version >= version

    async def _async_write_verified(self, data: dict[str, Any]) -> bool:
        # A second store reads the file: the first may return data from memory.
        reader: Store[dict[str, Any]]
        reader = Store(self.hass, self.version, self.key, **self._options)
        # Without a stamp, an earlier write of equal data would count as this one.
        stamped = {**data, "write": token_hex(8)}
        try:
            await self.async_save(stamped)
            on_disk = await reader.async_load()
        except OSError, HomeAssistantError:
            return False
        return bool(on_disk == json_loads(json_bytes(stamped)))
