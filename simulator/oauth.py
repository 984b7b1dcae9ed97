"""Sign-in and tokens: the OAuth server of the cloud."""

from base64 import b64decode
import binascii
from collections.abc import Awaitable, Callable, Mapping
import json
from urllib.parse import unquote_plus, urlencode

from aiohttp import hdrs, web

from . import fault_injection, pages
from .cloud import Cloud
from .connections import Connection
from .errors import RefusalError
from .faults import Fault
from .records import Request
from .tokens import InvalidGrantError
from .world import Account, Application

type _Handler = Callable[[web.Request, Request], Awaitable[web.Response]]


class OAuthError(Exception):
    """A request is refused with an OAuth error."""

    def __init__(self, status: int, error: str, description: str) -> None:
        """Keep status, code and description of the error."""
        super().__init__(error)
        self.status = status
        self.error = error
        self.description = description

    def response(self) -> web.Response:
        """Return the error response."""
        body = {"error": self.error, "error_description": self.description}
        headers = {}
        if self.error == "invalid_client":
            headers[hdrs.WWW_AUTHENTICATE] = 'Basic realm="oauth2/client"'
        return web.json_response(body, status=self.status, headers=headers)


class OAuth:
    """Handles all requests below `/oauth`."""

    def __init__(self, cloud: Cloud) -> None:
        """Serve a cloud."""
        self._cloud = cloud

    async def sign_in_page(self, request: web.Request) -> web.StreamResponse:
        """Show the page on which a home owner signs in."""
        return await self._recorded("authorize", request, self._sign_in_page)

    async def sign_in(self, request: web.Request) -> web.StreamResponse:
        """Check the sign-in and redirect the home owner to the application."""
        return await self._recorded("authorize", request, self._sign_in)

    async def token(self, request: web.Request) -> web.StreamResponse:
        """Exchange a code or a refresh token for tokens."""
        return await self._recorded("token", request, self._token)

    async def code_page(self, request: web.Request) -> web.Response:
        """Show the code, for applications without a redirect page."""
        return _page(pages.code(request.query.get("code"), request.query.get("error")))

    async def _recorded(
        self, operation: str, request: web.Request, handler: _Handler
    ) -> web.StreamResponse:
        """Record a request, apply its fault, respond to it and record the status."""
        cloud = self._cloud
        record = Request(at=cloud.now(), method=request.method, operation=operation)
        cloud.requests.append(record)
        fault = cloud.faults.next_for(operation, None)
        with cloud.connections.track(request) as connection:
            response = await self._apply_fault(fault, request, connection)
            if response is None:
                response = await _respond(handler, request, record, fault)
        record.status = response.status
        return response

    async def _apply_fault(
        self, fault: Fault | None, request: web.Request, connection: Connection
    ) -> web.StreamResponse | None:
        cloud = self._cloud
        if fault is None:
            return None
        if fault.expire_code:
            cloud.tokens.expire_codes()
        try:
            return await fault_injection.apply(cloud, fault, request, connection)
        except RefusalError as refusal:
            error = fault.details or _ERRORS.get(refusal.status, "server_error")
            return OAuthError(refusal.status, error, "Ordered by a fault").response()

    async def _sign_in_page(
        self, request: web.Request, record: Request
    ) -> web.Response:
        application = self._checked_application(request.query, record, request)
        return _page(pages.sign_in(application, _parameters(request.query)))

    async def _sign_in(self, request: web.Request, record: Request) -> web.Response:
        form = {**request.query, **_texts(await request.post())}
        application = self._checked_application(form, record, request)
        redirect_uri, state = form["redirect_uri"], form.get("state")
        if form.get("decision") == "deny":
            return _redirect(redirect_uri, error="access_denied", state=state)
        account = self._cloud.account(form.get("email", "").strip())
        if account is None or account.password != form.get("password"):
            page = pages.sign_in(
                application,
                _parameters(form),
                email=form.get("email", ""),
                error="This email and password do not match.",
            )
            return _page(page, status=401)
        code = self._cloud.tokens.issue_code(
            application, account, redirect_uri, self._cloud.now()
        )
        return _redirect(redirect_uri, code=code, state=state)

    def _checked_application(
        self, parameters: Mapping[str, str], record: Request, request: web.Request
    ) -> Application:
        """Return the application of a sign-in, or refuse.

        The page that shows the code is a redirect URI of every application.
        """
        application = self._cloud.application(parameters.get("client_id", ""))
        if application is None:
            raise OAuthError(401, "invalid_client", "No such application")
        record.application = application.client_id
        if parameters.get("response_type") != "code":
            raise OAuthError(400, "unsupported_response_type", "Only code is supported")
        redirect_uri = parameters.get("redirect_uri")
        known = application.redirect_uris
        default = str(request.url.origin() / "oauth" / "redirect_uri")
        if not redirect_uri or (
            known is not None and redirect_uri not in {*known, default}
        ):
            raise OAuthError(400, "invalid_request", "Redirect URI is not registered")
        return application

    async def _token(self, request: web.Request, record: Request) -> web.Response:
        if request.method != hdrs.METH_POST:
            description = f"Request method '{request.method}' not supported"
            raise OAuthError(405, "method_not_allowed", description)
        application = self._authenticated(request)
        record.application = application.client_id
        parameters = {**request.query, **_texts(await request.post())}
        account = self._account(application, parameters)
        return web.json_response(self._cloud.tokens_for(application, account))

    def _account(
        self, application: Application, parameters: Mapping[str, str]
    ) -> Account:
        """Return the account of a code or a refresh token, or refuse."""
        tokens, now = self._cloud.tokens, self._cloud.now()
        account: Account | None = None
        try:
            match parameters.get("grant_type"):
                case "authorization_code":
                    account = tokens.redeem_code(
                        application,
                        parameters.get("code", ""),
                        parameters.get("redirect_uri", ""),
                        now,
                    )
                case "refresh_token":
                    token = parameters.get("refresh_token", "")
                    user_id = tokens.rotate(application, token, now)
                    account = self._cloud.account_of_user(user_id)
                case _:
                    raise OAuthError(
                        400, "unsupported_grant_type", "Unsupported grant type"
                    )
        except InvalidGrantError:
            pass
        if account is None:
            raise OAuthError(400, "invalid_grant", "Invalid, spent or expired grant")
        return account

    def _authenticated(self, request: web.Request) -> Application:
        """Return the application of the credentials in the Basic header, or refuse."""
        scheme, _, encoded = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        try:
            text = b64decode(encoded, validate=True).decode()
        except binascii.Error, UnicodeDecodeError:
            text = ""
        # Both are form-encoded before they are joined (RFC 6749, 2.3.1).
        client_id, client_secret = map(unquote_plus, text.partition(":")[::2])
        application = self._cloud.application(client_id)
        if (
            scheme.lower() != "basic"
            or application is None
            or application.client_secret != client_secret
        ):
            raise OAuthError(401, "invalid_client", "Bad client credentials")
        return application


async def _respond(
    handler: _Handler, request: web.Request, record: Request, fault: Fault | None
) -> web.Response:
    """Return the response of a handler; a fault may change the token lifetime."""
    try:
        response = await handler(request, record)
    except OAuthError as error:
        return error.response()
    if fault is None or fault.expires_in is None:
        return response
    document = json.loads(response.text or "{}")
    return web.json_response(document | {"expires_in": fault.expires_in})


_ERRORS = {400: "invalid_grant", 401: "invalid_token", 403: "access_denied"}
_PARAMETERS = ("response_type", "client_id", "redirect_uri", "state")


def _parameters(given: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters that the sign-in form has to send again."""
    return {name: given[name] for name in _PARAMETERS if name in given}


def _texts(form: Mapping[str, object]) -> dict[str, str]:
    return {name: value for name, value in form.items() if isinstance(value, str)}


def _page(html: str, status: int = 200) -> web.Response:
    return web.Response(text=html, content_type="text/html", status=status)


def _redirect(uri: str, **parameters: str | None) -> web.Response:
    query = urlencode({name: v for name, v in parameters.items() if v is not None})
    location = f"{uri}{'&' if '?' in uri else '?'}{query}"
    return web.Response(status=302, headers={hdrs.LOCATION: location})
