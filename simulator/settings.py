"""Settings of a system by its owner: storage, storm guard and loads."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from .microinverters import PanelOwner
from .moments import Window, epoch
from .physics import ChargingSession, Command, Load, LoadOrder, Order, Regime
from .physics.regimes import ActiveMode, BatteryMode

_FULL = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of a system in the cloud.

    The default of `mode` is that of the batteries. Each mode has its own reserve in %;
    the default is that of the batteries.
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
        """Return the settings with a changed storage; full backup keeps 100 %."""
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
        """Return the settings with a changed load."""
        loads = (load if each.name == load.name else each for each in self.loads)
        return replace(self, loads=tuple(loads))


@dataclass(slots=True, kw_only=True, eq=False)
class SettingsOwner(PanelOwner):
    """A system with its settings, and events that override them.

    New settings take effect after `settings_delay` seconds, and documents show them
    after `settings_shown_after`. Storm guard keeps all stored energy during a storm
    alert; during a `dr_event` grid services control the batteries. Both take effect at
    once. An offline gateway applies all changes when it is back.
    """

    settings: Settings = field(default_factory=Settings)
    settings_delay: int = 120
    settings_shown_after: int = 0
    storm_alert: bool = False
    dr_event: bool = False
    former_settings: list[tuple[int, Settings]] = field(default_factory=list)
    offline: list[Window] = field(default_factory=list)
    is_behind: bool = False

    def change_settings(self, settings: Settings, now: datetime) -> None:
        """Change the settings."""
        if self.settings_shown_after:
            until = epoch(now) + self.settings_shown_after
            self.former_settings.append((until, self.settings))
        self.settings = settings
        self.deliver(now, self.settings_delay)

    def install_loads(self, *loads: Load) -> None:
        """Install loads on dry contacts from the start of operation."""
        self.settings = replace(self.settings, loads=loads)
        self._switch_loads(0)

    def shown_settings(self, now: int) -> Settings:
        """Return the settings that documents show at a moment."""
        former = (each for until, each in self.former_settings if now < until)
        return next(former, self.settings)

    def set_storm_alert(self, now: datetime, *, alert: bool) -> None:
        """Start or end a storm alert."""
        self.storm_alert = alert
        self.deliver(now)

    def set_dr_event(self, now: datetime, *, active: bool) -> None:
        """Start or end control of the batteries by grid services."""
        self.dr_event = active
        self.deliver(now)

    def is_offline(self, moment: int) -> bool:
        """Return whether the gateway is offline at a moment."""
        return any(moment in window for window in self.offline)

    def deliver(self, now: datetime, delay: int = 0) -> None:
        """Apply settings and events after `delay` seconds, if the gateway is online."""
        self.is_behind = self.is_offline(epoch(now))
        if not self.is_behind:
            self._switch_loads(epoch(now) + delay)
            self._follow(epoch(now) + delay)

    def command_charger(self, serial: str, level: int, now: datetime) -> None:
        """Charge at a share of the power of a charger [%], 0 to stop.

        Raises KeyError if the charger does not exist.
        """
        found = {each.serial: each for each in self.plant.chargers}
        commands = (*found[serial].commands, Command(epoch(now), level))
        found[serial] = replace(found[serial], commands=commands)
        self.plant = replace(self.plant, chargers=tuple(found.values()))

    def plug_in(self, serial: str, now: datetime, stay: timedelta, wanted: int) -> None:
        """Plug in a car that takes `wanted` Wh after a command."""
        found = {each.serial: each for each in self.plant.chargers}
        start, end = epoch(now), epoch(now + stay)
        visit = ChargingSession(start=start, end=end, charges_at=end, wanted=wanted)
        visits = (*found[serial].visits, visit)
        found[serial] = replace(found[serial], visits=visits)
        self.plant = replace(self.plant, chargers=tuple(found.values()))

    def battery_mode(self, settings: Settings) -> BatteryMode:
        """Return the storage mode for settings of this system."""
        storage = self.plant.storage
        return settings.mode or (storage.mode if storage else "Self-consumption")

    def reserve(self, settings: Settings, mode: BatteryMode) -> int:
        """Return the reserve of a mode [%] for settings of this system."""
        storage = self.plant.storage
        if mode == "Full Backup" or storage is None:
            return _FULL
        return settings.reserves.get(mode, storage.reserve_percent)

    def _switch_loads(self, at: int) -> None:
        orders = self.plant.load_orders
        if self.settings.loads != (orders[-1].loads if orders else ()):
            earlier = tuple(each for each in orders if each.at < at)
            orders = (*earlier, LoadOrder(at, self.settings.loads))
            self.plant = replace(self.plant, load_orders=orders)

    def _follow(self, at: int) -> None:
        """Order the regime of settings and events, unless it is in force."""
        storage = self.plant.storage
        if storage is None:
            return
        newest = storage.orders[-1].regime if storage.orders else storage.regime
        if (regime := self._regime()) != newest:
            storage = storage.with_order(Order(at, regime))
            self.plant = replace(self.plant, storage=storage)

    def _regime(self) -> Regime:
        settings = self.settings
        mode = self.battery_mode(settings)
        active: ActiveMode = mode
        if self.storm_alert and settings.storm_guard:
            active = mode = "Full Backup"
        if self.dr_event:
            active = "DR Event Active"
        return Regime(
            active,
            self.reserve(settings, mode),
            settings.energy_independence,
            settings.charge_from_grid,
        )
