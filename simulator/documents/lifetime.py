"""Energy by day, and meter readings."""

from datetime import date

from simulator.moments import QUARTER, midnight, next_midnight
from simulator.parts import Meter
from simulator.physics import Flow, energy
from simulator.publication import MICRO_EXCESS_PERCENT, Published

from .meters import meters_of
from .windows import Document, Query, lifetime_days, whole_number


def energy_lifetime(published: Published, query: Query) -> Document:
    """Return production by day; with `production=all` also by measuring device."""
    start, days = lifetime_days(published, query)
    system = published.system
    document: Document = {"system_id": system.system_id, "start_date": start}
    has_meter = "production" in system.meters
    meter = _daily(published, Flow.PRODUCTION, days)
    micro = meter
    if has_meter:
        micro = [wh + wh * MICRO_EXCESS_PERCENT // 100 for wh in meter]
    if has_meter:
        document["meter_start_date"] = system.plant.commissioned.isoformat()
    document["production"] = meter
    if query.get("production") == "all":
        document["micro_production"] = micro
        document["meter_production"] = meter if has_meter else []
    return {**document, "meta": published.meta()}


def consumption_lifetime(published: Published, query: Query) -> Document:
    """Return consumption by day."""
    return _metered(published, query, consumption=Flow.CONSUMPTION)


def energy_import_lifetime(published: Published, query: Query) -> Document:
    """Return energy imported from the grid by day."""
    return _metered(published, query, **{"import": Flow.IMPORT})


def energy_export_lifetime(published: Published, query: Query) -> Document:
    """Return energy exported to the grid by day."""
    return _metered(published, query, export=Flow.EXPORT)


def _metered(published: Published, query: Query, **flows: Flow) -> Document:
    known = "consumption" in published.system.meters
    return _lifetime(published, query, flows, known=known)


def battery_lifetime(published: Published, query: Query) -> Document:
    """Return charged and discharged energy by day."""
    flows = {"discharge": Flow.DISCHARGE, "charge": Flow.CHARGE}
    known = published.system.plant.storage is not None
    return _lifetime(published, query, flows, known=known)


def _lifetime(
    published: Published, query: Query, flows: dict[str, Flow], *, known: bool
) -> Document:
    start, days = lifetime_days(published, query)
    return {
        "system_id": published.system.system_id,
        "start_date": start,
        **{
            name: _daily(published, flow, days) if known else []
            for name, flow in flows.items()
        },
        "meta": published.meta(),
    }


def _daily(published: Published, flow: Flow, days: list[date]) -> list[int]:
    time_zone = published.system.time_zone
    return [
        published.sum(flow, midnight(day, time_zone), next_midnight(day, time_zone))
        for day in days
    ]


def production_meter_readings(published: Published, query: Query) -> Document:
    """Return the readings of production meters."""
    return _readings(published, query, "production", "serial_number")


def consumption_meter_readings(published: Published, query: Query) -> Document:
    """Return the readings of consumption meters."""
    return _readings(published, query, "consumption", "serial_num")


def _readings(
    published: Published, query: Query, name: Meter, serial_key: str
) -> Document:
    """Return the replaced meters and their successor, in this order.

    The reading of a new meter is zero. A retired meter, and one that stopped reporting,
    keeps its last reading.
    """
    system, requested = published.system, _read_at(published, query)
    readings = []
    for meter in meters_of(system, name):
        begin = meter.begin
        last = meter.end or _quarter(system.last_read_at(meter.part, requested))
        read_at = min(requested, max(begin, last))
        if read_at > begin or read_at == begin == system.operational_at:
            value = meter.energy(begin, read_at)
            readings.append(
                {serial_key: meter.serial, "value": value, "read_at": read_at}
            )
    return _reading_list(published, readings)


def storage_meter_readings(published: Published, query: Query) -> Document:
    """Return the readings of the battery meter."""
    read_at = _read_at(published, query)
    reading = {
        "serial_num": f"{published.system.gateway_serial}EIM4",
        "value_charged": _register(published, Flow.CHARGE, read_at),
        "value_discharged": _register(published, Flow.DISCHARGE, read_at),
        "read_at": read_at,
    }
    system = published.system
    known = system.plant.storage is not None and read_at >= system.operational_at
    return _reading_list(published, [reading] if known else [])


def _reading_list(published: Published, readings: list[Document]) -> Document:
    return {
        "system_id": published.system.system_id,
        "meter_readings": readings,
        "meta": published.meta(),
    }


def _quarter(at: int) -> int:
    return at // QUARTER * QUARTER


def _read_at(published: Published, query: Query) -> int:
    """Return when meters were last read as of the requested time, not after it."""
    requested = whole_number(query["end_at"]) if "end_at" in query else published.now
    last = _quarter(min(requested, published.until))
    return min(requested, max(last, published.system.operational_at))


def _register(published: Published, flow: Flow, at: int) -> int:
    first = published.system.operational_at
    return energy(published.system.plant, flow, first, max(first, at))
