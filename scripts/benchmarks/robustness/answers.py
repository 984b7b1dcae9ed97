"""What the cloud answers: documents, error bodies and tokens, from their bytes on."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
import json
from random import Random
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from custom_components.enphase_cloud.api import (
    Alarms,
    ApiError,
    BatteryTelemetry,
    DailyBatteryEnergies,
    DailyEnergies,
    Devices,
    Endpoint,
    EnergyIntervals,
    EnphaseCloudError,
    Events,
    EventTypes,
    InvertersSummary,
    LatestTelemetry,
    MalformedAnswerError,
    Summary,
)
from custom_components.enphase_cloud.api.endpoints import (
    CONSUMPTION_TELEMETRY,
    ENDPOINTS,
    EXPORT_TELEMETRY,
    IMPORT_TELEMETRY,
    PRODUCTION_METER_TELEMETRY,
    PRODUCTION_MICRO_TELEMETRY,
)
from custom_components.enphase_cloud.api.error_bodies import success
from custom_components.enphase_cloud.api.models.system import SystemsPage
from custom_components.enphase_cloud.api.token import token_of
from custom_components.enphase_cloud.api.transport import (
    DOCUMENT_LIMIT,
    ERROR_LIMIT,
    Answer,
    parse_json,
)
from custom_components.enphase_cloud.documents.base import Known
from custom_components.enphase_cloud.documents.readings import (
    read_battery_telemetry,
    read_latest_telemetry,
    read_summary,
)
from custom_components.enphase_cloud.energy.parsing import (
    battery_intervals,
    readings_of_days,
    readings_of_intervals,
)
from custom_components.enphase_cloud.energy.readings import hourly
from custom_components.enphase_cloud.measurements.samples import (
    NOTHING,
    Samples,
    advance,
    to_json,
)
from custom_components.enphase_cloud.measurements.system import SYSTEM, SystemInfo
from simulator import Cloud, EvCharger, HeatPump
from simulator.documents import alarms, devices, inverters, lifetime, systems, telemetry
from simulator.errors import RefusalError

from .absurd import bytes_like
from .boards import board_with_battery
from .targets import Target

_COUNT: Final = 100_000
_NOW: Final = datetime(2026, 6, 21, 10, 7, tzinfo=UTC)
_TIME_ZONE: Final = ZoneInfo("Europe/Berlin")
_KNOWN: Final = Known(
    info=SystemInfo(system_id=7, name="Home", time_zone=_TIME_ZONE),
    board=board_with_battery(),
    fetched_at=_NOW,
)
_POWER_LIMIT: Final = 10_000.0
_KEPT_ITEMS: Final = 4
_STATUSES: Final = (200, 302, 400, 401, 403, 404, 422, 429, 466, 472, 500, 503, 599)

type _Document = Mapping[str, Any]


class _Refusal(NamedTuple):
    operation: str
    answer: Answer


def _documents() -> dict[str, _Document]:
    """Return what a cloud answers, each series cut to a few intervals or days."""
    cloud = Cloud(lambda: _NOW)
    owner = cloud.add_account(email="owner@example.com", password="secret")
    application = cloud.add_application(
        client_id="client", client_secret="secret", api_key="key"
    )
    published = cloud.published(cloud.add_system(owner, battery=2))
    handlers = (
        systems.summary,
        telemetry.battery,
        telemetry.latest_telemetry,
        telemetry.production_micro,
        telemetry.production_meter,
        telemetry.consumption_meter,
        telemetry.energy_import_telemetry,
        telemetry.energy_export_telemetry,
        lifetime.energy_lifetime,
        lifetime.battery_lifetime,
    )
    documents = {handler.__name__: handler(published, {}) for handler in handlers}
    small = cloud.add_system(owner, battery=1, size_w=1_700)
    small.heat_pump, small.ev_chargers = HeatPump(), (EvCharger(serial="380017"),)
    small.open_alarm("micro_silent", _NOW)
    wanted: dict[str, object] = {"system": {}}
    return {
        **{name: _cut(document) for name, document in documents.items()},
        **{
            handler.__name__: handler(cloud.published(small), {})
            for handler in (
                devices.devices,
                inverters.inverters_summary,
                alarms.open_alarms,
                alarms.open_events,
            )
        },
        "event_types": alarms.event_types([], {"event_type_id": "101"}, None),
        "systems": systems.search([published], {"live_stream": "true"}, wanted),
        "token": cloud.tokens.issue(application, owner, _NOW),
    }


def _cut(document: _Document) -> _Document:
    return {
        name: item[:_KEPT_ITEMS] if isinstance(item, list) else item
        for name, item in document.items()
    }


_DOCUMENTS: Final = _documents()


def _target(name: str, document: str, read: Callable[[_Document], object]) -> Target:
    return Target(
        name=name,
        count=_COUNT,
        generate=bytes_like(_DOCUMENTS[document], limit=DOCUMENT_LIMIT),
        run=lambda body: read(parse_json(body)),
        documented=(MalformedAnswerError,),
    )


def _summary(document: _Document) -> None:
    _shown(read_summary(Summary.from_api(document), _KNOWN)[SYSTEM])


def _latest(document: _Document) -> None:
    latest = LatestTelemetry.from_api(document)
    _shown(read_latest_telemetry(latest, _KNOWN)[SYSTEM])


def _battery(document: _Document) -> None:
    telemetry = BatteryTelemetry.from_api(document)
    _shown(read_battery_telemetry(telemetry, _KNOWN)[SYSTEM])
    for intervals in battery_intervals(telemetry).values():
        _counted(intervals)


def _shown(samples: Samples) -> None:
    """Let samples become known, and be stored."""
    json.dumps(to_json(advance(NOTHING, samples, now=_NOW)), allow_nan=False)


def _intervals(
    endpoint: Endpoint[EnergyIntervals],
) -> Callable[[_Document], None]:
    return lambda document: _counted(endpoint.read(document))


def _counted(intervals: EnergyIntervals) -> None:
    hourly(readings_of_intervals(intervals, fetched_at=_NOW, power_limit=_POWER_LIMIT))


def _days(document: _Document) -> None:
    _counted_days(DailyEnergies.from_api(document, member="production"))


def _battery_days(document: _Document) -> None:
    energies = DailyBatteryEnergies.from_api(document)
    _counted_days(energies.charged)
    _counted_days(energies.discharged)


def _counted_days(daily: DailyEnergies) -> None:
    hourly(
        readings_of_days(
            daily, fetched_at=_NOW, time_zone=_TIME_ZONE, power_limit=_POWER_LIMIT
        )
    )


def _refusals() -> Callable[[Random], _Refusal]:
    """Return what makes refusals of any operation, in any of the cloud's shapes."""
    quota = {
        "period": "month",
        "period_start": 1_780_272_000,
        "period_end": 1_782_864_000,
        "limit": 1_000,
    }
    shapes = [
        bytes_like(body, limit=ERROR_LIMIT)
        for status in _STATUSES
        for body in (
            RefusalError(status, extra=quota).body(),
            RefusalError(status).live_body(_NOW),
        )
    ]

    def generate(random: Random) -> _Refusal:
        operation = random.choice(ENDPOINTS).name
        body = random.choice(shapes)(random)
        return _Refusal(operation, Answer(random.choice(_STATUSES), body))

    return generate


def _tokens() -> Callable[[Random], Answer]:
    expired = {"error": "invalid_grant", "error_description": "Expired"}
    shapes = (
        bytes_like(_DOCUMENTS["token"], limit=DOCUMENT_LIMIT),
        bytes_like(expired, limit=ERROR_LIMIT),
        bytes_like(RefusalError(401).body(), limit=ERROR_LIMIT),
    )
    return lambda random: Answer(
        random.choice(_STATUSES), random.choice(shapes)(random)
    )


ANSWERS: Final = (
    _target("summary", "summary", _summary),
    _target("latest telemetry", "latest_telemetry", _latest),
    _target("battery telemetry", "battery", _battery),
    _target("systems", "systems", SystemsPage.from_api),
    _target("devices", "devices", Devices.from_api),
    _target("inverters", "inverters_summary", InvertersSummary.from_api),
    _target("alarms", "open_alarms", Alarms.from_api),
    _target("events", "open_events", Events.from_api),
    _target("types of events", "event_types", EventTypes.from_api),
    *(
        _target(endpoint.name, handler.__name__, _intervals(endpoint))
        for endpoint, handler in (
            (PRODUCTION_MICRO_TELEMETRY, telemetry.production_micro),
            (PRODUCTION_METER_TELEMETRY, telemetry.production_meter),
            (CONSUMPTION_TELEMETRY, telemetry.consumption_meter),
            (IMPORT_TELEMETRY, telemetry.energy_import_telemetry),
            (EXPORT_TELEMETRY, telemetry.energy_export_telemetry),
        )
    ),
    _target("daily energies", "energy_lifetime", _days),
    _target("daily battery energies", "battery_lifetime", _battery_days),
    Target(
        name="error bodies",
        count=_COUNT,
        generate=_refusals(),
        run=lambda refusal: success(refusal.operation, refusal.answer),
        documented=(ApiError,),
    ),
    Target(
        name="tokens",
        count=_COUNT,
        generate=_tokens(),
        run=token_of,
        documented=(EnphaseCloudError,),
    ),
)
