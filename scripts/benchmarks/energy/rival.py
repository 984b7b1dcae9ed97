"""A plain sensor of `total_increasing` energy, polled at the same times.

Home Assistant's own code compiles its statistics. It runs for the five minutes of each
poll and for the last five of that hour: in all others no state changes and so no sum.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from homeassistant.components.recorder.tasks import StatisticsTask
from homeassistant.core import HomeAssistant

from custom_components.enphase_cloud.measurements.catalog import Flow

from .cloud import CloudData
from .faults import NO_RESPONSE, RandomFaults
from .recorder import written

_ATTRIBUTES: Final = {
    "state_class": "total_increasing",
    "device_class": "energy",
    "unit_of_measurement": "Wh",
}
_PERIOD: Final = timedelta(minutes=5)
# The documents with all days, and the member with a flow's energy.
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

    Late data and failed calls affect them as they affect us; distorted numbers do not.
    """

    cloud: CloudData
    faults: RandomFaults

    @property
    def entity_ids(self) -> dict[Flow, str]:
        """Return the entity id of each flow's sensor; its statistic has the same."""
        return {flow: f"sensor.rival_{flow}" for flow in Flow}

    def poll(self, hass: HomeAssistant, now: datetime) -> None:
        """Read the lifetime energy of all flows, and set the sensors' states."""
        paths = dict.fromkeys(path for path, _ in _MEMBERS.values())
        failing = {path for path in paths if self.faults.of_next_call() == NO_RESPONSE}
        today = now.astimezone(self.cloud.site.zone).date()
        for flow, (path, member) in _MEMBERS.items():
            if path not in failing:
                days = self.cloud.document(path, now, end_date=today)[member]
                hass.states.async_set(
                    self.entity_ids[flow],
                    str(sum(days)),
                    _ATTRIBUTES,
                    timestamp=now.timestamp(),
                )


async def compile_statistics(hass: HomeAssistant, now: datetime) -> None:
    """Let the recorder compile the period of a poll, and the end of its hour."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    polled = hour + (now - hour) // _PERIOD * _PERIOD
    periods = dict.fromkeys((polled, hour + timedelta(hours=1) - _PERIOD))
    await written(hass, *(StatisticsTask(start, False) for start in periods))  # noqa: FBT003
