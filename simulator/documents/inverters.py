"""The microinverters of a site, page by page."""

from collections.abc import Callable, Iterable
from functools import cache

from simulator.errors import RefusalError
from simulator.microinverters import Microinverter
from simulator.moments import DAY, HOUR, STEP
from simulator.physics import Flow, energy, panels
from simulator.publication import Published
from simulator.world import System

from .windows import Document, Query, page_of

_LARGEST_PAGE = 100
_NOBODY = "none"
NO_SITE = RefusalError(422, "Envoy serial number or Site id mandatory")
_SIGNAL_STRENGTH = {"ethernet": 5, "wifi": 3, "cellular": 2}


def site_of(query: Query, systems: Iterable[System]) -> str:
    """Return the id of the requested site: that of a gateway, else `site_id`.

    An unknown gateway gives an id that no site has.
    """
    serial, site = query.get("envoy_serial_number"), query.get("site_id")
    if serial is None:
        return site or ""
    found = (each for each in systems if serial in each.gateway_serials)
    return next((str(each.system_id) for each in found), _NOBODY)


def inverters_summary(published: Published, query: Query) -> list[Document]:
    """Return a page of microinverters by gateway."""
    serial = query.get("envoy_serial_number")
    system = published.system
    micros = [
        (gateway, micro)
        for gateway in system.gateway_serials
        for micro in system.microinverters
        if serial in {None, gateway} and system.gateway_of(micro) == gateway
    ]
    _, _, page = page_of(micros, query, _LARGEST_PAGE)
    entry_of = _entry_reader(published)
    return [
        {
            "signal_strength": _SIGNAL_STRENGTH[system.connection],
            "micro_inverters": [entry_of(micro) for at, micro in page if at == gateway],
        }
        for gateway in dict.fromkeys(at for at, _ in page)
    ]


def report_times(published: Published) -> dict[str, int]:
    """Return the time of the last report of each microinverter by serial number.

    Microinverters do not report in the dark.
    """
    system = published.system
    newest = published.last_report_at // STEP * STEP
    read_at = {
        micro.serial: system.last_read_at(micro.part, newest)
        for micro in system.microinverters
    }
    awake = {at: _awake(published, at) for at in set(read_at.values())}
    return {serial: awake[at] for serial, at in read_at.items()}


def _awake(published: Published, at: int) -> int:
    """Return the end of the last step with production before a moment."""
    at = at // STEP * STEP
    plant = published.system.plant
    for end in range(at, max(at - DAY, published.system.operational_at), -STEP):
        if energy(plant, Flow.PRODUCTION, end - STEP, end):
            return end
    return at


def _entry_reader(published: Published) -> Callable[[Microinverter], Document]:
    """Return a function that returns the entry of a microinverter; it caches sums."""
    system = published.system
    plant = system.plant
    times = report_times(published)

    @cache
    def lifetime(until: int) -> list[int]:
        return panels.energy_by_panel(plant, system.operational_at, until)

    @cache
    def power(end: int) -> list[int]:
        produced = energy(plant, Flow.PRODUCTION, end - STEP, end)
        return panels.split(plant, end - STEP, produced * HOUR // STEP)

    def entry(micro: Microinverter) -> Document:
        at, index = times[micro.serial], micro.position - 1
        before = lifetime(micro.since)[index] if micro.generation else 0
        total = lifetime(max(at, micro.since))[index] - before
        silent = system.is_silent(micro, published.last_report_at)
        asleep = published.measured_in_the_dark and not silent
        watts = 0 if asleep else power(at)[index]
        return _inverter(published, micro, at=at, watts=watts, total=total)

    return entry


def _inverter(
    published: Published, micro: Microinverter, *, at: int, watts: int, total: int
) -> Document:
    # The example has both forms of the power.
    bare = micro.position % 2 == 0
    power = watts if bare else {"value": watts, "units": "W", "precision": 0}
    return {
        "id": micro.device_id,
        "serial_number": micro.serial,
        "model": "IQ8+",
        "part_number": "800-01733-r02",
        "sku": "IQ8PLUS-72-2-US",
        "status": published.status_of(micro),
        "power_produced": power,
        "proc_load": "520-00082-r01-v04.30.12",
        "param_table": "540-00169-r01-v04.30.02",
        "envoy_serial_number": published.system.gateway_of(micro),
        "energy": {"value": total, "units": "Wh", "precision": 0},
        "grid_profile": "5e9c0d417ab2f3608d14c7b9",
        "last_report_date": at,
    }
