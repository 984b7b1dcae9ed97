"""The listed devices of a system, with their properties."""

from collections.abc import Container, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Final, Self

from ..json_values import count, optional, record, text
from .system import Device, DeviceKind

# A device is removed after this number of responses in a row that do not list it.
_ABSENCES: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceProperties:
    """The properties of a device; all texts are those of the cloud.

    `gateway` is the serial number of the gateway it reports to; `absences` counts the
    responses in a row that did not list it.
    """

    name: str | None = None
    model: str | None = None
    model_id: str | None = None
    serial_number: str | None = None
    firmware: str | None = None
    part_number: str | None = None
    gateway: str | None = None
    absences: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Return the properties in a shape that JSON can hold."""
        return {name: value for name, value in asdict(self).items() if value}

    @classmethod
    def from_dict(cls, data: object) -> Self:
        """Read what `as_dict` returned; raises ValueError where that is damaged."""
        stored = record(data)
        texts = {
            each.name: optional(text, stored.get(each.name))
            for each in fields(cls)
            if each.name != "absences"
        }
        return cls(**texts, absences=count(stored.get("absences", 0)))


type Inventory = Mapping[Device, DeviceProperties]


def updated(
    known: Inventory, listed: Inventory, *, complete: Container[DeviceKind]
) -> Inventory:
    """Return the devices after a response.

    Properties that it lacks stay. `complete` are the kinds that it lists completely: a
    device of these is removed after three responses without it.
    """
    devices = {
        device: _completed(properties, known.get(device))
        for device, properties in listed.items()
    }
    for device in known.keys() - listed.keys():
        if device.kind not in complete:
            devices[device] = known[device]
            continue
        missing = replace(known[device], absences=known[device].absences + 1)
        if missing.absences < _ABSENCES:
            devices[device] = missing
    return devices


def _completed(
    properties: DeviceProperties, before: DeviceProperties | None
) -> DeviceProperties:
    if before is None:
        return properties
    return replace(
        before,
        absences=0,
        **{name: value for name, value in asdict(properties).items() if value},
    )
