"""Energy of single microinverters and meters in intervals."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, NamedTuple, Self

from ..exceptions import MalformedResponseError
from .convert import to_count, to_identifier, to_object, to_objects, to_serial
from .energy import EnergyIntervals

_LARGEST_PAGE: Final = 1_000

_panel_intervals = partial(
    EnergyIntervals.from_api, member="enwh", minutes=5, power="powr"
)
_meter_intervals = partial(EnergyIntervals.from_api, member="wh_del", power="curr_w")


@dataclass(frozen=True, slots=True, kw_only=True)
class InverterTelemetry:
    """A microinverter with its intervals of 5 minutes, each with its power.

    repr() omits the serial number.
    """

    serial_number: str = field(repr=False)
    energy: EnergyIntervals

    @classmethod
    def from_api(cls, data: Mapping[str, Any]) -> Self:
        """Read one microinverter.

        Raises MalformedResponseError without a serial number or a system id.
        """
        serial_number = to_serial(to_object(data).get("serial_number"))
        if serial_number is None:
            raise MalformedResponseError("The response has no serial number")
        return cls(serial_number=serial_number, energy=_panel_intervals(data))


class InvertersTelemetry(NamedTuple):
    """One page of microinverters, for `EnphaseCloudClient.pages`.

    `listed` is the number of entries on the page, readable or not; `total` that on all
    pages, None if the cloud does not report it.
    """

    system_id: int
    inverters: tuple[InverterTelemetry, ...]
    listed: int
    total: int | None

    @classmethod
    def from_api(cls, data: Mapping[str, Any]) -> Self:
        """Read one page; skip microinverters without a serial number.

        Raises MalformedResponseError without a system id or a list, or if all
        microinverters are unreadable.
        """
        data = to_object(data)
        entries = data.get("devices")
        if not isinstance(entries, list):
            raise MalformedResponseError("The response has no list of microinverters")
        system_id = to_identifier(data.get("system_id"))
        shared = {"system_id": system_id, "start_at": data.get("start_at")}
        inverters = tuple(_readable(entries[:_LARGEST_PAGE], shared))
        if entries and not inverters:
            raise MalformedResponseError("No microinverter is readable")
        return cls(
            system_id=system_id,
            inverters=inverters,
            listed=len(entries),
            total=to_count(data.get("total_devices")) or None,
        )

    @property
    def by_id(self) -> Mapping[str, InverterTelemetry]:
        """Return the microinverters by serial number."""
        return {inverter.serial_number: inverter for inverter in self.inverters}


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterTelemetry:
    """A channel of a meter with its intervals of 15 minutes, each with its power.

    Each phase is a channel. repr() omits serial numbers.
    """

    serial_number: str | None = field(repr=False)
    gateway_serial_number: str | None = field(repr=False)
    channel: int | None
    energy: EnergyIntervals


class ProductionMeters(NamedTuple):
    """Energy of the production meters of a system: their sum, and each channel."""

    energy: EnergyIntervals
    meters: tuple[MeterTelemetry, ...]

    @classmethod
    def from_api(cls, data: Mapping[str, Any]) -> Self:
        """Read the meters; skip intervals without an end.

        Raises MalformedResponseError if the document has no system id.
        """
        energy = EnergyIntervals.from_api(data, member="wh_del")
        meters = (
            telemetry
            for meter in to_objects(data.get("meter_intervals"))
            for telemetry in _channels(meter, energy.system_id)
        )
        return cls(energy=energy, meters=tuple(meters))


def _readable(
    entries: list[Any], shared: Mapping[str, Any]
) -> Iterator[InverterTelemetry]:
    for entry in entries:
        try:
            yield InverterTelemetry.from_api({**to_object(entry), **shared})
        except MalformedResponseError:
            continue


def _channels(meter: Mapping[str, Any], system_id: int) -> Iterator[MeterTelemetry]:
    channels: dict[int | None, list[Any]] = defaultdict(list)
    for interval in to_objects(meter.get("intervals")):
        channels[to_count(interval.get("channel"))].append(interval)
    for channel, intervals in channels.items():
        yield MeterTelemetry(
            serial_number=to_serial(meter.get("meter_serial_number")),
            gateway_serial_number=to_serial(meter.get("envoy_serial_number")),
            channel=channel,
            energy=_meter_intervals({"system_id": system_id, "intervals": intervals}),
        )
