"""One session of live streams, and what a request for it is given."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from ..api import EnphaseCloudError
from ..const import MAX_STREAM


@dataclass(frozen=True, slots=True)
class LiveGrant:
    """What a request for live data was given, and what it costs [USD]."""

    ends_at: datetime
    streams: int
    cost: float | None


@dataclass(slots=True, kw_only=True, eq=False)
class LiveSession:
    """Streams that follow one another.

    It is open once a stream was. `answer` is None once there was a frame, before that
    what prevented it. The end of a stream that opens is the one to be expected.
    """

    wanted_until: datetime
    stream_ends_at: datetime
    following: int
    for_user: bool
    answer: asyncio.Future[EnphaseCloudError | None]
    is_open: bool = False
    task: asyncio.Task[None] | None = None

    @property
    def ends_at(self) -> datetime:
        """Return when live data ends."""
        possible = self.stream_ends_at + self.following * MAX_STREAM
        return max(self.stream_ends_at, min(self.wanted_until, possible))

    async def async_wait_for_frame(self) -> None:
        """Wait for the first frame, or raise what prevented it."""
        # Who gives up waiting must not take the others along.
        await asyncio.wait([self.answer])
        if (err := self.answer.result()) is not None:
            raise err
