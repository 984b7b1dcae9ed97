"""What can be polled, and how much its freshness matters."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Document(StrEnum):
    """A document of the cloud that is polled; each costs one call."""

    # Status, production power, and energy produced today and ever.
    SUMMARY = "summary"
    # State of charge, and energy charged and discharged.
    BATTERY = "battery"
    # Power now: production, consumption and battery.
    LATEST = "latest"


class Profile(StrEnum):
    """What the user wants to see freshest."""

    BALANCED = "balanced"
    BATTERY_FIRST = "battery_first"
    PRODUCTION_FIRST = "production_first"


@dataclass(frozen=True, slots=True)
class PolledDocument:
    """A document of a system."""

    system: str
    document: Document


@dataclass(frozen=True, slots=True)
class Weight:
    """How much a minute of staleness matters, by day and by night."""

    day: float
    night: float

    def mean(self, *, day: float) -> float:
        """Return the mean weight if so much of a time is day, from 0 to 1."""
        return self.night + (self.day - self.night) * day


# By night values move about a quarter as fast as by day, and production not at all.
_WEIGHTS: Mapping[Profile, Mapping[Document, Weight]] = {
    Profile.BALANCED: {
        Document.SUMMARY: Weight(1, 0),
        Document.BATTERY: Weight(1, 0.25),
        Document.LATEST: Weight(1, 0.25),
    },
    Profile.BATTERY_FIRST: {
        Document.SUMMARY: Weight(0.5, 0),
        Document.BATTERY: Weight(4, 1),
        Document.LATEST: Weight(1, 0.25),
    },
    Profile.PRODUCTION_FIRST: {
        Document.SUMMARY: Weight(4, 0),
        Document.BATTERY: Weight(0.5, 0.125),
        Document.LATEST: Weight(2, 0.125),
    },
}
# Production power, which moves fastest, is in LATEST, too. Where that is polled,
# only the energies of the SUMMARY are left to miss.
_SUMMARY_BESIDE_LATEST = 0.25


def weight(
    profile: Profile, document: Document, beside: Collection[Document]
) -> Weight:
    """Return the weight of a document beside the others polled of its system."""
    known = _WEIGHTS[profile][document]
    if document is Document.SUMMARY and Document.LATEST in beside:
        return Weight(known.day * _SUMMARY_BESIDE_LATEST, known.night)
    return known
