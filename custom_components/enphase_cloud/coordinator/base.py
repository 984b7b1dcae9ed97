"""What all coordinators of a system share."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback

from ..api import EnphaseCloudClient
from ..measurements.board import Board
from ..measurements.system import SystemInfo
from ..quota.backoff import Backoff
from ..runtime.key_budget import KeyBudget
from ..runtime.storage import EntryStore, SystemStore


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryContext:
    """The client, the budget and the storage that an entry's coordinators use."""

    hass: HomeAssistant
    entry: ConfigEntry[Any]
    client: EnphaseCloudClient
    budget: KeyBudget
    storage: EntryStore
    # Systems share the streams left in the month, so one opens at a time.
    live_opening: asyncio.Lock = field(default_factory=asyncio.Lock)
    # At midnight all systems read years of statistics: one at a time.
    reading_years: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemContext:
    """One system: its fixed facts, its values and its part of the storage."""

    shared: EntryContext
    info: SystemInfo
    store: SystemStore
    _on_allowed: list[CALLBACK_TYPE] = field(default_factory=list)

    @property
    def board(self) -> Board:
        """Return the values of the system."""
        return self.store.board

    @callback
    def on_allowed(self, action: CALLBACK_TYPE) -> None:
        """Call an action when the cloud shows the system or allows documents again."""
        self._on_allowed.append(action)

    @callback
    def hide(self, hidden: Backoff) -> None:
        """Make only rare requests for a system that the cloud does not show."""
        self.store.set_hidden(hidden)
        self.shared.budget.notify()

    @callback
    def show(self) -> None:
        """Resume polling once the cloud shows the system again."""
        self.store.set_hidden(None)
        # Refusals of single documents may have had the same cause.
        self.allow()

    @callback
    def allow(self) -> None:
        """Request again what the cloud refused."""
        self.store.forget_refusals()
        for action in self._on_allowed:
            action()
        self.shared.budget.notify()
