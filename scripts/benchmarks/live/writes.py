"""How often a burst writes states."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import Event, EventStateChangedData, callback

from custom_components.enphase_cloud.runtime.options import PUBLISH_INTERVAL

from .home import home, now, pass_time
from .latency import FIELDS

_BURST: Final = timedelta(seconds=300)
_INTERVAL: Final = timedelta(seconds=PUBLISH_INTERVAL.default)


@dataclass(frozen=True, slots=True)
class Writes:
    """State writes of one burst, with the publish interval that is the default."""

    frames: int
    interval: float
    by_entity: dict[str, int]
    per_interval: int
    """The most writes of one entity within any time as long as the interval."""


async def measure() -> Writes:
    """Let the simulated cloud stream a frame a second over loopback, and count."""
    written: dict[str, list[datetime]] = defaultdict(list)

    @callback
    def note(event: Event[EventStateChangedData]) -> None:
        written[event.data["entity_id"]].append(now())

    async with home() as at_home:
        at_home.hass.bus.async_listen(EVENT_STATE_CHANGED, note)
        await at_home.bursts.async_request(_BURST)
        while at_home.bursts.is_running:
            await pass_time(at_home.cloud.live_interval)
        fed = {key: written[at_home.entity_id(key)] for key in FIELDS}
        return Writes(
            frames=len(at_home.cloud.frames),
            interval=_INTERVAL.total_seconds(),
            by_entity={key: len(moments) for key, moments in fed.items()},
            per_interval=max(map(_most_within_an_interval, fed.values())),
        )


def _most_within_an_interval(moments: list[datetime]) -> int:
    return max(
        (
            sum(begin <= moment < begin + _INTERVAL for moment in moments)
            for begin in moments
        ),
        default=0,
    )
