"""Talk to Home Assistant as its frontend does: over HTTP and WebSocket."""

from http import HTTPStatus
from typing import Any, Final

from aiohttp import ClientError, ClientSession

from .processes import DemoError

type Json = dict[str, Any]

USERNAME: Final = "demo"
PASSWORD: Final = "demo"

# Where the demo's owner lives.
TIME_ZONE: Final = "America/Los_Angeles"
_HOME: Final = {
    "location_name": "Hillside",
    "latitude": 37.8,
    "longitude": -122.3,
    "elevation": 50,
    "time_zone": TIME_ZONE,
    "country": "US",
    "currency": "USD",
    "unit_system": "metric",
}
_TIMEOUT_SECONDS: Final = 30


class HomeAssistantError(DemoError):
    """Home Assistant refused what it was asked; the text holds its answer."""


class HomeAssistant:
    """One Home Assistant, once `onboard` was called with everything it offers."""

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
        return bool((await self.get("/api/config"))["state"] == "RUNNING")

    async def onboard(self) -> None:
        """Log in, and do what is still missing of the onboarding."""
        unfinished = await self._unfinished_onboarding()
        user = {"client_id": f"{self.url}/", "username": USERNAME, "password": PASSWORD}
        if "user" in unfinished:
            created = await self.post(
                "/api/onboarding/users", {**user, "language": "en", "name": "Demo"}
            )
            await self._exchange(created["auth_code"])
            await self.command("config/core/update", **_HOME)
        else:
            await self._log_in(user)
        # Analytics stay off unless they are chosen.
        steps: dict[str, Json] = {"analytics": {}, "integration": self._redirect}
        for step in steps.keys() & unfinished:
            await self.post(f"/api/onboarding/{step}", steps[step])

    async def get(self, path: str) -> Any:
        """Return what GET answers. Raises HomeAssistantError unless all is well."""
        return await self._request("GET", path)

    async def post(self, path: str, body: Json) -> Any:
        """Return what POST answers. Raises HomeAssistantError unless all is well."""
        return await self._request("POST", path, json=body)

    async def command(self, kind: str, **fields: Any) -> Any:
        """Return the result of a WebSocket command. Raises HomeAssistantError."""
        async with self._session.ws_connect(
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

    async def press(self, entity_id: str) -> None:
        """Press a button. Raises HomeAssistantError where it refuses."""
        await self.command(
            "call_service",
            domain="button",
            service="press",
            service_data={"entity_id": entity_id},
        )

    async def states(self) -> dict[str, Json]:
        """Return all states by entity id."""
        states: list[Json] = await self.get("/api/states")
        return {state["entity_id"]: state for state in states}

    @property
    def _redirect(self) -> Json:
        return {"client_id": f"{self.url}/", "redirect_uri": f"{self.url}/"}

    async def _unfinished_onboarding(self) -> set[str]:
        """Return the names of the onboarding steps that are still to be done."""
        async with self._session.get(f"{self.url}/api/onboarding") as response:
            if response.status == HTTPStatus.NOT_FOUND:
                return set()
            steps: list[Json] = await response.json()
            return {step["step"] for step in steps if not step["done"]}

    async def _log_in(self, user: Json) -> None:
        """Log in as the demo's user."""
        flow = await self.post(
            "/auth/login_flow", {**self._redirect, "handler": ["homeassistant", None]}
        )
        answer = await self.post(f"/auth/login_flow/{flow['flow_id']}", user)
        if answer["type"] != "create_entry":
            raise HomeAssistantError(f"The login was refused: {answer.get('errors')}")
        await self._exchange(answer["result"])

    async def _exchange(self, code: str) -> None:
        token = await self._request(
            "POST",
            "/auth/token",
            data={
                "grant_type": "authorization_code",
                "code": code,
                "client_id": f"{self.url}/",
            },
        )
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
