"""A client of Home Assistant that works as its frontend does: HTTP and WebSocket."""

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
    """Home Assistant refused a request; the text holds its response."""


class HomeAssistant:
    """One Home Assistant; requests that need a user work after `log_in`."""

    def __init__(self, session: ClientSession, url: str) -> None:
        """Use the Home Assistant at a URL."""
        self.url = url
        self.session = session
        self._access_token = ""

    async def is_up(self) -> bool:
        """Tell whether its frontend, and so its login, responds."""
        async with self.session.get(f"{self.url}/manifest.json") as response:
            return response.status == HTTPStatus.OK

    async def is_running(self) -> bool:
        """Tell whether its start is complete."""
        return bool((await self.get("/api/config"))["state"] == "RUNNING")

    async def log_in(self) -> None:
        """Log in as the demo's user; create this user first if there is none."""
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
        """Return the response to GET. Raises HomeAssistantError on an error status."""
        return await self._request("GET", path)

    async def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Return the response to POST. Raises HomeAssistantError on an error status."""
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
                # Before these, it sends "auth_required" and then "auth_ok".
                await websocket.receive_json(timeout=_TIMEOUT_SECONDS)
                await websocket.send_json(message)
            response = await websocket.receive_json(timeout=_TIMEOUT_SECONDS)
        if not response.get("success"):
            raise HomeAssistantError(f"{kind}: {response.get('error', response)}")
        return response["result"]

    async def states(self) -> dict[str, Json]:
        """Return all states by entity id."""
        states: list[Json] = await self.get("/api/states")
        return {state["entity_id"]: state for state in states}

    async def _code_of(self, user: Mapping[str, str]) -> str:
        """Log a known user in; return the authorization code."""
        client = {"client_id": user["client_id"], "redirect_uri": user["client_id"]}
        flow = await self.post(
            "/auth/login_flow", {**client, "handler": ["homeassistant", None]}
        )
        step = await self.post(f"/auth/login_flow/{flow['flow_id']}", user)
        if step["type"] != "create_entry":
            raise HomeAssistantError(f"The login was refused: {step.get('errors')}")
        return str(step["result"])

    async def _request(self, method: str, path: str, **options: Any) -> Any:
        # Home Assistant builds the redirect address of a sign-in from this header.
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
