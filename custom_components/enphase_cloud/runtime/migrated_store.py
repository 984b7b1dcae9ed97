"""Migrates the stored data of older versions."""

from typing import Any, Final, override

from ..measurements.system import SYSTEM
from .checked_store import CheckedStore

# The value of Refusal for documents that version 1 skipped: it stored no reason.
_REFUSED: Final = "not_entitled"


class MigratedStore(CheckedStore):
    """The store of an entry; migrates version 1."""

    @override
    async def _async_migrate_func(
        self, old_major_version: int, old_minor_version: int, old_data: dict[str, Any]
    ) -> dict[str, Any]:
        """Migrate the data of version 0.1.0.

        It stored samples of the system only, and no reasons of refusals. Damaged data
        is left to the readers. Raises NotImplementedError for other versions, as Home
        Assistant expects: it then reads a newer minor version unchanged.
        """
        if old_major_version != 1:
            raise NotImplementedError
        systems = old_data.get("systems")
        for stored in systems.values() if isinstance(systems, dict) else ():
            if not isinstance(stored, dict):
                continue
            samples = stored.get("samples")
            if isinstance(samples, dict):
                stored["samples"] = {
                    source: {SYSTEM.key: known} for source, known in samples.items()
                }
            if isinstance(refused := stored.get("refused"), list):
                stored["refused"] = dict.fromkeys(refused, _REFUSED)
        return old_data
