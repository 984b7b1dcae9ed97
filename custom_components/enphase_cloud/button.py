"""Buttons of Enphase Cloud."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import override

from homeassistant.components.button import ButtonEntity, ButtonEntityDescription
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .actions.live import async_start_live_stream
from .adding_entities import async_add_in_batches
from .data import EnphaseCloudConfigEntry, EnphaseSystem
from .entity import EnphaseCloudEntity

# Concurrent presses share one request.
PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class EnphaseCloudButtonDescription(ButtonEntityDescription):
    """Describe a button of a system."""

    press_fn: Callable[[EnphaseSystem], Awaitable[object]]
    exists_fn: Callable[[EnphaseSystem], bool] = lambda _system: True


async def async_refresh(system: EnphaseSystem) -> None:
    """Request all polled documents of a system now."""
    for coordinator in system.documents:
        if coordinator.plan.is_active and coordinator.document.period is None:
            await coordinator.async_refresh_for_user()


BUTTONS = (
    EnphaseCloudButtonDescription(
        key="refresh",
        translation_key="refresh",
        press_fn=async_refresh,
    ),
    EnphaseCloudButtonDescription(
        key="start_live_stream",
        translation_key="start_live_stream",
        press_fn=async_start_live_stream,
        exists_fn=lambda system: system.live is not None,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: EnphaseCloudConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the buttons of each system."""
    buttons = (
        EnphaseCloudButton(entry, system, description)
        for system in entry.runtime_data.systems
        for description in BUTTONS
        if description.exists_fn(system)
    )
    await async_add_in_batches(async_add_entities, buttons)


class EnphaseCloudButton(EnphaseCloudEntity, ButtonEntity):
    """A button that makes API calls."""

    entity_description: EnphaseCloudButtonDescription

    @override
    async def async_press(self) -> None:
        """Make the API calls."""
        await self.entity_description.press_fn(self._system)
