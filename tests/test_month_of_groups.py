"""The calls of each group in a month are those that the options form shows."""

from collections.abc import Mapping
from datetime import timedelta
from fnmatch import fnmatch
from typing import Any, NamedTuple

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
import pytest

from simulator import Charger, Fault, IqCharger, Load, Settings

from .conftest import SetUp, World
from .helpers import calls_of_groups, pass_time

HOUR = timedelta(hours=1)
MONTH = timedelta(days=30)
BEGIN = "2026-05-29 00:16:00+00:00"
# The time until all data of the system is known.
LEARNING = timedelta(days=8)
POLLS = ("summary", "latest_telemetry", "telemetry_battery")
OF_SETTINGS = ("*grid_status", "*battery_settings", "*storm_guard", "*load_control")
ALSO_TOLD = ("rgm_stats", "devices")


class Month(NamedTuple):
    """A plan, and what the groups that it reads request, by patterns."""

    plan: str
    groups: Mapping[str, tuple[str, ...]]
    # The step by which time passes.
    step: timedelta
    # The calls of all groups, at least and at most.
    between: tuple[int, int]


MONTHS = {
    "daily": Month(
        "watt",
        {
            "devices": ("devices",),
            "panels": ("inverters_summary",),
            "alarms": ("open_alarms", "event_types"),
            "ev_charger": ("ev_charger*",),
            "production_meters": ALSO_TOLD,
        },
        2 * HOUR,
        (160, 175),
    ),
    "hourly": Month("megawatt", {"settings": OF_SETTINGS}, HOUR, (2_800, 3_000)),
    "partner": Month("partner", {"settings": OF_SETTINGS}, HOUR, (1_000, 1_100)),
}

pytestmark = [
    pytest.mark.long,
    pytest.mark.thorough,
    pytest.mark.parametrize(
        ("month", "plan"),
        [pytest.param(month, month.plan, id=name) for name, month in MONTHS.items()],
    ),
]


@pytest.fixture(autouse=True)
def _early_summer(freezer: FrozenDateTimeFactory) -> None:
    freezer.move_to(BEGIN)


@pytest.fixture
def system_properties() -> dict[str, Any]:
    """Return a home of 24 panels, which are two pages, and a battery."""
    return {
        "name": "Hilltop",
        "battery": 1,
        "size_w": 10_200,
        "time_zone": "Europe/Berlin",
    }


async def test_calls_of_a_month_match_the_form(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    month: Month,
) -> None:
    """They match within 5 %, or within one call, as the cloud counts them."""
    assert len(world.system.microinverters) == 24
    world.system.production_meters = 2
    world.system.settings = Settings(loads=(Load(name="NC1", load_name="Pool pump"),))
    charger = Charger(serial="202620010308", habit=1)
    world.system.install_charger(charger, IqCharger(serial=charger.serial))
    options = {"groups": list(month.groups), "energy_updates": 0}
    entry = world.entry(options=options)
    entry.add_to_hass(hass)
    # Entities cost no calls, but would slow down the test.
    hass.config_entries.async_update_entry(entry, pref_disable_new_entities=True)
    await set_up(entry)
    await pass_time(hass, freezer, LEARNING, step=2 * HOUR)
    # Polls would slow down the test, too: 503 makes them back off.
    for poll in POLLS:
        world.cloud.faults.add(Fault(operation=poll, status=503))
    expected = await calls_of_groups(hass, entry)
    world.cloud.requests.clear()
    await pass_time(hass, freezer, MONTH, step=month.step)
    made = {
        group: sum(
            any(fnmatch(call, pattern) for pattern in patterns) for call in world.calls
        )
        for group, patterns in month.groups.items()
    }
    for group, calls in made.items():
        assert calls == pytest.approx(expected[group], rel=0.05, abs=1), group
    least, most = month.between
    assert least <= sum(made.values()) <= most
