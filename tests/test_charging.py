"""Actions that start and stop charging: for partners, and never repeated."""

from datetime import timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import device_registry as dr
import pytest
import voluptuous as vol

from custom_components.enphase_cloud.const import DOMAIN
from simulator import Charger, EvCharger, Fault, IqCharger

from .conftest import SetUp, World
from .controls import written

SERIAL = "202620010308"
OTHER = "380017"
OPTIONS = {"groups": ["ev_charger"]}

pytestmark = pytest.mark.usefixtures("summer_noon")


@pytest.fixture(autouse=True)
def charger(world: World) -> None:
    """Install a charger of Enphase, and one of another maker."""
    world.system.install_charger(Charger(serial=SERIAL), IqCharger(serial=SERIAL))
    world.system.ev_chargers = (
        *world.system.ev_chargers,
        EvCharger(serial=OTHER, status="IDLE"),
    )


def device_id(hass: HomeAssistant, world: World, serial: str | None = None) -> str:
    """Return the device of a charger, or of the system."""
    suffix = "" if serial is None else f"_charger_{serial}"
    wanted = (DOMAIN, f"{world.system.system_id}{suffix}")
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    registry = dr.async_get(hass)
    (found,) = (
        device.id
        for device in dr.async_entries_for_config_entry(registry, entry.entry_id)
        if wanted in device.identifiers
    )
    return found


async def command(
    hass: HomeAssistant, world: World, name: str, serial: str = SERIAL, **more: Any
) -> None:
    """Send a command to a charger."""
    data = {"device_id": [device_id(hass, world, serial)], **more}
    await hass.services.async_call(DOMAIN, name, data, blocking=True)


@pytest.mark.parametrize("plan", ["partner"])
async def test_starts_and_stops_charging(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    await set_up(options=OPTIONS)
    now = world.cloud.now()
    world.system.plug_in(SERIAL, now, timedelta(hours=8), 20_000)
    await command(hass, world, "start_charging")
    freezer.tick(timedelta(hours=1))
    await command(hass, world, "stop_charging")
    freezer.tick(timedelta(hours=1))
    truth = world.cloud.truth(world.system.system_id)
    assert truth.charged(SERIAL, now, now + timedelta(minutes=65)) > 0
    later = now + timedelta(minutes=65)
    assert truth.charged(SERIAL, later, world.cloud.now()) == 0
    await command(hass, world, "start_charging", charging_level=40)
    assert written(world) == [
        ({}, True),
        (None, True),
        ({"connectorId": "1", "chargingLevel": "40"}, True),
    ]


@pytest.mark.parametrize("plan", ["watt", "megawatt"])
@pytest.mark.parametrize("name", ["start_charging", "stop_charging"])
async def test_plan_without_the_access_control_sends_nothing(
    hass: HomeAssistant, world: World, set_up: SetUp, name: str
) -> None:
    """No request leaves."""
    await set_up(options=OPTIONS)
    made = len(world.calls)
    with pytest.raises(ServiceValidationError) as raised:
        await command(hass, world, name)
    assert raised.value.translation_key == "charging_not_in_plan"
    assert len(world.calls) == made


@pytest.mark.parametrize("plan", ["megawatt"])
async def test_refusal_of_the_cloud_names_plan_and_access_control(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """The actual plan differs from the configured one."""
    await set_up(options=OPTIONS | {"plan": "partner"})
    with pytest.raises(HomeAssistantError) as raised:
        await command(hass, world, "start_charging")
    assert raised.value.translation_key == "not_entitled"
    placeholders = raised.value.translation_placeholders or {}
    assert placeholders["access_control"] == "EV Charger Control"
    assert placeholders["plan"] == "Partner"


@pytest.mark.parametrize("plan", ["partner"])
@pytest.mark.parametrize("took_effect", [True, False])
async def test_command_without_response_is_not_repeated(
    hass: HomeAssistant, world: World, set_up: SetUp, *, took_effect: bool
) -> None:
    """Without a response, the user has to check the charger."""
    await set_up(options=OPTIONS)
    world.cloud.faults.add(
        Fault(operation="start_charging", cut="before_headers", after=took_effect)
    )
    with pytest.raises(HomeAssistantError) as raised:
        await command(hass, world, "start_charging")
    assert raised.value.translation_key == "charging_uncertain"
    assert [effect for _, effect in written(world)] == [took_effect]


@pytest.mark.parametrize("plan", ["partner"])
async def test_error_of_the_cloud_has_its_details(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    await set_up(options=OPTIONS)
    world.cloud.faults.add(
        Fault(operation="stop_charging", status=400, details="Invalid serial_no")
    )
    with pytest.raises(HomeAssistantError) as raised:
        await command(hass, world, "stop_charging")
    assert raised.value.translation_key == "setting_refused"
    world.cloud.faults.clear()
    world.cloud.faults.add(Fault(operation="stop_charging", quota="month"))
    with pytest.raises(HomeAssistantError) as raised:
        await command(hass, world, "stop_charging")
    assert raised.value.translation_key == "budget_exhausted"
    with pytest.raises(vol.Invalid):
        await command(hass, world, "start_charging", charging_level=101)


@pytest.mark.parametrize("plan", ["partner"])
async def test_only_enphase_chargers_accept_commands(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    await set_up(options=OPTIONS)
    data = {"device_id": [device_id(hass, world)]}
    with pytest.raises(ServiceValidationError) as raised:
        await hass.services.async_call(DOMAIN, "start_charging", data, blocking=True)
    assert raised.value.translation_key == "no_charger"
    with pytest.raises(ServiceValidationError):
        await command(hass, world, "start_charging", OTHER)
    assert not written(world)
