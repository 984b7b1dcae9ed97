"""A user who takes pictures of screens, and lists their flaws."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from playwright.async_api import Error, Page

from scripts.demonstration.command_line import CHECKOUT
from scripts.demonstration.home_assistant import HomeAssistant
from scripts.demonstration.stage import Stage

from .browser import browsing, screen
from .newcomer import SUBMIT
from .user import User

_FOLDER: Final = CHECKOUT / ".cache" / "screens"
# High enough to show dialogs without scrolling.
_DESKTOP: Final = (1280, 1700)
_PHONE: Final = (390, 1900)
# High enough for a whole page of a device.
_PAGE_HEIGHT: Final = 3_400
# Finds texts that are cut off, and translation keys in place of texts.
_FLAWS: Final = """() => {
  const flaws = new Set();
  // What a component gets from its user has no text in it.
  const slotted = element => [...element.querySelectorAll('slot')]
    .flatMap(slot => slot.assignedNodes({flatten: true}))
    .map(node => node.textContent.trim()).join(' ').trim();
  const look = root => root.querySelectorAll('*').forEach(element => {
    if (element.shadowRoot) look(element.shadowRoot);
    if (!element.checkVisibility()) return;
    const own = [...element.childNodes].filter(it => it.nodeType === 3)
      .map(it => it.data.trim()).join(' ').trim();
    if (/(component\\.|ui\\.)[a-z_]+\\.|\\[%key:/.test(own)) flaws.add('key: ' + own);
    const style = getComputedStyle(element);
    const isCut = style.textOverflow === 'ellipsis'
      && element.scrollWidth > element.clientWidth + 1
      || style.webkitLineClamp !== 'none'
      && element.scrollHeight > element.clientHeight + 2;
    const all = (element.innerText ?? '').trim() || slotted(element);
    if (isCut && all && element.clientWidth > 1) flaws.add('cut: ' + all);
  });
  look(document);
  if (document.documentElement.scrollWidth > innerWidth) flaws.add('too wide');
  return [...flaws];
}"""
_ANIMATION_MS: Final = 600


@dataclass(frozen=True, slots=True)
class Appearance:
    """The language, size and colours of the screens."""

    language: str = "en"
    phone: bool = False
    dark: bool = False

    @property
    def folder(self) -> Path:
        """Return the folder of the pictures."""
        parts = [self.language, "phone" if self.phone else "desktop"]
        return _FOLDER / "-".join([*parts, *(["dark"] if self.dark else [])])

    @property
    def size(self) -> tuple[int, int]:
        """Return width and height in pixels."""
        return _PHONE if self.phone else _DESKTOP


@dataclass(slots=True)
class Visitor:
    """A user who takes a picture of each new screen."""

    stage: Stage
    user: User
    folder: Path
    taken: int = field(default=0, init=False)

    @property
    def page(self) -> Page:
        """Return the current page."""
        return self.user.page

    @property
    def home_assistant(self) -> HomeAssistant:
        """Return the client of Home Assistant."""
        return self.stage.home_assistant

    async def shoot(self, name: str) -> None:
        """Take a picture of the page at rest, and print its flaws."""
        with suppress(Error):
            await self.page.wait_for_load_state("networkidle", timeout=5_000)
        await self.page.wait_for_timeout(_ANIMATION_MS)
        self.taken += 1
        path = self.folder / f"{self.taken:03}-{name}.png"
        await self.page.screenshot(path=path)
        print(f"  {path.name}", flush=True)
        for flaw in await self.page.evaluate(_FLAWS):
            print(f"      {flaw}", flush=True)

    async def submit(self, name: str, *, button: str = SUBMIT) -> None:
        """Submit a form of a flow, and take a picture of the next step."""
        await self.user.press(button)
        await self.shoot_flow(name)

    async def shoot_flow(self, name: str) -> None:
        """Take a picture of the current step of a flow."""
        await self.page.get_by_role("progressbar").first.wait_for(state="hidden")
        await self.shoot(name)

    @asynccontextmanager
    async def high(self) -> AsyncGenerator[None]:
        """Make the screen high enough for a whole page while the context lasts."""
        size = self.page.viewport_size
        assert size is not None
        await self.page.set_viewport_size({**size, "height": _PAGE_HEIGHT})
        try:
            yield
        finally:
            await self.page.set_viewport_size(size)


@asynccontextmanager
async def visiting(stage: Stage, appearance: Appearance) -> AsyncGenerator[Visitor]:
    """Log in on a stage. Raises DemoError if there is no browser."""
    home_assistant, language = stage.home_assistant, appearance.language
    # The first is for names of entities, the second for the pages of this user.
    await home_assistant.command("config/core/update", language=language)
    await home_assistant.command(
        "frontend/set_user_data", key="language", value={"language": language}
    )
    async with (
        browsing() as browser,
        screen(
            browser, home_assistant.url, appearance.size, dark=appearance.dark
        ) as context,
    ):
        user = User(await context.new_page(), language=language)
        await user.log_in()
        yield Visitor(stage, user, appearance.folder)
