"""Talk to Home Assistant as its frontend does: over HTTP and WebSocket."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from aiohttp import ClientSession

from .command_line import DemoError

type Json = dict[str, Any]

USERNAME: Final = "demo"
PASSWORD: Final = "demo"
_TIMEOUT_SECONDS: Final = 30


class HomeAssistantError(DemoError):
    """Home Assistant refused what it was asked; the text holds its answer."""


class HomeAssistant:
    """One Home Assistant; all of it can be asked for after `log_in`."""

    def __init__(self, session: ClientSession, url: str) -> None:
        """Point at a Home Assistant."""
        self.url = url
        self.session = session
        self._access_token = ""

    async def is_up(self) -> bool:
        """Tell whether its frontend answers yet, and logins with it."""
        async with self.session.get(f"{self.url}/manifest.json") as response:
            return response.status == HTTPStatus.OK

    async def is_running(self) -> bool:
        """Tell whether it has started everything."""
        return bool((await self.get("/api/config"))["state"] == "RUNNING")

    async def log_in(self) -> None:
        """Log in as the demo's user, who is made where there is none yet."""
        client = {"client_id": f"{self.url}/"}
        user = {**client, "username": USERNAME, "password": PASSWORD}
        try:
            owner = {**user, "language": "en", "name": "Demo"}
            code = (await self.post("/api/onboarding/users", owner))["auth_code"]
        except HomeAssistantError:
            code = await self._code_of(user)
        code = {**client, "grant_type": "authorization_code", "code": code}
        token = await self._request("POST", "/auth/token", data=code)
        self._access_token = token["access_token"]

    async def get(self, path: str) -> Any:
        """Return what GET answers. Raises HomeAssistantError unless all is well."""
        return await self._request("GET", path)

    async def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Return what POST answers. Raises HomeAssistantError unless all is well."""
        return await self._request("POST", path, json=body)

    async def command(self, kind: str, **fields: Any) -> Any:
        """Return the result of a WebSocket command. Raises HomeAssistantError."""
        async with self.session.ws_connect(
            f"{self.url}/api/websocket", max_msg_size=0
        ) as websocket:
            for message in (
                {"type": "auth", "access_token": self._access_token},
                {"id": 1, "type": kind, **fields},
            ):
                # Before the first it asks for it, before the second it welcomes us.
                await websocket.receive_json(timeout=_TIMEOUT_SECONDS)
                await websocket.send_json(message)
            answer = await websocket.receive_json(timeout=_TIMEOUT_SECONDS)
        if not answer.get("success"):
            raise HomeAssistantError(f"{kind}: {answer.get('error', answer)}")
        return answer["result"]

    async def states(self) -> dict[str, Json]:
        """Return all states by entity id."""
        states: list[Json] = await self.get("/api/states")
        return {state["entity_id"]: state for state in states}

    async def _code_of(self, user: Mapping[str, str]) -> str:
        """Return what a login is exchanged for."""
        client = {"client_id": user["client_id"], "redirect_uri": user["client_id"]}
        flow = await self.post(
            "/auth/login_flow", {**client, "handler": ["homeassistant", None]}
        )
        answer = await self.post(f"/auth/login_flow/{flow['flow_id']}", user)
        if answer["type"] != "create_entry":
            raise HomeAssistantError(f"The login was refused: {answer.get('errors')}")
        return str(answer["result"])

    async def _request(self, method: str, path: str, **options: Any) -> Any:
        # With this header Home Assistant learns where a sign-in is to return to.
        headers = {"HA-Frontend-Base": self.url}
        if self._access_token:
            headers["Authorization"] = f"Bearer {self._access_token}"
        async with self.session.request(
            method, f"{self.url}{path}", headers=headers, **options
        ) as response:
            if response.status >= HTTPStatus.BAD_REQUEST:
                text = await response.text()
                raise HomeAssistantError(f"{path}: {response.status} {text}")
            return await response.json()
