"""The first polls of an entry: set-up waits for the fast ones."""

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

# Errors that every other system would have, too.
_CONCERN_ALL: Final = (EnphaseConnectionError, QuotaExceededError)


type _Documents = Sequence[DocumentCoordinator]
"""The documents of a system, the indispensable one first."""


async def async_poll_first(shared: EntryContext, systems: list[_Documents]) -> None:
    """Poll the due documents of all systems in parallel, and wait a few seconds.

    Slow polls continue after set-up, as do those that the budget withholds. Raises
    ConfigEntryNotReady or ConfigEntryAuthFailed where no system has values and the
    cloud is unreachable or refuses all systems.
    """
    if not any(documents[0].is_known for documents in systems):
        await _async_prove([documents[0] for documents in systems])
    slots = asyncio.Semaphore(_SYSTEMS_AT_A_TIME)

    async def poll(documents: _Documents) -> None:
        async with slots:
            for document in documents:
                await document.async_refresh()
                # A document that is not due never awaits: let others run.
                await asyncio.sleep(0)
                if not documents[0].is_known:
                    return  # The other documents depend on the first.

    polls = [
        shared.entry.async_create_background_task(
            shared.hass, poll(documents), "Enphase Cloud first polls"
        )
        for documents in systems
    ]
    if polls:
        await asyncio.wait(polls, timeout=_LONGEST_WAIT.total_seconds())


async def _async_prove(summaries: _Documents) -> None:
    """Poll one system after another until one has values.

    So an error that concerns all systems costs one API call, not one for each.
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
