"""The calls of devices, panels, alarms and chargers in a month on the free plan."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest

from simulator import Charger, ChargingSession, IqCharger

from .conftest import SetUp, World
from .helpers import pass_time

pytestmark = [pytest.mark.thorough, pytest.mark.long]

MONTH = datetime(2026, 7, 1, tzinfo=UTC)
END = datetime(2026, 8, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
OF_GROUPS = ("devices", "inverters_summary", "open_alarms", "event_types", "ev_charger")
POLLS = ("summary", "telemetry_battery", "latest_telemetry")
ALL = ["devices", "panels", "alarms", "ev_charger"]
# Polls of the month without groups if time passes in such steps, at most.
WITHOUT_GROUPS = 900
STEP = timedelta(minutes=40)


@pytest.fixture(autouse=True)
def _first_of_july(freezer: FrozenDateTimeFactory) -> None:
    freezer.move_to(MONTH + MINUTE)


@pytest.fixture
def plan() -> str:
    """Return the free plan, which has few calls."""
    return "watt"


@pytest.fixture
def system_properties() -> dict[str, object]:
    """Return a home with twenty panels and batteries."""
    return {
        "name": "Hilltop",
        "battery": 2,
        "size_w": 8_500,
        "time_zone": "Europe/Berlin",
    }


def _charge_every_night(world: World) -> None:
    evenings = [MONTH + timedelta(days=day, hours=18) for day in range(-1, 31)]
    starts = [int(evening.timestamp()) for evening in evenings]
    sessions = tuple(
        ChargingSession(
            start=start, end=start + 12 * 3600, charges_at=start, wanted=8_000
        )
        for start in starts
    )
    serial = "202620010308"
    world.system.install_charger(
        Charger(serial=serial, sessions=sessions), IqCharger(serial=serial)
    )


def _within_a_minute(world: World) -> int:
    """Return the largest number of calls within any 60 s."""
    moments = [request.at for request in world.cloud.requests if request.counted]
    return max(
        sum(start <= each < start + MINUTE for each in moments[number : number + 20])
        for number, start in enumerate(moments)
    )


@pytest.mark.parametrize(
    ("groups", "has_charger", "bound"),
    [([], True, 0), (ALL, False, 75), (ALL, True, 140)],
    ids=["without", "battery", "charger"],
)
async def test_groups_stay_within_their_calls_of_a_month(
    *,
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    groups: list[str],
    has_charger: bool,
    bound: int,
) -> None:
    """Groups take at most the promised calls, and leave the others to polls.

    The month begins with the set-up, which requests everything once. A car charges
    every night; a home without a charger has a failing meter instead.
    """
    assert len(world.system.microinverters) == 20
    if has_charger:
        _charge_every_night(world)
    entry = world.entry(options={"groups": groups})
    entry.add_to_hass(hass)
    # Entities cost no calls, but would slow down the test.
    hass.config_entries.async_update_entry(entry, pref_disable_new_entities=True)
    await set_up(entry)
    await pass_time(hass, freezer, timedelta(days=15), step=STEP)
    if not has_charger:
        world.system.open_alarm("meter_silent", dt_util.utcnow())
    await pass_time(hass, freezer, END - dt_util.utcnow() - MINUTE, step=STEP)

    made = Counter(world.calls)
    of_groups = sum(made[each] for each in made if each.startswith(OF_GROUPS))
    assert of_groups <= bound
    assert of_groups >= bound - 10
    assert made.total() <= 1_000
    assert _within_a_minute(world) <= 10
    polls = sum(made[each] for each in POLLS)
    assert polls <= WITHOUT_GROUPS
    assert polls >= 0.9 * (WITHOUT_GROUPS - of_groups)
    if groups:
        needed = {"devices", "inverters_summary", "open_alarms"}
        assert needed <= set(made)
