"""Which documents are polled, and how much their freshness matters."""

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from ..measurements.catalog import Source


class Profile(StrEnum):
    """Which values the user prefers to be fresh."""

    BALANCED = "balanced"
    BATTERY_FIRST = "battery_first"
    PRODUCTION_FIRST = "production_first"


class PolledDocument(NamedTuple):
    """A document of a system."""

    system: str
    document: Source


class Weight(NamedTuple):
    """How much a minute of staleness matters, by day and by night."""

    day: float
    night: float

    def mean(self, *, day: float) -> float:
        """Return the mean weight for a share of day, from 0 to 1."""
        return self.night + (self.day - self.night) * day


# At night values change about a quarter as fast as by day, and production not at all.
_WEIGHTS: Mapping[Profile, Mapping[Source, Weight]] = {
    Profile.BALANCED: {
        Source.SUMMARY: Weight(1, 0),
        Source.BATTERY: Weight(1, 0.25),
        Source.LATEST: Weight(1, 0.25),
    },
    Profile.BATTERY_FIRST: {
        Source.SUMMARY: Weight(0.5, 0),
        Source.BATTERY: Weight(4, 1),
        Source.LATEST: Weight(1, 0.25),
    },
    Profile.PRODUCTION_FIRST: {
        Source.SUMMARY: Weight(4, 0),
        Source.BATTERY: Weight(0.5, 0.125),
        Source.LATEST: Weight(2, 0.125),
    },
}
POLLED: Final = tuple(_WEIGHTS[Profile.BALANCED])
"""The documents that are polled as often as calls allow."""

# LATEST has production power, too, which changes fastest. Where it is polled, only the
# energy of the SUMMARY remains.
_SUMMARY_BESIDE_LATEST = 0.25


def weight(profile: Profile, document: Source, beside: Collection[Source]) -> Weight:
    """Return the weight of a document beside the others polled of its system."""
    known = _WEIGHTS[profile][document]
    if document is Source.SUMMARY and Source.LATEST in beside:
        return Weight(known.day * _SUMMARY_BESIDE_LATEST, known.night)
    return known
