"""Meter readings: GET /systems/{id}/…_meter_readings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Self

from ..exceptions import MalformedResponseError
from .convert import to_datetime, to_energy, to_object, to_objects, to_serial


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterRegister:
    """The last reading of a meter, in Wh since its installation.

    A meter of batteries has `charged` and `discharged`, any other meter `energy`. The
    `read_at` of a retired meter does not change. repr() omits the serial number.
    """

    serial_number: str | None = field(repr=False)
    read_at: datetime | None
    energy: float | None
    charged: float | None
    discharged: float | None


class MeterReadings(NamedTuple):
    """The meters of one kind, with retired ones, in the order of the document."""

    registers: tuple[MeterRegister, ...]

    @classmethod
    def from_api(cls, data: Mapping[str, Any]) -> Self:
        """Read the meters; skip those without a reading.

        Raises MalformedResponseError without a list, or if all meters are unreadable.
        """
        listed = to_object(data).get("meter_readings")
        if not isinstance(listed, list):
            raise MalformedResponseError("The response has no list of meters")
        registers = tuple(filter(None, map(_register, to_objects(listed))))
        if listed and not registers:
            raise MalformedResponseError("No meter is readable")
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
        # Production meters have the first name, all others the second.
        serial_number=to_serial(data.get("serial_number"))
        or to_serial(data.get("serial_num")),
        read_at=to_datetime(data.get("read_at")),
        energy=energy,
        charged=charged,
        discharged=discharged,
    )
