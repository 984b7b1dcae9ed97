"""Responses of the cloud: documents, error bodies and tokens, from their bytes on."""

from collections.abc import Callable
from datetime import UTC, datetime
import json
from random import Random
from typing import Any, Final
from zoneinfo import ZoneInfo

from custom_components.enphase_cloud.api import (
    ApiError,
    Endpoint,
    EnphaseCloudError,
    MalformedResponseError,
)
from custom_components.enphase_cloud.api.endpoints import (
    DEVICES,
    ENDPOINTS,
    EV_CHARGER_EVENTS,
    EVENT_TYPES,
    INVERTERS_SUMMARY,
    OPEN_ALARMS,
    OPEN_EVENTS,
    PRODUCTION_MICRO_TELEMETRY,
    SEARCH_SYSTEMS,
)
from custom_components.enphase_cloud.api.error_bodies import successful_body
from custom_components.enphase_cloud.api.token import token_of
from custom_components.enphase_cloud.api.transport import (
    DOCUMENT_LIMIT,
    ERROR_LIMIT,
    HttpResponse,
    parse_json,
)
from custom_components.enphase_cloud.documents.base import AnyDocument, Known
from custom_components.enphase_cloud.documents.table import DOCUMENTS
from custom_components.enphase_cloud.energy.flows import (
    ENERGY_SOURCES,
    EnergySource,
    readings_of_dailies,
    readings_of_week,
)
from custom_components.enphase_cloud.energy.readings import hourly
from custom_components.enphase_cloud.measurements.catalog import (
    Flow,
    Measurement,
    Source,
)
from custom_components.enphase_cloud.measurements.samples import (
    NOTHING,
    Sample,
    advance,
    to_json,
)
from custom_components.enphase_cloud.measurements.system import (
    Device,
    DeviceKind,
    SystemInfo,
)
from simulator import Charger, Cloud, EvCharger, HeatPump, Load
from simulator.documents import alarms, systems
from simulator.errors import RefusalError
from simulator.operations import find

from .absurd import bytes_like
from .single_devices import SINGLE_DEVICES
from .targets import Target, board_with_battery

_COUNT: Final = 100_000
_NOW: Final = datetime(2026, 6, 21, 10, 7, tzinfo=UTC)
_TIME_ZONE: Final = ZoneInfo("Europe/Berlin")
_CHARGER: Final = "202620010308"
_KNOWN: Final = Known(
    info=SystemInfo(system_id=7, name="Home", time_zone=_TIME_ZONE),
    board=board_with_battery(),
    fetched_at=_NOW,
    device=Device(DeviceKind.CHARGER, _CHARGER),
)
_LIMITS: Final = dict.fromkeys(Flow, 10_000.0)
_KEPT_ITEMS: Final = 4
_STATUSES: Final = (200, 302, 400, 401, 403, 404, 422, 429, 466, 472, 500, 503, 599)
_QUOTA: Final = {
    "period": "month",
    "period_start": 1_780_272_000,
    "period_end": 1_782_864_000,
    "limit": 1_000,
}
_CLOUD: Final = Cloud(lambda: _NOW)
_OWNER: Final = _CLOUD.add_account(email="owner@example.com", password="secret")
_SYSTEM: Final = _CLOUD.add_system(_OWNER, battery=2, size_w=1_700)
_SYSTEM.heat_pump, _SYSTEM.ev_chargers = HeatPump(), (EvCharger(serial="380017"),)
_SYSTEM.install_charger(Charger(serial=_CHARGER, habit=1))
_SYSTEM.install_loads(Load(name="NC1", load_name="Pool pump", share_percent=15))
_SYSTEM.open_alarm("micro_silent", _NOW)
_APPLICATION: Final = _CLOUD.add_application(
    client_id="client", client_secret="secret", api_key="key"
)


def _target(
    endpoint: Endpoint[Any],
    document: object,
    use: Callable[[Any], object],
    name: str | None = None,
) -> Target:
    """Return a target that reads and uses responses that resemble a document."""
    return Target(
        name or endpoint.name,
        _COUNT,
        bytes_like(document, limit=DOCUMENT_LIMIT),
        lambda body: use(endpoint.read(parse_json(body))),
        documented=(MalformedResponseError,),
    )


def _of_system(
    endpoint: Endpoint[Any], use: Callable[[Any], object], name: str | None = None
) -> Target:
    """Return a target for a system's responses, with each list cut to a few items."""
    path = endpoint.path_of(system_id=_SYSTEM.system_id, serial_no=_CHARGER)
    found = (each for each, _ in find(f"/{path}"))
    (operation,) = (each for each in found if each.method == endpoint.method)
    published = _CLOUD.published(_SYSTEM)
    if operation.of_charger is not None:
        query = {"start_date": "20260620"}
        document: Any = operation.of_charger(published, _CHARGER, query)
    else:
        assert operation.of_system is not None
        document = operation.of_system(published, {})
    if isinstance(document, dict):
        document = {
            name: item[:_KEPT_ITEMS] if isinstance(item, list) else item
            for name, item in document.items()
        }
    return _target(endpoint, document, use, name)


def _ignored(_document: object) -> None:
    """Do nothing: reading the response is the test."""


def _polled(document: AnyDocument) -> Target:
    """Return a target that reads samples from a document, and stores them."""

    def use(read: Any) -> None:
        if document.endpoint.page_size is not None:
            read = [*read.by_id.values()]
        if document.each is not None and document.learn is not None:
            document.learn(read, _KNOWN)
        for samples in document.read(read, _KNOWN).values():
            known = advance(NOTHING, samples, now=_NOW)
            json.dumps(to_json(known), allow_nan=False)

    if (single := dict(SINGLE_DEVICES).get(document.endpoint)) is not None:
        return _target(document.endpoint, single, use, f"{document.source} document")
    return _of_system(document.endpoint, use)


def _intervals(row: EnergySource, endpoint: Endpoint[Any]) -> Target:
    """Return a target that reads hourly energy from intervals."""

    def use(read: Any) -> None:
        intervals = row.read_intervals(read)
        for readings in readings_of_week(intervals, _LIMITS, fetched_at=_NOW).values():
            hourly(readings)

    return _of_system(endpoint, use, name=f"{endpoint.name} by the hour")


def _days(row: EnergySource) -> Target:
    """Return a target that reads hourly energy from days."""

    def use(read: Any) -> None:
        for readings in readings_of_dailies(
            row.read_days(read), _LIMITS, fetched_at=_NOW, time_zone=_TIME_ZONE
        ).values():
            hourly(readings)

    return _of_system(row.days, use)


def _refusals() -> Callable[[Random], tuple[str, HttpResponse]]:
    """Return a generator of refusals of any operation, in any of the cloud's shapes."""
    shapes = [
        bytes_like(body, limit=ERROR_LIMIT)
        for status in _STATUSES
        for body in (
            RefusalError(status, extra=_QUOTA).body(),
            RefusalError(status).live_body(_NOW),
        )
    ]
    return lambda random: (random.choice(ENDPOINTS).name, _response(random, shapes))


def _tokens() -> Callable[[Random], HttpResponse]:
    token = _CLOUD.tokens.issue(_APPLICATION, _OWNER, _NOW)
    expired = {"error": "invalid_grant", "error_description": "Expired"}
    shapes = [
        bytes_like(body, limit=ERROR_LIMIT)
        for body in (token, expired, RefusalError(401).body())
    ]
    return lambda random: _response(random, shapes)


def _response(random: Random, shapes: list[Callable[[Random], bytes]]) -> HttpResponse:
    return HttpResponse(random.choice(_STATUSES), random.choice(shapes)(random))


_ROWS: Final = tuple(ENERGY_SOURCES.values())
_METERED: Final = Sample("meter", _NOW, Source.SUMMARY)
_KNOWN.board.put(Source.SUMMARY, {Measurement.PRODUCTION_SOURCE: _METERED})
ANSWERS: Final = (
    *map(_polled, DOCUMENTS),
    *(_intervals(row, row.intervals(_KNOWN.board)) for row in _ROWS),
    _intervals(_ROWS[0], PRODUCTION_MICRO_TELEMETRY),
    *map(_days, _ROWS),
    _target(
        SEARCH_SYSTEMS,
        systems.search([_CLOUD.published(_SYSTEM)], {}, {"system": {}}),
        _ignored,
    ),
    _target(
        EVENT_TYPES,
        alarms.event_types([], {"event_type_id": "101"}, None),
        _ignored,
    ),
    *(
        _of_system(endpoint, _ignored)
        for endpoint in (
            DEVICES,
            EV_CHARGER_EVENTS,
            INVERTERS_SUMMARY,
            OPEN_ALARMS,
            OPEN_EVENTS,
        )
    ),
    *(_target(endpoint, document, _ignored) for endpoint, document in SINGLE_DEVICES),
    Target(
        "error bodies",
        _COUNT,
        _refusals(),
        lambda refusal: successful_body(*refusal, is_write=True),
        documented=(ApiError,),
    ),
    Target("tokens", _COUNT, _tokens(), token_of, documented=(EnphaseCloudError,)),
)
