"""Sizes that Enphase lists wrong keep no energy out of the statistics for good."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder.models import (
    StatisticData,
    StatisticMeanType,
    StatisticMetaData,
)
from homeassistant.components.recorder.statistics import async_add_external_statistics
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.recorder import get_instance
import pytest
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)

from custom_components.enphase_cloud.const import (
    CONF_ENERGY_UPDATES,
    CONF_HISTORY,
    DOMAIN,
)
from custom_components.enphase_cloud.coordinator.statistics import statistic_id
from custom_components.enphase_cloud.energy.readings import HOUR
from custom_components.enphase_cloud.measurements.catalog import Flow
from simulator import Fault

from .conftest import SetUp, World
from .energy_helpers import advance, hours_between, recorded

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)

pytestmark = pytest.mark.usefixtures("recorder_mock")


@pytest.fixture
def system_properties() -> dict[str, Any]:
    """Return an array of 6.8 kW that Enphase lists with 2 kW."""
    return {
        "name": "Hilltop",
        "time_zone": "Europe/Berlin",
        "latitude": 45,
        "commissioned": date(2026, 6, 1),
        "listed_size_w": 2_000,
        "corrections": False,
    }


@pytest.fixture(autouse=True)
def _noon(freezer: FrozenDateTimeFactory) -> None:
    freezer.move_to(NOW)


async def produced(hass: HomeAssistant, world: World, days: int = 6) -> float:
    """Return the share of the last days' true production in hourly statistics."""
    hours = hours_between(NOW - days * DAY, NOW)
    hourly_energy = await recorded(hass, world.system.system_id, Flow.PRODUCTION)
    truth = world.cloud.truth(world.system.system_id)
    true = {hour: truth.energy("production", hour, hour + HOUR) for hour in hours}
    right = sum(
        min(hourly_energy.get(hour, 0), energy) for hour, energy in true.items()
    )
    return right / sum(true.values())


@pytest.mark.parametrize(("history", "days"), [("none", 6), ("hour", 13)])
@pytest.mark.long
async def test_size_that_is_too_small_is_corrected(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    issue_registry: ir.IssueRegistry,
    history: str,
    days: int,
) -> None:
    """An issue says that energy is skipped; within 20 h all of it is imported."""
    entry = await set_up(options={CONF_ENERGY_UPDATES: 6, CONF_HISTORY: history})
    issue_id = f"energy_left_out_{entry.entry_id}"
    await advance(hass, freezer, 30 * MINUTE)
    assert await produced(hass, world, days) < 0.5
    issue = issue_registry.async_get_issue(DOMAIN, issue_id)
    assert issue is not None
    assert issue.translation_placeholders == {
        "account": "Home",
        "systems": "Hilltop",
        "flows": "solar production",
    }
    await advance(hass, freezer, 20 * HOUR, step=15 * MINUTE)
    assert await produced(hass, world, days) == 1
    assert issue_registry.async_get_issue(DOMAIN, issue_id) is None


async def test_issue_names_flows_in_the_language_of_home_assistant(
    hass: HomeAssistant,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    issue_registry: ir.IssueRegistry,
) -> None:
    hass.config.language = "de"
    entry = await set_up(options={CONF_ENERGY_UPDATES: 6, CONF_HISTORY: "none"})
    await advance(hass, freezer, 30 * MINUTE)
    issue_id = f"energy_left_out_{entry.entry_id}"
    issue = issue_registry.async_get_issue(DOMAIN, issue_id)
    assert issue is not None
    assert issue.translation_placeholders is not None
    assert issue.translation_placeholders["flows"] == "PV-Erzeugung"


async def test_absurd_energy_is_never_accepted(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The cloud reports it for 15 h."""
    world.cloud.faults.add(Fault(operation="*telemetry*", data="absurd"))
    await set_up(options={CONF_ENERGY_UPDATES: 24, CONF_HISTORY: "none"})
    await advance(hass, freezer, 15 * HOUR, step=15 * MINUTE)
    assert await produced(hass, world) == 0


async def test_statistics_of_another_quantity_create_an_issue(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    issue_registry: ir.IssueRegistry,
) -> None:
    """The issue names them, and nothing is written to them."""
    statistic = statistic_id(world.system.system_id, Flow.PRODUCTION)
    async_add_external_statistics(
        hass,
        StatisticMetaData(
            mean_type=StatisticMeanType.NONE,
            has_sum=True,
            name="Water",
            source=DOMAIN,
            statistic_id=statistic,
            unit_class="volume",
            unit_of_measurement="m³",
        ),
        [StatisticData(start=NOW - DAY, state=1, sum=1)],
    )
    await async_wait_recording_done(hass)
    entry = await set_up(options={CONF_ENERGY_UPDATES: 24, CONF_HISTORY: "none"})
    await advance(hass, freezer, 30 * MINUTE)
    issue_id = f"statistics_foreign_{entry.entry_id}"
    issue = issue_registry.async_get_issue(DOMAIN, issue_id)
    assert issue is not None
    assert issue.translation_placeholders == {"account": "Home", "systems": "Hilltop"}
    assert await recorded(hass, world.system.system_id, Flow.CONSUMPTION)
    get_instance(hass).async_clear_statistics([statistic])
    await async_wait_recording_done(hass)
    await advance(hass, freezer, 90 * MINUTE)
    assert issue_registry.async_get_issue(DOMAIN, issue_id) is None
    assert await recorded(hass, world.system.system_id, Flow.PRODUCTION)
