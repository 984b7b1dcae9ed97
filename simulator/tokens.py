"""Codes and tokens. Tokens are signed, so they survive a restart of the simulator."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
import hashlib
import hmac
import json
from typing import Any
from uuid import UUID

from .moments import epoch
from .noise import noise
from .world import Account, Application

CODE_LIFETIME = timedelta(minutes=5)
ACCESS_LIFETIME = timedelta(days=1)
REFRESH_LIFETIME = timedelta(days=30)
_CODE_CHARACTERS = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"
_CODE_LENGTH = 6


class InvalidGrantError(Exception):
    """A code or token is unknown, used, expired or that of another application."""


@dataclass(frozen=True, slots=True)
class _Code:
    application: Application
    account: Account
    redirect_uri: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Grant:
    """The application and the account of a valid access token."""

    client_id: str
    user_id: str


class Tokens:
    """Issues, rotates, checks and revokes codes and tokens."""

    def __init__(self, seed: int) -> None:
        """Derive the signing key and all codes from the seed."""
        self.refresh_grace = timedelta(0)
        """How long a refresh token stays valid after its use."""
        self._seed = seed
        self._key = noise(seed, "signature", size=32)
        self._issued = 0
        self._codes: dict[str, _Code] = {}
        self._rotated: dict[str, datetime] = {}
        self._generations: dict[str, int] = {}
        self._first_valid: dict[str, int] = {}

    def issue_code(
        self,
        application: Application,
        account: Account,
        redirect_uri: str,
        now: datetime,
    ) -> str:
        """Return a single-use code for an approved application."""
        self._issued += 1
        code = "".join(
            _CODE_CHARACTERS[value % len(_CODE_CHARACTERS)]
            for value in noise(self._seed, "code", self._issued, now, size=_CODE_LENGTH)
        )
        expires_at = now + CODE_LIFETIME
        self._codes[code] = _Code(application, account, redirect_uri, expires_at)
        return code

    def expire_codes(self) -> None:
        """Invalidate all codes that are not redeemed."""
        self._codes.clear()

    def redeem_code(
        self, application: Application, code: str, redirect_uri: str, now: datetime
    ) -> Account:
        """Return the account that approved the application."""
        known = self._codes.pop(code, None)
        if (
            known is None
            or now >= known.expires_at
            or known.application != application
            or known.redirect_uri != redirect_uri
        ):
            raise InvalidGrantError
        return known.account

    def issue(
        self, application: Application, account: Account, now: datetime
    ) -> dict[str, object]:
        """Return a token document."""
        self._issued += 1
        jti = str(UUID(bytes=noise(self._seed, "jti", self._issued, now, size=16)))
        claims = {
            "aud": ["oauth2-resource"],
            "client_id": application.client_id,
            "user_name": account.email,
            "enl_uid": account.user_id,
            "generation": self._generations.get(account.user_id, 0),
            "iat": epoch(now),
            "number": self._issued,
            "jti": jti,
        }
        access = claims | {"exp": epoch(now + ACCESS_LIFETIME), "use": "access"}
        refresh = claims | {"exp": epoch(now + REFRESH_LIFETIME), "use": "refresh"}
        return {
            "access_token": self._signed(access),
            "token_type": "bearer",
            "refresh_token": self._signed(refresh),
            "expires_in": int(ACCESS_LIFETIME.total_seconds()) - 1,
            "scope": "read write",
            "enl_uid": account.user_id,
            "enl_cid": "",
            "enl_password_last_changed": "1712345678",
            "is_internal_app": False,
            "app_type": "system",
            "app_Id": application.client_id,
            "jti": jti,
        }

    def rotate(
        self, application: Application, refresh_token: str, now: datetime
    ) -> str:
        """Use a refresh token, and return its user id."""
        claims = self._checked(refresh_token, "refresh", now)
        jti = str(claims["jti"])
        spent_at = self._rotated.get(jti)
        if spent_at is not None and now >= spent_at + self.refresh_grace:
            raise InvalidGrantError
        if claims["client_id"] != application.client_id:
            raise InvalidGrantError
        self._rotated.setdefault(jti, now)
        return str(claims["enl_uid"])

    def check(self, access_token: str, now: datetime) -> Grant:
        """Return the grant of an access token."""
        claims = self._checked(access_token, "access", now)
        if claims.get("number", 0) < self._first_valid.get(claims["enl_uid"], 0):
            raise InvalidGrantError
        return Grant(str(claims["client_id"]), str(claims["enl_uid"]))

    def revoke(self, account: Account) -> None:
        """Invalidate all tokens of an account."""
        generation = self._generations.get(account.user_id, 0)
        self._generations[account.user_id] = generation + 1

    def revoke_access(self, account: Account) -> None:
        """Invalidate all access tokens of an account, but no refresh tokens."""
        self._first_valid[account.user_id] = self._issued + 1

    def _signed(self, claims: dict[str, object]) -> str:
        head = _encoded(json.dumps({"alg": "RS256", "typ": "JWT"}).encode())
        text = f"{head}.{_encoded(json.dumps(claims).encode())}"
        return f"{text}.{_encoded(self._signature(text))}"

    def _signature(self, text: str) -> bytes:
        return hmac.digest(self._key, text.encode(), hashlib.sha256)

    def _checked(self, token: str, use: str, now: datetime) -> dict[str, Any]:
        text, _, signature = token.rpartition(".")
        expected = _encoded(self._signature(text))
        if not hmac.compare_digest(expected.encode(), signature.encode()):
            raise InvalidGrantError
        claims: dict[str, Any] = json.loads(_decoded(text.partition(".")[2]))
        generation = self._generations.get(claims["enl_uid"], 0)
        expired = epoch(now) >= claims["exp"]
        if claims["use"] != use or expired or claims["generation"] < generation:
            raise InvalidGrantError
        return claims


def _encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
