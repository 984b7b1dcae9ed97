"""The documents of the cloud as values."""

from .battery import BatteryInterval, BatteryTelemetry
from .energy import (
    DailyBatteryEnergies,
    DailyEnergies,
    EnergyInterval,
    EnergyIntervals,
    day_query,
    interval_query,
)
from .latest import BatteryOperation, BatteryReading, LatestTelemetry, PowerReading
from .live_frame import BatteryMode, GridStatus, LiveFrame
from .summary import ProductionSource, Summary
from .system import ConnectionType, System, SystemsPage, SystemStatus

__all__ = [
    "BatteryInterval",
    "BatteryMode",
    "BatteryOperation",
    "BatteryReading",
    "BatteryTelemetry",
    "ConnectionType",
    "DailyBatteryEnergies",
    "DailyEnergies",
    "EnergyInterval",
    "EnergyIntervals",
    "GridStatus",
    "LatestTelemetry",
    "LiveFrame",
    "PowerReading",
    "ProductionSource",
    "Summary",
    "System",
    "SystemStatus",
    "SystemsPage",
    "day_query",
    "interval_query",
]
