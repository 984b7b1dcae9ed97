"""Stores that rename a damaged or newer file and create a repair issue for it."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, override

from homeassistant.exceptions import ConfigEntryNotReady, HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.storage import Store

from ..const import DOMAIN
from ..errors import translated
from ..json_values import record

STORE_DAMAGED: Final = "store_damaged"


class CheckedStore(Store[dict[str, Any]]):
    """A store whose file may have any content.

    Readers raise ValueError where their part is damaged. A file that cannot be read is
    kept under another name until the store is removed.
    """

    _is_damaged = False

    @override
    async def async_load(self) -> dict[str, Any] | None:
        """Load the stored data; None if there is none, or none that can be read.

        Raises ConfigEntryNotReady if the disk cannot be read.
        """
        try:
            stored = await super().async_load()
        except HomeAssistantError as err:
            if isinstance(err.__cause__, OSError):
                raise translated(ConfigEntryNotReady, "storage_unreadable") from None
            # A newer version of this integration wrote it.
            stored = None
            self._is_damaged = True
        except AttributeError, LookupError, NotImplementedError, TypeError, ValueError:
            stored = None
            self._is_damaged = True
        stored = self.read(record, stored, None)
        await self.async_set_damaged_aside()
        return stored

    def read[ValueT](
        self, reader: Callable[[Any], ValueT], part: object, default: ValueT
    ) -> ValueT:
        """Return a part as its reader converts it; `default` if missing or damaged."""
        if part is None:
            return default
        try:
            return reader(part)
        except ValueError:
            self._is_damaged = True
            return default

    def note_damage(self) -> None:
        """Note that a part is damaged, and that its reader has replaced it."""
        self._is_damaged = True

    async def async_set_damaged_aside(self) -> bool:
        """Rename a damaged file; return whether the caller must save the data again."""
        if not self._is_damaged:
            return False
        self._is_damaged = False
        with suppress(OSError):  # Without a copy, the set-up continues all the same.
            await self.hass.async_add_executor_job(
                Path(self.path).replace, self._path_aside
            )
        ir.async_create_issue(
            self.hass,
            DOMAIN,
            self._issue_id,
            is_fixable=True,
            is_persistent=True,
            severity=ir.IssueSeverity.WARNING,
            translation_key=STORE_DAMAGED,
            translation_placeholders={"file": Path(self._path_aside).name},
        )
        return True

    @override
    async def async_remove(self) -> None:
        """Remove the store, and its damaged file."""
        await super().async_remove()
        await self.hass.async_add_executor_job(_remove, self._path_aside)
        ir.async_delete_issue(self.hass, DOMAIN, self._issue_id)

    @property
    def _path_aside(self) -> str:
        return f"{self.path}.damaged"

    @property
    def _issue_id(self) -> str:
        return f"{STORE_DAMAGED}_{self.key}"


def _remove(path: str) -> None:
    Path(path).unlink(missing_ok=True)
