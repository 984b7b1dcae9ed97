"""Who may start what costs calls or money."""

from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.auth.permissions.models import PermissionLookup
from homeassistant.components.button import DOMAIN as BUTTON, SERVICE_PRESS
from homeassistant.const import ATTR_ENTITY_ID, STATE_ON
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import Unauthorized, UnknownUser
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockUser

from custom_components.enphase_cloud.const import DOMAIN

from .conftest import SetUp, World
from .helpers import state
from .live import BUTTON_START, LIVE

ACTIONS: dict[str, dict[str, Any]] = {
    "start_live_stream": {},
    "stop_live_stream": {},
    "import_history": {"resolution": "day"},
    "stop_import": {},
    "get_readings": {},
    "export_energy": {
        "resolution": "day",
        "from": "2026-06-01",
        "filename": "www/energy.csv",
    },
}


@pytest.fixture(autouse=True)
def _noon(freezer: FrozenDateTimeFactory) -> None:
    freezer.move_to("2026-06-21 10:07:00+00:00")


async def _act(
    hass: HomeAssistant, action: str, user_id: str | None, **data: Any
) -> None:
    await hass.services.async_call(
        DOMAIN,
        action,
        ACTIONS[action] | data,
        blocking=True,
        return_response=action.startswith("get_"),
        context=Context(user_id=user_id),
    )


def _device_id(hass: HomeAssistant, name: str) -> str:
    entity = er.async_get(hass).async_get(f"button.{name}_refresh_now")
    assert entity is not None
    assert entity.device_id is not None
    return entity.device_id


def _user_of(hass: HomeAssistant, *device_ids: str) -> MockUser:
    """Return a user who may control the entities of some devices."""
    user = MockUser().add_to_hass(hass)
    user.perm_lookup = PermissionLookup(er.async_get(hass), dr.async_get(hass))
    user.mock_policy({"entities": {"device_ids": dict.fromkeys(device_ids, True)}})
    return user


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("target", ["device", "nothing"])
async def test_a_read_only_user_cannot_act(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    hass_read_only_user: MockUser,
    action: str,
    target: str,
) -> None:
    """As with actions of entities; nothing leaves, nothing is begun."""
    await set_up()
    world.cloud.requests.clear()
    data: dict[str, Any] = {}
    if target == "device":
        data = {"device_id": _device_id(hass, "hilltop")}
    with pytest.raises(Unauthorized) as raised:
        await _act(hass, action, hass_read_only_user.id, **data)
    assert raised.value.permission == "control"
    with pytest.raises(UnknownUser):
        await _act(hass, action, "nobody", **data)
    await hass.async_block_till_done()
    assert world.calls == []


@pytest.mark.parametrize("entity_id", [BUTTON_START, "button.hilltop_refresh_now"])
async def test_a_read_only_user_cannot_press(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    hass_read_only_user: MockUser,
    entity_id: str,
) -> None:
    """Home Assistant sees to that, for buttons are entities."""
    await set_up()
    world.cloud.requests.clear()
    with pytest.raises(Unauthorized):
        await hass.services.async_call(
            BUTTON,
            SERVICE_PRESS,
            {ATTR_ENTITY_ID: entity_id},
            blocking=True,
            context=Context(user_id=hass_read_only_user.id),
        )
    assert world.calls == []


@pytest.mark.parametrize("who", ["automation", "owner", "user of the device"])
async def test_who_may_control_may_act(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    hass_owner_user: MockUser,
    who: str,
) -> None:
    """An automation acts for nobody, and may."""
    await set_up()
    device_id = _device_id(hass, "hilltop")
    user_id = None
    if who == "owner":
        user_id = hass_owner_user.id
    elif who == "user of the device":
        user_id = _user_of(hass, device_id).id
    await _act(hass, "start_live_stream", user_id, device_id=device_id)
    assert state(hass, LIVE) == STATE_ON


async def test_each_system_must_be_the_users(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """Who may control one system of an account starts no stream of another."""
    world.add_system(name="Barn")
    await set_up()
    hilltop = _device_id(hass, "hilltop")
    user = _user_of(hass, hilltop)
    world.cloud.requests.clear()
    with pytest.raises(Unauthorized):
        await _act(hass, "start_live_stream", user.id)
    with pytest.raises(Unauthorized):
        await _act(
            hass, "start_live_stream", user.id, device_id=_device_id(hass, "barn")
        )
    assert world.calls == []
    await _act(hass, "start_live_stream", user.id, device_id=hilltop)
    assert world.calls == ["live_data"]
