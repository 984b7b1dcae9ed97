"""Computes the placeholders of the options flow: costs and update intervals."""

from collections.abc import Collection, Mapping
from datetime import timedelta
import math
from typing import Any, Final, NamedTuple

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_API_KEY, CONF_ID
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from ..const import CONF_CALL_BUDGET, CONF_PLAN, CONF_SYSTEMS, DOMAIN
from ..coordinator.energy import EnergyCoordinator
from ..data import EnphaseCloudConfigEntry
from ..documents.base import OFF_AT_FIRST, Group
from ..documents.table import documents_of
from ..energy.flows import most_calls_per_day
from ..errors import number
from ..measurements.board import Board
from ..measurements.catalog import Source
from ..quota.ledger import ASSUMED
from ..quota.plans import PLANS, Plan
from ..runtime.options import (
    EnergyOptions,
    History,
    LiveOptions,
    affordable,
    groups_from_options,
    most_updates,
    plan_from_options,
    profile_from_options,
    usual_updates,
)
from ..runtime.system_properties import calls_of_system
from ..scheduling.forecast import Preview, preview
from ..scheduling.live_hours import StreamAllowance
from ..scheduling.weights import POLLED, PolledDocument, Profile

# Narrow tables keep a number and its unit in one line.
_GAP: Final = "\N{NO-BREAK SPACE}"
_LONG: Final = timedelta(hours=2)
_VERY_LONG: Final = timedelta(days=2)
_DAYS: Final = 30
_DAYLIGHT: Final = timedelta(hours=12)
_NEW_SYSTEM: Final = [PolledDocument("", document) for document in POLLED]


class Costs(NamedTuple):
    """The placeholders of the forms for the options chosen so far."""

    hass: HomeAssistant
    entry: EnphaseCloudConfigEntry
    options: Mapping[str, Any]

    @property
    def imports(self) -> list[EnergyCoordinator]:
        """Return the coordinators of energy of the entry's systems."""
        if self.entry.state is not ConfigEntryState.LOADED:
            return []
        systems = self.entry.runtime_data.systems
        return [system.energy for system in systems if system.energy is not None]

    @property
    def most_updates(self) -> int:
        """Return the most energy updates a day that the plan allows."""
        return most_updates(self._plan, self.energy_calls_per_day)

    def of_calls(self) -> dict[str, str]:
        """Return the costs of API calls under a plan that bills them."""
        plan = self._plan
        budget = self.options.get(CONF_CALL_BUDGET, 0)
        expected = self._preview(profile_from_options(self.options)).calls_per_month
        return {
            "free": number(plan.free_calls or 0),
            "price": f"${number(plan.cost((plan.free_calls or 0) + 1), 3)}",
            "budget": f"${number(budget)}",
            "calls": number(plan.calls_per_month),
            "expected": number(expected),
            "cost": f"${number(plan.cost(expected), 2)}",
        }

    def of_energy(self) -> dict[str, str]:
        """Return the calls for updates of energy, and calls and time for history."""
        imports, now = self.imports, dt_util.utcnow()

        def cost(history: History) -> int:
            return sum(
                each.importer.cost(each.history(history), now) for each in imports
            )

        hours = cost(History.HOUR)
        return {
            "calls_per_update": number(sum(each.calls_per_day(1) for each in imports)),
            "calls_days": number(cost(History.DAY)),
            "calls_hours": number(hours),
            "time_hours": _time(imports[0].duration(hours)),
            "most_updates": number(self.most_updates),
        }

    def of_groups(self) -> dict[str, str]:
        """Return the calls of each group in a month, or the plan that it needs."""
        return {
            group: number(math.ceil(self._calls_of({group}) * _DAYS))
            if group in self.groups
            else _smallest_plan(group)
            for group in Group
        }

    def of_plans(self) -> dict[str, str]:
        """Return the interval of power updates by day with each plan.

        Also returns how many calls of this month are only assumed to be used.
        """
        assumed = 0
        if self.entry.state is ConfigEntryState.LOADED:
            ledger = self.entry.runtime_data.budget.ledger
            assumed = ledger.by_operation(dt_util.utcnow()).get(ASSUMED, 0)
        return {"assumed": number(assumed)} | {
            plan: power_interval(
                Costs(self.hass, self.entry, {**self.options, CONF_PLAN: plan}).now
            )
            for plan in PLANS
        }

    def of_now(self) -> dict[str, str]:
        """Return calls and interval of power updates with the options."""
        return {
            "limit": number(self._plan.calls_per_month),
            "calls": number(self.now.calls_per_month),
            "power": power_interval(self.now),
        }

    def of_profiles(self) -> dict[str, str]:
        """Return the update intervals of each profile."""
        given = {profile: self._preview(profile) for profile in Profile}
        return self.of_now() | {
            f"{profile}_{document}": _interval(expected, document)
            for profile, expected in given.items()
            for document in POLLED
        }

    def of_streams(self) -> dict[str, str]:
        """Return the monthly cost of all live streams, and of scheduled ones."""
        price = self._plan.live_stream_price or 0.0
        live = LiveOptions.from_options(self.options)
        streams = live.streams_per_month
        systems = len(self.entry.data[CONF_SYSTEMS])
        sessions = min(
            math.ceil(live.hours_per_day * _DAYS / live.pause) * systems,
            StreamAllowance(streams).left_for_sessions(used=0),
        )
        return {
            "price": f"${number(price, 2)}",
            "streams": number(streams),
            "cost": f"${number(streams * price, 2)}",
            "sessions": number(sessions),
            "sessions_cost": f"${number(sessions * price, 2)}",
        }

    @property
    def groups(self) -> list[Group]:
        """Return the groups of documents that the plan includes."""
        access = self._plan.access
        return [group for group in Group if documents_of({group}, access)]

    @property
    def now(self) -> Preview:
        """Return the preview with the options."""
        return self._preview(profile_from_options(self.options))

    @property
    def _plan(self) -> Plan:
        return plan_from_options(self.options)

    def energy_calls_per_day(self, updates: int) -> int:
        """Return the calls for energy a day, with a number of updates in this entry."""
        if not (imports := self.imports):
            return 0
        elsewhere = self.entry.runtime_data.budget.backfill.per_day - sum(
            each.importer.calls_per_day for each in imports
        )
        return elsewhere + sum(each.calls_per_day(updates) for each in imports)

    @property
    def _polled(self) -> list[PolledDocument]:
        """Return the documents polled with the API key, or all while none is loaded."""
        entries: list[EnphaseCloudConfigEntry]
        entries = self.hass.config_entries.async_loaded_entries(DOMAIN)
        api_key = self.entry.data[CONF_API_KEY]
        return [
            coordinator.plan.polled
            for entry in entries
            if entry.data[CONF_API_KEY] == api_key
            for system in entry.runtime_data.systems
            for coordinator in system.documents
            if coordinator.plan.is_scheduled
        ] or [
            PolledDocument(system=str(system[CONF_ID]), document=document)
            for system in self.entry.data[CONF_SYSTEMS]
            for document in POLLED
        ]

    def _preview(self, profile: Profile) -> Preview:
        options = affordable(self.options, self.energy_calls_per_day)
        updates = EnergyOptions.from_options(options).updates_per_day
        # The daily and weekly requests of this entry.
        periodic = self._calls_of(groups_from_options(self.options))
        return preview(
            self._plan,
            profile=profile,
            polled_documents=self._polled,
            others_per_day=self.energy_calls_per_day(updates) + periodic,
        )

    def _calls_of(self, groups: Collection[str]) -> float:
        """Return the calls of all systems a day for groups of documents."""
        if self.entry.state is not ConfigEntryState.LOADED:
            return 0.0
        plan, data = self._plan, self.entry.runtime_data
        calls = calls_of_system(self.entry, plan)
        return sum(
            document.calls_per_day(system.board, calls, daylight.length) or 0.0
            for system in data.systems
            for daylight in (data.budget.schedule.daylight(str(system.info.system_id)),)
            for document in documents_of(groups, plan.access)
        )


def _smallest_plan(group: Group) -> str:
    """Return the first plan with the documents of a group, such as "≥ Kilowatt"."""
    plans = (key for key, it in PLANS.items() if documents_of({group}, it.access))
    return f"≥ {next(plans).capitalize()}"


def plans_of_a_new_system() -> dict[str, str]:
    """Return the interval of power updates by day with each plan, before set-up.

    It assumes one system with all devices, and the default options.
    """
    return {key: power_interval(_at_first(plan)) for key, plan in PLANS.items()}


def _at_first(plan: Plan) -> Preview:
    plan = plan.limited_to(0)
    updates = most_calls_per_day(usual_updates(plan, most_calls_per_day))
    documents = documents_of(frozenset(Group) - OFF_AT_FIRST, plan.access)
    periodic = sum(
        document.calls_per_day(Board(), plan.calls_per_month, _DAYLIGHT) or 0.0
        for document in documents
    )
    return preview(
        plan,
        profile=Profile.BALANCED,
        polled_documents=_NEW_SYSTEM,
        others_per_day=updates + periodic,
    )


def power_interval(expected: Preview) -> str:
    """Return the interval of power updates by day, such as "14 min"."""
    is_metered = Source.LATEST in expected.documents
    return _interval(expected, Source.LATEST if is_metered else Source.SUMMARY)


def _time(duration: timedelta | None) -> str:
    """Return a duration in minutes, hours or days, a dash for None."""
    if duration is None:
        return "—"
    if duration < _LONG:
        return f"{max(1, duration / timedelta(minutes=1)):.0f}{_GAP}min"
    if duration < _VERY_LONG:
        return f"{duration / timedelta(hours=1):.0f}{_GAP}h"
    return f"{duration / timedelta(days=1):.0f}{_GAP}d"


def _interval(expected: Preview, document: Source) -> str:
    """Return the interval of a document's updates by day, a dash if it has none."""
    freshness = expected.documents.get(document)
    if freshness is None or freshness.by_day is None:
        return "—"
    if freshness.by_day < _LONG:
        return f"{freshness.by_day / timedelta(minutes=1):.0f}{_GAP}min"
    return f"{number(freshness.by_day / timedelta(hours=1), 1)}{_GAP}h"
