"""Take pictures of all screens of the integration, and list their flaws."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
import json
from pathlib import Path
import shutil
from typing import Final

from playwright.async_api import Error, Page

from scripts.demonstration.command_line import CHECKOUT
from scripts.demonstration.set_up import DOMAIN, application
from scripts.demonstration.stage import Stage, temporary_stage
from simulator.demo import OWNER, SECOND_OWNER

from .browser import browsing, screen
from .newcomer import (
    API_KEY,
    CLOSE,
    CONFIGURE,
    CREDENTIALS,
    NEXT,
    SUBMIT,
    again,
    begin,
    open_device,
    press_row,
    sign_in_from,
)
from .user import User
from .words import texts

_FOLDER: Final = CHECKOUT / ".cache" / "screens"
# High enough to show dialogs without scrolling.
_DESKTOP: Final = (1280, 1700)
_PHONE: Final = (390, 1900)
_PLAN: Final = "megawatt"
_PAGE: Final = f"/config/integrations/integration/{DOMAIN}"
_CONTROLS: Final = {"button", "calendar", "image", "number", "select", "switch", "time"}
_ACTIONS: Final = "ui.panel.config.tools.tabs.actions"
_OTHER: Final = "selector.plan.options.custom"
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
_MORE_INFO: Final = """entityId => document.querySelector('home-assistant')
  .dispatchEvent(new CustomEvent('hass-more-info', {detail: {entityId}}))"""
# High enough for a whole page of a device.
_HEIGHT_OF_DEVICES: Final = 3_400
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


async def take_all(appearance: Appearance) -> None:
    """Take pictures of all screens. Raises DemoError if there is no browser."""
    folder = appearance.folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    async with (
        temporary_stage() as stage,
        _photographer(stage, appearance) as photographer,
    ):
        for walk in (
            photographer.set_up,
            photographer.options,
            photographer.tariffs,
            photographer.devices,
            photographer.controls,
            photographer.actions,
            photographer.repairs,
        ):
            try:
                await walk()
            except Error as err:
                print(f"  ✗ {walk.__name__}: {err.message.splitlines()[0]}", flush=True)
                await photographer.shoot(f"{walk.__name__}-failed")
    print(f"\nThe pictures are in {folder.relative_to(CHECKOUT)}.")


@asynccontextmanager
async def _photographer(
    stage: Stage, appearance: Appearance
) -> AsyncGenerator[_Photographer]:
    home_assistant = stage.home_assistant
    # The first is for names of entities, the second for the pages of this user.
    language = appearance.language
    await home_assistant.command("config/core/update", language=language)
    await home_assistant.command(
        "frontend/set_user_data", key="language", value={"language": language}
    )
    size = _PHONE if appearance.phone else _DESKTOP
    async with (
        browsing() as browser,
        screen(browser, home_assistant.url, size, dark=appearance.dark) as context,
    ):
        user = User(await context.new_page(), language=language)
        await user.log_in()
        yield _Photographer(stage, user, appearance.folder)


@dataclass(slots=True)
class _Photographer:
    """A user who takes a picture of each new screen."""

    stage: Stage
    user: User
    folder: Path
    taken: int = field(default=0, init=False)

    @property
    def page(self) -> Page:
        """Return the current page."""
        return self.user.page

    async def shoot(self, name: str) -> None:
        """Take a picture of the page at rest, and print its flaws."""
        with suppress(Error):
            await self.page.wait_for_load_state("networkidle", timeout=5_000)
        await self.page.wait_for_timeout(_ANIMATION_MS)
        self.taken += 1
        path = self.folder / f"{self.taken:02}-{name}.png"
        await self.page.screenshot(path=path)
        print(f"  {path.name}", flush=True)
        for flaw in await self.page.evaluate(_FLAWS):
            print(f"      {flaw}", flush=True)

    async def set_up(self) -> None:
        """Add accounts, and show all forms and an error of the set-up."""
        user, registered = self.user, application(_PLAN)
        await begin(user, registered)
        await self.shoot("credentials")
        await sign_in_from(user, f"{CREDENTIALS}.add", OWNER)
        await user.sees(f"{API_KEY}.api_key")
        await self.shoot("api-key")
        await user.fill(f"{API_KEY}.api_key", "not a key")
        await user.choose(f"{API_KEY}.plan", _OTHER)
        await self._submit("api-key-error")
        await user.fill(f"{API_KEY}.api_key", registered.api_key)
        await self._submit("custom-plan")
        await user.press(CLOSE)
        for owner, name in ((SECOND_OWNER, "systems"), (OWNER, "set-up")):
            await again(user, owner)
            await user.fill(f"{API_KEY}.api_key", registered.api_key)
            await user.choose(f"{API_KEY}.plan", f"selector.plan.options.{_PLAN}")
            await self._submit(name)
            if owner != OWNER:
                await user.press(CLOSE)
        while await (await user.button(SUBMIT)).is_visible():
            await self._submit("set-up")
        await self.page.keyboard.press("Escape")

    async def _submit(self, name: str) -> None:
        """Submit a form of a flow, and take a picture of the next step."""
        await self.user.press(SUBMIT)
        await self.page.get_by_role("progressbar").first.wait_for(state="hidden")
        await self.shoot(name)

    async def options(self) -> None:
        """Open each page of the options."""
        await self.user.visit(_PAGE)
        await self.shoot("integration")
        for name in texts("options.step.init.menu_options"):
            await self.user.press(CONFIGURE)
            await self.user.sees("options.step.init.menu_options.plan")
            if name == "plan":
                await self.shoot("options")
            if await self._is_there(f"options.step.init.menu_options.{name}"):
                await self.user.open_page(f"options.step.init.menu_options.{name}")
                await self.shoot(f"options-{name}")
            await self.user.press(CLOSE)

    async def tariffs(self) -> None:
        """Add a tariff of each kind, change one, and add an array."""
        user, steps = self.user, "config_subentries.tariff.step"
        for kind in ("fixed", "time_of_use", "entity"):
            await self.user.visit(_PAGE)
            await user.press("config_subentries.tariff.initiate_flow.user")
            await user.sees(f"{steps}.user.data.direction")
            if kind == "fixed":
                await self.shoot("tariff")
            option = await user.name(f"selector.price_kind.options.{kind}")
            await user.activate(self.page.get_by_role("radio", name=option))
            await user.press(NEXT)
            await user.sees(f"{steps}.{kind}.data.standing_charge")
            await self.shoot(f"tariff-{kind}")
            if kind == "time_of_use":
                await user.fill(f"{steps}.{kind}.data.price", "0.34")
                await user.press(NEXT)
                await user.sees(f"{steps}.period.data.start")
                await self.shoot("tariff-period")
        await self.user.visit(_PAGE)
        await user.press("config_subentries.array.initiate_flow.user")
        await self.page.get_by_role("progressbar").first.wait_for(state="hidden")
        await self.shoot("array")

    async def _is_there(self, name: str) -> bool:
        text = self.page.get_by_text(await self.user.name(name), exact=True)
        return await text.last.is_visible()

    async def devices(self) -> None:
        """Look at one device of each model."""
        devices = await self.stage.home_assistant.command("config/device_registry/list")
        size = self.page.viewport_size or {"width": _DESKTOP[0], "height": 0}
        await self.page.set_viewport_size({**size, "height": _HEIGHT_OF_DEVICES})
        seen = set()
        for device in devices:
            if device["manufacturer"] != "Enphase" or device["model"] in seen:
                continue
            seen.add(device["model"])
            await self.user.visit(f"/config/devices/device/{device['id']}")
            await self.shoot(f"device-{device['model']}".replace(" ", "-"))
        await self.page.set_viewport_size(size)

    async def controls(self) -> None:
        """Open the dialog of each control."""
        entities = await self.stage.home_assistant.command(
            "config/entity_registry/list"
        )
        await self.user.visit(_PAGE)
        await (await self.user.button(CONFIGURE)).wait_for()
        seen = set()
        for entity in entities:
            entity_id, key = entity["entity_id"], entity["translation_key"]
            kind = entity_id.split(".")[0]
            is_other = entity["platform"] != DOMAIN or kind not in _CONTROLS
            if is_other or entity["disabled_by"] or (kind, key) in seen:
                continue
            seen.add((kind, key))
            await self.page.evaluate(_MORE_INFO, entity_id)
            await self.page.get_by_role("dialog").last.wait_for()
            await self.shoot(f"{kind}-{key}")
            await self.page.keyboard.press("Escape")
            await self.page.get_by_role("dialog").last.wait_for(state="hidden")

    async def actions(self) -> None:
        """Open each action in the developer tools."""
        for action in texts("services"):
            chosen = json.dumps({"action": f"{DOMAIN}.{action}", "data": {}})
            await self.page.evaluate(
                "it => localStorage.setItem('panel-dev-action-state-service-data', it)",
                chosen,
            )
            await self.user.visit("/config/developer-tools/action")
            await self.page.reload()
            # Home Assistant draws options before their texts come, and not again.
            for mode in ("yaml_mode", "ui_mode"):
                await self.user.press(f"{_ACTIONS}.{mode}")
            await self.shoot(f"action-{action}")

    async def repairs(self) -> None:
        """Let the cloud refuse calls within the plan, and show the repair issues."""
        cloud = self.stage.cloud
        await cloud.add_fault(quota="month")
        await self.user.visit(_PAGE)
        await open_device(self.user, "Hillside")
        await press_row(self.user, "entity.button.refresh.name")
        await self.user.visit("/config/repairs")
        repairs = self.page.locator("ha-config-repairs").get_by_role("button")
        await repairs.first.wait_for()
        await self.shoot("repairs")
        for number in range(await repairs.count()):
            await self.user.activate(repairs.nth(number))
            await self.page.get_by_role("dialog").last.wait_for()
            await self.shoot("repair")
            await self.user.press(CLOSE)
