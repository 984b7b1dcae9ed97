"""Energy of single microinverters and batteries, in intervals."""

from collections.abc import Callable
from functools import cache

from simulator.errors import RefusalError
from simulator.microinverters import Microinverter
from simulator.moments import HOUR, QUARTER, STEP
from simulator.parts import BATTERY
from simulator.physics import Flow, panels, units
from simulator.publication import Published

from .devices import encharge_serial
from .windows import Document, Query, Span, page_of, telemetry_span

_LARGEST_PAGE = 20


def micros_telemetry(published: Published, query: Query) -> Document:
    """Return a page of microinverters with their energy, every 5 minutes."""
    span = _span(published, query)
    found = published.system.microinverters
    number, _, page = page_of(found, query, _LARGEST_PAGE)
    rows = _given(published, span)
    return {
        "system_id": published.system.system_id,
        "total_devices": len(found),
        "page": number,
        "page_size": len(page),
        **span.shown,
        "granularity": span.granularity,
        "items": "intervals",
        "devices": [
            {"serial_number": micro.serial, "intervals": rows(micro)} for micro in page
        ],
    }


def micro_telemetry(published: Published, serial: str, query: Query) -> Document:
    """Return the energy of a microinverter, every 5 minutes."""
    try:
        micro = published.system.microinverter(serial)
    except KeyError:
        raise _not_found("Micro", serial) from None
    span = _span(published, query)
    rows = _given(published, span)(micro)
    return _of_one(published, serial, span, rows)


def encharge_telemetry(published: Published, serial: str, query: Query) -> Document:
    """Return energy and state of charge of a battery, every 15 minutes."""
    system, plant = published.system, published.system.plant
    found = {
        encharge_serial(system, unit): unit
        for unit in system.battery_units(published.now)
    }
    if serial not in found:
        raise _not_found("Encharge", serial)
    unit, span = found[serial], _span(published, query)
    rows = [
        _stored(published, unit, end)
        for end in published.intervals(span.start, span.end)
        if _is_reported(published, unit, end)
    ]
    read_at = system.last_read_at(f"{BATTERY} {unit}", published.last_report_at)
    level = units.levels(plant, read_at).get(unit)
    return {
        **_of_one(published, serial, span, rows),
        "last_reported_time": read_at,
        "last_reported_soc": None if level is None else f"{round(level)}%",
    }


def _span(published: Published, query: Query) -> Span:
    span = telemetry_span(published, query)
    if span.end < span.start:
        raise RefusalError(
            422,
            "Invalid request because of 'Requested date range is invalid for this "
            f"system. {{:start_at=>{span.start}, :end_at=>{span.end}, "
            f":first_interval=>{published.system.operational_at + QUARTER}, "
            f":last_interval=>{published.until}}}'",
        )
    return span


def _not_found(kind: str, serial: str) -> RefusalError:
    return RefusalError(404, f'{kind} not found for {{:id=>"{serial}"}}')


def _of_one(
    published: Published, serial: str, span: Span, rows: list[Document]
) -> Document:
    return {
        "system_id": published.system.system_id,
        "serial_number": serial,
        "granularity": span.granularity,
        "total_devices": 1,
        **span.shown,
        "items": "intervals",
        "intervals": rows,
    }


def _given(
    published: Published, span: Span
) -> Callable[[Microinverter], list[Document]]:
    """Return a function that returns the intervals of a microinverter."""
    system = published.system
    ends = [
        end
        for end in published.intervals(span.start, span.end, STEP)
        if not published.omits(end, STEP)
    ]
    start = min(ends, default=0) - STEP
    wh = panels.steps(system.plant, start, ends[-1]) if ends else []

    @cache
    def lacking(end: int) -> int | None:
        return published.lacking(end, system.modules)

    def rows(micro: Microinverter) -> list[Document]:
        given = [
            (end, wh[(end - start) // STEP - 1][micro.position - 1]) for end in ends
        ]
        return [
            {"end_at": end, "powr": energy * HOUR // STEP, "enwh": energy}
            for end, energy in given
            if lacking(end) != micro.position and _has_reported(published, micro, end)
        ]

    return rows


def _has_reported(published: Published, micro: Microinverter, end: int) -> bool:
    system, start = published.system, end - STEP
    return (
        system.reports_all(micro.part, start, end)
        and start >= micro.since
        and not system.plant.roof.is_retired(micro.position, start)
    )


def _is_reported(published: Published, unit: int, end: int) -> bool:
    system = published.system
    known = system.battery_units(end - 1)
    lacking = published.lacking(end, len(known)) if unit in known else 0
    return (
        unit in known
        and known.index(unit) + 1 != lacking
        and system.reports_all(f"{BATTERY} {unit}", end - QUARTER, end)
    )


def _stored(published: Published, unit: int, end: int) -> Document:
    plant = published.system.plant
    charged, discharged = (
        units.energy_by_unit(plant, flow, end - QUARTER, end).get(unit, 0)
        for flow in (Flow.CHARGE, Flow.DISCHARGE)
    )
    return {
        "end_at": end,
        "charge": {"enwh": charged},
        "discharge": {"enwh": discharged},
        "soc": {"percent": round(units.levels(plant, end)[unit])},
    }
