"""The steps of a new user: set-up, options, pages of devices and entities."""

from typing import Final

from playwright.async_api import Locator

from simulator.demo import DEMO_PASSWORD
from simulator.world import Application

from .rest import until_at_rest
from .user import User
from .words import starting

_FLOW: Final = "ui.panel.config.integrations.config_flow"
SUBMIT: Final = f"{_FLOW}.submit"
NEXT: Final = f"{_FLOW}.next"
FINISH: Final = f"{_FLOW}.finish"
CLOSE: Final = "ui.common.close"
CONFIGURE: Final = "ui.panel.config.integrations.config_entry.configure"
CREDENTIALS: Final = "ui.panel.config.application_credentials.editor"
API_KEY: Final = "config.step.api_key.data"
# About half a second: by then, the list of devices is complete.
_LOOKS_AT_DEVICES: Final = 13


async def add_account(
    user: User, registered: Application, owner: str, **texts: str
) -> None:
    """Add the integration with its first account; end on its page.

    `texts` are typed into further fields of the API key's form, by the fields' names.
    """
    await begin(user, registered)
    await sign_in_from(user, f"{CREDENTIALS}.add", owner)
    await user.fill(f"{API_KEY}.api_key", registered.api_key)
    await user.choose(f"{API_KEY}.plan", registered.plan.name)
    for field, text in texts.items():
        await user.fill(f"{API_KEY}.{field}", text)
    await user.press(SUBMIT)
    await user.press(f"{_FLOW}.finish_skip")


async def begin(user: User, registered: Application) -> None:
    """Select the integration, and enter the credentials of an application."""
    await find(user)
    await user.press("Enphase Cloud")
    await user.fill(f"{CREDENTIALS}.name", registered.name)
    await user.fill(f"{CREDENTIALS}.client_id", registered.client_id)
    await user.fill(f"{CREDENTIALS}.client_secret", registered.client_secret)


async def again(user: User, owner: str) -> None:
    """Select the integration once credentials are stored, and sign in."""
    await find(user)
    await sign_in_from(user, "Enphase Cloud", owner)


async def find(user: User) -> None:
    """Search for the integration among those to add."""
    integrations = "ui.panel.config.integrations"
    await user.visit("/config/integrations/dashboard")
    await user.press(f"{integrations}.add_integration")
    search = await user.name(f"{integrations}.search_brand")
    await user.type_into(user.page.get_by_placeholder(search), "Enphase Cloud")


async def sign_in_from(user: User, button: str, owner: str) -> None:
    """Press the button that opens the cloud's page; sign in there and approve."""
    async with user.page.context.expect_page() as opened:
        await user.press(button)
    await approve(user.on(await opened.value), owner)


async def approve(cloud: User, owner: str) -> None:
    """Sign in on the cloud's page, and approve."""
    await cloud.fill("Email", owner)
    await cloud.fill("Password", DEMO_PASSWORD)
    await cloud.press("Approve")


async def configure(user: User, page: str) -> None:
    """Open a page of the options; start at the integration's page."""
    await user.press(CONFIGURE)
    await user.open_page(f"options.step.init.menu_options.{page}")


async def open_device(user: User, name: str) -> None:
    """Open a device's page; start at the integration's page."""
    await (await user.button(CONFIGURE)).wait_for()
    await until_at_rest(user.page, looks=_LOOKS_AT_DEVICES)
    await user.activate(user.page.get_by_role("button", name=starting(name)).first)
    await user.page.wait_for_url("**/config/devices/device/*")
    await user.sees("entity.button.refresh.name")


async def row_of(user: User, entity: str, kind: str = "sensor") -> Locator:
    """Return an entity's row on its device's page, by the key of the entity's name."""
    rows = user.page.locator(f"hui-{kind}-entity-row, hui-text-entity-row")
    text = user.page.get_by_text(await user.name(entity), exact=True)
    return rows.filter(has=text).locator("hui-generic-entity-row").first


async def press_row(user: User, entity: str) -> None:
    """Press the button entity with a name."""
    row = await row_of(user, entity, "button")
    await user.activate(row.get_by_role("button"))
