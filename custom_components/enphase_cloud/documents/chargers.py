"""Chargers of Enphase (API operations below `ev_charger`)."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from ..api.models import (
    ChargerSchedules,
    ChargingSession,
    ChargingSessions,
    DailyEnergy,
    Devices,
    EnergyIntervals,
)
from ..measurements.board import Board
from ..measurements.catalog import Measurement, Source
from ..measurements.charging import WeeklyTimes, session_energy
from ..measurements.inventory import Inventory
from ..measurements.samples import NOTHING, Sample, Value
from ..measurements.system import Device, DeviceKind
from .base import (
    EachDevice,
    Known,
    Report,
    as_cue,
    plausible,
    samples_of,
    serial_number,
)
from .devices import inventory as inventory_of_system

EACH_CHARGER: Final = EachDevice(kind=DeviceKind.CHARGER, reported_by=Source.CHARGERS)

_DAYS: Final = 7
_MOST_YEARS: Final = 10
# Sessions are requested one day after a day with energy, and once more later.
_ON_THE_NEXT_DAY: Final = 1


def has_charger(board: Board) -> bool:
    """Return whether any document lists a charger, of any maker."""
    known = board.devices() | board.inventory.keys()
    return any(device.kind is DeviceKind.CHARGER for device in known)


def cue(board: Board) -> str:
    """Return all listed chargers: a change makes a request for the list due."""
    known = board.devices() | board.inventory.keys()
    chargers = {device for device in known if device.kind is DeviceKind.CHARGER}
    return as_cue(",".join(sorted(each.identifier for each in chargers)))


def read_chargers(devices: Devices, known: Known) -> Report:
    """Return the chargers with documents; no samples for those no longer listed."""
    listed = inventory(devices)
    monitored = {
        Measurement.CHARGER_MONITORED: Sample(1, known.fetched_at, Source.CHARGERS)
    }
    gone = known.board.reported_by(Source.CHARGERS) - listed.keys()
    return {
        **dict.fromkeys(gone, NOTHING),
        **{each: monitored for each in listed if serial_number(each, listed)},
    }


def inventory(devices: Devices) -> Inventory:
    """Return the properties of each charger that has a serial number."""
    return {
        device: properties
        for device, properties in inventory_of_system(devices).items()
        if device.kind is DeviceKind.CHARGER and properties.serial_number
    }


def query_of_week(known: Known) -> Mapping[str, str]:
    """Return the query of a week of intervals, up to today."""
    today = known.fetched_at.astimezone(known.info.time_zone).date()
    first = today - timedelta(days=_DAYS - 1)
    return {"granularity": "week", "start_date": f"{first:%Y%m%d}"}


def query_of_days(known: Known) -> Mapping[str, str]:
    """Return the query of all days since the system started, or of ten years."""
    return {"start_date": f"{first_day(known):%Y%m%d}"}


def first_day(known: Known) -> date:
    """Return the local day on which the system started, or the day ten years ago."""
    since = known.board.newest().get(Measurement.OPERATIONAL_SINCE)
    if since is None:
        first = known.fetched_at - timedelta(days=365 * _MOST_YEARS)
    else:
        first = datetime.fromtimestamp(float(since.value), UTC)
    return first.astimezone(known.info.time_zone).date()


def learn_intervals(intervals: EnergyIntervals, known: Known) -> None:
    """Keep recent intervals of a charger: they show the unit of its sessions."""
    known.board.charged[known.device] = intervals


def energy_of_yesterday(
    intervals: EnergyIntervals, known: Known, kind: DeviceKind
) -> float | None:
    """Return yesterday's energy [Wh]; None unless all its intervals are plausible."""
    start, end = _yesterday(known)
    energy = [
        wh
        for interval in intervals.intervals
        if start < interval.end_at <= end
        and (wh := plausible(interval.energy, kind, intervals.length)) is not None
    ]
    return sum(energy) if len(energy) == (end - start) // intervals.length else None


def read_intervals(intervals: EnergyIntervals, known: Known) -> Report:
    """Return yesterday's energy [Wh], and the last day with energy.

    From two days later on the day has a "+", so that the cue of sessions changes twice.
    """
    zone, (_, end) = known.info.time_zone, _yesterday(known)
    today = known.fetched_at.astimezone(zone).date()
    days = [
        (each.end_at - intervals.length).astimezone(zone).date()
        for each in intervals.intervals
        if each.energy and each.end_at <= end
    ]
    charged_on = None
    if days:
        day = max(days)
        is_late = (today - day).days > _ON_THE_NEXT_DAY
        charged_on = f"{day.isoformat()}{'+' if is_late else ''}"
    values = {
        Measurement.CHARGER_ENERGY_YESTERDAY: energy_of_yesterday(
            intervals, known, DeviceKind.CHARGER
        ),
        Measurement.CHARGED_ON: charged_on,
    }
    kept = known.board.samples(Source.CHARGER_INTERVALS, known.device)
    before = {
        measurement: kept[measurement]
        for measurement in (Measurement.CHARGED_ON,)
        if measurement in kept
    }
    arrived = samples_of(values, known.fetched_at, Source.CHARGER_INTERVALS)
    return {known.device: {**before, **arrived}}


def _yesterday(known: Known) -> tuple[datetime, datetime]:
    """Return when yesterday began and ended [UTC]."""
    zone = known.info.time_zone
    today = known.fetched_at.astimezone(zone).date()
    days = (today - timedelta(days=1), today)
    start, end = (datetime.combine(day, time(), zone).astimezone(UTC) for day in days)
    return start, end


def cue_of_each(board: Board) -> str:
    """Return the chargers with documents: a new one makes a request due."""
    return cue_of_devices(EACH_CHARGER, board)


def cue_of_devices(each: EachDevice, board: Board) -> str:
    """Return the devices with a document: a new one makes a request due."""
    return as_cue(",".join(device.identifier for device in each.devices(board)))


def cue_of_sessions(board: Board) -> str:
    """Return the last days with energy: a change makes a request for sessions due.

    They change after a day with energy, and on the day after it: a car that charged on
    one day may leave on the next, which ends the session.
    """

    def charged_on(device: Device) -> Value:
        known = board.samples(Source.CHARGER_INTERVALS, device)
        sample = known.get(Measurement.CHARGED_ON)
        return "" if sample is None else sample.value

    days = (
        f"{device.identifier} {charged_on(device)}"
        for device in EACH_CHARGER.devices(board)
    )
    return as_cue(",".join(days))


def learn_sessions(sessions: ChargingSessions, known: Known) -> None:
    """Keep the sessions with the energy [Wh] of each, for events of their ends."""
    intervals = known.board.charged.get(known.device)
    known.board.sessions[known.device] = tuple(
        (session, session_energy(session, intervals)) for session in sessions.sessions
    )


def read_sessions(sessions: ChargingSessions, known: Known) -> Report:
    """Return the energy, duration, cost and end of the last session."""
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
    return {known.device: samples_of(values, end_at, Source.CHARGER_SESSIONS)}


def _energy(last: ChargingSession, known: Known) -> float | None:
    """Return the energy of the last session [Wh], which may be known from before."""
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
    """Return the weekly times at which a charger may charge."""
    times = WeeklyTimes(
        tuple(
            times
            for schedule in schedules.schedules
            if schedule.is_active
            for times in schedule.times
        )
    )
    values = {Measurement.CHARGER_SCHEDULE: times.as_text()}
    samples = samples_of(values, known.fetched_at, Source.CHARGER_SCHEDULES)
    return {known.device: samples}


def read_days(_days: DailyEnergy, _known: Known) -> Report:
    """Return no samples: the days go into statistics."""
    return {}
