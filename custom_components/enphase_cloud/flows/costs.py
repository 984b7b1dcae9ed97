"""What the choices of the options flow cost and give, in the words of its forms."""

from collections.abc import Collection, Mapping
from datetime import timedelta
import math
from typing import Any, Final, NamedTuple

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_API_KEY, CONF_ID
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from ..const import CONF_CALL_BUDGET, CONF_STREAMS_PER_MONTH, CONF_SYSTEMS, DOMAIN
from ..coordinator.energy import EnergyCoordinator
from ..data import EnphaseCloudConfigEntry
from ..documents.base import Group
from ..documents.table import documents_of
from ..measurements.catalog import Source
from ..quota.plans import Plan
from ..runtime.options import (
    EnergyOptions,
    History,
    groups_from_options,
    most_updates,
    plan_from_options,
    profile_from_options,
)
from ..runtime.system_properties import calls_of_system
from ..scheduling.forecast import Preview, preview
from ..scheduling.weights import POLLED, PolledDocument, Profile

_LONG: Final = timedelta(hours=2)
_VERY_LONG: Final = timedelta(days=2)
_DAYS: Final = 30
# So many streams show what a month may cost, until the user has named a number.
_EXAMPLE: Final = 100


class Costs(NamedTuple):
    """The placeholders of the forms, for the options as they are chosen so far."""

    hass: HomeAssistant
    entry: EnphaseCloudConfigEntry
    options: Mapping[str, Any]

    @property
    def imports(self) -> list[EnergyCoordinator]:
        """Return what imports energies for the systems of the entry."""
        if self.entry.state is not ConfigEntryState.LOADED:
            return []
        systems = self.entry.runtime_data.systems
        return [system.energies for system in systems if system.energies is not None]

    @property
    def most_updates(self) -> int:
        """Return how many updates of energies a day the plan can bear."""
        return most_updates(self._plan, self._energies_per_day)

    def of_calls(self) -> dict[str, str]:
        """Return what calls cost under a plan that bills them."""
        plan = self._plan
        budget = self.options.get(CONF_CALL_BUDGET, 0)
        expected = self._preview(profile_from_options(self.options)).calls_per_month
        return {
            "free": f"{plan.free_calls or 0:,}",
            "price": f"${plan.cost((plan.free_calls or 0) + 1):.3f}",
            "budget": f"${budget:,}",
            "calls": f"{plan.calls_per_month:,}",
            "expected": f"{expected:,}",
            "cost": f"${plan.cost(expected):,.2f}",
        }

    def of_energies(self) -> dict[str, str]:
        """Return the calls and the time that updates of energies and history take."""
        imports, now = self.imports, dt_util.utcnow()

        def cost(history: History) -> int:
            return sum(
                each.importer.cost(each.history(history), now) for each in imports
            )

        hours = cost(History.HOUR)
        return {
            "calls_per_update": str(sum(each.calls_per_day(1) for each in imports)),
            "calls_days": str(cost(History.DAY)),
            "calls_hours": str(hours),
            "time_hours": _time(imports[0].duration(hours)),
            "most_updates": str(self.most_updates),
        }

    def of_profiles(self) -> dict[str, str]:
        """Return how fresh each profile keeps data, and the calls of what is daily."""
        given = {profile: self._preview(profile) for profile in Profile}
        return {
            "limit": f"{self._plan.calls_per_month:,}",
            "calls": f"{given[Profile.BALANCED].calls_per_month:,}",
            **{
                f"calls_{group}": f"{math.ceil(self._calls_of({group}) * _DAYS):,}"
                for group in Group
            },
        } | {
            f"{profile}_{document}": _interval(expected, document)
            for profile, expected in given.items()
            for document in POLLED
        }

    def of_streams(self) -> dict[str, str]:
        """Return what the live streams of a month cost."""
        price = self._plan.live_stream_price or 0.0
        streams = self.options.get(CONF_STREAMS_PER_MONTH) or _EXAMPLE
        return {
            "price": f"${price:.2f}",
            "streams": f"{streams:,}",
            "cost": f"${streams * price:,.2f}",
        }

    @property
    def _plan(self) -> Plan:
        return plan_from_options(self.options)

    def _energies_per_day(self, updates: int) -> int:
        """Return the calls for energies of a day, with so many updates here."""
        if not (imports := self.imports):
            return 0
        elsewhere = self.entry.runtime_data.budget.backfill.per_day - sum(
            each.importer.calls_per_day for each in imports
        )
        return elsewhere + sum(each.calls_per_day(updates) for each in imports)

    @property
    def _polled(self) -> list[PolledDocument]:
        """Return what is polled under the API key; before it is known, all."""
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
        updates = EnergyOptions.from_options(self.options).updates_per_day
        # What is requested daily or weekly here.
        errands = self._calls_of(groups_from_options(self.options))
        return preview(
            self._plan,
            profile=profile,
            polled_documents=self._polled,
            others_per_day=self._energies_per_day(updates) + errands,
        )

    def _calls_of(self, groups: Collection[str]) -> float:
        """Return the calls of a day for groups of documents, of all systems."""
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
