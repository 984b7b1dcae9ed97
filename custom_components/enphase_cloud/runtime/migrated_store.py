"""Brings what an older version stored of an entry into the present shape."""

from typing import Any, Final, override

from ..measurements.system import SYSTEM
from .checked_store import CheckedStore

# The value of Refusal for what that version left alone: it kept no reason.
_REFUSED: Final = "not_entitled"


class MigratedStore(CheckedStore):
    """Stores an entry; version 1 of its shape is migrated."""

    @override
    async def _async_migrate_func(
        self, old_major_version: int, old_minor_version: int, old_data: dict[str, Any]
    ) -> dict[str, Any]:
        """Bring what version 0.1.0 stored into the present shape.

        It stored the samples of the system alone, and no reasons of refusals. What is
        damaged stays so for the readers. Raises NotImplementedError for other versions,
        as Home Assistant expects it: a newer minor version is then read as it is.
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
