"""Energy of each revenue grade production meter."""

from collections.abc import Iterator

from simulator.errors import RefusalError
from simulator.moments import DAY, HOUR, QUARTER, day_of, midnight
from simulator.physics import Flow, energy
from simulator.publication import Published

from .meters import Metering, meters_of
from .telemetry import equal_part
from .windows import OLDEST, Document, Query, whole_number

type Measured = dict[Metering, dict[int, int]]

_WEEK = 7 * DAY
_INVALID = RefusalError(422, "Requested date range is invalid for this system")


def rgm_stats(published: Published, query: Query) -> Document:
    """Return production every 15 minutes: of all meters, and of each channel.

    A replaced meter has the intervals before its replacement.
    """
    measured = _measured(published, *_span(published, query))
    ends = sorted({at for wh in measured.values() for at in wh})
    return {
        "system_id": published.system.system_id,
        "total_devices": sum(meter.until is None for meter in measured),
        "meta": published.meta(),
        "intervals": [_of_all(at, measured) for at in ends],
        "meter_intervals": [
            {
                "meter_serial_number": meter.serial,
                "envoy_serial_number": meter.gateway,
                "intervals": list(_channels(published.system.phases, wh)),
            }
            for meter, wh in measured.items()
        ],
    }


def _span(published: Published, query: Query) -> tuple[int, int]:
    """Return the requested span, at most its first week."""
    system, now = published.system, published.now
    zone = system.time_zone
    start = midnight(day_of(now, zone), zone)
    end = None
    try:
        if "start_at" in query:
            start = whole_number(query["start_at"])
        if "end_at" in query:
            end = whole_number(query["end_at"])
    except RefusalError:
        raise _INVALID from None
    if not now - OLDEST <= start <= now or (end is not None and end < start):
        raise _INVALID
    start = max(start, system.operational_at) // QUARTER * QUARTER
    return start, min(now if end is None else end, now, start + _WEEK)


def _measured(published: Published, start: int, end: int) -> Measured:
    """Return the Wh of each meter by the end of intervals."""
    sums = dict(_sums(published, start, end))
    return {
        meter: {
            at: meter.part_of(after) - meter.part_of(before)
            for at, (before, after) in sums.items()
            if _is_reported(published, meter, at)
        }
        for meter in meters_of(published.system, "production")
    }


def _of_all(at: int, measured: Measured) -> Document:
    found = [wh[at] for wh in measured.values() if at in wh]
    return {"end_at": at, "wh_del": sum(found), "devices_reporting": len(found)}


def _sums(
    published: Published, start: int, end: int
) -> Iterator[tuple[int, tuple[int, int]]]:
    """Yield the end of each interval with lifetime production before and after it."""
    system, ends = published.system, list(published.intervals(start, end))
    first = system.operational_at
    after = (
        energy(system.plant, Flow.PRODUCTION, first, ends[0] - QUARTER) if ends else 0
    )
    for at in ends:
        before = after
        after += energy(system.plant, Flow.PRODUCTION, at - QUARTER, at)
        if not published.omits(at, QUARTER):
            yield at, (before, after)


def _is_reported(published: Published, meter: Metering, at: int) -> bool:
    """Return whether an interval includes a meter."""
    system, start = published.system, at - QUARTER
    is_there = meter.begin <= start and (meter.end is None or at <= meter.end)
    lacking = published.lacking(at, system.production_meters)
    is_late = lacking == meter.index + 1
    return is_there and not is_late and system.reports_all(meter.part, start, at)


def _channels(phases: int, wh: dict[int, int]) -> Iterator[Document]:
    """Yield the intervals of each channel; a channel without a phase has null."""
    for channel in (1, 2, 3):
        for at, total in wh.items():
            part = None if channel > phases else equal_part(total, phases, channel)
            watts = None if part is None else part * HOUR // QUARTER
            yield {"channel": channel, "end_at": at, "wh_del": part, "curr_w": watts}
