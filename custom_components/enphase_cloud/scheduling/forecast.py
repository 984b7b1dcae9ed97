"""The updates to expect with a plan and a profile, before a system is known."""

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import NamedTuple

from ..measurements.catalog import Source
from ..quota.plans import Plan
from ..quota.reserve import reserve
from .allocation import RatePeriod, level, rate
from .cadence import USUAL_PERIOD
from .weights import PolledDocument, Profile, weight

_MONTH = timedelta(days=30)


class Freshness(NamedTuple):
    """The interval between updates of a document; None where there are none."""

    by_day: timedelta | None
    by_night: timedelta | None


class Preview(NamedTuple):
    """The expected updates of documents that share a plan, and their calls."""

    documents: Mapping[Source, Freshness]
    calls_per_month: int


def preview(
    plan: Plan,
    *,
    profile: Profile,
    polled_documents: Collection[PolledDocument],
    others_per_day: float = 0.0,
) -> Preview:
    """Return the expected updates, with days as long as nights.

    `others_per_day` is how many calls of a day go to energy and periodic requests. If
    systems have different documents, the best freshness of each document counts.
    """
    half = _MONTH.total_seconds() / 2
    period = USUAL_PERIOD.total_seconds()
    beside = {
        polled: {
            other.document
            for other in polled_documents
            if other.system == polled.system
        }
        for polled in polled_documents
    }
    weights = {
        polled: weight(profile, polled.document, beside[polled])
        for polled in polled_documents
    }
    stretches = [
        RatePeriod(each, half, period)
        for known in weights.values()
        for each in (known.day, known.night)
    ]
    month = plan.calls_per_month
    others = round(others_per_day * _MONTH.days)
    polls = month - reserve(month, _MONTH, elapsed=1) - others
    share = level(stretches, polls)
    documents: dict[Source, Freshness] = {}
    for polled in sorted(polled_documents, key=lambda polled: weights[polled].day):
        documents[polled.document] = Freshness(
            _interval(rate(share, weights[polled].day, period)),
            _interval(rate(share, weights[polled].night, period)),
        )
    calls = sum(rate(share, each.weight, period) * half for each in stretches)
    return Preview(documents, round(calls) + others)


def _interval(rate: float) -> timedelta | None:
    return timedelta(seconds=1 / rate) if rate else None
