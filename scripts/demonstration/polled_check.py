"""The part of the check that looks at polled values."""

from collections import Counter
from typing import Final

from aiohttp import ClientSession

from .cloud import Observer
from .credentials import OBSERVER_PLAN, demo_credentials
from .expected import polled
from .subject import Subject

_DOCUMENTS: Final = Counter(summary=1, latest_telemetry=1)
_DOCUMENTS_OF_BATTERIES: Final = _DOCUMENTS + Counter(telemetry_battery=1)


async def check_polled(session: ClientSession, subject: Subject) -> None:
    """Refresh, and compare what is shown with what the documents say."""
    cloud, report = subject.cloud, subject.report
    observer = Observer(
        session, cloud.url, demo_credentials(OBSERVER_PLAN, subject.credentials.email)
    )
    await observer.sign_in()
    while True:
        reported_at, truths = await polled(cloud, observer, subject.system_id)
        before = await subject.calls()
        await subject.press("refresh")
        spent = await subject.calls() - before
        # Unless a new report came in between, both have read the same.
        if (await polled(cloud, observer, subject.system_id))[0] == reported_at:
            break
    entities = await subject.entities()
    states = await subject.home_assistant.states()
    report.table(list(entities.compare(states, truths)))
    has_battery = "battery_level" in truths
    report.expect(
        "A refresh costs one call per document",
        holds=spent == (_DOCUMENTS_OF_BATTERIES if has_battery else _DOCUMENTS),
        found=dict(spent),
    )
    report.expect(
        "There are entities of a battery only if there is one",
        holds=has_battery == ("battery_level" in entities.ids),
        found=list(entities.ids),
    )
    subject.expect_balance(entities, states)
    await _check_ledger(subject)


async def _check_ledger(subject: Subject) -> None:
    calls = (await subject.calls()).total()
    shown = await subject.shown()
    subject.report.expect(
        f"The ledger says what the cloud counted: {calls} calls",
        holds=shown["calls_used"] == str(calls),
        found=shown["calls_used"],
    )
    plan = subject.credentials.application.plan
    subject.report.expect(
        f"No more calls are said to be left than {plan.per_month} less those",
        holds=0 < int(shown["calls_left"]) <= plan.per_month - calls,
        found=shown["calls_left"],
    )
