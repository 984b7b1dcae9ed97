"""The steps of the config flow that sign in to Enphase, also for reauthentication."""

from abc import abstractmethod
from collections.abc import Mapping
from datetime import datetime, timedelta
import logging
import time
from typing import Any, Final, override

from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_RECONFIGURE,
    ConfigEntry,
    ConfigFlowResult,
)
from homeassistant.const import CONF_CODE, CONF_TOKEN
from homeassistant.core import callback
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import http
from homeassistant.helpers.config_entry_oauth2_flow import (
    HEADER_FRONTEND_BASE,
    AbstractOAuth2FlowHandler,
    ImplementationUnavailableError,
    async_get_implementations,
)
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey
from yarl import URL

from ..api import EnphaseCloudError
from ..const import (
    CONF_ACCOUNT_ID,
    CONF_SIGN_IN_BY_CODE,
    CONF_SIGNED_IN_AT,
    DEVELOPER_PORTAL_URL,
    DOMAIN,
)
from ..coordinator.error_policy import error_policy
from ..errors import escaped
from ..runtime.oauth import EnphaseOAuth2Implementation
from .forms import CODE_FORM

_LOGGER = logging.getLogger(__name__)

_IMPLEMENTATION: Final = "auth_implementation"
# When the user last closed a flow while Enphase's sign-in page was open.
_GIVEN_UP: HassKey[datetime] = HassKey(f"{DOMAIN}.sign_in_given_up")
_REMEMBERED: Final = timedelta(hours=1)


class SignInFlow(AbstractOAuth2FlowHandler):
    """The steps from the start of a flow to the token of the account."""

    DOMAIN = DOMAIN

    flow_impl: EnphaseOAuth2Implementation

    def __init__(self) -> None:
        """Begin without a token."""
        super().__init__()
        self._is_unsolved = False
        self._is_by_code = False

    @abstractmethod
    async def async_signed_in(self, data: dict[str, Any]) -> ConfigFlowResult:
        """Continue with the token; a changed entry has the same account."""

    @property
    @override
    def logger(self) -> logging.Logger:
        """Return the logger."""
        return _LOGGER

    @property
    def changed_entry(self) -> ConfigEntry[Any] | None:
        """Return the entry of a reauthentication or reconfiguration."""
        if self.source == SOURCE_REAUTH:
            return self._get_reauth_entry()
        if self.source == SOURCE_RECONFIGURE:
            return self._get_reconfigure_entry()
        return None

    async def async_step_reauth(
        self, entry_data: Mapping[str, Any]
    ) -> ConfigFlowResult:
        """Start reauthentication."""
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Explain the reason before the browser opens Enphase's page."""
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
        """Note how the flow ended; restart a reauthentication that failed."""
        left = self.cur_step
        if left and left["type"] is FlowResultType.EXTERNAL_STEP:
            self.hass.data[_GIVEN_UP] = dt_util.utcnow()
        if self.source == SOURCE_REAUTH and self._is_unsolved:
            entry = self.hass.config_entries.async_get_entry(self.context["entry_id"])
            if entry is not None:
                entry.async_start_reauth(self.hass)

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Change application, API key, plan or systems."""
        if user_input is None:
            return self.async_show_form(step_id="reconfigure")
        return await self.async_step_user()

    @override
    async def async_step_auth(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Sign in with a redirect of the browser, or by code where none is possible.

        Users who closed Enphase's page lately can choose: the redirect may have failed.
        """
        if user_input is not None:
            return await self.async_step_browser(user_input)
        entry = self.changed_entry
        if entry is not None and entry.data.get(CONF_SIGN_IN_BY_CODE):
            return await self.async_step_code()
        if self._was_given_up:
            return await self.async_step_sign_in()
        if not self._has_way_back:
            return await self.async_step_code()
        return await self.async_step_browser()

    async def async_step_sign_in(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Let the user choose how to sign in."""
        return self.async_show_menu(step_id="sign_in", menu_options=["browser", "code"])

    async def async_step_browser(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Sign in with a redirect of the browser."""
        return await super().async_step_auth(user_input)

    async def async_step_code(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show the field for the code that Enphase's page shows without a redirect."""
        errors: dict[str, str] = {}
        if user_input is not None:
            errors[CONF_CODE] = "code_expired"
            if code := _code_in(user_input[CONF_CODE]):
                self._is_by_code = True
                redirect = {"redirect_uri": self.flow_impl.code_redirect_uri}
                self.external_data = {"code": code, "state": redirect}
                result = await self.async_step_creation()
                if result.get("reason") != errors[CONF_CODE]:
                    return result
        return self.async_show_form(
            step_id="code",
            data_schema=CODE_FORM,
            errors=errors,
            description_placeholders={"sign_in_url": self.flow_impl.code_page_url},
        )

    @property
    def _was_given_up(self) -> bool:
        """Return whether another sign-in is open, or was closed in the last hour."""
        given_up = self.hass.data.get(_GIVEN_UP)
        if given_up is not None and dt_util.utcnow() - given_up < _REMEMBERED:
            return True
        return any(each["step_id"] == "auth" for each in self._async_in_progress())

    @property
    def _has_way_back(self) -> bool:
        """Return whether Home Assistant knows an address for the redirect."""
        if "my" in self.hass.config.components:
            return True
        request = http.current_request.get()
        return request is not None and HEADER_FRONTEND_BASE in request.headers

    @override
    async def async_step_creation(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Exchange the code of the sign-in page for tokens."""
        try:
            token = await self.flow_impl.async_resolve_external_data(self.external_data)
        except EnphaseCloudError as err:
            _LOGGER.debug("The sign-in could not be completed: %s", err)
            return self.async_abort(
                reason=error_policy(err).reason,
                description_placeholders={"portal_url": DEVELOPER_PORTAL_URL},
            )
        self.hass.data.pop(_GIVEN_UP, None)
        # Renewals keep it; refusals before a sign-in no longer count.
        token[CONF_SIGNED_IN_AT] = time.time()
        token["expires_at"] = time.time() + token["expires_in"]
        return await self.async_oauth_create_entry(
            {
                _IMPLEMENTATION: self.flow_impl.domain,
                CONF_TOKEN: token,
                **({CONF_SIGN_IN_BY_CODE: True} if self._is_by_code else {}),
            }
        )

    @override
    async def async_oauth_create_entry(self, data: dict[str, Any]) -> ConfigFlowResult:
        """Check that the account is new, or that of the changed entry."""
        if not (account_id := data[CONF_TOKEN].get(CONF_ACCOUNT_ID)):
            return self.async_abort(reason="malformed_answer")
        # A forgotten flow in another browser must not block this one.
        await self.async_set_unique_id(str(account_id), raise_on_progress=False)
        if (entry := self.changed_entry) is None:
            self._abort_if_unique_id_configured()
        elif self.unique_id != entry.unique_id:
            return self.async_abort(reason="wrong_account")
        return await self.async_signed_in(data)


def _code_in(text: str) -> str:
    """Return the code in the user's input, which may be the address of its page."""
    text = text.strip()
    try:
        return URL(text).query.get("code", "") if "://" in text else text
    except ValueError:
        return ""
