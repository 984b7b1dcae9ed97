"""The list of alarms: which are open, and how severe the worst of them is."""

from datetime import UTC, datetime
from typing import Any

import pytest

from custom_components.enphase_cloud.api.models import Alarms
from custom_components.enphase_cloud.documents.alarms import (
    cue,
    learn_open_alarms,
    read_open_alarms,
)
from custom_components.enphase_cloud.measurements.catalog import Measurement, Source
from custom_components.enphase_cloud.measurements.samples import Sample
from custom_components.enphase_cloud.measurements.system import SYSTEM
from tests.boards import board, known

NOON = datetime(2026, 6, 21, 12, tzinfo=UTC)


def alarm(severity: object, *, cleared: bool = False, hours: int = 0) -> dict[str, Any]:
    """Return an alarm as the cloud sends it."""
    return {
        "id": 5,
        "cleared": cleared,
        "severity": severity,
        "event_type_id": 3,
        "alarm_start_time": int(NOON.timestamp()) - 3_600 * hours,
        "impacted_events": [],
    }


def alarms(*listed: dict[str, Any]) -> Alarms:
    """Return a document of alarms."""
    return Alarms.from_api({"system_id": 71, "alarms": list(listed)})


@pytest.mark.parametrize(
    ("listed", "count", "worst"),
    [
        ([], 0, None),
        ([alarm(3), alarm(2, hours=1), alarm(5, hours=2)], 3, "error"),
        ([alarm(1, cleared=True), alarm(4)], 1, "info"),
        ([alarm(1, cleared=True)], 0, None),
        ([alarm("odd")], 1, None),
        ([alarm("odd"), alarm(6, hours=1)], 2, "none"),
    ],
)
def test_the_worst_of_the_open_alarms(
    listed: list[dict[str, Any]], count: int, worst: str | None
) -> None:
    """Of a severity that nobody knows nothing is shown."""
    report = read_open_alarms(alarms(*listed), known(NOON))
    expected = {Measurement.OPEN_ALARMS: Sample(count, NOON, Source.ALARMS)}
    if worst is not None:
        expected[Measurement.WORST_ALARM] = Sample(worst, NOON, Source.ALARMS)
    assert report == {SYSTEM: expected}


def test_only_open_alarms_are_news() -> None:
    """An alarm that is listed as cleared is not open."""
    context = known(NOON)
    learn_open_alarms(alarms(), context)
    learn_open_alarms(alarms(alarm(1, cleared=True), alarm(2, hours=1)), context)
    news = context.board.open_alarms.news()
    assert [each.alarm.severity for each in news] == ["error"]


def test_another_status_makes_the_list_due() -> None:
    """Also the first one that is known."""
    states = [{}] + [
        {Measurement.SYSTEM_STATUS: Sample(status, NOON, Source.SUMMARY)}
        for status in ("normal", "micro")
    ]
    assert [cue(board(samples)) for samples in states] == ["", "normal", "micro"]
