"""The dialogs of controls, and the actions."""

import json
from typing import Final

from scripts.browsing.newcomer import CONFIGURE
from scripts.browsing.visitor import Visitor
from scripts.browsing.words import texts
from scripts.demonstration.set_up import DOMAIN

from .accounts import PAGE

_CONTROLS: Final = {"button", "calendar", "image", "number", "select", "switch", "time"}
_ACTIONS: Final = "ui.panel.config.tools.tabs.actions"
_MORE_INFO: Final = """entityId => document.querySelector('home-assistant')
  .dispatchEvent(new CustomEvent('hass-more-info', {detail: {entityId}}))"""


async def dialogs(visitor: Visitor) -> None:
    """Open the dialog of each control."""
    entities = await visitor.home_assistant.command("config/entity_registry/list")
    await visitor.user.visit(PAGE)
    await (await visitor.user.button(CONFIGURE)).wait_for()
    seen = set()
    for entity in entities:
        entity_id, key = entity["entity_id"], entity["translation_key"]
        kind = entity_id.split(".")[0]
        is_other = entity["platform"] != DOMAIN or kind not in _CONTROLS
        if is_other or entity["disabled_by"] or (kind, key) in seen:
            continue
        seen.add((kind, key))
        await visitor.page.evaluate(_MORE_INFO, entity_id)
        await visitor.page.get_by_role("dialog").last.wait_for()
        await visitor.shoot(f"{kind}-{key}")
        await visitor.page.keyboard.press("Escape")
        await visitor.page.get_by_role("dialog").last.wait_for(state="hidden")


async def actions(visitor: Visitor) -> None:
    """Open each action in the developer tools."""
    for action in texts("services"):
        chosen = json.dumps({"action": f"{DOMAIN}.{action}", "data": {}})
        await visitor.page.evaluate(
            "it => localStorage.setItem('panel-dev-action-state-service-data', it)",
            chosen,
        )
        await visitor.user.visit("/config/developer-tools/action")
        await visitor.page.reload()
        # Home Assistant draws options before their texts come, and not again.
        for mode in ("yaml_mode", "ui_mode"):
            await visitor.user.press(f"{_ACTIONS}.{mode}")
        await visitor.shoot(f"action-{action}")
