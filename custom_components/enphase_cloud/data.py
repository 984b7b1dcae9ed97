"""What a loaded config entry holds."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

from homeassistant.config_entries import ConfigEntry
from homeassistant.util import dt as dt_util

from .api import EnphaseCloudClient
from .const import DOMAIN
from .documents.evidence import Evidence, has, has_battery, has_consumption_meter
from .measurements.catalog import Measurement
from .measurements.samples import Samples, Source, as_of, merge
from .quota.backoff import Backoff
from .runtime.key_budget import KeyBudget
from .runtime.storage import EntryStore

if TYPE_CHECKING:
    from .coordinator.document import DocumentCoordinator
    from .coordinator.energy import EnergyCoordinator
    from .coordinator.live import LiveCoordinator
    from .coordinator.live_session import LiveSessions


@dataclass(slots=True, kw_only=True, eq=False)
class EnphaseSystem:
    """One system: its properties, and the coordinators that know it.

    `is_visible` tells whether the cloud shows the system to the account at all.
    """

    system_id: int
    name: str
    time_zone: tzinfo
    cellular: bool
    is_time_zone_known: bool = True
    is_visible: bool = True
    documents: list[DocumentCoordinator] = field(default_factory=list)
    live: LiveCoordinator | None = None
    live_sessions: LiveSessions | None = None
    energies: EnergyCoordinator | None = None
    # What the polled documents showed the system to have.
    evidence: dict[Source, Evidence] = field(default_factory=dict)
    # What sources said that are not asked any more: still newer than what is older.
    remembered: list[Samples] = field(default_factory=list)
    _partitions: list[Samples] = field(default_factory=list, init=False)
    _newest: Samples = field(default_factory=dict, init=False)

    @property
    def coordinators(
        self,
    ) -> list[DocumentCoordinator | LiveCoordinator | EnergyCoordinator]:
        """Return all coordinators of the system."""
        others = (self.live, self.energies)
        return [*self.documents, *(other for other in others if other is not None)]

    @property
    def has_battery(self) -> bool:
        """Whether the system has batteries, as far as is known."""
        return has_battery(self.evidence)

    @property
    def has_consumption_meter(self) -> bool:
        """Whether the system has a meter for consumption, as far as is known."""
        return has_consumption_meter(self.evidence, self.samples, now=dt_util.utcnow())

    def has(self, measurement: Measurement) -> bool:
        """Tell whether the system has (still) what a measurement takes."""
        return has(measurement, self.evidence, self.samples, now=dt_util.utcnow())

    @property
    def samples(self) -> Samples:
        """Return the newest that any source knows."""
        partitions = [
            *self.remembered,
            *(coordinator.data for coordinator in self.coordinators),
        ]
        if partitions != self._partitions:
            self._partitions = partitions
            self._newest = merge(partitions)
        return self._newest

    def put_clock_right(self, now: datetime) -> None:
        """Let nothing that is known be of the future, where it would keep news out."""
        self.remembered = [as_of(samples, now) for samples in self.remembered]
        for coordinator in self.coordinators:
            coordinator.data = as_of(coordinator.data, now)


@dataclass(slots=True, kw_only=True)
class EnphaseCloudData:
    """Runtime data of a config entry."""

    budget: KeyBudget
    client: EnphaseCloudClient
    storage: EntryStore
    systems: list[EnphaseSystem] = field(default_factory=list)
    # Names of systems that an older entry has.
    systems_elsewhere: list[str] = field(default_factory=list)
    live_opening: asyncio.Lock = field(default_factory=asyncio.Lock)

    def hide(self, system: EnphaseSystem, hidden: Backoff) -> None:
        """Leave a system alone that the cloud does not show, but for a rare poll."""
        system.is_visible = False
        self.storage.set_hidden(system.system_id, hidden)
        self.budget.notify()

    def show(self, system: EnphaseSystem) -> None:
        """Poll a system again that the cloud shows again."""
        system.is_visible = True
        # Any document may have been refused for the same reason.
        self.storage.forget_refusals(system.system_id)
        self.storage.set_hidden(system.system_id, None)
        if system.live_sessions is not None:
            system.live_sessions.async_schedule()
        self.budget.notify()


def device_identifier(system_id: int) -> tuple[str, str]:
    """Return what the device of a system is found by."""
    return (DOMAIN, str(system_id))


type EnphaseCloudConfigEntry = ConfigEntry[EnphaseCloudData]
