"""When a system produces, by its readings."""

from datetime import UTC, datetime, timedelta
import json

from hypothesis import given, strategies as st
import pytest

from custom_components.enphase_cloud.scheduling.daylight import Daylight

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
QUARTER = timedelta(minutes=15)


def at(clock: str, day: int = 0) -> datetime:
    """Return a moment of the first days of March."""
    hour, minute = clock.split(":")
    return BEGIN + timedelta(days=day, hours=int(hour), minutes=int(minute))


def night(
    *,
    light: str = "17:00",
    dark: str = "18:30",
    last_dark: str = "06:00",
    first_light: str = "06:40",
    produced_until: datetime | None = None,
) -> Daylight:
    """Return the daylight after readings of an evening and a morning."""
    return (
        Daylight()
        .observe(at(light), producing=True)
        .observe(at(dark), producing=False, produced_until=produced_until)
        .observe(at(last_dark, 1), producing=False)
        .observe(at(first_light, 1), producing=True)
    )


def likely(daylight: Daylight, moment: datetime) -> float:
    """Return how likely it is day at a moment."""
    return daylight.chances(moment, moment + MINUTE)[0][1]


def test_the_end_of_production_is_dusk_where_it_is_reported() -> None:
    """The gap between two readings does not matter then."""
    daylight = night(produced_until=at("17:20"))
    assert daylight.next_dusk(at("12:00", 1)) == at("17:20", 1)


@pytest.mark.parametrize(
    "produced_until",
    [
        pytest.param(None, id="not reported"),
        pytest.param(at("18:29"), id="metered up to the report"),
        pytest.param(at("17:00") - DAY, id="before it was seen to produce"),
        pytest.param(at("18:00", 1), id="in the future"),
    ],
)
def test_else_dusk_lies_between_two_readings(produced_until: datetime | None) -> None:
    """A reported time must be plausible."""
    daylight = night(produced_until=produced_until)
    assert at("17:00", 1) < daylight.next_dusk(at("12:00", 1)) < at("18:30", 1)


def test_dusk_may_be_reported_later_in_the_night() -> None:
    """Another document saw the end of production first, without knowing when it was."""
    daylight = (
        Daylight()
        .observe(at("17:00"), producing=True)
        .observe(at("18:30"), producing=False)
        .observe(at("19:00"), producing=False, produced_until=at("17:20"))
        # Of what is metered this says nothing.
        .observe(at("19:30"), producing=False, produced_until=at("19:00"))
        .observe(at("06:00", 1), producing=False)
        .observe(at("06:40", 1), producing=True)
    )
    assert daylight.next_dusk(at("12:00", 1)) == at("17:20", 1)


@pytest.mark.parametrize("earlier", [timedelta(), 30 * MINUTE])
def test_dusk_may_be_reported_by_a_reading_that_is_not_newer(
    earlier: timedelta,
) -> None:
    """Two documents have one report, and either may be requested first."""
    daylight = (
        Daylight()
        .observe(at("17:00"), producing=True)
        .observe(at("18:30"), producing=False)
        .observe(at("18:30") - earlier, producing=False, produced_until=at("17:20"))
        .observe(at("06:00", 1), producing=False)
        .observe(at("06:40", 1), producing=True)
    )
    assert daylight.next_dusk(at("12:00", 1)) == at("17:20", 1)


def test_nothing_old_is_learnt_while_it_produces() -> None:
    """A cloud that passed in the afternoon is no dusk."""
    daylight = (
        Daylight()
        .observe(at("15:00"), producing=True)
        .observe(at("16:00"), producing=False)
        .observe(at("16:15"), producing=True)
    )
    assert daylight == daylight.observe(
        at("16:00"), producing=False, produced_until=at("15:20")
    )


def test_readings_hours_apart_tell_of_no_dusk() -> None:
    """A gateway that reports four times a day knows no nights."""
    assert not night(light="12:00").is_known


def test_how_likely_it_is_day() -> None:
    """Sure at noon and at midnight, and in between where readings differ."""
    daylight = night(produced_until=at("17:20"))
    assert likely(daylight, at("12:00", 2)) == 1
    assert likely(daylight, at("17:19", 2)) == 1
    assert likely(daylight, at("17:21", 2)) == 0
    assert likely(daylight, at("06:00", 2)) == 0
    assert 0 < likely(daylight, at("06:20", 2)) < 1
    assert likely(daylight, at("06:40", 2)) == 1
    assert likely(Daylight(), at("00:00")) == 1


def test_each_night_counts_alike() -> None:
    """A day that ended late once may do so again."""
    daylight = night(produced_until=at("17:20"))
    for day, dusk in ((1, "17:20"), (2, "17:50")):
        for clock, then, producing in (
            ("17:00", day, True),
            ("18:30", day, False),
            ("06:00", day + 1, False),
            ("06:40", day + 1, True),
        ):
            daylight = daylight.observe(
                at(clock, then), producing=producing, produced_until=at(dusk, day)
            )
    assert likely(daylight, at("17:30", 5)) == pytest.approx(1 / 3)


def test_while_it_produces_it_is_day() -> None:
    """A reading knows better than the days before."""
    daylight = night(produced_until=at("17:20"))
    late = daylight.observe(at("17:30", 1), producing=True)
    assert likely(daylight, at("17:35", 1)) == 0
    assert likely(late, at("17:35", 1)) == 1
    assert likely(late, at("17:46", 1)) == 0
    assert late.next_dusk(at("17:31", 1)) == at("17:45", 1)


READINGS = st.lists(
    st.tuples(
        st.timedeltas(MINUTE, 9 * timedelta(hours=1)),
        st.booleans(),
        st.none() | st.timedeltas(-DAY, DAY),
    ),
    max_size=40,
)


@given(READINGS, st.timedeltas(-3 * DAY, 3 * DAY), st.timedeltas(MINUTE, 3 * DAY))
def test_whatever_was_read(
    readings: list[tuple[timedelta, bool, timedelta | None]],
    later: timedelta,
    length: timedelta,
) -> None:
    """Chances begin at the start, come in order, and survive the disk."""
    daylight, now = Daylight(), BEGIN
    for passed, producing, ago in readings:
        now += passed
        daylight = daylight.observe(
            now,
            producing=producing,
            produced_until=None if ago is None else now - ago,
        )
    start = now + later
    chances = daylight.chances(start, start + length)
    moments = [moment for moment, _ in chances]
    assert moments[0] == start
    assert moments == sorted(moments)
    assert moments[-1] < start + length
    assert all(0 <= chance <= 1 for _, chance in chances)
    stored = Daylight.from_dict(json.loads(json.dumps(daylight.as_dict())))
    assert stored.chances(start, start + length) == chances
