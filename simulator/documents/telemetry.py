"""Energy in intervals, and the latest powers."""

from simulator.moments import DAY, HOUR, QUARTER, STEP
from simulator.physics import Flow, Storage, power
from simulator.publication import Published

from .devices import device_id, encharge_serial
from .windows import Document, Query, Span, telemetry_span

_NOT_REPORTED_AFTER = 7 * DAY


def production_micro(published: Published, query: Query) -> Document:
    """Return production as microinverters measure it, every 5 minutes."""
    span = telemetry_span(published, query)
    total = published.system.modules
    rows = []
    for end in published.intervals(span.start, span.end, STEP):
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
    total = int("production" in published.system.meters)
    rows = [
        {
            "end_at": end,
            "devices_reporting": published.devices_reporting(end, total),
            "wh_del": published.energy(Flow.PRODUCTION, end),
        }
        for end in _ends(published, span, total)
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
    """Return what batteries took, gave and hold, every 15 minutes."""
    span = telemetry_span(published, query)
    storage = published.system.plant.storage
    total = storage.units if storage else 0
    rows = []
    for end in _ends(published, span, total):
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
        **_envelope(published, span, total),
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
    """Return the powers at the quarter before the last report, in W."""
    del query
    devices: Document = {"meters": _meters(published)}
    if storage := published.system.plant.storage:
        devices["encharges"] = _encharges(published, storage)
    return {
        "system_id": published.system.system_id,
        "items": "devices",
        "devices": devices,
    }


def _meters(published: Published) -> list[Document]:
    system = published.system
    now = power(system.plant, published.until)
    net = system.consumption_config == "Net"
    consumption = now.production + now.grid if net else now.consumption
    powers = {"production": now.production, "consumption": consumption}
    rows: list[Document] = []
    for offset, (name, total) in enumerate(powers.items(), 1):
        if name not in system.meters:
            continue
        for channel in (1, 2, 3):
            silent = channel > system.phases or _is_stale(published)
            rows.append(
                {
                    "id": device_id(system, offset),
                    "name": name,
                    "channel": channel,
                    "last_report_at": None if silent else published.until,
                    "power": None if silent else _part(total, system.phases, channel),
                }
            )
    return rows


def _encharges(published: Published, storage: Storage) -> list[Document]:
    system = published.system
    now = power(system.plant, published.until).battery
    mode = "Idle" if now == 0 else "Discharging" if now > 0 else "Charging"
    stale = _is_stale(published)
    return [
        {
            "id": device_id(system, 10 + unit),
            "name": f"IQ Battery {encharge_serial(system, unit)}",
            "channel": 1,
            "last_report_at": None if stale else published.until,
            "power": None
            if stale
            else _part(-system.battery_sign * now, storage.units, unit),
            "operational_mode": None if stale else mode,
        }
        for unit in range(1, storage.units + 1)
    ]


def _is_stale(published: Published) -> bool:
    return published.now - published.last_report_at > _NOT_REPORTED_AFTER


def _part(total: int, parts: int, number: int) -> int:
    """Return one of `parts` nearly equal parts of a total."""
    return total * number // parts - total * (number - 1) // parts
