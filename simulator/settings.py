"""What an owner sets of a system: storage, storm guard and loads."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from .microinverters import PanelOwner
from .physics.plant import BatteryMode

type LoadMode = Literal[
    "Scheduled",
    "Basic",
    "Advanced_BatteryPowered",
    "Manual_always_not_powered",
    "Manual_always_powered",
    "Advanced_GeneratorPowered",
]

_FULL = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """A load on a dry contact; levels in %, times in seconds of the day."""

    name: str
    load_name: str
    owner_can_override: bool = True
    mode: LoadMode = "Basic"
    soc_low: int = 30
    soc_high: int = 50
    status: Literal["enabled", "disabled"] = "enabled"
    essential_start_time: int = 32_400
    essential_end_time: int = 57_600


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of a system, as the cloud has them.

    Without a `mode` it is that of the batteries; each mode has a reserve of its own,
    in %, which is that of the batteries as long as nobody sets another.
    """

    mode: BatteryMode | None = None
    reserves: Mapping[BatteryMode, int] = field(default_factory=dict)
    energy_independence: bool = False
    charge_from_grid: bool = False
    storm_guard: bool = False
    loads: tuple[Load, ...] = ()

    def with_battery(
        self, mode: BatteryMode, reserve: int | None, *, energy_independence: bool
    ) -> Settings:
        """Return the settings with others of the storage; full backup keeps 100 %."""
        reserves = self.reserves
        if reserve is not None and mode != "Full Backup":
            reserves = {**reserves, mode: reserve}
        return replace(
            self,
            mode=mode,
            reserves=reserves,
            energy_independence=energy_independence,
        )

    def with_load(self, load: Load) -> Settings:
        """Return the settings with another one of a load."""
        loads = (load if each.name == load.name else each for each in self.loads)
        return replace(self, loads=tuple(loads))


@dataclass(slots=True, kw_only=True, eq=False)
class SettingsOwner(PanelOwner):
    """A system with its settings, and the alerts for the place where it stands."""

    settings: Settings = field(default_factory=Settings)
    storm_alert: bool = False

    def battery_mode(self, settings: Settings) -> BatteryMode:
        """Return the mode of storage by some settings of this system."""
        storage = self.plant.storage
        return settings.mode or (storage.mode if storage else "Self-consumption")

    def reserve(self, settings: Settings, mode: BatteryMode) -> int:
        """Return the reserve of a mode [%] by some settings of this system."""
        storage = self.plant.storage
        if mode == "Full Backup" or storage is None:
            return _FULL
        return settings.reserves.get(mode, storage.reserve_percent)
