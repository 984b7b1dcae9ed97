"""Which systems can stream live data."""

from .errors import RefusalError
from .world import System

_OLDEST_GATEWAY = (6, 0, 0)


def unsupported(system: System) -> RefusalError | None:
    """Return the reason why a system cannot stream, None when it can."""
    version = tuple(int(part) for part in system.gateway_version.split("."))
    if version < _OLDEST_GATEWAY:
        return RefusalError(466)
    needed = {"production", "consumption"} if system.plant.storage else {"production"}
    if not system.live_stream or not needed <= system.meters:
        return RefusalError(472)
    return None
