"""Energy in intervals, and the latest power."""

from collections.abc import Iterator

from simulator.moments import DAY, HOUR, QUARTER, STEP
from simulator.parts import (
    BATTERY,
    HEAT_PUMP,
    EvCharger,
    HeatPump,
    IqCharger,
    Meter,
    Part,
)
from simulator.physics import Flow, power
from simulator.publication import Published

from .chargers import operation_of
from .devices import device_id, encharge_serial
from .meters import Metering, meters_of
from .windows import Document, Query, Span, telemetry_span

_NOT_REPORTED_AFTER = 7 * DAY


def production_micro(published: Published, query: Query) -> Document:
    """Return production as microinverters measure it, every 5 minutes."""
    span = telemetry_span(published, query)
    total = published.system.active_modules
    rows = []
    for end in published.intervals(span.start, span.end, STEP):
        if published.omits(end, STEP):
            continue
        produced = published.micro_energy(end)
        reporting = published.devices_reporting(end, total) if produced else 0
        rows.append(
            {
                "end_at": end,
                "devices_reporting": reporting,
                "powr": produced * HOUR // STEP,
                "enwh": produced,
            }
        )
    return {
        **_envelope(published, span, total),
        "intervals": rows,
        "meta": published.meta(),
    }


def production_meter(published: Published, query: Query) -> Document:
    """Return production as the meter measures it, every 15 minutes."""
    span = telemetry_span(published, query)
    total = published.system.production_meters * published.is_metered
    rows = [
        {
            "end_at": end,
            "devices_reporting": published.devices_reporting(end, total),
            "wh_del": published.energy(Flow.PRODUCTION, end),
        }
        for end in _ends(published, span, total)
        if not published.omits(end, QUARTER)
    ]
    return {**_envelope(published, span, total), "intervals": rows}


def consumption_meter(published: Published, query: Query) -> Document:
    """Return consumption of the home, every 15 minutes."""
    span = telemetry_span(published, query)
    total = int("consumption" in published.system.meters)
    rows = [
        {
            "end_at": end,
            "devices_reporting": published.devices_reporting(end, total),
            "enwh": published.energy(Flow.CONSUMPTION, end),
        }
        for end in _ends(published, span, total)
    ]
    return {
        **_envelope(published, span, total),
        "intervals": rows,
        "meta": published.meta(),
    }


def battery(published: Published, query: Query) -> Document:
    """Return energy and state of charge of the batteries, every 15 minutes."""
    span = telemetry_span(published, query)
    storage = published.system.plant.storage
    total = len(storage.units_at(published.now)) if storage else 0
    rows = []
    for end in filter(published.had_battery, _ends(published, span, total)):
        reporting = published.devices_reporting(end, total)
        charged = published.energy(Flow.CHARGE, end)
        discharged = published.energy(Flow.DISCHARGE, end)
        rows.append(
            {
                "end_at": end,
                "charge": {"enwh": charged, "devices_reporting": reporting},
                "discharge": {"enwh": discharged, "devices_reporting": reporting},
                "soc": {
                    "percent": charge_percent(published, end),
                    "devices_reporting": reporting,
                },
            }
        )
    last = charge_percent(published, published.last_report_at)
    return {
        **_envelope(published, span, total if published.storage else 0),
        "intervals": rows,
        "last_reported_aggregate_soc": None if last is None else f"{last}%",
    }


def charge_percent(published: Published, at: int) -> int | None:
    """Return the state of charge in whole percent, None without a battery."""
    soc = power(published.system.plant, at).soc
    return None if soc is None else round(soc)


def energy_import_telemetry(published: Published, query: Query) -> Document:
    """Return energy imported from the grid, every 15 minutes."""
    return _grid(published, query, Flow.IMPORT, "wh_imported")


def energy_export_telemetry(published: Published, query: Query) -> Document:
    """Return energy exported to the grid, every 15 minutes."""
    return _grid(published, query, Flow.EXPORT, "wh_exported")


def _grid(published: Published, query: Query, flow: Flow, key: str) -> Document:
    span = telemetry_span(published, query)
    total = int("consumption" in published.system.meters)
    rows = [
        {"end_at": end, key: published.energy(flow, end)}
        for end in _ends(published, span, total)
    ]
    return {
        **_envelope(published, span, 0),
        "intervals": [rows] if rows else [],
        "meta": published.meta(),
    }


def _ends(published: Published, span: Span, devices: int) -> list[int]:
    return list(published.intervals(span.start, span.end, QUARTER)) if devices else []


def _envelope(published: Published, span: Span, devices: int) -> Document:
    return {
        "system_id": published.system.system_id,
        "granularity": span.granularity,
        "total_devices": devices,
        **span.shown,
        "items": "intervals",
    }


def latest_telemetry(published: Published, query: Query) -> Document:
    """Return the power [W] at the quarter hour before the last report."""
    del query
    devices: Document = {"meters": _meters(published)}
    if published.storage:
        devices["encharges"] = list(_encharges(published))
    if pump := published.system.heat_pump:
        devices["heat-pump"] = [_operated(published, pump, HEAT_PUMP, pump.mode)]
    if chargers := list(_chargers(published)):
        devices["evse"] = chargers
    return {
        "system_id": published.system.system_id,
        "items": "devices",
        "devices": devices,
    }


def _meters(published: Published) -> list[Document]:
    kinds: tuple[Meter, ...] = ("production", "consumption")
    return [
        row
        for name in kinds
        for meter in meters_of(published.system, name)
        for row in _channels(published, meter)
    ]


def _channels(published: Published, meter: Metering) -> Iterator[Document]:
    system, until = published.system, published.until
    read_at = system.last_read_at(meter.part, until)
    if meter.until is not None:
        read_at = min(meter.until, read_at)
    stale = _is_stale(published, read_at)
    for channel in (1, 2, 3):
        silent = stale or channel > system.phases
        total = 0 if silent else meter.part_of(_metered(published, meter.name, read_at))
        yield {
            "id": device_id(system, meter.number),
            "name": meter.name,
            "channel": channel,
            "last_report_at": None if silent else read_at,
            "power": None if silent else equal_part(total, system.phases, channel),
        }


def _metered(published: Published, name: Meter, at: int) -> int:
    now = published.power(at)
    if name == "production":
        return now.production
    net = published.system.consumption_config == "Net"
    return now.production + now.grid if net else now.consumption


def _chargers(published: Published) -> Iterator[Document]:
    system = published.system
    for other in system.ev_chargers:
        really = system.ev_charger(other.serial)
        does = operation_of(published, really) if really else "PLUGGED_OUT"
        yield _operated(published, other, other.part, other.status or does)
    for known in system.iq_chargers:
        mode = operation_of(published, system.charger(known.serial))
        yield _operated(published, known, known.part, mode)


def _operated(
    published: Published, known: EvCharger | IqCharger | HeatPump, part: Part, mode: str
) -> Document:
    read_at = published.system.last_read_at(part, published.last_report_at)
    stale = _is_stale(published, read_at)
    return {
        "serial_number": known.serial,
        "name": known.name,
        "last_report_at": None if stale else read_at,
        "operational_mode": None if stale else mode,
    }


def _encharges(published: Published) -> Iterator[Document]:
    system = published.system
    units = system.battery_units(published.now)
    for number, unit in enumerate(units, start=1):
        read_at = system.last_read_at(f"{BATTERY} {unit}", published.until)
        stale = _is_stale(published, read_at)
        now = 0 if stale else power(system.plant, read_at).battery
        mode = "Idle" if now == 0 else "Discharging" if now > 0 else "Charging"
        part = equal_part(-system.battery_sign * now, len(units), number)
        yield {
            "id": device_id(system, 10 + unit),
            "name": f"IQ Battery {encharge_serial(system, unit)}",
            "channel": 1,
            "last_report_at": None if stale else read_at,
            "power": None if stale else part,
            "operational_mode": None if stale else mode,
        }


def _is_stale(published: Published, read_at: int) -> bool:
    never = read_at < published.system.operational_at
    return never or published.now - read_at > _NOT_REPORTED_AFTER


def equal_part(total: int, parts: int, number: int) -> int:
    """Return part `number`, from 1, of `parts` nearly equal parts of a total."""
    return total * number // parts - total * (number - 1) // parts
