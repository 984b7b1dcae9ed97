"""Take pictures of all screens of the integration, and list their flaws."""

import shutil
from typing import Final

from playwright.async_api import Error

from scripts.demonstration.command_line import CHECKOUT, DemoError
from scripts.demonstration.stage import temporary_stage

from .visitor import Appearance, visiting
from .walks import accounts, controls, energy, options, pages, repairs

# In order: each finds what the walks before it have set up.
_WALKS: Final = (
    accounts.sign_in,
    accounts.set_up,
    accounts.add_again,
    accounts.change,
    accounts.sign_in_again,
    options.pages,
    options.live_sessions,
    energy.new_tariffs,
    energy.changed_tariffs,
    energy.arrays,
    pages.dashboard,
    pages.devices,
    controls.dialogs,
    controls.actions,
    pages.blueprints,
    energy.dashboard,
    repairs.of_the_dashboard,
    accounts.add_second,
    repairs.all_others,
)


async def take_all(appearance: Appearance) -> None:
    """Take pictures of all screens.

    Raises DemoError if there is no browser, or where a walk cannot continue.
    """
    folder = appearance.folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    async with (
        temporary_stage() as stage,
        visiting(stage, appearance) as visitor,
    ):
        for walk in _WALKS:
            try:
                await walk(visitor)
            except Error as err:
                await visitor.shoot("failed")
                raise DemoError(f"{walk.__qualname__}: {err.message}") from None
    print(f"\nThe pictures are in {folder.relative_to(CHECKOUT)}.")
