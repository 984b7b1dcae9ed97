"""Take the pictures of docs/images, while using the demo as a user does."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from playwright.async_api import Browser, Page, ViewportSize

from scripts.browsing.browser import browsing
from simulator.demo import DEMO_PASSWORD, OWNER, SECOND_OWNER
from simulator.places import OAKLAND, Place, place_at_noon

from .command_line import CHECKOUT, DemoError
from .home_assistant import PASSWORD, USERNAME
from .past_day import record_past_day
from .processes import until
from .set_up import (
    DOMAIN,
    TARIFFS,
    add_dashboard,
    add_integration,
    add_tariff,
    application,
    systems_of,
)
from .stage import Stage, temporary_stage
from .system import System

_PICTURES: Final = CHECKOUT / "docs" / "images"
_SIZE: Final[ViewportSize] = {"width": 1280, "height": 860}
_TALL: Final[ViewportSize] = {"width": 1280, "height": 1500}
_DASHBOARD: Final[ViewportSize] = {"width": 1280, "height": 1085}

# Home Assistant has no event for the end of its animations, nor for icons.
_ANIMATION_MS: Final = 3_000

# The first plan with battery settings.
_PLAN: Final = "megawatt"
# The time zone of the second owner's systems.
_SECOND_TIME_ZONE: Final = "America/Chicago"
# The fewest frames that make a good picture of a live session.
_FRAMES: Final = 15
# The time that curves show before and after a live session.
_REST: Final = timedelta(seconds=15)
_CURVES: Final = (
    "current_power_production",
    "current_power_consumption",
    "net_consumption",
)
# What to select on the page for each picture. The day is the one before yesterday:
# the cloud no longer corrects its hours.
_PERIODS: Final = {
    "day": ("Yesterday", "Previous"),
    "month": ("This month",),
    "year": ("This year",),
}


async def take_all() -> None:
    """Start empty demos, use the integration by mouse, and take all pictures.

    Raises DemoError if there is no browser, or if Home Assistant is not as expected.
    """
    async with browsing() as browser:
        async with _visit(browser, OAKLAND, _SECOND_TIME_ZONE) as visitor:
            await visitor.walk()
        noon = place_at_noon(datetime.now(UTC))
        async with _visit(browser, noon, noon.time_zone) as visitor:
            await visitor.look_at_energy()


@asynccontextmanager
async def _visit(
    browser: Browser, place: Place, time_zone: str
) -> AsyncGenerator[_Visitor]:
    """Run a new Home Assistant, and yield its user, until the context ends."""
    async with temporary_stage(place) as stage:
        context = await browser.new_context(
            viewport=_SIZE,
            locale="en-US",
            timezone_id=time_zone,
            base_url=stage.home_assistant.url,
        )
        try:
            yield _Visitor(await context.new_page(), stage)
        finally:
            await context.close()


@dataclass(frozen=True, slots=True)
class _Visitor:
    """A user who takes pictures."""

    page: Page
    stage: Stage

    @property
    def _system(self) -> System:
        """Return the last system of the owner who has several."""
        return System(self.stage.home_assistant, systems_of(SECOND_OWNER)[-1])

    async def _log_in(self) -> None:
        """Log in as the demo's user."""
        page = self.page
        await page.goto("/")
        await page.locator("input[name=username]").fill(USERNAME)
        await page.locator("input[name=password]").fill(PASSWORD)
        await page.keyboard.press("Enter")
        await page.get_by_text("Overview").first.wait_for()

    async def _press(self, name: str) -> None:
        """Press the button with a name; the last if there are several."""
        await self.page.get_by_role("button", name=name, exact=True).last.click()

    async def _rest(self) -> None:
        """Wait until the page has loaded and its animations are over."""
        await self.page.wait_for_load_state("networkidle")
        await self.page.wait_for_timeout(_ANIMATION_MS)

    async def _shoot(self, name: str) -> None:
        """Take a picture of the page at rest, into docs/images."""
        await self._rest()
        path = _PICTURES / f"demo-{name}.png"
        await self.page.screenshot(path=path)
        print(f"  {path.relative_to(CHECKOUT)}", flush=True)

    async def walk(self) -> None:
        """Set the integration up, and use it: options, live data, a repair."""
        await self._log_in()
        await self._add_integration()
        await self._choose_options()
        await self._look_at_live_data()
        await self._look_at_repairs()

    async def _add_integration(self) -> None:
        page = self.page
        registered = application()
        await page.goto("/config/integrations/dashboard")
        await self._press("Add integration")
        await page.locator("dialog input, ha-dialog input").first.wait_for()
        await page.keyboard.type("Enphase Cloud")
        await page.get_by_text("Enphase Cloud", exact=True).first.click()
        await page.locator("input[name=name]").fill(registered.name)
        await page.locator("input[name=clientId]").fill(registered.client_id)
        await page.locator("input[name=clientSecret]").fill(registered.client_secret)
        await self._shoot("credentials")
        async with page.context.expect_page() as opened:
            await self._press("Add")
        await self._sign_in(await opened.value)
        await page.locator("input[name=api_key]").fill(registered.api_key)
        await page.locator("ha-select").last.click()
        await page.get_by_text(f"{registered.plan.name}: ").first.click()
        await self._shoot("api-key")
        await self._press("Submit")
        await page.get_by_text("Select systems").wait_for()
        await self._rest()
        await self._press("Submit")
        await self._press("Skip and finish")

    async def _sign_in(self, page: Page) -> None:
        await page.locator("input[name=email]").fill(SECOND_OWNER)
        await page.locator("input[name=password]").fill(DEMO_PASSWORD)
        await page.get_by_role("button", name="Approve").click()

    async def _choose_options(self) -> None:
        """Show the options of the smallest plan, then switch to live sessions."""
        page = self.page
        plan = application().plan
        await self._choose_plan("Watt (free): ")
        await self._open_options("Freshness")
        await page.get_by_text("What should be freshest").first.wait_for()
        await self._shoot("options-freshness")
        await self._open_options("Energy data and history")
        await page.get_by_text("History to import").first.wait_for()
        await self._shoot("options-energy")
        await self._choose_plan(f"{plan.name}: ")
        await self._open_options("Live sessions")
        numbers = page.locator("input[type=number]")
        await numbers.first.fill("300")
        await numbers.last.fill("1")
        await page.locator("ha-switch").last.click()
        await self._press("Submit")
        await page.get_by_text("Time between live sessions").first.wait_for()
        await self._press("Submit")
        await self._press("Finish")

    async def _choose_plan(self, plan: str) -> None:
        await self._open_options("Plan")
        await self.page.locator("ha-select").last.click()
        await self.page.get_by_text(plan).last.click()
        await self._press("Submit")
        await self._press("Finish")

    async def _open_options(self, item: str) -> None:
        """Open a page of the options by its name in the menu."""
        await self._rest()
        await self.page.goto(f"/config/integrations/integration/{DOMAIN}")
        await self._press("Configure")
        await self.page.get_by_text(item, exact=True).first.click()

    async def _look_at_live_data(self) -> None:
        """Show the curves of a live session in the history."""
        page, cloud = self.page, self.stage.cloud

        async def streams() -> bool:
            return len(await cloud.frames(self._system.system_id)) >= _FRAMES

        await until(f"{_FRAMES} live frames", streams, seconds=120)
        entities = await self._system.entities()
        await until("the live session to end", cloud.has_ended_streaming, seconds=120)
        stream = (await cloud.streams())[-1]
        began = datetime.fromisoformat(stream["opened_at"])
        ended = datetime.fromisoformat(stream["closed_at"])
        await page.wait_for_timeout(_REST / timedelta(milliseconds=1))
        query = urlencode(
            {
                "entity_id": ",".join(entities[key]["entity_id"] for key in _CURVES),
                "start_date": (began - _REST).isoformat(),
                "end_date": (ended + _REST).isoformat(),
            }
        )
        await self.page.goto(f"/history?{query}")
        await self._shoot("history")

    async def _look_at_repairs(self) -> None:
        """Let the cloud refuse calls within the plan, and show the repair issue."""
        await self.stage.cloud.add_fault(quota="month")
        with suppress(DemoError):
            await self._system.press("refresh")
        await self.page.goto("/config/repairs")
        text = "Another program uses the API key"
        await self.page.get_by_text(text).first.click()
        await self._shoot("repair")

    async def _look_at_overview(self, system: System) -> None:
        """Add the integration's dashboard, and show it as after a day."""
        await record_past_day(self.stage.folder, self.stage.cloud, system)
        await add_dashboard(self.stage.home_assistant)
        # The sidebar shows icons only.
        await self.page.evaluate("localStorage.dockedSidebar = '\"auto\"'")
        await self.page.set_viewport_size(_DASHBOARD)
        await self.page.goto("/enphase-cloud")
        await self.page.get_by_text("Panels").first.wait_for()
        await self._shoot("dashboard")

    async def look_at_energy(self) -> None:
        """Import the energy of a system with batteries; show device and dashboards."""
        page, home_assistant = self.page, self.stage.home_assistant
        system = System(home_assistant, systems_of(OWNER)[0])
        entry = await add_integration(home_assistant, plan=_PLAN)
        for tariff in TARIFFS:
            await add_tariff(home_assistant, entry, tariff)
        await system.until_imported()
        await system.until_on_dashboard()
        await self._log_in()
        await page.set_viewport_size(_TALL)
        device = (await system.entities())["refresh"]["device_id"]
        await page.goto(f"/config/devices/device/{device}")
        await page.get_by_text("Refresh now").first.wait_for()
        await self._shoot("device")
        for name, (period, *further) in _PERIODS.items():
            await page.goto("/energy/electricity")
            await self._rest()
            selector = page.locator("hui-energy-period-selector")
            await selector.locator(".date-picker-icon").click()
            await page.get_by_text(period, exact=True).last.click()
            for button in further:
                await self._press(button)
            # Away from the table, which highlights the line under the pointer.
            await page.mouse.move(0, 0)
            await self._shoot(f"energy-{name}")
        await system.until_accepted()
        await page.goto("/config/energy/electricity")
        await page.get_by_text("Home battery storage").wait_for()
        await self._shoot("energy-settings")
        # Last, as it hides the names of the sidebar.
        await self._look_at_overview(system)
