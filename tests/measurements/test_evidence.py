"""What documents add to others, while equipment is added and removed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
import json

from hypothesis import given, strategies as st
import pytest

from custom_components.enphase_cloud.measurements.catalog import Measurement, Source
from custom_components.enphase_cloud.measurements.evidence import (
    CHECK_PERIOD,
    GRACE,
    SHORTEST_CHECK_PERIOD,
    Evidence,
    adds,
    cue,
    has,
    has_battery,
    has_consumption_meter,
    is_offline,
    recently_reported,
)
from custom_components.enphase_cloud.measurements.samples import (
    NOTHING,
    Sample,
    Samples,
)

NOON = datetime(2026, 6, 21, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

PRODUCTION = Measurement.PRODUCTION_POWER
CONSUMPTION = Measurement.CONSUMPTION_POWER
GRID = Measurement.GRID_POWER
CAPACITY = Measurement.BATTERY_CAPACITY
LEVEL = Measurement.BATTERY_LEVEL
BATTERY = Measurement.BATTERY_POWER


def response(
    *reported: Measurement,
    before: Evidence | None = None,
    at: datetime = NOON,
    offline: bool = False,
) -> Evidence:
    """Return the evidence after an response."""
    return (before or Evidence()).with_response(reported, now=at, offline=offline)


def shown_by(evidence: Evidence) -> set[Measurement]:
    """Return the measurements of the newest response."""
    return {each for each in Measurement if evidence.shows(each)}


def samples(ages: Mapping[Measurement, timedelta], source: Source) -> Samples:
    """Return samples that were measured some time before noon."""
    return {
        measurement: Sample(700, NOON - age, source)
        for measurement, age in ages.items()
    }


SUMMARY = response(PRODUCTION, Measurement.SYSTEM_STATUS)


@pytest.mark.parametrize(
    ("reported", "expected"),
    [
        ([], False),
        ([PRODUCTION], False),
        ([CONSUMPTION], True),
        ([BATTERY], True),
        ([PRODUCTION, CONSUMPTION, GRID], True),
    ],
)
def test_a_document_adds_what_no_other_has(
    reported: list[Measurement], *, expected: bool
) -> None:
    """It does not matter how many measurements it has."""
    evidence = {Source.SUMMARY: SUMMARY, Source.LATEST: response(*reported)}
    assert adds(evidence, Source.LATEST) is expected
    assert adds(evidence, Source.SUMMARY)


def test_a_missing_measurement_counts_as_gone_after_a_day() -> None:
    """One response without it is not enough, even after a long pause."""
    known = response(CONSUMPTION)
    for hours in (100, 110, 123.9):
        known = response(before=known, at=NOON + hours * HOUR)
        assert known.known == {CONSUMPTION}
        assert shown_by(known) == set()
    assert shown_by(response(CONSUMPTION, before=known)) == {CONSUMPTION}
    assert response(before=known, at=NOON + 124 * HOUR).known == frozenset()


def test_nothing_is_gone_while_the_gateway_is_offline() -> None:
    """A response shows nothing new then."""
    known = response(CONSUMPTION)
    for day in range(1, 30):
        known = response(before=known, at=NOON + day * DAY, offline=True)
    back = NOON + 29 * DAY
    known = response(before=known, at=back + GRACE / 2)
    assert known.known == {CONSUMPTION}
    assert response(before=known, at=back + GRACE).known == frozenset()


@pytest.mark.parametrize(
    ("evidence", "cue", "pause"),
    [
        (response(), "", CHECK_PERIOD),
        (response(), "more modules", SHORTEST_CHECK_PERIOD),
        (response().with_cue("same"), "same", CHECK_PERIOD),
        (response().with_failure(NOON), "", SHORTEST_CHECK_PERIOD),
        (response().to_be_checked(), "", timedelta()),
    ],
    ids=["silent", "changed", "unchanged", "failed", "requested"],
)
def test_when_a_document_that_adds_nothing_is_checked(
    evidence: Evidence, cue: str, pause: timedelta
) -> None:
    """Once a week, or when there is a reason, and then at most once a day."""
    assert evidence.next_check(NOON, cue) == NOON + pause


def test_a_clock_that_was_ahead_does_not_delay_a_check() -> None:
    """A request in the future counts as of now."""
    ahead = response(at=NOON + 400 * DAY)
    assert ahead.next_check(NOON, "") == NOON + CHECK_PERIOD


@pytest.mark.parametrize("cellular", [False, True])
def test_what_lags_the_newest_report_is_not_reported(*, cellular: bool) -> None:
    """The cloud continues to list parts that fell silent."""
    arrived = samples(
        {PRODUCTION: HOUR, CONSUMPTION: 4 * HOUR, BATTERY: 11 * HOUR}, Source.LATEST
    )
    reported = recently_reported(arrived, NOTHING, now=NOON, cellular=cellular)
    assert reported == ({PRODUCTION, CONSUMPTION} if cellular else {PRODUCTION})
    report = samples({Measurement.LAST_REPORT: 5 * HOUR}, Source.SUMMARY)
    alone = samples({BATTERY: 11 * HOUR, CAPACITY: 90 * DAY}, Source.LATEST)
    reported = recently_reported(alone, report, now=NOON, cellular=cellular)
    assert reported == ({BATTERY, CAPACITY} if cellular else {CAPACITY})


def test_a_part_whose_clock_is_ahead_makes_no_other_silent() -> None:
    """It counts as of now."""
    arrived = samples({PRODUCTION: -90 * DAY, CONSUMPTION: HOUR}, Source.LATEST)
    reported = recently_reported(arrived, NOTHING, now=NOON, cellular=False)
    assert reported == {PRODUCTION, CONSUMPTION}


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        ({}, False),
        ({Source.SUMMARY: SUMMARY}, False),
        ({Source.SUMMARY: response(CAPACITY)}, True),
        ({Source.SUMMARY: SUMMARY, Source.BATTERY: response(LEVEL)}, True),
        ({Source.SUMMARY: SUMMARY, Source.LATEST: response(BATTERY)}, True),
        ({Source.SUMMARY: SUMMARY, Source.LATEST: response(CONSUMPTION)}, False),
    ],
)
def test_signs_of_a_battery(
    evidence: dict[Source, Evidence], *, expected: bool
) -> None:
    """Any document that shows one is enough."""
    assert has_battery(evidence) is expected


ZERO = response(before=response(CAPACITY), at=NOON + HOUR)


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ({Source.BATTERY: response(LEVEL), Source.LATEST: response()}, True),
        ({Source.BATTERY: response(), Source.LATEST: response(BATTERY)}, True),
        ({Source.BATTERY: response(before=response(LEVEL))}, False),
        ({Source.LATEST: response(before=response(BATTERY))}, False),
        ({Source.LATEST: Evidence().with_failure(NOON)}, True),
        ({}, True),
    ],
    ids=[
        "level",
        "power",
        "no level",
        "no power",
        "another without response",
        "no other",
    ],
)
def test_a_capacity_of_zero(others: dict[Source, Evidence], *, expected: bool) -> None:
    """Two documents have to agree that a battery is gone, or one for a day."""
    assert has_battery({Source.SUMMARY: ZERO, **others}) is expected


def test_a_capacity_of_zero_in_the_only_document() -> None:
    """The summary is accepted after a day if no other document is allowed."""
    zero = response(before=ZERO, at=NOON + DAY + HOUR)
    assert not has_battery({Source.SUMMARY: zero})


@pytest.mark.parametrize(
    ("latest", "age", "expected"),
    [
        (response(CONSUMPTION), None, True),
        (response(GRID), None, True),
        (response(PRODUCTION), None, False),
        (response(PRODUCTION), 6 * DAY, True),
        (response(PRODUCTION), 8 * DAY, False),
        (Evidence(), 6 * DAY, True),
    ],
)
def test_signs_of_a_consumption_meter(
    latest: Evidence, age: timedelta | None, *, expected: bool
) -> None:
    """A poll shows it, or a live stream within the last week."""
    live = NOTHING if age is None else samples({GRID: age}, Source.LIVE)
    evidence = {Source.SUMMARY: SUMMARY, Source.LATEST: latest}
    assert has_consumption_meter(evidence, live, now=NOON) is expected
    for measurement in (GRID, Measurement.ENERGY_IMPORTED_TODAY):
        assert has(measurement, evidence, live, now=NOON) is expected
    assert has(PRODUCTION, evidence, live, now=NOON)
    assert not has(LEVEL, evidence, live, now=NOON)


def test_when_a_gateway_is_offline() -> None:
    """By the report at the last request of the summary, not by the current time."""
    report = samples({Measurement.LAST_REPORT: 2 * DAY}, Source.SUMMARY)
    early = {Source.SUMMARY: response(at=NOON - 1.5 * DAY)}
    late = {Source.SUMMARY: response(at=NOON)}
    assert not is_offline(report, early)
    assert is_offline(report, late)
    assert not is_offline(NOTHING, late)
    assert not is_offline(report, {})
    assert cue(report, early) != cue(report, late)


def test_what_changes_the_cue() -> None:
    """Modules, rated power, source of production, and batteries."""
    evidence = {Source.SUMMARY: SUMMARY}
    cues = {cue(NOTHING, evidence), cue(NOTHING, {Source.SUMMARY: response(CAPACITY)})}
    for measurement in (
        Measurement.MODULES,
        Measurement.RATED_POWER,
        Measurement.PRODUCTION_SOURCE,
    ):
        cues.add(cue(samples({measurement: HOUR}, Source.SUMMARY), evidence))
    assert len(cues) == 5


def test_evidence_in_what_version_0_1_0_stored() -> None:
    """It kept the samples of each document."""
    stored = samples({PRODUCTION: 3 * DAY, CONSUMPTION: DAY}, Source.LATEST)
    evidence = Evidence.of_samples(stored)
    assert shown_by(evidence) == {PRODUCTION, CONSUMPTION}
    assert evidence.has_response
    assert evidence.next_check(NOON, "") == NOON - DAY + CHECK_PERIOD
    assert Evidence.of_samples(NOTHING) == Evidence()


MOMENTS = st.integers(1_600_000_000, 2_200_000_000).map(
    lambda moment: datetime.fromtimestamp(moment, UTC)
)
MISSING = st.dictionaries(st.sampled_from(Measurement), st.none() | MOMENTS)


@given(
    st.builds(
        Evidence,
        missing_since=MISSING,
        requested_at=st.none() | MOMENTS,
        has_response=st.booleans(),
        failed=st.booleans(),
        cue=st.text(max_size=40),
    )
)
def test_evidence_is_equal_after_storage(evidence: Evidence) -> None:
    """As JSON."""
    stored = json.loads(json.dumps(evidence.as_dict()))
    assert Evidence.from_dict(stored) == evidence


@pytest.mark.parametrize(
    "damage",
    [None, [], {}, {"missing_since": []}, {"requested_at": 1e300}, {"cue": 7}],
    ids=repr,
)
def test_damaged_evidence_raises(damage: object) -> None:
    """Measurements of a newer version are skipped."""
    if isinstance(damage, dict) and damage:
        damage = {**Evidence().as_dict(), **damage}
    with pytest.raises(ValueError, match=r".+"):
        Evidence.from_dict(damage)
    newer = {**Evidence().as_dict(), "missing_since": {"water": None}}
    assert Evidence.from_dict(newer) == Evidence()


# Equipment that is added and removed

PARTS = ("production", "consumption", "battery")
EVENTS = st.lists(
    st.tuples(st.timedeltas(HOUR, 20 * DAY), st.sampled_from(PARTS)), max_size=8
)


@dataclass
class Site:
    """A system whose parts are added and removed; requests documents as due."""

    parts: set[str]
    now: datetime = NOON
    evidence: dict[Source, Evidence] = field(
        default_factory=lambda: dict.fromkeys(
            (Source.SUMMARY, Source.BATTERY, Source.LATEST), Evidence()
        )
    )
    checks: list[tuple[datetime, Source]] = field(default_factory=list)

    def shows(self, source: Source) -> Iterable[Measurement]:
        """Yield what a document shows."""
        if source is Source.SUMMARY:
            yield PRODUCTION
        if "battery" in self.parts:
            yield {
                Source.SUMMARY: CAPACITY,
                Source.BATTERY: LEVEL,
                Source.LATEST: BATTERY,
            }[source]
        if source is Source.LATEST:
            if "production" in self.parts:
                yield PRODUCTION
            if "consumption" in self.parts:
                yield CONSUMPTION

    @property
    def wanted(self) -> set[Source]:
        """Return the documents that have something of their own."""
        wanted = {Source.SUMMARY}
        if "battery" in self.parts:
            wanted |= {Source.BATTERY, Source.LATEST}
        if "consumption" in self.parts:
            wanted.add(Source.LATEST)
        return wanted

    @property
    def scheduled(self) -> set[Source]:
        """Return the documents that are polled, by the coordinators' rule."""
        return {
            source
            for source, evidence in self.evidence.items()
            if source is Source.SUMMARY
            or (
                (source is Source.LATEST or has_battery(self.evidence))
                and (not evidence.has_response or adds(self.evidence, source))
            )
        }

    def hour(self) -> None:
        """Let an hour pass, in which everything due is requested."""
        self.now += HOUR
        for source, evidence in self.evidence.items():
            hint = cue(NOTHING, self.evidence)
            if source not in self.scheduled:
                due = evidence.has_response and evidence.next_check(self.now, hint)
                if not due or due > self.now:
                    continue
                self.checks.append((self.now, source))
            reported = frozenset(self.shows(source))
            known = evidence.with_response(reported, now=self.now, offline=False)
            self.evidence[source] = known
            self.evidence[source] = known.with_cue(cue(NOTHING, self.evidence))


@given(st.sets(st.sampled_from(PARTS)), EVENTS)
@pytest.mark.long
def test_within_a_week_the_right_documents_are_polled(
    parts: set[str], events: list[tuple[timedelta, str]]
) -> None:
    """In any order of added and removed parts, with rare checks."""
    site = Site(set(parts))
    for pause, part in [*events, (8 * DAY, "")]:
        for _ in range(pause // HOUR):
            site.hour()
        if pause > CHECK_PERIOD + HOUR:
            assert site.scheduled == site.wanted
        if part:
            site.parts ^= {part}
    for source in (Source.BATTERY, Source.LATEST):
        moments = [at for at, checked in site.checks if checked is source]
        pairs = list(pairwise(moments))
        assert all(later - at >= SHORTEST_CHECK_PERIOD for at, later in pairs)
        # More often than weekly only after something was added or removed.
        soon = [pair for pair in pairs if pair[1] - pair[0] < CHECK_PERIOD]
        assert len(soon) <= 2 * len(events) + 1
