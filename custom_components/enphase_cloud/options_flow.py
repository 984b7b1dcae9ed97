"""Options flow: plan, what is to be freshest, and live data."""

from datetime import timedelta
import math
from typing import Any, Final

from homeassistant.config_entries import (
    ConfigEntryState,
    ConfigFlowResult,
    OptionsFlowWithReload,
)
from homeassistant.const import CONF_API_KEY, CONF_ID
from homeassistant.util import dt as dt_util

from .const import (
    CONF_CALL_BUDGET,
    CONF_ENERGY_UPDATES,
    CONF_HISTORY,
    CONF_LIVE_STREAM,
    CONF_PLAN,
    CONF_STREAMS_PER_MONTH,
    CONF_SYSTEMS,
    DOMAIN,
    PLAN_CUSTOM,
)
from .coordinator.energy import EnergyCoordinator
from .data import EnphaseCloudConfigEntry
from .documents.base import Group
from .documents.table import DOCUMENTS
from .flows.forms import (
    CALL_BUDGET_FORM,
    CUSTOM_PLAN_FORM,
    ENERGY_FORM,
    LIVE_FORM,
    PLAN_FORM,
    PROFILE_FORM,
)
from .measurements.catalog import Source
from .runtime.options import (
    EnergyOptions,
    History,
    LiveOptions,
    consistent,
    groups_from_options,
    most_updates,
    plan_from_options,
    profile_from_options,
)
from .scheduling.forecast import Preview, preview
from .scheduling.live_hours import StreamAllowance
from .scheduling.weights import POLLED, PolledDocument, Profile

_LONG: Final = timedelta(hours=2)
_VERY_LONG: Final = timedelta(days=2)
_NO_ENERGIES: Final = {CONF_ENERGY_UPDATES: 0, CONF_HISTORY: History.NONE}
_DAYS: Final = 30
# So many streams show what a month may cost, until the user has named a number.
_EXAMPLE: Final = 100


class EnphaseCloudOptionsFlow(OptionsFlowWithReload):
    """Change the options of an account, each explained with what it costs."""

    config_entry: EnphaseCloudConfigEntry

    def __init__(self) -> None:
        """Begin with nothing chosen."""
        self._options: dict[str, Any] = {}

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the plan."""
        if user_input is None:
            self._options = dict(self.config_entry.options)
            return self.async_show_form(
                step_id="init",
                data_schema=self.add_suggested_values_to_schema(
                    PLAN_FORM, self._options
                ),
                last_step=False,
            )
        self._options |= user_input
        if user_input[CONF_PLAN] == PLAN_CUSTOM:
            return await self.async_step_custom_plan()
        if plan_from_options(self._options).free_calls is not None:
            return await self.async_step_call_budget()
        return await self.async_step_energy()

    async def async_step_call_budget(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask what calls may cost; another sum is shown with what it gives first."""
        shown = self._options.get(CONF_CALL_BUDGET, 0)
        if user_input is not None:
            self._options |= user_input
            if user_input[CONF_CALL_BUDGET] == shown:
                return await self.async_step_energy()
        return self.async_show_form(
            step_id="call_budget",
            data_schema=self.add_suggested_values_to_schema(
                CALL_BUDGET_FORM, self._options
            ),
            description_placeholders=self._cost_of_calls(),
            last_step=False,
        )

    async def async_step_custom_plan(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the limits of a plan that is not in the list."""
        if user_input is None:
            return self.async_show_form(
                step_id="custom_plan",
                data_schema=self.add_suggested_values_to_schema(
                    CUSTOM_PLAN_FORM, self._options
                ),
                last_step=False,
            )
        self._options |= user_input
        return await self.async_step_energy()

    async def async_step_energy(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for statistics of energies, showing what they cost."""
        errors: dict[str, str] = {}
        if not self._energies:
            return await self.async_step_profile()
        if user_input is not None:
            self._options |= user_input
            if user_input[CONF_ENERGY_UPDATES] <= self._most_updates:
                return await self.async_step_profile()
            errors[CONF_ENERGY_UPDATES] = "too_many_updates"
        return self.async_show_form(
            step_id="energy",
            data_schema=self.add_suggested_values_to_schema(
                ENERGY_FORM, {**_NO_ENERGIES, **self._options}
            ),
            errors=errors,
            description_placeholders=self._cost_of_energies(),
            last_step=False,
        )

    async def async_step_profile(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask what is to be freshest, showing what each choice gives."""
        if user_input is None:
            return self.async_show_form(
                step_id="profile",
                data_schema=self.add_suggested_values_to_schema(
                    PROFILE_FORM, self._options
                ),
                description_placeholders=self._freshness(),
                last_step=not self._can_stream,
            )
        self._options |= user_input
        if self._can_stream:
            return await self.async_step_live()
        return self.async_create_entry(data=consistent(self._options))

    async def async_step_live(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask how live data is wanted; each stream costs a call and money."""
        errors: dict[str, str] = {}
        if user_input is not None:
            self._options |= user_input
            if not (errors := self._live_errors()):
                return self.async_create_entry(data=consistent(self._options))
        return self.async_show_form(
            step_id="live",
            data_schema=self.add_suggested_values_to_schema(LIVE_FORM, self._options),
            errors=errors,
            description_placeholders=self._cost(),
        )

    @property
    def _can_stream(self) -> bool:
        """Tell whether the plan has streams, and some system may have them."""
        return plan_from_options(self._options).has_live_stream and any(
            system.get(CONF_LIVE_STREAM) is not False
            for system in self.config_entry.data[CONF_SYSTEMS]
        )

    @property
    def _energies(self) -> list[EnergyCoordinator]:
        """Return what imports energies for the systems of this entry."""
        if self.config_entry.state is not ConfigEntryState.LOADED:
            return []
        systems = self.config_entry.runtime_data.systems
        return [system.energies for system in systems if system.energies is not None]

    def _cost_of_energies(self) -> dict[str, str]:
        energies = self._energies

        now = dt_util.utcnow()

        def cost(history: History) -> int:
            return sum(
                each.importer.cost(each.history(history), now) for each in energies
            )

        hours = cost(History.HOUR)
        return {
            "calls_per_update": str(sum(each.calls_per_day(1) for each in energies)),
            "calls_days": str(cost(History.DAY)),
            "calls_hours": str(hours),
            "time_hours": _time(energies[0].duration(hours)),
            "most_updates": str(self._most_updates),
        }

    @property
    def _most_updates(self) -> int:
        return most_updates(plan_from_options(self._options), self._energies_per_day)

    def _energies_per_day(self, updates: int) -> int:
        """Return the calls for energies of a day, with so many updates here."""
        if not (energies := self._energies):
            return 0
        elsewhere = self.config_entry.runtime_data.budget.backfill.per_day - sum(
            each.importer.calls_per_day for each in energies
        )
        return elsewhere + sum(each.calls_per_day(updates) for each in energies)

    @property
    def _polled(self) -> list[PolledDocument]:
        """Return what is polled under the API key; before it is known, all."""
        entries: list[EnphaseCloudConfigEntry]
        entries = self.hass.config_entries.async_loaded_entries(DOMAIN)
        api_key = self.config_entry.data[CONF_API_KEY]
        return [
            coordinator.plan.polled
            for entry in entries
            if entry.data[CONF_API_KEY] == api_key
            for system in entry.runtime_data.systems
            for coordinator in system.documents
            if coordinator.plan.is_scheduled
        ] or [
            PolledDocument(system=str(system[CONF_ID]), document=document)
            for system in self.config_entry.data[CONF_SYSTEMS]
            for document in POLLED
        ]

    def _cost_of_calls(self) -> dict[str, str]:
        plan = plan_from_options(self._options)
        budget = self._options.get(CONF_CALL_BUDGET, 0)
        expected = self._preview(profile_from_options(self._options)).calls_per_month
        return {
            "free": f"{plan.free_calls or 0:,}",
            "price": f"${plan.cost((plan.free_calls or 0) + 1):.3f}",
            "budget": f"${budget:,}",
            "calls": f"{plan.calls_per_month:,}",
            "expected": f"{expected:,}",
            "cost": f"${plan.cost(expected):,.2f}",
        }

    def _preview(self, profile: Profile) -> Preview:
        updates = EnergyOptions.from_options(self._options).updates_per_day
        return preview(
            plan_from_options(self._options),
            profile=profile,
            polled_documents=self._polled,
            others_per_day=self._energies_per_day(updates) + self._errands_per_day(),
        )

    def _errands_per_day(self) -> float:
        """Return the calls of a day for what is requested daily or weekly here."""
        return sum(
            self._calls_of(group) for group in groups_from_options(self._options)
        )

    def _calls_of(self, group: str) -> float:
        """Return the calls of a day for a group of documents, of all systems."""
        if self.config_entry.state is not ConfigEntryState.LOADED:
            return 0.0
        return sum(
            document.calls_per_day(system.board) or 0.0
            for system in self.config_entry.runtime_data.systems
            for document in DOCUMENTS
            if document.group == group
        )

    def _freshness(self) -> dict[str, str]:
        plan = plan_from_options(self._options)
        given = {profile: self._preview(profile) for profile in Profile}
        return {
            "limit": f"{plan.calls_per_month:,}",
            "calls": f"{given[Profile.BALANCED].calls_per_month:,}",
            **{
                f"calls_{group}": f"{math.ceil(self._calls_of(group) * _DAYS):,}"
                for group in Group
            },
        } | {
            f"{profile}_{document}": _interval(expected, document)
            for profile, expected in given.items()
            for document in POLLED
        }

    def _live_errors(self) -> dict[str, str]:
        options = LiveOptions.from_options(self._options)
        allowance = StreamAllowance(options.streams_per_month)
        if options.live_sessions and not allowance.left_for_sessions(used=0):
            return {CONF_STREAMS_PER_MONTH: "too_few_streams"}
        return {}

    def _cost(self) -> dict[str, str]:
        price = plan_from_options(self._options).live_stream_price or 0.0
        streams = self._options.get(CONF_STREAMS_PER_MONTH) or _EXAMPLE
        return {
            "price": f"${price:.2f}",
            "streams": f"{streams:,}",
            "cost": f"${streams * price:,.2f}",
        }


def _time(duration: timedelta | None) -> str:
    """Return a time in the unit that suits it."""
    if duration is None:
        return "—"
    if duration < _LONG:
        return f"{max(1, duration / timedelta(minutes=1)):.0f} min"
    if duration < _VERY_LONG:
        return f"{duration / timedelta(hours=1):.0f} h"
    return f"{duration / timedelta(days=1):.0f} d"


def _interval(expected: Preview, document: Source) -> str:
    """Return how long apart the updates are by day."""
    freshness = expected.documents.get(document)
    if freshness is None or freshness.by_day is None:
        return "—"
    if freshness.by_day < _LONG:
        return f"{freshness.by_day / timedelta(minutes=1):.0f} min"
    return f"{freshness.by_day / timedelta(hours=1):.1f} h"
