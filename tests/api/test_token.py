"""The token endpoint."""

import base64
from typing import Any
from urllib.parse import parse_qs, unquote_plus

from aiohttp import ClientSession
import pytest

from custom_components.enphase_cloud.api import (
    EnphaseCloudError,
    EnphaseConnectionError,
    InvalidClientError,
    InvalidGrantError,
    MalformedResponseError,
    MonthQuotaError,
    ServerError,
    TokenRequestError,
    request_token,
)

from .conftest import FakeCloud, RawServer, reply

CLIENT_ID = "client"
CLIENT_SECRET = "s:e+c r/e%t=é"
TOKEN = {
    "access_token": "abc.def.ghi",
    "token_type": "bearer",
    "refresh_token": "jkl.mno.pqr",
    "expires_in": 86_393,
    "enl_uid": "42",
}


async def request(session: ClientSession, cloud: FakeCloud) -> dict[str, Any]:
    """Request a token."""
    return await request_token(
        session,
        cloud.url / "oauth" / "token",
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        parameters={"grant_type": "authorization_code", "code": "a b&c"},
    )


async def test_the_client_authenticates_by_http_basic(
    session: ClientSession, cloud: FakeCloud
) -> None:
    cloud.script(reply(TOKEN))
    await request(session, cloud)
    (sent,) = cloud.requests
    scheme, _, credentials = sent.headers["Authorization"].partition(" ")
    user, _, password = base64.b64decode(credentials).decode().partition(":")
    assert scheme == "Basic"
    assert unquote_plus(user) == CLIENT_ID
    assert unquote_plus(password) == CLIENT_SECRET


async def test_the_parameters_are_a_form_in_the_body(
    session: ClientSession, cloud: FakeCloud
) -> None:
    cloud.script(reply(TOKEN))
    await request(session, cloud)
    (sent,) = cloud.requests
    assert (sent.method, sent.path_qs) == ("POST", "/oauth/token")
    assert sent.content_type == "application/x-www-form-urlencoded"
    assert parse_qs(cloud.bodies[0].decode()) == {
        "grant_type": ["authorization_code"],
        "code": ["a b&c"],
    }


async def test_the_whole_token_document_is_returned(
    session: ClientSession, cloud: FakeCloud
) -> None:
    cloud.script(reply(TOKEN))
    assert await request(session, cloud) == TOKEN


@pytest.mark.parametrize(
    ("expires_in", "expected"),
    [
        ("3600", 3600),
        (3599.6, 3600),
        (None, 86_400),
        ("soon", 86_400),
        (-1, 86_400),
        (1, 600),
        (30, 600),
        (10**15, 86_400),
    ],
)
async def test_the_lifetime_is_a_number(
    session: ClientSession, cloud: FakeCloud, expires_in: object, expected: int
) -> None:
    cloud.script(reply(TOKEN | {"expires_in": expires_in}))
    token = await request(session, cloud)
    assert token["expires_in"] == expected
    assert type(token["expires_in"]) is int


@pytest.mark.parametrize("refresh_token", [None, "", 7, "line\nbreak"])
async def test_an_invalid_refresh_token_is_removed_to_keep_the_old_one(
    session: ClientSession, cloud: FakeCloud, refresh_token: object
) -> None:
    cloud.script(reply(TOKEN | {"refresh_token": refresh_token}))
    assert "refresh_token" not in await request(session, cloud)


@pytest.mark.parametrize("access_token", [None, "", 7, "line\nbreak", "schlüssel"])
async def test_a_response_without_an_access_token_is_malformed(
    session: ClientSession, cloud: FakeCloud, access_token: object
) -> None:
    cloud.script(reply(TOKEN | {"access_token": access_token}))
    with pytest.raises(MalformedResponseError):
        await request(session, cloud)


@pytest.mark.parametrize(
    ("status", "document", "expected"),
    [
        (400, {"error": "invalid_grant", "error_description": "x"}, InvalidGrantError),
        (401, {"error": "invalid_token", "error_description": "x"}, InvalidGrantError),
        (400, {"error": "invalid_client"}, InvalidClientError),
        (401, {"error": "invalid_client"}, InvalidClientError),
        (403, {"error": "unauthorized_client"}, InvalidClientError),
        (401, {"error": "unauthorized"}, InvalidClientError),
        (401, {"status": 401, "error": "Unauthorized"}, InvalidClientError),
        (401, None, InvalidClientError),
        (400, {"error": "invalid_request"}, TokenRequestError),
        (400, None, TokenRequestError),
        (403, {"error": "access_denied"}, TokenRequestError),
        (404, {}, TokenRequestError),
        (405, {"error": "method_not_allowed"}, TokenRequestError),
        (429, {"period": "month"}, MonthQuotaError),
        (500, {"error": "server_error"}, ServerError),
        (503, {"error": "invalid_grant"}, ServerError),
        (302, {}, MalformedResponseError),
        (200, [], MalformedResponseError),
        (200, {"error": "invalid_grant"}, MalformedResponseError),
    ],
)
async def test_refusals_have_different_errors(
    session: ClientSession,
    cloud: FakeCloud,
    status: int,
    document: object,
    expected: type[EnphaseCloudError],
) -> None:
    cloud.script(reply(document, status=status))
    with pytest.raises(EnphaseCloudError) as raised:
        await request(session, cloud)
    assert type(raised.value) is expected
    if isinstance(raised.value, TokenRequestError):
        assert raised.value.status == status
    if isinstance(raised.value, ServerError | MonthQuotaError):
        assert raised.value.operation == "token"
    assert len(cloud.requests) == 1


async def test_a_grant_is_sent_once_if_the_connection_drops(
    session: ClientSession, raw_server: RawServer
) -> None:
    with pytest.raises(EnphaseConnectionError):
        await request_token(
            session,
            f"http://127.0.0.1:{raw_server.port}/oauth/token",
            client_id=CLIENT_ID,
            client_secret=CLIENT_SECRET,
            parameters={"grant_type": "refresh_token", "refresh_token": "jkl"},
        )
    assert raw_server.connections == 1
