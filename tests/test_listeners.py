"""Listeners are called without holding up the event loop."""

import asyncio
from functools import partial
import logging

from homeassistant.core import HomeAssistant
import pytest

from custom_components.enphase_cloud.coordinator.listeners import (
    EnphaseCloudCoordinator,
    OnceATurn,
)

MANY = range(60)


@pytest.fixture
def coordinator(hass: HomeAssistant) -> EnphaseCloudCoordinator:
    """Return a coordinator without listeners."""
    return EnphaseCloudCoordinator(
        hass, logging.getLogger(__name__), config_entry=None, name="many"
    )


async def turn(times: int = 1) -> None:
    """Let the event loop take turns."""
    for _ in range(times):
        await asyncio.sleep(0)


async def test_acts_once_in_a_turn(hass: HomeAssistant) -> None:
    """However often it is called; and not after it is cancelled."""
    acts: list[int] = []
    soon = OnceATurn(hass.loop, partial(acts.append, 1))
    soon()
    soon()
    assert not acts
    await turn()
    assert acts == [1]
    soon()
    soon.cancel()
    soon.cancel()
    await turn()
    assert acts == [1]
    soon()
    await turn()
    assert acts == [1, 1]


async def test_many_listeners(coordinator: EnphaseCloudCoordinator) -> None:
    """All are called in their order, but not in one turn of the event loop."""
    called: list[int] = []
    for number in MANY:
        coordinator.async_add_listener(partial(called.append, number))
    coordinator.async_update_listeners()
    at_once = len(called)
    assert 0 < at_once < len(MANY)
    await turn(len(MANY))
    assert called == [*MANY]

    # The next update takes the place of the one that has not reached all.
    called.clear()
    coordinator.async_update_listeners()
    coordinator.async_update_listeners()
    await turn(len(MANY))
    assert called == [*range(at_once), *MANY]


async def test_no_listener_is_called_after_the_shutdown(
    coordinator: EnphaseCloudCoordinator,
) -> None:
    """Nor one that was removed meanwhile."""
    called: list[int] = []
    removers = [
        coordinator.async_add_listener(partial(called.append, number))
        for number in MANY
    ]
    coordinator.async_update_listeners()
    removers[-1]()
    await turn(len(MANY))
    assert called == [*MANY][:-1]
    called.clear()
    coordinator.async_update_listeners()
    before = [*called]
    await coordinator.async_shutdown()
    await turn(len(MANY))
    assert called == before


async def test_failing_listener_does_not_prevent_others(
    coordinator: EnphaseCloudCoordinator, caplog: pytest.LogCaptureFixture
) -> None:
    """The log names the coordinator."""

    def fail() -> None:
        raise ValueError("broken")

    called: list[int] = []
    coordinator.async_add_listener(fail)
    coordinator.async_add_listener(partial(called.append, 1))
    coordinator.async_update_listeners()
    assert called == [1]
    assert "A listener of many failed" in caplog.text
