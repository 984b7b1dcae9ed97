"""Energy of chargers becomes statistics: individual devices of the Energy dashboard."""

import asyncio
from contextlib import suppress
import re
from typing import Any, Final

from homeassistant.core import callback

from ..api import DailyEnergies, EnergyIntervals
from ..documents.base import Known
from ..energy.parsing import readings_of_days, readings_of_intervals
from ..energy.readings import HOUR, Readings
from ..measurements.catalog import Measurement, Source
from ..measurements.samples import Sample, advance
from ..measurements.system import Device
from .base import SystemContext
from .energy import EnergyCoordinator
from .error_policy import UnforeseenError, foreseen
from .statistics import Imported, Series, StatisticsImporter

CHARGER_ENERGIES: Final = frozenset({Source.CHARGER_INTERVALS, Source.CHARGER_DAYS})
"""The documents that tell the energy of chargers."""

# More than a charger on three phases of 32 A gives.
_MOST_W: Final = 25_000


def charger_series(device: Device, name: str | None) -> Series:
    """Return the statistic of a charger; its id has the serial number."""
    number = re.sub(r"[^0-9a-z]+", "_", device.identifier.lower()).strip("_") or "0"
    return Series(f"charger_{number}", "a charger", name or "EV charger")


class ChargerStatistics:
    """Imports what answers say of the energy of a system's chargers."""

    def __init__(self, context: SystemContext, energies: EnergyCoordinator) -> None:
        """Import beside the flows, whose listeners hear of it, too."""
        self._context = context
        self._energies = energies
        self._statistics = StatisticsImporter(context.shared.hass, context.info)
        # Answers have to be imported in the order in which they came.
        self._importing = asyncio.Lock()

    @callback
    def take(self, answer: EnergyIntervals | DailyEnergies, known: Known) -> None:
        """Import an answer in the background, if the user wants statistics."""
        if not self._energies.is_wanted:
            return
        shared = self._context.shared
        shared.entry.async_create_background_task(
            shared.hass, self._async_take(answer, known), "Enphase Cloud chargers"
        )

    async def _async_take(self, answer: Any, known: Known) -> None:
        with suppress(UnforeseenError), foreseen():
            properties = self._context.board.inventory.get(known.device)
            name = None if properties is None else properties.name
            series = charger_series(known.device, name)
            async with self._importing:
                imported = await self._statistics.async_import(
                    series, _readings(answer, known)
                )
            self._show(known, imported, all_days=isinstance(answer, DailyEnergies))

    def _show(self, known: Known, imported: Imported, *, all_days: bool) -> None:
        """Show the sum of all hours once all days of the past are among them."""
        board, source = self._context.board, Source.CHARGER_DAYS
        before = board.samples(source, known.device)
        measurement = Measurement.CHARGER_ENERGY_LIFETIME
        if not imported.rows or not (all_days or measurement in before):
            return
        last = imported.rows[-1]
        total = {measurement: Sample(last.sum, last.start + HOUR, source)}
        now = known.fetched_at
        board.put(source, advance(before, total, now=now), known.device)
        self._context.store.save_soon()
        self._energies.async_update_listeners()


def _readings(answer: EnergyIntervals | DailyEnergies, known: Known) -> Readings:
    if isinstance(answer, EnergyIntervals):
        return readings_of_intervals(
            answer, fetched_at=known.fetched_at, power_limit=_MOST_W
        )
    return readings_of_days(
        answer,
        fetched_at=known.fetched_at,
        time_zone=known.info.time_zone,
        power_limit=_MOST_W,
    )
