"""Set up, reload, unload and remove an account."""

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
import pytest

from .conftest import SetUp, World


@pytest.fixture(autouse=True)
def _summer_noon(freezer) -> None:
    freezer.move_to("2026-06-21 10:07:00+00:00")


async def test_cold_set_up(hass: HomeAssistant, world: World, set_up: SetUp) -> None:
    """A first set-up asks for each document once, the indispensable one first."""
    entry = await set_up()
    assert entry.state is ConfigEntryState.LOADED
    assert world.calls == ["summary", "telemetry_battery", "latest_telemetry"]
    states = {state.entity_id: state.state for state in hass.states.async_all()}
    print(states)
