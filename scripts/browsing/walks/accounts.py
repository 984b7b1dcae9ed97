"""Set-up of accounts, changes of them, and new sign-ins."""

from typing import Final

from scripts.browsing.newcomer import (
    API_KEY,
    CLOSE,
    CREDENTIALS,
    SUBMIT,
    again,
    approve,
    begin,
    find,
    open_device,
    press_row,
    sign_in_from,
)
from scripts.browsing.visitor import Visitor
from scripts.demonstration.set_up import (
    DOMAIN,
    application,
    choose_options,
    entries_of_integration,
    systems_of,
)
from simulator.demo import OWNER, OWNER_WITHOUT_SYSTEMS, SECOND_OWNER

PAGE: Final = f"/config/integrations/integration/{DOMAIN}"
_PLAN: Final = "partner"
_OTHER: Final = "selector.plan.options.custom"
_CODE: Final = "config.step.code.data.code"
_ENTRY: Final = "ui.panel.config.integrations.config_entry"


async def sign_in(visitor: Visitor) -> None:
    """Close the page of Enphase, and sign in by code instead; show the errors."""
    user, registered = visitor.user, application(_PLAN)
    await begin(user, registered)
    await visitor.shoot("credentials")
    async with visitor.page.context.expect_page() as opened:
        await user.press(f"{CREDENTIALS}.add")
    await (await opened.value).close()
    await visitor.shoot("sign-in-elsewhere")
    await user.press(CLOSE)
    await find(user)
    await user.press("Enphase Cloud")
    await user.sees("config.step.sign_in.menu_options.code")
    await visitor.shoot("sign-in")
    await user.open_page("config.step.sign_in.menu_options.code")
    await user.sees(_CODE)
    await visitor.shoot("code")
    await user.fill(_CODE, "not a code")
    await visitor.submit("code-error")
    async with visitor.page.context.expect_page() as opened:
        await visitor.page.locator("ha-markdown").get_by_role("link").click()
    cloud = user.on(await opened.value)
    await approve(cloud, OWNER)
    code = await cloud.page.locator("code").inner_text()
    await cloud.page.close()
    await user.fill(_CODE, code)
    await visitor.submit("api-key")
    await user.fill(f"{API_KEY}.api_key", "not a key")
    await user.choose(f"{API_KEY}.plan", _OTHER)
    await visitor.submit("api-key-error")
    await user.fill(f"{API_KEY}.api_key", registered.api_key)
    await visitor.submit("custom-plan")
    await user.press(CLOSE)


async def set_up(visitor: Visitor) -> None:
    """Add the account of an owner, after a look at that of an owner of two systems."""
    for owner, name in ((SECOND_OWNER, "systems"), (OWNER, "set-up")):
        await again(visitor.user, owner)
        await _enter_key(visitor, name)
        if owner != OWNER:
            await visitor.user.press(CLOSE)
    await visitor.page.keyboard.press("Escape")
    await visitor.user.visit(PAGE)
    await visitor.shoot("integration")


async def add_again(visitor: Visitor) -> None:
    """Add the same account, and one without systems; select an application."""
    await again(visitor.user, OWNER)
    await visitor.user.sees("config.abort.already_configured")
    await visitor.shoot("already-configured")
    await visitor.user.press(CLOSE)
    await again(visitor.user, OWNER_WITHOUT_SYSTEMS)
    await _enter_key(visitor, "no-systems")
    await visitor.user.press(CLOSE)
    other = application()
    created = await visitor.home_assistant.command(
        "application_credentials/create",
        domain=DOMAIN,
        client_id=other.client_id,
        client_secret=other.client_secret,
        name=f"{other.name} ({other.plan.name})",
    )
    await find(visitor.user)
    await visitor.user.press("Enphase Cloud")
    await visitor.user.sees("config.step.pick_implementation.data.implementation")
    await visitor.shoot("application")
    await visitor.user.press(CLOSE)
    await visitor.home_assistant.command(
        "application_credentials/delete", application_credentials_id=created["id"]
    )


async def change(visitor: Visitor) -> None:
    """Open the menu of the account, and change it."""
    await visitor.user.visit(PAGE)
    row = visitor.page.locator("ha-config-entry-row")
    menu = await visitor.user.name("ui.common.menu")
    await visitor.user.activate(row.get_by_role("button", name=menu).first)
    await visitor.shoot("menu-of-account")
    await visitor.user.choose_item(f"{_ENTRY}.reconfigure")
    await visitor.user.sees("config.step.reconfigure.description")
    await visitor.shoot("reconfigure")
    await sign_in_from(visitor.user, SUBMIT, OWNER)
    await visitor.user.sees("config.step.keep_api_key.data.api_key")
    await visitor.shoot("keep-api-key")
    await visitor.user.press(CLOSE)


async def sign_in_again(visitor: Visitor) -> None:
    """Sign in after Enphase has revoked the sign-in."""
    await visitor.stage.cloud.send("tokens/revoke", email=OWNER)
    await visitor.user.visit(PAGE)
    await open_device(visitor.user, "Hillside")
    await press_row(visitor.user, "entity.button.refresh.name")
    await visitor.user.visit("/config/integrations/dashboard")
    await visitor.user.press("ui.panel.config.integrations.reconfigure")
    await visitor.user.sees("config.step.reauth_confirm.description")
    await visitor.shoot("sign-in-again")
    await sign_in_from(visitor.user, SUBMIT, OWNER)
    await visitor.user.sees("config.step.keep_api_key.data.api_key")
    await visitor.submit("signed-in-again")
    await visitor.user.press(CLOSE)


async def add_second(visitor: Visitor) -> None:
    """Add an account that shares a system; its forms let the user select a system."""
    (shared,) = systems_of(OWNER)
    await visitor.stage.cloud.send(
        f"systems/{shared}/access", email=SECOND_OWNER, granted=True
    )
    await again(visitor.user, SECOND_OWNER)
    await _enter_key(visitor, "free-systems")
    await visitor.submit("second-set-up")
    await visitor.page.keyboard.press("Escape")
    entry = (await entries_of_integration(visitor.home_assistant))[-1]
    await choose_options(visitor.home_assistant, entry, devices={"groups": ["panels"]})
    fields = {"tariff": "user.data.direction", "array": "user.data.system"}
    for kind, field in fields.items():
        await visitor.user.visit(PAGE)
        await visitor.user.press(f"config_subentries.{kind}.initiate_flow.user")
        await visitor.user.open_page(entry["title"])
        await visitor.user.sees(f"config_subentries.{kind}.step.{field}")
        await visitor.shoot(f"{kind}-of-system")
        await visitor.user.press(CLOSE)


async def _enter_key(visitor: Visitor, name: str) -> None:
    """Enter API key and plan, and take a picture of the next step."""
    await visitor.user.fill(f"{API_KEY}.api_key", application(_PLAN).api_key)
    await visitor.user.choose(f"{API_KEY}.plan", f"selector.plan.options.{_PLAN}")
    await visitor.submit(name)
