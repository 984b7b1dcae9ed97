"""What entities should show, from what the simulated cloud says."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from .cloud import Cloud, Observer
from .entities import Truth
from .home_assistant import Json

_BATTERY_MODES: Final = {
    "Self-consumption": "self_consumption",
    "Savings Mode": "savings",
    "Full Backup": "full_backup",
}
_GRID_STATUS: Final = {"On Grid": "on_grid", "Off Grid": "off_grid"}

_SOURCES: Final = (
    "current_power_production",
    "net_consumption",
    "battery_discharge",
)
_SINK: Final = "current_power_consumption"
POWERS: Final = (*_SOURCES, _SINK)


async def polled(
    cloud: Cloud, observer: Observer, system_id: int
) -> tuple[str, dict[str, Truth]]:
    """Return when powers were measured last, and what the documents made of it say.

    Powers are the physical truth at that moment, signs included, and the charge is
    that of the report. Energies are the document's own: the newest intervals of a
    report may lack a device, which is not an error of those who read it.
    """
    known = await cloud.truth(system_id)
    measured_at = known["measured_at"]
    flows: Json = (await cloud.truth(system_id, at=measured_at))["power_w"]
    reported: Json = (await cloud.truth(system_id, at=known["last_report_at"]))[
        "power_w"
    ]
    summary = await observer.summary(system_id)
    truths: dict[str, Truth] = {
        "current_power_production": flows["production"],
        "current_power_consumption": flows["consumption"],
        "net_consumption": flows["grid"],
        "lifetime_production": summary["energy_lifetime"] + summary["energy_today"],
        "daily_production": summary["energy_today"],
        "system_status": summary["status"],
    }
    if flows["soc"] is not None:
        truths["battery_discharge"] = flows["battery"]
        truths["battery_level"] = round(reported["soc"])
        truths["max_capacity"] = summary["battery_capacity_wh"]
    return measured_at, truths


def live(frame: Json) -> dict[str, Truth]:
    """Return what a frame of live data says."""
    return {
        "current_power_production": frame["pv_power"],
        "current_power_consumption": frame["consumption_power"],
        "net_consumption": frame["grid_power"],
        "battery_discharge": frame["battery_power"],
        "battery_level": frame["battery_soc"],
        "battery_mode": _BATTERY_MODES[frame["battery_mode"]],
        "grid_status": _GRID_STATUS[frame["grid_status"]],
    }


def imbalance(powers: Mapping[str, float]) -> float:
    """Return the W by which sources and sinks differ; zero where all signs are right.

    What is produced, drawn from the grid (+) and from the battery (+) is consumed.
    """
    return sum(powers.get(key, 0) for key in _SOURCES) - powers[_SINK]


def seconds_between(earlier: str, later: str) -> float:
    """Return the seconds between two ISO moments."""
    return (
        datetime.fromisoformat(later) - datetime.fromisoformat(earlier)
    ).total_seconds()
