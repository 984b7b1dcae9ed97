"""Config flow: sign in, name the API key and the plan, choose the systems."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, override

from homeassistant.config_entries import (
    SOURCE_REAUTH,
    ConfigEntry,
    ConfigFlowResult,
    ConfigSubentryFlow,
    OptionsFlow,
)
from homeassistant.const import CONF_API_KEY, CONF_NAME, CONF_TOKEN
from homeassistant.core import callback
from homeassistant.helpers.recorder import DATA_INSTANCE

from .api import System
from .array_flow import PanelArrayFlow
from .const import (
    CONF_ENERGY_UPDATES,
    CONF_GROUPS,
    CONF_PLAN,
    CONF_SYSTEMS,
    DEVELOPER_PORTAL_URL,
    DOMAIN,
    PLAN_CUSTOM,
    SUBENTRY_ARRAY,
    SUBENTRY_TARIFF,
)
from .data import EnphaseCloudConfigEntry
from .documents.base import OFF_AT_FIRST, Group
from .energy.flows import most_calls_per_day
from .energy_dashboard import has_energy_dashboard
from .flows.forms import (
    API_KEY_FORM,
    CUSTOM_PLAN_FORM,
    DASHBOARD_FORM,
    ENERGY_FORM,
    KEEP_API_KEY_FORM,
    systems_form,
)
from .flows.found_systems import FoundSystems
from .flows.sign_in import SignInFlow
from .flows.validation import KeyRefusedError, ProbeFailedError, async_find_systems
from .migration import MINOR_VERSION, VERSION
from .options_flow import EnphaseCloudOptionsFlow
from .quota.plans import Plan
from .runtime.options import EnergyOptions, consistent, most_updates, plan_from_options
from .runtime.system_properties import stored_system, systems_of_other_entries
from .tariff_flow import TariffFlow

# From so many calls a month on, energies may be asked for every hour.
_PLENTY: Final = 20_000


class EnphaseCloudConfigFlow(SignInFlow, domain=DOMAIN):
    """Add an Enphase account, sign in to it again, or change it."""

    VERSION = VERSION
    MINOR_VERSION = MINOR_VERSION

    def __init__(self) -> None:
        """Begin with nothing known."""
        super().__init__()
        self._data: dict[str, Any] = {}
        self._options: dict[str, Any] = {}
        self._listed: list[System] = []

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: EnphaseCloudConfigEntry) -> OptionsFlow:
        """Return the options flow."""
        return EnphaseCloudOptionsFlow()

    @classmethod
    @callback
    @override
    def async_get_supported_subentry_types(
        cls, config_entry: ConfigEntry[Any]
    ) -> dict[str, type[ConfigSubentryFlow]]:
        """Return what the user can add to an account."""
        return {SUBENTRY_ARRAY: PanelArrayFlow, SUBENTRY_TARIFF: TariffFlow}

    @override
    async def async_signed_in(self, data: dict[str, Any]) -> ConfigFlowResult:
        """Ask for the API key."""
        self._data = data
        if (entry := self.changed_entry) is not None:
            self._data[CONF_API_KEY] = entry.data[CONF_API_KEY]
            self._options = dict(entry.options)
        return await self.async_step_api_key()

    async def async_step_api_key(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the API key and the plan that was chosen for it."""
        if user_input is None:
            return self._show_api_key_form()
        if key := user_input.get(CONF_API_KEY, "").strip():
            self._data[CONF_API_KEY] = key
        self._options[CONF_PLAN] = user_input[CONF_PLAN]
        if not _can_be_sent(self._data.get(CONF_API_KEY, "")):
            return self._show_api_key_form(KeyRefusedError("api_key_malformed"))
        if user_input[CONF_PLAN] == PLAN_CUSTOM:
            return await self.async_step_custom_plan()
        return await self._async_find_systems()

    async def async_step_keep_api_key(
        self, user_input: dict[str, Any]
    ) -> ConfigFlowResult:
        """Ask for the same where a key is known, which an empty field keeps."""
        return await self.async_step_api_key(user_input)

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
            )
        self._options |= user_input
        return await self._async_find_systems()

    async def async_step_systems(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Let the user choose among several systems."""
        if user_input is None:
            return self._show_systems_form(
                self._systems.chosen_before(self.changed_entry)
            )
        chosen = user_input[CONF_SYSTEMS]
        systems = [each for each in self._systems.free if str(each.system_id) in chosen]
        if not systems:
            return self._show_systems_form([], {CONF_SYSTEMS: "choose_a_system"})
        return await self._async_choose(systems)

    async def async_step_free_systems(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the same where other accounts have some of the systems."""
        return await self.async_step_systems(user_input)

    async def async_step_energy(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Offer statistics of energies, and history."""
        plan = plan_from_options(self._options)
        most = most_updates(plan, self._most_energies_per_day)
        errors: dict[str, str] = {}
        if user_input is not None:
            self._options |= user_input
            if user_input[CONF_ENERGY_UPDATES] <= most:
                return await self.async_step_dashboard()
            errors[CONF_ENERGY_UPDATES] = "too_many_updates"
        return self.async_show_form(
            step_id="energy",
            data_schema=self.add_suggested_values_to_schema(
                ENERGY_FORM,
                {CONF_ENERGY_UPDATES: _usual_updates(plan, most), **self._options},
            ),
            errors=errors,
            description_placeholders={"most_updates": str(most)},
        )

    async def async_step_dashboard(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Offer to add systems to the Energy dashboard once they have statistics."""
        wants = self._options[CONF_ENERGY_UPDATES] and has_energy_dashboard(self.hass)
        if user_input is None and wants:
            return self.async_show_form(step_id="dashboard", data_schema=DASHBOARD_FORM)
        self._options |= user_input or {}
        return self._finish(self._data[CONF_SYSTEMS])

    def _most_energies_per_day(self, updates: int) -> int:
        """Return the calls for energies of a day if all systems have everything."""
        return most_calls_per_day(updates) * len(self._data[CONF_SYSTEMS])

    @property
    def _systems(self) -> FoundSystems:
        holders = systems_of_other_entries(self.hass, self.changed_entry)
        return FoundSystems(self._listed, holders)

    def _show_systems_form(
        self, chosen: list[str], errors: dict[str, str] | None = None
    ) -> ConfigFlowResult:
        """Show the systems that are free, and say why others are not."""
        systems = self._systems
        return self.async_show_form(
            step_id="free_systems" if systems.held else "systems",
            data_schema=systems_form(systems.free, chosen=chosen),
            errors=errors,
            description_placeholders={"held": systems.held} if systems.held else None,
        )

    def _show_api_key_form(
        self, failure: ProbeFailedError | None = None
    ) -> ConfigFlowResult:
        """Show key and plan; a key that was not refused need not be typed again."""
        errors = {}
        placeholders = {"portal_url": DEVELOPER_PORTAL_URL}
        if failure is not None:
            field = "base"
            if isinstance(failure, KeyRefusedError):
                field = CONF_API_KEY
                self._data.pop(CONF_API_KEY, None)
            errors[field] = failure.reason
            placeholders["until"] = failure.until
        is_known = CONF_API_KEY in self._data
        return self.async_show_form(
            step_id="keep_api_key" if is_known else "api_key",
            data_schema=self.add_suggested_values_to_schema(
                KEEP_API_KEY_FORM if is_known else API_KEY_FORM, self._options
            ),
            errors=errors,
            description_placeholders=placeholders,
        )

    async def _async_find_systems(self) -> ConfigFlowResult:
        """Prove the key with one cheap call, and go on with what it found."""
        entry = self.changed_entry
        try:
            self._listed = await async_find_systems(
                self.hass,
                flow_id=self.flow_id,
                entry_id=None if entry is None else entry.entry_id,
                api_key=self._data[CONF_API_KEY],
                access_token=self._data[CONF_TOKEN]["access_token"],
                plan=plan_from_options(self._options),
            )
        except ProbeFailedError as failure:
            return self._show_api_key_form(failure)
        systems = self._systems
        if not systems.listed:
            return self.async_abort(reason="no_systems")
        if entry is not None and self.source == SOURCE_REAUTH:
            return self._finish(entry.data[CONF_SYSTEMS])
        if not systems.free:
            return self.async_abort(
                reason="systems_elsewhere",
                description_placeholders={"held": systems.held},
            )
        if len(systems.listed) == 1:
            return await self._async_choose(systems.listed)
        return await self.async_step_systems()

    async def _async_choose(self, systems: Iterable[System]) -> ConfigFlowResult:
        """Take systems, and ask a new user for what else they want of them."""
        self._data[CONF_SYSTEMS] = [stored_system(system) for system in systems]
        if self.changed_entry is None and DATA_INSTANCE in self.hass.data:
            return await self.async_step_energy()
        return self._finish(self._data[CONF_SYSTEMS])

    def _finish(self, systems: Iterable[Mapping[str, Any]]) -> ConfigFlowResult:
        data = self._data = {**self._data, CONF_SYSTEMS: list(systems)}
        options = consistent(self._options)
        if (entry := self.changed_entry) is not None:
            if options[CONF_PLAN] != entry.options[CONF_PLAN]:
                options = self._affordable(options)
            return self.async_update_reload_and_abort(entry, data=data, options=options)
        groups = [group for group in Group if group not in OFF_AT_FIRST]
        options = {CONF_GROUPS: groups, **options}
        title = ", ".join(system[CONF_NAME] for system in data[CONF_SYSTEMS])
        return self.async_create_entry(title=title, data=data, options=options)

    def _affordable(self, options: dict[str, Any]) -> dict[str, Any]:
        """Return options with as many updates of energies as another plan can bear."""
        updates = EnergyOptions.from_options(options).updates_per_day
        most = most_updates(plan_from_options(options), self._most_energies_per_day)
        return options | ({CONF_ENERGY_UPDATES: most} if updates > most else {})


def _usual_updates(plan: Plan, most: int) -> int:
    """Return how often energies are asked for unless the user says otherwise."""
    return most if plan.calls_per_month >= _PLENTY else 1


def _can_be_sent(api_key: str) -> bool:
    """Tell whether a key is one that a header can carry."""
    return api_key.isascii() and api_key.isprintable() and len(api_key.split()) == 1
