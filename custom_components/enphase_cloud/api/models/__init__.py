"""The documents of the cloud as values."""

from .battery import BatteryInterval, BatteryTelemetry
from .device import (
    CellularModem,
    Device,
    Devices,
    DeviceStatus,
    GatewayDevice,
    MeterDevice,
    MeterKind,
)
from .energy import (
    DailyBatteryEnergies,
    DailyEnergies,
    EnergyInterval,
    EnergyIntervals,
    day_query,
    interval_query,
)
from .event import (
    Alarm,
    AlarmEvent,
    Alarms,
    Event,
    Events,
    EventStatus,
    EventType,
    EventTypes,
    Severity,
)
from .inverters import Inverter, InverterGateway, InvertersSummary
from .latest import (
    BatteryOperation,
    BatteryReading,
    EvChargerReading,
    EvChargerStatus,
    HeatPumpMode,
    HeatPumpReading,
    LatestTelemetry,
    MeterReading,
    PowerReading,
)
from .live_frame import BatteryMode, GridStatus, LiveFrame
from .summary import ProductionSource, Summary
from .system import ConnectionType, System, SystemsPage, SystemStatus

__all__ = [
    "Alarm",
    "AlarmEvent",
    "Alarms",
    "BatteryInterval",
    "BatteryMode",
    "BatteryOperation",
    "BatteryReading",
    "BatteryTelemetry",
    "CellularModem",
    "ConnectionType",
    "DailyBatteryEnergies",
    "DailyEnergies",
    "Device",
    "DeviceStatus",
    "Devices",
    "EnergyInterval",
    "EnergyIntervals",
    "EvChargerReading",
    "EvChargerStatus",
    "Event",
    "EventStatus",
    "EventType",
    "EventTypes",
    "Events",
    "GatewayDevice",
    "GridStatus",
    "HeatPumpMode",
    "HeatPumpReading",
    "Inverter",
    "InverterGateway",
    "InvertersSummary",
    "LatestTelemetry",
    "LiveFrame",
    "MeterDevice",
    "MeterKind",
    "MeterReading",
    "PowerReading",
    "ProductionSource",
    "Severity",
    "Summary",
    "System",
    "SystemStatus",
    "SystemsPage",
    "day_query",
    "interval_query",
]
