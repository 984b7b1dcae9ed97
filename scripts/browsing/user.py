"""A user with a mouse or only a keyboard, whose clicks and entries are counted."""

from dataclasses import dataclass, field, replace
import re
from typing import Final

from playwright.async_api import Locator, Page

from scripts.demonstration.command_line import DemoError
from scripts.demonstration.home_assistant import PASSWORD, USERNAME

from .rest import until_at_rest
from .words import field_called, starting, word

_IS_KEY: Final = re.compile(r"[a-z_]+(\.[\w-]+)+")
_SPECIAL: Final = re.compile(r"[{*\[\n]")
_MOST_KEYS: Final = 250
# Returns the next key to reach the target: null if it has the focus, an arrow key
# within its list, else Tab.
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
    """The number of fields filled in, and of clicks, or of keys in their place."""

    fields: int = 0
    clicks: int = 0


@dataclass(slots=True)
class User:
    """A user who finds what is on a page by its accessible name.

    Names are given literally or as a key: of Home Assistant (it begins with `ui.`) or
    of the integration's translations.

    Attributes:
        by_keyboard: Uses Tab and keys instead of the mouse.
        language: The language of the integration's names.
    """

    page: Page
    by_keyboard: bool = False
    language: str = "en"
    effort: Effort = field(default_factory=Effort)

    async def log_in(self) -> None:
        """Log in as the demo's user; it does not count as effort."""
        await self.page.goto("/")
        await self.page.locator("input[name=username]").fill(USERNAME)
        await self.page.locator("input[name=password]").fill(PASSWORD)
        await self.page.keyboard.press("Enter")
        await self.page.locator("ha-panel-home, ha-panel-lovelace").first.wait_for()

    async def visit(self, path: str) -> None:
        """Open a page by its path.

        A dialog that closes goes back in the history, which aborts a visit meanwhile.
        """
        await until_at_rest(self.page)
        await self.page.goto(path)

    def on(self, page: Page) -> User:
        """Return the same user on another page."""
        return replace(self, page=page)

    async def name(self, key: str) -> str:
        """Return the text of a key."""
        if not _IS_KEY.fullmatch(key):
            return key
        if not key.startswith("ui."):
            return word(key, self.language)
        # Home Assistant loads its texts in parts.
        await self.page.wait_for_function(_LOCALIZE, arg=key)
        return str(await self.page.evaluate(_LOCALIZE, key))

    async def button(self, name: str) -> Locator:
        """Return the last button with a name: it is on top of the others."""
        name = await self.name(name)
        return self.page.get_by_role("button", name=name, exact=True).last

    async def press(self, name: str) -> None:
        """Press the button with a name."""
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
        """Fill in the field with a name; replace its text."""
        called = field_called(await self.name(name))
        target = self.page.get_by_role("textbox", name=called)
        target = target.or_(self.page.get_by_role("spinbutton", name=called)).last
        await self.type_into(target, text)

    async def type_into(self, target: Locator, text: str) -> None:
        """Fill in a field; replace its text."""
        self.effort.fields += 1
        if self.by_keyboard:
            await self._aim(target)
            await self._reach(target)
            await self.page.keyboard.press("Control+a")
            await self.page.keyboard.type(text)
        else:
            await target.fill(text)

    async def choose(self, name: str, option: str) -> None:
        """Select an option of a drop-down list; both names may be beginnings."""
        called = starting(await self.name(name))
        lists = self.page.locator("ha-select")
        target = lists.get_by_role("button", name=called).last
        # Enter would submit the form.
        await self.activate(target, key="Space")
        await self.choose_item(option)

    async def choose_item(self, name: str) -> None:
        """Select an item of an open list; the name may be a beginning."""
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
        """Toggle a switch of a form."""
        called = starting(await self.name(name))
        target = self.page.get_by_role("switch", name=called).last
        # Home Assistant draws the switch over its input.
        await self.activate(target.locator(".."), key="Space")

    async def open_page(self, name: str) -> None:
        """Open a page from the menu of a flow.

        Its items have no role in Home Assistant, and Tab does not reach them.
        """
        self.effort.clicks += 1
        text = self.page.get_by_text(await self.name(name), exact=True).last
        await self._aim(text)
        await text.click()

    async def sees(self, text: str) -> None:
        """Wait for a text on the page.

        Only its part before a placeholder or Markdown counts.
        """
        text, *_ = _SPECIAL.split(await self.name(text))
        found = self.page.get_by_text(text).filter(visible=True)
        await found.first.wait_for()

    async def _aim(self, target: Locator) -> None:
        """Wait until a target is there and the page is at rest."""
        await target.wait_for()
        await until_at_rest(self.page)

    async def _reach(self, target: Locator, *, by: str | None = None) -> None:
        for _ in range(_MOST_KEYS):
            if (key := await target.evaluate(_KEY_TO)) is None:
                return
            await self.page.keyboard.press(by or key)
        raise DemoError(f"No key reaches {target}.")
