"""Requested spans of time, and pages."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from simulator.errors import RefusalError
from simulator.moments import DAY, QUARTER, STEP, midnight, next_midnight
from simulator.publication import Published

type Query = Mapping[str, str]
type Document = dict[str, object]
type JsonBody = Document | list[Document]

GRANULARITIES = {"5mins": STEP, "15mins": QUARTER, "day": DAY, "week": 7 * DAY}
OLDEST = 2 * 365 * DAY
_TOO_LONG = (
    "Invalid request because of 'Requested date range in one API hit cannot be more "
    "than 7 days'"
)


@dataclass(frozen=True, slots=True)
class Span:
    """A requested span, and its fields in the document."""

    start: int
    end: int
    granularity: str
    shown: Document


def whole_number(text: str) -> int:
    """Return epoch seconds, or refuse."""
    try:
        return int(text)
    except ValueError:
        raise RefusalError(422, f"Failed to parse date {text}") from None


def calendar_date(text: str) -> date:
    """Return a date written as YYYY-MM-DD, or refuse."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    # Python also reads other forms of ISO 8601.
    if day is None or day.isoformat() != text:
        raise RefusalError(422, f"Failed to parse date {text}")
    return day


def page_of[T](items: list[T], query: Query, largest: int) -> tuple[int, int, list[T]]:
    """Return page number, page size and the items of the requested page."""
    page = _bounded(query.get("page", "1"), 1, None)
    size = _bounded(query.get("size", "10"), 1, largest)
    return page, size, items[(page - 1) * size : page * size]


def _bounded(text: str, low: int, high: int | None) -> int:
    try:
        number = int(text)
    except ValueError:
        raise RefusalError(422, f"Invalid number {text}") from None
    return max(low, number if high is None else min(number, high))


def telemetry_span(published: Published, query: Query) -> Span:
    """Return the span that a telemetry request asks for.

    Without a start it is today so far; otherwise `granularity` is its length. `end_at`
    and `end_date` are not documented; they work as `production_micro` of the cloud has
    them.
    """
    granularity = query.get("granularity", "day")
    if granularity not in GRANULARITIES:
        raise RefusalError(
            422, f"Invalid request because of 'Invalid granularity {granularity}'"
        )
    start, shown_start = _start(published, query)
    if not {"start_at", "start_date"} & query.keys():
        granularity = "day"
    end = min(start + GRANULARITIES[granularity], published.now)
    end, shown_end = _end(published, query, end)
    if end - start > GRANULARITIES["week"]:
        raise RefusalError(422, _TOO_LONG)
    return Span(start, end, granularity, {**shown_start, **shown_end})


def _start(published: Published, query: Query) -> tuple[int, Document]:
    """Return the start, not before the start of operation, and its document field."""
    time_zone = published.system.time_zone
    first = published.system.operational_at
    if "start_at" in query:
        start = whole_number(query["start_at"])
        _check_start(published, start)
        return max(start, first), {"start_at": max(start, first)}
    if "start_date" in query:
        start = midnight(calendar_date(query["start_date"]), time_zone)
        _check_start(published, start)
        return max(start, first), {"start_date": query["start_date"]}
    start = midnight(date.fromisoformat(published.today()), time_zone)
    return start, {"start_at": start}


def _end(published: Published, query: Query, default: int) -> tuple[int, Document]:
    if "end_at" in query:
        end = min(whole_number(query["end_at"]), published.now)
        return end, {"end_at": end}
    if "end_date" in query:
        day = calendar_date(query["end_date"])
        end = next_midnight(day, published.system.time_zone)
        return min(end, published.now), {"end_date": query["end_date"]}
    return default, {"end_at": default}


def _check_start(published: Published, start: int) -> None:
    if start > published.now:
        raise RefusalError(
            422, "Invalid request because of 'Requested date is in the future'"
        )
    if start < published.now - OLDEST:
        raise RefusalError(
            422,
            "Invalid request because of 'Requested date range is invalid for this "
            f"system. {{:start_at=>{start}, :end_at=>{published.now}, "
            f":first_interval=>{published.system.operational_at + QUARTER}, "
            f":last_interval=>{published.until}}}'",
        )


def lifetime_days(published: Published, query: Query) -> tuple[str | None, list[date]]:
    """Return the start date to show and the days of a lifetime request.

    A system that never produced has neither, unless the request has a start.
    """
    today = date.fromisoformat(published.today())
    commissioned = published.system.plant.commissioned
    requested = query.get("start_date")
    start = commissioned if requested is None else calendar_date(requested)
    default_end = today if start >= today else date.fromordinal(today.toordinal() - 1)
    end = calendar_date(query["end_date"]) if "end_date" in query else default_end
    if start > today or end > today:
        raise RefusalError(422, "Requested date is in the future")
    if "end_date" in query and end < start:
        raise RefusalError(422, "Requested date range is invalid for this system")
    if requested is None and not published.has_produced:
        return None, []
    start = max(start, commissioned)
    ordinals = range(start.toordinal(), end.toordinal() + 1)
    return start.isoformat(), [date.fromordinal(ordinal) for ordinal in ordinals]
