"""Chargers of Enphase (API operations below `ev_charger`)."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time, timedelta
import re
from typing import Final

from ..api.models import (
    ChargerSchedules,
    ChargingSession,
    ChargingSessions,
    DailyEnergies,
    Devices,
    EnergyIntervals,
)
from ..measurements.board import Board
from ..measurements.catalog import Measurement, Source
from ..measurements.charging import WeeklyTimes, session_energy
from ..measurements.inventory import Inventory
from ..measurements.samples import NOTHING, Sample, Samples, Value
from ..measurements.system import Device, DeviceKind
from .base import EachDevice, Known, Report
from .devices import inventory as inventory_of_system

EACH_CHARGER: Final = EachDevice(kind=DeviceKind.CHARGER, told_by=Source.CHARGERS)

_LONGEST_CUE: Final = 100
_DAYS: Final = 7
_MOST_YEARS: Final = 10
# What a path takes as a serial number.
_SERIAL: Final = re.compile(r"[A-Za-z0-9_-]+")
# When a day is told entirely, by reports that may be late.
_ON_THE_NEXT_DAY: Final = 1


def has_charger(board: Board) -> bool:
    """Tell whether any document lists a charger, of whatever maker."""
    known = board.devices() | board.inventory.keys()
    return any(device.kind is DeviceKind.CHARGER for device in known)


def cue(board: Board) -> str:
    """Return what calls for a new list: the chargers that any document lists."""
    known = board.devices() | board.inventory.keys()
    chargers = {device for device in known if device.kind is DeviceKind.CHARGER}
    return ",".join(sorted(each.identifier for each in chargers))[:_LONGEST_CUE]


def read_chargers(devices: Devices, known: Known) -> Report:
    """Return which chargers can be asked for; those that are listed no more cannot."""
    listed = inventory(devices).keys()
    monitored = {
        Measurement.CHARGER_MONITORED: Sample(1, known.fetched_at, Source.CHARGERS)
    }
    gone = known.board.told_by(Source.CHARGERS) - listed
    return {
        **dict.fromkeys(gone, NOTHING),
        **{each: monitored for each in listed if _SERIAL.fullmatch(each.identifier)},
    }


def inventory(devices: Devices) -> Inventory:
    """Return what the cloud says of each charger."""
    return {
        device: properties
        for device, properties in inventory_of_system(devices).items()
        if device.kind is DeviceKind.CHARGER and properties.serial_number
    }


def query_of_week(known: Known) -> Mapping[str, str]:
    """Return the query of a week of intervals, up to today's."""
    today = known.fetched_at.astimezone(known.info.time_zone).date()
    first = today - timedelta(days=_DAYS - 1)
    return {"granularity": "week", "start_date": f"{first:%Y%m%d}"}


def query_of_days(known: Known) -> Mapping[str, str]:
    """Return the query of all days since the system began to work, or of ten years."""
    since = known.board.newest().get(Measurement.OPERATIONAL_SINCE)
    if since is None:
        first = known.fetched_at - timedelta(days=365 * _MOST_YEARS)
    else:
        first = datetime.fromtimestamp(float(since.value), UTC)
    return {"start_date": f"{first.astimezone(known.info.time_zone):%Y%m%d}"}


def learn_intervals(intervals: EnergyIntervals, known: Known) -> None:
    """Keep what a charger gave of late: it tells the unit of sessions."""
    known.board.charged[known.device] = intervals


def read_intervals(intervals: EnergyIntervals, known: Known) -> Report:
    """Return yesterday's energy [Wh], and on which day there was energy last."""
    zone = known.info.time_zone
    today = known.fetched_at.astimezone(zone).date()
    yesterday = today - timedelta(days=1)
    start, end = (
        datetime.combine(day, time(), zone).astimezone(UTC)
        for day in (yesterday, today)
    )
    told = [
        interval.energy
        for interval in intervals.intervals
        if start < interval.end_at <= end and interval.energy is not None
    ]
    is_whole = len(told) == (end - start) // intervals.length
    energetic = [
        (each.end_at - intervals.length).astimezone(zone).date()
        for each in intervals.intervals
        if each.energy and each.end_at <= end
    ]
    charged_on = None
    if energetic:
        day = max(energetic)
        is_late = (today - day).days > _ON_THE_NEXT_DAY
        charged_on = f"{day.isoformat()}{'+' if is_late else ''}"
    values = {
        Measurement.CHARGER_ENERGY_YESTERDAY: sum(told) if is_whole else None,
        Measurement.CHARGED_ON: charged_on,
    }
    kept = known.board.samples(Source.CHARGER_INTERVALS, known.device)
    before = {
        measurement: kept[measurement]
        for measurement in (Measurement.CHARGED_ON,)
        if measurement in kept
    }
    arrived = _samples(values, known.fetched_at, Source.CHARGER_INTERVALS)
    return {known.device: {**before, **arrived}}


def cue_of_each(board: Board) -> str:
    """Return what calls for the documents of chargers: that there is another one."""
    return ",".join(each.identifier for each in EACH_CHARGER.devices(board))[
        :_LONGEST_CUE
    ]


def cue_of_sessions(board: Board) -> str:
    """Return what calls for sessions: a day with energy, and the day after it.

    A car that charged on one day may leave on the next, which ends the session.
    """

    def charged_on(device: Device) -> Value:
        known = board.samples(Source.CHARGER_INTERVALS, device)
        sample = known.get(Measurement.CHARGED_ON)
        return "" if sample is None else sample.value

    told = [
        f"{device.identifier} {charged_on(device)}"
        for device in EACH_CHARGER.devices(board)
    ]
    return ",".join(told)[:_LONGEST_CUE]


def learn_sessions(sessions: ChargingSessions, known: Known) -> None:
    """Keep the sessions with the energy [Wh] of each, for those who report ends."""
    intervals = known.board.charged.get(known.device)
    known.board.sessions[known.device] = tuple(
        (session, session_energy(session, intervals)) for session in sessions.sessions
    )


def read_sessions(sessions: ChargingSessions, known: Known) -> Report:
    """Return what the last session came to, as of its end."""
    if not sessions.sessions:
        return {known.device: NOTHING}
    last = sessions.sessions[-1]
    end_at = min(last.end_at, known.fetched_at)
    values = {
        Measurement.LAST_SESSION_END: int(end_at.timestamp()),
        Measurement.LAST_SESSION_ENERGY: _energy(last, known),
        Measurement.LAST_SESSION_DURATION: int(
            (last.end_at - last.start_at).total_seconds()
        ),
        Measurement.LAST_SESSION_COST: last.cost,
    }
    return {known.device: _samples(values, end_at, Source.CHARGER_SESSIONS)}


def _energy(last: ChargingSession, known: Known) -> float | None:
    """Return the energy of the last session [Wh], of which it may be known already."""
    intervals = known.board.charged.get(known.device)
    energy = session_energy(last, intervals)
    if energy is not None:
        return energy
    before = known.board.samples(Source.CHARGER_SESSIONS, known.device)
    held, end = (
        before.get(Measurement.LAST_SESSION_ENERGY),
        before.get(Measurement.LAST_SESSION_END),
    )
    if held is None or end is None or int(last.end_at.timestamp()) != end.value:
        return None
    return float(held.value)


def read_schedules(schedules: ChargerSchedules, known: Known) -> Report:
    """Return the times of a week at which a charger may charge."""
    times = WeeklyTimes(
        tuple(
            times
            for schedule in schedules.schedules
            if schedule.is_active
            for times in schedule.times
        )
    )
    values = {Measurement.CHARGER_SCHEDULE: times.as_text()}
    samples = _samples(values, known.fetched_at, Source.CHARGER_SCHEDULES)
    return {known.device: samples}


def read_days(_days: DailyEnergies, _known: Known) -> Report:
    """Return nothing: what they say goes into statistics."""
    return {}


def _samples(
    values: Mapping[Measurement, Value | None], at: datetime, source: Source
) -> Samples:
    def told() -> Iterator[tuple[Measurement, Sample]]:
        for measurement, value in values.items():
            if value is not None:
                yield measurement, Sample(value, at, source)

    return dict(told())
