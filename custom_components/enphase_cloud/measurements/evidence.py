"""What each document adds beyond the others: which are worth their calls.

Meters and batteries come and go. Each answer shows what a system has, so each answer
counts; no single one decides that something is gone.
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
# A check that failed, or one because something about the system changed, waits for this
# time since the request before.
SHORTEST_CHECK_PERIOD: Final = timedelta(days=1)
# A measurement counts as gone once it is missing for this time.
GRACE: Final = timedelta(days=1)
# So many answers in a row that there is no such document are believed.
_ABSENT: Final = 2
# A gateway that did not report for this time says nothing about what is gone.
_OFFLINE: Final = timedelta(days=1)

# What a system without batteries or meter does not have; lifetime totals stay.
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
    """What the answers of a document showed, and when it was requested last.

    `missing_since` holds the measurements: None for what the newest answer told, else
    the moment of the first answer that lacked it. `cue` is what the other documents
    said of the system at the last request (see `cue`). `absences` is how often in a row
    the cloud had no such document for the system.
    """

    missing_since: Mapping[Measurement, datetime | None] = field(default_factory=dict)
    requested_at: datetime | None = None
    has_response: bool = False
    failed: bool = False
    cue: str = ""
    absences: int = 0

    @classmethod
    def of_samples(cls, samples: Samples) -> Self:
        """Return the evidence in what version 0.1.0 stored, which kept samples only."""
        if not samples:
            return cls()
        return cls(
            missing_since=dict.fromkeys(samples),
            requested_at=max(sample.observed_at for sample in samples.values()),
            has_response=True,
        )

    def shows(self, measurement: Measurement) -> bool:
        """Tell whether the newest answer had a measurement."""
        missing_since = self.missing_since
        return measurement in missing_since and missing_since[measurement] is None

    @property
    def known(self) -> AbstractSet[Measurement]:
        """Return what was told and is not gone."""
        return self.missing_since.keys()

    @property
    def is_absent(self) -> bool:
        """Whether the system has no such document; a single answer may be wrong."""
        return self.absences >= _ABSENT

    def with_response(
        self,
        told: Collection[Measurement],
        *,
        now: datetime,
        offline: bool,
        is_absent: bool = False,
    ) -> Self:
        """Return the evidence after an answer.

        While the gateway is offline, what is missing does not count as gone.
        """
        missing: dict[Measurement, datetime | None] = dict.fromkeys(told)
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
        """Return the evidence after a request without an answer."""
        return replace(self, requested_at=now, failed=True)

    def with_cue(self, cue: str) -> Self:
        """Return the evidence with what others said at the last request."""
        return replace(self, cue=cue)

    def to_be_checked(self) -> Self:
        """Return the evidence with a check that is due now."""
        return replace(self, requested_at=None)

    def next_check(self, now: datetime, cue: str) -> datetime:
        """Return when to request a document again that adds nothing."""
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
    """Return what an answer shows of the system as it is now.

    The cloud goes on listing parts that fell silent. What lags the system's newest
    report by hours counts as not told.
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
    """Tell whether a document has a measurement that no document before it has."""
    others = (evidence[other].known for other in _before(source) if other in evidence)
    return bool(set(evidence[source].known).difference(*others))


def has_battery(evidence: Mapping[Source, Evidence]) -> bool:
    """Tell whether the system has batteries.

    Any document that shows one is enough. That there is none is believed when two
    documents agree, or when the only one that answers says so for a day: a summary may
    say zero by mistake.
    """
    answered = [
        (sign, evidence[source])
        for source, sign in _SIGNS_OF_BATTERIES.items()
        if source in evidence and evidence[source].has_response
    ]
    if any(each.shows(sign) for sign, each in answered):
        return True
    return len(answered) == 1 and all(sign in each.known for sign, each in answered)


def has_consumption_meter(
    evidence: Mapping[Source, Evidence], known: Samples, *, now: datetime
) -> bool:
    """Tell whether the system has a meter for consumption.

    The live stream may show one, too.
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
    """Tell whether the system has (still) what a measurement takes."""
    if measurement in OF_BATTERIES:
        return has_battery(evidence)
    if measurement in _OF_CONSUMPTION_METERS:
        return has_consumption_meter(evidence, known, now=now)
    return True


def cue(known: Samples, evidence: Mapping[Source, Evidence]) -> str:
    """Return what other documents say that makes a silent one worth a request.

    It changes when modules, batteries or the source of production do, and when the
    gateway falls silent or reports again.
    """
    values = [str(known[each].value) if each in known else "" for each in _CUES]
    battery = "battery" if has_battery(evidence) else ""
    gateway = "offline" if is_offline(known, evidence) else "online"
    return "/".join([*values, battery, gateway])


def is_offline(known: Samples, evidence: Mapping[Source, Evidence]) -> bool:
    """Tell whether the gateway had not reported for a day when the summary told."""
    summary = evidence.get(Source.SUMMARY, Evidence())
    report = known.get(Measurement.LAST_REPORT)
    if report is None or summary.requested_at is None:
        return False
    return summary.requested_at - report.observed_at > _OFFLINE


def _before(source: Source) -> Iterable[Source]:
    return list(Source)[: list(Source).index(source)]
