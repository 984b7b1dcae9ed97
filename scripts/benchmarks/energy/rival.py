"""A plain sensor of `total_increasing` energy, polled at the same moments.

Home Assistant's own code makes statistics of it. Its compilation runs for the five
minutes of each poll and for the last five of that hour: in all others no state changes
and so no sum.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from homeassistant.components.recorder.tasks import StatisticsTask
from homeassistant.core import HomeAssistant

from custom_components.enphase_cloud.coordinator.energy_documents import (
    ENERGY_DOCUMENTS,
)
from custom_components.enphase_cloud.energy.readings import Flow
from custom_components.enphase_cloud.measurements.samples import Source

from .cloud import Answers
from .mishaps import Luck, Mishap
from .recorder import written

_ATTRIBUTES: Final = {
    "state_class": "total_increasing",
    "device_class": "energy",
    "unit_of_measurement": "Wh",
}
_PERIOD: Final = timedelta(minutes=5)
_MEMBERS: Final = {
    Flow.PRODUCTION: (Source.PRODUCTION_INTERVALS, "production"),
    Flow.CONSUMPTION: (Source.CONSUMPTION_INTERVALS, "consumption"),
    Flow.GRID_IMPORT: (Source.IMPORT_INTERVALS, "import"),
    Flow.GRID_EXPORT: (Source.EXPORT_INTERVALS, "export"),
    Flow.BATTERY_CHARGE: (Source.BATTERY_INTERVALS, "charge"),
    Flow.BATTERY_DISCHARGE: (Source.BATTERY_INTERVALS, "discharge"),
}
# What no sensor would show.
_REJECTED: Final = ("absurd", "negative", "strings", "null")


@dataclass(frozen=True, slots=True)
class Rival:
    """Sensors of the lifetime energy of each flow.

    A sensor that is spared gets no distorted numbers; data that comes late and calls
    that fail befall it, too.
    """

    answers: Answers
    luck: Luck
    is_spared: bool

    def entity_id(self, flow: Flow) -> str:
        """Return the id of a flow's sensor, and of its statistic."""
        return f"sensor.{'spared' if self.is_spared else 'plain'}_{flow}"

    def poll(self, hass: HomeAssistant, now: datetime) -> None:
        """Ask for all lifetime energies, and show them."""
        mishaps = {asked: self.luck.of_update() for asked in ENERGY_DOCUMENTS}
        for flow, (asked, member) in _MEMBERS.items():
            energy = self._energy(asked, member, mishaps[asked], now)
            if energy is not None:
                hass.states.async_set(
                    self.entity_id(flow),
                    str(energy),
                    _ATTRIBUTES,
                    timestamp=now.timestamp(),
                )

    def _energy(
        self, asked: Source, member: str, mishap: Mishap, now: datetime
    ) -> int | None:
        """Return the energy of all days until now, None where there is no answer."""
        fault = None if self.is_spared else mishap.fault
        if mishap.fails or fault in _REJECTED:
            return None
        document = self.answers.days(asked, now, fault, with_today=True)
        energies: Any = document[member]
        return int(sum(energies))


async def compile_statistics(hass: HomeAssistant, now: datetime) -> None:
    """Let the recorder compile what a poll changed, and then the poll's hour."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    polled = hour + (now - hour) // _PERIOD * _PERIOD
    periods = dict.fromkeys((polled, hour + timedelta(hours=1) - _PERIOD))
    await written(hass, *(StatisticsTask(start, False) for start in periods))  # noqa: FBT003
