"""The systems of an account: free ones, and those that other entries have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_ID

from ..api import System
from ..const import CONF_SYSTEMS
from ..errors import escaped


@dataclass(frozen=True, slots=True)
class FoundSystems:
    """The systems that the cloud lists, and the other entries that have some."""

    listed: Sequence[System]
    _holders: Mapping[int, ConfigEntry[Any]]

    @property
    def free(self) -> list[System]:
        """Return the systems that no other entry has."""
        return [each for each in self.listed if each.system_id not in self._holders]

    @property
    def held(self) -> str:
        """Return the names of the other systems with the titles of their entries."""
        return ", ".join(
            f"{escaped(each.name)} ({escaped(self._holders[each.system_id].title)})"
            for each in self.listed
            if each.system_id in self._holders
        )

    def chosen_before(self, entry: ConfigEntry[Any] | None) -> list[str]:
        """Return the ids of free systems that an entry has, or all for a new entry."""
        free = [str(system.system_id) for system in self.free]
        if entry is None:
            return free
        before = {str(system[CONF_ID]) for system in entry.data[CONF_SYSTEMS]}
        return [system_id for system_id in free if system_id in before]
