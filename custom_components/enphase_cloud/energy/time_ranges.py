"""Sets of time as ranges in order, which neither touch nor overlap."""

from bisect import bisect_right
from collections.abc import Iterable
from datetime import datetime
from operator import itemgetter

type Range = tuple[datetime, datetime]
"""From a moment (included) to another (excluded)."""
type Ranges = tuple[Range, ...]


def union(ranges: Iterable[Range]) -> Ranges:
    """Return the union of ranges; those with no time between start and end drop."""
    joined: list[Range] = []
    for start, end in sorted(each for each in ranges if each[0] < each[1]):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return tuple(joined)


def within(ranges: Iterable[Range], start: datetime, end: datetime) -> Ranges:
    """Return the parts of ranges between two moments."""
    return union((max(start, begin), min(end, stop)) for begin, stop in ranges)


def without(ranges: Iterable[Range], taken: Iterable[Range]) -> Ranges:
    """Return the parts of ranges that are in none of those `taken`."""
    cuts = union(taken)
    kept: list[Range] = []
    for begin, stop in union(ranges):
        at = begin
        # From the first that ends after the range begins, up to where that stops.
        first = bisect_right(cuts, begin, key=itemgetter(1))
        for start, end in map(cuts.__getitem__, range(first, len(cuts))):
            if start >= stop:
                break
            if at < start:
                kept.append((at, start))
            at = end
        if at < stop:
            kept.append((at, stop))
    return tuple(kept)
