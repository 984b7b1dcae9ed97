"""The part of the check that looks at energies: statistics, history, dashboard."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final

from custom_components.enphase_cloud.history import statistic_id
from custom_components.enphase_cloud.site.energy import SETTLES_AFTER, Flow

from .energy_dashboard import complaints, configure
from .home_assistant import Json
from .processes import DemoError
from .set_up import choose_options
from .subject import Subject
from .waiting import until

_WISH: Final = {"energy_updates": 1, "history": "day"}
_IMPORT_SECONDS: Final = 240
# Home Assistant makes statistics of a new sensor within five minutes.
_STATISTICS_SECONDS: Final = 320

# What is asked for all the same; intervals of the battery are such a document, too.
_POLLS: Final = ("summary", "telemetry_battery", "latest_telemetry", "token")
_HOUR: Final = timedelta(hours=1)
# Hours of today have come, not only the day before.
_RECENT: Final = timedelta(hours=6)
# The gateway's last report is as old as this at most.
_LAST_REPORT: Final = timedelta(minutes=30)
# The law of energy allows so much.
_TOLERANCE: Final = 0.001

_TRUE_FLOWS: Final[Mapping[Flow, str]] = {
    Flow.PRODUCTION: "production",
    Flow.CONSUMPTION: "consumption",
    Flow.GRID_IMPORT: "import",
    Flow.GRID_EXPORT: "export",
    Flow.BATTERY_CHARGE: "charge",
    Flow.BATTERY_DISCHARGE: "discharge",
}


async def check_energies(subject: Subject) -> None:
    """Wish for history, wait for it, and compare all hours and days with the truth."""
    report = subject.report
    report.heading("Energies: a week of hours, all days, and the Energy dashboard")
    spent = await subject.calls()
    await choose_options(subject.home_assistant, subject.entry_id, energy=_WISH)
    await until(
        "energies were imported", lambda: _is_done(subject), seconds=_IMPORT_SECONDS
    )
    spent = await subject.calls() - spent
    for operation in _POLLS:
        del spent[operation]
    report.expect(
        f"It took {spent.total()} calls, no document was asked for twice",
        holds=set(spent.values()) == {1},
        found=dict(spent),
    )
    now = datetime.now(UTC)
    settled = (now - SETTLES_AFTER - _LAST_REPORT).replace(
        minute=0, second=0, microsecond=0
    )
    for flow in Flow:
        await _check_hours(subject, flow, settled - timedelta(days=6), settled)
        await _check_months(subject, flow)
    await configure(subject.home_assistant, subject.system_id)
    with suppress(DemoError):
        await until(
            "powers have statistics",
            lambda: _is_accepted(subject),
            seconds=_STATISTICS_SECONDS,
        )
    found = await complaints(subject.home_assistant)
    report.expect("The Energy dashboard accepts it all", holds=not found, found=found)


async def _is_accepted(subject: Subject) -> bool:
    return not await complaints(subject.home_assistant)


async def _is_done(subject: Subject) -> bool:
    """Tell whether history is there, and the newest hours are."""
    shown = await subject.shown()
    told = [await _newest_hour(subject, flow) for flow in Flow]
    recent = datetime.now(UTC) - _RECENT
    return shown["history_import"] == "100.0" and all(
        hour is not None and hour > recent for hour in told
    )


async def _check_hours(
    subject: Subject, flow: Flow, start: datetime, end: datetime
) -> None:
    told = await _statistics(subject, flow, "hour", start, end)
    missing = int((end - start) / _HOUR) - len(told)
    error = total = 0.0
    for hour, energy in told.items():
        true = await _truth(subject, flow, hour, hour + _HOUR)
        error += abs(energy - true)
        total += true
    subject.report.expect(
        f"{len(told)} hours of {flow}: {total / 1000:.1f} kWh as they flowed",
        holds=not missing and error <= _TOLERANCE * total,
        found=f"{missing} missing, {error:.0f} Wh off",
    )


async def _check_months(subject: Subject, flow: Flow) -> None:
    now = datetime.now(UTC)
    told = await _statistics(subject, flow, "month", now - timedelta(days=800), now)
    lifetime = sum(told.values())
    newest = await _newest_hour(subject, flow)
    true = 0.0
    if told and newest is not None:
        true = await _truth(subject, flow, min(told), newest + _HOUR)
    subject.report.expect(
        f"{len(told)} months of {flow}: {lifetime / 1000:.1f} kWh as they flowed",
        holds=len(told) > 1 and abs(lifetime - true) <= _TOLERANCE * true,
        found=f"the truth is {true / 1000:.1f} kWh",
    )


async def _newest_hour(subject: Subject, flow: Flow) -> datetime | None:
    now = datetime.now(UTC)
    told = await _statistics(subject, flow, "hour", now - timedelta(days=3), now)
    return max(told, default=None)


async def _statistics(
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


async def _truth(subject: Subject, flow: Flow, start: datetime, end: datetime) -> float:
    return await subject.cloud.energy(subject.system_id, _TRUE_FLOWS[flow], start, end)
