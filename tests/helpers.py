"""What several test modules do with a Home Assistant under a frozen clock."""

from datetime import timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.button import DOMAIN as BUTTON, SERVICE_PRESS
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from pytest_homeassistant_custom_component.common import async_fire_time_changed

HILLTOP = "4200001"
"""The id of the first system, under which actions respond."""


async def pass_time(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    delta: timedelta,
    *,
    step: timedelta = timedelta(minutes=1),
) -> None:
    """Let time pass in steps small enough for every timer to fire in its turn."""
    while delta > timedelta():
        freezer.tick(min(step, delta))
        async_fire_time_changed(hass)
        await hass.async_block_till_done(wait_background_tasks=True)
        delta -= step


async def press(hass: HomeAssistant, entity_id: str) -> None:
    """Press a button."""
    await hass.services.async_call(
        BUTTON, SERVICE_PRESS, {ATTR_ENTITY_ID: entity_id}, blocking=True
    )


def state(hass: HomeAssistant, entity_id: str) -> str:
    """Return a state."""
    found = hass.states.get(entity_id)
    assert found is not None, f"There is no {entity_id}"
    return found.state


def sensor_states(hass: HomeAssistant) -> dict[str, str]:
    """Return the states of all sensors."""
    return {found.entity_id: found.state for found in hass.states.async_all("sensor")}


def system_devices(
    hass: HomeAssistant, entry: ConfigEntry[Any]
) -> list[dr.DeviceEntry]:
    """Return the devices that are systems, not parts of one."""
    return [
        device
        for device in dr.async_entries_for_config_entry(
            dr.async_get(hass), entry.entry_id
        )
        if not any("_" in identifier for _, identifier in device.identifiers)
    ]


async def calls_of_groups(
    hass: HomeAssistant, entry: ConfigEntry[Any]
) -> dict[str, int]:
    """Return the calls a month that the options tell of each group."""
    flows = hass.config_entries.options
    menu = await flows.async_init(entry.entry_id)
    form = await flows.async_configure(menu["flow_id"], {"next_step_id": "devices"})
    told = form["description_placeholders"]
    assert told is not None
    flows.async_abort(form["flow_id"])
    return {
        group: int(calls.replace(",", ""))
        for group, calls in told.items()
        if calls != "—"
    }
