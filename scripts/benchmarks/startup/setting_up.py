"""The time that setting up an account takes: one of ours, and one of the rival."""

import asyncio
from functools import cache
import json
import time
from typing import Any, Final
from unittest.mock import patch

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_TOKEN
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import MockConfigEntry, mock_component
from teslemetry_stream import TeslemetryStream
from yarl import URL

from custom_components.enphase_cloud.const import DOMAIN
from simulator import Cloud
from tests.world import build

from ..cloud import responding, response_body
from ..home_assistant import PLENTY, home_with, in_a_loop

OURS: Final = DOMAIN
RIVAL: Final = "teslemetry"
_SITE: Final = 123_456
_PARTS: Final = {
    "battery": True,
    "solar": True,
    "grid": True,
    "batteries": [{"part_name": "Powerwall 2"}],
    "gateways": [{"part_name": "Gateway 2"}],
}
_RIVAL_ANSWERS: Final[dict[str, Any]] = {
    "metadata": {
        "region": "EU",
        "scopes": ["energy_device_data", "energy_cmds", "openid"],
        "vehicles": {},
        "energy_sites": {str(_SITE): {"access": True}},
    },
    "products": {"response": [{"energy_site_id": _SITE, "components": _PARTS}]},
    "live_status": {
        "response": {
            **{f"{name}_power": 1_184 for name in ("solar", "battery", "load", "grid")},
            "energy_left": 38_897.0,
            "total_pack_energy": 40_727,
            "percentage_charged": 95.5,
            "generator_power": 0,
            "grid_status": "Active",
            "island_status": "on_grid",
        }
    },
    "site_info": {
        "response": {
            "backup_reserve_percent": 0,
            "default_real_mode": "self_consumption",
            "user_settings": {"storm_mode_enabled": True},
            "components": _PARTS,
            "version": "23.44.0",
            "installation_time_zone": "Europe/Berlin",
        }
    },
}
_WORLD: Final = build(
    Cloud(dt_util.utcnow),
    plan="kilowatt",
    name="Hilltop",
    battery=2,
    time_zone="Europe/Berlin",
)


def seconds(domain: str) -> float:
    """Return the processor time [s] of the set-up of an entry with one system."""
    with responding(_respond), patch.object(TeslemetryStream, "listen", _listen):
        return in_a_loop(_seconds(_entry(domain)))


# Cached: the time of the simulated cloud is not part of the set-up.
@cache
def _respond(url: URL) -> bytes:
    if url.name in _RIVAL_ANSWERS:
        return json.dumps(_RIVAL_ANSWERS[url.name]).encode()
    return response_body(url, [_WORLD.cloud.published(_WORLD.system)])


async def _listen(_stream: TeslemetryStream) -> None:
    await asyncio.Event().wait()


def _entry(domain: str) -> MockConfigEntry:
    """Return a config entry of an account with one system."""
    ours = _WORLD.entry(options=PLENTY)
    if domain == OURS:
        return ours
    data = {"auth_implementation": domain, CONF_TOKEN: ours.data[CONF_TOKEN]}
    return MockConfigEntry(domain=domain, data=data, version=2)


async def _seconds(entry: MockConfigEntry) -> float:
    async with home_with(entry) as hass:
        mock_component(hass, "bluetooth_adapters")
        began = time.process_time()
        await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()
        took = time.process_time() - began
        assert entry.state is ConfigEntryState.LOADED, entry.reason
        assert hass.states.async_all("sensor")
        await hass.config_entries.async_unload(entry.entry_id)
    return took
