"""Checks an API key with one API call, before anything is stored."""

from datetime import timedelta
import logging
from typing import override

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConfigEntryNotReady
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.util import dt as dt_util

from ..api import (
    AbstractAuth,
    EnphaseCloudClient,
    EnphaseCloudError,
    InvalidApiKeyError,
    NotEntitledError,
    RequestWithheldError,
    System,
)
from ..coordinator.error_policy import error_policy
from ..coordinator.system_list import async_list_systems
from ..errors import readable
from ..quota.plans import Plan
from ..runtime.key_budget import KeyBudget, for_the_user
from ..runtime.key_budgets import async_get_key_budgets
from ..runtime.oauth import cloud_url

_LOGGER = logging.getLogger(__name__)


class ProbeFailedError(Exception):
    """The check of the key failed.

    `reason` is a key of the translations, `until` a local time where waiting helps.
    """

    def __init__(self, reason: str, *, until: str = "") -> None:
        """Keep reason and time for the form."""
        super().__init__(reason)
        self.reason = reason
        self.until = until


class KeyRefusedError(ProbeFailedError):
    """The cloud refuses the key itself."""


class _FlowAuth(AbstractAuth):
    """Authenticates with the token of the flow."""

    def __init__(self, access_token: str) -> None:
        self._access_token = access_token

    @override
    async def async_get_access_token(self, *, rejected: str | None = None) -> str:
        return self._access_token


async def async_find_systems(
    hass: HomeAssistant,
    *,
    flow_id: str,
    entry_id: str | None,
    api_key: str,
    access_token: str,
    plan: Plan,
    is_new_key: bool | None,
) -> list[System]:
    """Return the account's systems, with the availability of live streams if known.

    Costs one API call, two where the plan has live streams. They count in `plan`, not
    in the plan of the entry that is being changed. Raises ProbeFailedError.
    """
    budgets = async_get_key_budgets(hass)
    try:
        budget = await budgets.async_acquire(
            api_key, flow_id, plan, instead_of=entry_id, is_new_key=is_new_key
        )
    except ConfigEntryNotReady:
        raise ProbeFailedError("storage_failed") from None
    client = EnphaseCloudClient(
        async_get_clientsession(hass),
        _FlowAuth(access_token),
        api_key,
        budget,
        url=cloud_url(),
    )
    try:
        with for_the_user():
            return await async_list_systems(client, plan)
    except EnphaseCloudError as err:
        _LOGGER.debug("The check of the API key failed: %s", err)
        raise _probe_failed(err, budget) from None
    finally:
        await budgets.async_release(api_key, flow_id)


def _probe_failed(err: EnphaseCloudError, budget: KeyBudget) -> ProbeFailedError:
    reason = error_policy(err).reason
    match err:
        case InvalidApiKeyError(mismatch=True):
            return KeyRefusedError("api_key_mismatch")
        case InvalidApiKeyError() | NotEntitledError():
            return KeyRefusedError(reason)
        case RequestWithheldError():
            until = err.until
        case _:
            until = budget.ledger.blocked_until(dt_util.utcnow())
    return ProbeFailedError(
        reason,
        # The form shows no seconds: round up, so that it is not too early.
        until=readable(until and until + timedelta(seconds=59)),
    )
