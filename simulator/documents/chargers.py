"""Enphase chargers: energy, sessions, schedules and events."""

from collections.abc import Callable, Iterator
from datetime import date

from simulator.errors import RefusalError
from simulator.moments import DAY, QUARTER, STEP, day_of, midnight, next_midnight
from simulator.parts import IqCharger
from simulator.physics import Charger, charging
from simulator.physics.charging import Charged
from simulator.publication import Published

from .windows import Document, Query

type ChargerHandler = Callable[[Published, str, Query], Document]

_DAYS = {"day": 1, "week": 7}
_LARGEST_PAGE = 100
_PAGE = 20
_MOST_DAYS = 40 * 365
_METERS_PER_WH = 6
_METERS_PER_MILE = 1_609
_USD_PER_KWH = 0.28
_ENDS_LISTED = 400


def devices(published: Published, query: Query) -> Document:
    """Return the active Enphase chargers."""
    del query
    system = published.system
    found = [_listed(published, each) for each in system.iq_chargers]
    return {
        "items": "devices",
        "total_devices": len(found),
        "system_id": system.system_id,
        "devices": {"ev_chargers": found},
    }


def _listed(published: Published, charger: IqCharger) -> Document:
    system = published.system
    return {
        "id": f"{charger.serial}:{system.system_id}",
        "sku": "IQ-EVSE-NA-1040-0110-0100",
        "status": system.device_statuses.get(charger.serial, "normal"),
        "serial_number": charger.serial,
        "name": charger.name,
        "model": "IQ-EVSE-40R",
        "part_number": "800-00555 0303",
        "last_report_at": system.last_read_at(charger.part, published.last_report_at),
        "firmware": "v0.04.22",
        "active": True,
    }


def operation_of(published: Published, charger: Charger) -> str:
    """Return the operational mode of a charger at the last report."""
    at = published.last_report_at
    for each in _charged(published, charger, days=2):
        if each.session.start <= at < each.session.end:
            is_charging = at // STEP * STEP in dict(each.steps)
            return "CHARGING" if is_charging else "IDLE"
    return "PLUGGED_OUT"


def telemetry(published: Published, serial: str, query: Query) -> Document:
    """Return energy every 15 minutes, by default that of yesterday."""
    charger = _charger(published, serial)
    granularity = query.get("granularity", "day")
    if granularity not in _DAYS:
        raise RefusalError(400, "Invalid granularity")
    start, end, shown = _span(published, query, _DAYS[granularity])
    plant = published.system.plant
    return {
        "granularity": granularity,
        "consumption": [
            {
                "consumption": charging.energy(plant, charger, at - QUARTER, at),
                "end_at": at,
            }
            for at in published.intervals(start, end)
        ],
        "system_id": published.system.system_id,
        **shown,
    }


def _span(published: Published, query: Query, days: int) -> tuple[int, int, Document]:
    """Return the requested span, and its fields in the document."""
    zone = published.system.time_zone
    if "start_at" in query and "start_date" not in query:
        start = _whole_number(query["start_at"], "Invalid start_at")
        end = start + days * DAY
        shown: Document = {"start_at": start, "end_at": min(end, published.now)}
    else:
        first = _yesterday(published)
        if "start_date" in query:
            first = _day(query["start_date"], "Invalid start_date")
        last = date.fromordinal(first.toordinal() + days - 1)
        start, end = midnight(first, zone), next_midnight(last, zone)
        shown = {"start_date": first.isoformat(), "end_date": last.isoformat()}
        if "start_date" not in query:
            shown = {"start_at": start, "end_at": min(end, published.now)}
    if start > published.now:
        raise RefusalError(400, "Invalid start_date")
    return start, min(end, published.now), shown


def lifetime(published: Published, serial: str, query: Query) -> Document:
    """Return energy by day, by default up to yesterday."""
    charger = _charger(published, serial)
    invalid = "Invalid start_date/end_date"
    first = _day(query.get("start_date", ""), invalid)
    last = _yesterday(published)
    if "end_date" in query:
        last = _day(query["end_date"], invalid)
    if last > day_of(published.now, published.system.time_zone) or not (
        0 <= (last - first).days < _MOST_DAYS
    ):
        raise RefusalError(400, invalid)
    return {
        "system_id": published.system.system_id,
        "start_date": first.isoformat(),
        "consumption": list(_daily(published, charger, first, last)),
    }


def _daily(
    published: Published, charger: Charger, first: date, last: date
) -> Iterator[int]:
    plant, zone = published.system.plant, published.system.time_zone
    until = published.until
    for ordinal in range(first.toordinal(), last.toordinal() + 1):
        day = date.fromordinal(ordinal)
        end = min(next_midnight(day, zone), until)
        yield charging.energy(plant, charger, midnight(day, zone), end)


def sessions(published: Published, serial: str, query: Query) -> Document:
    """Return the completed sessions, newest first."""
    charger = _charger(published, serial)
    known = {each.serial: each for each in published.system.iq_chargers}
    ended = [
        each
        for each in _charged(published, charger, days=_ENDS_LISTED)
        if each.session.end <= published.last_report_at
    ]
    page = _page(sorted(ended, key=lambda each: each.session, reverse=True), query)
    return {
        "count": len(page),
        "system_id": published.system.system_id,
        "sessions": [_session(each, known[serial]) for each in page],
    }


def _session(each: Charged, charger: IqCharger) -> Document:
    is_kilo = charger.energy_unit == "kWh"
    session = each.session
    return {
        "start_time": session.start,
        "end_time": session.end,
        "duration": session.end - session.start,
        "energy_added": round(each.energy / 1_000, 2) if is_kilo else each.energy,
        "charge_time": each.seconds,
        "miles_added": round(each.energy * _METERS_PER_WH / _METERS_PER_MILE, 1),
        "cost": round(each.energy / 1_000 * _USD_PER_KWH, 2),
    }


def schedules(published: Published, serial: str, query: Query) -> Document:
    """Return the periods in which a charger may charge, in the home's time zone."""
    del query
    _charger(published, serial)
    known = {each.serial: each for each in published.system.iq_chargers}
    charger = known[serial]
    return {
        "system_id": published.system.system_id,
        "charger_schedules": [
            {
                "type": "Custom",
                "is_active": charger.uses_times,
                "reminder_flag": True,
                "reminder_timer": 10,
                "schedules": [
                    {
                        "days": list(each.days),
                        "start_time": each.start_time,
                        "end_time": each.end_time,
                        "charging_level": each.level,
                    }
                    for each in charger.times
                ],
            }
        ],
    }


def events(published: Published, query: Query) -> Document:
    """Return the events of chargers, newest first."""
    wanted = query.get("serial_num")
    found = sorted(
        (
            event
            for known in published.system.iq_chargers
            if wanted in {None, known.serial}
            for event in _events(published, known)
        ),
        reverse=True,
    )
    page = _page(found, query)
    return {
        "count": len(page),
        "events": [
            {
                "status": "Info",
                "triggered_date": at,
                "cleared_date": at,
                "details": details,
            }
            for at, details in page
        ],
        "system_id": published.system.system_id,
    }


def _events(published: Published, known: IqCharger) -> Iterator[tuple[int, str]]:
    charger = published.system.charger(known.serial)
    for each in _charged(published, charger, days=_ENDS_LISTED):
        if not each.steps:
            continue
        for at, what in ((each.steps[0][0], "started"), (each.steps[-1][0], "stopped")):
            if at <= published.last_report_at:
                name = f"{known.name} (SNo. {known.serial})"
                yield at, f"Charging {what} on {name}."


def _charged(published: Published, charger: Charger, *, days: int) -> Iterator[Charged]:
    """Yield the sessions that started in the last `days` days."""
    plant = published.system.plant
    today = day_of(published.now, published.system.time_zone)
    first = date.fromordinal(today.toordinal() - days)
    for session in charging.sessions(plant, charger, first, today):
        if session.start <= published.last_report_at:
            yield charging.charged(plant, charger, session)


def _charger(published: Published, serial: str) -> Charger:
    try:
        return published.system.charger(serial)
    except KeyError:
        raise RefusalError(400, "Invalid system_id or serial_no") from None


def _page[T](items: list[T], query: Query) -> list[T]:
    invalid = "Invalid offset/limit"
    offset = _whole_number(query.get("offset", "0"), invalid)
    limit = _whole_number(query.get("limit", str(_PAGE)), invalid)
    if offset < 0 or not 1 <= limit <= _LARGEST_PAGE:
        raise RefusalError(400, invalid)
    return items[offset : offset + limit]


def _yesterday(published: Published) -> date:
    today = day_of(published.now, published.system.time_zone)
    return date.fromordinal(today.toordinal() - 1)


def _day(text: str, invalid: str) -> date:
    """Return a date written as YYYYMMDD, or refuse."""
    if len(text) != len("YYYYMMDD") or not text.isdecimal():
        raise RefusalError(400, invalid)
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise RefusalError(400, invalid) from None


def _whole_number(text: str, invalid: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise RefusalError(400, invalid) from None
