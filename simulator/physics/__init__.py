"""The physical model of a site: pure functions of plant and time."""

from .loads import Load, LoadOrder
from .model import Day, Flow, Power, day, energy, power
from .plant import Charger, ChargingSession, Command, Heating, Plant, Storage
from .regimes import Order, Regime
from .roof import Mark, Roof, Weakness, panels_of

__all__ = [
    "Charger",
    "ChargingSession",
    "Command",
    "Day",
    "Flow",
    "Heating",
    "Load",
    "LoadOrder",
    "Mark",
    "Order",
    "Plant",
    "Power",
    "Regime",
    "Roof",
    "Storage",
    "Weakness",
    "day",
    "energy",
    "panels_of",
    "power",
]
