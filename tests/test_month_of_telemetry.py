"""The calls of device telemetry in a month are those that the options show."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
import pytest

from simulator import Charger

from .conftest import SetUp, World
from .helpers import calls_of_groups, pass_time

pytestmark = [pytest.mark.thorough, pytest.mark.long]

# Days are as long at the end as at the beginning.
BEGIN = datetime(2026, 5, 29, 0, 16, tzinfo=UTC)
# The length of a day is known after a week of nights.
LEARNING = timedelta(days=8)
MONTH = timedelta(days=30)
STEP = timedelta(minutes=30)
PLAN = {
    "plan": "custom",
    "calls_per_minute": 50,
    "calls_per_month": 4_000,
    "live_stream": False,
}
OPERATIONS = {
    "panel_telemetry": {"micros_telemetry", "devices"},
    "battery_telemetry": {"encharge_telemetry", "devices"},
    "appliances": {
        *("hp_telemetry", "hp_lifetime", "evse_telemetry", "evse_lifetime"),
        "devices",
    },
}


@pytest.fixture(autouse=True)
def _around_the_solstice(freezer: FrozenDateTimeFactory) -> None:
    freezer.move_to(BEGIN)


@pytest.fixture
def system_properties() -> dict[str, object]:
    """Return a small home with a battery."""
    return {
        "name": "Hilltop",
        "battery": 1,
        "size_w": 850,
        "time_zone": "Europe/Berlin",
    }


async def test_calls_of_a_month_match_the_options(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """They match within 5 %, and stay within the plan.

    With so few calls, panels and batteries are requested once an hour.
    """
    world.system.install_heat_pump()
    world.system.install_ev_charger(Charger(serial="380017", habit=1))
    entry = world.entry(options={**PLAN, "groups": list(OPERATIONS)})
    entry.add_to_hass(hass)
    # Entities cost no calls, but would slow down the test.
    hass.config_entries.async_update_entry(entry, pref_disable_new_entities=True)
    await set_up(entry)
    await pass_time(hass, freezer, LEARNING, step=STEP)
    world.cloud.requests.clear()
    told = await calls_of_groups(hass, entry)
    await pass_time(hass, freezer, MONTH, step=STEP)
    made = Counter(world.calls)
    for group, operations in OPERATIONS.items():
        taken = sum(made[each] for each in operations)
        assert taken == pytest.approx(told[group], rel=0.05), group
    assert made.total() <= PLAN["calls_per_month"]
    assert made["micros_telemetry"] > 300
    assert made["latest_telemetry"] > 300
