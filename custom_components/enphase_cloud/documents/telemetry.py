"""Telemetry of panels, batteries, heat pumps, meters and chargers of other makers."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

from ..api.models import (
    BatteryEnergyIntervals,
    BatteryTelemetry,
    EnergyInterval,
    EnergyIntervals,
    InverterTelemetry,
    MeterTelemetry,
    ProductionMeters,
    day_query,
    interval_query,
)
from ..measurements.board import Board
from ..measurements.catalog import Measurement, Source
from ..measurements.samples import Samples, Value, advance
from ..measurements.system import SYSTEM, Device, DeviceKind
from .base import FIRST, EachDevice, Known, Report, dated_samples, plausible
from .chargers import cue_of_devices, energy_of_yesterday, first_day
from .readings import start_of_day

EACH_BATTERY: Final = EachDevice(kind=DeviceKind.BATTERY)
EACH_OTHER_CHARGER: Final = EachDevice(
    kind=DeviceKind.CHARGER, not_reported_by=Source.CHARGERS
)

# Today and yesterday: two days of twenty panels fill two thirds of the size limit of a
# response.
_DAYS_OF_PANELS: Final = 1
_DAYS: Final = 6
_QUARTER: Final = timedelta(minutes=15)
# The name of production meters.
_PRODUCTION: Final = "production"
# How long the cloud may correct intervals.
_SETTLES_AFTER: Final = timedelta(hours=6)
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC) + timedelta(days=2)


def has_heat_pump(board: Board) -> bool:
    """Return whether any document lists a heat pump."""
    return heat_pump(board) is not None


def has_other_charger(board: Board) -> bool:
    """Return whether there is a charger without documents of `ev_charger`."""
    return EACH_OTHER_CHARGER.expected(board) > 0


def heat_pump(board: Board) -> Device | None:
    """Return the heat pump of a system, which has at most one."""
    known = board.devices() | board.inventory.keys()
    of_kind = (each for each in known if each.kind is DeviceKind.HEAT_PUMP)
    return min(of_kind, key=lambda device: device.identifier, default=None)


def has_several_meters(board: Board) -> bool:
    """Return whether several meters measure the production."""
    return len(_production_meters(board)) > 1


def cue_of_chargers(board: Board) -> str:
    """Return the chargers of other makers: a new one makes a request due."""
    return cue_of_devices(EACH_OTHER_CHARGER, board)


def query_of_panels(known: Known) -> Mapping[str, int | str]:
    """Return the query of today's intervals, and of yesterday's until final."""
    return _query_of_news(known, Source.PANEL_TELEMETRY, most_days=_DAYS_OF_PANELS)


def query_of_battery(known: Known) -> Mapping[str, int | str]:
    """Return the query of today's intervals, and of missed days before."""
    return _query_of_news(known, Source.BATTERY_UNITS, most_days=_DAYS)


def query_of_week(known: Known) -> Mapping[str, int | str]:
    """Return the query of a week of intervals, up to today."""
    return _query_since(known, _DAYS)


def query_of_meters(known: Known) -> Mapping[str, int]:
    """Return the query of a week of production meters, up to today."""
    return {"start_at": _query_since(known, _DAYS)["start_at"]}


def query_of_all_days(known: Known) -> Mapping[str, str]:
    """Return the query of all days since the system started, or of ten years."""
    return day_query(first_day(known), None)


def read_panels(panels: Sequence[InverterTelemetry], known: Known) -> Report:
    """Return the power [W] and the energy of today [Wh] of each panel."""
    return {
        device: advance(
            known.board.samples(Source.PANEL_TELEMETRY, device),
            _of_panel(panel.energy, known),
            now=known.fetched_at,
        )
        for panel in panels
        for device in (panel_device(panel),)
    }


def panel_device(panel: InverterTelemetry) -> Device:
    """Return the device of a panel."""
    return Device(DeviceKind.INVERTER, panel.serial_number)


def read_battery(telemetry: BatteryTelemetry, known: Known) -> Report:
    """Return the level [%] of a battery, and its energy of today [Wh]."""
    found = [each for each in telemetry.intervals if each.end_at <= known.fetched_at]
    today = [each for each in found if _is_of_today(each.end_at, known)]
    values: dict[Measurement, tuple[Value | None, datetime]] = {}
    if telemetry.last_reported_at is not None:
        level = telemetry.last_reported_state_of_charge
        values[Measurement.BATTERY_UNIT_LEVEL] = level, telemetry.last_reported_at
    if today:
        at = today[-1].end_at
        for measurement, energy in (
            (Measurement.CHARGED_TODAY, [each.charged for each in today]),
            (Measurement.DISCHARGED_TODAY, [each.discharged for each in today]),
        ):
            values[measurement] = _sum(energy, DeviceKind.BATTERY, _QUARTER), at
    before = known.board.samples(Source.BATTERY_UNITS, known.device)
    arrived = dated_samples(values, Source.BATTERY_UNITS)
    return {known.device: advance(before, arrived, now=known.fetched_at)}


def read_heat_pump(intervals: EnergyIntervals, known: Known) -> Report:
    """Return the energy [Wh] that the heat pump used yesterday."""
    device = heat_pump(known.board) or Device(DeviceKind.HEAT_PUMP, FIRST)
    measurement = Measurement.HEAT_PUMP_ENERGY_YESTERDAY
    energy = energy_of_yesterday(intervals, known, DeviceKind.HEAT_PUMP)
    values = {measurement: (energy, known.fetched_at)}
    return {device: dated_samples(values, Source.HEAT_PUMP_INTERVALS)}


def read_charger(intervals: BatteryEnergyIntervals, known: Known) -> Report:
    """Return the energy [Wh] that a charger gave yesterday, without discharge."""
    energy = energy_of_yesterday(intervals.charged, known, DeviceKind.CHARGER)
    values = {Measurement.CHARGER_ENERGY_YESTERDAY: (energy, known.fetched_at)}
    return {known.device: dated_samples(values, Source.EVSE_INTERVALS)}


def read_meters(meters: ProductionMeters, known: Known) -> Report:
    """Return the energy [Wh] of yesterday of each production meter."""
    return {
        device: dated_samples(
            {Measurement.METER_ENERGY_YESTERDAY: (energy, known.fetched_at)},
            Source.METER_INTERVALS,
        )
        for device, intervals in meter_intervals(meters, known.board).items()
        for energy in (energy_of_yesterday(intervals, known, DeviceKind.METER),)
    }


def meter_intervals(
    meters: ProductionMeters, board: Board
) -> Mapping[Device, EnergyIntervals]:
    """Return the intervals of each listed meter: the sums of its channels in use."""
    listed = _production_meters(board)
    channels: defaultdict[Device, list[MeterTelemetry]] = defaultdict(list)
    for each in meters.meters:
        is_used = any(interval.energy is not None for interval in each.energy.intervals)
        device = listed.get(each.serial_number or "")
        if is_used and device is not None:
            channels[device].append(each)
    return {device: _together(found) for device, found in channels.items()}


def read_days(_days: Any, _known: Known) -> Report:
    """Return no samples: the days go into statistics."""
    return {}


def _production_meters(board: Board) -> Mapping[str, Device]:
    """Return the listed production meters by their serial numbers."""
    return {
        properties.serial_number: device
        for device, properties in board.inventory.items()
        if device.kind is DeviceKind.METER
        and (properties.name or "").casefold() == _PRODUCTION
        and properties.serial_number
    }


def _together(channels: Sequence[MeterTelemetry]) -> EnergyIntervals:
    """Return the sums of channels, without intervals that one of them lacks."""
    found: defaultdict[datetime, dict[int | None, float]] = defaultdict(dict)
    for each in channels:
        for interval in each.energy.intervals:
            if interval.energy is not None:
                found[interval.end_at][each.channel] = interval.energy
    intervals = (
        EnergyInterval(end_at=end, energy=sum(parts.values()), devices_reporting=None)
        for end, parts in sorted(found.items())
        if len(parts) == len(channels)
    )
    return channels[0].energy._replace(intervals=tuple(intervals))


def _query_of_news(
    known: Known, source: Source, *, most_days: int
) -> Mapping[str, Any]:
    """Return the query of today, and of up to `most_days` that are not final yet."""
    board = known.board
    devices = board.reported_by(source) if known.device == SYSTEM else {known.device}
    newest = max(
        (
            sample.observed_at
            for device in devices
            for sample in board.samples(source, device).values()
        ),
        default=_LONG_AGO,
    )
    zone = known.info.time_zone
    settled = (newest - _SETTLES_AFTER).astimezone(zone).date()
    today = known.fetched_at.astimezone(zone).date()
    return _query_since(known, max(0, min(most_days, (today - settled).days)))


def _query_since(known: Known, days: int) -> Mapping[str, Any]:
    """Return the query of the intervals of today and of `days` before."""
    zone = known.info.time_zone
    day = known.fetched_at.astimezone(zone).date() - timedelta(days=days)
    start = datetime.combine(day, time(), zone)
    since = known.board.newest().get(Measurement.OPERATIONAL_SINCE)
    if since is not None:
        start = max(start, datetime.fromtimestamp(float(since.value), UTC))
    return interval_query(min(start, known.fetched_at), week=True)


def _is_of_today(end_at: datetime, known: Known) -> bool:
    return end_at > start_of_day(known.fetched_at, known.info.time_zone)


def _of_panel(intervals: EnergyIntervals, known: Known) -> Samples:
    past = [each for each in intervals.intervals if each.end_at <= known.fetched_at]
    today = [each for each in past if _is_of_today(each.end_at, known)]
    values: dict[Measurement, tuple[Value | None, datetime]] = {}
    if past:
        last = past[-1]
        values[Measurement.PANEL_POWER] = last.power, last.end_at
    if today:
        energy = _sum(
            (each.energy for each in today), DeviceKind.INVERTER, intervals.length
        )
        values[Measurement.PANEL_ENERGY_TODAY] = energy, today[-1].end_at
    return dated_samples(values, Source.PANEL_TELEMETRY)


def _sum(
    energy: Iterable[float | None], kind: DeviceKind, length: timedelta
) -> float | None:
    """Return the sum of the plausible energy of intervals; None without any."""
    values = (plausible(each, kind, length) for each in energy)
    known = [value for value in values if value is not None]
    return sum(known) if known else None
