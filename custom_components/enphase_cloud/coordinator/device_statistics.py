"""Imports the energy of single devices as statistics.

The Energy dashboard can show those of chargers and heat pumps as individual devices.
"""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
import re
from typing import Any, Final, NamedTuple

from homeassistant.core import callback

from ..api import (
    BatteryEnergyIntervals,
    BatteryTelemetry,
    DailyBatteryEnergy,
    DailyEnergy,
    EnergyIntervals,
    ProductionMeters,
)
from ..documents.base import Known
from ..documents.telemetry import heat_pump, meter_intervals, panel_device
from ..energy.parsing import battery_intervals, readings_of_days, readings_of_intervals
from ..energy.readings import Readings, top_of_hour
from ..measurements.catalog import Flow, Measurement, Source
from ..measurements.samples import Sample, advance
from ..measurements.system import MOST_W, Device, DeviceKind
from .base import SystemContext
from .energy import EnergyCoordinator
from .error_policy import UnforeseenError, foreseen
from .statistics import Imported, Series, StatisticsImporter

type Energy = EnergyIntervals | DailyEnergy

RETURNED: Final = "_returned"
"""Suffix of the id of the energy that a car discharged."""
_FLOWS: Final = {Flow.BATTERY_CHARGE: "_charge", Flow.BATTERY_DISCHARGE: "_discharge"}

# Documents with energy of devices, each with the one of all days in the past, if any.
_DAYS: Final[Mapping[Source, Source | None]] = {
    Source.CHARGER_INTERVALS: Source.CHARGER_DAYS,
    Source.CHARGER_DAYS: Source.CHARGER_DAYS,
    Source.EVSE_INTERVALS: Source.EVSE_DAYS,
    Source.EVSE_DAYS: Source.EVSE_DAYS,
    Source.HEAT_PUMP_INTERVALS: Source.HEAT_PUMP_DAYS,
    Source.HEAT_PUMP_DAYS: Source.HEAT_PUMP_DAYS,
    Source.BATTERY_UNITS: None,
    Source.PANEL_TELEMETRY: None,
    Source.METER_INTERVALS: None,
}
DEVICE_ENERGY: Final = frozenset(_DAYS)
"""The documents with the energy of single devices."""


class _Row(NamedTuple):
    """Names of a kind of device for logs and users, and its lifetime energy."""

    label: str
    name: str
    lifetime: Measurement | None = None


_ROWS: Final = {
    DeviceKind.CHARGER: _Row(
        "a charger", "EV charger", Measurement.CHARGER_ENERGY_LIFETIME
    ),
    DeviceKind.HEAT_PUMP: _Row(
        "a heat pump", "Heat pump", Measurement.HEAT_PUMP_ENERGY_LIFETIME
    ),
    DeviceKind.BATTERY: _Row("a battery", "Battery {}"),
    DeviceKind.INVERTER: _Row("a panel", "Inverter {}"),
    DeviceKind.METER: _Row("a production meter", "Production meter {}"),
}


def device_series(device: Device, name: str | None, flow: str = "") -> Series:
    """Return the statistic of a device; `flow` is a suffix of its id."""
    row, number = _ROWS[device.kind], device.identifier
    slug = re.sub(r"[^0-9a-z]+", "_", number.lower()).strip("_") or "0"
    full_name = (name or row.name.format(number)) + flow.replace("_", " ")
    return Series(f"{device.kind}_{slug}{flow}", row.label, full_name)


class DeviceStatistics:
    """Imports the energy of a system's devices from responses."""

    def __init__(
        self, context: SystemContext, energy: EnergyCoordinator, *, of_panels: bool
    ) -> None:
        """Import if energy is wanted, and notify the listeners of `energy`, too."""
        self._context = context
        self._energy = energy
        self._of_panels = of_panels
        self._statistics = StatisticsImporter(context.shared.hass, context.info)
        # Responses have to be imported in the order in which they arrive.
        self._importing = asyncio.Lock()
        # The end of the last whole hour in the newest response.
        self._imported_until: dict[tuple[Source, Device], datetime] = {}

    @callback
    def take(self, source: Source, response: Any, known: Known) -> None:
        """Import a response in the background, if the user wants statistics."""
        is_of_panels = source is Source.PANEL_TELEMETRY
        if not self._energy.is_wanted or (is_of_panels and not self._of_panels):
            return
        shared = self._context.shared
        shared.entry.async_create_background_task(
            shared.hass,
            self._async_take(source, response, known),
            "Enphase Cloud energy of devices",
        )

    async def _async_take(self, source: Source, response: Any, known: Known) -> None:
        parts = list(_device_energy(response, known))
        hour = _newest_hour([energy for _, _, energy in parts])
        key = source, known.device
        async with self._importing:
            # Statistics have whole hours: import only when another one is complete.
            if hour is not None and self._imported_until.get(key) == hour:
                return
            with suppress(UnforeseenError), foreseen():
                for device, flow, energy in parts:
                    await self._async_import(source, device, flow, energy, known)
                if hour is not None:
                    self._imported_until[key] = hour

    async def _async_import(
        self,
        source: Source,
        device: Device,
        flow: str,
        energy: Energy,
        known: Known,
    ) -> None:
        properties = self._context.board.inventory.get(device)
        # All production meters have the same name in the inventory.
        named = None if device.kind is DeviceKind.METER else properties
        name = None if named is None else named.name
        series = device_series(device, name, flow)
        imported = await self._statistics.async_import(
            series, _readings(device, energy, known)
        )
        if (days := _DAYS[source]) is not None and not flow:
            self._show(device, days, imported, known, is_all=source is days)

    def _show(
        self,
        device: Device,
        days: Source,
        imported: Imported,
        known: Known,
        *,
        is_all: bool,
    ) -> None:
        """Put the sum of all hours on the board once they include all past days."""
        board, measurement = self._context.board, _ROWS[device.kind].lifetime
        before = board.samples(days, device)
        if measurement is None or not imported.rows:
            return
        if not (is_all or measurement in before):
            return
        last = imported.rows[-1]
        total = {measurement: Sample(last.sum, last.end, days)}
        board.put(days, advance(before, total, now=known.fetched_at), device)
        self._context.store.save_soon()
        self._energy.async_update_listeners()


def _device_energy(response: Any, known: Known) -> Iterator[tuple[Device, str, Energy]]:
    """Yield each device in a response, the suffix of its statistic, and its energy."""
    match response:
        case BatteryTelemetry():
            for flow, intervals in battery_intervals(response).items():
                yield known.device, _FLOWS[flow], intervals
        case BatteryEnergyIntervals() | DailyBatteryEnergy():
            yield known.device, "", response.charged
            if _has_energy(response.discharged):
                yield known.device, RETURNED, response.discharged
        case ProductionMeters():
            for meter, intervals in meter_intervals(response, known.board).items():
                yield meter, "", intervals
        case EnergyIntervals() | DailyEnergy():
            of_system = known.device.kind is DeviceKind.SYSTEM
            device = heat_pump(known.board) if of_system else known.device
            if device is not None:
                yield device, "", response
        case _:
            for panel in response:
                yield panel_device(panel), "", panel.energy


def _has_energy(energy: Energy) -> bool:
    if isinstance(energy, DailyEnergy):
        return any(energy.values)
    return any(interval.energy for interval in energy.intervals)


def _newest_hour(documents: list[Energy]) -> datetime | None:
    """Return the end of the last whole hour; None where all have whole days."""
    ends = [
        each.intervals[-1].end_at
        for each in documents
        if isinstance(each, EnergyIntervals) and each.intervals
    ]
    return top_of_hour(max(ends)) if ends else None


def _readings(device: Device, energy: Energy, known: Known) -> Readings:
    most = MOST_W[device.kind]
    if isinstance(energy, EnergyIntervals):
        return readings_of_intervals(
            energy,
            fetched_at=known.fetched_at,
            power_limit=most,
            may_lack_nights=device.kind in (DeviceKind.INVERTER, DeviceKind.METER),
        )
    return readings_of_days(
        energy,
        fetched_at=known.fetched_at,
        time_zone=known.info.time_zone,
        power_limit=most,
    )
