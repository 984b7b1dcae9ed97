"""Reads the list of systems at sign-in, and every week to find changes."""

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
# How soon to notice that the system clock was set.
_LONGEST_SLEEP: Final = timedelta(hours=6)
_SHORTEST_SLEEP: Final = timedelta(minutes=1)


async def async_list_systems(
    client: EnphaseCloudClient, plan: Plan, *, wanted: Iterable[int] | None = None
) -> list[System]:
    """Return the account's systems, with the availability of live streams if known.

    Costs an API call for each 100 systems, until all `wanted` ones are found. Where the
    plan has live streams, it costs one more for each 1,000. Raises the client's errors
    of the first list.
    """
    systems = await client.pages(SYSTEMS, wanted=wanted)
    if not systems or not plan.has_live_stream:
        return systems
    try:
        found = await client.pages(SEARCH_SYSTEMS, wanted=wanted)
    except EnphaseCloudError as err:
        _LOGGER.debug("Could not read whether systems can stream: %s", err)
        return systems
    # A search may lack properties that the list has, such as the time zone.
    can_stream = {system.system_id: system.live_stream for system in found}
    return [
        replace(system, live_stream=can_stream.get(system.system_id))
        for system in systems
    ]


class SystemListUpdater:
    """Reads the list of systems every week, and stores changed properties."""

    def __init__(
        self,
        shared: EntryContext,
        summaries: Mapping[int, DocumentCoordinator],
        plan: Plan,
    ) -> None:
        """Begin with the list that the sign-in read; `summaries` are by system id."""
        self._shared = shared
        self._entry = shared.entry
        self._summaries = summaries
        self._plan = plan
        self._storage = shared.storage
        self._timer = Timer(shared.hass, self._async_wake_up)
        self._entry.async_on_unload(self._timer.stop)

    @callback
    def async_begin(self) -> None:
        """Wait until the list is due."""
        due, latest = self._storage.systems_due_at, dt_util.utcnow() + _PERIOD
        if due is None or due > latest:  # It is new, or the system clock was ahead.
            self._storage.set_systems_due(latest)
        self._timer.start(min(max(self._due_in, _SHORTEST_SLEEP), _LONGEST_SLEEP))

    @property
    def _due_in(self) -> timedelta:
        now = dt_util.utcnow()
        due = self._storage.systems_due_at or now
        # A call that the budget withholds would renew the token first.
        withheld_until = self._shared.budget.withheld_until(now) or now
        return max(due, withheld_until) - now

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
            # Checked here, for a refused call would renew the token first.
            self._storage.set_systems_due(until)
            return None
        # Stored before the call, so that a restart does not repeat it.
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
            _LOGGER.debug("Could not read the list of systems: %s", err)
        else:
            self._storage.set_systems_due(now + _PERIOD)
            return listed
        return None

    async def _async_take(self, listed: Mapping[int, System]) -> None:
        """Store the properties in the list; a system that it lacks may be gone."""
        self._compare_visibility(listed)
        known = {
            system_id: await _async_known(listed[system_id])
            for system_id in chosen_systems(self._entry)
            if system_id in listed
        }
        # Only now, because a reconfiguration may have changed the systems meanwhile.
        before = self._entry.data[CONF_SYSTEMS]
        after: list[Mapping[str, Any]] = [
            {**stored, **known.get(stored[CONF_ID], {})} for stored in before
        ]
        if after != before:
            _LOGGER.info("Properties of systems have changed; the account is reloaded")
            self._forget_other_days(before, after)
            self._shared.hass.config_entries.async_update_entry(
                self._entry, data={**self._entry.data, CONF_SYSTEMS: after}
            )
            # A reload costs no API call, and applies all properties.
            self._shared.hass.config_entries.async_schedule_reload(self._entry.entry_id)

    def _forget_other_days(
        self, before: list[Mapping[str, Any]], after: list[Mapping[str, Any]]
    ) -> None:
        """Discard the energy of today where the time zone has changed."""
        for old, new in zip(before, after, strict=True):
            if old.get(CONF_TIME_ZONE) != new[CONF_TIME_ZONE]:
                self._storage.system(new[CONF_ID]).forget_today()
                self._shared.budget.schedule.forget_responses(
                    PolledDocument(str(new[CONF_ID]), Source.SUMMARY)
                )

    def _compare_visibility(self, listed: Mapping[int, System]) -> None:
        now = dt_util.utcnow()
        for system_id, summary in self._summaries.items():
            store = self._storage.system(system_id)
            if system_id in listed and store.hidden is not None:
                # Request its summary at once.
                store.set_hidden(Backoff(store.hidden.count, now))
            elif (
                system_id not in listed
                and store.is_visible
                # The list may be wrong: a summary that still succeeds proves it.
                and not summary.last_update_success
            ):
                summary.hide(now)


async def _async_known(system: System) -> dict[str, Any]:
    """Return the properties that the list has, as an entry stores them."""
    listed = stored_system(system)
    is_listed = {
        CONF_ID: False,
        CONF_NAME: system.is_named,
        CONF_TIME_ZONE: await async_time_zone(system.time_zone) is not None,
        CONF_CONNECTION: system.connection_type is not ConnectionType.UNKNOWN,
        CONF_LIVE_STREAM: system.live_stream is not None,
    }
    return {key: listed[key] for key in listed if is_listed[key]}
