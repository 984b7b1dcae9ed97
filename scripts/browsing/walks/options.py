"""The pages of the options."""

from typing import Final

from scripts.browsing.newcomer import CLOSE, CONFIGURE, configure
from scripts.browsing.visitor import Visitor
from scripts.browsing.words import texts

from .accounts import PAGE

_MENU: Final = "options.step.init.menu_options"


async def pages(visitor: Visitor) -> None:
    """Open each page from the menu."""
    for name in texts(_MENU):
        await visitor.user.visit(PAGE)
        await visitor.user.press(CONFIGURE)
        await visitor.user.sees(f"{_MENU}.plan")
        if name == "plan":
            await visitor.shoot("options")
        await visitor.user.open_page(f"{_MENU}.{name}")
        await visitor.shoot_flow(f"options-{name}")
        await visitor.user.press(CLOSE)


async def live_sessions(visitor: Visitor) -> None:
    """Schedule live sessions: at first with too few streams, then between two times."""
    await visitor.user.visit(PAGE)
    await configure(visitor.user, "live")
    await visitor.user.fill("options.step.live.data.streams_per_month", "1")
    await visitor.user.switch("options.step.live.data.live_bursts")
    await visitor.submit("options-live-error")
    await visitor.user.fill("options.step.live.data.streams_per_month", "300")
    await visitor.submit("options-live-schedule")
    hours = "options.step.live_schedule.data.live_hours"
    await visitor.user.choose(hours, "selector.live_hours.options.between")
    await visitor.submit("options-live-times")
    await visitor.user.press(CLOSE)
