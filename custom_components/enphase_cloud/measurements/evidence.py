"""Which measurements each document adds, and so whether it is worth its API calls.

Meters and batteries are added and removed. Each response shows what a system has, but
no single response decides that something is gone.
"""

from collections.abc import Collection, Iterable, Mapping, Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, Self

from ..json_values import count, moment, optional, record, text
from .catalog import Measurement, Source
from .parts import silent_after
from .samples import Samples

# A document that adds nothing is requested again after this time.
CHECK_PERIOD: Final = timedelta(days=7)
# After a failed check or a change of the system: the time since the last request.
SHORTEST_CHECK_PERIOD: Final = timedelta(days=1)
# A measurement counts as gone once it is missing for this time.
GRACE: Final = timedelta(days=1)
# A document is absent after this number of responses (404, 501) in a row that say so.
_ABSENT: Final = 2
# While a gateway has not reported for this time, nothing counts as gone.
_OFFLINE: Final = timedelta(days=1)

# Measurements that require batteries or a consumption meter; lifetime totals stay.
OF_BATTERIES: Final = frozenset(
    {
        Measurement.BATTERY_POWER,
        Measurement.BATTERY_LEVEL,
        Measurement.BATTERY_CAPACITY,
        Measurement.BATTERY_MODE,
        Measurement.ENERGY_CHARGED_TODAY,
        Measurement.ENERGY_DISCHARGED_TODAY,
    }
)

_OF_CONSUMPTION_METERS: Final = frozenset(
    {
        Measurement.CONSUMPTION_POWER,
        Measurement.GRID_POWER,
        Measurement.ENERGY_CONSUMED_TODAY,
        Measurement.ENERGY_IMPORTED_TODAY,
        Measurement.ENERGY_EXPORTED_TODAY,
    }
)
_SIGNS_OF_CONSUMPTION_METERS: Final = frozenset(
    {Measurement.CONSUMPTION_POWER, Measurement.GRID_POWER}
)
_SIGNS_OF_BATTERIES: Final = {
    Source.SUMMARY: Measurement.BATTERY_CAPACITY,
    Source.BATTERY: Measurement.BATTERY_LEVEL,
    Source.LATEST: Measurement.BATTERY_POWER,
}
_CUES: Final = (
    Measurement.MODULES,
    Measurement.PRODUCTION_SOURCE,
    Measurement.RATED_POWER,
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """The measurements of a document, and its last request.

    `missing_since` maps each measurement to None if the newest response has it, else to
    the moment of the first response without it. `cue` is the result of `cue()` at the
    last request. `has_response`: there was at least one. `failed`: the last request
    failed. `absences` counts the responses in a row that say there is no such document.
    """

    missing_since: Mapping[Measurement, datetime | None] = field(default_factory=dict)
    requested_at: datetime | None = None
    has_response: bool = False
    failed: bool = False
    cue: str = ""
    absences: int = 0

    @classmethod
    def of_samples(cls, samples: Samples) -> Self:
        """Return the evidence of the samples that version 0.1.0 stored."""
        if not samples:
            return cls()
        return cls(
            missing_since=dict.fromkeys(samples),
            requested_at=max(sample.observed_at for sample in samples.values()),
            has_response=True,
        )

    def shows(self, measurement: Measurement) -> bool:
        """Return whether the newest response has a measurement."""
        missing_since = self.missing_since
        return measurement in missing_since and missing_since[measurement] is None

    @property
    def known(self) -> AbstractSet[Measurement]:
        """Return the measurements that were reported and are not gone."""
        return self.missing_since.keys()

    @property
    def is_absent(self) -> bool:
        """Whether the system has no such document; a single response may be wrong."""
        return self.absences >= _ABSENT

    def with_response(
        self,
        reported: Collection[Measurement],
        *,
        now: datetime,
        offline: bool,
        is_absent: bool = False,
    ) -> Self:
        """Return the evidence after a response.

        While the gateway is offline, missing measurements do not count as gone.
        """
        missing: dict[Measurement, datetime | None] = dict.fromkeys(reported)
        for measurement, since in self.missing_since.items():
            if measurement in missing:
                continue
            first = now if since is None or offline else min(since, now)
            if now - first < GRACE:
                missing[measurement] = first
        return replace(
            self,
            missing_since=missing,
            requested_at=now,
            has_response=True,
            failed=False,
            absences=min(self.absences + 1, _ABSENT) if is_absent else 0,
        )

    def with_failure(self, now: datetime) -> Self:
        """Return the evidence after a failed request."""
        return replace(self, requested_at=now, failed=True)

    def with_cue(self, cue: str) -> Self:
        """Return the evidence with the cue at the last request."""
        return replace(self, cue=cue)

    def not_after(self, now: datetime) -> Self:
        """Return the evidence without a request in the future."""
        if self.requested_at is None or self.requested_at <= now:
            return self
        return replace(self, requested_at=now)

    def to_be_checked(self) -> Self:
        """Return the evidence with a check due now."""
        return replace(self, requested_at=None)

    def next_check(self, now: datetime, cue: str) -> datetime:
        """Return when to request a document that adds nothing again."""
        if self.requested_at is None:
            return now
        is_soon = self.failed or cue != self.cue
        period = SHORTEST_CHECK_PERIOD if is_soon else CHECK_PERIOD
        return min(self.requested_at, now) + period

    def as_dict(self) -> dict[str, Any]:
        """Return the evidence in a shape that JSON can hold."""
        return {
            "missing_since": {
                measurement: since and since.timestamp()
                for measurement, since in self.missing_since.items()
            },
            "requested_at": self.requested_at and self.requested_at.timestamp(),
            "answered": self.has_response,
            "failed": self.failed,
            "cue": self.cue,
            "absences": self.absences,
        }

    @classmethod
    def from_dict(cls, data: object) -> Self:
        """Read what `as_dict` returned; raises ValueError where that is damaged."""
        stored = record(data)
        missing = record(stored["missing_since"])
        return cls(
            missing_since={
                measurement: optional(moment, missing[measurement])
                for measurement in Measurement
                if measurement in missing
            },
            requested_at=optional(moment, stored["requested_at"]),
            has_response=stored["answered"] is True,
            failed=stored["failed"] is True,
            cue=text(stored["cue"]),
            absences=count(stored.get("absences", 0), most=_ABSENT),
        )


def recently_reported(
    arrived: Samples, known: Samples, *, now: datetime, cellular: bool
) -> frozenset[Measurement]:
    """Return the measurements of a response that are not outdated.

    The cloud continues to list parts that fell silent, so what lags the system's newest
    report by hours counts as not reported.
    """
    moments = {
        measurement: sample.observed_at
        for measurement, sample in arrived.items()
        if measurement.traits.is_dated
    }
    reported = [*moments.values()]
    if (report := known.get(Measurement.LAST_REPORT)) is not None:
        reported.append(report.observed_at)
    since = min(max(reported, default=now), now) - silent_after(cellular=cellular)
    return frozenset(
        measurement for measurement in arrived if moments.get(measurement, now) >= since
    )


def adds(evidence: Mapping[Source, Evidence], source: Source) -> bool:
    """Return whether a document has a measurement that no earlier source has."""
    others = (evidence[other].known for other in _before(source) if other in evidence)
    return bool(set(evidence[source].known).difference(*others))


def has_battery(evidence: Mapping[Source, Evidence]) -> bool:
    """Return whether the system has batteries.

    One document that shows a battery is enough. There is none if two documents agree,
    or if the only document with responses shows none for a day: a summary may say zero
    by mistake.
    """
    responded = [
        (sign, evidence[source])
        for source, sign in _SIGNS_OF_BATTERIES.items()
        if source in evidence and evidence[source].has_response
    ]
    if any(each.shows(sign) for sign, each in responded):
        return True
    return len(responded) == 1 and all(sign in each.known for sign, each in responded)


def has_consumption_meter(
    evidence: Mapping[Source, Evidence], known: Samples, *, now: datetime
) -> bool:
    """Return whether the system has a consumption meter.

    A document or recent live data has to show one.
    """
    return any(
        not _SIGNS_OF_CONSUMPTION_METERS.isdisjoint(each.known)
        for each in evidence.values()
    ) or any(
        each in known and now - known[each].observed_at <= CHECK_PERIOD
        for each in _SIGNS_OF_CONSUMPTION_METERS
    )


def has(
    measurement: Measurement,
    evidence: Mapping[Source, Evidence],
    known: Samples,
    *,
    now: datetime,
) -> bool:
    """Return whether the system has the equipment that a measurement requires."""
    if measurement in OF_BATTERIES:
        return has_battery(evidence)
    if measurement in _OF_CONSUMPTION_METERS:
        return has_consumption_meter(evidence, known, now=now)
    return True


def cue(known: Samples, evidence: Mapping[Source, Evidence]) -> str:
    """Return a text that changes when a document that added nothing may add something.

    It changes with the modules, batteries, rated power and source of production, and
    when the gateway falls silent or reports again.
    """
    values = [str(known[each].value) if each in known else "" for each in _CUES]
    battery = "battery" if has_battery(evidence) else ""
    gateway = "offline" if is_offline(known, evidence) else "online"
    return "/".join([*values, battery, gateway])


def is_offline(known: Samples, evidence: Mapping[Source, Evidence]) -> bool:
    """Return whether the last report was over a day old at the last summary request."""
    summary = evidence.get(Source.SUMMARY, Evidence())
    report = known.get(Measurement.LAST_REPORT)
    if report is None or summary.requested_at is None:
        return False
    return summary.requested_at - report.observed_at > _OFFLINE


def _before(source: Source) -> Iterable[Source]:
    return list(Source)[: list(Source).index(source)]
