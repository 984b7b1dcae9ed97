"""A simulated cloud on loopback, at a time that the test sets."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from aiohttp import ClientResponse, encode_basic_auth
from aiohttp.test_utils import TestClient, TestServer
import pytest

from simulator import Account, Application, Cloud, System, create_app

NOON = datetime(2026, 6, 17, 19, 40, tzinfo=UTC)
"""A Wednesday, 12:40 in California."""


@dataclass(slots=True)
class Clock:
    """A clock that only moves by `advance`."""

    moment: datetime = NOON

    def __call__(self) -> datetime:
        """Return the time."""
        return self.moment

    def advance(self, **span: float) -> None:
        """Move the time forward."""
        self.moment += timedelta(**span)


@dataclass(slots=True, kw_only=True)
class World:
    """A cloud with a kilowatt application and an owner, and an HTTP client."""

    clock: Clock
    cloud: Cloud
    client: TestClient[Any, Any]
    application: Application
    owner: Account
    headers: dict[str, str] = field(default_factory=dict)

    def sign_in(
        self, application: Application | None = None, owner: Account | None = None
    ) -> dict[str, str]:
        """Return the headers of a signed-in owner."""
        application = application or self.application
        token = self.cloud.tokens_for(application, owner or self.owner)
        return {
            "Authorization": f"Bearer {token['access_token']}",
            "key": application.api_key,
        }

    def add_system(self, **properties: Any) -> System:
        """Add a system of the owner: by default ten days old, with two batteries."""
        properties.setdefault("battery", 2)
        properties.setdefault("commissioned", date(2026, 6, 7))
        return self.cloud.add_system(self.owner, **properties)

    async def request(
        self,
        path: str,
        *,
        method: str = "GET",
        headers: dict[str, str] | None = None,
        body: Any = None,
        **query: object,
    ) -> ClientResponse:
        """Request an operation below `/api/v4/systems`."""
        response: ClientResponse = await self.client.request(
            method,
            f"/api/v4/systems{path}",
            headers=self.headers if headers is None else headers,
            params={name: str(value) for name, value in query.items()},
            json=body,
            allow_redirects=False,
        )
        return response

    async def get(self, path: str, **query: object) -> Any:
        """Return the document of an operation below `/api/v4/systems`."""
        response = await self.request(path, **query)
        document = await response.json(content_type=None)
        assert response.status == 200, document
        return document

    async def refusal(self, path: str, **options: Any) -> tuple[int, Any]:
        """Return status and body of a refused request."""
        response = await self.request(path, **options)
        return response.status, await response.json(content_type=None)

    async def control(self, method: str, path: str, body: Any = None) -> Any:
        """Send a request to the control endpoint."""
        response = await self.client.request(method, f"/_control/{path}", json=body)
        text = await response.text()
        assert response.status in {200, 201, 204}, text
        return await response.json() if text else None

    async def token(
        self, application: Application | None = None, **parameters: str
    ) -> tuple[int, Any]:
        """Request tokens with the credentials of the application."""
        application = application or self.application
        credentials = encode_basic_auth(
            application.client_id, application.client_secret
        )
        response = await self.client.post(
            "/oauth/token", data=parameters, headers={"Authorization": credentials}
        )
        return response.status, await response.json()


@pytest.fixture
async def world(socket_enabled: None) -> AsyncGenerator[World]:
    """Serve a cloud on loopback."""
    clock = Clock()
    cloud = Cloud(clock)
    application = cloud.add_application(
        client_id="client", client_secret="secret", api_key="key", plan="kilowatt"
    )
    owner = cloud.add_account(email="owner@example.com", password="sesame")
    async with TestClient(TestServer(create_app(cloud))) as client:
        world = World(
            clock=clock,
            cloud=cloud,
            client=client,
            application=application,
            owner=owner,
        )
        world.headers = world.sign_in()
        yield world


@pytest.fixture
def system(world: World) -> System:
    """Return a system with panels and two batteries."""
    return world.add_system()


@pytest.fixture
def without_waiting(world: World) -> None:
    """Advance the clock in live streams instead of waiting."""

    async def sleep(seconds: float) -> None:
        world.clock.advance(seconds=seconds)

    world.cloud.sleep = sleep
