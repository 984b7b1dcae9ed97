"""Energy of single devices becomes statistics.

Those of chargers and heat pumps are individual devices of the Energy dashboard.
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
from ..energy.readings import HOUR, Readings, top_of_hour
from ..measurements.catalog import Flow, Measurement, Source
from ..measurements.samples import Sample, advance
from ..measurements.system import Device, DeviceKind
from .base import SystemContext
from .energy import EnergyCoordinator
from .error_policy import UnforeseenError, foreseen
from .statistics import Imported, Series, StatisticsImporter

type Energies = EnergyIntervals | DailyEnergy

RETURNED: Final = "_returned"
"""Ends the id of what a car gave back."""
_FLOWS: Final = {Flow.BATTERY_CHARGE: "_charge", Flow.BATTERY_DISCHARGE: "_discharge"}

# The documents that tell energies, each with the one that tells all days of the past.
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
DEVICE_ENERGIES: Final = frozenset(_DAYS)
"""The documents that tell the energy of single devices."""


class _Row(NamedTuple):
    """What the devices of a kind are called, and the power that none exceeds [W]."""

    label: str
    name: str
    most_w: int
    lifetime: Measurement | None = None


_ROWS: Final = {
    # More than a charger on three phases of 32 A gives.
    DeviceKind.CHARGER: _Row(
        "a charger", "EV charger", 25_000, Measurement.CHARGER_ENERGY_LIFETIME
    ),
    DeviceKind.HEAT_PUMP: _Row(
        "a heat pump", "Heat pump", 50_000, Measurement.HEAT_PUMP_ENERGY_LIFETIME
    ),
    DeviceKind.BATTERY: _Row("a battery", "Battery {}", 25_000),
    DeviceKind.INVERTER: _Row("a panel", "Inverter {}", 1_500),
    DeviceKind.METER: _Row("a production meter", "Production meter {}", 250_000),
}


def device_series(device: Device, name: str | None, flow: str = "") -> Series:
    """Return a statistic of a device; its id has the serial number, or its own id."""
    row, number = _ROWS[device.kind], device.identifier
    slug = re.sub(r"[^0-9a-z]+", "_", number.lower()).strip("_") or "0"
    called = name or row.name.format(number)
    return Series(
        f"{device.kind}_{slug}{flow}", row.label, f"{called}{flow.replace('_', ' ')}"
    )


class DeviceStatistics:
    """Imports what answers say of the energy of a system's devices."""

    def __init__(
        self, context: SystemContext, energy: EnergyCoordinator, *, of_panels: bool
    ) -> None:
        """Import beside the flows, whose listeners hear of it, too."""
        self._context = context
        self._energy = energy
        self._of_panels = of_panels
        self._statistics = StatisticsImporter(context.shared.hass, context.info)
        # Answers have to be imported in the order in which they came.
        self._importing = asyncio.Lock()
        # Until when the last answer told whole hours.
        self._told: dict[tuple[Source, Device], datetime] = {}

    @callback
    def take(self, source: Source, answer: Any, known: Known) -> None:
        """Import an answer in the background, if the user wants statistics."""
        is_of_panels = source is Source.PANEL_TELEMETRY
        if not self._energy.is_wanted or (is_of_panels and not self._of_panels):
            return
        shared = self._context.shared
        shared.entry.async_create_background_task(
            shared.hass,
            self._async_take(source, answer, known),
            "Enphase Cloud energy of devices",
        )

    async def _async_take(self, source: Source, answer: Any, known: Known) -> None:
        told = list(_energies(answer, known))
        hour = _newest_hour([energies for _, _, energies in told])
        of = source, known.device
        async with self._importing:
            # An answer without another whole hour brings nothing.
            if hour is not None and self._told.get(of) == hour:
                return
            with suppress(UnforeseenError), foreseen():
                for device, flow, energies in told:
                    await self._async_import(source, device, flow, energies, known)
                if hour is not None:
                    self._told[of] = hour

    async def _async_import(
        self,
        source: Source,
        device: Device,
        flow: str,
        energies: Energies,
        known: Known,
    ) -> None:
        properties = self._context.board.inventory.get(device)
        # All production meters are called alike.
        named = None if device.kind is DeviceKind.METER else properties
        name = None if named is None else named.name
        series = device_series(device, name, flow)
        imported = await self._statistics.async_import(
            series, _readings(device, energies, known)
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
        """Show the sum of all hours once all days of the past are among them."""
        board, measurement = self._context.board, _ROWS[device.kind].lifetime
        before = board.samples(days, device)
        if measurement is None or not imported.rows:
            return
        if not (is_all or measurement in before):
            return
        last = imported.rows[-1]
        total = {measurement: Sample(last.sum, last.start + HOUR, days)}
        board.put(days, advance(before, total, now=known.fetched_at), device)
        self._context.store.save_soon()
        self._energy.async_update_listeners()


def _energies(answer: Any, known: Known) -> Iterator[tuple[Device, str, Energies]]:
    """Yield the energies that an answer tells, with the device and flow of each."""
    match answer:
        case BatteryTelemetry():
            for flow, intervals in battery_intervals(answer).items():
                yield known.device, _FLOWS[flow], intervals
        case BatteryEnergyIntervals() | DailyBatteryEnergy():
            yield known.device, "", answer.charged
            if _has_energy(answer.discharged):
                yield known.device, RETURNED, answer.discharged
        case ProductionMeters():
            for meter, intervals in meter_intervals(answer, known.board).items():
                yield meter, "", intervals
        case EnergyIntervals() | DailyEnergy():
            of_system = known.device.kind is DeviceKind.SYSTEM
            device = heat_pump(known.board) if of_system else known.device
            if device is not None:
                yield device, "", answer
        case _:
            for panel in answer:
                yield panel_device(panel), "", panel.energy


def _has_energy(energies: Energies) -> bool:
    if isinstance(energies, DailyEnergy):
        return any(energies.values)
    return any(interval.energy for interval in energies.intervals)


def _newest_hour(energies: list[Energies]) -> datetime | None:
    """Return when the last whole hour ends; None where whole days are told."""
    ends = [
        each.intervals[-1].end_at
        for each in energies
        if isinstance(each, EnergyIntervals) and each.intervals
    ]
    return top_of_hour(max(ends)) if ends else None


def _readings(device: Device, energies: Energies, known: Known) -> Readings:
    most = _ROWS[device.kind].most_w
    if isinstance(energies, EnergyIntervals):
        return readings_of_intervals(
            energies,
            fetched_at=known.fetched_at,
            power_limit=most,
            may_lack_nights=device.kind in (DeviceKind.INVERTER, DeviceKind.METER),
        )
    return readings_of_days(
        energies,
        fetched_at=known.fetched_at,
        time_zone=known.info.time_zone,
        power_limit=most,
    )
