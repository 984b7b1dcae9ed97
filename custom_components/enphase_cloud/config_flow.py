"""Config flow: sign in, name the API key and the plan, choose the systems."""

from collections.abc import Iterable, Mapping
from typing import Any, override

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
from homeassistant.util import dt as dt_util

from .api import System
from .array_flow import PanelArrayFlow
from .const import (
    CONF_ENERGY_DASHBOARD,
    CONF_ENERGY_UPDATES,
    CONF_GROUPS,
    CONF_HISTORY,
    CONF_NEW_KEY,
    CONF_PLAN,
    CONF_STREAMS_PER_MONTH,
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
from .errors import number
from .flows.costs import plans_of_a_new_system
from .flows.forms import CUSTOM_PLAN_FORM, api_key_form, systems_form
from .flows.found_systems import FoundSystems
from .flows.new_tariff import async_import_tariffs
from .flows.sign_in import SignInFlow
from .flows.tariff_forms import CONF_PRICE
from .flows.validation import KeyRefusedError, ProbeFailedError, async_find_systems
from .migration import MINOR_VERSION, VERSION
from .options_flow import EnphaseCloudOptionsFlow
from .quota.month import share_assumed
from .quota.plans import LIVE_STREAM_PRICE
from .runtime.options import (
    HISTORY,
    affordable,
    consistent,
    plan_from_options,
    usual_updates,
)
from .runtime.system_properties import stored_system, systems_of_other_entries
from .tariff_flow import TariffFlow


class EnphaseCloudConfigFlow(SignInFlow, domain=DOMAIN):
    """Add an Enphase account, sign in to it again, or change it."""

    VERSION = VERSION
    MINOR_VERSION = MINOR_VERSION

    def __init__(self) -> None:
        """Initialize the flow."""
        super().__init__()
        self._data: dict[str, Any] = {}
        self._options: dict[str, Any] = {}
        self._input: dict[str, Any] = {}
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
        """Continue with the API key."""
        self._data = data
        if (entry := self.changed_entry) is not None:
            self._data[CONF_API_KEY] = entry.data[CONF_API_KEY]
            self._options = dict(entry.options)
        return await self.async_step_api_key()

    async def async_step_api_key(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Enter the API key and its plan."""
        if user_input is None:
            return self._show_api_key_form()
        if key := user_input.get(CONF_API_KEY, "").strip():
            self._data[CONF_API_KEY] = key
        self._input = {
            name: value for name, value in user_input.items() if name != CONF_API_KEY
        }
        self._options[CONF_PLAN] = user_input[CONF_PLAN]
        if not _can_be_sent(self._data.get(CONF_API_KEY, "")):
            return self._show_api_key_form(KeyRefusedError("api_key_malformed"))
        if user_input[CONF_PLAN] == PLAN_CUSTOM:
            return await self.async_step_custom_plan()
        return await self._async_find_systems()

    async def async_step_keep_api_key(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Enter key and plan again; what this form does not show is kept."""
        if user_input is not None:
            user_input = {**self._input, **user_input}
        return await self.async_step_api_key(user_input)

    async def async_step_custom_plan(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Enter the limits of a plan that is not listed."""
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
        """Choose systems, if there are several."""
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
        """Choose systems, if other accounts have some of them."""
        return await self.async_step_systems(user_input)

    def _most_energy_calls_per_day(self, updates: int) -> int:
        """Return the daily calls for energy if each system has all flows."""
        return most_calls_per_day(updates) * len(self._data[CONF_SYSTEMS])

    @property
    def _systems(self) -> FoundSystems:
        holders = systems_of_other_entries(self.hass, self.changed_entry)
        return FoundSystems(self._listed, holders)

    def _show_systems_form(
        self, chosen: list[str], errors: dict[str, str] | None = None
    ) -> ConfigFlowResult:
        """Show the available systems, and why others are not available."""
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
        """Show key and plan; suggest a key unless it was refused."""
        errors = {}
        placeholders = plans_of_a_new_system() | {
            "portal_url": DEVELOPER_PORTAL_URL,
            "stream_price": f"${number(LIVE_STREAM_PRICE, 2)}",
            "used": f"{share_assumed(dt_util.utcnow()):.0%}",
        }
        if failure is not None:
            field = "base"
            if isinstance(failure, KeyRefusedError):
                field = CONF_API_KEY
                self._data.pop(CONF_API_KEY, None)
            errors[field] = failure.reason
            placeholders["until"] = failure.until
        is_known = CONF_API_KEY in self._data
        begins = self._begins and not is_known
        return self.async_show_form(
            step_id="keep_api_key" if is_known else "api_key",
            data_schema=self.add_suggested_values_to_schema(
                api_key_form(
                    is_known=is_known,
                    is_new=self.changed_entry is None,
                    currency=self.hass.config.currency if begins else "",
                    dashboard=begins and has_energy_dashboard(self.hass),
                ),
                self._options | self._input,
            ),
            errors=errors,
            description_placeholders=placeholders,
        )

    async def _async_find_systems(self) -> ConfigFlowResult:
        """Validate the key with one cheap call, and continue with its systems."""
        entry = self.changed_entry
        try:
            self._listed = await async_find_systems(
                self.hass,
                flow_id=self.flow_id,
                entry_id=None if entry is None else entry.entry_id,
                api_key=self._data[CONF_API_KEY],
                access_token=self._data[CONF_TOKEN]["access_token"],
                plan=plan_from_options(self._options),
                # If another entry uses the key, its ledger knows the calls.
                is_new_key=self._input[CONF_NEW_KEY] or (None if entry else False),
            )
        except ProbeFailedError as failure:
            return self._show_api_key_form(failure)
        systems = self._systems
        if not systems.listed:
            return self.async_abort(reason="no_systems")
        if entry is not None and self.source == SOURCE_REAUTH:
            return self._update(entry, entry.data[CONF_SYSTEMS])
        if not systems.free:
            return self.async_abort(
                reason="systems_elsewhere",
                description_placeholders={"held": systems.held},
            )
        if len(systems.listed) == 1:
            return await self._async_choose(systems.listed)
        return await self.async_step_systems()

    @property
    def _begins(self) -> bool:
        """Whether the flow adds an account, and there is a recorder."""
        return self.changed_entry is None and DATA_INSTANCE in self.hass.data

    async def _async_choose(self, systems: Iterable[System]) -> ConfigFlowResult:
        """Choose systems, and create the entry with default options."""
        self._data[CONF_SYSTEMS] = [stored_system(system) for system in systems]
        if (entry := self.changed_entry) is not None:
            return self._update(entry, self._data[CONF_SYSTEMS])
        if self._begins:
            plan = plan_from_options(self._options)
            self._options |= {
                CONF_ENERGY_UPDATES: usual_updates(
                    plan, self._most_energy_calls_per_day
                ),
                CONF_HISTORY: HISTORY.default,
            }
        for key in (CONF_ENERGY_DASHBOARD, CONF_STREAMS_PER_MONTH):
            if chosen := self._input.get(key):
                self._options[key] = chosen
        return await self._async_create()

    async def _async_create(self) -> ConfigFlowResult:
        systems, price = self._data[CONF_SYSTEMS], self._input.get(CONF_PRICE)
        groups = [group for group in Group if group not in OFF_AT_FIRST]
        return self.async_create_entry(
            title=", ".join(system[CONF_NAME] for system in systems),
            data=self._data,
            options={CONF_GROUPS: groups, **consistent(self._options)},
            subentries=None
            if price is None
            else await async_import_tariffs(self.hass, systems, price),
        )

    def _update(
        self, entry: ConfigEntry[Any], systems: Iterable[Mapping[str, Any]]
    ) -> ConfigFlowResult:
        data = self._data = {**self._data, CONF_SYSTEMS: list(systems)}
        options = consistent(self._options)
        if options[CONF_PLAN] != entry.options[CONF_PLAN]:
            options = affordable(options, self._most_energy_calls_per_day)
        return self.async_update_reload_and_abort(entry, data=data, options=options)


def _can_be_sent(api_key: str) -> bool:
    """Return whether an HTTP header can carry the key."""
    return api_key.isascii() and api_key.isprintable() and len(api_key.split()) == 1
