"""What a system streams: frames of the simulator, as bytes."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from simulator import System
from simulator.live_faults import event
from simulator.live_frames import Payload, Source


@dataclass(frozen=True, slots=True)
class Recorded:
    """A frame, and how it is sent."""

    payload: Payload
    encoded: bytes


def record(system: System, *, begin: datetime, seconds: int) -> list[Recorded]:
    """Return a frame for each second.

    Meters are never quite still, while the simulator's grid is where the battery takes
    it all; so a few watts flow.
    """
    source = Source(system, lambda: begin)
    frames = []
    for second in range(seconds):
        payload = source.frame(begin + timedelta(seconds=second))
        payload["data"]["grid_power"] += second % 9 - 4
        frames.append(Recorded(payload, event(payload)))
    return frames
