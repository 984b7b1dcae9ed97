"""A simulated Enphase cloud for tests, the demo and experiments."""

from .app import create_app
from .cloud import Cloud
from .demo import demo_cloud
from .faults import Fault
from .moments import VirtualClock, Window
from .parts import ChargingTimes, EvCharger, HeatPump, IqCharger, SecondGateway
from .physics import (
    Charger,
    ChargingSession,
    Flow,
    Heating,
    Load,
    Plant,
    Power,
    Storage,
)
from .publication import Published
from .records import Frame, Request, Stream
from .settings import Settings
from .truth import Truth
from .world import AccessControl, Account, Address, Application, Plan, System

__all__ = [
    "AccessControl",
    "Account",
    "Address",
    "Application",
    "Charger",
    "ChargingSession",
    "ChargingTimes",
    "Cloud",
    "EvCharger",
    "Fault",
    "Flow",
    "Frame",
    "HeatPump",
    "Heating",
    "IqCharger",
    "Load",
    "Plan",
    "Plant",
    "Power",
    "Published",
    "Request",
    "SecondGateway",
    "Settings",
    "Storage",
    "Stream",
    "System",
    "Truth",
    "VirtualClock",
    "Window",
    "create_app",
    "demo_cloud",
]
