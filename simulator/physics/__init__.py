"""What physically happens at a site: a pure function of site and moment."""

from .model import Day, Flow, Power, day, energy, power
from .plant import Plant, Storage

__all__ = ["Day", "Flow", "Plant", "Power", "Storage", "day", "energy", "power"]
