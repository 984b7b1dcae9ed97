"""The action that reads meter registers makes one call for each kind of meter."""

from datetime import UTC, datetime, timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import (
    HomeAssistantError,
    ServiceValidationError,
    Unauthorized,
)
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockUser
import voluptuous as vol

from custom_components.enphase_cloud.const import DOMAIN
from simulator import Fault

from .conftest import SetUp, World
from .helpers import HILLTOP, pass_time, press, system_devices

NOW = datetime(2026, 6, 21, 10, 7, tzinfo=UTC)
MIDNIGHT = datetime(2026, 5, 31, 22, tzinfo=UTC)
"""Of the first of June in Berlin."""
ALL = [
    "production_meter_readings",
    "consumption_meter_readings",
    "storage_meter_readings",
]
FLOWS = {
    ("production", "energy_wh"): "production",
    ("consumption", "energy_wh"): "consumption",
    ("storage", "charged_wh"): "charge",
    ("storage", "discharged_wh"): "discharge",
}


@pytest.fixture(autouse=True)
def _noon(freezer: FrozenDateTimeFactory) -> None:
    freezer.move_to(NOW)


@pytest.fixture
def plan() -> str:
    """Return the free plan."""
    return "watt"


async def _read(
    hass: HomeAssistant, *, user_id: str | None = None, **data: Any
) -> dict[str, Any]:
    """Return the response of the action by the id of the system."""
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    device = next(
        each for each in system_devices(hass, entry) if each.name == "Hilltop"
    )
    response = await hass.services.async_call(
        DOMAIN,
        "get_readings",
        {"device_id": device.id} | data,
        blocking=True,
        return_response=True,
        context=Context(user_id=user_id),
    )
    assert isinstance(response, dict)
    assert response[HILLTOP].pop("name") == "Hilltop"  # type: ignore[union-attr]
    return response


async def test_registers_have_the_true_values(
    hass: HomeAssistant, world: World, set_up: SetUp, caplog: pytest.LogCaptureFixture
) -> None:
    """Each meter is listed, and each kind of meter needs one call."""
    await set_up()
    world.cloud.requests.clear()
    caplog.clear()
    response = await _read(hass)
    assert world.calls == ALL
    readings = response[HILLTOP]
    assert set(readings) == {"production", "consumption", "storage"}
    real = world.cloud.truth(world.system.system_id)
    for (kind, register), flow in FLOWS.items():
        (meter,) = readings[kind]
        read_at = datetime.fromisoformat(meter["read_at"])
        assert timedelta() <= NOW - read_at <= timedelta(minutes=30)
        assert meter["read_at"].endswith("+02:00")
        assert meter[register] == real.lifetime(flow, read_at)
        assert meter["serial_number"].startswith(world.system.gateway_serial)
    assert world.system.gateway_serial not in caplog.text


@pytest.mark.parametrize(
    "at", ["2026-06-01 00:00:00", "2026-06-01T00:00:00+02:00", "2026-05-31T22:00:00Z"]
)
async def test_registers_at_a_time(
    hass: HomeAssistant, world: World, set_up: SetUp, at: str
) -> None:
    """A time without a time zone is local time of the system."""
    await hass.config.async_set_time_zone("America/Los_Angeles")
    await set_up()
    readings = (await _read(hass, at=at))[HILLTOP]
    real = world.cloud.truth(world.system.system_id)
    for (kind, register), flow in FLOWS.items():
        (meter,) = readings[kind]
        assert datetime.fromisoformat(meter["read_at"]) == MIDNIGHT
        assert meter[register] == real.lifetime(flow, MIDNIGHT)


async def test_time_in_the_future_gives_the_latest_registers(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """No meter has been read then."""
    await set_up()
    assert await _read(hass, at="2030-01-01 00:00:00") == await _read(hass)


@pytest.mark.parametrize("at", ["0001-01-01 00:00:00", "9999-12-31 23:59:59", "soon"])
async def test_absurd_time_makes_no_call(
    hass: HomeAssistant, world: World, set_up: SetUp, at: str
) -> None:
    """It is rejected before a request."""
    await set_up()
    world.cloud.requests.clear()
    with pytest.raises(vol.Invalid):
        await _read(hass, at=at)
    assert world.calls == []


@pytest.mark.parametrize(
    ("system_properties", "expected"),
    [
        ({"name": "Hilltop", "battery": None}, ALL[:2]),
        ({"name": "Hilltop", "battery": None, "meters": ["production"]}, ALL[:1]),
        ({"name": "Hilltop", "battery": None, "meters": ["consumption"]}, ALL[1:2]),
    ],
)
async def test_only_existing_meters_cost_a_call(
    hass: HomeAssistant, world: World, set_up: SetUp, expected: list[str]
) -> None:
    """The polled documents show which meters a system has."""
    await set_up()
    world.cloud.requests.clear()
    readings = (await _read(hass))[HILLTOP]
    assert world.calls == expected
    assert [f"{kind}_meter_readings" for kind in readings] == expected


@pytest.mark.parametrize(
    "system_properties", [{"name": "Hilltop", "battery": None, "meters": []}]
)
async def test_system_without_meters_makes_no_call(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """The error names the system."""
    await set_up()
    world.cloud.requests.clear()
    with pytest.raises(ServiceValidationError) as raised:
        await _read(hass)
    assert raised.value.translation_key == "no_meters"
    assert raised.value.translation_placeholders == {"name": "Hilltop"}
    assert world.calls == []


async def test_retired_meter_is_listed(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """The time of its last reading no longer changes."""
    await set_up()
    world.system.replace_meter("production", dt_util.utcnow())
    await pass_time(hass, freezer, timedelta(days=3), step=timedelta(hours=1))
    retired, present = (await _read(hass))[HILLTOP]["production"]
    assert retired["serial_number"] != present["serial_number"]
    assert datetime.fromisoformat(retired["read_at"]) <= NOW
    newest = datetime.fromisoformat(present["read_at"])
    assert dt_util.utcnow() - newest <= timedelta(minutes=30)


async def test_error_names_the_missing_access_control(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """It also names the plan that has this access control."""
    await set_up()
    world.cloud.faults.add(Fault(operation="production_meter_readings", status=401))
    with pytest.raises(HomeAssistantError) as raised:
        await _read(hass)
    assert raised.value.translation_key == "not_entitled"
    placeholders = raised.value.translation_placeholders
    assert placeholders is not None
    assert placeholders["access_control"] == "Site Level Production Monitoring"
    assert placeholders["plan"] == "Watt"


async def test_failed_call_raises_an_error_and_is_not_repeated(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """The calls after it are not made."""
    await set_up()
    fault = Fault(operation="consumption_meter_readings", body={"meter_readings": 1.5})
    world.cloud.faults.add(fault)
    world.cloud.requests.clear()
    with pytest.raises(HomeAssistantError) as raised:
        await _read(hass)
    assert raised.value.translation_key == "update_failed"
    assert world.calls == ALL[:2]


async def test_no_request_without_calls_left(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """The error is that of an exhausted budget."""
    entry = await set_up()
    ledger = entry.runtime_data.budget.ledger
    ledger.refused_by_cloud(dt_util.utcnow())
    world.cloud.requests.clear()
    with pytest.raises(HomeAssistantError) as raised:
        await _read(hass)
    assert raised.value.translation_key == "budget_exhausted"
    assert world.cloud.requests == []


async def test_system_that_is_not_visible_makes_no_call(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """Enphase would refuse each of them."""
    await set_up()
    world.cloud.faults.add(Fault(operation="summary", status=403))
    with pytest.raises(HomeAssistantError):
        await press(hass, "button.hilltop_refresh_now")
    world.cloud.requests.clear()
    with pytest.raises(HomeAssistantError) as raised:
        await _read(hass)
    assert raised.value.translation_key == "system_not_visible"
    assert world.calls == []


async def test_user_needs_permission_to_control(
    hass: HomeAssistant, world: World, set_up: SetUp, hass_read_only_user: MockUser
) -> None:
    """The action costs calls."""
    await set_up()
    world.cloud.requests.clear()
    with pytest.raises(Unauthorized):
        await _read(hass, user_id=hass_read_only_user.id)
    assert world.calls == []


async def test_calls_count_as_calls_of_the_user(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """They use the reserve that background work leaves."""
    entry = await set_up()
    ledger = entry.runtime_data.budget.ledger
    used = ledger.used(dt_util.utcnow())
    await _read(hass)
    assert ledger.used(dt_util.utcnow()) == used + 3
