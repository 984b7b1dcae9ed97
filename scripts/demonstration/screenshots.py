"""Take the pictures of docs/images: walk through the demo as a user would."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
import tempfile
from typing import Final
from urllib.parse import urlencode

from aiohttp import ClientSession
from playwright.async_api import Browser, Page, ViewportSize

from simulator.demo import SECOND_OWNER

from .cloud import Cloud
from .credentials import Credentials, demo_credentials, systems_of
from .energy_screenshots import take_energy_pictures
from .entities import Entities
from .folder import remove
from .home_assistant import HomeAssistantError
from .processes import free_port
from .set_up import DOMAIN
from .stage import Stage
from .visitor import SIZE, Visitor, browsing
from .waiting import until

_TALL: Final[ViewportSize] = {"width": 1280, "height": 1500}
# Where the second owner's systems are.
_TIME_ZONE: Final = "America/Chicago"

_STREAMS_PER_MONTH: Final = "300"
_PUBLISH_SECONDS: Final = "1"

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
    """Start empty demos, use the integration by mouse, and take all pictures.

    Raises DemoError where there is no browser, or a page is not as expected.
    """
    async with ClientSession() as session, browsing() as browser:
        async with _stage(session) as stage:
            await _walk(browser, stage)
        async with _stage(session) as stage:
            await take_energy_pictures(session, browser, stage)


@asynccontextmanager
async def _stage(session: ClientSession) -> AsyncGenerator[Stage]:
    """Run an empty demo while the context lasts."""
    folder = Path(tempfile.mkdtemp(prefix="enphase-cloud-pictures-"))
    stage = Stage(session, folder, port=free_port(), cloud_port=free_port())
    try:
        await stage.start()
        yield stage
    finally:
        await stage.end()
    remove(folder)


async def _walk(browser: Browser, stage: Stage) -> None:
    """Go from the login to the repairs."""
    async with Visitor.visiting(
        browser, stage.home_assistant.url, time_zone=_TIME_ZONE
    ) as visitor:
        await _Tour(visitor, stage).walk()


class _Tour:
    """All that a user sees who sets the integration up, and lives with it."""

    def __init__(self, visitor: Visitor, stage: Stage) -> None:
        """Visit a stage."""
        self._visitor = visitor
        self._page = visitor.page
        self._stage = stage
        self._credentials = demo_credentials(email=SECOND_OWNER)

    async def walk(self) -> None:
        """Go from the login to the repairs."""
        await self._visitor.log_in(picture="login")
        await self._add_integration()
        await self._look_at_freshness()
        await self._choose_live_data()
        await self._look_at_live_data()
        await self._look_at_repairs()

    async def _add_integration(self) -> None:
        page, credentials = self._page, self._credentials
        application = credentials.application
        await self._visitor.go("/config/integrations/dashboard")
        await self._visitor.press("Add integration")
        await page.locator("dialog input, ha-dialog input").first.wait_for()
        await page.keyboard.type("Enphase Cloud")
        await page.get_by_text("Enphase Cloud", exact=True).first.click()
        await page.locator("input[name=name]").fill(application.name)
        await page.locator("input[name=clientId]").fill(application.client_id)
        await page.locator("input[name=clientSecret]").fill(application.client_secret)
        await self._visitor.shoot("credentials")
        async with page.context.expect_page() as opened:
            await self._visitor.press("Add")
        await self._sign_in(await opened.value, credentials)
        await page.locator("input[name=api_key]").fill(application.api_key)
        await page.locator("ha-select").last.click()
        await page.get_by_text(f"{application.plan.name}: ").first.click()
        await self._visitor.shoot("api-key")
        await self._visitor.press("Submit")
        await page.get_by_text("Choose systems").wait_for()
        await self._visitor.shoot("systems")
        await self._visitor.press("Submit")
        await page.get_by_text("History to import").first.wait_for()
        await self._visitor.shoot("energy")
        await self._visitor.press("Submit")
        await self._visitor.press("Skip and finish")

    async def _sign_in(self, page: Page, credentials: Credentials) -> None:
        await page.locator("input[name=email]").fill(credentials.email)
        await page.locator("input[name=password]").fill(credentials.password)
        await self._visitor.shoot("sign-in", page)
        await page.get_by_role("button", name="Approve").click()

    async def _look_at_freshness(self) -> None:
        """See what the smallest plan would give, and choose nothing."""
        await self._begin_options("Watt (free): ", energy_updates="1")
        await self._visitor.shoot("options-freshness")

    async def _choose_live_data(self) -> None:
        page = self._page
        plan = self._credentials.application.plan
        await self._begin_options(f"{plan.name}: ", energy_updates="24")
        await self._visitor.press("Next")
        numbers = page.locator("input[type=number]")
        await numbers.first.fill(_STREAMS_PER_MONTH)
        await numbers.last.fill(_PUBLISH_SECONDS)
        await page.locator("ha-switch").last.click()
        await self._visitor.shoot("options-live")
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
        page, stage = self._page, self._stage
        system_id = systems_of(self._credentials)[-1]
        await _until_streaming(stage.cloud, system_id)
        entities = await Entities.find(stage.home_assistant, system_id)
        await self._visitor.go(f"/config/devices/device/{entities.device_id}")
        await page.set_viewport_size(_TALL)
        await self._visitor.shoot("device")
        await page.set_viewport_size(SIZE)
        began, ended = await _ended_stream(stage.cloud)
        await page.wait_for_timeout(_REST / timedelta(milliseconds=1))
        query = urlencode(
            {
                "entity_id": ",".join(entities.ids[key] for key in _CURVES),
                "start_date": (began - _REST).isoformat(),
                "end_date": (ended + _REST).isoformat(),
            }
        )
        await self._visitor.go(f"/history?{query}")
        await self._visitor.shoot("history")

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
        await self._visitor.go("/config/repairs")
        await page.get_by_text("Another program uses the API key").first.click()
        await self._visitor.shoot("repair")


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
