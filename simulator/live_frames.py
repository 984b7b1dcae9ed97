"""The payloads of a live stream, and which systems have one."""

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
    """Return the reason why a system cannot stream, None when it can."""
    version = tuple(int(part) for part in system.gateway_version.split("."))
    if version < _OLDEST_GATEWAY:
        return RefusalError(466)
    needed = {"production", "consumption"} if system.plant.storage else {"production"}
    if not system.live_stream or not needed <= system.meters:
        return RefusalError(472)
    return None


class Source:
    """Where the frames of a system's live stream come from."""

    def __init__(self, system: System, now: Clock) -> None:
        """Look at a system through a clock."""
        self.now: Callable[[], datetime] = now
        self._system = system

    def frame(self, at: datetime | None = None) -> Payload:
        """Return what flows at a moment, by default now, as the stream writes it.

        Without a battery its fields are absent.
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
