"""Sign-in: the OAuth2 implementation, and the tokens of a config entry."""

import asyncio
import logging
import os
import time
from typing import Any, NoReturn, override

from aiohttp import RequestInfo
from homeassistant.components.application_credentials import (
    AuthImplementation,
    AuthorizationServer,
    ClientCredential,
)
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_TOKEN
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import (
    OAuth2TokenRequestError,
    OAuth2TokenRequestReauthError,
    OAuth2TokenRequestTransientError,
)
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.storage import Store
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from .account import Account, signing_in
from .api import (
    AbstractAuth,
    EnphaseCloudError,
    InvalidClientError,
    InvalidGrantError,
    Operation,
    request_token,
)
from .const import DEFAULT_CLOUD_URL, DOMAIN, ENV_CLOUD_URL

_LOGGER = logging.getLogger(__name__)

# A token that ends this soon is renewed first; the cloud's clock may run ahead.
_CLOCK_SKEW_SECONDS = 60
# A new token that is refused has not been revoked: the refusal has another reason.
_FRESH_SECONDS = 300

_STORAGE_VERSION = 1


def cloud_url() -> URL:
    """Return the origin of the cloud."""
    return URL(os.environ.get(ENV_CLOUD_URL) or DEFAULT_CLOUD_URL)


class EnphaseOAuth2Implementation(AuthImplementation):
    """Sign in through the user's developer application (API document «quickstart»)."""

    def __init__(
        self, hass: HomeAssistant, auth_domain: str, credential: ClientCredential
    ) -> None:
        """Point Home Assistant's implementation at Enphase."""
        url = cloud_url()
        super().__init__(
            hass,
            auth_domain,
            credential,
            AuthorizationServer(
                authorize_url=str(url / "oauth" / "authorize"),
                token_url=str(url / "oauth" / "token"),
            ),
        )

    async def async_request_token(self, parameters: dict[str, str]) -> dict[str, Any]:
        """Request a token, the client authenticating by HTTP Basic.

        Raises the errors of `api.request_token`.
        """
        return await request_token(
            async_get_clientsession(self.hass),
            self.token_url,
            client_id=self.client_id,
            client_secret=self.client_secret,
            parameters=parameters,
        )

    @override
    async def _token_request(self, data: dict[str, Any]) -> dict[str, Any]:
        """Request a token with Home Assistant's own errors."""
        data.pop("client_id", None)
        try:
            return await self.async_request_token(data)
        except EnphaseCloudError as err:
            _raise_for_home_assistant(err, URL(self.token_url))


def _raise_for_home_assistant(err: EnphaseCloudError, url: URL) -> NoReturn:
    """Raise the matching OAuth2 error, its request stripped of headers and query."""
    kind: type[OAuth2TokenRequestError]
    if isinstance(err, InvalidClientError | InvalidGrantError):
        kind, status = OAuth2TokenRequestReauthError, 401
    else:
        kind, status = OAuth2TokenRequestTransientError, 503
    raise kind(
        request_info=RequestInfo(url, "POST", CIMultiDictProxy(CIMultiDict()), url),
        status=status,
        message=str(err),
        domain=DOMAIN,
    ) from None


class ConfigEntryAuth(AbstractAuth):
    """The tokens of a config entry.

    The cloud gives a new refresh token with each renewal. It is on disk before the
    new access token is used, so that no crash can lose the sign-in.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry[Any],
        implementation: EnphaseOAuth2Implementation,
        account: Account,
    ) -> None:
        """Bind the tokens to the entry and to the account that counts renewals."""
        self._hass = hass
        self._entry = entry
        self._implementation = implementation
        self._account = account
        self._journal = token_journal(hass, entry.entry_id)
        self._lock = asyncio.Lock()

    async def async_restore(self) -> None:
        """Take over a token that was renewed just before Home Assistant was killed."""
        journal = await self._journal.async_load()
        if journal and journal["expires_at"] > self._token["expires_at"]:
            self._keep(journal)

    @override
    async def async_get_access_token(self, *, rejected: str | None = None) -> str:
        """Return a valid access token, renewing it where needed.

        Raises InvalidGrantError or InvalidClientError where the user has to sign in
        again, other errors of the API where the cloud could not be asked.
        """
        async with self._lock:
            if self._must_be_renewed(rejected):
                await self._renew()
            token: str = self._token["access_token"]
            return token

    @property
    def _token(self) -> dict[str, Any]:
        token: dict[str, Any] = self._entry.data[CONF_TOKEN]
        return token

    def _must_be_renewed(self, rejected: str | None) -> bool:
        left = self._token["expires_at"] - time.time()
        if left < _CLOCK_SKEW_SECONDS:
            return True
        if self._token["access_token"] != rejected:
            return False
        return bool(self._token["expires_in"] - left > _FRESH_SECONDS)

    async def _renew(self) -> None:
        parameters = {
            "grant_type": "refresh_token",
            "refresh_token": self._token["refresh_token"],
        }
        with signing_in():
            async with self._account.attempt(Operation.TOKEN):
                renewed = await self._implementation.async_request_token(parameters)
        token = {
            **self._token,
            **renewed,
            "expires_at": time.time() + renewed["expires_in"],
        }
        await self._journal.async_save(token)
        self._keep(token)

    def _keep(self, token: dict[str, Any]) -> None:
        self._hass.config_entries.async_update_entry(
            self._entry, data={**self._entry.data, CONF_TOKEN: token}
        )


def token_journal(hass: HomeAssistant, entry_id: str) -> Store[dict[str, Any]]:
    """Return the store of an entry's newest token."""
    return Store(hass, _STORAGE_VERSION, f"{DOMAIN}.{entry_id}.token", private=True)
