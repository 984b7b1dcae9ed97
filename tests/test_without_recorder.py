"""Without a recorder, only hourly energy is missing."""

from datetime import timedelta

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.setup import async_setup_component
import pytest

from custom_components.enphase_cloud.const import (
    CONF_ENERGY_UPDATES,
    CONF_HISTORY,
    DOMAIN,
)

from .conftest import SetUp, World
from .energy_helpers import INTERVALS, LIFETIMES
from .helpers import pass_time, state
from .test_llm import ENERGY, call, expose


async def test_only_polls_run_without_a_recorder(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """The options for energy updates and history have no effect."""
    freezer.move_to("2026-06-17 12:03:00+00:00")
    entry = await set_up(options={CONF_ENERGY_UPDATES: 24, CONF_HISTORY: "hour"})
    await pass_time(hass, freezer, timedelta(hours=2))
    assert entry.state is ConfigEntryState.LOADED
    assert float(state(hass, "sensor.hilltop_battery")) > 0
    assert hass.states.get("sensor.hilltop_history_import") is None
    assert world.calls.count("telemetry_battery") > 2
    assert not set(world.calls) & (LIFETIMES | INTERVALS)
    assert await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.parametrize(
    ("action", "data"),
    [
        ("get_report", {}),
        ("export_energy", {"resolution": "day", "from": "2026-06-01"}),
    ],
)
async def test_actions_that_need_the_recorder_raise_an_error(
    hass: HomeAssistant, set_up: SetUp, action: str, data: dict[str, str]
) -> None:
    """There is no event entity of the daily report either."""
    await set_up(options={CONF_ENERGY_UPDATES: 1})
    with pytest.raises(ServiceValidationError) as raised:
        await hass.services.async_call(
            DOMAIN,
            action,
            data,
            blocking=True,
            return_response=True,
        )
    assert raised.value.translation_key == "energy_needs_recorder"
    assert hass.states.get("event.hilltop_daily_report") is None


async def test_assistant_gets_only_the_production_of_today(
    hass: HomeAssistant, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """It is polled, so it needs no statistics."""
    freezer.move_to("2026-06-17 12:03:00+00:00")
    assert await async_setup_component(hass, "homeassistant", {})
    assert await async_setup_component(hass, "llm", {})
    await set_up()
    expose(hass)
    [energy] = (await call(hass, ENERGY))["systems"]
    assert energy.keys() == {"system", "from", "to", "production_today_by_now"}
