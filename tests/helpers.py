"""What several test modules do with a Home Assistant under a frozen clock."""

from datetime import timedelta
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.button import DOMAIN as BUTTON, SERVICE_PRESS
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, event
from homeassistant.util import dt as dt_util
from homeassistant.util.async_ import get_scheduled_timer_handles

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
        fire_timers(hass)
        await hass.async_block_till_done(wait_background_tasks=True)
        delta -= step


def fire_timers(hass: HomeAssistant) -> None:
    """Fire what is due, as `async_fire_time_changed` of the plugin does.

    That patches the clock with mocks for each timer, which took an eighth of the time
    of long tests.
    """
    # Updates of coordinators are spread over half a second.
    ahead = timedelta(microseconds=event.RANDOM_MICROSECOND_MAX)
    now = dt_util.utcnow() + ahead
    due_until = hass.loop.time() + ahead.total_seconds()
    with patch.multiple(
        event, time_tracker_utcnow=lambda: now, time_tracker_timestamp=now.timestamp
    ):
        for handle in [*get_scheduled_timer_handles(hass.loop)]:
            if not handle.cancelled() and handle.when() <= due_until:
                handle._run()
                handle.cancel()


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
        if not calls.startswith("≥")
    }
