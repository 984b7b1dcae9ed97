"""Energies as Home Assistant's statistics tell them, and as they really flowed."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from custom_components.enphase_cloud.coordinator.statistics import statistic_id
from custom_components.enphase_cloud.energy.readings import (
    SETTLES_AFTER,
    Flow,
    top_of_hour,
)

from .energy_dashboard import complaints
from .home_assistant import Json
from .subject import Subject
from .waiting import until

_IMPORT_SECONDS: Final = 240
# Home Assistant makes statistics of a new sensor within five minutes.
_STATISTICS_SECONDS: Final = 320
# Hours of today have come, not only the day before.
_RECENT: Final = timedelta(hours=6)
# The gateway's last report is as old as this at most.
_LAST_REPORT: Final = timedelta(minutes=30)

_TRUE_FLOWS: Final[Mapping[Flow, str]] = {
    Flow.PRODUCTION: "production",
    Flow.CONSUMPTION: "consumption",
    Flow.GRID_IMPORT: "import",
    Flow.GRID_EXPORT: "export",
    Flow.BATTERY_CHARGE: "charge",
    Flow.BATTERY_DISCHARGE: "discharge",
}


async def until_imported(subject: Subject) -> None:
    """Wait until history is there, and the newest hours are. Raises DemoError."""

    async def is_imported() -> bool:
        shown = await subject.shown()
        told = [await newest_hour(subject, flow) for flow in Flow]
        recent = datetime.now(UTC) - _RECENT
        return shown["history_import"] == "100.0" and all(
            hour is not None and hour > recent for hour in told
        )

    await until("energies were imported", is_imported, seconds=_IMPORT_SECONDS)


async def until_accepted(subject: Subject) -> None:
    """Wait until the Energy dashboard finds nothing missing. Raises DemoError."""

    async def is_accepted() -> bool:
        return not await complaints(subject.home_assistant)

    await until("powers have statistics", is_accepted, seconds=_STATISTICS_SECONDS)


def settled_until(now: datetime) -> datetime:
    """Return the end of the hours that the cloud does not correct any more."""
    return top_of_hour(now - SETTLES_AFTER - _LAST_REPORT)


async def newest_hour(subject: Subject, flow: Flow) -> datetime | None:
    """Return the newest hour that is known of a flow."""
    now = datetime.now(UTC)
    told = await told_energies(subject, flow, "hour", now - timedelta(days=3), now)
    return max(told, default=None)


async def told_energies(
    subject: Subject, flow: Flow, period: str, start: datetime, end: datetime
) -> dict[datetime, float]:
    """Return the Wh of each hour, day or month that is known of a flow."""
    statistic = statistic_id(subject.system_id, flow)
    found: Json = await subject.home_assistant.command(
        "recorder/statistics_during_period",
        start_time=start.isoformat(),
        end_time=end.isoformat(),
        statistic_ids=[statistic],
        period=period,
        types=["change"],
        units={"energy": "Wh"},
    )
    return {
        datetime.fromtimestamp(row["start"] / 1000, UTC): row["change"]
        for row in found.get(statistic, [])
    }


async def true_energy(
    subject: Subject, flow: Flow, start: datetime, end: datetime
) -> float:
    """Return the Wh that really flowed between two moments."""
    return await subject.cloud.energy(subject.system_id, _TRUE_FLOWS[flow], start, end)
