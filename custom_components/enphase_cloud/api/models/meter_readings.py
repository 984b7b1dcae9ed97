"""Registers of meters: GET /systems/{id}/…_meter_readings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Self

from ..exceptions import MalformedResponseError
from .convert import to_datetime, to_energy, to_object, to_objects, to_serial


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterRegister:
    """What a meter showed when it was read last, in Wh since it was installed.

    A meter of batteries tells `charged` and `discharged`, any other one `energy`. Of a
    meter that was retired, `read_at` stands still. repr() shows no serial number.
    """

    serial_number: str | None = field(repr=False)
    read_at: datetime | None
    energy: float | None
    charged: float | None
    discharged: float | None


class MeterReadings(NamedTuple):
    """The meters of one kind, retired ones included, in the order of the cloud."""

    registers: tuple[MeterRegister, ...]

    @classmethod
    def from_api(cls, data: Mapping[str, Any]) -> Self:
        """Read the meters, leaving out those without any register.

        Raises MalformedResponseError where there is no list, or none can be read.
        """
        listed = to_object(data).get("meter_readings")
        if not isinstance(listed, list):
            raise MalformedResponseError("The answer lists no meters")
        registers = tuple(filter(None, map(_register, to_objects(listed))))
        if listed and not registers:
            raise MalformedResponseError("None of the meters can be read")
        return cls(registers=registers)


def _register(data: Mapping[str, Any]) -> MeterRegister | None:
    values = [
        to_energy(data.get(name))
        for name in ("value", "value_charged", "value_discharged")
    ]
    if all(value is None for value in values):
        return None
    energy, charged, discharged = values
    return MeterRegister(
        # Meters of production have the first one, the others the second.
        serial_number=to_serial(data.get("serial_number"))
        or to_serial(data.get("serial_num")),
        read_at=to_datetime(data.get("read_at")),
        energy=energy,
        charged=charged,
        discharged=discharged,
    )
