"""Diagnostics contain the state, and no secret."""

from datetime import timedelta
import json
import logging
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder import Recorder
from homeassistant.core import HomeAssistant
from homeassistant.helpers.json import json_dumps
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.enphase_cloud.const import CONF_ENERGY_UPDATES, CONF_HISTORY
from custom_components.enphase_cloud.diagnostics import (
    async_get_config_entry_diagnostics,
)
from simulator import Fault

from .conftest import SetUp
from .helpers import pass_time, press
from .world import API_KEY, CLIENT_ID, CLIENT_SECRET, EMAIL, PASSWORD, USER_ID, World

pytestmark = pytest.mark.usefixtures("summer_noon")


def _secrets(world: World, entry: MockConfigEntry) -> list[str]:
    token = entry.data["token"]
    address = world.system.address
    return [
        API_KEY,
        CLIENT_ID,
        CLIENT_SECRET,
        EMAIL,
        PASSWORD,
        USER_ID,
        token["access_token"],
        token["refresh_token"],
        str(world.system.system_id),
        world.system.name,
        world.system.gateway_serial,
        address.city,
        address.postal_code,
    ]


async def test_diagnostics_contain_the_state_without_secrets(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """Budget, documents and ages are there; identities are not."""
    entry = await set_up()
    await press(hass, "button.hilltop_start_live_session")
    diagnostics: dict[str, Any] = await async_get_config_entry_diagnostics(hass, entry)
    text = json_dumps(diagnostics)
    for secret in _secrets(world, entry):
        assert secret not in text, secret
    read = json.loads(text)
    assert read["budget"]["by_operation"]["summary"] == 1
    [system] = read["systems"]
    assert [d["document"] for d in system["documents"]] == [
        "summary",
        "battery",
        "latest",
    ]
    assert all(document["is_active"] for document in system["documents"])
    assert system["live"]["is_running"] is True
    assert system["documents"][0]["samples"]["system_status"]["value"] == "normal"


async def test_number_that_equals_a_system_id_is_no_identifier(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """The first systems of Enphase have small ids."""
    world.add_system(name="Cabin", system_id=1)
    entry = await set_up()
    diagnostics: dict[str, Any] = await async_get_config_entry_diagnostics(hass, entry)
    assert diagnostics["budget"]["by_operation"]["battery_telemetry"] == 1


@pytest.mark.parametrize("cause", ["unloaded", "credentials deleted"])
async def test_diagnostics_work_if_the_entry_is_not_loaded(
    hass: HomeAssistant, world: World, set_up: SetUp, cause: str
) -> None:
    """They are needed most then; they contain no identities either."""
    entry = await set_up()
    if cause == "unloaded":
        await hass.config_entries.async_unload(entry.entry_id)
    else:
        hass.config_entries.async_update_entry(
            entry, data={**entry.data, "auth_implementation": "gone"}
        )
        await hass.config_entries.async_reload(entry.entry_id)
    text = json_dumps(await async_get_config_entry_diagnostics(hass, entry))
    for secret in _secrets(world, entry):
        assert secret not in text, secret
    read = json.loads(text)
    assert read["token_expires_at"] > 0
    assert "budget" not in read


async def test_diagnostics_contain_the_progress_of_energy(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Calls, the next update and values are there; identities are not."""
    entry = await set_up(options={CONF_ENERGY_UPDATES: 1, CONF_HISTORY: "day"})
    await pass_time(hass, freezer, timedelta(minutes=12))
    diagnostics: dict[str, Any] = await async_get_config_entry_diagnostics(hass, entry)
    text = json_dumps(diagnostics)
    for secret in _secrets(world, entry):
        assert secret not in text, secret
    energy = json.loads(text)["systems"][0]["energy"]
    assert energy["calls_per_day"] == 5
    assert energy["calls_pending"] == 0
    assert energy["share_done"] == 100
    assert energy["next_update"]
    assert energy["samples"]["energy_imported_lifetime"]["value"] > 0


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=500),
        Fault(status=401),
        Fault(status=403),
        Fault(status=404),
        Fault(status=422),
        Fault(quota="month"),
        Fault(cut="mid_body"),
        Fault(body="html"),
        Fault(body="wrong_types"),
    ],
)
async def test_no_secret_reaches_the_log(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    caplog: pytest.LogCaptureFixture,
    fault: Fault,
) -> None:
    """The log of each failure is checked down to the debug level."""
    caplog.set_level(logging.DEBUG)
    world.cloud.faults.add(fault)
    entry = await set_up()
    world.cloud.faults.clear()
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    ours = "\n".join(
        caplog.handler.format(record)
        for record in caplog.records
        # The plugin's stand-in for the disk logs all that is written to it.
        if not record.name.startswith("pytest_homeassistant")
    )
    assert ours
    secrets = set(_secrets(world, entry)) - {world.system.name}
    for secret in secrets:
        assert secret not in ours, secret
