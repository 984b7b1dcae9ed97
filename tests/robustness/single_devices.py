"""Documents of single devices of a system."""

from typing import Any, Final

from custom_components.enphase_cloud.api import Endpoint
from custom_components.enphase_cloud.api.endpoints import (
    ENCHARGE_TELEMETRY,
    EVSE_LIFETIME,
    EVSE_TELEMETRY,
    HEAT_PUMP_LIFETIME,
    HEAT_PUMP_TELEMETRY,
    MICRO_TELEMETRY,
    MICROS_TELEMETRY,
    RETRIEVE_SYSTEM_ID,
    RGM_STATS,
)

_NOON: Final = 1_782_036_000


def _intervals(minutes: int, **members: Any) -> list[dict[str, Any]]:
    return [{"end_at": _NOON + 60 * minutes * step} | members for step in range(3)]


_WINDOW: Final = {
    "system_id": 7,
    "granularity": "day",
    "total_devices": 1,
    "start_at": _NOON,
    "end_at": _NOON + 2_700,
    "items": "intervals",
}
_MICRO: Final = {
    "serial_number": "482126010001",
    "intervals": _intervals(5, powr=204, enwh=17),
}
_CONSUMED: Final = _WINDOW | {
    "interval_duration": "15mins",
    "intervals": _intervals(15, wh_consumed=310),
}
_DAYS: Final = {
    "system_id": 7,
    "start_date": "2026-06-18",
    "end_date": "2026-06-21",
    "consumption": [0, 8_120, -640, 4_030],
}
_METERS: Final = {
    "system_id": 7,
    "total_devices": 2,
    "meta": {"status": "normal", "last_report_at": _NOON},
    "intervals": _intervals(15, devices_reporting=2, wh_del=612),
    "meter_intervals": [
        {
            "meter_serial_number": f"12212600{meter}EIM1",
            "envoy_serial_number": "122126000000",
            "intervals": _intervals(15, channel=1, wh_del=306.4, curr_w=1_226),
        }
        for meter in (1, 2)
    ],
}
_BATTERY: Final = _WINDOW | {
    "serial_number": "492126010001",
    "intervals": _intervals(
        15, charge={"enwh": 210}, discharge={"enwh": 0}, soc={"percent": 61}
    ),
    "last_reported_time": _NOON + 2_700,
    "last_reported_soc": "63%",
}

SINGLE_DEVICES: Final[tuple[tuple[Endpoint[Any], dict[str, Any]], ...]] = (
    (MICROS_TELEMETRY, _WINDOW | {"page": 1, "page_size": 1, "devices": [_MICRO]}),
    (MICRO_TELEMETRY, _WINDOW | _MICRO),
    (ENCHARGE_TELEMETRY, _BATTERY),
    (EVSE_LIFETIME, _DAYS),
    (EVSE_TELEMETRY, _CONSUMED),
    (HEAT_PUMP_LIFETIME, _DAYS),
    (HEAT_PUMP_TELEMETRY, _CONSUMED),
    (RGM_STATS, _METERS),
    (RETRIEVE_SYSTEM_ID, {"system_id": 7}),
)
"""Endpoints, each with a document of the cloud."""
