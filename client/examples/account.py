"""What all examples share: the application, the account's tokens, a limit of calls.

The environment has what the developer portal shows of the application:
ENPHASE_CLIENT_ID, ENPHASE_CLIENT_SECRET and ENPHASE_API_KEY.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
import json
import os
from pathlib import Path
import time
from typing import Any, override

from aiohttp import ClientSession
from enphase_cloud_api import (
    AbstractAuth,
    EnphaseCloudClient,
    QuotaExceededError,
    RequestWithheldError,
    request_token,
)

URL = os.environ.get("ENPHASE_URL", "https://api.enphaseenergy.com")
CLIENT_ID = os.environ["ENPHASE_CLIENT_ID"]
# Enphase's own page, which shows the code to copy.
REDIRECT_URI = f"{URL}/oauth/redirect_uri"
TOKENS = Path("enphase-tokens.json")


class StoredTokens(AbstractAuth):
    """Keeps the tokens of an account in a file that only its owner may read."""

    def __init__(self, session: ClientSession) -> None:
        """Renew tokens by this session."""
        self._session = session
        self._renewing = asyncio.Lock()

    @override
    async def async_get_access_token(self, *, rejected: str | None = None) -> str:
        # Two renewals at once would make one of the refresh tokens worthless.
        async with self._renewing:
            tokens = _stored()
            is_over = time.time() >= tokens["expires_at"]
            if is_over or tokens["access_token"] == rejected:
                renewal = {
                    "grant_type": "refresh_token",
                    "refresh_token": tokens["refresh_token"],
                }
                tokens = await self.request(renewal)
            token: str = tokens["access_token"]
            return token

    async def request(self, parameters: Mapping[str, str]) -> dict[str, Any]:
        """Request tokens and store them before they are used."""
        tokens = await request_token(
            self._session,
            f"{URL}/oauth/token",
            client_id=CLIENT_ID,
            client_secret=os.environ["ENPHASE_CLIENT_SECRET"],
            parameters=parameters,
        )
        # A minute early, so that no call leaves with a token that ends on its way.
        tokens["expires_at"] = time.time() + tokens["expires_in"] - 60
        _store(tokens)
        return tokens


def _stored() -> dict[str, Any]:
    tokens: dict[str, Any] = json.loads(TOKENS.read_text("utf-8"))
    return tokens


def _store(tokens: Mapping[str, Any]) -> None:
    """Store tokens as a whole: without the newest ones the sign-in is lost."""
    new = TOKENS.with_suffix(".new")
    new.touch(mode=0o600)
    new.write_text(json.dumps(tokens), "utf-8")
    new.replace(TOKENS)


class CallLimit:
    """Lets some API calls out, each counted before it leaves."""

    def __init__(self, calls: int) -> None:
        """Begin with so many calls."""
        self.left = calls

    @asynccontextmanager
    async def attempt(self, operation: str) -> AsyncGenerator[CallLimit]:
        """Count a call of an operation, or withhold it."""
        if not self.left:
            raise RequestWithheldError(until=None, reason="the limit is reached")
        self.left -= 1
        yield self

    def on_response(self, status: int, date: datetime | None) -> None:
        """Learn that an answer came."""

    async def refused(self, err: QuotaExceededError) -> None:
        """Learn that the cloud has counted more."""
        self.left = 0


@asynccontextmanager
async def open_client() -> AsyncGenerator[EnphaseCloudClient]:
    """Give a client that makes at most 20 calls, and close its session after that."""
    async with ClientSession() as session:
        yield EnphaseCloudClient(
            session,
            StoredTokens(session),
            os.environ["ENPHASE_API_KEY"],
            CallLimit(20),
            url=URL,
        )
