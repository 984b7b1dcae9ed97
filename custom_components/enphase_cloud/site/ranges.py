"""Sets of time, as ranges that neither touch nor overlap, in order."""

from collections.abc import Iterable
from datetime import datetime

type Range = tuple[datetime, datetime]
"""From a moment on, up to another."""
type Ranges = tuple[Range, ...]


def union(ranges: Iterable[Range]) -> Ranges:
    """Return what is in any of the ranges; those that end before they begin are not."""
    joined: list[Range] = []
    for start, end in sorted(each for each in ranges if each[0] < each[1]):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return tuple(joined)


def within(ranges: Iterable[Range], start: datetime, end: datetime) -> Ranges:
    """Return what is in ranges from a moment on, up to another."""
    return union((max(start, begin), min(end, stop)) for begin, stop in ranges)


def without(ranges: Iterable[Range], taken: Iterable[Range]) -> Ranges:
    """Return what is in ranges and in none of those taken."""
    rest = list(union(ranges))
    for start, end in union(taken):
        rest = [
            part
            for begin, stop in rest
            for part in ((begin, min(stop, start)), (max(begin, end), stop))
            if part[0] < part[1]
        ]
    return tuple(rest)
