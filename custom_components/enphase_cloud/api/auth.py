"""Where the client gets its access token."""

from abc import ABC, abstractmethod


class AbstractAuth(ABC):
    """Supplies the access token of one Enphase account."""

    @abstractmethod
    async def async_get_access_token(self, *, rejected: str | None = None) -> str:
        """Return a valid access token.

        `rejected` is a token the cloud just refused: renew it, unless a newer one is
        at hand already. Returning the same token says that a renewal is no remedy.
        """
