"""Errors are logged once, translated for the user, and followed by a backoff."""

from datetime import timedelta
import json
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder import Recorder
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr
import pytest

from custom_components.enphase_cloud import async_remove_config_entry_device
from custom_components.enphase_cloud.const import (
    CONF_ENERGY_UPDATES,
    CONF_HISTORY,
    DOMAIN,
)
from custom_components.enphase_cloud.coordinator import live, power_caps
from custom_components.enphase_cloud.documents import readings
from simulator import Fault

from .conftest import SetUp, World
from .helpers import pass_time, press, state, system_devices

REFRESH = "button.hilltop_refresh_now"
SECRET = "what nobody may read"


pytestmark = pytest.mark.usefixtures("summer_noon")


def failing(*_: object, **__: object) -> Any:
    """Fail like a defect of the integration."""
    raise OverflowError(SECRET)


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "2026-02-30"])
async def test_absurd_date_does_not_affect_other_values(
    hass: HomeAssistant, world: World, set_up: SetUp, day: str
) -> None:
    """The rest of the document is shown."""
    document = {
        "system_id": world.system.system_id,
        "current_power": 1_234,
        "energy_today": 5_000,
        "energy_lifetime": 9_000_000,
        "status": "normal",
        "summary_date": day,
    }
    world.cloud.faults.add(Fault(operation="summary", raw=json.dumps(document)))
    await set_up()
    assert float(state(hass, "sensor.hilltop_production_today")) == 5


async def test_defect_in_reading_a_document_backs_off(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """No loop of requests, no secret in the log, no delay of other documents."""
    monkeypatch.setattr(readings, "single_devices", failing)
    await set_up()
    await pass_time(hass, freezer, timedelta(hours=6))
    assert 2 <= world.calls.count("latest_telemetry") <= 8
    assert world.calls.count("telemetry_battery") >= 12
    assert "Unforeseen OverflowError at" in caplog.text
    assert SECRET not in caplog.text
    with pytest.raises(HomeAssistantError) as raised:
        await press(hass, REFRESH)
    assert raised.value.translation_key == "update_failed"


async def test_defect_in_reading_energy_backs_off(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Pauses grow with each failure, as after errors of the cloud."""
    monkeypatch.setattr(power_caps, "readings_of_week", failing)
    await set_up(options={CONF_ENERGY_UPDATES: 4, CONF_HISTORY: "none"})
    await pass_time(hass, freezer, timedelta(hours=6))
    calls = [call for call in world.calls if "import" in call or "meter" in call]
    assert 4 <= len(calls) <= 16
    assert SECRET not in caplog.text
    polls = world.calls.count("telemetry_battery")
    assert polls >= 12


async def test_defect_in_reading_a_frame_ends_the_session(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The stream is closed and not reopened."""
    monkeypatch.setattr(live, "read_live_frame", failing)
    await set_up()
    with pytest.raises(HomeAssistantError) as raised:
        await press(hass, "button.hilltop_start_live_session")
    assert raised.value.translation_key == "update_failed"
    await hass.async_block_till_done(wait_background_tasks=True)
    assert state(hass, "binary_sensor.hilltop_live_session") == "off"
    assert world.calls.count("live_data") == 1
    assert "Live data: unavailable for now: Unforeseen OverflowError" in caplog.text
    assert SECRET not in caplog.text


@pytest.mark.parametrize(
    ("fault", "key"),
    [
        (Fault(operation="summary", quota="month"), "quota_refused"),
        (Fault(operation="summary", quota="minute"), "budget_exhausted"),
        (Fault(operation="latest_telemetry", quota="month"), "quota_refused"),
        (Fault(operation="summary", status=500), "update_failed"),
        (Fault(operation="summary", body="html"), "update_failed"),
        (Fault(operation="summary", status=403), "system_not_visible"),
    ],
)
async def test_refresh_now_raises_translated_errors(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    fault: Fault,
    key: str,
) -> None:
    """Each error has a translation key of its own."""
    await set_up()
    freezer.tick(120)
    fault.hits, fault.times = 0, None
    world.cloud.faults.add(fault)
    for _ in range(2):
        with pytest.raises(HomeAssistantError) as raised:
            await press(hass, REFRESH)
        assert (raised.value.translation_domain, raised.value.translation_key) == (
            DOMAIN,
            key,
        )
        assert "None" not in str(raised.value.translation_placeholders)


@pytest.mark.long
async def test_exceeded_quota_is_logged_once(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Its end is logged once, too."""
    await set_up()
    fault = world.cloud.faults.add(Fault(operation="summary", quota="minute"))
    await pass_time(hass, freezer, timedelta(hours=9))
    refused = fault.hits
    assert refused > 2
    world.cloud.faults.remove(fault)
    await pass_time(hass, freezer, timedelta(hours=9))
    what = "Calls for the document summary"
    assert caplog.text.count(f"{what}: unavailable for now") == 1
    assert caplog.text.count(f"{what}: available again") == 1


@pytest.mark.long
async def test_failing_energy_document_is_logged_once(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Its recovery is logged once, too."""
    fault = world.cloud.faults.add(
        Fault(operation="energy_import_telemetry", status=500)
    )
    await set_up(options={CONF_ENERGY_UPDATES: 4, CONF_HISTORY: "none"})
    await pass_time(hass, freezer, timedelta(hours=2))
    assert fault.hits > 2
    world.cloud.faults.remove(fault)
    await pass_time(hass, freezer, timedelta(hours=3))
    what = "Energy data of import_intervals"
    assert caplog.text.count(f"{what}: unavailable for now") == 1
    assert caplog.text.count(f"{what}: available again") == 1


async def test_device_of_a_deselected_system_can_be_deleted_while_unloaded(
    hass: HomeAssistant, set_up: SetUp, device_registry: dr.DeviceRegistry
) -> None:
    """The device of a selected system cannot."""
    entry = await set_up()
    [device] = system_devices(hass, entry)
    await hass.config_entries.async_unload(entry.entry_id)
    assert not await async_remove_config_entry_device(hass, entry, device)
    hass.config_entries.async_update_entry(entry, data={**entry.data, "systems": []})
    assert await async_remove_config_entry_device(hass, entry, device)
