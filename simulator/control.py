"""The control endpoint: orders faults, moves time and tells the truth."""

from dataclasses import asdict

from aiohttp import web

from .cloud import Cloud
from .moments import epoch


class Control:
    """Answers everything below `/_control`."""

    def __init__(self, cloud: Cloud) -> None:
        """Control a cloud."""
        self._cloud = cloud

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.get("/_control/truth", self.truth),
            web.get("/_control/counts", self.counts),
        ]

    async def truth(self, request: web.Request) -> web.Response:
        """Tell what flows at a system at an instant, and what flowed until then."""
        cloud = self._cloud
        system = cloud.system(int(request.query["system_id"]))
        at = cloud.now()
        truth = cloud.truth(system.system_id)
        return web.json_response({"at": epoch(at), "power": asdict(truth.power(at))})

    async def counts(self, request: web.Request) -> web.Response:
        """Tell how many requests arrived per operation."""
        cloud = self._cloud
        return web.json_response(
            {
                "requests": cloud.counts(request.query.get("client_id")),
                "streams": len(cloud.streams),
                "live_cost_usd": cloud.live_cost,
            }
        )
