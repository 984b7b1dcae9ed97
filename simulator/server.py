"""The command line program that serves the demo cloud."""

import argparse
import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
import signal
import sys

from aiohttp import web

from .app import create_app
from .cloud import Cloud
from .demo import DEMO_PASSWORD, demo_cloud
from .moments import VirtualClock
from .places import OAKLAND, PLACES
from .world import PLANS

_SHUTDOWN_SECONDS = 2
"""Seconds that open requests have when the program ends."""


def options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m simulator", description="Serve a simulated Enphase cloud."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8124, help="0 picks a free one")
    parser.add_argument(
        "--plan", choices=PLANS, help="show the credentials of this plan only"
    )
    parser.add_argument(
        "--speed", type=float, default=1.0, help="simulated seconds per second"
    )
    parser.add_argument(
        "--start", type=_moment, help="ISO moment at which the clock starts"
    )
    parser.add_argument(
        "--place",
        choices=PLACES,
        default=OAKLAND.time_zone,
        metavar="TIME_ZONE",
        help="where the first owner lives, such as Asia/Tokyo",
    )
    return parser.parse_args(arguments)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


async def serve(chosen: argparse.Namespace) -> None:
    """Serve until the program is interrupted; print address and credentials."""
    clock = VirtualClock(chosen.start, chosen.speed)
    cloud = demo_cloud(clock, place=PLACES[chosen.place])
    runner = web.AppRunner(
        create_app(cloud), access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS
    )
    await runner.setup()
    try:
        with _interruption() as interrupted:
            await web.TCPSite(runner, chosen.host, chosen.port).start()
            port = runner.addresses[0][1]
            url = f"http://{chosen.host}:{port}"
            sys.stdout.write(welcome(cloud, url, chosen.plan))
            sys.stdout.flush()
            await interrupted.wait()
    finally:
        await runner.cleanup()


@contextmanager
def _interruption() -> Iterator[asyncio.Event]:
    """Yield an event that SIGINT (Ctrl-C) and SIGTERM set."""
    interrupted = asyncio.Event()
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGINT, signal.SIGTERM)
    for number in numbers:
        loop.add_signal_handler(number, interrupted.set)
    try:
        yield interrupted
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


def welcome(cloud: Cloud, url: str, plan: str | None = None) -> str:
    """Return the printed text: address, applications and logins."""
    applications = [
        f"  {application.plan.name:9} client id {application.client_id}, "
        f"secret {application.client_secret}, API key {application.api_key}"
        for application in cloud.applications
        if plan in {None, application.plan.name.lower()}
    ]
    owners = [
        f"  {account.email}: {_systems_of(cloud, account.email) or 'no system'}"
        for account in cloud.accounts
    ]
    lines = [
        f"Simulated Enphase cloud: {url}",
        "Applications:",
        *applications,
        f"Owners, password {DEMO_PASSWORD}:",
        *owners,
        "Ctrl-C ends it.",
        "",
    ]
    return "\n".join(lines)


def _systems_of(cloud: Cloud, email: str) -> str:
    return ", ".join(
        f"{system.name} ({system.system_id})"
        for system in cloud.systems
        if system.account.email == email
    )
