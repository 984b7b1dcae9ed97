"""Systems, their summary and their devices."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import date

from simulator.errors import RefusalError
from simulator.live_frames import unsupported
from simulator.moments import midnight, next_midnight
from simulator.physics import Flow
from simulator.publication import Published

from .windows import Document, Query, calendar_date, page_of

_UNSUPPORTED_SORT = (
    "Invalid request because of 'The sorting parameter is not supported. Please use "
    "id for sorting by Asc or -id for sorting by Desc'"
)
_NO_SYSTEM_IN_BODY = "system is missing at Json body location"
_BODY = {"sort_by", "system"}
_FILTERS = {"ids", "name", "reference", "other_reference", "statuses"}


def systems(owned: list[Published], query: Query, body: object) -> Document:
    """Return a page of the systems that the user may access."""
    del body
    return _page(_sorted(owned, query.get("sort_by")), query, 100, _listed)


def search(owned: list[Published], query: Query, body: object) -> Document:
    """Return a page of the systems that match the body's filters."""
    if not isinstance(body, dict) or not isinstance(body.get("system"), dict):
        raise RefusalError(422, _NO_SYSTEM_IN_BODY)
    wanted = body["system"]
    if unknown := (body.keys() - _BODY) | (wanted.keys() - _FILTERS):
        raise RefusalError(422, f"Unknown: {', '.join(sorted(unknown))}")
    found = [
        published
        for published in _sorted(owned, body.get("sort_by"))
        if _matches(published, wanted)
    ]
    show = _found_live if query.get("live_stream") == "true" else _found
    return _page(found, query, 1_000, show)


def retrieve_system_id(owned: list[Published], query: Query, body: object) -> Document:
    """Return the system of a gateway by the serial number of the gateway."""
    del body
    serial = query.get("serial_num")
    if not serial:
        raise RefusalError(422, "Provide envoy serial number")
    for published in owned:
        if serial in published.system.gateway_serials:
            return {"system_id": published.system.system_id}
    raise RefusalError(404, "Envoy not found with this serial number")


def _matches(published: Published, wanted: dict[str, object]) -> bool:
    """Return whether a system matches all filters; empty filters are ignored."""
    found = published.system
    ids, statuses = wanted.get("ids"), wanted.get("statuses")
    if isinstance(ids, list) and ids and found.system_id not in ids:
        return False
    if isinstance(statuses, list) and statuses and published.status not in statuses:
        return False
    name = wanted.get("name")
    if isinstance(name, str) and name.lower() not in found.name.lower():
        return False
    return not (wanted.get("reference") or wanted.get("other_reference"))


def _sorted(owned: list[Published], sort_by: object) -> list[Published]:
    if sort_by not in {None, "id", "-id"}:
        raise RefusalError(422, _UNSUPPORTED_SORT)
    return sorted(
        owned,
        key=lambda published: published.system.system_id,
        reverse=sort_by == "-id",
    )


def _page(
    found: list[Published],
    query: Query,
    largest: int,
    show: Callable[[Published], Document],
) -> Document:
    page, size, shown = page_of(found, query, largest)
    return {
        "total": len(found),
        "current_page": page,
        "size": size,
        "count": len(shown),
        "items": "systems",
        "systems": [show(published) for published in shown],
    }


def _listed(published: Published) -> Document:
    return {**_system(published), **published.system.listed}


def system(published: Published, query: Query) -> Document:
    """Return one system."""
    del query
    return _system(published)


def _system(published: Published) -> Document:
    found = published.system
    return {
        "system_id": found.system_id,
        "name": found.name,
        "public_name": "Residential System",
        "timezone": found.time_zone,
        "address": asdict(found.address),
        "connection_type": found.connection,
        "energy_lifetime": -1,
        "energy_today": -1,
        "system_size": -1,
        "status": published.status,
        "last_report_at": published.last_report_at,
        "last_energy_at": published.until,
        "operational_at": found.operational_at,
        "attachment_type": "rack_mount",
        "interconnect_date": None,
    }


def _found(published: Published) -> Document:
    """Return the entry of a system in a search: without the city."""
    document = _listed(published)
    address = asdict(published.system.address)
    del address["city"]
    return {**document, "address": address}


def _found_live(published: Published) -> Document:
    """Return the entry of a system in a search with `live_stream`."""
    supported = unsupported(published.system) is None
    return {**_found(published), "live_stream": "enabled" if supported else "disabled"}


def summary(published: Published, query: Query) -> Document:
    """Return the summary of a day; modules, size and power of a past day are zero."""
    found = published.system
    plant = found.plant
    today = published.today()
    day = calendar_date(query.get("summary_date", today))
    if day.isoformat() > today:
        raise RefusalError(422, "Requested date is in the future")
    start = midnight(day, found.time_zone)
    is_today = day == date.fromisoformat(today)
    storage = published.storage
    lifetime = published.sum(Flow.PRODUCTION, found.operational_at, start)
    return {
        "system_id": found.system_id,
        "current_power": _current_power(published) if is_today else 0,
        "energy_lifetime": lifetime,
        "energy_today": published.sum(
            Flow.PRODUCTION, start, next_midnight(day, found.time_zone)
        ),
        "last_interval_end_at": published.produced_until,
        "last_report_at": published.last_report_at,
        "modules": found.active_modules if is_today else 0,
        "operational_at": found.operational_at,
        "size_w": (found.listed_size_w or plant.size_w) if is_today else 0,
        "nmi": None,
        "source": "meter" if published.is_metered else "microinverters",
        "status": published.status,
        "summary_date": day.isoformat(),
        "battery_charge_w": storage.power_w if storage else 0,
        "battery_discharge_w": storage.power_w if storage else 0,
        "battery_capacity_wh": storage.capacity_wh if storage else 0,
    }


def _current_power(published: Published) -> int:
    return published.power(published.measured_at).production
