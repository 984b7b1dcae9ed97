"""Single devices: batteries, panels and gateways, each a device of its own."""

from datetime import timedelta

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest

from custom_components.enphase_cloud.const import DOMAIN

from .conftest import SetUp, World
from .helpers import pass_time


@pytest.fixture(autouse=True)
def _summer_noon(freezer: FrozenDateTimeFactory) -> None:
    freezer.move_to("2026-06-21 10:07:00+00:00")


def _devices(hass: HomeAssistant, entry_id: str) -> dict[str, dr.DeviceEntry]:
    registry = dr.async_get(hass)
    return {
        device.name or "": device
        for device in dr.async_entries_for_config_entry(registry, entry_id)
    }


async def test_each_battery_is_a_device_at_no_cost(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """What is polled anyway tells power and mode of each."""
    entry = await set_up()
    assert world.calls == ["summary", "telemetry_battery", "latest_telemetry"]
    devices = _devices(hass, entry.entry_id)
    batteries = {name for name in devices if name.startswith("Battery")}
    assert len(batteries) == 2
    system = devices["Hilltop"]
    assert {devices[name].via_device_id for name in batteries} == {system.id}
    entities = er.async_get(hass)
    for name in batteries:
        shown = {
            entity.unique_id.rpartition(f"{devices[name].id}")[2]: entity
            for entity in er.async_entries_for_device(entities, devices[name].id)
        }
        states = {
            entity.original_name: hass.states.get(entity.entity_id)
            for entity in shown.values()
        }
        assert states["Power"] is not None
        assert states["Mode"] is not None
        assert states["Mode"].state in {"idle", "charging", "discharging"}
