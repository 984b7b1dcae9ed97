"""The list of systems: read at sign-in, and every week for what has changed."""

from collections.abc import Iterable, Mapping
from copy import replace
from datetime import timedelta
import logging
from typing import Any, Final

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_ID, CONF_NAME
from homeassistant.core import callback
from homeassistant.util import dt as dt_util

from ..api import (
    ConnectionType,
    EnphaseCloudClient,
    EnphaseCloudError,
    RequestWithheldError,
    System,
)
from ..api.endpoints import SEARCH_SYSTEMS, SYSTEMS
from ..const import CONF_CONNECTION, CONF_LIVE_STREAM, CONF_SYSTEMS, CONF_TIME_ZONE
from ..measurements.catalog import Source
from ..quota.backoff import Backoff
from ..quota.plans import Plan
from ..runtime.system_properties import async_time_zone, chosen_systems, stored_system
from ..scheduling.weights import PolledDocument
from .base import EntryContext
from .document import DocumentCoordinator
from .error_policy import foreseen
from .timer import Timer

_LOGGER = logging.getLogger(__name__)

_PERIOD: Final = timedelta(days=7)
_AFTER_FAILURE: Final = timedelta(days=1)
# A clock that is put right is noticed within that.
_LONGEST_SLEEP: Final = timedelta(hours=6)
_SHORTEST_SLEEP: Final = timedelta(minutes=1)


async def async_list_systems(
    client: EnphaseCloudClient, plan: Plan, *, wanted: Iterable[int] | None = None
) -> list[System]:
    """Return the account's systems, with a live stream's availability where known.

    Each 100 systems cost a call, and pages are read only until all `wanted` ones are
    known. Where the plan has live streams, there is one call more for each 1,000.
    Raises what the client does for the first of both.
    """
    systems = await client.pages(SYSTEMS, wanted=wanted)
    if not systems or not plan.has_live_stream:
        return systems
    try:
        found = await client.pages(SEARCH_SYSTEMS, wanted=wanted)
    except EnphaseCloudError as err:
        _LOGGER.debug("Whether systems can stream is not known: %s", err)
        return systems
    # A search may leave out what the list tells, such as the time zone.
    can_stream = {system.system_id: system.live_stream for system in found}
    return [
        replace(system, live_stream=can_stream.get(system.system_id))
        for system in systems
    ]


class SystemListUpdater:
    """Reads the list of systems every week, and takes over what has changed."""

    def __init__(
        self,
        shared: EntryContext,
        summaries: Mapping[int, DocumentCoordinator],
        plan: Plan,
    ) -> None:
        """Begin with what the sign-in has read; `summaries` are by system id."""
        self._shared = shared
        self._entry = shared.entry
        self._summaries = summaries
        self._plan = plan
        self._storage = shared.storage
        self._timer = Timer(shared.hass, self._async_wake_up)
        self._entry.async_on_unload(self._timer.stop)
        if self._storage.systems_due_at is None:
            self._storage.set_systems_due(dt_util.utcnow() + _PERIOD)

    @callback
    def async_begin(self) -> None:
        """Wait until the list is due."""
        pause = self._due_in
        self._timer.start(min(max(pause, _SHORTEST_SLEEP), _LONGEST_SLEEP))

    @property
    def _due_in(self) -> timedelta:
        now = dt_util.utcnow()
        due = self._storage.systems_due_at or now
        # What the budget withholds must not renew the sign-in either.
        withheld_until = self._shared.budget.withheld_until(now) or now
        return min(max(due, withheld_until) - now, _PERIOD)

    @callback
    def _async_wake_up(self) -> None:
        if self._entry.state is ConfigEntryState.UNLOAD_IN_PROGRESS:
            return  # It is still due when the entry is set up again.
        if self._due_in > timedelta():
            self.async_begin()
        else:
            self._entry.async_create_background_task(
                self._shared.hass, self._async_update(), "Enphase Cloud list of systems"
            )

    async def _async_update(self) -> None:
        listed = await self._async_read()
        self.async_begin()
        if listed is not None:
            await self._async_take({system.system_id: system for system in listed})

    async def _async_read(self) -> list[System] | None:
        now = dt_util.utcnow()
        if (until := self._shared.budget.withheld_until(now)) is not None:
            # Asked first, for a token would be renewed before the call is refused.
            self._storage.set_systems_due(until)
            return None
        # However it ends, a restart must not cost the call again.
        self._storage.set_systems_due(now + _AFTER_FAILURE)
        await self._storage.async_save()
        try:
            with foreseen():
                listed = await async_list_systems(
                    self._shared.client, self._plan, wanted=chosen_systems(self._entry)
                )
        except RequestWithheldError as err:
            self._storage.set_systems_due(err.until or now + _AFTER_FAILURE)
        except EnphaseCloudError as err:
            _LOGGER.debug("The list of systems could not be read: %s", err)
        else:
            self._storage.set_systems_due(now + _PERIOD)
            return listed
        return None

    async def _async_take(self, listed: Mapping[int, System]) -> None:
        """Take over what the list says; what is not in it may be gone."""
        self._compare_visibility(listed)
        before = self._entry.data[CONF_SYSTEMS]
        after = [
            await _async_updated(stored, listed[stored[CONF_ID]])
            if stored[CONF_ID] in listed
            else stored
            for stored in before
        ]
        if after != before:
            _LOGGER.info("Properties of systems have changed; the account is reloaded")
            self._forget_other_days(before, after)
            self._shared.hass.config_entries.async_update_entry(
                self._entry, data={**self._entry.data, CONF_SYSTEMS: after}
            )
            # It costs no call, and everything goes by what is true now.
            self._shared.hass.config_entries.async_schedule_reload(self._entry.entry_id)

    def _forget_other_days(
        self, before: list[Mapping[str, Any]], after: list[Mapping[str, Any]]
    ) -> None:
        """Let energies of today be read again where the day has moved."""
        for old, new in zip(before, after, strict=True):
            if old.get(CONF_TIME_ZONE) != new[CONF_TIME_ZONE]:
                self._storage.system(new[CONF_ID]).forget_today()
                self._shared.budget.schedule.forget_answers(
                    PolledDocument(str(new[CONF_ID]), Source.SUMMARY)
                )

    def _compare_visibility(self, listed: Mapping[int, System]) -> None:
        now = dt_util.utcnow()
        for system_id, summary in self._summaries.items():
            store = self._storage.system(system_id)
            if system_id in listed and store.hidden is not None:
                # Its summary will tell at once.
                store.set_hidden(Backoff(store.hidden.count, now))
            elif (
                system_id not in listed
                and store.is_visible
                # A list may be wrong; a summary that is still answered says so.
                and not summary.last_update_success
            ):
                summary.hide(now)


async def _async_updated(stored: Mapping[str, Any], system: System) -> dict[str, Any]:
    """Return a stored system as the list shows it; what it leaves open stays."""
    told = stored_system(system)
    is_told = {
        CONF_ID: False,
        CONF_NAME: system.is_named,
        CONF_TIME_ZONE: await async_time_zone(system.time_zone) is not None,
        CONF_CONNECTION: system.connection_type is not ConnectionType.UNKNOWN,
        CONF_LIVE_STREAM: system.live_stream is not None,
    }
    return {**stored, **{key: told[key] for key in told if is_told[key]}}
