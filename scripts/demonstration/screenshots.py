"""Take the pictures of docs/images: walk through the demo as a user would."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
import shutil
from typing import Final
from urllib.parse import urlencode

from aiohttp import ClientSession
from playwright.async_api import Browser, Page, ViewportSize, async_playwright

from simulator.demo import SECOND_OWNER

from .energies import configure_dashboard, until_accepted, until_imported
from .home_assistant import PASSWORD, TIME_ZONE, USERNAME
from .processes import DemoError, until
from .set_up import DOMAIN, add_integration, demo_credentials, entities_of
from .stage import CHECKOUT, Stage, temporary_stage

_PICTURES: Final = CHECKOUT / "docs" / "images"
_SIZE: Final[ViewportSize] = {"width": 1280, "height": 860}
_TALL: Final[ViewportSize] = {"width": 1280, "height": 1500}

_BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")
# As root in a container, and without talking to anybody.
_FLAGS: Final = """
    --headless --no-sandbox --disable-gpu --disable-quic --no-first-run
    --disable-background-networking --disable-component-update --disable-sync
""".split()
# Home Assistant has no event for the end of its animations.
_ANIMATION_MS: Final = 1_200

# Where the second owner's systems are.
_SECOND_TIME_ZONE: Final = "America/Chicago"
# So many frames make a page to look at.
_FRAMES: Final = 15
# Before and after a burst, curves are at rest.
_REST: Final = timedelta(seconds=15)
_CURVES: Final = (
    "current_power_production",
    "current_power_consumption",
    "net_consumption",
)
_ENERGY: Final = {"energy_updates": 24, "history": "day"}
# What to choose on the page for each picture; of the day before yesterday all hours
# have settled.
_PERIODS: Final = {
    "day": ("Yesterday", "Previous"),
    "month": ("This month",),
    "year": ("This year",),
}


async def take_all() -> None:
    """Start empty demos, use the integration by mouse, and take all pictures.

    Raises DemoError where there is no browser, or a page is not as expected.
    """
    async with ClientSession() as session, _browsing() as browser:
        async with (
            temporary_stage(session) as stage,
            _visiting(browser, stage, _SECOND_TIME_ZONE) as visitor,
        ):
            await _Tour(visitor, stage).walk()
        async with (
            temporary_stage(session) as stage,
            _visiting(browser, stage, TIME_ZONE) as visitor,
        ):
            await _look_at_energies(session, visitor, stage)


@asynccontextmanager
async def _browsing() -> AsyncGenerator[Browser]:
    """Run a browser while the context lasts. Raises DemoError where there is none."""
    path = next((found for name in _BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        raise DemoError(
            "There is no Chromium on the path."
            " Install one (Debian: `apt-get install chromium`) and start again."
        )
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=_FLAGS)
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def _visiting(
    browser: Browser, stage: Stage, time_zone: str
) -> AsyncGenerator[_Visitor]:
    """Visit the Home Assistant of a stage while the context lasts."""
    context = await browser.new_context(
        viewport=_SIZE, locale="en-US", timezone_id=time_zone
    )
    try:
        yield _Visitor(await context.new_page(), stage.home_assistant.url)
    finally:
        await context.close()


class _Visitor:
    """A user with mouse, keyboard and camera."""

    def __init__(self, page: Page, url: str) -> None:
        """Visit the Home Assistant at an address."""
        self.page = page
        self._url = url

    async def log_in(self) -> None:
        """Log in as the demo's user."""
        page = self.page
        await self.go("/")
        await page.locator("input[name=username]").fill(USERNAME)
        await page.locator("input[name=password]").fill(PASSWORD)
        await page.keyboard.press("Enter")
        await page.get_by_text("Overview").first.wait_for()

    async def go(self, path: str) -> None:
        """Open a page of Home Assistant."""
        await self.page.goto(f"{self._url}{path}")

    async def press(self, name: str) -> None:
        """Press the button of a name; the newest if there are several."""
        await self.page.get_by_role("button", name=name, exact=True).last.click()

    async def rest(self) -> None:
        """Wait until the page does not move any more."""
        await self.page.wait_for_load_state("networkidle")
        await self.page.wait_for_timeout(_ANIMATION_MS)

    async def shoot(self, name: str) -> None:
        """Take a picture of the page at rest for docs/images."""
        await self.rest()
        path = _PICTURES / f"demo-{name}.png"
        await self.page.screenshot(path=path)
        print(f"  {path.relative_to(CHECKOUT)}", flush=True)


class _Tour:
    """All that a user sees who sets the integration up, and lives with it."""

    def __init__(self, visitor: _Visitor, stage: Stage) -> None:
        """Visit a stage."""
        self._visitor = visitor
        self._page = visitor.page
        self._stage = stage
        self._credentials = demo_credentials(SECOND_OWNER)
        self._system_id = self._credentials.system_ids[-1]

    async def walk(self) -> None:
        """Go from the login to the repairs."""
        await self._visitor.log_in()
        await self._add_integration()
        await self._choose_options()
        await self._look_at_live_data()
        await self._look_at_repairs()

    async def _add_integration(self) -> None:
        page, visitor = self._page, self._visitor
        application = self._credentials.application
        await visitor.go("/config/integrations/dashboard")
        await visitor.press("Add integration")
        await page.locator("dialog input, ha-dialog input").first.wait_for()
        await page.keyboard.type("Enphase Cloud")
        await page.get_by_text("Enphase Cloud", exact=True).first.click()
        await page.locator("input[name=name]").fill(application.name)
        await page.locator("input[name=clientId]").fill(application.client_id)
        await page.locator("input[name=clientSecret]").fill(application.client_secret)
        await visitor.shoot("credentials")
        async with page.context.expect_page() as opened:
            await visitor.press("Add")
        await self._sign_in(await opened.value)
        await page.locator("input[name=api_key]").fill(application.api_key)
        await page.locator("ha-select").last.click()
        await page.get_by_text(f"{application.plan.name}: ").first.click()
        await visitor.shoot("api-key")
        await visitor.press("Submit")
        await page.get_by_text("Choose systems").wait_for()
        await visitor.rest()
        await visitor.press("Submit")
        await page.get_by_text("History to import").first.wait_for()
        await visitor.shoot("energy")
        await visitor.press("Submit")
        await visitor.press("Skip and finish")

    async def _sign_in(self, page: Page) -> None:
        await page.locator("input[name=email]").fill(self._credentials.email)
        await page.locator("input[name=password]").fill(self._credentials.password)
        await page.get_by_role("button", name="Approve").click()

    async def _choose_options(self) -> None:
        """See what the smallest plan would give, and then choose live data."""
        page = self._page
        plan = self._credentials.application.plan
        await self._begin_options("Watt (free): ", energy_updates="1")
        await self._visitor.shoot("options-freshness")
        await self._begin_options(f"{plan.name}: ", energy_updates="24")
        await self._visitor.press("Next")
        numbers = page.locator("input[type=number]")
        await numbers.first.fill("300")
        await numbers.last.fill("1")
        await page.locator("ha-switch").last.click()
        await self._visitor.press("Submit")

    async def _begin_options(self, plan: str, *, energy_updates: str) -> None:
        """Go through the options, up to what is to be freshest."""
        page = self._page
        await self._visitor.go(f"/config/integrations/integration/{DOMAIN}")
        await self._visitor.press("Configure")
        await page.locator("ha-select").last.click()
        await page.get_by_text(plan).last.click()
        await self._visitor.press("Next")
        await page.get_by_text("History to import").first.wait_for()
        await page.locator("input[type=number]").fill(energy_updates)
        await self._visitor.press("Next")
        await page.get_by_text("What should be freshest").first.wait_for()

    async def _look_at_live_data(self) -> None:
        """Look at the system that streams, and at the curves of a burst."""
        page, cloud = self._page, self._stage.cloud

        async def streams() -> bool:
            return len(await cloud.frames(self._system_id)) >= _FRAMES

        await until("live data has streamed for a while", streams, seconds=120)
        entities = await entities_of(self._stage.home_assistant, self._system_id)
        device = entities["refresh"]["device_id"]
        await self._visitor.go(f"/config/devices/device/{device}")
        await page.set_viewport_size(_TALL)
        await self._visitor.shoot("device")
        await page.set_viewport_size(_SIZE)
        await until("live data has ended", cloud.has_ended_streaming, seconds=120)
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
        await self._visitor.go(f"/history?{query}")
        await self._visitor.shoot("history")

    async def _look_at_repairs(self) -> None:
        """Let the cloud refuse what should still be allowed, and see what is told."""
        home_assistant = self._stage.home_assistant
        entities = await entities_of(home_assistant, self._system_id)
        await self._stage.cloud.order_fault(quota="month")
        with suppress(DemoError):
            await home_assistant.press(entities["refresh"]["entity_id"])
        await self._visitor.go("/config/repairs")
        text = "Another program uses the API key"
        await self._page.get_by_text(text).first.click()
        await self._visitor.shoot("repair")


async def _look_at_energies(
    session: ClientSession, visitor: _Visitor, stage: Stage
) -> None:
    """Let a system with batteries import energies, and look at the dashboard."""
    credentials = demo_credentials()
    home_assistant, system_id = stage.home_assistant, credentials.system_ids[0]
    await add_integration(session, home_assistant, credentials, energy=_ENERGY)
    await configure_dashboard(home_assistant, system_id)
    await until_imported(home_assistant, system_id)
    await visitor.log_in()
    await visitor.page.set_viewport_size(_TALL)
    for name, (period, *further) in _PERIODS.items():
        await visitor.go("/energy/electricity")
        await visitor.rest()
        selector = visitor.page.locator("hui-energy-period-selector")
        await selector.locator(".date-picker-icon").click()
        await visitor.page.get_by_text(period, exact=True).last.click()
        for button in further:
            await visitor.press(button)
        # Where the pointer rests, a line of the table is marked.
        await visitor.page.mouse.move(0, 0)
        await visitor.shoot(f"energy-{name}")
    await until_accepted(home_assistant)
    await visitor.go("/config/energy/electricity")
    await visitor.page.get_by_text("Home battery storage").wait_for()
    await visitor.shoot("energy-settings")
