"""The demo itself: its programs run until the user stops them."""

import argparse
import asyncio
from contextlib import suppress
from datetime import datetime
import shutil
from typing import Final
from zoneinfo import ZoneInfo

from simulator.demo import DEMO_PASSWORD, OWNER

from .command_line import FOLDER, DemoError, choose_ports, locked_folder
from .home_assistant import PASSWORD, USERNAME, HomeAssistant, Json
from .set_up import (
    TARIFFS,
    add_dashboard,
    add_integration,
    add_tariff,
    application,
    choose_options,
    entries_of_integration,
    systems_of,
    until_loaded,
)
from .stage import Stage, open_stage
from .system import System

# The exit code with which Home Assistant requests a restart.
_RESTART_CODE: Final = 100

# All history that the cloud has, imported in the background.
_ENERGY: Final = {"energy_updates": 24, "history": "hour"}
# A plausible expense, $30 a month: five minutes in about each hour of daylight.
_LIVE: Final = {
    "streams_per_month": 300,
    "live_bursts": True,
    "burst_length": 300,
    "publish_interval": 2,
}
_SCHEDULE: Final = {"burst_pause": 60, "live_hours": "daylight"}
_PATIENCE_SECONDS: Final = 20
_HIGH_SUN: Final = range(9, 16)


async def run(arguments: argparse.Namespace) -> None:
    """Run the demo until it is cancelled.

    `--fresh` deletes the data of earlier demos; `--empty` does so too, and does not
    set the integration up. Raises DemoError.
    """
    with locked_folder():
        # Again: since the first check, preparation may have taken minutes.
        for line in choose_ports(arguments):
            print(line)
        if (arguments.fresh or arguments.empty) and FOLDER.exists():
            shutil.rmtree(FOLDER)
        print("Starting the simulated cloud and Home Assistant …", flush=True)
        async with open_stage(
            FOLDER, port=arguments.port, cloud_port=arguments.cloud_port
        ) as stage:
            try:
                await _show_times_of_home(stage.home_assistant)
                if not arguments.empty:
                    entry = await _set_up(stage, arguments.plan)
                    await _start_live_session(stage, entry)
                print(_welcome(stage, arguments), flush=True)
                await _watch(stage)
            finally:
                print("\nStopping Home Assistant and the simulated cloud …", flush=True)


async def _show_times_of_home(home_assistant: HomeAssistant) -> None:
    """Make pages use the home's time zone, unless the user has chosen formats."""
    key = "language"  # The frontend's key for a user's language and formats.
    if (await home_assistant.command("frontend/get_user_data", key=key))["value"]:
        return
    value = {"time_zone": "server"}
    await home_assistant.command("frontend/set_user_data", key=key, value=value)


async def _set_up(stage: Stage, plan: str) -> Json:
    """Set the integration up if it is not yet; return its first entry."""
    home_assistant = stage.home_assistant
    if entries := await entries_of_integration(home_assistant):
        return entries[0]
    print("Setting up the integration through its config flow …", flush=True)
    entry = await add_integration(home_assistant, plan=plan)
    await choose_options(home_assistant, entry, live=_LIVE, live_schedule=_SCHEDULE)
    await choose_options(home_assistant, entry, energy=_ENERGY)
    for tariff in TARIFFS:
        await add_tariff(home_assistant, entry, tariff)
    await add_dashboard(home_assistant)
    return entry


async def _start_live_session(stage: Stage, entry: Json) -> None:
    """Start a live session, so that values change at once.

    It is optional: after changes of the user, it may not be possible.
    """
    system = System(stage.home_assistant, systems_of(OWNER)[0])
    with suppress(DemoError, KeyError, TimeoutError):
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await until_loaded(stage.home_assistant, entry)
            await system.press("start_live_stream")


async def _watch(stage: Stage) -> None:
    """Restart Home Assistant on request. Raises DemoError if a program ends."""
    while True:
        ends = {
            asyncio.create_task(program.ended()): program
            for program in (stage.cloud_program, stage.home_assistant_program)
        }
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for end, program in ends.items():
            if end.done() and end.result() != _RESTART_CODE:
                raise DemoError(program.end_message(end.result()))
            end.cancel()
        print("Restarting Home Assistant …", flush=True)
        await stage.start_home_assistant()
        print("Home Assistant has restarted.", flush=True)


def _time_of_day(stage: Stage) -> str:
    """Return a sentence with the home's local time, and what to do if it is dark."""
    now = datetime.now(ZoneInfo(stage.place.time_zone))
    text = f"The home is in {stage.place.address.city}, where it is {now:%H:%M}."
    if now.hour in _HIGH_SUN:
        return text
    return f"{text} --fresh moves it to a place where it is noon."


def _welcome(stage: Stage, arguments: argparse.Namespace) -> str:
    registered = application(arguments.plan)
    to_do = (
        f"""
To set up the integration, go to Settings → Devices & services → Add integration
→ Enphase Cloud, and enter:
    client ID       {registered.client_id}
    client secret   {registered.client_secret}
    email           {OWNER}
    password        {DEMO_PASSWORD}
    API key         {registered.api_key}
    plan            {registered.plan.name}"""
        if arguments.empty
        else """
Things to try:
    Enphase (in the sidebar): the dashboard of the integration.
    Settings → Devices & services → Enphase Cloud → Hillside: values change during a
    live session. One runs now, for five minutes; others start by themselves, about one
    an hour in daylight. Or select "Start live session" or "Refresh now".
    Energy: after two minutes it shows all past days, and the last week by the hour;
    earlier hours follow (see "History import").
    ⚙ beside the entry: the options, with their costs in API calls and money.
    Settings → Automations & scenes → Blueprints: create automations.
    Settings → ⋮ → Restart Home Assistant: a restart needs no API call."""
    )
    return f"""
Home Assistant    {stage.home_assistant.url}    user {USERNAME}, password {PASSWORD}
Simulated cloud   {stage.cloud.url}    sign-in {OWNER}, password {DEMO_PASSWORD}
    API calls so far: {stage.cloud.url}/_control/counts
    owners, applications and API keys: {stage.cloud_program.log}
{_time_of_day(stage)}
{to_do}

Press Ctrl-C to stop. The next start continues with this data; --fresh deletes it.
"""
