"""Take the pictures of the Energy dashboard, and see that they show the truth."""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from aiohttp import ClientSession
from playwright.async_api import Browser, ViewportSize

from custom_components.enphase_cloud.coordinator.statistics import statistic_id
from custom_components.enphase_cloud.energy.readings import HOUR, Flow

from .credentials import demo_credentials, systems_of
from .energies import (
    newest_hour,
    settled_until,
    true_energy,
    until_accepted,
    until_imported,
)
from .energy_dashboard import configure
from .home_assistant import Json
from .processes import DemoError
from .report import Report
from .set_up import TIME_ZONE, add_integration
from .stage import Stage
from .subject import Subject
from .visitor import Visitor

_SIZE: Final[ViewportSize] = {"width": 1280, "height": 1410}
_WISH: Final = {"energy_updates": 24, "history": "day"}

# The dashboard computes consumption itself, out of the others.
_SHOWN: Final = [flow for flow in Flow if flow is not Flow.CONSUMPTION]
_UNIT: Final = "kWh"
# Of what is shown with two places; the newest hours may still be corrected.
_TOLERANCE: Final = 0.001
_LEAST_TOLERANCE_KWH: Final = 0.02

_PERIOD: Final = "hui-energy-period-selector"
_TOTALS: Final = "hui-energy-sources-table-card"


async def take_energy_pictures(
    session: ClientSession, browser: Browser, stage: Stage
) -> None:
    """Let an empty stage import energies, and take pictures of the dashboard.

    Raises DemoError where a picture shows other totals than what really flowed.
    """
    subject = await _with_energies(session, stage)
    async with Visitor.visiting(
        browser, stage.home_assistant.url, time_zone=TIME_ZONE
    ) as visitor:
        await visitor.log_in()
        await visitor.page.set_viewport_size(_SIZE)
        for name, (choice, start, end) in _periods(datetime.now(UTC)).items():
            await visitor.go("/energy/electricity")
            await _choose(visitor, choice)
            await _compare(visitor, subject, name, start, end)
            await visitor.shoot(f"energy-{name}")
        await until_accepted(subject)
        await visitor.go("/config/energy/electricity")
        await visitor.page.get_by_text("Home battery storage").wait_for()
        await visitor.shoot("energy-settings")
    if subject.report.failures:
        raise DemoError("The Energy dashboard does not show the truth.")


async def _with_energies(session: ClientSession, stage: Stage) -> Subject:
    """Set a system with batteries up, and wait for its energies."""
    credentials = demo_credentials()
    entry = await add_integration(
        session, stage.home_assistant, credentials, energy=_WISH
    )
    subject = Subject(
        stage=stage,
        credentials=credentials,
        entry_id=entry["entry_id"],
        system_id=systems_of(credentials)[0],
        report=Report(),
    )
    await configure(stage.home_assistant, subject.system_id)
    await until_imported(subject)
    return subject


def _periods(now: datetime) -> Mapping[str, tuple[list[str], datetime, datetime]]:
    """Return what to choose on the page for each picture, and what it then shows.

    The day is the newest of which all hours have settled.
    """
    zone = ZoneInfo(TIME_ZONE)

    def midnight(day: datetime) -> datetime:
        return datetime.combine(day, time(), zone).astimezone(UTC)

    today = now.astimezone(zone)
    day = settled_until(now).astimezone(zone) - timedelta(days=1)
    choice = ["Yesterday"]
    if day.date() < today.date() - timedelta(days=1):
        choice.append("Previous")
    return {
        "day": (choice, midnight(day), midnight(day + timedelta(days=1))),
        "month": (["This month"], midnight(today.replace(day=1)), now),
        "year": (["This year"], midnight(today.replace(month=1, day=1)), now),
    }


async def _choose(visitor: Visitor, choice: list[str]) -> None:
    """Choose a period out of the list, and go on from there."""
    page = visitor.page
    await visitor.rest()
    await page.locator(_PERIOD).locator(".date-picker-icon").click()
    period, *further = choice
    await page.get_by_text(period, exact=True).last.click()
    for button in further:
        await visitor.press(button)
    # Where the pointer rests, a line of the table is marked.
    await page.mouse.move(0, 0)
    await visitor.rest()


async def _compare(
    visitor: Visitor, subject: Subject, name: str, start: datetime, end: datetime
) -> None:
    """Compare the totals on the page with what really flowed."""
    for flow, label in (await _names(subject)).items():
        line = visitor.page.locator(_TOTALS).locator("tr").filter(has_text=label)
        cell = await line.locator("td").last.inner_text()
        number, unit = cell.replace(",", "").split()
        newest = await newest_hour(subject, flow)
        assert newest is not None
        true = await true_energy(subject, flow, start, min(end, newest + HOUR)) / 1000
        # The dashboard takes what leaves the home for negative.
        error = abs(abs(float(number)) - true)
        subject.report.expect(
            f"The {name} shows {cell} of {flow}, {true:.2f} flowed",
            holds=unit == _UNIT
            and error <= max(_LEAST_TOLERANCE_KWH, _TOLERANCE * true),
        )


async def _names(subject: Subject) -> dict[Flow, str]:
    """Return the name of each statistic that is shown."""
    ids = {flow: statistic_id(subject.system_id, flow) for flow in _SHOWN}
    found: list[Json] = await subject.home_assistant.command(
        "recorder/get_statistics_metadata", statistic_ids=list(ids.values())
    )
    names: dict[str, str] = {each["statistic_id"]: each["name"] for each in found}
    return {flow: names[statistic] for flow, statistic in ids.items()}
