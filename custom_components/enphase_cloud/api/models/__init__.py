"""The documents of the cloud as values."""

from .battery import BatteryInterval, BatteryTelemetry
from .energy import (
    DailyBatteryEnergies,
    DailyEnergies,
    DailySeries,
    EnergyInterval,
    EnergyIntervals,
    IntervalSeries,
)
from .latest import BatteryOperation, BatteryReading, LatestTelemetry, PowerReading
from .live import BatteryMode, GridStatus, LiveFrame
from .summary import ProductionSource, Summary
from .systems import ConnectionType, System, SystemsPage, SystemStatus

__all__ = [
    "BatteryInterval",
    "BatteryMode",
    "BatteryOperation",
    "BatteryReading",
    "BatteryTelemetry",
    "ConnectionType",
    "DailyBatteryEnergies",
    "DailyEnergies",
    "DailySeries",
    "EnergyInterval",
    "EnergyIntervals",
    "GridStatus",
    "IntervalSeries",
    "LatestTelemetry",
    "LiveFrame",
    "PowerReading",
    "ProductionSource",
    "Summary",
    "System",
    "SystemStatus",
    "SystemsPage",
]
