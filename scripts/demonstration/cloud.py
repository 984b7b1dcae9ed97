"""Ask the simulated cloud for the truth, and order what it is to do."""

from typing import Any

from aiohttp import ClientSession

from .home_assistant import Json


class Cloud:
    """The control endpoint of the simulated cloud."""

    def __init__(self, session: ClientSession, url: str) -> None:
        """Point at a simulated cloud."""
        self.url = url
        self._session = session

    async def ask(self, what: str, **query: str | int) -> Any:
        """Return what the control endpoint tells, such as the truth about a system."""
        async with self._session.get(
            f"{self.url}/_control/{what}", params=query, raise_for_status=True
        ) as response:
            return await response.json()

    async def order_fault(self, **fault: Any) -> None:
        """Let something go wrong from now on; see `simulator.faults`."""
        async with self._session.post(
            f"{self.url}/_control/faults", json=fault, raise_for_status=True
        ):
            pass

    async def order(self, what: str, *, method: str = "POST") -> None:
        """Order something that the control endpoint knows, such as `tokens/revoke`."""
        async with self._session.request(
            method, f"{self.url}/_control/{what}", json={}, raise_for_status=True
        ):
            pass

    async def frames(self, system_id: int) -> list[Json]:
        """Return the frames of live data that were sent of a system, oldest first."""
        return [
            frame["payload"]["data"]
            for frame in (await self.ask("frames"))["frames"]
            if frame["system_id"] == system_id
        ]

    async def streams(self) -> list[Json]:
        """Return the live streams that were opened, oldest first."""
        streams: list[Json] = (await self.ask("frames"))["streams"]
        return streams

    async def has_ended_streaming(self) -> bool:
        """Tell whether the newest stream is over."""
        return (await self.streams())[-1]["closed_at"] is not None
