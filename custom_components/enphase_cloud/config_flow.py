"""Config flow: sign in, name the API key and the plan, choose the systems."""

from collections.abc import Iterable, Mapping
import logging
import time
from typing import Any, Final, override

from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_RECONFIGURE,
    ConfigEntry,
    ConfigFlowResult,
    OptionsFlow,
)
from homeassistant.const import CONF_API_KEY, CONF_ID, CONF_NAME, CONF_TOKEN
from homeassistant.core import callback
from homeassistant.helpers.config_entry_oauth2_flow import (
    AbstractOAuth2FlowHandler,
    ImplementationUnavailableError,
    async_get_implementations,
)
from homeassistant.helpers.recorder import DATA_INSTANCE

from .api import EnphaseCloudError, System
from .const import (
    CONF_ACCOUNT_ID,
    CONF_ENERGY_UPDATES,
    CONF_GROUPS,
    CONF_PLAN,
    CONF_SIGNED_IN_AT,
    CONF_SYSTEMS,
    DEVELOPER_PORTAL_URL,
    DOMAIN,
    PLAN_CUSTOM,
)
from .coordinator.error_policy import error_policy
from .data import EnphaseCloudConfigEntry
from .documents.base import Group
from .energy.flows import most_calls_per_day
from .errors import escaped
from .flows.forms import (
    API_KEY_FORM,
    CUSTOM_PLAN_FORM,
    ENERGY_FORM,
    KEEP_API_KEY_FORM,
    systems_form,
)
from .flows.validation import KeyRefusedError, ProbeFailedError, async_find_systems
from .migration import MINOR_VERSION, VERSION
from .options_flow import EnphaseCloudOptionsFlow
from .quota.plans import Plan
from .runtime.oauth import EnphaseOAuth2Implementation
from .runtime.options import EnergyOptions, consistent, most_updates, plan_from_options
from .runtime.system_properties import stored_system, systems_of_other_entries

_LOGGER = logging.getLogger(__name__)

# From so many calls a month on, energies may be asked for every hour.
_PLENTY: Final = 20_000
_IMPLEMENTATION: Final = "auth_implementation"


class EnphaseCloudConfigFlow(AbstractOAuth2FlowHandler, domain=DOMAIN):
    """Add an Enphase account, sign in to it again, or change it."""

    DOMAIN = DOMAIN
    VERSION = VERSION
    MINOR_VERSION = MINOR_VERSION

    flow_impl: EnphaseOAuth2Implementation

    def __init__(self) -> None:
        """Begin with nothing known."""
        super().__init__()
        self._data: dict[str, Any] = {}
        self._options: dict[str, Any] = {}
        self._found: list[System] = []
        self._is_unsolved = False

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: EnphaseCloudConfigEntry) -> OptionsFlow:
        """Return the options flow."""
        return EnphaseCloudOptionsFlow()

    @property
    @override
    def logger(self) -> logging.Logger:
        """Return the logger."""
        return _LOGGER

    async def async_step_reauth(
        self, entry_data: Mapping[str, Any]
    ) -> ConfigFlowResult:
        """Begin to sign in again."""
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Explain why, before the browser goes to Enphase."""
        if user_input is None:
            name = escaped(self._get_reauth_entry().title)
            return self.async_show_form(
                step_id="reauth_confirm", description_placeholders={"name": name}
            )
        implementation = self._get_reauth_entry().data.get(_IMPLEMENTATION)
        try:
            known = await async_get_implementations(self.hass, DOMAIN)
        except ImplementationUnavailableError:
            known = {}
        if implementation not in known:
            return await self.async_step_user()
        return await self.async_step_pick_implementation(
            {"implementation": implementation}
        )

    @override
    @callback
    def async_abort(self, *, reason: str, **details: Any) -> ConfigFlowResult:
        """Note whether the user still has to sign in."""
        self._is_unsolved = reason != "reauth_successful"
        return super().async_abort(reason=reason, **details)

    @override
    @callback
    def async_remove(self) -> None:
        """Ask again for a sign-in that ended without success."""
        if self.source == SOURCE_REAUTH and self._is_unsolved:
            self._get_reauth_entry().async_start_reauth(self.hass)

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Change application, API key, plan or systems."""
        if user_input is None:
            return self.async_show_form(step_id="reconfigure")
        return await self.async_step_user()

    @override
    async def async_step_creation(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Exchange the code that the sign-in page gave for tokens."""
        try:
            token = await self.flow_impl.async_resolve_external_data(self.external_data)
        except EnphaseCloudError as err:
            _LOGGER.debug("The sign-in could not be completed: %s", err)
            return self.async_abort(
                reason=error_policy(err).reason,
                description_placeholders={"portal_url": DEVELOPER_PORTAL_URL},
            )
        # Renewals keep it: what was refused before a sign-in is requested again.
        token[CONF_SIGNED_IN_AT] = time.time()
        token["expires_at"] = time.time() + token["expires_in"]
        return await self.async_oauth_create_entry(
            {_IMPLEMENTATION: self.flow_impl.domain, CONF_TOKEN: token}
        )

    @override
    async def async_oauth_create_entry(self, data: dict[str, Any]) -> ConfigFlowResult:
        """Recognise the account, and ask for the API key."""
        if not (account_id := data[CONF_TOKEN].get(CONF_ACCOUNT_ID)):
            return self.async_abort(reason="malformed_answer")
        # A flow that was begun elsewhere and forgotten must not stand in the way.
        await self.async_set_unique_id(str(account_id), raise_on_progress=False)
        self._data = data
        if (entry := self._changed_entry) is None:
            self._abort_if_unique_id_configured()
        else:
            if self.unique_id != entry.unique_id:
                return self.async_abort(reason="wrong_account")
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
            return self._show_systems_form(self._chosen_before)
        chosen = user_input[CONF_SYSTEMS]
        systems = [system for system in self._free if str(system.system_id) in chosen]
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
                return self._finish(self._data[CONF_SYSTEMS])
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

    def _most_energies_per_day(self, updates: int) -> int:
        """Return the calls for energies of a day if all systems have everything."""
        return most_calls_per_day(updates) * len(self._data[CONF_SYSTEMS])

    @property
    def _changed_entry(self) -> EnphaseCloudConfigEntry | None:
        if self.source == SOURCE_REAUTH:
            return self._get_reauth_entry()
        if self.source == SOURCE_RECONFIGURE:
            return self._get_reconfigure_entry()
        return None

    @property
    def _chosen_before(self) -> list[str]:
        """Return the systems of the entry that still exist, for a new one all."""
        found = [str(system.system_id) for system in self._free]
        if (entry := self._changed_entry) is None:
            return found
        before = {str(system[CONF_ID]) for system in entry.data[CONF_SYSTEMS]}
        return [system_id for system_id in found if system_id in before]

    @property
    def _elsewhere(self) -> dict[int, ConfigEntry[Any]]:
        """Return the entries that have systems which this one cannot have."""
        holders = systems_of_other_entries(self.hass, self._changed_entry)
        found = {system.system_id for system in self._found}
        return {
            system_id: holder
            for system_id, holder in holders.items()
            if system_id in found
        }

    @property
    def _free(self) -> list[System]:
        """Return the systems that no other entry has."""
        elsewhere = self._elsewhere
        return [system for system in self._found if system.system_id not in elsewhere]

    @property
    def _holders(self) -> dict[str, str]:
        """Return the placeholder that says which entries have the other systems."""
        elsewhere = self._elsewhere
        held = [
            f"{escaped(system.name)} ({escaped(elsewhere[system.system_id].title)})"
            for system in self._found
            if system.system_id in elsewhere
        ]
        return {"held": ", ".join(held)}

    def _show_systems_form(
        self, chosen: list[str], errors: dict[str, str] | None = None
    ) -> ConfigFlowResult:
        """Show the systems that are free, and say why others are not."""
        form = systems_form(self._free, chosen=chosen)
        if not self._elsewhere:
            return self.async_show_form(
                step_id="systems", data_schema=form, errors=errors
            )
        return self.async_show_form(
            step_id="free_systems",
            data_schema=form,
            errors=errors,
            description_placeholders=self._holders,
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
        if CONF_API_KEY in self._data:
            return self.async_show_form(
                step_id="keep_api_key",
                data_schema=self.add_suggested_values_to_schema(
                    KEEP_API_KEY_FORM, self._options
                ),
                errors=errors,
                description_placeholders=placeholders,
            )
        return self.async_show_form(
            step_id="api_key",
            data_schema=self.add_suggested_values_to_schema(
                API_KEY_FORM, self._options
            ),
            errors=errors,
            description_placeholders=placeholders,
        )

    async def _async_find_systems(self) -> ConfigFlowResult:
        """Prove the key with one cheap call, and go on with what it found."""
        entry = self._changed_entry
        try:
            self._found = await async_find_systems(
                self.hass,
                flow_id=self.flow_id,
                entry_id=None if entry is None else entry.entry_id,
                api_key=self._data[CONF_API_KEY],
                access_token=self._data[CONF_TOKEN]["access_token"],
                plan=plan_from_options(self._options),
            )
        except ProbeFailedError as failure:
            return self._show_api_key_form(failure)
        if not self._found:
            return self.async_abort(reason="no_systems")
        if entry is not None and self.source == SOURCE_REAUTH:
            return self._finish(entry.data[CONF_SYSTEMS])
        if not self._free:
            return self.async_abort(
                reason="systems_elsewhere", description_placeholders=self._holders
            )
        if len(self._found) == 1:
            return await self._async_choose(self._found)
        return await self.async_step_systems()

    async def _async_choose(self, systems: Iterable[System]) -> ConfigFlowResult:
        """Take systems, and ask a new user for what else they want of them."""
        self._data[CONF_SYSTEMS] = [stored_system(system) for system in systems]
        if self._changed_entry is None and DATA_INSTANCE in self.hass.data:
            return await self.async_step_energy()
        return self._finish(self._data[CONF_SYSTEMS])

    def _finish(self, systems: Iterable[Mapping[str, Any]]) -> ConfigFlowResult:
        data = self._data = {**self._data, CONF_SYSTEMS: list(systems)}
        options = consistent(self._options)
        if (entry := self._changed_entry) is not None:
            if options[CONF_PLAN] != entry.options[CONF_PLAN]:
                options = self._affordable(options)
            return self.async_update_reload_and_abort(entry, data=data, options=options)
        options = {CONF_GROUPS: list(Group), **options}
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
