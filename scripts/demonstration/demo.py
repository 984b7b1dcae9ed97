"""The demo itself: everything runs until the user ends it."""

import argparse
import asyncio
import shutil
from typing import Final

from simulator.demo import DEMO_PASSWORD, OWNER

from .command_line import DemoError, claim_ports
from .home_assistant import PASSWORD, USERNAME
from .set_up import (
    Answers,
    add_integration,
    add_tariff,
    application,
    choose_options,
    entries_of_integration,
)
from .stage import CHECKOUT, Stage, open_stage

# With this code Home Assistant asks to be started again.
_RESTART_CODE: Final = 100

# All that Enphase knows of the past, in the background.
_ENERGY: Final = {"energy_updates": 24, "history": "hour"}
# As often as the integration allows, so that something moves most of the time.
_LIVE: Final = {
    "streams_per_month": 12_000,
    "live_bursts": True,
    "burst_length": 120,
    "publish_interval": 2,
}
_SCHEDULE: Final = {"burst_pause": 5, "live_hours": "all_day"}
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
    # Again: preparing takes a while.
    claim_ports(arguments)
    folder = CHECKOUT / "demo"
    if arguments.fresh or arguments.empty:
        shutil.rmtree(folder, ignore_errors=True)
    print("Starting the simulated cloud and Home Assistant …", flush=True)
    async with open_stage(
        folder, port=arguments.port, cloud_port=arguments.cloud_port
    ) as stage:
        try:
            if not arguments.empty:
                await _set_up(stage, arguments.plan)
            print(_welcome(stage, arguments), flush=True)
            await _watch(stage)
        finally:
            print("\nEnding Home Assistant and the simulated cloud …", flush=True)


async def _set_up(stage: Stage, plan: str) -> None:
    home_assistant = stage.home_assistant
    if await entries_of_integration(home_assistant):
        return
    print("Setting up the integration through its config flow …", flush=True)
    entry = await add_integration(home_assistant, plan=plan)
    await choose_options(home_assistant, entry, live=_LIVE, live_schedule=_SCHEDULE)
    await choose_options(home_assistant, entry, energy=_ENERGY)
    for tariff in TARIFFS:
        await add_tariff(home_assistant, entry, tariff)


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
    Settings → Devices & services → Enphase Cloud → Hillside: values move during bursts
    of live data (two minutes of every five); press "Start live session", or
    "Refresh now".
    Energy: all days of the past are there after two minutes, with the last week by the
    hour; the hours before follow (see "History import").
    ⚙ beside the entry: options, with what they cost.
    Settings → Automations & scenes → Blueprints: automations to make of them.
    Settings → ⋮ → Restart Home Assistant: it costs no call."""
    )
    return f"""
Home Assistant    {stage.home_assistant.url}    user {USERNAME}, password {PASSWORD}
Simulated cloud   {stage.cloud.url}    sign-in {OWNER}, password {DEMO_PASSWORD}
    what it was asked {stage.cloud.url}/_control/counts
    all its owners, applications and keys: {stage.cloud_program.log}
{to_do}

Ctrl-C ends it. The next start takes up where this one ended; --fresh starts anew.
"""
