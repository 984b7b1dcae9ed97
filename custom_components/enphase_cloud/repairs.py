"""Repair flows: request again what was refused, or only confirm."""

from abc import abstractmethod
from contextlib import suppress
from typing import Any, override

from homeassistant.components.repairs import (
    ConfirmRepairFlow,
    RepairsFlow,
    RepairsFlowResult,
)
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util

from .dashboard.doctor import Finding
from .data import EnphaseCloudConfigEntry
from .energy_dashboard import async_dashboard, async_write
from .errors import readable
from .issues import QUOTA_REFUSED
from .runtime.checked_store import STORE_DAMAGED


async def async_create_fix_flow(
    hass: HomeAssistant, issue_id: str, data: dict[str, Any] | None
) -> RepairsFlow:
    """Return the flow that repairs an issue."""
    if issue_id.startswith(STORE_DAMAGED):
        return ConfirmRepairFlow()
    if issue_id in set(Finding):
        return _DashboardFlow(Finding(issue_id))
    return _TryOnceFlow() if issue_id.startswith(QUOTA_REFUSED) else _RequestAgainFlow()


class _DashboardFlow(ConfirmRepairFlow):
    """Repair the Energy dashboard."""

    def __init__(self, finding: Finding) -> None:
        """Initialize the flow for a finding."""
        super().__init__()
        self._finding = finding

    @override
    async def async_step_confirm(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        if user_input is None:
            return await super().async_step_confirm(user_input)
        try:
            findings = (await async_dashboard(self.hass)).findings()
            # The user may have repaired it in the meantime.
            if (plan := findings.get(self._finding)) is not None:
                await async_write(self.hass, plan.preferences)
        except HomeAssistantError:
            return self.async_abort(reason="dashboard_failed")
        return self.async_create_entry(data={})


class _EntryFlow(ConfirmRepairFlow):
    """A flow that changes a loaded entry after the user confirms."""

    @override
    async def async_step_confirm(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        if user_input is None:
            return await super().async_step_confirm(user_input)
        entry_id = str((self.data or {})["entry_id"])
        entry: EnphaseCloudConfigEntry | None
        entry = self.hass.config_entries.async_get_entry(entry_id)
        if entry is None or entry.state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="not_loaded")
        return await self._async_fix(entry)

    @abstractmethod
    async def _async_fix(self, entry: EnphaseCloudConfigEntry) -> RepairsFlowResult:
        """Repair the entry."""


class _RequestAgainFlow(_EntryFlow):
    """Request refused documents again, after the user changed the plan."""

    @override
    async def _async_fix(self, entry: EnphaseCloudConfigEntry) -> RepairsFlowResult:
        entry.runtime_data.storage.forget_refusals()
        self.hass.config_entries.async_schedule_reload(entry.entry_id)
        return self.async_create_entry(data={})


class _TryOnceFlow(_EntryFlow):
    """Make one call after an upgrade, although the cloud refused the month."""

    @override
    async def _async_fix(self, entry: EnphaseCloudConfigEntry) -> RepairsFlowResult:
        if (document := entry.runtime_data.to_try) is None:
            return self.async_abort(reason="not_loaded")
        ledger = entry.runtime_data.budget.ledger
        ledger.allow_try(dt_util.utcnow())
        with suppress(HomeAssistantError):
            await document.async_refresh_for_user()
        if (until := ledger.blocked_until(dt_util.utcnow())) is None:
            return self.async_create_entry(data={})
        return self.async_abort(
            reason="still_refused", description_placeholders={"until": readable(until)}
        )
