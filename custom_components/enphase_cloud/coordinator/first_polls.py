"""The first polls of an entry: what set-up waits for, and what follows it."""

import asyncio
from datetime import timedelta
from typing import Final

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConfigEntryNotReady

from ..api import EnphaseConnectionError, QuotaExceededError
from ..data import EnphaseCloudConfigEntry, EnphaseSystem

_SYSTEMS_AT_A_TIME: Final = 8
# Home Assistant warns of a set-up that takes ten seconds.
_LONGEST_WAIT: Final = timedelta(seconds=5)

# After these another system would fail the same.
_CONCERN_ALL: Final = (EnphaseConnectionError, QuotaExceededError)


async def async_poll_first(hass: HomeAssistant, entry: EnphaseCloudConfigEntry) -> None:
    """Poll what is due of all systems, side by side; what is slow follows set-up.

    Calls that the budget withholds are made when it allows them. Raises
    ConfigEntryNotReady or ConfigEntryAuthFailed where nothing is known of any system,
    and the cloud cannot be reached or refuses all of them.
    """
    systems = entry.runtime_data.systems
    if not any(system.documents[0].data for system in systems):
        await _async_prove(systems)
    slots = asyncio.Semaphore(_SYSTEMS_AT_A_TIME)

    async def poll(system: EnphaseSystem) -> None:
        async with slots:
            for coordinator in system.documents:
                await coordinator.async_refresh()
                if not system.documents[0].data:
                    return  # What comes later depends on it.

    polls = [
        entry.async_create_background_task(
            hass, poll(system), "Enphase Cloud first polls"
        )
        for system in systems
    ]
    if polls:
        await asyncio.wait(polls, timeout=_LONGEST_WAIT.total_seconds())


async def _async_prove(systems: list[EnphaseSystem]) -> None:
    """Poll one system after another until something is known of one.

    A trouble that concerns all systems costs one call, not one for each.
    """
    failure: ConfigEntryNotReady | None = None
    for summary in (system.documents[0] for system in systems):
        try:
            await summary.async_config_entry_first_refresh()
        except ConfigEntryNotReady as err:
            failure = err
            if isinstance(summary.last_error, _CONCERN_ALL):
                break
        else:
            if summary.data:
                return
            break  # The budget withholds calls for now.
    if failure is not None:
        raise failure
