"""Energy of the heat pump and of chargers of other makers."""

from collections.abc import Callable
from datetime import date

from simulator.errors import RefusalError
from simulator.moments import QUARTER, STEP, midnight, next_midnight
from simulator.parts import HEAT_PUMP, Part
from simulator.physics import charging, heating
from simulator.publication import Published

from .windows import Document, Query, Span, calendar_date, telemetry_span

type Energy = Callable[[int, int], int]

_DURATIONS = {"15mins": QUARTER, "5mins": STEP}
_INVALID = RefusalError(422, "Invalid request because of 'Invalid date/time range'")


def hp_lifetime(published: Published, query: Query) -> Document:
    """Return the energy of the heat pump by day, up to today."""
    return _lifetime(published, query, HEAT_PUMP, _of_heat_pump(published))


def hp_telemetry(published: Published, query: Query) -> Document:
    """Return the energy of the heat pump in intervals."""
    return _telemetry(published, query, HEAT_PUMP, _of_heat_pump(published))


def evse_lifetime(published: Published, serial: str, query: Query) -> Document:
    """Return the energy of a charger by day, up to today; negative for discharge."""
    return _lifetime(published, query, *_of_charger(published, serial))


def evse_telemetry(published: Published, serial: str, query: Query) -> Document:
    """Return the energy of a charger in intervals; negative for discharge."""
    return _telemetry(published, query, *_of_charger(published, serial))


def _of_heat_pump(published: Published) -> Energy | None:
    system = published.system
    if system.heat_pump is None:
        return None
    return lambda start, end: heating.energy(system.plant, start, end)


def _of_charger(published: Published, serial: str) -> tuple[Part, Energy]:
    system = published.system
    try:
        charger = system.ev_charger(serial)
    except KeyError:
        # The only documented text for something that does not exist.
        raise RefusalError(404, f'System not found for {{:id=>"{serial}"}}') from None
    (known,) = (each for each in system.ev_chargers if each.serial == serial)
    if charger is None:
        return known.part, lambda _start, _end: 0
    return known.part, lambda start, end: charging.energy(
        system.plant, charger, start, end
    )


def _telemetry(
    published: Published, query: Query, part: Part, energy: Energy | None
) -> Document:
    system, span = published.system, _span(published, query)
    duration = query.get("interval_duration", "15mins")
    if duration not in _DURATIONS or (
        duration == "5mins" and not system.five_minute_telemetry
    ):
        raise _INVALID
    seconds = _DURATIONS[duration]
    rows = [
        {"end_at": end, "wh_consumed": energy(end - seconds, end)}
        for end in published.intervals(span.start, span.end, seconds)
        if energy is not None and system.reports_all(part, end - seconds, end)
    ]
    return {
        "system_id": system.system_id,
        "granularity": span.granularity,
        "interval_duration": duration,
        **span.shown,
        "items": "intervals",
        "intervals": [rows] if system.nested_intervals else rows,
    }


def _span(published: Published, query: Query) -> Span:
    """Return the requested span; these operations ignore its end."""
    known = {name: query[name] for name in query if not name.startswith("end_")}
    try:
        return telemetry_span(published, known)
    except RefusalError:
        raise _INVALID from None


def _lifetime(
    published: Published, query: Query, part: Part, energy: Energy | None
) -> Document:
    days = _days(published, query)
    return {
        "system_id": published.system.system_id,
        "start_date": days[0].isoformat(),
        "end_date": days[-1].isoformat(),
        "consumption": [_of_day(published, day, part, energy) for day in days]
        if energy
        else [],
    }


def _days(published: Published, query: Query) -> list[date]:
    """Return the requested days, by default all up to today."""
    today = date.fromisoformat(published.today())
    first = published.system.plant.commissioned
    start, end = first, today
    try:
        if "start_date" in query:
            start = max(first, calendar_date(query["start_date"]))
        if "end_date" in query:
            end = calendar_date(query["end_date"])
    except RefusalError:
        raise _INVALID from None
    if not start <= end <= today:
        raise _INVALID
    return [
        date.fromordinal(day) for day in range(start.toordinal(), end.toordinal() + 1)
    ]


def _of_day(published: Published, day: date, part: Part, energy: Energy) -> int:
    zone = published.system.time_zone
    read_at = published.system.last_read_at(part, published.until) // QUARTER * QUARTER
    start = midnight(day, zone)
    end = min(next_midnight(day, zone), read_at)
    return energy(start, end) if start < end else 0
