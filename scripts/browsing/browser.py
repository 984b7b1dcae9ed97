"""Start the machine's Chromium, headless."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
import shutil
from typing import Final

from playwright.async_api import (
    Browser,
    BrowserContext,
    StorageState,
    async_playwright,
    expect,
)

from scripts.demonstration.command_line import DemoError

DESKTOP: Final = (1280, 860)
PHONE: Final = (390, 844)

_PROGRAMS: Final = ("chromium", "chromium-browser", "google-chrome")
# Without network traffic of its own.
_FLAGS: Final = ("--disable-gpu", "--disable-quic", "--disable-sync")
# Long enough for a busy machine that others share.
_PATIENCE_MS: Final = 60_000


@asynccontextmanager
async def browsing() -> AsyncGenerator[Browser]:
    """Run a browser while the context lasts. Raises DemoError if there is none."""
    path = next((found for name in _PROGRAMS if (found := shutil.which(name))), None)
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
async def screen(
    browser: Browser,
    url: str,
    size: tuple[int, int] = DESKTOP,
    *,
    dark: bool = False,
    login: StorageState | None = None,
) -> AsyncGenerator[BrowserContext]:
    """Open a screen of a size, in pixels, whose paths are relative to a URL.

    `login` is the stored state of another context in which a user has logged in.
    """
    context = await browser.new_context(
        base_url=url,
        storage_state=login,
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
        has_touch=size[0] < DESKTOP[0],
        locale="en-US",
    )
    context.set_default_timeout(_PATIENCE_MS)
    expect.set_options(timeout=_PATIENCE_MS)
    try:
        yield context
    finally:
        await context.close()
