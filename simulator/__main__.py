"""Serve the demo world: python -m simulator."""

import argparse
import asyncio
from datetime import UTC, datetime
import signal
import sys

from aiohttp import web

from .app import create_app
from .cloud import Cloud
from .demo import DEMO_PASSWORD, demo_cloud
from .moments import VirtualClock
from .world import PLANS


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m simulator", description=__doc__)
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
    return parser.parse_args()


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


async def _serve(arguments: argparse.Namespace) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    cloud = demo_cloud(VirtualClock(arguments.start, arguments.speed))
    runner = web.AppRunner(create_app(cloud), access_log=None, shutdown_timeout=2)
    await runner.setup()
    try:
        site = web.TCPSite(runner, arguments.host, arguments.port)
        await site.start()
        port = runner.addresses[0][1]
        sys.stdout.write(
            _welcome(cloud, f"http://{arguments.host}:{port}", arguments.plan)
        )
        sys.stdout.flush()
        await stop.wait()
    finally:
        await runner.cleanup()


def _welcome(cloud: Cloud, url: str, plan: str | None) -> str:
    applications = [
        f"  {application.plan.name:9} client id {application.client_id}, "
        f"secret {application.client_secret}, API key {application.api_key}"
        for application in cloud.applications
        if plan in {None, application.plan.name.lower()}
    ]
    owners = [
        f"  {account.email}: "
        + (
            ", ".join(
                f"{system.name} ({system.system_id})"
                for system in cloud.systems
                if system.account is account
            )
            or "no system"
        )
        for account in cloud.accounts
    ]
    return "\n".join(
        [
            f"Simulated Enphase cloud: {url}",
            "Applications:",
            *applications,
            f"Owners, password {DEMO_PASSWORD}:",
            *owners,
            "Ctrl-C ends it.\n",
        ]
    )


if __name__ == "__main__":
    asyncio.run(_serve(_arguments()))
