"""The interface that supplies access tokens to the client."""

from abc import ABC, abstractmethod


class AbstractAuth(ABC):
    """Supplies the access token of one Enphase account."""

    @abstractmethod
    async def async_get_access_token(self, *, rejected: str | None = None) -> str:
        """Return a valid access token.

        `rejected` is a token that the cloud has just refused: renew it, unless a newer
        token is available. Return the same token where it cannot be renewed; the
        client then raises NotEntitledError.
        """
