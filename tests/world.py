"""A simulated cloud with one application, owner and system, and entries for it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
import os
from typing import Any
from unittest.mock import patch

from aiohttp import web
from homeassistant.const import CONF_API_KEY, CONF_ID, CONF_NAME, CONF_TOKEN
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.enphase_cloud.const import (
    CONF_CONNECTION,
    CONF_LIVE_STREAM,
    CONF_PLAN,
    CONF_STREAMS_PER_MONTH,
    CONF_SYSTEMS,
    CONF_TIME_ZONE,
    DOMAIN,
    ENV_CLOUD_URL,
)
from custom_components.enphase_cloud.migration import MINOR_VERSION
from simulator import Account, Application, Cloud, System, create_app

CLIENT_ID = "test-client"
CLIENT_SECRET = "test-secret-3f9c"
API_KEY = "test-key-81d2"
EMAIL = "owner@example.com"
PASSWORD = "correct horse"
USER_ID = "5550001"


@dataclass(slots=True, kw_only=True)
class World:
    """The simulated cloud of a test, with one application, owner and system."""

    cloud: Cloud
    application: Application
    owner: Account
    url: str = ""
    systems: list[System] = field(default_factory=list)

    @property
    def system(self) -> System:
        """Return the first system."""
        return self.systems[0]

    def add_system(self, **properties: Any) -> System:
        """Build another system for the owner."""
        system = self.cloud.add_system(self.owner, **properties)
        self.systems.append(system)
        return system

    @property
    def calls(self) -> list[str]:
        """Return the operations that the cloud counted, in order."""
        return [request.operation for request in self.cloud.requests if request.counted]

    def entry(
        self,
        *,
        options: dict[str, Any] | None = None,
        minor_version: int = MINOR_VERSION,
    ) -> MockConfigEntry:
        """Return an entry as the config flow makes it."""
        token = self.cloud.tokens_for(self.application, self.owner)
        expires_in = token["expires_in"]
        assert isinstance(expires_in, int)
        return MockConfigEntry(
            domain=DOMAIN,
            title="Home",
            minor_version=minor_version,
            unique_id=USER_ID,
            data={
                "auth_implementation": DOMAIN,
                CONF_TOKEN: {
                    **token,
                    "expires_at": dt_util.utcnow().timestamp() + expires_in,
                },
                CONF_API_KEY: self.application.api_key,
                CONF_SYSTEMS: [
                    {
                        CONF_ID: system.system_id,
                        CONF_NAME: system.name,
                        CONF_TIME_ZONE: system.time_zone,
                        CONF_CONNECTION: system.connection,
                        CONF_LIVE_STREAM: system.live_stream,
                    }
                    for system in self.systems
                ],
            },
            options={
                CONF_PLAN: self.application.plan.name.lower(),
                CONF_STREAMS_PER_MONTH: 100,
                **(options or {}),
            },
        )


def build(cloud: Cloud, *, plan: str, **properties: Any) -> World:
    """Add an application with a plan, and an owner with a system, to a cloud."""
    application = cloud.add_application(
        client_id=CLIENT_ID, client_secret=CLIENT_SECRET, api_key=API_KEY, plan=plan
    )
    owner = cloud.add_account(email=EMAIL, password=PASSWORD, user_id=USER_ID)
    world = World(cloud=cloud, application=application, owner=owner)
    world.add_system(**properties)
    return world


@asynccontextmanager
async def served(world: World, *middlewares: Any) -> AsyncGenerator[None]:
    """Serve the cloud of a world on loopback; the integration asks it."""
    app = create_app(world.cloud)
    app.middlewares.extend(middlewares)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    world.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    with patch.dict(os.environ, {ENV_CLOUD_URL: world.url}):
        yield
    await runner.cleanup()
