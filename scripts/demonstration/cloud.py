"""Read the true values of the simulated cloud, and control what it does."""

from typing import Any

from aiohttp import ClientSession

from .home_assistant import Json


class Cloud:
    """The control endpoint of the simulated cloud."""

    def __init__(self, session: ClientSession, url: str) -> None:
        """Use the simulated cloud at a URL."""
        self.url = url
        self._session = session

    async def get(self, what: str, **query: str | int) -> Any:
        """Return a document of the control endpoint, such as a system's `truth`."""
        async with self._session.get(
            f"{self.url}/_control/{what}", params=query, raise_for_status=True
        ) as response:
            return await response.json()

    async def add_fault(self, **fault: Any) -> None:
        """Add a fault that lasts from now on; see `simulator.faults`."""
        await self.send("faults", **fault)

    async def send(self, command: str, *, method: str = "POST", **order: Any) -> None:
        """Send a command of the control endpoint, such as `tokens/revoke`."""
        async with self._session.request(
            method, f"{self.url}/_control/{command}", json=order, raise_for_status=True
        ):
            pass

    async def frames(self, system_id: int) -> list[Json]:
        """Return the live frames that the cloud sent for a system, oldest first."""
        return [
            frame["payload"]["data"]
            for frame in (await self.get("frames"))["frames"]
            if frame["system_id"] == system_id
        ]

    async def streams(self) -> list[Json]:
        """Return all live streams, open or ended, oldest first."""
        streams: list[Json] = (await self.get("frames"))["streams"]
        return streams

    async def has_ended_streaming(self) -> bool:
        """Tell whether the newest live stream has ended."""
        return (await self.streams())[-1]["closed_at"] is not None
