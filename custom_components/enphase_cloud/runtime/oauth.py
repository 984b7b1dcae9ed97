"""Sign-in: the OAuth2 implementation, and the tokens of a config entry."""

import asyncio
from datetime import datetime
from http import HTTPStatus
import logging
import math
import os
import time
from typing import Any, Final, override

from homeassistant.components.application_credentials import (
    AuthImplementation,
    AuthorizationServer,
    ClientCredential,
)
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_TOKEN
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.util import dt as dt_util
from yarl import URL

from ..api import (
    AbstractAuth,
    EnphaseCloudError,
    InvalidClientError,
    InvalidGrantError,
    RequestWithheldError,
    request_token,
)
from ..api.endpoints import TOKEN
from ..const import DEFAULT_CLOUD_URL, DOMAIN, ENV_CLOUD_URL
from ..quota.backoff import Backoff
from .key_budget import KeyBudget, signing_in
from .persistence import StorageFailedError
from .verified_store import VerifiedStore

_LOGGER = logging.getLogger(__name__)

# A token that ends this soon is renewed first; the cloud's clock may run ahead.
_CLOCK_SKEW_SECONDS: Final = 60
# A token that is refused this soon after its renewal is not renewed again.
_RENEWAL_PROVES_SECONDS: Final = 60


def cloud_url() -> URL:
    """Return the origin of the cloud."""
    return URL(os.environ.get(ENV_CLOUD_URL) or DEFAULT_CLOUD_URL)


class EnphaseOAuth2Implementation(AuthImplementation):
    """Sign in through the user's developer application (API document "Quickstart")."""

    def __init__(
        self, hass: HomeAssistant, auth_domain: str, credential: ClientCredential
    ) -> None:
        """Point Home Assistant's implementation at Enphase."""
        url = cloud_url() / "oauth"
        super().__init__(
            hass,
            auth_domain,
            credential,
            AuthorizationServer(
                authorize_url=str(url / "authorize"), token_url=str(url / "token")
            ),
        )

    @property
    def code_redirect_uri(self) -> str:
        """Return the page on which Enphase shows the code of a sign-in for copying."""
        return str(cloud_url() / "oauth" / "redirect_uri")

    @property
    def code_page_url(self) -> str:
        """Return the address of a sign-in that ends with a code on a page."""
        return str(
            URL(self.authorize_url).with_query(
                response_type="code",
                client_id=self.client_id,
                redirect_uri=self.code_redirect_uri,
            )
        )

    @override
    async def _token_request(self, data: dict[str, Any]) -> dict[str, Any]:
        """Request a token, the client authenticating by HTTP Basic.

        Raises the errors of `api.request_token`, which are more specific than Home
        Assistant's and contain no headers.
        """
        return await request_token(
            async_get_clientsession(self.hass),
            self.token_url,
            client_id=self.client_id,
            client_secret=self.client_secret,
            # The header contains the client.
            parameters={
                name: value for name, value in data.items() if name != "client_id"
            },
        )


class RenewalPausedError(EnphaseCloudError):
    """Renewals of the sign-in failed, so no request is sent until the next attempt."""

    def __init__(self, until: datetime | None) -> None:
        """Take the time of the next attempt."""
        super().__init__("The sign-in could not be renewed; the next attempt is due")
        self.until = until


class ConfigEntryAuth(AbstractAuth):
    """The tokens of a config entry.

    With each renewal the cloud issues a new refresh token and revokes the old one. The
    new one is on the disk before its access token is used, so only a crash between the
    cloud's response and the end of the write loses the sign-in. A refused renewal is
    final: signing in again reloads the entry. After other failures renewals pause,
    longer each time, also across a restart.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry[Any],
        implementation: EnphaseOAuth2Implementation,
        budget: KeyBudget,
    ) -> None:
        """Bind the tokens to the entry and to the budget that counts renewals."""
        self._hass = hass
        self._entry = entry
        self._implementation = implementation
        self._budget = budget
        self._journal = token_journal(hass, entry.entry_id)
        self._journaled: dict[str, Any] = {}
        self._is_journaled = True
        self._backoff = Backoff()
        self._renewal: asyncio.Task[EnphaseCloudError | None] | None = None
        self._refusal: EnphaseCloudError | None = None
        self._renewed_for_refusal_at = -math.inf

    async def async_restore(self) -> None:
        """Restore a token that was renewed just before Home Assistant was killed."""
        match stored := await self._journal.async_load():
            case {
                "replaces": str(replaced),
                "token": {
                    "access_token": str(),
                    "refresh_token": str(),
                    "expires_at": int() | float(),
                } as token,
            } if replaced == self._token.get("refresh_token"):
                self._keep(token)
        match stored:
            case {"failed": str(failed), "failures": dict(failures)} if (
                failed == self._token.get("refresh_token")
            ):
                self._backoff = self._journal.read(
                    Backoff.from_dict, failures, Backoff()
                )
        self._journaled = stored or {}

    @override
    async def async_get_access_token(self, *, rejected: str | None = None) -> str:
        """Return a valid access token; renew it if necessary.

        `rejected` is a token that the cloud refused. Raises InvalidGrantError or
        InvalidClientError if the user has to sign in again, StorageFailedError if the
        token could not be written to the disk, RenewalPausedError after failures, and
        other errors of the API if the cloud could not be reached.
        """
        if self._must_be_renewed(rejected):
            if self._renewal is None or self._renewal.done():
                # A caller may be cancelled, but the new tokens must be kept.
                self._renewal = self._entry.async_create_task(
                    self._hass, self._async_renew(), "Enphase Cloud token renewal"
                )
            if (failure := await asyncio.shield(self._renewal)) is not None:
                raise failure
            if rejected is not None:
                self._renewed_for_refusal_at = time.monotonic()
        if not self._is_journaled:
            await self._async_journal()
        if not self._is_journaled:
            raise StorageFailedError
        token: str = self._token["access_token"]
        return token

    @property
    def _token(self) -> dict[str, Any]:
        return self._entry.data.get(CONF_TOKEN) or {}

    def _must_be_renewed(self, rejected: str | None) -> bool:
        token = self._token
        left = (token.get("expires_at") or 0) - time.time()
        if left < _CLOCK_SKEW_SECONDS or not token.get("access_token"):
            return True
        if token["access_token"] != rejected:
            return False
        # A token may be revoked as soon as it is issued, but hardly twice in a minute.
        since = time.monotonic() - self._renewed_for_refusal_at
        return not 0 <= since < _RENEWAL_PROVES_SECONDS

    async def _async_renew(self) -> EnphaseCloudError | None:
        """Renew the tokens; return the error that prevented it, or None."""
        try:
            replaced, renewed = await self._async_request()
        except (InvalidClientError, InvalidGrantError) as err:
            self._refusal = err
            return err
        except (RenewalPausedError, RequestWithheldError) as err:
            return err
        except EnphaseCloudError as err:
            await self._async_failed(err)
            return err
        if self._backoff.count:
            _LOGGER.info("The sign-in is renewed again")
            self._backoff = Backoff()
        if self._is_known:
            await self._async_journal(replaces=replaced, token=renewed)
            self._keep(renewed)
        return None

    async def _async_request(self) -> tuple[str, dict[str, Any]]:
        """Return the refresh token that was used, and the new token document."""
        if self._refusal is not None:
            raise self._refusal
        token = self._token
        if not (refresh_token := token.get("refresh_token")):
            raise InvalidGrantError(HTTPStatus.BAD_REQUEST)
        if self._backoff.is_pausing(dt_util.utcnow()):
            raise RenewalPausedError(self._backoff.until)
        with signing_in():
            async with self._budget.attempt(TOKEN):
                renewed = await self._implementation.async_refresh_token(token)
        return refresh_token, renewed

    async def _async_failed(self, err: EnphaseCloudError) -> None:
        """Pause renewals, and save that: a reload must not try again at once."""
        if not self._backoff.count:
            _LOGGER.warning("The sign-in could not be renewed: %s", err)
        self._backoff = self._backoff.another(dt_util.utcnow())
        if self._is_known:
            await self._async_journal(
                failed=self._token["refresh_token"], failures=self._backoff.as_dict()
            )

    @property
    def _is_known(self) -> bool:
        """Whether the entry still exists; it may be removed during a request."""
        entry_id = self._entry.entry_id
        return self._hass.config_entries.async_get_entry(entry_id) is not None

    async def _async_journal(self, **changes: Any) -> None:
        self._journaled = {**self._journaled, **changes}
        self._is_journaled = await self._journal.async_save_verified(self._journaled)
        if not self._is_journaled:
            self._budget.persistence.failed()

    def _keep(self, token: dict[str, Any]) -> None:
        self._hass.config_entries.async_update_entry(
            self._entry, data={**self._entry.data, CONF_TOKEN: token}
        )


def token_journal(hass: HomeAssistant, entry_id: str) -> VerifiedStore:
    """Return the store of an entry's newest token and the one it replaces."""
    return VerifiedStore(hass, f"{DOMAIN}.{entry_id}.token")
