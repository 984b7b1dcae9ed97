"""What a loaded config entry holds."""

from dataclasses import dataclass, field
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, callback
from homeassistant.util import dt as dt_util

from .const import DOMAIN
from .coordinator.base import EntryContext, SystemContext
from .coordinator.costs import SystemCosts
from .coordinator.document import DocumentCoordinator
from .coordinator.energy import EnergyCoordinator
from .coordinator.event_types import EventTypesCoordinator
from .coordinator.event_weeks import EventWeeks
from .coordinator.figures import SystemFigures
from .coordinator.live import LiveCoordinator
from .coordinator.live_sessions import LiveSessions
from .coordinator.settings_writer import SettingsWriter
from .measurements.arrays import PanelArray
from .measurements.board import Board
from .measurements.catalog import Measurement, Source
from .measurements.samples import Value, fresh_value
from .measurements.system import SYSTEM, Device, SystemInfo
from .runtime.key_budget import KeyBudget
from .runtime.storage import EntryStore, SystemStore


@dataclass(slots=True, kw_only=True, eq=False)
class EnphaseSystem:
    """A system and its coordinators."""

    context: SystemContext
    event_weeks: EventWeeks
    documents: list[DocumentCoordinator] = field(default_factory=list)
    live: LiveCoordinator | None = None
    live_sessions: LiveSessions | None = None
    energy: EnergyCoordinator | None = None
    costs: SystemCosts | None = None
    figures: SystemFigures | None = None
    settings: dict[Source, SettingsWriter] = field(default_factory=dict)
    arrays: list[PanelArray] = field(default_factory=list)
    # The ids by which the registry knows the devices, as far as they are there.
    device_ids: dict[Device, str] = field(default_factory=dict)
    # The end of the last session of each charger that has fired an event [Unix time].
    sessions_fired_until: dict[Device, float] = field(default_factory=dict)
    # Changes whenever the ids change.
    devices_revision: int = 0
    _device_listeners: list[CALLBACK_TYPE] = field(default_factory=list)

    @property
    def info(self) -> SystemInfo:
        """Return the fixed facts."""
        return self.context.info

    @property
    def store(self) -> SystemStore:
        """Return the stored state of the system."""
        return self.context.store

    @property
    def board(self) -> Board:
        """Return the board with the samples of the system."""
        return self.context.board

    def fresh(self, measurement: Measurement, device: Device = SYSTEM) -> Value | None:
        """Return a value of the system or a device; None if unknown or too old."""
        return fresh_value(
            self.board.newest(device),
            measurement,
            now=dt_util.utcnow(),
            cellular=self.info.is_cellular,
        )

    def can_show(self, value: object) -> bool:
        """Return whether an entity has a value, or may soon have one, so is available.

        A system that the cloud does not show has no values.
        """
        return self.store.is_visible and (
            value is not None
            or all(each.last_update_success for each in self.documents)
        )

    @property
    def coordinators(
        self,
    ) -> list[DocumentCoordinator | LiveCoordinator | EnergyCoordinator]:
        """Return all coordinators of the system."""
        others = (self.live, self.energy)
        return [*self.documents, *(other for other in others if other is not None)]

    @callback
    def async_on_new_devices(self, listener: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Call a listener after devices are registered; return how to unsubscribe."""
        self._device_listeners.append(listener)
        return lambda: self._device_listeners.remove(listener)

    @callback
    def async_devices_registered(self) -> None:
        """Call the listeners for new devices."""
        self.devices_revision += 1
        for listener in tuple(self._device_listeners):
            listener()


@dataclass(slots=True, kw_only=True)
class EnphaseCloudData:
    """Runtime data of a config entry."""

    shared: EntryContext
    event_types: EventTypesCoordinator
    systems: list[EnphaseSystem] = field(default_factory=list)
    # Names of systems that belong to an older entry.
    systems_elsewhere: list[str] = field(default_factory=list)

    @property
    def budget(self) -> KeyBudget:
        """Return the budget of the API key."""
        return self.shared.budget

    @property
    def to_try(self) -> DocumentCoordinator | None:
        """Return a document for one call; None if other entries have all systems."""
        documents = (each for system in self.systems for each in system.documents)
        return next((each for each in documents if each.plan.is_active), None)

    @property
    def storage(self) -> EntryStore:
        """Return the stored state of the entry."""
        return self.shared.storage


def account_identifier(entry: ConfigEntry[Any]) -> tuple[str, str]:
    """Return the identifier of the account device that an entry may have.

    It stays the same when the API key changes or the account is added again.
    """
    return (DOMAIN, f"account_{entry.unique_id or entry.entry_id}")


def device_identifier(system_id: int, device: Device = SYSTEM) -> tuple[str, str]:
    """Return the identifier of a system, or of a device of it."""
    if device == SYSTEM:
        return (DOMAIN, str(system_id))
    return (DOMAIN, f"{system_id}_{device.kind}_{device.identifier}")


type EnphaseCloudConfigEntry = ConfigEntry[EnphaseCloudData]
