"""How often a live session writes states."""

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Final

from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import Event, EventStateChangedData, callback

from custom_components.enphase_cloud.runtime.options import PUBLISH_INTERVAL

from ..report import table
from .home import home, now, pass_time
from .latency import FIELDS

_BURST: Final = timedelta(seconds=300)
_INTERVAL: Final = timedelta(seconds=PUBLISH_INTERVAL.default)


async def measure() -> tuple[int, list[str]]:
    """Stream a frame a second from the simulated cloud over loopback, and count.

    Return the most state writes of one entity within any default publish interval, and
    a report.
    """
    written: dict[str, list[datetime]] = defaultdict(list)

    @callback
    def note(event: Event[EventStateChangedData]) -> None:
        written[event.data["entity_id"]].append(now())

    async with home() as at_home:
        at_home.hass.bus.async_listen(EVENT_STATE_CHANGED, note)
        await at_home.bursts.async_request(_BURST)
        while at_home.bursts.is_running:
            await pass_time(at_home.cloud.live_interval)
        # Later updates write states, too.
        fed = {key: [*written[at_home.entity_id(key)]] for key in FIELDS}
        frames = len(at_home.cloud.frames)
    most = max(map(_most_within_an_interval, fed.values()))
    summary = (
        f"State writes in a live session of {frames} frames, a second apart and"
        f" published every {_INTERVAL.total_seconds():.0f} s:"
        f" at most {most} per entity and interval"
    )
    rows = [(key, str(len(moments))) for key, moments in fed.items()]
    return most, [summary, *table(rows)]


def _most_within_an_interval(moments: list[datetime]) -> int:
    return max(
        (
            sum(begin <= moment < begin + _INTERVAL for moment in moments)
            for begin in moments
        ),
        default=0,
    )
