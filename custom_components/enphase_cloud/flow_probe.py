"""Prove an API key with one cheap call, before anything is stored."""

import logging
from typing import Final, override

from homeassistant.const import CONF_API_KEY
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession

from .account import async_get_accounts, for_the_user
from .api import (
    AbstractAuth,
    EnphaseCloudClient,
    EnphaseCloudError,
    EnphaseConnectionError,
    EnphaseTimeoutError,
    ForbiddenError,
    InvalidApiKeyError,
    MalformedAnswerError,
    NotEntitledError,
    QuotaExceededError,
    RequestWithheldError,
    ServerError,
    System,
)
from .budget.plans import Plan
from .oauth import cloud_url

_LOGGER = logging.getLogger(__name__)

# The first kind that fits names the reason.
_REASONS: Final[tuple[tuple[type[EnphaseCloudError], str], ...]] = (
    (QuotaExceededError, "quota_exceeded"),
    (RequestWithheldError, "budget_exhausted"),
    (EnphaseTimeoutError, "timeout"),
    (EnphaseConnectionError, "cannot_connect"),
    (MalformedAnswerError, "malformed_answer"),
    (ServerError, "server_error"),
)


class ProbeFailedError(Exception):
    """The key could not be proved: which field is to blame, and why."""

    def __init__(self, field: str, reason: str) -> None:
        """Keep both as keys of translations."""
        super().__init__(reason)
        self.field = field
        self.reason = reason


class _FlowAuth(AbstractAuth):
    """The token that the flow has just been given."""

    def __init__(self, access_token: str) -> None:
        self._access_token = access_token

    @override
    async def async_get_access_token(self, *, rejected: str | None = None) -> str:
        return self._access_token


async def async_find_systems(
    hass: HomeAssistant, *, flow_id: str, api_key: str, access_token: str, plan: Plan
) -> list[System]:
    """Return the account's systems, with a live stream's availability where known.

    Costs one call, two where the plan has live streams. Raises ProbeFailedError.
    """
    accounts = async_get_accounts(hass)
    account = await accounts.async_acquire(api_key, flow_id, plan)
    client = EnphaseCloudClient(
        async_get_clientsession(hass),
        _FlowAuth(access_token),
        api_key,
        account,
        url=cloud_url(),
    )
    try:
        with for_the_user():
            systems = await client.list_systems()
            if systems and plan.has_live_stream:
                return await _async_with_live_stream(client, systems)
            return systems
    except EnphaseCloudError as err:
        _LOGGER.debug("The API key could not be proved: %s", err)
        raise _probe_failed(err) from None
    finally:
        await accounts.async_release(api_key, flow_id)


def reason_for(err: EnphaseCloudError) -> str:
    """Return the translation key that tells a user what went wrong."""
    for kind, reason in _REASONS:
        if isinstance(err, kind):
            return reason
    return "malformed_answer"


async def _async_with_live_stream(
    client: EnphaseCloudClient, systems: list[System]
) -> list[System]:
    try:
        found = await client.search_live_stream_systems()
    except EnphaseCloudError as err:
        _LOGGER.debug("Whether systems can stream is not known: %s", err)
        return systems
    by_id = {system.system_id: system for system in found}
    return [by_id.get(system.system_id, system) for system in systems]


def _probe_failed(err: EnphaseCloudError) -> ProbeFailedError:
    match err:
        case InvalidApiKeyError(mismatch=True):
            return ProbeFailedError(CONF_API_KEY, "api_key_mismatch")
        case InvalidApiKeyError() | NotEntitledError():
            return ProbeFailedError(CONF_API_KEY, "api_key_refused")
        case ForbiddenError():
            return ProbeFailedError("base", "forbidden")
    return ProbeFailedError("base", reason_for(err))
