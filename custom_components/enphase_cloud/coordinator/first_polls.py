"""The first polls of an entry: what set-up waits for, and what follows it."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from homeassistant.exceptions import ConfigEntryNotReady

from ..api import EnphaseConnectionError, QuotaExceededError
from .base import EntryContext
from .document import DocumentCoordinator

_SYSTEMS_AT_A_TIME: Final = 8
# Home Assistant warns of a set-up that takes ten seconds.
_LONGEST_WAIT: Final = timedelta(seconds=5)

# After these another system would fail the same.
_CONCERN_ALL: Final = (EnphaseConnectionError, QuotaExceededError)


type _Documents = Sequence[DocumentCoordinator]
"""The documents of a system, the indispensable one first."""


async def async_poll_first(shared: EntryContext, systems: list[_Documents]) -> None:
    """Poll what is due of all systems, side by side; what is slow follows set-up.

    Calls that the budget withholds are made when it allows them. Raises
    ConfigEntryNotReady or ConfigEntryAuthFailed where nothing is known of any system,
    and the cloud cannot be reached or refuses all of them.
    """
    if not any(documents[0].is_known for documents in systems):
        await _async_prove([documents[0] for documents in systems])
    slots = asyncio.Semaphore(_SYSTEMS_AT_A_TIME)

    async def poll(documents: _Documents) -> None:
        async with slots:
            for document in documents:
                await document.async_refresh()
                # What is not due takes no time at all: others have their turn.
                await asyncio.sleep(0)
                if not documents[0].is_known:
                    return  # What comes later depends on it.

    polls = [
        shared.entry.async_create_background_task(
            shared.hass, poll(documents), "Enphase Cloud first polls"
        )
        for documents in systems
    ]
    if polls:
        await asyncio.wait(polls, timeout=_LONGEST_WAIT.total_seconds())


async def _async_prove(summaries: _Documents) -> None:
    """Poll one system after another until something is known of one.

    A trouble that concerns all systems costs one call, not one for each.
    """
    failure: ConfigEntryNotReady | None = None
    for summary in summaries:
        try:
            await summary.async_config_entry_first_refresh()
        except ConfigEntryNotReady as err:
            failure = err
            if isinstance(summary.last_error, _CONCERN_ALL):
                break
        else:
            if summary.is_known:
                return
            break  # The budget withholds calls for now.
    if failure is not None:
        raise failure
