"""A system, and the devices it consists of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from enum import StrEnum
from typing import Final, Self, override


class DeviceKind(StrEnum):
    """The kind of a device; also a part of its key in stored data."""

    SYSTEM = "system"
    GATEWAY = "gateway"
    INVERTER = "inverter"
    BATTERY = "battery"
    METER = "meter"
    RELAY = "relay"
    CONTROLLER = "controller"
    CHARGER = "charger"
    HEAT_PUMP = "heat_pump"
    GENERATOR = "generator"
    LOAD = "load"
    """A load that a dry contact of a system controller switches."""
    ARRAY = "array"
    """A group of panels that the user defined; unknown to the cloud."""


MOST_W: Final[Mapping[DeviceKind, int]] = {
    DeviceKind.INVERTER: 1_500,
    DeviceKind.BATTERY: 25_000,
    DeviceKind.METER: 250_000,
    # A charger on three phases of 32 A gives 22 kW.
    DeviceKind.CHARGER: 25_000,
    DeviceKind.HEAT_PUMP: 50_000,
}
"""The power [W] that no device of a kind exceeds."""


@dataclass(frozen=True, slots=True)
class Device:
    """A device of a system; `identifier` is its id or serial number, "" the system."""

    kind: DeviceKind
    identifier: str = ""
    # Computed once: it is used thousands of times in a system with many panels.
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Compute the hash once."""
        object.__setattr__(self, "_hash", hash((self.kind, self.identifier)))

    @override
    def __hash__(self) -> int:
        return self._hash

    @property
    def key(self) -> str:
        """Return the key of the device in stored data."""
        return f"{self.kind}:{self.identifier}" if self.identifier else str(self.kind)

    @classmethod
    def from_key(cls, key: str) -> Self:
        """Read a key; raises ValueError if it is invalid."""
        kind, _, identifier = key.partition(":")
        return cls(DeviceKind(kind), identifier)


SYSTEM: Final = Device(DeviceKind.SYSTEM)


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemInfo:
    """The fixed facts of a system, from the list of systems.

    `arrays` maps the key of a panel to the key of its array.
    """

    system_id: int
    name: str
    time_zone: tzinfo
    is_cellular: bool = False
    is_time_zone_known: bool = True
    can_stream: bool = True
    arrays: Mapping[str, str] = field(default_factory=dict)
