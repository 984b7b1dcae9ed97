"""Helpers for tests of settings: change one, and read requests and events."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.core import Context, Event, HomeAssistant, callback

from custom_components.enphase_cloud.const import EVENT_SETTING

from .helpers import fire_timers
from .world import World

OPTIONS = {"groups": ["settings"]}
MODE = "select.hilltop_storage_mode"
RESERVE = "number.hilltop_battery_reserve"
INDEPENDENCE = "switch.hilltop_battery_after_peak"
STORM_GUARD = "switch.hilltop_storm_guard"
OF_SETTINGS = ("grid_status", "battery_settings", "storm_guard", "load_control")
_SECONDS = 7

_SERVICES: Mapping[str, tuple[str, str]] = {
    "select": ("select_option", "option"),
    "number": ("set_value", "value"),
    "time": ("set_value", "time"),
}


async def put(
    hass: HomeAssistant, entity_id: str, value: object, context: Context | None = None
) -> None:
    """Set what an entity shows, and return when the cloud has answered."""
    domain = entity_id.partition(".")[0]
    data: dict[str, Any] = {ATTR_ENTITY_ID: entity_id}
    if domain == "switch":
        service = "turn_on" if value else "turn_off"
    else:
        service, name = _SERVICES[domain]
        data[name] = value
    await hass.services.async_call(
        domain, service, data, blocking=True, context=context
    )


def begin(
    hass: HomeAssistant, entity_id: str, value: object, context: Context | None = None
) -> asyncio.Task[None]:
    """Begin to set what an entity shows; Home Assistant does not wait for it."""
    return asyncio.create_task(put(hass, entity_id, value, context))


async def pass_quiet_time(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
    """Let the time pass in which nothing more may be set before it is written."""
    for _ in range(_SECONDS):
        freezer.tick(timedelta(seconds=1))
        fire_timers(hass)
        # Home Assistant itself would wait for what sets it.
        await asyncio.sleep(0)


async def finished(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, *tasks: asyncio.Task[None]
) -> list[BaseException | None]:
    """Let the quiet time pass; return what each task ended with."""
    await pass_quiet_time(hass, freezer)
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    await hass.async_block_till_done(wait_background_tasks=True)
    return ended


def written(world: World) -> list[tuple[Any, bool | None]]:
    """Return the bodies that were written, and whether each took effect."""
    return [
        (request.body, request.took_effect)
        for request in world.cloud.requests
        if request.method in {"PUT", "POST"} and request.took_effect is not None
    ]


def calls(world: World) -> list[str]:
    """Return the operations of settings that the cloud counted."""
    return [each for each in world.calls if each.removeprefix("set_") in OF_SETTINGS]


def setting_events(hass: HomeAssistant) -> list[dict[str, Any]]:
    """Return a list that collects the events of settings."""
    events: list[dict[str, Any]] = []

    @callback
    def keep(event: Event) -> None:
        events.append({**event.data, "user_id": event.context.user_id})

    hass.bus.async_listen(EVENT_SETTING, keep)
    return events


def results(events: list[dict[str, Any]]) -> list[str]:
    """Return the results of events, in their order."""
    return [str(event["result"]) for event in events]
