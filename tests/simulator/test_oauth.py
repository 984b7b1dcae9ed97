"""Tests of sign-in and tokens."""

from base64 import b64encode
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any, override
from urllib.parse import parse_qs, urlsplit

import pytest

from simulator import AccessControl, Fault

from .conftest import World

REDIRECT = "http://localhost:8123/auth/external/callback?kept=yes"
STATE = "eyJhbGciOi.a+b/c=&d%20e"
REQUEST = {
    "response_type": "code",
    "client_id": "client",
    "redirect_uri": REDIRECT,
    "state": STATE,
}
LOGIN = {"email": "owner@example.com", "password": "sesame"}


class Form(HTMLParser):
    """Reads the fields of a form and whether each has a label."""

    def __init__(self, html: str) -> None:
        """Read a page."""
        super().__init__()
        self.fields: dict[str, str] = {}
        self.buttons: list[str] = []
        self.addresses: list[str] = []
        self.labels: set[str] = set()
        self.language = ""
        self.feed(html)

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "html":
            self.language = values["lang"]
        if tag == "label":
            self.labels.add(values["for"])
        if tag == "input":
            self.fields[values["name"]] = values.get("value", "")
        if tag == "button":
            self.buttons.append(values["value"])
        self.addresses += [values[name] for name in ("src", "href") if name in values]


async def post(world: World, **form: str) -> tuple[int, str, str]:
    """Send the sign-in form; return status, text and redirect address."""
    response = await world.client.post(
        "/oauth/authorize", data=form, allow_redirects=False
    )
    location = response.headers.get("Location", "")
    return response.status, await response.text(), location


async def sign_in(world: World) -> str:
    """Return an authorization code."""
    _, _, location = await post(world, **REQUEST, **LOGIN, decision="approve")
    return parse_qs(urlsplit(location).query)["code"][0]


async def tokens(world: World) -> dict[str, Any]:
    """Return a token document of a whole sign-in."""
    status, document = await world.token(
        grant_type="authorization_code",
        code=await sign_in(world),
        redirect_uri=REDIRECT,
    )
    assert status == 200, document
    return document  # type: ignore[no-any-return]


async def works(world: World, access_token: object) -> bool:
    """Return whether an access token is valid."""
    headers = {"Authorization": f"Bearer {access_token}", "key": "key"}
    response = await world.request("", headers=headers)
    assert response.status in {200, 401}
    return response.status == 200


async def test_sign_in_page(world: World) -> None:
    """It has the application and its access, and no external resources."""
    response = await world.client.get("/oauth/authorize", params=REQUEST)
    assert response.status == 200
    assert response.content_type == "text/html"
    html = await response.text()
    form = Form(html)
    assert form.language == "en"
    assert {"email", "password"} <= form.labels
    assert form.fields == REQUEST | {"email": "", "password": ""}
    assert form.buttons == ["approve", "deny"]
    assert form.addresses == []
    assert "Home Assistant will be able to see" in html
    assert "Live status" in html
    assert "Settings of your systems" not in html


async def test_page_lists_only_selected_access_controls(world: World) -> None:
    """Other access controls of the plan are not listed."""
    world.cloud.add_application(
        client_id="shy",
        client_secret="secret",
        api_key="shy-key",
        name="<Shy>",
        access=[AccessControl.SYSTEM_DETAILS, AccessControl.STREAMING],
    )
    response = await world.client.get(
        "/oauth/authorize", params=REQUEST | {"client_id": "shy"}
    )
    html = await response.text()
    assert html.count("<li>") == 1
    assert "&lt;Shy&gt;" in html


async def test_approval_redirects_with_code_and_state(world: World) -> None:
    """The query of the redirect address is kept; the state is unchanged."""
    status, _, location = await post(world, **REQUEST, **LOGIN, decision="approve")
    assert status == 302
    assert location.startswith("http://localhost:8123/auth/external/callback?")
    query = parse_qs(urlsplit(location).query)
    assert query["state"] == [STATE]
    assert query["kept"] == ["yes"]
    assert len(query["code"][0]) == 6


async def test_email_is_not_case_sensitive(world: World) -> None:
    """Owners may use any case."""
    form = LOGIN | {"email": " Owner@Example.com "}
    status, _, _ = await post(world, **REQUEST, **form, decision="approve")
    assert status == 302


async def test_wrong_password_shows_an_error(world: World) -> None:
    """The form keeps all input but the password."""
    form = LOGIN | {"password": "guess"}
    status, html, _ = await post(world, **REQUEST, **form, decision="approve")
    assert status == 401
    assert 'role="alert"' in html
    again = Form(html)
    assert again.fields == REQUEST | {"email": LOGIN["email"], "password": ""}


async def test_denial_redirects_with_an_error(world: World) -> None:
    """It needs no sign-in."""
    status, _, location = await post(world, **REQUEST, decision="deny")
    assert status == 302
    query = parse_qs(urlsplit(location).query)
    assert query == {"error": ["access_denied"], "state": [STATE], "kept": ["yes"]}


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"client_id": "nobody"}, "invalid_client"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"redirect_uri": ""}, "invalid_request"),
    ],
)
async def test_bad_authorization_requests(
    world: World, change: dict[str, str], error: str
) -> None:
    """Without a valid application and address there is no redirect."""
    response = await world.client.get("/oauth/authorize", params=REQUEST | change)
    assert response.status in {400, 401}
    assert (await response.json())["error"] == error


async def test_registered_redirect_addresses(world: World) -> None:
    """Only registered addresses are accepted."""
    world.cloud.add_application(
        client_id="strict",
        client_secret="secret",
        api_key="strict-key",
        redirect_uris=["https://example.com/back"],
    )
    strict = REQUEST | {"client_id": "strict"}
    response = await world.client.get("/oauth/authorize", params=strict)
    assert response.status == 400
    strict |= {"redirect_uri": "https://example.com/back"}
    response = await world.client.get("/oauth/authorize", params=strict)
    assert response.status == 200


async def test_default_page_shows_the_code(world: World) -> None:
    """Applications without an address use a page with the code."""
    response = await world.client.get("/oauth/redirect_uri", params={"code": "aB3<x>"})
    assert "aB3&lt;x&gt;" in await response.text()
    response = await world.client.get("/oauth/redirect_uri", params={"error": "denied"})
    assert 'role="alert">denied' in await response.text()


async def test_every_application_may_use_the_default_page(world: World) -> None:
    """The code is exchanged with the address of the page."""
    application = world.cloud.add_application(
        client_id="strict",
        client_secret="secret",
        api_key="strict-key",
        redirect_uris=["https://example.com/back"],
    )
    page = str(world.client.make_url("/oauth/redirect_uri"))
    strict = REQUEST | {"client_id": "strict", "redirect_uri": page}
    del strict["state"]
    _, _, location = await post(world, **strict, **LOGIN, decision="approve")
    code = parse_qs(urlsplit(location).query)["code"][0]
    assert location == f"{page}?code={code}"
    shown = await world.client.get(urlsplit(location).path, params={"code": code})
    assert f">{code}</code>" in await shown.text()
    grant = {"grant_type": "authorization_code", "code": code}
    status, document = await world.token(
        **grant, redirect_uri=REDIRECT, application=application
    )
    assert (status, document["error"]) == (400, "invalid_grant")
    _, _, location = await post(world, **strict, **LOGIN, decision="approve")
    grant["code"] = parse_qs(urlsplit(location).query)["code"][0]
    status, _ = await world.token(**grant, redirect_uri=page, application=application)
    assert status == 200


async def test_token_document(world: World) -> None:
    """The token document has the documented fields."""
    document = await tokens(world)
    assert document["token_type"] == "bearer"
    assert document["expires_in"] == 86_399
    assert document["scope"] == "read write"
    assert document["enl_uid"] == world.owner.user_id
    assert document["app_type"] == "system"
    assert document["is_internal_app"] is False
    assert document.keys() >= {"enl_cid", "enl_password_last_changed", "jti"}
    for name in ("access_token", "refresh_token"):
        assert document[name].count(".") == 2
        assert document[name].startswith("eyJ")
    assert await works(world, document["access_token"])


async def test_parameters_may_be_in_the_query(world: World) -> None:
    """Examples of the documentation have the parameters in the address."""
    code = await sign_in(world)
    parameters = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": REDIRECT,
    }
    credentials = b64encode(b"client:secret").decode()
    response = await world.client.post(
        "/oauth/token",
        params=parameters,
        headers={"Authorization": f"Basic {credentials}"},
    )
    assert response.status == 200


async def test_code_is_valid_once(world: World) -> None:
    """A second exchange of the same code is refused."""
    grant = {
        "grant_type": "authorization_code",
        "code": await sign_in(world),
        "redirect_uri": REDIRECT,
    }
    assert (await world.token(**grant))[0] == 200
    status, document = await world.token(**grant)
    assert (status, document["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize("flaw", ["late", "address", "application", "unknown"])
async def test_code_is_bound(world: World, flaw: str) -> None:
    """A code is bound to time, redirect address and application."""
    grant = {
        "grant_type": "authorization_code",
        "code": await sign_in(world),
        "redirect_uri": REDIRECT,
    }
    application = None
    match flaw:
        case "late":
            world.clock.advance(minutes=5)
        case "address":
            grant["redirect_uri"] = "http://localhost/"
        case "application":
            application = world.cloud.add_application(
                client_id="other", client_secret="other", api_key="other"
            )
        case "unknown":
            grant["code"] = "AAAAAA"
    status, document = await world.token(application, **grant)
    assert (status, document["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Basic !!"},
        {"Authorization": "Basic " + b64encode(b"client:wrong").decode()},
        {"Authorization": "Basic " + b64encode(b"nobody:secret").decode()},
        {"Authorization": "Bearer " + b64encode(b"client:secret").decode()},
    ],
)
async def test_credentials_belong_into_the_header(
    world: World, headers: dict[str, str]
) -> None:
    """Credentials in the body are ignored."""
    response = await world.client.post(
        "/oauth/token",
        data={
            "grant_type": "refresh_token",
            "refresh_token": "x",
            "client_id": "client",
            "client_secret": "secret",
        },
        headers=headers,
    )
    assert response.status == 401
    assert (await response.json())["error"] == "invalid_client"


async def test_other_grants_and_methods_are_refused(world: World) -> None:
    """Only grants of a code or a refresh token by POST are accepted."""
    status, document = await world.token(grant_type="password")
    assert (status, document["error"]) == (400, "unsupported_grant_type")
    response = await world.client.get("/oauth/token")
    assert response.status == 405


async def test_refresh_rotates(world: World) -> None:
    """The old refresh token becomes invalid, the old access token stays valid."""
    first = await tokens(world)
    status, second = await world.token(
        grant_type="refresh_token", refresh_token=first["refresh_token"]
    )
    assert status == 200
    assert second["refresh_token"] != first["refresh_token"]
    assert await works(world, first["access_token"])
    assert await works(world, second["access_token"])
    status, document = await world.token(
        grant_type="refresh_token", refresh_token=first["refresh_token"]
    )
    assert (status, document["error"]) == (400, "invalid_grant")
    status, _ = await world.token(
        grant_type="refresh_token", refresh_token=second["refresh_token"]
    )
    assert status == 200


async def test_refresh_grace(world: World) -> None:
    """An old refresh token stays valid for this time only."""
    world.cloud.tokens.refresh_grace = timedelta(minutes=2)
    first = await tokens(world)
    grant = {
        "grant_type": "refresh_token",
        "refresh_token": first["refresh_token"],
    }
    assert (await world.token(**grant))[0] == 200
    world.clock.advance(minutes=1)
    assert (await world.token(**grant))[0] == 200
    world.clock.advance(minutes=1)
    assert (await world.token(**grant))[0] == 400


async def test_lifetimes(world: World) -> None:
    """An access token is valid for a day, a refresh token for 30 days."""
    document = await tokens(world)
    world.clock.advance(hours=24, seconds=-1)
    assert await works(world, document["access_token"])
    world.clock.advance(seconds=1)
    assert not await works(world, document["access_token"])
    world.clock.advance(days=29)
    status, _ = await world.token(
        grant_type="refresh_token", refresh_token=document["refresh_token"]
    )
    assert status == 400


@pytest.mark.parametrize("token", ["access_token", "ä.ö.ü", "", "a.b.c"])
async def test_other_refresh_tokens_are_refused(world: World, token: str) -> None:
    """Access tokens, tokens of other applications and other texts are refused."""
    document = await tokens(world)
    status, _ = await world.token(
        grant_type="refresh_token", refresh_token=document.get(token, token)
    )
    assert status == 400
    other = world.cloud.add_application(
        client_id="other", client_secret="other", api_key="other"
    )
    status, _ = await world.token(
        other, grant_type="refresh_token", refresh_token=document["refresh_token"]
    )
    assert status == 400


async def test_revocation(world: World) -> None:
    """Revoked tokens are invalid, later ones are valid."""
    document = await tokens(world)
    world.cloud.tokens.revoke(world.owner)
    assert not await works(world, document["access_token"])
    status, _ = await world.token(
        grant_type="refresh_token", refresh_token=document["refresh_token"]
    )
    assert status == 400
    assert await works(world, (await tokens(world))["access_token"])


async def test_revocation_of_access_tokens(world: World) -> None:
    """The refresh token stays valid, even in the same second."""
    document = await tokens(world)
    world.cloud.tokens.revoke_access(world.owner)
    assert not await works(world, document["access_token"])
    _, renewed = await world.token(
        grant_type="refresh_token", refresh_token=document["refresh_token"]
    )
    assert await works(world, renewed["access_token"])


async def test_tokens_survive_a_restart(world: World) -> None:
    """A cloud of the same seed accepts tokens of an earlier one."""
    document = await tokens(world)
    restarted = type(world.cloud)(world.clock)
    grant = restarted.tokens.check(document["access_token"], world.clock())
    assert grant.user_id == world.owner.user_id


async def test_requests_are_recorded_but_do_not_count(world: World) -> None:
    """Sign-in and token requests have their application."""
    await world.client.get("/oauth/authorize", params=REQUEST)
    await tokens(world)
    assert [
        (request.operation, request.method, request.status, request.application)
        for request in world.cloud.requests
    ] == [
        ("authorize", "GET", 200, "client"),
        ("authorize", "POST", 302, "client"),
        ("token", "POST", 200, "client"),
    ]
    assert not any(request.counted for request in world.cloud.requests)


async def test_faults_of_sign_in_and_tokens(world: World) -> None:
    """A fault may refuse the token, or invalidate the code."""
    code = await sign_in(world)
    world.cloud.faults.add(Fault(operation="token", status=401, times=1))
    grant = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": REDIRECT,
    }
    status, document = await world.token(**grant)
    assert (status, document["error"]) == (401, "invalid_token")
    world.cloud.faults.add(Fault(operation="token", expire_code=True, times=1))
    status, document = await world.token(**grant)
    assert (status, document["error"]) == (400, "invalid_grant")
    world.cloud.faults.add(Fault(operation="token", status=503, details="busy"))
    status, document = await world.token(grant_type="refresh_token")
    assert (status, document["error"]) == (503, "busy")


async def test_a_wrong_lifetime(world: World) -> None:
    """A fault changes the lifetime in the document, not that of the token."""
    document = await tokens(world)
    world.cloud.faults.add(Fault(operation="token", expires_in=30, times=1))
    status, document = await world.token(
        grant_type="refresh_token", refresh_token=document["refresh_token"]
    )
    assert (status, document["expires_in"]) == (200, 30)
    assert await works(world, document["access_token"])
    world.cloud.faults.add(Fault(operation="token", expires_in=30, times=1))
    status, document = await world.token(grant_type="refresh_token", refresh_token="-")
    assert (status, document["error"]) == (400, "invalid_grant")


async def test_tokens_of_a_removed_account_are_invalid(world: World) -> None:
    """Its refresh token is refused."""
    document = await tokens(world)
    world.cloud.remove_account(world.owner)
    status, _ = await world.token(
        grant_type="refresh_token", refresh_token=document["refresh_token"]
    )
    assert status == 400
    assert not await works(world, document["access_token"])
