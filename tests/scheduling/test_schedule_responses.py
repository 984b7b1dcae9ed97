"""When each document is requested."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
import json
from typing import Any

from hypothesis import example, given, settings, strategies as st
import pytest

from custom_components.enphase_cloud.measurements.catalog import Source
from custom_components.enphase_cloud.scheduling.cadence import Cadence
from custom_components.enphase_cloud.scheduling.daylight import Daylight
from custom_components.enphase_cloud.scheduling.poll_schedule import Schedule
from custom_components.enphase_cloud.scheduling.weights import PolledDocument, Profile

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
END = datetime(2026, 4, 1, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
LATEST = PolledDocument("home", Source.LATEST)
SUMMARY = PolledDocument("home", Source.SUMMARY)
BATTERY = PolledDocument("home", Source.BATTERY)


class Household:
    """A system that reports each quarter, with days from six to eighteen o'clock."""

    def __init__(
        self,
        *polled_documents: PolledDocument,
        calls: int = 1000,
        profile: Profile = Profile.BALANCED,
    ) -> None:
        """Poll some feeds with the calls of a month."""
        self.schedule = Schedule()
        self.calls = calls
        self.now = BEGIN
        self.polls: dict[PolledDocument, list[datetime]] = {
            polled: [] for polled in polled_documents
        }
        self.wasted = 0
        self.latency = timedelta(minutes=5)
        self.period = QUARTER
        self.silent_from = END
        for polled in polled_documents:
            self.schedule.add(polled, profile=profile)

    def due(self, polled: PolledDocument) -> datetime:
        """Return when a feed is due."""
        return self.schedule.next_poll(
            polled, now=self.now, calls_left=self.calls, period_end=END
        )

    def run(self, days: float) -> None:
        """Poll all that is due for some days."""
        until = self.now + timedelta(days=days)
        while True:
            polled = min(self.polls, key=self.due)
            due = self.due(polled)
            if due >= until or not self.calls:
                self.now = until
                return
            self.now = max(due, self.now + timedelta(seconds=1))
            self._poll(polled)

    def _poll(self, polled: PolledDocument) -> None:
        self.calls -= 1
        self.polls[polled].append(self.now)
        arrived = min(self.now, self.silent_from) - self.latency - BEGIN
        data_at = BEGIN + arrived // self.period * self.period
        producing = (
            None if polled.document is Source.BATTERY else 6 <= data_at.hour < 18
        )
        self.wasted += self.schedule.observe(
            polled, now=self.now, data_at=data_at, changed=True, producing=producing
        )

    def count(self, polled: PolledDocument, *, by_day: bool) -> int:
        """Return how often a document was requested in the middle of days or nights."""
        hours = range(8, 16) if by_day else (21, 22, 23, 0, 1, 2, 3, 4)
        return sum(at.hour in hours for at in self.polls[polled])


def test_a_new_feed_is_due_at_once() -> None:
    """Nothing is known yet."""
    assert Household(LATEST).due(LATEST) == BEGIN


def test_a_month_of_calls_lasts_a_month() -> None:
    """They are spread to the end, with none too many."""
    household = Household(SUMMARY, LATEST, BATTERY, calls=900)
    household.run(31)
    assert 0 <= household.calls <= 30
    days = {at.date() for polls in household.polls.values() for at in polls}
    assert len(days) == 31


def test_production_is_not_asked_for_at_night() -> None:
    """Once the nights are learnt, the summary rests in them."""
    household = Household(SUMMARY, calls=600)
    household.run(31)
    assert household.count(SUMMARY, by_day=True) > 200
    assert household.count(SUMMARY, by_day=False) < 30


def test_each_day_of_the_summary_has_a_beginning_and_an_end() -> None:
    """It is requested last before dawn, and once when the day is complete."""
    household = Household(SUMMARY, BATTERY, calls=950)
    household.run(30)
    polls = household.polls[SUMMARY]
    for day in range(10, 29):
        dusk, dawn = BEGIN + timedelta(days=day, hours=18), timedelta(hours=12)
        waits = [at - dusk - household.latency for at in polls]
        waits_by_night = [wait for wait in waits if timedelta() <= wait < dawn]
        assert len(waits_by_night) in (2, 3)
        assert waits_by_night[0] < timedelta(minutes=90)
        assert waits_by_night[-1] > dawn - timedelta(hours=1)


@pytest.mark.parametrize(
    ("profile", "first", "second"),
    [
        (Profile.BATTERY_FIRST, BATTERY, SUMMARY),
        (Profile.PRODUCTION_FIRST, LATEST, BATTERY),
    ],
)
def test_profiles_decide_what_is_freshest(
    profile: Profile, first: PolledDocument, second: PolledDocument
) -> None:
    """The same calls, spent on other values."""
    chosen = Household(SUMMARY, LATEST, BATTERY, profile=profile)
    balanced = Household(SUMMARY, LATEST, BATTERY)
    chosen.run(31)
    balanced.run(31)
    share = len(chosen.polls[first]) / len(chosen.polls[second])
    usual = len(balanced.polls[first]) / len(balanced.polls[second])
    assert share > usual


def test_plenty_of_calls_are_not_wasted_on_old_news() -> None:
    """No document is requested more often than it is published."""
    household = Household(LATEST, calls=50_000)
    household.run(10)
    assert len(household.polls[LATEST]) <= 10 * 96 + 40
    assert household.wasted <= 0.06 * len(household.polls[LATEST])


def test_polls_follow_the_arrival_of_news() -> None:
    """After some days the requests come soon after the responses change."""
    household = Household(LATEST, calls=50_000)
    household.run(10)
    waits = [
        (at - household.latency - BEGIN) % QUARTER for at in household.polls[LATEST]
    ]
    settled = sorted(waits[-200:])
    assert settled[100] < timedelta(minutes=3)


def test_a_gateway_that_falls_silent_is_asked_more_and_more_rarely() -> None:
    """And as before when it is back."""
    household = Household(LATEST, calls=5_000)
    household.run(5)
    household.silent_from = household.now
    requests = len(household.polls[LATEST])
    household.run(3)
    in_silence = len(household.polls[LATEST]) - requests
    assert 5 <= in_silence <= 30
    household.silent_from = END
    requests += in_silence
    household.run(3)
    assert len(household.polls[LATEST]) - requests > 150


def test_a_slow_gateway_is_learnt() -> None:
    """One that uploads every six hours is requested a few times a day."""
    household = Household(LATEST, calls=5_000)
    household.period = timedelta(hours=6)
    household.run(20)
    late = [at for at in household.polls[LATEST] if at > BEGIN + timedelta(days=10)]
    assert 3 * 10 <= len(late) <= 12 * 10


def test_failures_pause_longer_and_longer_and_end_with_a_success() -> None:
    """Five minutes at first, six hours at the most."""
    household = Household(LATEST, calls=50_000)
    household.run(0.5)
    pauses = []
    for _ in range(10):
        household.schedule.failed(LATEST, now=household.now)
        due = household.due(LATEST)
        pauses.append(due - household.now)
        household.now = due
    assert pauses == sorted(pauses)
    assert pauses[0] >= timedelta(minutes=5)
    assert timedelta(hours=6) <= pauses[-1] < timedelta(hours=7)
    household.run(0.1)
    assert household.due(LATEST) - household.now < timedelta(minutes=40)


def test_without_calls_nothing_is_due_before_they_are_renewed() -> None:
    """It is due with the last report of the period; the ledger decides then."""
    household = Household(LATEST, calls=10)
    household.run(0.01)
    household.calls = 0
    assert household.due(LATEST) >= END - QUARTER


@settings(max_examples=25, deadline=None)
@given(st.floats(0.02, 12))
@pytest.mark.long
def test_a_restart_changes_nothing(days: float) -> None:
    """What was learnt and what is due survive the disk."""
    household = Household(SUMMARY, LATEST)
    household.run(days)
    before = {polled: household.due(polled) for polled in household.polls}
    stored = json.loads(json.dumps(household.schedule.as_dict()))
    household.schedule = Schedule.restore(stored)
    for polled in household.polls:
        household.schedule.add(polled)
    after = {polled: household.due(polled) for polled in household.polls}
    for polled, due in before.items():
        assert abs(after[polled] - due) < timedelta(seconds=1)


def test_a_feed_that_leaves_gives_its_share_to_others_and_may_return() -> None:
    """An entry that is unloaded does not hold calls back, nor is it forgotten."""
    household = Household(LATEST, BATTERY, calls=400)
    household.run(3)
    due = household.due(BATTERY)
    shared = household.due(LATEST)
    household.schedule.remove(BATTERY)
    assert household.due(LATEST) < shared
    household.schedule.add(BATTERY)
    assert household.due(BATTERY) == due


ODD = (
    st.none()
    | st.booleans()
    | st.floats()
    | st.integers()
    | st.sampled_from(["", "x", [], [[]], [None], {}, {"feeds": 1}])
)


@given(ODD | st.fixed_dictionaries({"feeds": ODD, "daylight": ODD}))
def test_a_record_of_anything_restores_nothing(damaged: Any) -> None:
    """Any file on the disk: ValueError is the only error."""
    with suppress(ValueError):
        restored = Schedule.restore(damaged)
        assert restored.as_dict() == {"feeds": {}, "daylight": {}}


@settings(max_examples=50)
@given(
    rhythm=st.dictionaries(
        st.sampled_from(sorted(Cadence().as_dict())), ODD, max_size=2
    ),
    daylight=st.dictionaries(
        st.sampled_from(sorted(Daylight().as_dict())), ODD, max_size=2
    ),
)
@example(rhythm={}, daylight={})
@example(rhythm={"period": 0, "lag": 3e6, "data_at": 7e9}, daylight={})
def test_a_damaged_record_is_no_obstacle(
    rhythm: dict[str, Any], daylight: dict[str, Any]
) -> None:
    """It is refused, or gives a valid due time."""
    feed = {"rhythm": Cadence().as_dict() | rhythm, "failures": 0, "failed_at": None}
    days = {"home": Daylight().as_dict() | daylight}
    with suppress(ValueError):
        schedule = Schedule.restore({"feeds": {"home/latest": feed}, "daylight": days})
        schedule.add(LATEST)
        due = schedule.next_poll(LATEST, now=BEGIN, calls_left=900, period_end=END)
        assert due >= BEGIN


@pytest.mark.parametrize("field", ["rhythm", "failures", "failed_at"])
@pytest.mark.parametrize("value", [None, "x", -1, [], {}, 1e300])
def test_a_feed_that_is_damaged_in_one_place(field: str, value: Any) -> None:
    """It is refused; None is what is stored of a feed that never failed."""
    household = Household(LATEST, BATTERY)
    household.run(2)
    stored = json.loads(json.dumps(household.schedule.as_dict()))
    stored["feeds"]["home/latest"][field] = value
    if (field, value) == ("failed_at", None):
        assert Schedule.restore(stored).as_dict() == stored
        return
    with pytest.raises(ValueError, match="No"):
        Schedule.restore(stored)


@pytest.mark.parametrize(
    ("field", "value"),
    [("too_early", 2**31), ("too_early", 5e8), ("gap", -1), ("period", 1e300)],
)
def test_a_cadence_that_nobody_could_have_learnt(field: str, value: object) -> None:
    """It would take the processor hours to go by it."""
    stored = Cadence().as_dict()
    with pytest.raises(ValueError, match="Not"):
        Cadence.from_dict({**stored, field: value})


def test_a_gap_of_nothing_can_be_stored() -> None:
    """It is a duration, too, and JSON has none."""
    stored = {**Cadence().as_dict(), "gap": 0}
    assert Cadence.from_dict(stored).as_dict() == stored


def test_a_document_whose_answers_are_lost_is_due_at_once() -> None:
    """Unless it fails; what was learnt of it stays."""
    household = Household(LATEST)
    household.run(2)
    period = household.schedule.as_dict()["feeds"]["home/latest"]["rhythm"]["period"]
    assert household.due(LATEST) > household.now
    household.schedule.forget_responses(LATEST)
    household.schedule.forget_responses(BATTERY)
    assert household.due(LATEST) == household.now
    household.schedule.failed(LATEST, now=household.now)
    assert household.due(LATEST) > household.now
    stored = household.schedule.as_dict()["feeds"]
    assert list(stored) == ["home/latest"]
    assert stored["home/latest"]["rhythm"]["period"] == period


def test_documents_of_a_newer_version_are_left_out() -> None:
    """They do not stand in the way of the rest."""
    household = Household(LATEST)
    household.run(1)
    stored = json.loads(json.dumps(household.schedule.as_dict()))
    polled_documents = {**stored["feeds"], "home/of_tomorrow": {"anything": 1}}
    assert Schedule.restore({**stored, "feeds": polled_documents}).as_dict() == stored


def test_daylight_is_the_systems_own() -> None:
    """Dusk and dawn come from production, not from a place or a clock."""
    household = Household(SUMMARY, calls=2_000)
    household.run(8)
    daylight = household.schedule.daylight("home")
    noon = BEGIN + timedelta(days=9, hours=12)
    assert daylight.is_known
    assert daylight.is_day(noon)
    assert not daylight.is_day(noon + timedelta(hours=12))
    assert abs(daylight.length - timedelta(hours=12)) < timedelta(hours=1.5)
    day, night = daylight.seconds(noon, noon + timedelta(days=3))
    assert day + night == pytest.approx(3 * 86_400)
    assert day == pytest.approx(3 * daylight.length.total_seconds(), rel=0.1)


def test_without_a_night_all_is_day() -> None:
    """Nothing is known of a new system, or of one that never stands still."""
    daylight = Daylight().observe(BEGIN, producing=True)
    assert daylight.is_day(BEGIN)
    assert daylight.next_change(BEGIN) == BEGIN + timedelta(days=1)
    assert daylight.length == timedelta(days=1)


def test_a_cloud_at_noon_is_no_night() -> None:
    """A short pause of production teaches nothing of dusk and dawn."""
    daylight = Daylight()
    for minutes, producing in ((0, True), (15, False), (60, True)):
        at = BEGIN + timedelta(minutes=minutes)
        daylight = daylight.observe(at, producing=producing)
    assert not daylight.is_known
    assert daylight.observe(BEGIN, producing=False) == daylight


def test_an_answer_without_a_moment_is_judged_by_its_change() -> None:
    """If the data has no time, a changed response is new data."""
    cadence, is_news = Cadence().observe(BEGIN, None, changed=False)
    assert is_news
    same, is_news = cadence.observe(BEGIN + QUARTER, None, changed=False)
    assert not is_news
    _, is_news = same.observe(BEGIN + 2 * QUARTER, None, changed=True)
    assert is_news
