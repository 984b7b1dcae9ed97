"""Requests the weeks of events and alarms that a user opens in a calendar."""

import asyncio
from datetime import datetime

from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util

from ..api import EnphaseCloudError
from ..api.endpoints import ALARMS, EVENTS
from ..measurements.catalog import Source
from ..measurements.event_weeks import (
    Week,
    due_weeks,
    events_between,
    is_long_enough,
    request_span,
)
from ..measurements.system_events import SystemEvent, from_week
from ..runtime.key_budget import for_the_user
from .base import SystemContext
from .error_policy import explained, foreseen, raise_if_refused
from .event_types import EventTypesCoordinator


class EventWeeks:
    """Past events and alarms of a system; each week costs two API calls, once."""

    def __init__(
        self, context: SystemContext, event_types: EventTypesCoordinator
    ) -> None:
        """Begin with the stored weeks."""
        self._context = context
        self._event_types = event_types
        self._archive = context.shared.storage.events
        self._requesting = asyncio.Lock()

    def known(self, start: datetime, end: datetime) -> list[SystemEvent]:
        """Return what happened in a range by the stored weeks, the oldest first."""
        weeks = self._archive.weeks(self._context.info.system_id)
        return events_between(weeks, start, end)

    async def async_read(self, start: datetime, end: datetime) -> list[SystemEvent]:
        """Return what happened in a range; request missing weeks on the user's reserve.

        Raises HomeAssistantError where a request fails; weeks read before are kept.
        """
        async with self._requesting:
            now = dt_util.utcnow()
            system_id = self._context.info.system_id
            due = due_weeks(self._archive.weeks(system_id), start, end, now)
            if due:
                raise_if_refused(self._context, Source.ALARMS)
            with for_the_user():
                for week_start in due:
                    await self._async_request(week_start, now)
                found = self.known(start, end)
                if is_long_enough(start, end):
                    await self._event_types.async_learn(
                        each.event_type_id for each in found
                    )
        return found

    async def _async_request(self, week_start: datetime, now: datetime) -> None:
        client, system_id = self._context.shared.client, self._context.info.system_id
        first, last = request_span(week_start, now)
        span = {"start_time": first, "end_time": last}
        cleared: dict[str, str | int] = {**span, "cleared": "true"}
        try:
            with foreseen():
                events = await client.get(EVENTS, query=span, system_id=system_id)
                # Open alarms are in a document of their own.
                alarms = await client.get(ALARMS, query=cleared, system_id=system_id)
                merged = from_week(events.events, alarms.alarms)
        except EnphaseCloudError as err:
            raise explained(HomeAssistantError, err, Source.ALARMS) from None
        self._archive.keep_week(system_id, week_start, Week(now, merged))
