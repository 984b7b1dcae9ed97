"""Listeners are called without blocking the event loop."""

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


async def test_several_calls_within_a_turn_run_once(hass: HomeAssistant) -> None:
    """A cancelled call does not run."""
    runs: list[int] = []
    soon = OnceATurn(hass.loop, partial(runs.append, 1))
    soon()
    soon()
    assert not runs
    await turn()
    assert runs == [1]
    soon()
    soon.cancel()
    soon.cancel()
    await turn()
    assert runs == [1]
    soon()
    await turn()
    assert runs == [1, 1]


async def test_many_listeners_are_called_over_several_turns(
    coordinator: EnphaseCloudCoordinator,
) -> None:
    """All are called in order, but not in one turn of the event loop."""
    called: list[int] = []
    for number in MANY:
        coordinator.async_add_listener(partial(called.append, number))
    coordinator.async_update_listeners()
    at_once = len(called)
    assert 0 < at_once < len(MANY)
    await turn(len(MANY))
    assert called == [*MANY]

    # A new update replaces one that has not reached all listeners.
    called.clear()
    coordinator.async_update_listeners()
    coordinator.async_update_listeners()
    await turn(len(MANY))
    assert called == [*range(at_once), *MANY]


async def test_no_listener_is_called_after_the_shutdown(
    coordinator: EnphaseCloudCoordinator,
) -> None:
    """A listener that was removed meanwhile is not called, either."""
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
