"""What flowed today and ever."""

from datetime import UTC, date, datetime, timedelta
import json
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, strategies as st
import pytest

from custom_components.enphase_cloud.site.energy import HOUR, Reading, Readings, Span
from custom_components.enphase_cloud.site.intervals import system_day
from custom_components.enphase_cloud.site.meters import Meter

BERLIN = ZoneInfo("Europe/Berlin")
KATHMANDU = ZoneInfo("Asia/Kathmandu")
FETCHED_AT = datetime(2026, 6, 20, tzinfo=UTC)
FIRST_DAY = system_day(date(2026, 6, 1), BERLIN)
DAYS = [system_day(date(2026, 6, 1 + number), BERLIN) for number in range(10)]
START = DAYS[-1].start + DAYS[-1].length
DAY = timedelta(days=1)

energies = st.lists(st.integers(0, 5_000), min_size=1, max_size=200)


def reading(energy: float, *, is_certain: bool = True) -> Reading:
    """Return what an answer says."""
    return Reading(is_certain=is_certain, fetched_at=FETCHED_AT, energy=energy)


def hours(
    told: dict[int, int], *, is_certain: bool = True, start: datetime = START
) -> Readings:
    """Return hours by their position."""
    return {
        Span(start + position * HOUR, HOUR): reading(energy, is_certain=is_certain)
        for position, energy in told.items()
    }


def quarters(told: dict[int, int], *, start: datetime = START) -> Readings:
    """Return hours by their position, in quarters."""
    return {
        Span(start + position * HOUR + quarter * HOUR / 4, HOUR / 4): reading(
            energy / 4
        )
        for position, energy in told.items()
        for quarter in range(4)
    }


def with_days(total: int = 1_000) -> Meter:
    """Return a meter that knows ten days."""
    return Meter().take_days({day: reading(total / 10) for day in DAYS})


def stored(meter: Meter) -> Meter:
    """Return the meter as a restart finds it."""
    return Meter.from_dict(json.loads(json.dumps(meter.as_dict())))


def test_a_meter_that_was_never_read_knows_nothing() -> None:
    """And says so."""
    meter = Meter()
    assert meter.lifetime is None
    assert meter.read_until is None
    assert meter.of_day(FIRST_DAY) is None
    assert meter.take({}) == meter.take_days({}) == meter
    assert stored(meter) == meter


@given(energies, st.randoms(use_true_random=False), st.booleans())
def test_the_lifetime_is_the_sum_of_all_hours(
    truth: list[int],
    random: Random,
    is_folded: bool,  # noqa: FBT001
) -> None:
    """Whatever the order, overlap and repetition, folded in between or not."""
    meter = with_days()
    windows = [
        quarters({at: truth[at] for at in range(at, min(at + 30, len(truth)))})
        for at in range(0, len(truth), 17)
    ]
    windows += random.choices(windows, k=3)
    random.shuffle(windows)
    told: set[datetime] = set()
    keep_from = START + random.randrange(len(truth) + 1) * HOUR
    for window in windows:
        meter = meter.take(window)
        told |= {span.start for span in window if not span.start.minute}
        known = [START + at * HOUR for at in range(len(truth))]
        settled = next((hour for hour in known if hour not in told), known[-1] + HOUR)
        if is_folded:
            lifetime = meter.lifetime
            meter = stored(meter.fold(((START - DAY, settled),), keep_from))
            assert meter.lifetime == lifetime
            assert all(hour in meter.hours for hour in told if hour >= keep_from)
    assert meter.lifetime == 1_000 + sum(truth)
    assert meter.read_until == START + len(truth) * HOUR


def test_what_is_settled_does_not_pile_up() -> None:
    """Hours of the days before are kept in the total alone."""
    meter = with_days().take(hours(dict.fromkeys(range(48), 10)))
    today = START + DAY
    folded = meter.fold(((START - DAY, START + 40 * HOUR),), keep_from=today)
    assert set(folded.hours) == {START + at * HOUR for at in range(24, 48)}
    assert folded.lifetime == meter.lifetime == 1_480
    assert folded.read_until == meter.read_until
    assert folded.fold(((START - DAY, today),), keep_from=today) == folded


def test_what_may_change_or_is_not_there_yet_is_not_folded() -> None:
    """Hours that come later count, too."""
    meter = with_days().take(hours(dict.fromkeys(range(30), 10)))
    tomorrow = START + 2 * DAY
    unsettled = ((START + 10 * HOUR, tomorrow),)
    assert meter.fold(unsettled, keep_from=tomorrow) == meter
    assert meter.fold((), keep_from=tomorrow) == meter
    partly = meter.fold(((START, START + 10 * HOUR),), keep_from=tomorrow)
    assert partly.total_until == START + 10 * HOUR
    assert partly.take(hours({12: 500})).lifetime == 1_300 + 490


def test_nothing_is_folded_beyond_what_was_told() -> None:
    """Else a clock that is ahead would leave out all hours until it is right."""
    ahead = START + 400 * DAY
    meter = with_days().fold(((START - DAY, ahead),), keep_from=ahead)
    assert meter.total_until == START
    assert meter.take(hours({0: 100})).lifetime == 1_100


@given(energies, st.integers(-5, 250))
def test_what_a_clock_that_was_ahead_noted_holds_nothing_up(
    truth: list[int], now: int
) -> None:
    """Hours from now on count as soon as they come."""
    meter = with_days().take(hours(dict(enumerate(truth))))
    ahead = START + 400 * DAY
    meter = meter.fold(((START - DAY, ahead),), keep_from=ahead)
    present = START + now * HOUR
    meter = stored(meter).as_of(present)
    assert meter.read_until is not None
    assert meter.read_until <= present
    later = meter.take(hours({now: 700}))
    assert later.lifetime == (meter.lifetime or 0) + 700


def test_a_correction_moves_today_and_ever() -> None:
    """By what it corrects."""
    day = system_day(date(2026, 6, 11), BERLIN)
    meter = with_days().take(hours({0: 100, 1: 200, 24: 7}))
    assert meter.of_day(day) == 300
    assert meter.lifetime == 1_307
    corrected = meter.take(hours({1: 250}))
    assert corrected.of_day(day) == 350
    assert corrected.lifetime == 1_357
    assert corrected.of_day(system_day(date(2026, 6, 12), BERLIN)) == 7
    assert corrected.of_day(system_day(date(2026, 6, 13), BERLIN)) is None


def test_zeros_of_an_uncertain_answer_take_nothing_back() -> None:
    """They count where nothing else is known."""
    meter = with_days().take(hours({0: 100, 1: 0}))
    told = meter.take(hours({0: 0, 1: 0, 2: 0}, is_certain=False))
    assert told.lifetime == meter.lifetime
    assert told.hours[START] == 100
    assert told.hours[START + 2 * HOUR] == 0
    assert told.take(hours({0: 0})).lifetime == 1_000


def test_hours_before_the_total_are_in_it() -> None:
    """They do not count twice, in whatever order both arrive."""
    window = hours(dict.fromkeys(range(-30, 5), 10))
    days = {day: reading(100) for day in DAYS}
    assert Meter().take_days(days).take(window).lifetime == 1_050
    assert Meter().take(window).take_days(days).lifetime == 1_050


def test_days_that_come_later_meet_the_hours_since() -> None:
    """The energies of days end a day or more before: what came since is there."""
    meter = Meter().take(hours(dict.fromkeys(range(24 * 9), 10)))
    today = START + 8 * DAY
    meter = stored(meter.fold((), keep_from=today))
    assert meter.lifetime is None
    assert meter.of_day(Span(today, DAY)) == 240
    days = [*DAYS, *(Span(START + number * DAY, DAY) for number in range(6))]
    meter = meter.take_days({day: reading(240) for day in days})
    assert meter.lifetime == 240 * 16 + 240 * 3
    # But it does not keep them for ever.
    assert len(Meter().take(hours(dict.fromkeys(range(900), 1))).hours) == 900
    old = Meter().take(hours(dict.fromkeys(range(900), 1)))
    assert len(old.fold((), keep_from=START + 900 * HOUR).hours) == 7 * 24


def test_a_total_stays_when_days_are_told_again() -> None:
    """It knows what came since."""
    meter = with_days().take(hours({0: 100}))
    assert meter.take_days({DAYS[0]: reading(5)}) == meter


@pytest.mark.parametrize("length", [23, 24, 25])
def test_days_of_any_length(length: int) -> None:
    """All hours of the day and no others."""
    day = Span(START, length * HOUR)
    meter = Meter().take(hours(dict.fromkeys(range(-3, 30), 10)))
    assert meter.of_day(day) == length * 10


def test_a_day_that_begins_within_an_hour() -> None:
    """Its hours are those that begin on it, as Home Assistant counts them."""
    day = system_day(date(2026, 6, 11), KATHMANDU)
    start = datetime(2026, 6, 10, 18, tzinfo=UTC)
    assert day.start == start + timedelta(minutes=15)
    meter = Meter().take(hours({0: 1_000, 1: 20, 24: 3, 25: 1_000}, start=start))
    assert meter.of_day(day) == 23


def test_a_meter_survives_a_restart() -> None:
    """All of it."""
    meter = with_days(1_234).take(hours({0: 100, 3: 0}))
    assert stored(meter) == meter
    assert stored(Meter().take(hours({0: 5}))) == Meter().take(hours({0: 5}))


@pytest.mark.parametrize(
    "damage",
    [
        {"total": "much"},
        {"total": float("nan")},
        {"total_until": None},
        {"total_until": "1"},
        {"total_until": 1e300},
        {"hours": None},
        {"hours": [[1]]},
        {"hours": [[1e300, 5]]},
        {"hours": [[0, "x"]]},
        {"hours": [5]},
    ],
)
def test_a_damaged_meter_is_refused(damage: dict[str, Any]) -> None:
    """Nothing is made up."""
    data = with_days().take(hours({0: 100})).as_dict()
    with pytest.raises(ValueError, match="N"):
        Meter.from_dict({**data, **damage})
    for key in damage:
        with pytest.raises(ValueError, match=f"No {key}"):
            Meter.from_dict({k: v for k, v in data.items() if k != key})


@pytest.mark.parametrize("data", [None, [], "meter", 5, {}])
def test_what_is_no_meter_is_refused(data: object) -> None:
    """Whatever it is."""
    with pytest.raises(ValueError, match="No"):
        Meter.from_dict(data)


def test_a_restart_can_rely_on_a_total_of_nothing() -> None:
    """Hours alone are kept without a total."""
    data = Meter().take(hours({0: 5})).as_dict()
    data["total_until"] = START.timestamp()
    assert Meter.from_dict(data) == Meter().take(hours({0: 5}))
