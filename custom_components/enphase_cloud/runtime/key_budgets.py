"""The budgets of the API keys in use, shared by the entries of each key."""

import asyncio
from contextlib import suppress
import hashlib
import time
from typing import Any

from homeassistant.const import CONF_API_KEY
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryNotReady
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN
from ..quota.backfill import Backfill
from ..quota.ledger import Ledger
from ..quota.plans import Plan, strictest
from ..scheduling.poll_schedule import Schedule
from .key_budget import KeyBudget
from .verified_store import VerifiedStore


class KeyBudgets:
    """The budgets in use, by API key."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Begin without budgets."""
        self._hass = hass
        self._lock = asyncio.Lock()
        self._budgets: dict[str, KeyBudget] = {}
        self._users: dict[str, dict[str, Plan]] = {}
        # An account that is added again still has the calls that it made.
        self._removed_ledgers: dict[str, Any] = {}

    async def async_acquire(
        self,
        api_key: str,
        user: str,
        plan: Plan,
        *,
        instead_of: str | None = None,
        is_new_key: bool | None = None,
    ) -> KeyBudget:
        """Return the budget of a key for a user (a config entry or a flow).

        If users of one key name different plans, the lowest of each limit counts; the
        plan of the user that this one stands in for (`instead_of`) does not count.
        `is_new_key`: no other program has used the key; None keeps what is known.
        Raises ConfigEntryNotReady if the disk cannot be read.
        """
        fingerprint = _fingerprint(api_key)
        async with self._lock:
            users = {**self._users.get(fingerprint, {}), user: plan}
            plan = strictest(
                [named for other, named in users.items() if other != instead_of]
            )
            budget = self._budgets.get(fingerprint)
            if budget is None:
                budget = await self._async_load(fingerprint, plan)
                self._budgets[fingerprint] = budget
            else:
                budget.ledger.change_plan(plan, dt_util.utcnow())
            # A budget that cannot be loaded has no user: nobody releases it.
            self._users[fingerprint] = users
            if is_new_key is not None:
                budget.ledger.set_new_key(dt_util.utcnow(), is_new=is_new_key)
            return budget

    async def async_release(self, api_key: str, user: str) -> None:
        """Release a budget; the last user closes it."""
        fingerprint = _fingerprint(api_key)
        async with self._lock:
            users = self._users.get(fingerprint, {})
            users.pop(user, None)
            if (budget := self._budgets.get(fingerprint)) is None:
                return
            if users:
                budget.ledger.change_plan(strictest(users.values()), dt_util.utcnow())
                return
            del self._budgets[fingerprint], self._users[fingerprint]
            await budget.async_close()

    async def async_forget(self, api_key: str, *, entry_id: str | None) -> None:
        """Remove the stored data of a key unless another entry has it.

        Disabled entries count, too; `entry_id` is the entry that is removed. Until
        Home Assistant stops, the count of calls is kept in memory.
        """
        fingerprint = _fingerprint(api_key)
        kept = any(
            entry.data.get(CONF_API_KEY) == api_key
            for entry in self._hass.config_entries.async_entries(DOMAIN)
            if entry.entry_id != entry_id
        )
        async with self._lock:
            if fingerprint not in self._budgets and not kept:
                store = self._store(fingerprint)
                with suppress(ConfigEntryNotReady):
                    stored = await store.async_load() or {}
                    self._removed_ledgers[fingerprint] = stored.get("ledger")
                await store.async_remove()

    async def _async_load(self, fingerprint: str, plan: Plan) -> KeyBudget:
        store = self._store(fingerprint)
        removed = {"ledger": self._removed_ledgers.get(fingerprint)}
        stored = await store.async_load() or removed
        now = dt_util.utcnow()
        ledger = Ledger.restore(
            stored.get("ledger"), plan, now=now, monotonic=_monotonic
        )
        schedule = store.read(Schedule.restore, stored.get("schedule"), Schedule())
        backfill = store.read(Backfill.restore, stored.get("backlog"), Backfill())
        budget = KeyBudget(self._hass, store, ledger, schedule, backfill)
        if ledger.was_damaged:
            store.note_damage()
        if await store.async_set_damaged_aside():
            await budget.persistence.async_save()
        return budget

    def _store(self, fingerprint: str) -> VerifiedStore:
        return VerifiedStore(self._hass, f"{DOMAIN}.account.{fingerprint}")


_BUDGETS: HassKey[KeyBudgets] = HassKey(DOMAIN)


@callback
def async_get_key_budgets(hass: HomeAssistant) -> KeyBudgets:
    """Return the budgets of this Home Assistant."""
    if _BUDGETS not in hass.data:
        hass.data[_BUDGETS] = KeyBudgets(hass)
    return hass.data[_BUDGETS]


def _monotonic() -> float:
    return time.monotonic()


def _fingerprint(api_key: str) -> str:
    return hashlib.sha256(api_key.encode()).hexdigest()[:16]
