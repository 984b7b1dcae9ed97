"""The spans of time that requests ask for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from simulator.errors import RefusalError
from simulator.moments import DAY, QUARTER, STEP, midnight
from simulator.publication import Published

type Query = Mapping[str, str]
type Document = dict[str, object]

GRANULARITIES = {"5mins": STEP, "15mins": QUARTER, "day": DAY, "week": 7 * DAY}
_OLDEST = 2 * 365 * DAY


@dataclass(frozen=True, slots=True)
class Span:
    """A requested span: the moments, and how the answer names them."""

    start: int
    end: int
    granularity: str
    shown: Document


def whole_number(text: str) -> int:
    """Return epoch seconds or refuse."""
    try:
        return int(text)
    except ValueError:
        raise RefusalError(422, f"Failed to parse date {text}") from None


def calendar_date(text: str) -> date:
    """Return a date written as YYYY-MM-DD or refuse."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise RefusalError(422, f"Failed to parse date {text}") from None


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

    Without a start it is today so far; otherwise `granularity` is its length. The
    undocumented `end_at` and `end_date` are understood as the cloud understands them
    for `production_micro`.
    """
    time_zone = published.system.plant.time_zone
    granularity = query.get("granularity", "day")
    if granularity not in GRANULARITIES:
        raise RefusalError(
            422, f"Invalid request because of 'Invalid granularity {granularity}'"
        )
    shown: Document = {}
    if "start_at" in query:
        start = whole_number(query["start_at"])
        shown["start_at"] = start
    elif "start_date" in query:
        start = midnight(calendar_date(query["start_date"]), time_zone)
        shown["start_date"] = query["start_date"]
    else:
        granularity = "day"
        start = midnight(date.fromisoformat(published.today()), time_zone)
        shown["start_at"] = start
    start, end = _checked(published, start, start + GRANULARITIES[granularity])
    if "end_at" in query:
        end = min(published.now, whole_number(query["end_at"]))
        shown["end_at"] = end
    elif "end_date" in query:
        end = midnight(calendar_date(query["end_date"]), time_zone) + DAY
        shown["end_date"] = query["end_date"]
    else:
        shown["end_at"] = end
    if end - start > GRANULARITIES["week"]:
        raise RefusalError(
            422,
            "Invalid request because of 'Requested date range in one API hit cannot "
            "be more than 7 days'",
        )
    return Span(start, end, granularity, shown)


def _checked(published: Published, start: int, end: int) -> tuple[int, int]:
    if start > published.now:
        raise RefusalError(
            422, "Invalid request because of 'Requested date is in the future'"
        )
    if start < published.now - _OLDEST:
        raise RefusalError(
            422,
            "Invalid request because of 'Requested date range is invalid for this "
            f"system. {{:start_at=>{start}, :end_at=>{end}, "
            f":first_interval=>{published.system.operational_at + QUARTER}, "
            f":last_interval=>{published.until}}}'",
        )
    first = published.system.operational_at
    return max(start, first), min(end, published.now)


def lifetime_days(published: Published, query: Query) -> tuple[str, list[date]]:
    """Return the start date to show and the days of a lifetime request."""
    today = date.fromisoformat(published.today())
    commissioned = published.system.plant.commissioned
    asked = query.get("start_date")
    start = commissioned if asked is None else calendar_date(asked)
    default_end = today if start >= today else date.fromordinal(today.toordinal() - 1)
    end = calendar_date(query["end_date"]) if "end_date" in query else default_end
    if start > today or end > today:
        raise RefusalError(422, "Requested date is in the future")
    if "end_date" in query and end < start:
        raise RefusalError(422, "Requested date range is invalid for this system")
    start = max(start, commissioned)
    ordinals = range(start.toordinal(), end.toordinal() + 1)
    return start.isoformat(), [date.fromordinal(ordinal) for ordinal in ordinals]
