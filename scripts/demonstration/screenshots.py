"""Take the pictures of docs/images: walk through the demo as a user would."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
import shutil
import tempfile
from typing import Final
from urllib.parse import urlencode

from aiohttp import ClientSession
from playwright.async_api import (
    Browser,
    ConsoleMessage,
    Page,
    ViewportSize,
    async_playwright,
)

from simulator.demo import SECOND_OWNER

from .cloud import Cloud
from .credentials import Credentials, demo_credentials, systems_of
from .entities import Entities
from .folder import CHECKOUT, remove
from .home_assistant import PASSWORD, USERNAME, HomeAssistantError
from .processes import DemoError, free_port
from .set_up import DOMAIN
from .stage import Stage
from .waiting import until

_PICTURES: Final = CHECKOUT / "docs" / "images"
_SIZE: Final[ViewportSize] = {"width": 1280, "height": 860}
_TALL: Final[ViewportSize] = {"width": 1280, "height": 1500}

_BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")
# As root in a container, and without talking to anybody.
_FLAGS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

_STREAMS_PER_MONTH: Final = "300"
_PUBLISH_SECONDS: Final = "1"

# Home Assistant has no event for the end of its animations.
_ANIMATION_MS: Final = 1_200
# So many frames make a page to look at.
_FRAMES: Final = 15
# Before and after a burst, curves are at rest.
_REST: Final = timedelta(seconds=15)
_CURVES: Final = (
    "current_power_production",
    "current_power_consumption",
    "net_consumption",
)


async def take_all() -> None:
    """Start an empty demo, set the integration up by mouse, and take all pictures.

    Raises DemoError where there is no browser, or a page is not as expected.
    """
    folder = Path(tempfile.mkdtemp(prefix="enphase-cloud-pictures-"))
    _PICTURES.mkdir(parents=True, exist_ok=True)
    async with ClientSession() as session, _browser() as browser:
        stage = Stage(session, folder, port=free_port(), cloud_port=free_port())
        try:
            await stage.start()
            await _Visitor(browser, stage).walk()
        finally:
            await stage.end()
    remove(folder)


@asynccontextmanager
async def _browser() -> AsyncGenerator[Browser]:
    path = next((found for name in _BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        raise DemoError(
            "There is no Chromium on the path."
            " Install one (Debian: `apt-get install chromium`) and start again."
        )
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=path, args=list(_FLAGS)
        )
        try:
            yield browser
        finally:
            await browser.close()


class _Visitor:
    """A user with mouse, keyboard and camera."""

    def __init__(self, browser: Browser, stage: Stage) -> None:
        """Visit a stage."""
        self._browser = browser
        self._stage = stage
        self._credentials = demo_credentials(email=SECOND_OWNER)
        self._page: Page

    async def walk(self) -> None:
        """Go from the login to the repairs."""
        context = await self._browser.new_context(
            viewport=_SIZE, locale="en-US", timezone_id="America/Chicago"
        )
        self._page = await context.new_page()
        self._page.on("console", _complain)
        await self._log_in()
        await self._add_integration()
        await self._look_at_freshness()
        await self._choose_live_data()
        await self._look_at_live_data()
        await self._look_at_repairs()
        await context.close()

    async def _log_in(self) -> None:
        page = self._page
        await page.goto(self._stage.home_assistant.url)
        await page.locator("input[name=username]").fill(USERNAME)
        await page.locator("input[name=password]").fill(PASSWORD)
        await self._shoot("login")
        await page.keyboard.press("Enter")
        await page.get_by_text("Overview").first.wait_for()

    async def _add_integration(self) -> None:
        page, credentials = self._page, self._credentials
        application = credentials.application
        await page.goto(self._url("/config/integrations/dashboard"))
        await self._press("Add integration")
        await page.locator("dialog input, ha-dialog input").first.wait_for()
        await page.keyboard.type("Enphase Cloud")
        await page.get_by_text("Enphase Cloud", exact=True).first.click()
        await page.locator("input[name=name]").fill(application.name)
        await page.locator("input[name=clientId]").fill(application.client_id)
        await page.locator("input[name=clientSecret]").fill(application.client_secret)
        await self._shoot("credentials")
        async with page.context.expect_page() as opened:
            await self._press("Add")
        await self._sign_in(await opened.value, credentials)
        await page.locator("input[name=api_key]").fill(application.api_key)
        await page.locator("ha-select").last.click()
        await page.get_by_text(f"{application.plan.name}: ").first.click()
        await self._shoot("api-key")
        await self._press("Submit")
        await page.get_by_text("Choose systems").wait_for()
        await self._shoot("systems")
        await self._press("Submit")
        await page.get_by_text("History to import").first.wait_for()
        await self._shoot("energy")
        await self._press("Submit")
        await self._press("Skip and finish")

    async def _sign_in(self, page: Page, credentials: Credentials) -> None:
        await page.locator("input[name=email]").fill(credentials.email)
        await page.locator("input[name=password]").fill(credentials.password)
        await self._shoot("sign-in", page)
        await page.get_by_role("button", name="Approve").click()

    async def _look_at_freshness(self) -> None:
        """See what the smallest plan would give, and choose nothing."""
        await self._begin_options("Watt (free): ", energy_updates="1")
        await self._shoot("options-freshness")

    async def _choose_live_data(self) -> None:
        page = self._page
        plan = self._credentials.application.plan
        await self._begin_options(f"{plan.name}: ", energy_updates="24")
        await self._press("Next")
        numbers = page.locator("input[type=number]")
        await numbers.first.fill(_STREAMS_PER_MONTH)
        await numbers.last.fill(_PUBLISH_SECONDS)
        await page.locator("ha-switch").last.click()
        await self._shoot("options-live")
        await self._press("Submit")

    async def _begin_options(self, plan: str, *, energy_updates: str) -> None:
        """Go through the options, up to what is to be freshest."""
        page = self._page
        await page.goto(self._url(f"/config/integrations/integration/{DOMAIN}"))
        await self._press("Configure")
        await page.locator("ha-select").last.click()
        await page.get_by_text(plan).last.click()
        await self._press("Next")
        await page.get_by_text("History to import").first.wait_for()
        await page.locator("input[type=number]").fill(energy_updates)
        await self._press("Next")
        await page.get_by_text("What should be freshest").first.wait_for()

    async def _look_at_live_data(self) -> None:
        """Look at the system that streams, and at the curves of a burst."""
        page, stage = self._page, self._stage
        system_id = systems_of(self._credentials)[-1]
        await _until_streaming(stage.cloud, system_id)
        entities = await Entities.find(stage.home_assistant, system_id)
        await page.goto(self._url(f"/config/devices/device/{entities.device_id}"))
        await page.set_viewport_size(_TALL)
        await self._shoot("device")
        await page.set_viewport_size(_SIZE)
        began, ended = await _ended_stream(stage.cloud)
        await page.wait_for_timeout(_REST / timedelta(milliseconds=1))
        query = urlencode(
            {
                "entity_id": ",".join(entities.ids[key] for key in _CURVES),
                "start_date": (began - _REST).isoformat(),
                "end_date": (ended + _REST).isoformat(),
            }
        )
        await page.goto(self._url(f"/history?{query}"))
        await self._shoot("history")

    async def _look_at_repairs(self) -> None:
        """Let the cloud refuse what should still be allowed, and see what is told."""
        page, stage = self._page, self._stage
        system_id = systems_of(self._credentials)[-1]
        entities = await Entities.find(stage.home_assistant, system_id)
        await stage.cloud.order_fault(quota="month")
        with suppress(HomeAssistantError):
            await stage.home_assistant.act(
                "button.press", entity_id=entities.ids["refresh"]
            )
        await page.goto(self._url("/config/repairs"))
        await page.get_by_text("Another program uses the API key").first.click()
        await self._shoot("repair")

    async def _press(self, name: str) -> None:
        await self._page.get_by_role("button", name=name, exact=True).last.click()

    def _url(self, path: str) -> str:
        return f"{self._stage.home_assistant.url}{path}"

    async def _shoot(self, name: str, page: Page | None = None) -> None:
        shown = page or self._page
        await shown.wait_for_load_state("networkidle")
        await shown.wait_for_timeout(_ANIMATION_MS)
        path = _PICTURES / f"demo-{name}.png"
        await shown.screenshot(path=path)
        print(f"  {path.relative_to(CHECKOUT)}", flush=True)


async def _until_streaming(cloud: Cloud, system_id: int) -> None:
    async def streams() -> bool:
        return len(await cloud.frames(system_id)) >= _FRAMES

    await until("live data has streamed for a while", streams, seconds=120)


async def _ended_stream(cloud: Cloud) -> tuple[datetime, datetime]:
    """Return when the newest stream began and ended, once it has."""

    async def has_ended() -> bool:
        return (await cloud.streams())[-1]["closed_at"] is not None

    await until("live data has ended", has_ended, seconds=120)
    stream = (await cloud.streams())[-1]
    began, ended = stream["opened_at"], stream["closed_at"]
    return datetime.fromisoformat(began), datetime.fromisoformat(ended)


def _complain(message: ConsoleMessage) -> None:
    """Show the browser's errors, but for icons that only the internet has."""
    address = message.location["url"]
    if message.type in {"error", "warning"} and "/api/brands/" not in address:
        print(f"  console {message.type}: {message.text} ({address})", flush=True)
