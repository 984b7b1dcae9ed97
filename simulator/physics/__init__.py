"""What physically happens at a site: a pure function of site and moment."""

from .model import Day, Flow, Power, day, energy, power
from .plant import Charger, ChargingSession, Heating, Plant, Storage
from .roof import Mark, Roof, Weakness, panels_of

__all__ = [
    "Charger",
    "ChargingSession",
    "Day",
    "Flow",
    "Heating",
    "Mark",
    "Plant",
    "Power",
    "Roof",
    "Storage",
    "Weakness",
    "day",
    "energy",
    "panels_of",
    "power",
]
