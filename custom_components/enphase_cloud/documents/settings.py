"""Settings of a system, and the state of its grid (operations below `config`)."""

from collections.abc import Mapping
from typing import Final

from ..api.models import (
    BatteryMode,
    BatterySettings,
    GridState,
    GridStatus,
    Load,
    LoadControl,
    StormGuard,
)
from ..measurements.catalog import Measurement, Source
from ..measurements.inventory import DeviceProperties, Inventory
from ..measurements.samples import Sample, Value
from ..measurements.system import SYSTEM, Device, DeviceKind
from .base import Known, Report, samples_of

_MODEL: Final = "Dry contact"


def read_grid_state(state: GridState, known: Known) -> Report:
    """Return the status of the grid, as of the gateway's last report."""
    if state.status is GridStatus.UNKNOWN or state.reported_at is None:
        return {}
    at = min(state.reported_at, known.fetched_at)
    sample = Sample(state.status.value, at, Source.GRID_STATUS)
    return {SYSTEM: {Measurement.GRID_STATUS: sample}}


def read_battery_settings(settings: BatterySettings, known: Known) -> Report:
    """Return the settings of the battery, and its reserve before Full Backup."""
    before = known.board.samples(Source.BATTERY_SETTINGS)
    reserve = settings.reserve
    if settings.mode is BatteryMode.FULL_BACKUP:
        held = before.get(Measurement.RESERVE_BEFORE_BACKUP)
        reserve = None if held is None else int(held.value)
    values = {
        Measurement.STORAGE_MODE: settings.mode and settings.mode.value,
        Measurement.RESERVE_LEVEL: settings.reserve,
        Measurement.RESERVE_BEFORE_BACKUP: reserve,
        Measurement.SHUTDOWN_LEVEL: settings.shutdown_level,
        Measurement.ENERGY_INDEPENDENCE: settings.energy_independence,
        Measurement.CHARGE_FROM_GRID: settings.charge_from_grid,
    }
    return {SYSTEM: samples_of(values, known.fetched_at, Source.BATTERY_SETTINGS)}


def read_storm_guard(settings: StormGuard, known: Known) -> Report:
    """Return whether storm guard is on, and whether there is a storm alert."""
    values = {
        Measurement.STORM_GUARD: settings.is_on,
        Measurement.STORM_ALERT: settings.alert,
    }
    return {SYSTEM: samples_of(values, known.fetched_at, Source.STORM_GUARD)}


def read_loads(settings: LoadControl, known: Known) -> Report:
    """Return the settings of each load."""
    return {
        load_device(load.name): samples_of(
            _of_load(load), known.fetched_at, Source.LOAD_CONTROL
        )
        for load in settings.loads.values()
    }


def inventory(settings: LoadControl) -> Inventory:
    """Return the loads with the names that their owner gave them."""
    return {
        load_device(load.name): DeviceProperties(name=load.load_name, model=_MODEL)
        for load in settings.loads.values()
    }


def load_device(name: str) -> Device:
    """Return the device of a load, by the name of its contact."""
    return Device(DeviceKind.LOAD, name)


def _of_load(load: Load) -> Mapping[Measurement, Value | None]:
    return {
        Measurement.LOAD_MODE: load.mode and load.mode.value,
        Measurement.LOAD_CUTOFF_LEVEL: load.low,
        Measurement.LOAD_RESTORE_LEVEL: load.high,
        Measurement.LOAD_START: load.start,
        Measurement.LOAD_END: load.end,
        Measurement.LOAD_IS_LOCKED: load.owner_can_override is False,
    }
