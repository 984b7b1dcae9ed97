"""The demo itself: everything runs until the user ends it."""

import argparse
import asyncio
from contextlib import suppress
from datetime import datetime
import shutil
from typing import Final
from zoneinfo import ZoneInfo

from simulator.demo import DEMO_PASSWORD, OWNER

from .command_line import FOLDER, DemoError, alone, choose_ports
from .home_assistant import PASSWORD, USERNAME, HomeAssistant, Json
from .set_up import (
    Answers,
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

# With this code Home Assistant asks to be started again.
_RESTART_CODE: Final = 100

# All that Enphase knows of the past, in the background.
_ENERGY: Final = {"energy_updates": 24, "history": "hour"}
# What somebody may well pay for: $30 a month, for five minutes about each hour of sun.
_LIVE: Final = {
    "streams_per_month": 300,
    "live_bursts": True,
    "burst_length": 300,
    "publish_interval": 2,
}
_SCHEDULE: Final = {"burst_pause": 60, "live_hours": "daylight"}
_PATIENCE_SECONDS: Final = 20
_HIGH_SUN: Final = range(9, 16)
# Dear in the evening; what is exported is paid for badly.
TARIFFS: Final[tuple[Answers, ...]] = (
    {
        "user": {"direction": "import", "kind": "time_of_use"},
        "time_of_use": {"price": 0.34, "standing_charge": 0.4},
        "period": {"price": 0.52, "start": "16:00:00", "end": "21:00:00"},
    },
    {"user": {"direction": "export", "kind": "fixed"}, "fixed": {"price": 0.08}},
)


async def run(arguments: argparse.Namespace) -> None:
    """Run the demo until it is cancelled.

    `--fresh` forgets what an earlier demo has stored; `--empty` does so, too, and
    leaves the integration to the user to set up. Raises DemoError.
    """
    with alone():
        # Again: preparing takes a while.
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
                print("\nEnding Home Assistant and the simulated cloud …", flush=True)


async def _show_times_of_home(home_assistant: HomeAssistant) -> None:
    """Let pages show the time of the home and not of the browser, unless chosen."""
    key = "language"  # What pages know of a user's language and formats.
    if (await home_assistant.command("frontend/get_user_data", key=key))["value"]:
        return
    value = {"time_zone": "server"}
    await home_assistant.command("frontend/set_user_data", key=key, value=value)


async def _set_up(stage: Stage, plan: str) -> Json:
    """Set the integration up, unless it is; return its first entry."""
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
    """Let values move from the beginning, where what the user made of it allows it."""
    system = System(stage.home_assistant, systems_of(OWNER)[0])
    with suppress(DemoError, KeyError, TimeoutError):
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await until_loaded(stage.home_assistant, entry)
            await system.press("start_live_stream")


async def _watch(stage: Stage) -> None:
    """Restart Home Assistant when it asks for it. Raises DemoError otherwise."""
    while True:
        ends = {
            asyncio.create_task(program.ended()): program
            for program in (stage.cloud_program, stage.home_assistant_program)
        }
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for end, program in ends.items():
            if end.done() and end.result() != _RESTART_CODE:
                raise DemoError(program.obituary(end.result()))
            end.cancel()
        print("Restarting Home Assistant …", flush=True)
        await stage.start_home_assistant()
        print("Home Assistant runs again.", flush=True)


def _time_of_day(stage: Stage) -> str:
    """Tell what time it is where the home stands, and what to do if it is dark."""
    now = datetime.now(ZoneInfo(stage.place.time_zone))
    told = f"It is {now:%H:%M} at {stage.place.address.city}, where the home stands."
    if now.hour in _HIGH_SUN:
        return told
    return f"{told} --fresh moves it to where it is noon."


def _welcome(stage: Stage, arguments: argparse.Namespace) -> str:
    registered = application(arguments.plan)
    to_do = (
        f"""
The integration is yours to set up: Settings → Devices & services → Add integration
→ Enphase Cloud. What it asks for:
    client ID       {registered.client_id}
    client secret   {registered.client_secret}
    email           {OWNER}
    password        {DEMO_PASSWORD}
    API key         {registered.api_key}
    plan            {registered.plan.name}"""
        if arguments.empty
        else """
Things to try:
    Enphase, in the sidebar: the dashboard that the integration brings.
    Settings → Devices & services → Enphase Cloud → Hillside: values move during live
    sessions. One runs now for five minutes; others begin by themselves, about one an
    hour while the sun shines. Or press "Start live session" or "Refresh now".
    Energy: all days of the past are there after two minutes, with the last week by the
    hour; the hours before follow (see "History import").
    ⚙ beside the entry: options, with what they cost.
    Settings → Automations & scenes → Blueprints: automations to make of them.
    Settings → ⋮ → Restart Home Assistant: it costs no call."""
    )
    return f"""
Home Assistant    {stage.home_assistant.url}    user {USERNAME}, password {PASSWORD}
Simulated cloud   {stage.cloud.url}    sign-in {OWNER}, password {DEMO_PASSWORD}
    which API calls it got {stage.cloud.url}/_control/counts
    all its owners, applications and keys: {stage.cloud_program.log}
{_time_of_day(stage)}
{to_do}

Ctrl-C ends it. The next start takes up where this one ended; --fresh starts anew.
"""
