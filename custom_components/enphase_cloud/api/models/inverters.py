"""Single microinverters: GET /systems/inverters_summary_by_envoy_or_site."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple, Self

from ..exceptions import MalformedResponseError
from .convert import (
    to_count,
    to_datetime,
    to_device_id,
    to_energy,
    to_number,
    to_objects,
    to_power,
    to_serial,
    to_text,
    to_word,
)
from .device import DeviceStatus

_WATTS: Final = {"w": 1.0, "kw": 1_000.0}
_WATT_HOURS: Final = {"wh": 1.0, "kwh": 1_000.0, "mwh": 1_000_000.0}
_STRONGEST_SIGNAL: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Inverter:
    """One microinverter.

    `power` [W] is the last reported one, at about `last_report_at`. `energy` [Wh] is
    that of its lifetime. `firmware` is `proc_load` in the API. repr() omits identifiers
    of the microinverter and of its gateway.
    """

    device_id: int | None = field(repr=False)
    serial_number: str | None = field(repr=False)
    gateway_serial_number: str | None = field(repr=False)
    model: str | None
    part_number: str | None
    sku: str | None
    firmware: str | None
    parameter_table: str | None
    grid_profile: str | None
    status: DeviceStatus
    power: int | None
    energy: float | None
    last_report_at: datetime | None

    @property
    def key(self) -> int | str:
        """Return the unique serial number, else the id."""
        return self.serial_number or self.device_id or 0


class InverterGateway(NamedTuple):
    """A gateway with its microinverters on this page.

    `signal_strength` is 0 to 5. `listed` is the number of entries, readable or not.
    """

    signal_strength: int | None
    inverters: tuple[Inverter, ...]
    listed: int


class InvertersSummary(NamedTuple):
    """One page of microinverters by gateway, for `EnphaseCloudClient.pages`.

    Only microinverters of active gateways are listed: a missing one may still exist.
    The document has no total, so a page that is not full is the last one. For the
    signal strength of gateways, request a page with `EnphaseCloudClient.get`.
    """

    gateways: tuple[InverterGateway, ...]

    @classmethod
    def from_api(cls, data: Any) -> Self:
        """Read one page; skip microinverters without a serial number and an id.

        Raises MalformedResponseError without a list, or if all microinverters are
        unreadable.
        """
        if not isinstance(data, list):
            raise MalformedResponseError("The response has no list of gateways")
        gateways = tuple(filter(None, map(_gateway, to_objects(data))))
        summary = cls(gateways=gateways)
        if (data and not gateways) or (summary.listed and not summary.inverters):
            raise MalformedResponseError("No microinverter is readable")
        return summary

    @property
    def inverters(self) -> tuple[Inverter, ...]:
        """Return the microinverters of all gateways."""
        return tuple(each for gateway in self.gateways for each in gateway.inverters)

    @property
    def listed(self) -> int:
        """Return the number of entries on the page, readable or not."""
        return sum(gateway.listed for gateway in self.gateways)

    @property
    def total(self) -> int | None:
        """Return None: the document has no total."""
        return None

    @property
    def by_id(self) -> Mapping[int | str, Inverter]:
        """Return the microinverters by `Inverter.key`."""
        return {inverter.key: inverter for inverter in self.inverters}


def _gateway(data: Mapping[str, Any]) -> InverterGateway | None:
    entries = data.get("micro_inverters")
    if not isinstance(entries, list):
        return None
    signal = to_count(data.get("signal_strength"))
    return InverterGateway(
        signal_strength=(
            signal if signal is not None and signal <= _STRONGEST_SIGNAL else None
        ),
        inverters=tuple(
            inverter
            for inverter in map(_inverter, to_objects(entries))
            if inverter.serial_number or inverter.device_id
        ),
        listed=len(entries),
    )


def _inverter(data: Mapping[str, Any]) -> Inverter:
    return Inverter(
        device_id=to_device_id(data.get("id")),
        serial_number=to_serial(data.get("serial_number")),
        gateway_serial_number=to_serial(data.get("envoy_serial_number")),
        model=to_text(data.get("model")),
        part_number=to_text(data.get("part_number")),
        sku=to_text(data.get("sku")),
        firmware=to_text(data.get("proc_load")),
        parameter_table=to_text(data.get("param_table")),
        grid_profile=to_text(data.get("grid_profile")),
        status=DeviceStatus.from_api(data.get("status")),
        power=to_power(_quantity(data.get("power_produced"), _WATTS)),
        energy=to_energy(_quantity(data.get("energy"), _WATT_HOURS)),
        last_report_at=to_datetime(data.get("last_report_date")),
    )


def _quantity(value: object, units: Mapping[str, float]) -> float | None:
    """Return a quantity in its base unit.

    The document has an object with value and units, or a bare number.
    """
    if not isinstance(value, Mapping):
        return to_number(value)
    number = to_number(value.get("value"))
    factor = units.get(to_word(value.get("units"))) if "units" in value else 1.0
    return None if number is None or factor is None else number * factor
