"""A user with a mouse, or with a keyboard alone; what they do is counted."""

from dataclasses import dataclass, field, replace
import re
from typing import Final

from playwright.async_api import Locator, Page

from scripts.demonstration.command_line import DemoError
from scripts.demonstration.home_assistant import PASSWORD, USERNAME

from .rest import until_at_rest
from .words import field_called, starting, word

_IS_KEY: Final = re.compile(r"[a-z_]+(\.[\w-]+)+")
_MOST_KEYS: Final = 250
# What leads the focus on: nothing more, the arrows within a list, or Tab.
_KEY_TO: Final = """target => {
  const around = it => {
    const path = [];
    for (; it; it = it.parentNode ?? it.host) path.push(it);
    return path;
  };
  let focused = document.activeElement;
  while (focused?.shadowRoot?.activeElement) focused = focused.shadowRoot.activeElement;
  const path = around(focused);
  if (path.includes(target) || target.getRootNode().host === focused) return null;
  const isList = it => /^HA-LIST-(?!ITEM)/.test(it.tagName) || it.role === 'menu'
    || it.tagName === 'WA-DROPDOWN';
  const isInSameList = around(target).some(it => isList(it) && path.includes(it));
  return isInSameList ? 'ArrowDown' : 'Tab';
}"""
_LOCALIZE: Final = (
    "key => document.querySelector('home-assistant')?.hass?.localize(key)"
)


@dataclass(slots=True)
class Effort:
    """How many fields were typed in, and how many clicks, or keys for them, it took."""

    fields: int = 0
    clicks: int = 0


@dataclass(slots=True)
class User:
    """Sees a page, and uses what is on it by its accessible name.

    Names are given as they are, or as a key: of Home Assistant, which begins with
    `ui.`, or of the integration's translations.

    Attributes:
        by_keyboard: Reaches everything by Tab instead of the mouse.
        language: What names are in.
    """

    page: Page
    by_keyboard: bool = False
    language: str = "en"
    effort: Effort = field(default_factory=Effort)

    async def log_in(self) -> None:
        """Log in as the demo's user; that is not counted."""
        await self.page.goto("/")
        await self.page.locator("input[name=username]").fill(USERNAME)
        await self.page.locator("input[name=password]").fill(PASSWORD)
        await self.page.keyboard.press("Enter")
        await self.page.locator("ha-panel-home, ha-panel-lovelace").first.wait_for()
        # Its own redirect would abort a visit to another page.
        await until_at_rest(self.page)

    def on(self, page: Page) -> User:
        """Return the same user on another page."""
        return replace(self, page=page)

    async def name(self, key: str) -> str:
        """Return what a key stands for."""
        if not _IS_KEY.fullmatch(key):
            return key
        if not key.startswith("ui."):
            return word(key, self.language)
        # Its texts come in parts.
        await self.page.wait_for_function(_LOCALIZE, arg=key)
        return str(await self.page.evaluate(_LOCALIZE, key))

    async def button(self, name: str) -> Locator:
        """Return a button; the last of its name is on top of the others."""
        name = await self.name(name)
        return self.page.get_by_role("button", name=name, exact=True).last

    async def press(self, name: str) -> None:
        """Press the button of a name."""
        await self.activate(await self.button(name))

    async def activate(self, target: Locator, *, key: str = "Enter") -> None:
        """Click on something, or reach it by Tab and press a key."""
        self.effort.clicks += 1
        await self._aim(target)
        if self.by_keyboard:
            await self._reach(target)
            await self.page.keyboard.press(key)
        else:
            await target.click()

    async def fill(self, name: str, text: str) -> None:
        """Type into the field of a name, whatever is in it."""
        called = field_called(await self.name(name))
        target = self.page.get_by_role("textbox", name=called)
        target = target.or_(self.page.get_by_role("spinbutton", name=called)).last
        await self.type_into(target, text)

    async def type_into(self, target: Locator, text: str) -> None:
        """Type into a field, whatever is in it."""
        self.effort.fields += 1
        if self.by_keyboard:
            await self._aim(target)
            await self._reach(target)
            await self.page.keyboard.press("Control+a")
            await self.page.keyboard.type(text)
        else:
            await target.fill(text)

    async def choose(self, name: str, option: str) -> None:
        """Choose of a list that opens; what follows these names does not matter."""
        called = starting(await self.name(name))
        lists = self.page.locator("ha-select")
        target = lists.get_by_role("button", name=called).last
        # Enter would send the form.
        await self.activate(target, key="Space")
        await self.choose_item(option)

    async def choose_item(self, name: str) -> None:
        """Choose of a list that is open."""
        called = starting(await self.name(name))
        item = self.page.get_by_role("menuitem", name=called).last
        self.effort.clicks += 1
        await self._aim(item)
        if self.by_keyboard:
            await self._reach(item, by="ArrowDown")
            await self.page.keyboard.press("Enter")
        else:
            await item.click()

    async def switch(self, name: str) -> None:
        """Turn a switch of a form the other way."""
        called = starting(await self.name(name))
        target = self.page.get_by_role("switch", name=called).last
        await self.activate(target, key="Space")

    async def open_page(self, name: str) -> None:
        """Open a page from a menu of a flow.

        In Home Assistant these have no roles, and Tab does not reach them.
        """
        self.effort.clicks += 1
        text = self.page.get_by_text(await self.name(name), exact=True).last
        await self._aim(text)
        await text.click()

    async def sees(self, text: str) -> None:
        """Wait until a text is on the page."""
        text, *_ = (await self.name(text)).split("{")
        found = self.page.get_by_text(text).filter(visible=True)
        await found.first.wait_for()

    async def _aim(self, target: Locator) -> None:
        """Wait until a target is there, and stays where it is."""
        await target.wait_for()
        await until_at_rest(self.page)

    async def _reach(self, target: Locator, *, by: str | None = None) -> None:
        for _ in range(_MOST_KEYS):
            if (key := await target.evaluate(_KEY_TO)) is None:
                return
            await self.page.keyboard.press(by or key)
        raise DemoError(f"No key reaches {target}.")
