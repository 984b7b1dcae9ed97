"""Talk to Home Assistant as its frontend does: over HTTP and WebSocket."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any, Final

from aiohttp import ClientError, ClientSession, ClientWebSocketResponse

type Json = dict[str, Any]

USERNAME: Final = "demo"
PASSWORD: Final = "demo"

_TIMEOUT_SECONDS: Final = 30


class HomeAssistantError(Exception):
    """Home Assistant refused what it was asked; the text holds its answer."""


class HomeAssistant:
    """One Home Assistant, once `log_in` was called with everything it offers."""

    def __init__(self, session: ClientSession, url: str) -> None:
        """Point at a Home Assistant."""
        self.url = url
        self._session = session
        self._access_token = ""

    async def is_up(self) -> bool:
        """Tell whether its frontend answers yet, and the onboarding with it."""
        try:
            async with self._session.get(f"{self.url}/manifest.json") as response:
                return response.status == HTTPStatus.OK
        except ClientError:
            return False

    async def is_running(self) -> bool:
        """Tell whether it has started everything."""
        try:
            config: Json = await self.get("/api/config")
        except ClientError:
            return False
        return bool(config["state"] == "RUNNING")

    async def unfinished_onboarding(self) -> set[str]:
        """Return the names of the onboarding steps that are still to be done."""
        async with self._session.get(f"{self.url}/api/onboarding") as response:
            if response.status == HTTPStatus.NOT_FOUND:
                return set()
            steps: list[Json] = await response.json()
            return {step["step"] for step in steps if not step["done"]}

    async def create_owner(self, name: str) -> None:
        """Do the first step of the onboarding, and log in."""
        created: Json = await self.post(
            "/api/onboarding/users",
            {
                "client_id": self._client_id,
                "language": "en",
                "name": name,
                "username": USERNAME,
                "password": PASSWORD,
            },
        )
        await self._exchange(created["auth_code"])

    async def finish_onboarding(self, step: str) -> None:
        """Do a later step of the onboarding."""
        redirect = {"client_id": self._client_id, "redirect_uri": self._client_id}
        given = redirect if step == "integration" else {}
        await self.post(f"/api/onboarding/{step}", given)

    async def log_in(self) -> None:
        """Log in as the demo's user."""
        flow: Json = await self.post(
            "/auth/login_flow",
            {
                "client_id": self._client_id,
                "handler": ["homeassistant", None],
                "redirect_uri": self._client_id,
            },
        )
        answer: Json = await self.post(
            f"/auth/login_flow/{flow['flow_id']}",
            {
                "client_id": self._client_id,
                "username": USERNAME,
                "password": PASSWORD,
            },
        )
        if answer["type"] != "create_entry":
            raise HomeAssistantError(f"The login was refused: {answer.get('errors')}")
        await self._exchange(answer["result"])

    async def get(self, path: str) -> Any:
        """Return what GET answers. Raises HomeAssistantError unless all is well."""
        return await self._request("GET", path)

    async def post(self, path: str, body: Json) -> Any:
        """Return what POST answers. Raises HomeAssistantError unless all is well."""
        return await self._request("POST", path, json=body)

    async def command(self, kind: str, **fields: Any) -> Any:
        """Return the result of a WebSocket command. Raises HomeAssistantError."""
        async with self._websocket() as websocket:
            return await _command(websocket, 1, kind, fields)

    async def act(self, action: str, **data: Any) -> None:
        """Perform an action such as `button.press`. Raises HomeAssistantError."""
        domain, _, service = action.partition(".")
        await self.command(
            "call_service", domain=domain, service=service, service_data=data
        )

    async def ask(self, action: str, **data: Any) -> Json:
        """Perform an action and return its response. Raises HomeAssistantError."""
        domain, _, service = action.partition(".")
        result: Json = await self.command(
            "call_service",
            domain=domain,
            service=service,
            service_data=data,
            return_response=True,
        )
        response: Json = result["response"]
        return response

    async def states(self) -> dict[str, Json]:
        """Return all states by entity id."""
        states: list[Json] = await self.get("/api/states")
        return {state["entity_id"]: state for state in states}

    @asynccontextmanager
    async def watching_states(self) -> AsyncGenerator[list[Json]]:
        """Collect the new states of all entities while the context lasts."""
        seen: list[Json] = []
        async with self._websocket() as websocket:
            await _command(
                websocket, 1, "subscribe_events", {"event_type": "state_changed"}
            )
            collecting = asyncio.create_task(_collect(websocket, seen))
            try:
                yield seen
            finally:
                collecting.cancel()

    @property
    def _client_id(self) -> str:
        return f"{self.url}/"

    async def _exchange(self, code: str) -> None:
        async with self._session.post(
            f"{self.url}/auth/token",
            data={
                "grant_type": "authorization_code",
                "code": code,
                "client_id": self._client_id,
            },
        ) as response:
            token: Json = await response.json()
        self._access_token = token["access_token"]

    async def _request(self, method: str, path: str, **options: Any) -> Any:
        # With this header Home Assistant learns where a sign-in is to return to.
        headers = {"HA-Frontend-Base": self.url}
        if self._access_token:
            headers["Authorization"] = f"Bearer {self._access_token}"
        async with self._session.request(
            method, f"{self.url}{path}", headers=headers, **options
        ) as response:
            if response.status >= HTTPStatus.BAD_REQUEST:
                text = await response.text()
                raise HomeAssistantError(f"{path}: {response.status} {text}")
            return await response.json()

    @asynccontextmanager
    async def _websocket(self) -> AsyncGenerator[ClientWebSocketResponse]:
        async with self._session.ws_connect(
            f"{self.url}/api/websocket", max_msg_size=0
        ) as websocket:
            await websocket.receive_json(timeout=_TIMEOUT_SECONDS)
            await websocket.send_json(
                {"type": "auth", "access_token": self._access_token}
            )
            answer = await websocket.receive_json(timeout=_TIMEOUT_SECONDS)
            if answer["type"] != "auth_ok":
                raise HomeAssistantError(f"The WebSocket refused: {answer}")
            yield websocket


async def _command(
    websocket: ClientWebSocketResponse, number: int, kind: str, fields: Json
) -> Any:
    await websocket.send_json({"id": number, "type": kind, **fields})
    while True:
        answer = await websocket.receive_json(timeout=_TIMEOUT_SECONDS)
        if answer.get("id") == number and answer["type"] == "result":
            break
    if not answer["success"]:
        raise HomeAssistantError(f"{kind}: {answer['error']}")
    return answer["result"]


async def _collect(websocket: ClientWebSocketResponse, seen: list[Json]) -> None:
    while True:
        message = await websocket.receive_json()
        if message["type"] == "event" and (
            new := message["event"]["data"]["new_state"]
        ):
            seen.append(new)
