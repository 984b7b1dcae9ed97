"""The time that setting up a config entry takes."""

import asyncio
from functools import cache
import time
from typing import Any
from unittest.mock import patch

from aiohttp import ClientSession
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import mock_component
from teslemetry_stream import TeslemetryStream

from ..home_assistant import add_account, configuration, home_assistant, in_a_loop
from .accounts import Answer, answer, entry

# What clouds make of an answer is no part of it.
_answer = cache(answer)


async def _request(
    _session: ClientSession, _method: str, url: object, **_options: Any
) -> Answer:
    return _answer(str(url))


async def _listen(_stream: TeslemetryStream) -> None:
    await asyncio.Event().wait()


def seconds(domain: str) -> float:
    """Return the processor time [s] of the set-up of an entry with one system."""
    with (
        patch.object(ClientSession, "_request", _request),
        patch.object(TeslemetryStream, "listen", _listen),
    ):
        return in_a_loop(_seconds(domain))


async def _seconds(domain: str) -> float:
    with configuration() as folder:
        async with home_assistant(folder) as hass:
            return await _set_up(hass, domain)


async def _set_up(hass: HomeAssistant, domain: str) -> float:
    mock_component(hass, "bluetooth_adapters")
    added = entry(domain)
    await add_account(hass, added)
    began = time.process_time()
    await hass.config_entries.async_setup(added.entry_id)
    await hass.async_block_till_done()
    took = time.process_time() - began
    assert added.state is ConfigEntryState.LOADED, added.reason
    assert hass.states.async_all("sensor")
    await hass.config_entries.async_unload(added.entry_id)
    return took
