"""The place of the demo's first owner: it is about noon, and the sun shines."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from simulator import demo_cloud
from simulator.moments import DAY, HOUR, STEP, day_of, epoch, midnight
from simulator.physics import sun
from simulator.places import OAKLAND, PLACES, Place, place_at_noon
from simulator.server import options

# Every 25 hours, to include all hours of the day.
YEAR = [
    datetime(2027, 1, 1, tzinfo=UTC) + timedelta(hours=hour)
    for hour in range(0, 8760, 25)
]
# The solstices and equinoxes, each at another hour.
SEASONS = [
    datetime(2026, month, 21, hour, 20, tzinfo=UTC)
    for month in (3, 6, 9, 12)
    for hour in range(month % 2, 24, 3)
]


def _clock(place: Place, now: datetime) -> float:
    """Return the local hours of a place."""
    local = now.astimezone(ZoneInfo(place.time_zone))
    return local.hour + local.minute / 60


def test_it_is_noon_somewhere() -> None:
    """All year, within half an hour, except in daylight saving time."""
    clocks = [_clock(place_at_noon(now), now) for now in YEAR]
    assert all(11 <= clock <= 13 for clock in clocks)
    assert sum(11.5 <= clock <= 12.5 for clock in clocks) > 0.95 * len(clocks)


def test_the_place_with_the_nearest_local_time_is_chosen() -> None:
    """Also around midnight UTC."""
    midnight = datetime(2026, 12, 1, tzinfo=UTC)
    minutes = [midnight + timedelta(minutes=minute) for minute in range(-90, 90)]
    clocks = [_clock(place_at_noon(now), now) for now in minutes]
    assert all(11.5 <= clock <= 12.5 for clock in clocks)
    jumps = [after - before for before, after in pairwise(clocks)]
    assert sum(jump < 0 for jump in jumps) == 2


@pytest.mark.parametrize("now", SEASONS, ids=str)
def test_the_sun_shines_there(now: datetime) -> None:
    """In every season and hemisphere; clouds leave some power."""
    plant = demo_cloud(lambda: now, place=place_at_noon(now)).systems[0].plant
    day = day_of(epoch(now), plant.time_zone)
    start = midnight(day, plant.time_zone)
    wh = sun.production(plant, day, start, DAY // STEP)[(epoch(now) - start) // STEP]
    assert wh * HOUR / STEP > 0.15 * plant.size_w


def test_the_home_is_at_the_given_place() -> None:
    """With its time zone and address; the other systems do not move."""
    now = YEAR[0]
    homes = {
        place: demo_cloud(lambda: now, place=place).systems for place in PLACES.values()
    }
    for place, (home, *others) in homes.items():
        assert home.time_zone == home.plant.time_zone == place.time_zone
        assert home.address == place.address
        assert {other.time_zone for other in others} == {"America/Chicago"}
    assert demo_cloud(lambda: now).systems[0].time_zone == OAKLAND.time_zone


def test_the_program_has_an_option_for_the_place(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert options([]).place == OAKLAND.time_zone
    assert options(["--place", "Asia/Tokyo"]).place == "Asia/Tokyo"
    with pytest.raises(SystemExit):
        options(["--place", "Mars/Olympus"])
    assert "Mars/Olympus" in capsys.readouterr().err
