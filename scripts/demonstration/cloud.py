"""Ask the simulated cloud for the truth, and order faults."""

from collections import Counter
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

from aiohttp import BasicAuth, ClientError, ClientSession
from yarl import URL

from .credentials import Credentials
from .home_assistant import Json
from .sign_in import sign_in

TOKEN: Final = "token"
LIVE: Final = "live_data"


class Cloud:
    """The control endpoint of the simulated cloud."""

    def __init__(self, session: ClientSession, url: str) -> None:
        """Point at a simulated cloud."""
        self.url = url
        self._session = session

    async def is_up(self) -> bool:
        """Tell whether it answers yet."""
        try:
            await self._get("/_control/clock")
        except ClientError:
            return False
        return True

    async def truth(self, system_id: int, at: str | None = None) -> Json:
        """Return what really flows at a system, now or at an ISO moment."""
        moment = {} if at is None else {"at": at}
        answer: Json = await self._get(
            "/_control/truth", system_id=str(system_id), **moment
        )
        return answer

    async def energy(
        self, system_id: int, flow: str, start: datetime, end: datetime
    ) -> float:
        """Return what really flowed at a system between two moments [Wh]."""
        answer: Json = await self._get(
            "/_control/truth",
            system_id=str(system_id),
            flow=flow,
            start=start.isoformat(),
            end=end.isoformat(),
        )
        return float(answer["energy_wh"])

    async def requests(self, client_id: str) -> list[Json]:
        """Return what arrived of an application, oldest first.

        Whose request for a token it is shows only once that is answered.
        """
        requests: list[Json] = await self._get("/_control/requests")
        return [
            item
            for item in requests
            if item["application"] == client_id
            or (item["operation"] == TOKEN and item["application"] is None)
        ]

    async def calls(self, client_id: str) -> Counter[str]:
        """Return how many calls that count an application made, by operation.

        Renewing a token is taken as such a call; whether Enphase counts it is unknown.
        The exchange of a code that follows each sign-in is none: it is made before
        there is an API key to count it for.
        """
        requests = await self.requests(client_id)
        calls = Counter(item["operation"] for item in requests if item["counted"])
        tokens = sum(item["operation"] == TOKEN for item in requests)
        sign_ins = sum(item["status"] == HTTPStatus.FOUND for item in requests)
        return calls + Counter({TOKEN: tokens - sign_ins})

    async def frames(self, system_id: int) -> list[Json]:
        """Return the frames of live data that were sent of a system, oldest first."""
        sent: Json = await self._get("/_control/frames")
        return [
            frame["payload"]["data"]
            for frame in sent["frames"]
            if frame["system_id"] == system_id
        ]

    async def streams(self) -> list[Json]:
        """Return the live streams that were opened, oldest first."""
        sent: Json = await self._get("/_control/frames")
        streams: list[Json] = sent["streams"]
        return streams

    async def order_fault(self, **fault: Any) -> None:
        """Let something go wrong from now on; see `simulator.faults`."""
        await self._post("/_control/faults", fault)

    async def withdraw_faults(self) -> None:
        """Let nothing go wrong any more."""
        async with self._session.delete(
            f"{self.url}/_control/faults", raise_for_status=True
        ):
            pass

    async def set_outage(self, system_id: int, *, outage: bool) -> None:
        """Let the grid fail at a system, or come back."""
        await self._post(f"/_control/systems/{system_id}/grid", {"outage": outage})

    async def _get(self, path: str, **query: str) -> Any:
        async with self._session.get(
            f"{self.url}{path}", params=query, raise_for_status=True
        ) as response:
            return await response.json()

    async def _post(self, path: str, body: Json) -> None:
        async with self._session.post(
            f"{self.url}{path}", json=body, raise_for_status=True
        ):
            pass


class Observer:
    """A second application, which reads the same documents at its own expense."""

    def __init__(self, session: ClientSession, url: str, with_: Credentials) -> None:
        """Read from a cloud with an application of its own."""
        self._session = session
        self._url = url
        self._with = with_
        self._access_token = ""

    async def sign_in(self) -> None:
        """Sign in as the same home owner."""
        application = self._with.application
        redirect_uri = f"{self._url}/oauth/redirect_uri"
        page = URL(f"{self._url}/oauth/authorize").with_query(
            response_type="code",
            client_id=application.client_id,
            redirect_uri=redirect_uri,
        )
        back = await sign_in(self._session, page, self._with)
        async with self._session.post(
            f"{self._url}/oauth/token",
            auth=BasicAuth(application.client_id, application.client_secret),
            data={
                "grant_type": "authorization_code",
                "code": back.query["code"],
                "redirect_uri": redirect_uri,
            },
            raise_for_status=True,
        ) as response:
            token: Json = await response.json()
        self._access_token = token["access_token"]

    async def summary(self, system_id: int) -> Json:
        """Return the summary of a system."""
        async with self._session.get(
            f"{self._url}/api/v4/systems/{system_id}/summary",
            headers={
                "Authorization": f"Bearer {self._access_token}",
                "key": self._with.application.api_key,
            },
        ) as response:
            assert response.status == HTTPStatus.OK
            summary: Json = await response.json()
            return summary
