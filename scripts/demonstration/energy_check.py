"""The part of the check that looks at energies: statistics, history, dashboard."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final

from custom_components.enphase_cloud.energy.readings import HOUR, Flow

from .energies import (
    newest_hour,
    settled_until,
    told_energies,
    true_energy,
    until_accepted,
    until_imported,
)
from .energy_dashboard import complaints, configure
from .processes import DemoError
from .set_up import choose_options
from .subject import Subject

_WISH: Final = {"energy_updates": 1, "history": "day"}
# What is asked for all the same; intervals of the battery are such a document, too.
_POLLS: Final = ("summary", "telemetry_battery", "latest_telemetry", "token")
# The law of energy allows so much.
_TOLERANCE: Final = 0.001


async def check_energies(subject: Subject) -> None:
    """Wish for history, wait for it, and compare all hours and days with the truth."""
    report = subject.report
    report.heading("Energies: a week of hours, all days, and the Energy dashboard")
    spent = await subject.calls()
    await choose_options(subject.home_assistant, subject.entry_id, energy=_WISH)
    await until_imported(subject)
    spent = await subject.calls() - spent
    for operation in _POLLS:
        del spent[operation]
    report.expect(
        f"It took {spent.total()} calls, no document was asked for twice",
        holds=set(spent.values()) == {1},
        found=dict(spent),
    )
    now = datetime.now(UTC)
    settled = settled_until(now)
    for flow in Flow:
        await _check_hours(subject, flow, settled - timedelta(days=6), settled)
        await _check_months(subject, flow)
    await configure(subject.home_assistant, subject.system_id)
    with suppress(DemoError):
        await until_accepted(subject)
    found = await complaints(subject.home_assistant)
    report.expect("The Energy dashboard accepts it all", holds=not found, found=found)


async def _check_hours(
    subject: Subject, flow: Flow, start: datetime, end: datetime
) -> None:
    told = await told_energies(subject, flow, "hour", start, end)
    missing = int((end - start) / HOUR) - len(told)
    error = total = 0.0
    for hour, energy in told.items():
        true = await true_energy(subject, flow, hour, hour + HOUR)
        error += abs(energy - true)
        total += true
    subject.report.expect(
        f"{len(told)} hours of {flow}: {total / 1000:.1f} kWh as they flowed",
        holds=not missing and error <= _TOLERANCE * total,
        found=f"{missing} missing, {error:.0f} Wh off",
    )


async def _check_months(subject: Subject, flow: Flow) -> None:
    now = datetime.now(UTC)
    told = await told_energies(subject, flow, "month", now - timedelta(days=800), now)
    lifetime = sum(told.values())
    newest = await newest_hour(subject, flow)
    true = 0.0
    if told and newest is not None:
        true = await true_energy(subject, flow, min(told), newest + HOUR)
    subject.report.expect(
        f"{len(told)} months of {flow}: {lifetime / 1000:.1f} kWh as they flowed",
        holds=len(told) > 1 and abs(lifetime - true) <= _TOLERANCE * true,
        found=f"the truth is {true / 1000:.1f} kWh",
    )
