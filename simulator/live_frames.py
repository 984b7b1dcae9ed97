"""The payloads of live streams, and the systems that support them."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from .errors import RefusalError, timestamps
from .moments import Clock
from .physics import power
from .world import System

_OLDEST_GATEWAY = (6, 0, 0)

type Payload = dict[str, Any]


def unsupported(system: System) -> RefusalError | None:
    """Return the refusal of a system that cannot stream, None if it can."""
    version = tuple(int(part) for part in system.gateway_version.split("."))
    if version < _OLDEST_GATEWAY:
        return RefusalError(466)
    needed = {"production", "consumption"} if system.plant.storage else {"production"}
    if not system.live_stream or not needed <= system.meters:
        return RefusalError(472)
    return None


class Source:
    """Creates the frames of a live stream of a system."""

    def __init__(self, system: System, now: Clock) -> None:
        """Use the clock for the time of frames."""
        self.now: Callable[[], datetime] = now
        self._system = system

    def frame(self, at: datetime | None = None) -> Payload:
        """Return the frame of a moment, by default now.

        Without a battery it lacks the fields of batteries.
        """
        at = at or self.now()
        system, seconds = self._system, at.timestamp()
        flows = power(system.plant, seconds)
        data: Payload = {}
        if system.plant.storage is not None and flows.soc is not None:
            data["battery_mode"] = system.plant.storage.mode_at(seconds)
            data["battery_power"] = flows.battery
            data["battery_soc"] = round(flows.soc)
        data |= {
            "consumption_power": flows.consumption,
            "envoy_serial_number": [system.gateway_serial],
            "generator_power": flows.generator,
            "grid_power": flows.grid,
            "grid_status": flows.grid_status,
            "pv_power": flows.production,
            "system_id": system.system_id,
        }
        return {"type": "response", **timestamps(at), "data": data}
