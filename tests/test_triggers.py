"""Home Assistant's purpose-specific triggers work with the entities."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.automation import DOMAIN as AUTOMATION
from homeassistant.const import ATTR_ENTITY_ID, SERVICE_TURN_OFF
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.helpers import entity_registry as er
from homeassistant.loader import async_get_integration
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_mock_service

from custom_components.enphase_cloud.const import DOMAIN
from simulator.alarms import find_type

from .conftest import SetUp, World
from .helpers import pass_time, state
from .test_chargers import CHARGERS, SERIAL, install

pytestmark = pytest.mark.usefixtures("entity_registry_enabled_by_default")

type Listen = Callable[..., Awaitable[list[ServiceCall]]]


@pytest.fixture(autouse=True)
def _summer_morning(freezer: FrozenDateTimeFactory) -> None:
    freezer.move_to("2026-06-21 02:07:00+00:00")


@pytest.fixture
async def listen(hass: HomeAssistant) -> AsyncGenerator[Listen]:
    """Return a function that adds an automation and returns the list of its runs."""

    async def listen(trigger: str, entity_id: str, **options: Any) -> list[ServiceCall]:
        domain, _, name = trigger.partition(".")
        integration = await async_get_integration(hass, domain)
        platform = await integration.async_get_platform("trigger")
        if name not in await platform.async_get_triggers(hass):
            pytest.skip(f"This Home Assistant has no {trigger}")
        state(hass, entity_id)
        config = {
            "alias": "It",
            "triggers": {
                "trigger": trigger,
                "target": {"entity_id": entity_id},
                "options": options,
            },
            "actions": {
                "action": "test.note",
                "data": {"name": "{{ trigger.to_state.attributes.name | default }}"}
                if trigger == "event.received"
                else {},
            },
        }
        assert await async_setup_component(hass, AUTOMATION, {AUTOMATION: config})
        assert state(hass, "automation.it") == "on"
        return async_mock_service(hass, "test", "note")

    yield listen
    if hass.services.has_service(AUTOMATION, SERVICE_TURN_OFF):
        # It must not listen after the test.
        target = {ATTR_ENTITY_ID: "automation.it"}
        await hass.services.async_call(
            AUTOMATION, SERVICE_TURN_OFF, target, blocking=True
        )


def of_charger(hass: HomeAssistant, world: World, platform: str, key: str) -> str:
    """Return the id of an entity of the charger."""
    unique_id = f"{world.system.system_id}_charger_{SERIAL}_{key}"
    found = er.async_get(hass).async_get_entity_id(platform, DOMAIN, unique_id)
    assert found is not None
    return found


async def hours(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, number: float
) -> None:
    """Pass hours in steps of 15 min, or of an hour from a day on."""
    step = timedelta(minutes=15 if number < 24 else 60)
    await pass_time(hass, freezer, timedelta(hours=number), step=step)


async def test_battery_started_charging_fires_in_the_morning(
    hass: HomeAssistant, set_up: SetUp, listen: Listen, freezer: FrozenDateTimeFactory
) -> None:
    """It fires as soon as there is a surplus."""
    await set_up()
    charging = next(
        each.entity_id
        for each in hass.states.async_all("binary_sensor")
        if each.attributes.get("device_class") == "battery_charging"
    )
    assert state(hass, charging) == "off"
    ran = await listen("battery.started_charging", charging)
    await hours(hass, freezer, 1)
    assert ran == []
    await hours(hass, freezer, 8)
    assert len(ran) == 1


async def test_battery_level_crossed_threshold_fires_once(
    hass: HomeAssistant, set_up: SetUp, listen: Listen, freezer: FrozenDateTimeFactory
) -> None:
    """The level is that of all batteries of the system."""
    await set_up()
    battery = "sensor.hilltop_battery"
    level = float(state(hass, battery)) + 20
    threshold = {"type": "above", "value": {"number": level}}
    ran = await listen("battery.level_crossed_threshold", battery, threshold=threshold)
    await hours(hass, freezer, 1)
    assert ran == []
    await hours(hass, freezer, 9)
    assert float(state(hass, battery)) > level
    assert len(ran) == 1


async def test_power_crossed_threshold_converts_units(
    hass: HomeAssistant, set_up: SetUp, listen: Listen, freezer: FrozenDateTimeFactory
) -> None:
    """The threshold is in W, the state in kW."""
    await set_up()
    production = "sensor.hilltop_production_power"
    value = {"number": 1_000, "unit_of_measurement": "W"}
    ran = await listen(
        "power.crossed_threshold",
        production,
        threshold={"type": "above", "value": value},
    )
    await hours(hass, freezer, 7)
    assert float(state(hass, production)) > 1
    assert len(ran) == 1


async def test_alarm_event_fires_when_it_opens(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    listen: Listen,
    freezer: FrozenDateTimeFactory,
) -> None:
    """It does not fire when the alarm is cleared."""
    await set_up(options={"groups": ["alarms"]})
    ran = await listen("event.received", "event.hilltop_alarm", event_type=["opened"])
    number = world.system.open_alarm("meter_silent", dt_util.utcnow())
    await hours(hass, freezer, 30)
    assert [each.data["name"] for each in ran] == [find_type("meter_silent").name]
    world.system.clear_alarm(number, dt_util.utcnow())
    await hours(hass, freezer, 30)
    assert state(hass, "binary_sensor.hilltop_alarm") == "off"
    assert len(ran) == 1


async def test_event_of_a_lost_gateway_fires(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    listen: Listen,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The gateway goes offline."""
    await set_up()
    ran = await listen(
        "event.received", "event.hilltop_gateway_connection", event_type=["lost"]
    )
    world.system.go_offline(dt_util.utcnow())
    await hours(hass, freezer, 6)
    assert len(ran) == 1


async def test_event_of_each_charging_session_fires(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    listen: Listen,
    freezer: FrozenDateTimeFactory,
) -> None:
    """It fires on the morning after the session."""
    install(world)
    await set_up(options=CHARGERS)
    session = of_charger(hass, world, "event", "session")
    ran = await listen("event.received", session, event_type=["ended"])
    await pass_time(hass, freezer, timedelta(days=5), step=timedelta(hours=1))
    # The sessions ended on the 21st and on the 24th.
    assert len(ran) == 2


async def test_charging_schedule_starts_as_a_calendar_event(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    listen: Listen,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The events start at 23:00 and 01:00 in Berlin."""
    install(world)
    await set_up(options=CHARGERS)
    freezer.move_to("2026-06-21 19:00:00+00:00")
    schedule = of_charger(hass, world, "calendar", "schedule")
    calls = [each for each in world.calls if each.startswith("ev_charger")]
    ran = await listen("calendar.event_started", schedule)
    await hours(hass, freezer, 1.5)
    assert ran == []
    await hours(hass, freezer, 1)
    assert len(ran) == 1
    await hours(hass, freezer, 2)
    assert len(ran) == 2
    assert [each for each in world.calls if each.startswith("ev_charger")] == calls
