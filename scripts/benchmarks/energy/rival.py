"""A plain sensor of `total_increasing` energy, polled at the same moments.

Home Assistant's own code makes statistics of it. Its compilation runs for the five
minutes of each poll and for the last five of that hour: in all others no state changes
and so no sum.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from homeassistant.components.recorder.tasks import StatisticsTask
from homeassistant.core import HomeAssistant

from custom_components.enphase_cloud.measurements.catalog import Flow

from .cloud import Answers
from .mishaps import NO_ANSWER, Luck
from .recorder import written

_ATTRIBUTES: Final = {
    "state_class": "total_increasing",
    "device_class": "energy",
    "unit_of_measurement": "Wh",
}
_PERIOD: Final = timedelta(minutes=5)
# The documents of all days, and what each calls the energies of a flow.
_MEMBERS: Final = {
    Flow.PRODUCTION: ("energy_lifetime", "production"),
    Flow.CONSUMPTION: ("consumption_lifetime", "consumption"),
    Flow.GRID_IMPORT: ("energy_import_lifetime", "import"),
    Flow.GRID_EXPORT: ("energy_export_lifetime", "export"),
    Flow.BATTERY_CHARGE: ("battery_lifetime", "charge"),
    Flow.BATTERY_DISCHARGE: ("battery_lifetime", "discharge"),
}


@dataclass(frozen=True, slots=True)
class Rival:
    """Sensors of the lifetime energy of each flow.

    They are spared all distorted numbers; data that comes late and calls that fail
    befall them, too.
    """

    answers: Answers
    luck: Luck

    @property
    def entity_ids(self) -> dict[Flow, str]:
        """Return the id of each flow's sensor, and of its statistic."""
        return {flow: f"sensor.rival_{flow}" for flow in Flow}

    def poll(self, hass: HomeAssistant, now: datetime) -> None:
        """Ask for all lifetime energies, and show them."""
        paths = dict.fromkeys(path for path, _ in _MEMBERS.values())
        failing = {path for path in paths if self.luck.mishap() == NO_ANSWER}
        today = now.astimezone(self.answers.site.zone).date()
        for flow, (path, member) in _MEMBERS.items():
            if path not in failing:
                told = self.answers.document(path, now, end_date=today)[member]
                hass.states.async_set(
                    self.entity_ids[flow],
                    str(sum(told)),
                    _ATTRIBUTES,
                    timestamp=now.timestamp(),
                )


async def compile_statistics(hass: HomeAssistant, now: datetime) -> None:
    """Let the recorder compile what a poll changed, and then the poll's hour."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    polled = hour + (now - hour) // _PERIOD * _PERIOD
    periods = dict.fromkeys((polled, hour + timedelta(hours=1) - _PERIOD))
    await written(hass, *(StatisticsTask(start, False) for start in periods))  # noqa: FBT003
