"""What tests of energy share: requests for energy, and the recorded statistics."""

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final
from unittest.mock import patch

from homeassistant.components.recorder.statistics import (
    StatisticsRow,
    statistics_during_period,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance
from homeassistant.util import dt as dt_util

from custom_components.enphase_cloud.api import (
    Endpoint,
    EnphaseCloudClient,
    RequestWithheldError,
)
from custom_components.enphase_cloud.coordinator.statistics import statistic_id
from custom_components.enphase_cloud.energy.readings import HOUR
from custom_components.enphase_cloud.measurements.catalog import Flow

from .helpers import pass_time

FLOWS: Final = {
    Flow.PRODUCTION: "production",
    Flow.CONSUMPTION: "consumption",
    Flow.GRID_IMPORT: "import",
    Flow.GRID_EXPORT: "export",
    Flow.BATTERY_CHARGE: "charge",
    Flow.BATTERY_DISCHARGE: "discharge",
}
"""The simulator's name of each flow."""

POLLS: Final = {"summary", "latest_telemetry"}
LIFETIMES: Final = {
    "energy_lifetime",
    "consumption_lifetime",
    "energy_import_lifetime",
    "energy_export_lifetime",
    "battery_lifetime",
}
INTERVALS: Final = {
    "telemetry_production_meter",
    "telemetry_consumption_meter",
    "energy_import_telemetry",
    "energy_export_telemetry",
}

type EnergyRequest = tuple[str, datetime | None]
"""System id and document, and the start of the requested week; None for days."""


@contextmanager
def capture_energy_requests() -> Generator[list[EnergyRequest]]:
    """Capture each request for energy that the client sends."""
    requests: list[EnergyRequest] = []

    get = EnphaseCloudClient.get

    async def capture(
        client: EnphaseCloudClient, endpoint: Endpoint[Any], **options: Any
    ) -> Any:
        query = options.get("query", {})
        if not (endpoint.name.endswith("_lifetime") or "granularity" in query):
            return await get(client, endpoint, **options)
        start = query.get("start_at")
        requests.append(
            request := (
                f"{options['system_id']} {endpoint.name}",
                None if start is None else dt_util.utc_from_timestamp(start),
            )
        )
        try:
            return await get(client, endpoint, **options)
        except RequestWithheldError:
            # It was not sent.
            requests.remove(request)
            raise

    with patch.object(EnphaseCloudClient, "get", capture):
        yield requests


def request_counts(requests: list[EnergyRequest]) -> Counter[EnergyRequest]:
    """Return how often each window was requested."""
    return Counter(requests)


advance = partial(pass_time, step=timedelta(minutes=5))
"""Let time pass in steps of five minutes, and fire the timers that are due."""


async def recorded(
    hass: HomeAssistant, system_id: int, flow: Flow
) -> dict[datetime, float]:
    """Return the recorded energy [Wh] of a flow by hour; check that sums never fall."""
    statistic = statistic_id(system_id, flow)
    found: dict[str, list[StatisticsRow]]
    found = await get_instance(hass).async_add_executor_job(
        statistics_during_period,
        hass,
        datetime(2000, 1, 1, tzinfo=UTC),
        None,
        {statistic},
        "hour",
        {"energy": "Wh"},
        {"change", "sum"},
    )
    rows = found.get(statistic, [])
    sums = [row["sum"] or 0 for row in rows]
    assert sums == sorted(sums)
    return {
        dt_util.utc_from_timestamp(row["start"]): round(row["change"] or 0)
        for row in rows
    }


async def all_recorded(
    hass: HomeAssistant, system_id: int
) -> dict[Flow, dict[datetime, float]]:
    """Return the recorded energy [Wh] by flow and hour."""
    return {flow: await recorded(hass, system_id, flow) for flow in Flow}


def hours_between(start: datetime, end: datetime) -> list[datetime]:
    """Return the hours that begin and end between two times."""
    first = start.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    if first < start:
        first += HOUR
    return [first + number * HOUR for number in range((end - first) // HOUR)]
