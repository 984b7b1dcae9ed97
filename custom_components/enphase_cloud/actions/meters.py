"""The action that reads the registers of meters, one API call per kind of meter."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from homeassistant.core import ServiceCall, ServiceResponse
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.util import dt as dt_util
import voluptuous as vol

from ..api import EnphaseCloudError, ProductionSource
from ..api.endpoints import (
    CONSUMPTION_METER_READINGS,
    PRODUCTION_METER_READINGS,
    STORAGE_METER_READINGS,
    Endpoint,
)
from ..api.models import MeterReadings, MeterRegister
from ..coordinator.error_policy import explained_to_user, foreseen
from ..data import EnphaseSystem
from ..errors import translated
from ..measurements.board import Board
from ..measurements.catalog import Measurement, Source
from ..quota.ledger import Purpose
from ..runtime.key_budget import for_the_user
from .targets import TARGET, async_targeted_systems, of_our_time, response

_ATTR_AT: Final = "at"


class _Meters(NamedTuple):
    """A kind of meter; `source` is one that needs the same access control."""

    endpoint: Endpoint[MeterReadings]
    source: Source
    exist: Callable[[Board, datetime], bool]


_METERS: Final[Mapping[str, _Meters]] = {
    "production": _Meters(
        endpoint=PRODUCTION_METER_READINGS,
        source=Source.PRODUCTION_INTERVALS,
        exist=lambda board, _now: _has_production_meter(board),
    ),
    "consumption": _Meters(
        endpoint=CONSUMPTION_METER_READINGS,
        source=Source.CONSUMPTION_INTERVALS,
        exist=lambda board, now: board.has_consumption_meter(now),
    ),
    "storage": _Meters(
        endpoint=STORAGE_METER_READINGS,
        source=Source.BATTERY_INTERVALS,
        exist=lambda board, _now: board.has_battery(),
    ),
}


SCHEMA: Final = vol.Schema(
    {**TARGET, vol.Optional(_ATTR_AT): vol.All(cv.datetime, of_our_time)}
)


async def async_get_meter_readings(call: ServiceCall) -> ServiceResponse:
    """Return the registers of the meters that each system has."""
    systems = await async_targeted_systems(call)
    meters = [(system, _meters(system)) for system in systems]
    responses: dict[str, Any] = {}
    for system, kinds in meters:
        query = _query(system, call.data.get(_ATTR_AT))
        result = {
            kind: [_fields(each, system) for each in readings.registers]
            for kind in kinds
            if (readings := await _async_read(system, _METERS[kind], query))
        }
        responses |= response(system, result)
    return responses


def _meters(system: EnphaseSystem) -> list[str]:
    """Return the kinds of meters that a system has.

    Raises HomeAssistantError where the cloud does not show the system, and
    ServiceValidationError where it has no meters.
    """
    if (hidden := system.store.hidden) is not None:
        raise translated(HomeAssistantError, "system_not_visible", until=hidden.until)
    now = dt_util.utcnow()
    kinds = [kind for kind, each in _METERS.items() if each.exist(system.board, now)]
    if not kinds:
        raise translated(ServiceValidationError, "no_meters", name=system.info.name)
    return kinds


def _has_production_meter(board: Board) -> bool:
    source = board.newest().get(Measurement.PRODUCTION_SOURCE)
    return source is not None and source.value == ProductionSource.METER


def _query(system: EnphaseSystem, at: datetime | None) -> dict[str, int]:
    if at is None:
        return {}
    moment = at if at.tzinfo else at.replace(tzinfo=system.info.time_zone)
    return {"end_at": int(min(moment, dt_util.utcnow()).timestamp())}


async def _async_read(
    system: EnphaseSystem, meters: _Meters, query: Mapping[str, int]
) -> MeterReadings:
    """Request the registers of one kind of meters, on the user's reserve."""
    shared, now = system.context.shared, dt_util.utcnow()
    # Checked here, for a refused call would renew the token first.
    if (
        withheld := shared.budget.ledger.refusal(now, purpose=Purpose.USER)
    ) is not None:
        raise translated(HomeAssistantError, "budget_exhausted", until=withheld.until)
    try:
        with foreseen(), for_the_user():
            return await shared.client.get(
                meters.endpoint, query=query, system_id=system.info.system_id
            )
    except EnphaseCloudError as err:
        raise explained_to_user(system.context, err, meters.source) from None


def _fields(register: MeterRegister, system: EnphaseSystem) -> dict[str, Any]:
    zone, read_at = system.info.time_zone, register.read_at
    fields = {
        "serial_number": register.serial_number,
        "read_at": read_at and read_at.astimezone(zone).isoformat(),
        "energy_wh": register.energy,
        "charged_wh": register.charged,
        "discharged_wh": register.discharged,
    }
    return {
        key: round(value) if isinstance(value, float) else value
        for key, value in fields.items()
        if value is not None
    }
