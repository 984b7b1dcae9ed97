"""The start page of the simulator: a list of operations."""

from collections.abc import Iterator

from aiohttp import web

from . import pages
from .cloud import Cloud
from .operations import OPERATIONS
from .world import PLANS, AccessControl


class Overview:
    """Shows the operations."""

    def __init__(self, cloud: Cloud) -> None:
        """Show the counts of a cloud."""
        self._cloud = cloud

    async def page(self, request: web.Request) -> web.Response:
        """Show all operations by path, with their numbers of requests."""
        del request
        text = pages.operations(list(self._rows()))
        return web.Response(text=text, content_type="text/html")

    def _rows(self) -> Iterator[tuple[str, ...]]:
        counts = self._cloud.counts()
        for each in sorted(OPERATIONS, key=lambda each: (each.path, each.method)):
            yield (
                each.method,
                each.path.removesuffix("/?") or "/",
                str(each.access),
                _smallest_plan(each.access),
                "yes" if each.is_simulated else "no",
                str(counts.get(each.name, 0)),
            )


def _smallest_plan(access: AccessControl) -> str:
    return next(plan.name for plan in PLANS.values() if access in plan.access)
