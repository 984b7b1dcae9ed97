"""The API gateway: authorization, quotas and dispatch of requests."""

from dataclasses import dataclass
import json

from aiohttp import web

from . import fault_injection, live
from .cloud import Cloud
from .connections import Connection
from .distortion import distort
from .documents.changes import Change, WriteHandler
from .documents.inverters import NO_SITE, site_of
from .documents.windows import JsonBody
from .errors import RefusalError
from .faults import Fault
from .operations import INVERTERS_SUMMARY, LIVE_DATA, Operation, find
from .records import Request, too_many
from .tokens import InvalidGrantError
from .world import AccessControl, Account, Application, System

_KEY_MISSING = RefusalError(
    401,
    "API Key missing in url/headers!",
    live=("NOT_AUTHENTICATED", "API key is missing"),
)
_KEY_UNKNOWN = RefusalError(401, live=("NOT_AUTHENTICATED", "API Key is invalid"))
_KEY_MISMATCH = RefusalError(
    401,
    "API Key -Client mismatch",
    live=("UNAUTHORIZED", "API Key -Client mismatch"),
)
_NOT_ENTITLED = {
    status: RefusalError(
        status,
        live=(
            "UNAUTHORIZED",
            "Application is not authorized to access the requested resource",
        ),
    )
    for status in (401, 403)
}
_NOT_FOUND = 404
_UNAVAILABLE = 500
_UNKNOWN = "unknown"
_CLIENT_ERRORS = range(400, 500)
_CHARGERS = {AccessControl.CHARGER_MONITORING, AccessControl.CHARGER_CONTROL}
"""These operations write error codes as text, and set no JSON content type."""
_BYTES = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class _Call:
    """A request, its connection, and its operation, if any."""

    request: web.Request
    connection: Connection
    record: Request
    operation: Operation | None
    path_exists: bool
    system: str
    serial: str

    @property
    def is_of_chargers(self) -> bool:
        """Return whether the operation belongs to Enphase chargers."""
        return self.operation is not None and self.operation.access in _CHARGERS


class Gateway:
    """Handles all requests below `/api/v4/systems`."""

    def __init__(self, cloud: Cloud) -> None:
        """Serve a cloud."""
        self._cloud = cloud

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Record a request, respond to it, and record the status."""
        with self._cloud.connections.track(request) as connection:
            call = self._received(request, connection)
            try:
                response = await self._respond(call)
            except RefusalError as refusal:
                response = self._refused(call, refusal)
        self._note(call.record, response.status)
        return response

    def _received(self, request: web.Request, connection: Connection) -> _Call:
        found = find(request.match_info["path"])
        operation, parameters = next(
            (pair for pair in found if pair[0].method == request.method), (None, {})
        )
        system = parameters.get("system_id", "")
        if operation is INVERTERS_SUMMARY:
            system = site_of(request.query, self._cloud.systems)
        record = Request(
            at=self._cloud.now(),
            method=request.method,
            operation=operation.name if operation else _UNKNOWN,
            system_id=int(system) if system.isdecimal() else None,
        )
        self._cloud.requests.append(record)
        serial = parameters.get("serial", "")
        return _Call(
            request, connection, record, operation, bool(found), system, serial
        )

    def _note(self, record: Request, status: int) -> None:
        """Record the status; if client errors do not count, restore the quota."""
        record.status = status
        free = status in _CLIENT_ERRORS and not self._cloud.count_client_errors
        application = self._cloud.application(record.application or "")
        if record.counted and free and application:
            record.counted = False
            self._cloud.quota.take_back(application, record.at)

    def _refused(self, call: _Call, refusal: RefusalError) -> web.Response:
        if call.operation is LIVE_DATA and refusal.status not in {405, 501}:
            body = refusal.live_body(self._cloud.now())
        else:
            body = refusal.body(details=self._cloud.quota_details)
        if refusal.status == _NOT_FOUND and call.record.operation.endswith(
            "_meter_readings"
        ):
            body["message"] = "Not Authorized"
        if refusal.status == _UNAVAILABLE and call.record.operation == "rgm_stats":
            body = {
                "errorCode": 7,
                "errorMessages": ["Data is temporarily unavailable"],
            }
        if call.is_of_chargers and "code" in body:
            body["code"] = str(body["code"])
        return _response(call, body, refusal.status)

    async def _respond(self, call: _Call) -> web.StreamResponse:
        if call.operation is not None and call.operation.of_write is not None:
            call.record.took_effect = False
            call.record.body = await _json(call.request)
        application = self._admit(call)
        fault = self._cloud.faults.next_for(
            call.record.operation, call.record.system_id
        )
        after = fault is not None and fault.after and call.operation is not LIVE_DATA
        if fault is not None and not after:
            response = await self._apply_fault(call, application, fault)
            if response is not None:
                return response
        response = await self._execute(call, application, fault)
        if fault is not None and after:
            return await self._apply_fault(call, application, fault) or response
        return response

    async def _execute(
        self, call: _Call, application: Application, fault: Fault | None
    ) -> web.StreamResponse:
        """Authorize and execute a request; a fault may distort its data."""
        account = self._authenticate(call.request, application)
        operation = self._authorize(call, application)
        if operation is LIVE_DATA:
            system = self._owned_system(call, account)
            return await live.stream(
                self._cloud,
                call.request,
                connection=call.connection,
                system=system,
                application=application,
                fault=fault,
            )
        if operation.of_write is not None:
            lost = fault is not None and fault.lost
            change = self._written(call, operation.of_write, account, lost=lost)
            return _response(call, change.document, change.status)
        document = await self._document(call, operation, account)
        if fault is not None and fault.data is not None:
            distort(document, fault.data)
        return _response(call, document)

    def _written(
        self, call: _Call, handler: WriteHandler, account: Account, *, lost: bool
    ) -> Change:
        """Apply a write, unless a fault loses it."""
        published = self._cloud.published(self._owned_system(call, account))
        change = handler(published, call.serial, call.record.body)
        if not lost:
            change.apply(self._cloud.now())
            call.record.took_effect = True
        return change

    def _admit(self, call: _Call) -> Application:
        """Return the application of the key, or refuse; count the request."""
        now = call.record.at
        key = call.request.headers.get("key") or call.request.query.get("key")
        if not key:
            raise _KEY_MISSING
        application = self._cloud.application_of_key(key)
        if application is None:
            raise _KEY_UNKNOWN
        call.record.application = application.client_id
        if refusal := self._cloud.quota.exceeded(application, now):
            raise refusal
        self._cloud.quota.count(application, now)
        call.record.counted = True
        return application

    async def _apply_fault(
        self, call: _Call, application: Application, fault: Fault
    ) -> web.StreamResponse | None:
        if fault.quota is not None:
            raise too_many(application, fault.quota, call.record.at)
        return await fault_injection.apply(
            self._cloud, fault, call.request, call.connection
        )

    def _authenticate(self, request: web.Request, application: Application) -> Account:
        """Return the account of the access token, or refuse."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise RefusalError(401)
        try:
            grant = self._cloud.tokens.check(token, self._cloud.now())
        except InvalidGrantError:
            raise RefusalError(401) from None
        if grant.client_id != application.client_id:
            raise _KEY_MISMATCH
        account = self._cloud.account_of_user(grant.user_id)
        if account is None:
            raise RefusalError(401)
        return account

    def _authorize(self, call: _Call, application: Application) -> Operation:
        if call.operation is None:
            if call.path_exists:
                raise RefusalError(405)
            raise RefusalError(404, "The requested resource does not exist")
        if call.operation.access not in application.access:
            raise _NOT_ENTITLED[self._cloud.not_entitled]
        return call.operation

    def _owned_system(self, call: _Call, account: Account) -> System:
        system = self._cloud.find_system(call.record.system_id or 0)
        if system is None:
            if call.is_of_chargers:
                raise RefusalError(400, "Invalid system_id")
            status = 468 if call.operation is LIVE_DATA else 404
            raise RefusalError(status, f'System not found for {{:id=>"{call.system}"}}')
        if not system.is_visible_to(account):
            raise RefusalError(403)
        return system

    async def _document(
        self, call: _Call, operation: Operation, account: Account
    ) -> JsonBody:
        query = call.request.query
        if operation is INVERTERS_SUMMARY and not call.system:
            raise NO_SITE
        if operation.of_system is not None:
            system = self._owned_system(call, account)
            return operation.of_system(self._cloud.published(system), query)
        if of_device := operation.of_charger or operation.of_device:
            system = self._owned_system(call, account)
            return of_device(self._cloud.published(system), call.serial, query)
        if operation.of_account is not None:
            visible = [
                self._cloud.published(system)
                for system in self._cloud.systems
                if system.is_visible_to(account)
            ]
            return operation.of_account(visible, query, await _json(call.request))
        raise RefusalError(501)


def _response(call: _Call, body: object, status: int = 200) -> web.Response:
    response = web.json_response(body, status=status)
    if call.is_of_chargers:
        response.headers["Content-Type"] = _BYTES
    return response


async def _json(request: web.Request) -> object:
    try:
        return json.loads(await request.text() or "null")
    except ValueError:
        return None
