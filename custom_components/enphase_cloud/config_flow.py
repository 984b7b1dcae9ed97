"""Config flow: sign in, name the API key and the plan, choose the systems."""

from collections.abc import Mapping
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
from homeassistant.helpers.config_entry_oauth2_flow import AbstractOAuth2FlowHandler
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
import voluptuous as vol

from .api import EnphaseCloudError, InvalidClientError, InvalidGrantError, System
from .const import (
    CONF_CONNECTION,
    CONF_LIVE_STREAM,
    CONF_PLAN,
    CONF_SYSTEMS,
    CONF_TIME_ZONE,
    DEVELOPER_PORTAL_URL,
    DOMAIN,
    PLAN_CUSTOM,
)
from .flow_forms import API_KEY_FORM, CUSTOM_PLAN_FORM, KEEP_API_KEY_FORM
from .flow_probe import ProbeFailedError, async_find_systems, reason_for
from .oauth import EnphaseOAuth2Implementation
from .options import plan_from_options
from .options_flow import EnphaseCloudOptionsFlow

_LOGGER = logging.getLogger(__name__)

_IMPLEMENTATION: Final = "auth_implementation"


class EnphaseCloudConfigFlow(AbstractOAuth2FlowHandler, domain=DOMAIN):
    """Add an Enphase account, sign in to it again, or change it."""

    DOMAIN = DOMAIN
    VERSION = 1
    MINOR_VERSION = 1

    flow_impl: EnphaseOAuth2Implementation

    def __init__(self) -> None:
        """Begin with nothing known."""
        super().__init__()
        self._data: dict[str, Any] = {}
        self._options: dict[str, Any] = {}
        self._found: list[System] = []

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry[Any]) -> OptionsFlow:
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
            return self.async_show_form(
                step_id="reauth_confirm",
                description_placeholders={"account": self._get_reauth_entry().title},
            )
        return await self.async_step_user()

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
            token = await self.flow_impl.async_request_token(
                {
                    "grant_type": "authorization_code",
                    "code": self.external_data["code"],
                    "redirect_uri": self.external_data["state"]["redirect_uri"],
                }
            )
        except InvalidClientError:
            return self.async_abort(reason="invalid_client")
        except InvalidGrantError:
            return self.async_abort(reason="code_expired")
        except EnphaseCloudError as err:
            _LOGGER.debug("The token request failed: %s", err)
            return self.async_abort(reason=f"sign_in_{reason_for(err)}")
        token["expires_at"] = time.time() + token["expires_in"]
        return await self.async_oauth_create_entry(
            {_IMPLEMENTATION: self.flow_impl.domain, CONF_TOKEN: token}
        )

    @override
    async def async_oauth_create_entry(self, data: dict[str, Any]) -> ConfigFlowResult:
        """Recognise the account, and ask for the API key."""
        if not (account_id := data[CONF_TOKEN].get("enl_uid")):
            return self.async_abort(reason="sign_in_malformed_answer")
        await self.async_set_unique_id(str(account_id))
        if self.source in (SOURCE_REAUTH, SOURCE_RECONFIGURE):
            self._abort_if_unique_id_mismatch(reason="wrong_account")
        else:
            self._abort_if_unique_id_configured()
        self._data = data
        return await self.async_step_api_key()

    async def async_step_api_key(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the API key and the plan that was bought for it."""
        errors: dict[str, str] = {}
        entry = self._changed_entry
        if user_input is not None:
            key = user_input.get(CONF_API_KEY, "").strip()
            self._data[CONF_API_KEY] = key or (entry and entry.data[CONF_API_KEY])
            self._options = {CONF_PLAN: user_input[CONF_PLAN]}
            if user_input[CONF_PLAN] == PLAN_CUSTOM:
                return await self.async_step_custom_plan()
            if not (errors := await self._async_probe()):
                return await self.async_step_systems()
        form = API_KEY_FORM if entry is None else KEEP_API_KEY_FORM
        suggested = user_input or (entry.options if entry else {})
        return self.async_show_form(
            step_id="api_key",
            data_schema=self.add_suggested_values_to_schema(form, suggested),
            errors=errors,
            description_placeholders={"portal_url": DEVELOPER_PORTAL_URL},
        )

    async def async_step_custom_plan(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the limits of a plan that is not in the list."""
        errors: dict[str, str] = {}
        if user_input is not None:
            self._options |= user_input
            if not (errors := await self._async_probe()):
                return await self.async_step_systems()
        entry = self._changed_entry
        suggested = user_input or (entry.options if entry else {})
        return self.async_show_form(
            step_id="custom_plan",
            data_schema=self.add_suggested_values_to_schema(
                CUSTOM_PLAN_FORM, suggested
            ),
            # The key is a field of the step before; here its error stands above all.
            errors={"base": next(iter(errors.values()))} if errors else {},
        )

    async def async_step_systems(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Let the user choose among several systems."""
        if not self._found:
            return self.async_abort(reason="no_systems")
        if self.source == SOURCE_REAUTH:
            return self._finish(self._get_reauth_entry().data[CONF_SYSTEMS])
        if len(self._found) == 1:
            return self._finish([_stored(self._found[0])])
        if user_input is not None and (chosen := user_input[CONF_SYSTEMS]):
            return self._finish(
                [
                    _stored(system)
                    for system in self._found
                    if str(system.system_id) in chosen
                ]
            )
        return self.async_show_form(
            step_id="systems",
            data_schema=_systems_form(self._found, self._chosen_before),
            errors={} if user_input is None else {CONF_SYSTEMS: "choose_a_system"},
        )

    @property
    def _changed_entry(self) -> ConfigEntry[Any] | None:
        if self.source == SOURCE_REAUTH:
            return self._get_reauth_entry()
        if self.source == SOURCE_RECONFIGURE:
            return self._get_reconfigure_entry()
        return None

    @property
    def _chosen_before(self) -> list[str]:
        if (entry := self._changed_entry) is None:
            return [str(system.system_id) for system in self._found]
        return [str(system[CONF_ID]) for system in entry.data[CONF_SYSTEMS]]

    async def _async_probe(self) -> dict[str, str]:
        """Prove the key with one cheap call, and keep what it found."""
        try:
            self._found = await async_find_systems(
                self.hass,
                flow_id=self.flow_id,
                api_key=self._data[CONF_API_KEY],
                access_token=self._data[CONF_TOKEN]["access_token"],
                plan=plan_from_options(self._options),
            )
        except ProbeFailedError as err:
            return {err.field: err.reason}
        return {}

    def _finish(self, systems: list[dict[str, Any]]) -> ConfigFlowResult:
        data = {**self._data, CONF_SYSTEMS: systems}
        if (entry := self._changed_entry) is not None:
            return self.async_update_reload_and_abort(
                entry, data=data, options={**entry.options, **self._options}
            )
        names = ", ".join(system[CONF_NAME] for system in systems)
        return self.async_create_entry(title=names, data=data, options=self._options)


def _stored(system: System) -> dict[str, Any]:
    return {
        CONF_ID: system.system_id,
        CONF_NAME: system.name,
        CONF_TIME_ZONE: system.time_zone,
        CONF_CONNECTION: system.connection_type,
        CONF_LIVE_STREAM: system.live_stream,
    }


def _systems_form(found: list[System], chosen: list[str]) -> vol.Schema:
    options = [
        SelectOptionDict(value=str(system.system_id), label=system.name)
        for system in found
    ]
    return vol.Schema(
        {
            vol.Required(CONF_SYSTEMS, default=chosen): SelectSelector(
                SelectSelectorConfig(
                    options=options, multiple=True, mode=SelectSelectorMode.LIST
                )
            )
        }
    )
