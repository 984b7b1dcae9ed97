"""What a home owner does with the integration after its set-up."""

import re

from playwright.async_api import expect
import pytest

from scripts.browsing.browser import PHONE
from scripts.browsing.newcomer import (
    CLOSE,
    FINISH,
    SUBMIT,
    configure,
    open_device,
    press_row,
    row_of,
    sign_in_from,
)
from scripts.browsing.words import starting, texts, word
from scripts.demonstration.processes import until
from scripts.demonstration.set_up import (
    DOMAIN,
    add_integration,
    add_tariff,
    entries_of_integration,
)
from scripts.demonstration.stage import Stage
from simulator.demo import OWNER

from .conftest import Visit

PAGE = f"/config/integrations/integration/{DOMAIN}"
TARIFF = {"user": {"direction": "import", "kind": "fixed"}, "fixed": {"price": 0.34}}
# The flows of a complete system: production, consumption, and both directions of grid
# and batteries.
FLOWS = 6


@pytest.fixture
async def home(stage: Stage) -> None:
    """Set the integration up if no earlier test has."""
    if not await entries_of_integration(stage.home_assistant):
        entry = await add_integration(stage.home_assistant)
        await add_tariff(stage.home_assistant, entry, TARIFF)


async def test_costs_appear_without_further_steps(visit: Visit, home: None) -> None:
    """Costs need only a price; they appear with the energy, after a minute."""
    user = await visit()
    await user.visit(PAGE)
    await open_device(user, "Hillside")
    cost = await row_of(user, "entity.sensor.cost_today.name")
    await expect(cost).to_contain_text(re.compile(r"\d"), timeout=180_000)


async def test_options_on_a_dark_phone(visit: Visit, stage: Stage, home: None) -> None:
    """Changed options are stored, and no page is wider than the screen."""
    user = await visit(PHONE, dark=True)
    await user.visit(PAGE)
    page = user.page
    for name in texts("options.step.init.menu_options"):
        if name in {"call_budget", "dashboard"}:  # Of other plans; tested below.
            continue
        await configure(user, name)
        await (await user.button(SUBMIT)).wait_for()
        assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
        await user.press(CLOSE)
    await configure(user, "profile")
    profile, battery = "options.step.profile.data.profile", "Battery first"
    await user.choose(profile, battery)
    await user.press(SUBMIT)
    await user.press(FINISH)
    await configure(user, "profile")
    called = starting(f"{word(profile)} * {battery}")
    await page.get_by_role("button", name=called).wait_for()


async def test_reauthentication_by_keyboard(
    visit: Visit, stage: Stage, home: None
) -> None:
    """After Enphase has revoked the sign-in, the user signs in again."""
    user = await visit(by_keyboard=True)
    await stage.cloud.send("tokens/revoke")
    await user.visit(PAGE)
    await open_device(user, "Hillside")
    await press_row(user, "entity.button.refresh.name")
    await user.visit("/config/integrations/dashboard")
    await user.press("ui.panel.config.integrations.reconfigure")
    await user.sees(word("config.step.reauth_confirm.description").split("{")[0])
    await sign_in_from(user, SUBMIT, OWNER)
    await user.sees("config.step.keep_api_key.data.api_key")
    await user.press(SUBMIT)
    await user.press(CLOSE)

    async def is_loaded() -> bool:
        (entry,) = await entries_of_integration(stage.home_assistant)
        return bool(entry["state"] == "loaded")

    await until("the account to load", is_loaded)
    assert not await _flows(stage)


async def test_a_repair_on_a_phone(visit: Visit, stage: Stage, home: None) -> None:
    """Enphase refuses calls; the user selects to try again, and the repair is gone."""
    user = await visit(PHONE)
    await stage.cloud.add_fault(quota="month")
    await user.visit(PAGE)
    await open_device(user, "Hillside")
    await press_row(user, "entity.button.refresh.name")
    await user.visit("/config/repairs")
    title = word("issues.quota_refused.title")
    repair = user.page.get_by_role("button", name=re.compile(title))
    await repair.wait_for()
    await stage.cloud.send("faults", method="DELETE")
    await user.activate(repair)
    await user.press(SUBMIT)
    await user.press(FINISH)
    await repair.wait_for(state="hidden")


async def test_the_energy_dashboard_is_filled(
    visit: Visit, stage: Stage, home: None
) -> None:
    """The dialog lists what it adds, and adds it."""
    command = stage.home_assistant.command

    async def has_statistics() -> bool:
        known = await command("recorder/list_statistic_ids")
        return sum(each["source"] == DOMAIN for each in known) >= FLOWS

    await until("the statistics", has_statistics)
    await command("energy/save_prefs", energy_sources=[], device_consumption=[])
    user = await visit()
    await user.visit(PAGE)
    await configure(user, "dashboard")
    await user.page.get_by_role("listitem").filter(has_text="Hillside").first.wait_for()
    await user.press(SUBMIT)
    await user.press(FINISH)
    sources = (await command("energy/get_prefs"))["energy_sources"]
    assert {source["type"] for source in sources} >= {"battery", "grid", "solar"}


async def test_the_integrations_dashboard_is_added(visit: Visit, home: None) -> None:
    """The dashboard is offered by name, needs no input, and shows the system."""
    user = await visit()
    await user.visit("/config/lovelace/dashboards")
    await user.press("ui.panel.config.lovelace.dashboards.picker.add_dashboard")
    await user.press("Enphase Cloud")
    create = await user.button("ui.panel.config.lovelace.dashboards.detail.create")
    await user.activate(create)
    await create.wait_for(state="hidden")
    await user.visit("/dashboard-enphase")
    for name in ("power", "today", "battery", "panels", "calls"):
        await user.sees(f"selector.overview.options.{name}")
    await user.sees("entity.sensor.current_power_production.name")


async def _flows(stage: Stage) -> list[object]:
    flows = await stage.home_assistant.command("config_entries/flow/progress")
    return [flow for flow in flows if flow["handler"] == DOMAIN]
