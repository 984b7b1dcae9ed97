"""Which systems actions are for: devices, entities, areas, the account, or all."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
)
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.enphase_cloud.const import DOMAIN

from .conftest import SetUp, World
from .helpers import system_devices

pytestmark = pytest.mark.usefixtures("summer_noon")


async def _names(hass: HomeAssistant, **target: Any) -> list[str]:
    """Return the names in the response, each under the id of its system."""
    answer = await hass.services.async_call(
        DOMAIN, "get_meter_readings", target, blocking=True, return_response=True
    )
    assert answer is not None
    names = {
        identifier: device.name
        for entry in hass.config_entries.async_entries(DOMAIN)
        for device in system_devices(hass, entry)
        for _, identifier in device.identifiers
    }
    for system_id, told in answer.items():
        assert isinstance(told, dict)
        assert names[system_id] == told["name"]
    return sorted(told["name"] for told in answer.values())  # type: ignore[call-overload, index]


@pytest.fixture
async def entry(world: World, set_up: SetUp) -> MockConfigEntry:
    """Set up three systems, two of one name."""
    for name in ("Barn", "Barn"):
        world.add_system(name=name)
    return await set_up()


@pytest.mark.usefixtures("entry")
async def test_no_target_is_all_of_the_only_account(hass: HomeAssistant) -> None:
    """Systems of one name are told apart."""
    assert await _names(hass) == ["Barn", "Barn", "Hilltop"]


async def test_without_a_target_there_is_one_account(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """Of two, none is meant more than the other; what is not loaded cannot act."""
    MockConfigEntry(domain=DOMAIN, title="Tenant").add_to_hass(hass)
    with pytest.raises(ServiceValidationError):
        await _names(hass)
    assert await _names(hass, device_id=system_devices(hass, entry)[0].id)


async def test_each_kind_of_target(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Devices, also below a system, entities, areas and the account."""
    entities = er.async_get(hass)
    battery = next(
        each.device_id
        for each in entities.entities.values()
        if "_battery_" in each.unique_id and each.device_id is not None
    )
    assert await _names(hass, device_id=[battery]) == ["Hilltop"]
    assert await _names(hass, entity_id="button.barn_refresh_now") == ["Barn"]
    diagnostic = "sensor.hilltop_status"
    assert await _names(hass, entity_id=diagnostic) == ["Hilltop"]
    area = ar.async_get(hass).async_create("Yard")
    with pytest.raises(ServiceValidationError) as raised:
        await _names(hass, area_id=area.id)
    assert raised.value.translation_key == "unknown_device"
    for device in system_devices(hass, entry):
        if device.name == "Barn":
            dr.async_get(hass).async_update_device(device.id, area_id=area.id)
    assert await _names(hass, area_id=area.id) == ["Barn", "Barn"]
    account = entities.async_get("sensor.enphase_account_api_calls_left")
    assert account is not None
    everything = ["Barn", "Barn", "Hilltop"]
    assert await _names(hass, device_id=account.device_id) == everything


async def test_foreign_targets(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """A removed device fails the action; other devices beside ours are ignored."""
    other = MockConfigEntry(domain="other")
    other.add_to_hass(hass)
    lamp = dr.async_get(hass).async_get_or_create(
        config_entry_id=other.entry_id, identifiers={("other", "lamp")}
    )
    ours = system_devices(hass, entry)[0].id
    assert len(await _names(hass, device_id=[ours, lamp.id])) == 1
    for wrong in ([lamp.id], [ours, "gone"]):
        with pytest.raises(ServiceValidationError) as raised:
            await _names(hass, device_id=wrong)
        assert raised.value.translation_key == "unknown_device"
