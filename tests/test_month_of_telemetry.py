"""What telemetry of single devices takes in a month: what the options say."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
import pytest

from simulator import Charger

from .conftest import SetUp, World
from .helpers import calls_of_groups, pass_time

pytestmark = [pytest.mark.thorough, pytest.mark.long]

# So that days are as long at the end.
BEGIN = datetime(2026, 5, 29, 0, 16, tzinfo=UTC)
# Until a week of nights tells how long a day is.
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


async def test_a_month_takes_what_the_options_say(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Within five in a hundred, and within the plan.

    With so few calls, panels and batteries are requested once an hour.
    """
    world.system.install_heat_pump()
    world.system.install_ev_charger(Charger(serial="380017", habit=1))
    entry = world.entry(options={**PLAN, "groups": list(OPERATIONS)})
    entry.add_to_hass(hass)
    # Entities cost no calls, but time.
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
