"""The live sessions of a system: scheduled ones, and those that users start."""

from datetime import datetime, timedelta
from typing import Final

from homeassistant.core import callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util

from ..api import EnphaseCloudError
from ..const import MAX_STREAM
from ..errors import translated
from ..measurements.catalog import Source
from ..runtime.options import LiveOptions
from ..scheduling.live_hours import next_session, split
from .base import SystemContext
from .error_policy import explained_to_user, refused
from .live import LiveCoordinator
from .live_budget import StreamBudget
from .live_errors import NoStreamLeftError, StoppedError
from .live_session import LiveGrant, LiveSession
from .live_trouble import LiveTrouble
from .timer import Timer

_LONGEST_SLEEP: Final = timedelta(minutes=15)


class LiveSessions:
    """Runs the live sessions of one system, one at a time."""

    def __init__(
        self,
        context: SystemContext,
        live: LiveCoordinator,
        *,
        options: LiveOptions,
        price: float | None,
    ) -> None:
        """Begin without a session; `price` is per stream [USD], None if unknown."""
        self._context = context
        self._shared = context.shared
        self._hass = context.shared.hass
        self._store = context.store
        self.live = live
        self._options = options
        self.budget = StreamBudget(
            context, per_month=options.streams_per_month, price=price
        )
        self._trouble = LiveTrouble(context, is_scheduled=options.live_sessions)
        self._session: LiveSession | None = None
        self._timer = Timer(self._hass, self._async_begin_scheduled)
        self._is_shut_down = False
        # Home Assistant calls this also if the set-up of the entry fails later.
        self._shared.entry.async_on_unload(self._shut_down)
        context.on_allowed(self.async_schedule)

    @property
    def is_running(self) -> bool:
        """Whether live data is streaming, or the next stream is about to open."""
        return self.ends_at is not None

    @property
    def ends_at(self) -> datetime | None:
        """Return when the live session ends; None where none runs."""
        session = self._session
        return session.ends_at if session is not None and session.is_open else None

    @callback
    def async_schedule(self) -> None:
        """Plan the next scheduled session, if there can be one."""
        self._timer.stop()
        if not self._options.live_sessions or self._trouble.stops_schedule:
            return
        if not (self._is_shut_down or self._hass.is_stopping):
            pause = self._next_session() - dt_util.utcnow()
            self._timer.start(min(pause, _LONGEST_SLEEP))

    async def async_request(self, duration: timedelta | None = None) -> LiveGrant:
        """Start a live session for the user, or join and extend the one that runs.

        Raises HomeAssistantError where that fails.
        """
        if not self._store.is_visible:
            raise translated(HomeAssistantError, "live_not_visible")
        if (refusal := self._trouble.refusal) is not None:
            raise refused(refusal, Source.LIVE)
        length = duration or self._options.length
        try:
            while (session := self._session) is not None:
                session.for_user = True
                await session.async_wait_for_frame()
                if session is self._session:
                    return session.extend(length)
            session = self._begin(length, for_user=True)
            await session.async_wait_for_frame()
        except EnphaseCloudError as err:
            raise explained_to_user(self._context, err, Source.LIVE) from None
        return session.grant(session.following + 1)

    async def async_stop(self) -> None:
        """End the session that runs; the schedule continues."""
        if self._session is not None:
            await self._session.async_stop()

    async def async_shutdown(self) -> None:
        """End the session that runs, and start no other.

        After an unreadable stream a reload, unlike a restart, permits to pay again.
        """
        self._shut_down()
        await self.async_stop()
        if not self._hass.is_stopping:
            self._store.set_unreadable_stream(None)

    def _next_session(self) -> datetime:
        now = dt_util.utcnow()
        info, budget = self._context.info, self._shared.budget
        return next_session(
            last=self._store.live_started_at,
            now=now,
            pause=self._options.pause,
            left=self.budget.left_for_sessions,
            period_end=budget.ledger.period_end(now),
            hours=self._options.hours(
                budget.schedule.daylight(str(info.system_id)), info.time_zone
            ),
        )

    @callback
    def _async_begin_scheduled(self) -> None:
        if self._session is not None:
            return  # When it ends, `_async_run` plans the next one.
        if not self._store.is_visible:
            return  # `SystemContext.show` plans the next one.
        # A session that the user started may have postponed this one.
        if self._next_session() <= dt_util.utcnow() and not self._hass.is_stopping:
            self._begin(self._options.length, for_user=False)
        else:
            self.async_schedule()

    @callback
    def _begin(self, length: timedelta, *, for_user: bool) -> LiveSession:
        """Run a session in the background.

        Raises NoStreamLeftError, and StoppedError after the shutdown.
        """
        if self._is_shut_down:
            raise StoppedError
        streams = min(split(length, MAX_STREAM), self.budget.left)
        if not streams:
            raise NoStreamLeftError(self.budget.per_month)
        self._store.set_live_start(dt_util.utcnow())
        self._session = session = LiveSession(
            self.live,
            self.budget,
            self._trouble,
            length=length,
            streams=streams,
            for_user=for_user,
        )
        self._shared.entry.async_create_background_task(
            self._hass, self._async_run(session), "Enphase Cloud live data"
        )
        return session

    async def _async_run(self, session: LiveSession) -> None:
        try:
            await session.async_run()
        finally:
            self._session = None
            self.async_schedule()
            self.live.publish_last()

    @callback
    def _shut_down(self) -> None:
        self._is_shut_down = True
        self._timer.stop()
