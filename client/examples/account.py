"""The shared part of all examples: application, tokens of the account, call limit.

Set ENPHASE_CLIENT_ID, ENPHASE_CLIENT_SECRET and ENPHASE_API_KEY in the environment to
the credentials of your application in the developer portal.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
import json
import os
from pathlib import Path
import sys
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
# A page of Enphase that shows the code to copy.
REDIRECT_URI = f"{URL}/oauth/redirect_uri"
TOKENS = Path("enphase-tokens.json")


class StoredTokens(AbstractAuth):
    """Stores the tokens of an account in a file that only its owner may read."""

    def __init__(self, session: ClientSession) -> None:
        """Request new tokens with this session."""
        self._session = session
        self._renewing = asyncio.Lock()

    @override
    async def async_get_access_token(self, *, rejected: str | None = None) -> str:
        # A concurrent renewal would fail: the refresh token is valid once.
        async with self._renewing:
            tokens = _stored()
            is_expired = time.time() >= tokens["expires_at"]
            if is_expired or tokens["access_token"] == rejected:
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
        # A response without a refresh token means that the old one stays valid.
        if "refresh_token" in parameters:
            tokens.setdefault("refresh_token", parameters["refresh_token"])
        # A minute early, so that no token expires on its way.
        tokens["expires_at"] = time.time() + tokens["expires_in"] - 60
        _store(tokens)
        return tokens


def _stored() -> dict[str, Any]:
    if not TOKENS.exists():
        sys.exit("Sign in first: python sign_in.py")
    tokens: dict[str, Any] = json.loads(TOKENS.read_text("utf-8"))
    return tokens


def _store(tokens: Mapping[str, Any]) -> None:
    """Replace the file at once: without the newest tokens the sign-in is lost."""
    new = TOKENS.with_suffix(".new")
    new.touch(mode=0o600)
    new.write_text(json.dumps(tokens), "utf-8")
    new.replace(TOKENS)


class CallLimit:
    """Permits a number of API calls, and counts each before it is sent."""

    def __init__(self, calls: int) -> None:
        """Permit `calls` calls."""
        self.left = calls

    @asynccontextmanager
    async def attempt(self, operation: str) -> AsyncGenerator[CallLimit]:
        """Count a call, or refuse it."""
        if not self.left:
            raise RequestWithheldError(until=None, reason="the limit is reached")
        self.left -= 1
        yield self

    def on_response(self, status: int, date: datetime | None) -> None:
        """Receive the status of the response."""

    async def on_quota_error(self, err: QuotaExceededError) -> None:
        """Permit no more calls: the quota of the cloud is used up."""
        self.left = 0


@asynccontextmanager
async def open_client() -> AsyncGenerator[EnphaseCloudClient]:
    """Yield a client for at most 20 calls, and close its session afterwards."""
    async with ClientSession() as session:
        yield EnphaseCloudClient(
            session,
            StoredTokens(session),
            os.environ["ENPHASE_API_KEY"],
            CallLimit(20),
            url=URL,
        )
