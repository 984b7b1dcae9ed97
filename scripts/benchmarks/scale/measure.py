"""Set up an account with many systems or panels, and update it a day later."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
import gc
import time
import tracemalloc
from typing import Final
from unittest.mock import patch

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

from ..cloud import responding
from ..home_assistant import home_with, in_a_loop
from .home import Home
from .stalls import Stalls, stalls

_MIB: Final = 2**20
_LATENCY_S: Final = 0.05


@dataclass(slots=True, kw_only=True)
class Measured:
    """The costs of an account: processor time [s], memory [MiB], and the stalls."""

    entities: int = 0
    set_up_s: float = 0.0
    memory_mib: float = 0.0
    stalls: dict[str, Stalls] = field(default_factory=dict)


def measure(home: Home) -> Measured:
    """Measure with prepared responses; time and memory in separate runs."""
    _run(home)
    measured = _run(home)
    measured.memory_mib = _run(home, traces=True).memory_mib
    return measured


def _run(home: Home, *, traces: bool = False) -> Measured:
    start = home.moment

    def utcnow() -> datetime:
        return datetime.now(UTC) + (home.moment - start)

    try:
        with (
            responding(home.respond, _LATENCY_S),
            patch("homeassistant.util.dt.utcnow", utcnow),
            _without_collections(),
        ):
            return in_a_loop(_measure(home, traces=traces))
    finally:
        home.moment = start


@contextmanager
def _without_collections() -> Generator[None]:
    """Disable garbage collection: its time depends on all objects of the process."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


async def _measure(home: Home, *, traces: bool) -> Measured:
    entry = home.entry()
    async with home_with(entry) as hass:
        if traces:
            tracemalloc.start()
        measured = Measured()
        with stalls() as measured.stalls["at the first set-up"]:
            measured.set_up_s = await _set_up(hass, entry)
        with stalls() as measured.stalls["at the first update"]:
            await _update(hass, entry)
        measured.memory_mib = tracemalloc.get_traced_memory()[0] / _MIB
        tracemalloc.stop()
        measured.entities = len(hass.states.async_all())
        home.pass_a_day()
        with stalls() as measured.stalls["at an update"]:
            await _update(hass, entry)
        await hass.config_entries.async_unload(entry.entry_id)
        with stalls() as measured.stalls["at a set-up"]:
            await _set_up(hass, entry)
        await hass.config_entries.async_unload(entry.entry_id)
    return measured


async def _set_up(hass: HomeAssistant, entry: MockConfigEntry) -> float:
    began = time.process_time()
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert entry.state is ConfigEntryState.LOADED, (entry.state, entry.reason)
    return time.process_time() - began


async def _update(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Update all documents of one system after another."""
    for system in entry.runtime_data.systems:
        await asyncio.gather(
            *(document.async_refresh_for_user() for document in system.documents)
        )
    await hass.async_block_till_done(wait_background_tasks=True)
