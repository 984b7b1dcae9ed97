"""A user with mouse, keyboard and camera, in headless Chromium."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
import shutil
from typing import Final, Self

from playwright.async_api import (
    Browser,
    ConsoleMessage,
    Page,
    ViewportSize,
    async_playwright,
)

from .folder import CHECKOUT
from .home_assistant import PASSWORD, USERNAME
from .processes import DemoError

SIZE: Final[ViewportSize] = {"width": 1280, "height": 860}

_PICTURES: Final = CHECKOUT / "docs" / "images"

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

# Home Assistant has no event for the end of its animations.
_ANIMATION_MS: Final = 1_200


@asynccontextmanager
async def browsing() -> AsyncGenerator[Browser]:
    """Run a browser while the context lasts. Raises DemoError where there is none."""
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


class Visitor:
    """A user who looks at a Home Assistant."""

    def __init__(self, page: Page, url: str) -> None:
        """Visit with a page; `visiting` makes one."""
        self.page = page
        self._url = url

    @classmethod
    @asynccontextmanager
    async def visiting(
        cls, browser: Browser, url: str, *, time_zone: str
    ) -> AsyncGenerator[Self]:
        """Visit the Home Assistant at an address while the context lasts."""
        context = await browser.new_context(
            viewport=SIZE, locale="en-US", timezone_id=time_zone
        )
        page = await context.new_page()
        page.on("console", _complain)
        try:
            yield cls(page, url)
        finally:
            await context.close()

    async def log_in(self, *, picture: str | None = None) -> None:
        """Log in as the demo's user, and take a picture of the form on the way."""
        page = self.page
        await self.go("/")
        await page.locator("input[name=username]").fill(USERNAME)
        await page.locator("input[name=password]").fill(PASSWORD)
        if picture is not None:
            await self.shoot(picture)
        await page.keyboard.press("Enter")
        await page.get_by_text("Overview").first.wait_for()

    async def go(self, path: str) -> None:
        """Open a page of Home Assistant."""
        await self.page.goto(f"{self._url}{path}")

    async def press(self, name: str) -> None:
        """Press the button of a name; the newest if there are several."""
        await self.page.get_by_role("button", name=name, exact=True).last.click()

    async def rest(self, page: Page | None = None) -> None:
        """Wait until a page does not move any more."""
        moving = page or self.page
        await moving.wait_for_load_state("networkidle")
        await moving.wait_for_timeout(_ANIMATION_MS)

    async def shoot(self, name: str, page: Page | None = None) -> None:
        """Take a picture for docs/images of a page at rest."""
        await self.rest(page)
        _PICTURES.mkdir(parents=True, exist_ok=True)
        path = _PICTURES / f"demo-{name}.png"
        await (page or self.page).screenshot(path=path)
        print(f"  {path.relative_to(CHECKOUT)}", flush=True)


def _complain(message: ConsoleMessage) -> None:
    """Show the browser's errors, but for icons that only the internet has."""
    address = message.location["url"]
    if message.type in {"error", "warning"} and "/api/brands/" not in address:
        print(f"  console {message.type}: {message.text} ({address})", flush=True)
