"""A user with the Megawatt plan controls the system, and deletes the account."""

from collections.abc import AsyncGenerator
from typing import Any

from playwright.async_api import expect
import pytest

from scripts.browsing.browser import PHONE
from scripts.browsing.newcomer import add_account, open_device, press_row
from scripts.browsing.user import User
from scripts.browsing.words import starting, word
from scripts.demonstration.processes import until
from scripts.demonstration.set_up import (
    DOMAIN,
    add_integration,
    application,
    choose_options,
    entries_of_integration,
    systems_of,
    until_loaded,
)
from scripts.demonstration.stage import Stage, temporary_stage
from simulator.demo import OWNER

from .conftest import Visit

PAGE = f"/config/integrations/integration/{DOMAIN}"
PLAN = "megawatt"
MODE = "entity.select.storage_mode"
LIVE = {"streams_per_month": 10, "live_bursts": False, "burst_length": 300}
RESERVE = "entity.number.reserve_soc.name"


@pytest.fixture(scope="module")
async def stage() -> AsyncGenerator[Stage]:
    """Yield a Home Assistant of this module's own, for another plan."""
    async with temporary_stage() as running:
        yield running


@pytest.fixture
async def home(stage: Stage) -> None:
    """Set the integration up if no earlier test has."""
    if not await entries_of_integration(stage.home_assistant):
        await add_integration(stage.home_assistant, plan=PLAN)


async def test_set_up_by_keyboard(visit: Visit, stage: Stage) -> None:
    """Set-up needs no mouse."""
    user = await visit(by_keyboard=True)
    await add_account(user, application(PLAN), OWNER, price="0.34")
    await user.page.wait_for_url(f"**{PAGE}*")
    (entry,) = await entries_of_integration(stage.home_assistant)
    assert entry["state"] == "loaded"


@pytest.mark.parametrize(
    ("mode", "true", "screen"),
    [
        ("full_backup", "Full Backup", {"size": PHONE, "dark": True}),
        ("savings", "Savings Mode", {"by_keyboard": True}),
    ],
)
async def test_the_battery_changes_its_mode(
    visit: Visit,
    stage: Stage,
    home: None,
    mode: str,
    true: str,
    screen: dict[str, Any],
) -> None:
    """A mode that the user selects takes effect, on a dark phone or by keyboard."""
    user = await visit(**screen)
    await user.visit(PAGE)
    await open_device(user, "Hillside")
    await user.choose(f"{MODE}.name", f"{MODE}.state.{mode}")

    async def has_arrived() -> bool:
        return bool((await _settings(stage))["mode"] == true)

    await until("the mode in the cloud", has_arrived)
    await _mode_is(user, mode)


async def test_the_battery_keeps_a_reserve(
    visit: Visit, stage: Stage, home: None
) -> None:
    """A valid reserve is stored and shown; Full backup explains a refused one."""
    user = await visit()
    await user.visit(PAGE)
    await open_device(user, "Hillside")
    await _type_reserve(user, 35)

    async def has_arrived() -> bool:
        settings = await _settings(stage)
        return bool(settings["reserves"].get(settings["mode"]) == 35)

    await until("the reserve in the cloud", has_arrived)
    await user.page.reload()
    field = user.page.get_by_role("spinbutton", name=word(RESERVE))
    await expect(field).to_have_value("35")
    await user.choose(f"{MODE}.name", f"{MODE}.state.full_backup")
    await _mode_is(user, "full_backup")
    await expect(field).to_have_value("100")
    await _type_reserve(user, 50)
    await user.sees("exceptions.reserve_is_full.message")
    assert (await _settings(stage))["mode"] == "Full Backup"


async def test_the_next_live_frame_has_the_new_mode(
    visit: Visit, stage: Stage, home: None
) -> None:
    """A mode that the user selects in a live session takes effect in it."""
    home_assistant, (system_id,) = stage.home_assistant, systems_of(OWNER)
    (entry,) = await entries_of_integration(home_assistant)
    await choose_options(home_assistant, entry, live=LIVE)
    await until_loaded(home_assistant, entry)
    await stage.cloud.send(f"systems/{system_id}/settings", settings_delay=0)
    user = await visit()
    await user.visit(PAGE)
    await open_device(user, "Hillside")
    for mode, true in (("savings", "Savings Mode"), ("full_backup", "Full Backup")):
        await user.choose(f"{MODE}.name", f"{MODE}.state.{mode}")
        if not await stage.cloud.frames(system_id):
            await press_row(user, "entity.button.start_live_stream.name")

        async def is_in_force(mode: str = mode, true: str = true) -> bool:
            frames = await stage.cloud.frames(system_id)
            # The entity appears with the first frame.
            states = await home_assistant.states()
            shown = states.get("sensor.hillside_battery_mode", {}).get("state")
            return bool(frames and frames[-1]["battery_mode"] == true and shown == mode)

        await until(f"a live frame with {true}", is_in_force)
    assert not await stage.cloud.has_ended_streaming()


async def test_deletion_by_keyboard(visit: Visit, stage: Stage, home: None) -> None:
    """Deletion removes devices and entities."""
    user = await visit(by_keyboard=True)
    await user.visit(PAGE)
    row = user.page.locator("ha-config-entry-row")
    await user.activate(row.get_by_role("button", name="Menu").first)
    await user.choose_item("ui.panel.config.integrations.config_entry.delete")
    await user.press("ui.common.delete")
    await row.wait_for(state="hidden")
    assert not await entries_of_integration(stage.home_assistant)


async def _settings(stage: Stage) -> Any:
    (system_id,) = systems_of(OWNER)
    return (await stage.cloud.get(f"systems/{system_id}/settings"))["settings"]


async def _mode_is(user: User, mode: str) -> None:
    shown = starting(f"{word(f'{MODE}.name')} {word(f'{MODE}.state.{mode}')}")
    # Home Assistant's activity list has it, too.
    lists = user.page.locator("ha-select")
    await lists.get_by_role("button", name=shown).wait_for()


async def _type_reserve(user: User, percent: int) -> None:
    await user.fill(RESERVE, str(percent))
    await user.page.keyboard.press("Enter")
