"""Targets of actions: devices, entities, areas, the account, or all systems."""

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
    response = await hass.services.async_call(
        DOMAIN, "get_readings", target, blocking=True, return_response=True
    )
    assert response is not None
    names = {
        identifier: device.name
        for entry in hass.config_entries.async_entries(DOMAIN)
        for device in system_devices(hass, entry)
        for _, identifier in device.identifiers
    }
    for system_id, readings in response.items():
        assert isinstance(readings, dict)
        assert names[system_id] == readings["name"]
    return sorted(readings["name"] for readings in response.values())  # type: ignore[call-overload, index]


@pytest.fixture
async def entry(world: World, set_up: SetUp) -> MockConfigEntry:
    """Set up three systems, two of which have the same name."""
    for name in ("Barn", "Barn"):
        world.add_system(name=name)
    return await set_up()


@pytest.mark.usefixtures("entry")
async def test_no_target_selects_all_systems_of_the_only_account(
    hass: HomeAssistant,
) -> None:
    """Systems with the same name are separate in the response."""
    assert await _names(hass) == ["Barn", "Barn", "Hilltop"]


async def test_no_target_is_rejected_with_two_accounts(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """This is so even if one of them is not loaded."""
    MockConfigEntry(domain=DOMAIN, title="Tenant").add_to_hass(hass)
    with pytest.raises(ServiceValidationError):
        await _names(hass)
    assert await _names(hass, device_id=system_devices(hass, entry)[0].id)


async def test_each_kind_of_target_selects_its_systems(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """Devices, including those of a system, entities, areas and the account."""
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


async def test_removed_devices_are_rejected_and_foreign_ones_ignored(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """Devices of other integrations alone are rejected as well."""
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
