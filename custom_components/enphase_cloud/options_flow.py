"""Options flow: a menu of pages, each of which saves its changes."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.config_entries import ConfigFlowResult, OptionsFlowWithReload
from homeassistant.exceptions import HomeAssistantError
import voluptuous as vol

from .const import (
    CONF_CALL_BUDGET,
    CONF_ENERGY_UPDATES,
    CONF_GROUPS,
    CONF_HISTORY,
    CONF_LIVE_BURSTS,
    CONF_LIVE_HOURS,
    CONF_LIVE_STREAM,
    CONF_PLAN,
    CONF_STREAMS_PER_MONTH,
    CONF_SYSTEMS,
    PLAN_CUSTOM,
)
from .dashboard.sources import Kind
from .dashboard.wizard import Change, Choice
from .data import EnphaseCloudConfigEntry
from .documents.base import Group
from .energy_dashboard import async_dashboard, async_write, has_energy_dashboard
from .flows.costs import Costs
from .flows.forms import (
    CALL_BUDGET_FORM,
    CUSTOM_PLAN_FORM,
    ENERGY_FORM,
    LIVE_FORM,
    LIVE_SCHEDULE_FORM,
    LIVE_TIMES_FORM,
    PLAN_FORM,
    PROFILE_FORM,
    dashboard_form,
    devices_form,
)
from .runtime.options import (
    History,
    LiveHours,
    LiveOptions,
    affordable,
    consistent,
    plan_from_options,
)
from .scheduling.live_hours import StreamAllowance

_NO_ENERGY: Final = {CONF_ENERGY_UPDATES: 0, CONF_HISTORY: History.NONE}


class EnphaseCloudOptionsFlow(OptionsFlowWithReload):
    """Change the options of an account; each page shows their cost."""

    config_entry: EnphaseCloudConfigEntry

    def __init__(self) -> None:
        """Initialize the flow."""
        self._options: dict[str, Any] = {}
        self._choices: dict[Kind, Choice] = {}
        self._shown: tuple[Change, ...] = ()

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show the menu, without pages that would have no effect."""
        self._options = dict(self.config_entry.options)
        pages = {
            "plan": True,
            "call_budget": plan_from_options(self._options).free_calls is not None,
            "profile": True,
            "energy": bool(self._costs.imports),
            "devices": True,
            "live": self._can_stream,
            "dashboard": has_energy_dashboard(self.hass) and self._costs.imports,
        }
        return self.async_show_menu(
            step_id="init",
            menu_options=[page for page, has_effect in pages.items() if has_effect],
            description_placeholders=self._costs.of_now(),
        )

    async def async_step_dashboard(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Preview changes to the Energy dashboard, and apply them.

        A different choice, or a change in between, shows a new preview first.
        """
        try:
            dashboard = await async_dashboard(self.hass)
            plan = dashboard.proposal(self._choices)
            if user_input is not None:
                chosen = {Kind(kind): Choice(it) for kind, it in user_input.items()}
                if (chosen, plan.changes) == (self._choices, self._shown):
                    if plan.is_change:
                        await async_write(self.hass, plan.preferences)
                    return self.async_create_entry(data=self.config_entry.options)
                self._choices = chosen
                plan = dashboard.proposal(chosen)
            conflicts = dashboard.proposal().conflicts
            changes = await dashboard.async_lines(plan.changes)
        except HomeAssistantError:
            return self.async_abort(reason="dashboard_failed")
        if not plan.changes:
            reason = "dashboard_complete" if dashboard.offers.all else "no_statistics"
            return self.async_abort(reason=reason)
        self._shown = plan.changes
        self._choices = {it: self._choices.get(it, Choice.SKIP) for it in conflicts}
        return self.async_show_form(
            step_id="dashboard_choices" if conflicts else "dashboard",
            data_schema=self.add_suggested_values_to_schema(
                dashboard_form(conflicts),
                {str(kind): choice for kind, choice in self._choices.items()},
            ),
            description_placeholders={"changes": changes},
        )

    async def async_step_dashboard_choices(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Preview with a choice about foreign sources."""
        return await self.async_step_dashboard(user_input)

    async def async_step_plan(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Choose the plan; the page shows the freshness of each."""
        if user_input is None:
            return self._show_form(
                PLAN_FORM, step_id="plan", costs=self._costs.of_plans()
            )
        self._options |= user_input
        if user_input[CONF_PLAN] == PLAN_CUSTOM:
            return await self.async_step_custom_plan()
        if plan_from_options(self._options).free_calls is not None:
            return await self.async_step_call_budget()
        return self._save()

    async def async_step_call_budget(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Enter the monthly cost limit; a new sum shows its freshness first."""
        shown = self._options.get(CONF_CALL_BUDGET, 0)
        if user_input is not None:
            self._options |= user_input
            if user_input[CONF_CALL_BUDGET] == shown:
                return self._save()
        return self._show_form(
            CALL_BUDGET_FORM, step_id="call_budget", costs=self._costs.of_calls()
        )

    async def async_step_custom_plan(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Enter the limits of a plan that is not listed."""
        if user_input is None:
            return self._show_form(CUSTOM_PLAN_FORM, step_id="custom_plan")
        self._options |= user_input
        return self._save()

    async def async_step_energy(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Choose energy statistics; the page shows their cost."""
        errors: dict[str, str] = {}
        if user_input is not None:
            self._options |= user_input
            if user_input[CONF_ENERGY_UPDATES] <= self._costs.most_updates:
                return self._save()
            errors[CONF_ENERGY_UPDATES] = "too_many_updates"
        return self._show_form(
            ENERGY_FORM,
            step_id="energy",
            suggested=_NO_ENERGY | self._options,
            errors=errors,
            costs=self._costs.of_energy(),
        )

    async def async_step_profile(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Choose what is freshest; the page shows the effect of each profile."""
        if user_input is None:
            return self._show_form(
                PROFILE_FORM, step_id="profile", costs=self._costs.of_profiles()
            )
        self._options |= user_input
        return self._save()

    async def async_step_devices(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Choose optional groups; those outside the plan stay unchanged."""
        offered, chosen = self._costs.groups, self._options.get(CONF_GROUPS, ())
        if user_input is None:
            shown = [each for each in chosen if each in offered]
            return self._show_form(
                devices_form(offered),
                step_id="devices",
                suggested=self._options | {CONF_GROUPS: shown},
                costs=self._costs.of_groups(),
            )
        kept = set(chosen) - set(offered)
        groups = {*user_input[CONF_GROUPS], *kept}
        self._options |= user_input
        self._options[CONF_GROUPS] = [each for each in Group if each in groups]
        return self._save()

    async def async_step_live(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Choose live data; the page shows its cost."""
        errors: dict[str, str] = {}
        if user_input is not None:
            self._options |= user_input
            if not (errors := self._live_errors()):
                if user_input[CONF_LIVE_BURSTS]:
                    return await self.async_step_live_schedule()
                return self._save()
        return self._show_form(
            LIVE_FORM, step_id="live", errors=errors, costs=self._costs.of_streams()
        )

    async def async_step_live_schedule(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Choose when scheduled live sessions start, and how long they last."""
        if user_input is None:
            return self._show_form(
                LIVE_SCHEDULE_FORM,
                step_id="live_schedule",
                costs=self._costs.of_streams(),
            )
        self._options |= user_input
        if user_input[CONF_LIVE_HOURS] == LiveHours.BETWEEN:
            return await self.async_step_live_times()
        return self._save()

    async def async_step_live_times(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Choose the hours in which scheduled live sessions start."""
        if user_input is None:
            return self._show_form(LIVE_TIMES_FORM, step_id="live_times")
        self._options |= user_input
        return self._save()

    def _show_form(
        self,
        form: vol.Schema,
        *,
        step_id: str,
        suggested: Mapping[str, Any] | None = None,
        errors: dict[str, str] | None = None,
        costs: Mapping[str, str] | None = None,
    ) -> ConfigFlowResult:
        """Show a form with suggestions, by default the current options."""
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(
                form, suggested or self._options
            ),
            errors=errors,
            description_placeholders=costs,
        )

    def _save(self) -> ConfigFlowResult:
        """Save the changes; a smaller plan may reduce the energy updates."""
        options, costs = self._options, self._costs
        before = plan_from_options(self.config_entry.options)
        if plan_from_options(options) != before:
            options = affordable(options, costs.energy_calls_per_day)
        return self.async_create_entry(data=consistent(options))

    @property
    def _costs(self) -> Costs:
        return Costs(self.hass, self.config_entry, self._options)

    @property
    def _can_stream(self) -> bool:
        """Return whether the plan and at least one system support live streams."""
        return plan_from_options(self._options).has_live_stream and any(
            system.get(CONF_LIVE_STREAM) is not False
            for system in self.config_entry.data[CONF_SYSTEMS]
        )

    def _live_errors(self) -> dict[str, str]:
        options = LiveOptions.from_options(self._options)
        allowance = StreamAllowance(options.streams_per_month)
        if options.live_sessions and not allowance.left_for_sessions(used=0):
            return {CONF_STREAMS_PER_MONTH: "too_few_streams"}
        return {}
