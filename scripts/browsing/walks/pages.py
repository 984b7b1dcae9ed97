"""The dashboard of the integration, pages of devices, and blueprints."""

from pathlib import Path
from typing import Final

from scripts.browsing.visitor import Visitor
from scripts.demonstration.set_up import DOMAIN, add_dashboard

_BLUEPRINTS: Final = "/config/blueprint/dashboard"


async def dashboard(visitor: Visitor) -> None:
    """Look at the dashboard of the integration."""
    await add_dashboard(visitor.home_assistant)
    async with visitor.high():
        await visitor.user.visit("/enphase-cloud")
        await visitor.user.sees("selector.overview.options.calls")
        await visitor.shoot("dashboard")


async def devices(visitor: Visitor) -> None:
    """Look at one device of each model."""
    devices = await visitor.home_assistant.command("config/device_registry/list")
    seen = set()
    async with visitor.high():
        for device in devices:
            if device["manufacturer"] != "Enphase" or device["model"] in seen:
                continue
            seen.add(device["model"])
            await visitor.user.visit(f"/config/devices/device/{device['id']}")
            await visitor.shoot(f"device-{device['model']}".replace(" ", "-"))


async def blueprints(visitor: Visitor) -> None:
    """Look at the list of blueprints, and begin an automation with each."""
    listed = await visitor.home_assistant.command("blueprint/list", domain="automation")
    ours = {
        path: each["metadata"]["name"]
        for path, each in listed.items()
        if path.startswith(DOMAIN)
    }
    for path, name in ours.items():
        await visitor.user.visit(_BLUEPRINTS)
        await visitor.user.sees(name)
        if path == next(iter(ours)):
            await visitor.shoot("blueprints")
        await visitor.user.open_page(name)
        await visitor.page.wait_for_url("**/config/automation/edit/new*")
        async with visitor.high():
            await visitor.shoot(f"blueprint-{Path(path).stem}")
