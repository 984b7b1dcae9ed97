"""Numbers in the documentation are those of the code."""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
import json
import math
from pathlib import Path
import re

from homeassistant.helpers.entity import EntityDescription
import pytest

from custom_components.enphase_cloud.actions.export import MOST_ROWS
from custom_components.enphase_cloud.api.endpoints import ENDPOINTS
from custom_components.enphase_cloud.api.json_stream import OBJECT_SIZE_LIMIT
from custom_components.enphase_cloud.array_sensor import ARRAY
from custom_components.enphase_cloud.const import MAX_STREAM, MIN_STREAM
from custom_components.enphase_cloud.cost_sensor import COSTS
from custom_components.enphase_cloud.documents.base import OFF_AT_FIRST, Group
from custom_components.enphase_cloud.documents.table import DOCUMENTS, documents_of
from custom_components.enphase_cloud.energy.flows import MOST_UPDATES
from custom_components.enphase_cloud.energy.import_progress import KEPT, WEEK
from custom_components.enphase_cloud.energy.readings import SETTLES_AFTER
from custom_components.enphase_cloud.gateway import MISSED_REPORTS
from custom_components.enphase_cloud.measurements.board import Board
from custom_components.enphase_cloud.measurements.catalog import Measurement, Source
from custom_components.enphase_cloud.measurements.event_weeks import (
    MOST_WEEKS,
    PAUSE,
    SHORTEST_RANGE,
)
from custom_components.enphase_cloud.measurements.inventory import DeviceProperties
from custom_components.enphase_cloud.measurements.panel_health import RECENT, SUNNY
from custom_components.enphase_cloud.measurements.panel_history import (
    DAYS_TO_DEAD,
    DAYS_TO_WEAK,
    EXCUSED_DAYS_TO_DEAD,
    EXCUSED_DAYS_TO_WEAK,
    LEAST_HISTORY,
    NEW_USUAL,
    SOUND_AGAIN,
    WEAK_BELOW,
)
from custom_components.enphase_cloud.measurements.parts import silent_after
from custom_components.enphase_cloud.measurements.samples import (
    Sample,
    Value,
    fresh_value,
)
from custom_components.enphase_cloud.measurements.system import Device, DeviceKind
from custom_components.enphase_cloud.quota.plans import PLANS, Plan
from custom_components.enphase_cloud.quota.reserve import reserve
from custom_components.enphase_cloud.runtime import options
from custom_components.enphase_cloud.scheduling.forecast import preview
from custom_components.enphase_cloud.scheduling.weights import PolledDocument, Profile
from custom_components.enphase_cloud.sensor_tables import (
    ACCOUNT,
    INTERVAL_FIGURES,
    MEASUREMENTS,
    NEXT_POLLS,
    SYSTEM_FIGURES,
)
from custom_components.enphase_cloud.settings_entities import WHEN_QUIET

from .boards import board

CHECKOUT = Path(__file__).parents[1]
TRANSLATIONS = CHECKOUT / "custom_components" / "enphase_cloud" / "translations"
TEXTS = json.loads((TRANSLATIONS / "en.json").read_text("utf-8"))
NOW = datetime(2026, 6, 21, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
MONTH = timedelta(days=31)
MINUTE = timedelta(minutes=1)
SOURCES = {Source.SUMMARY, Source.LATEST, Source.BATTERY}
NUMBERS = {1: "one", 2: "two", 3: "three", 4: "four", 6: "six", 8: "eight", 10: "ten"}


def _page(name: str) -> str:
    return (CHECKOUT / name).read_text(encoding="utf-8")


def _rows(page: str, beginning: str) -> list[list[str]]:
    """Return the cells of all table rows that begin with some words."""
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in _page(page).splitlines()
        if line.startswith(f"| {beginning}")
    ]


def _word(count: float) -> str:
    return NUMBERS[int(count)]


def _percent(share: float) -> str:
    return f"{share:.0%}".replace("%", " %")


def _calls_of_updates(updates: int) -> int:
    """Return the calls of a day; batteries take one for any number of updates."""
    return 4 * updates + 1


_PRICE = f"${PLANS['kilowatt'].live_stream_price:.2f}"
_WATT_UPDATES = options.most_updates(PLANS["watt"], _calls_of_updates)
_OTHER_LANGUAGES = len(list(TRANSLATIONS.glob("*.json"))) - 1
_RESERVE = reserve(1000, MONTH, elapsed=0) / 1000

# Phrases of pages, with the figures of the code.
PHRASES = {
    "README.md": [f"in English and {_word(_OTHER_LANGUAGES)} more languages"],
    "CHANGELOG.md": [f"[all {len(ENDPOINTS)} operations]"],
    "docs/actions.md": [f"up to {MOST_ROWS:,} rows"],
    "docs/alarms.md": [
        f"kept, up to {MOST_WEEKS} weeks",
        f"read again after {_word(PAUSE / HOUR)} hours",
        f"less than {_word(SHORTEST_RANGE / HOUR)} hours",
        f"{_word(MISSED_REPORTS)} reports in a row are missing",
    ],
    "docs/api.md": [f"has {len(ENDPOINTS)} operations"],
    "docs/controls.md": [f"wait for {WHEN_QUIET.seconds} seconds of quiet"],
    "docs/energy-dashboard.md": [
        f"{_word(SETTLES_AFTER / HOUR)} hours after their",
        f"about {5 * math.ceil(KEPT / WEEK)} more | about 80 days |",
        f"{_word(_WATT_UPDATES)} updates a day of one system with batteries",
    ],
    "docs/entities.md": [
        f"{_word(MISSED_REPORTS)} reports in a row are missing",
        f"did not report for {_word(silent_after(cellular=False) / HOUR)} hours",
        f"({_word(silent_after(cellular=True) / HOUR)} on cellular)",
    ],
    "docs/live.md": [
        f"{MIN_STREAM.seconds} seconds to {MAX_STREAM // MINUTE} minutes and costs",
        f"one API call and {_PRICE} for any length",
        f"have more than {OBJECT_SIZE_LIMIT // 1024} KiB",
    ],
    "docs/options.md": [
        f"on large plans {MOST_UPDATES} |",
        f"{MIN_STREAM.seconds} to {MAX_STREAM.seconds} seconds",
    ],
    "docs/panels.md": [
        f"at least {_percent(SUNNY)} of a good day of the last {RECENT.days}.",
        f"nearly nothing on {DAYS_TO_DEAD} sunny day while",
        f"less than {_percent(WEAK_BELOW)} of its usual share on {DAYS_TO_WEAK} sunny",
        f"in a row | At {_percent(SOUND_AGAIN)} |",
        f"watched for {LEAST_HISTORY} sunny days first",
        f"{EXCUSED_DAYS_TO_WEAK} sunny days to be weak and {EXCUSED_DAYS_TO_DEAD} to",
        f"What stays weak for {NEW_USUAL} sunny days",
    ],
    "docs/updates.md": [f"reserve of about {_percent(_RESERVE)} is kept"],
}


@pytest.mark.parametrize("page", PHRASES)
def test_page_has_figures_of_the_code(page: str) -> None:
    text = re.sub(r"\s+", " ", _page(page).replace("**", ""))
    assert [words for words in PHRASES[page] if words not in text] == []


@pytest.mark.parametrize("plan", PLANS.values(), ids=lambda plan: plan.key)
def test_readme_has_figures_of_each_plan(plan: Plan) -> None:
    """Calls, and the price of a live stream."""
    ((_, price, per_minute, per_month, streams, _),) = _rows(
        "README.md", plan.key.capitalize()
    )
    assert per_minute == str(plan.calls_per_minute)
    assert per_month == f"{plan.calls_per_month:,}"
    stream_price = plan.live_stream_price
    assert streams == ("No" if stream_price is None else f"${stream_price:.2f} each")
    if plan.free_calls and plan.calls_per_dollar:
        each = f"${1 / plan.calls_per_dollar:.3f}"
        assert price == f"{plan.free_calls:,} calls free, then {each} each"


# A kind of system on the page, its documents, the one that is updated most often,
# and the calls a day for its energy data.
FRESHNESS = [
    ("panels only", {Source.SUMMARY}, Source.SUMMARY, 1),
    ("and a consumption meter", SOURCES - {Source.BATTERY}, Source.LATEST, 4),
    ("and batteries", SOURCES, Source.LATEST, 5),
]


def _periodic_calls() -> float:
    """Return the calls a day for what a new account reads beside energy data."""
    read = documents_of(frozenset(Group) - OFF_AT_FIRST, PLANS["watt"].access)
    return sum(each.calls_per_day(Board()) or 0 for each in read)


def _minutes(
    documents: Collection[Source],
    freshest: Source,
    others: float,
    profile: Profile = Profile.BALANCED,
) -> list[float]:
    """Return the minutes between updates on Watt, by day and by night."""
    given = preview(
        PLANS["watt"],
        profile=profile,
        polled_documents=[PolledDocument("", document) for document in documents],
        others_per_day=others,
    )
    found = given.documents[freshest]
    return [each / MINUTE for each in (found.by_day, found.by_night) if each]


def _numbers(page: str, words: str) -> list[int]:
    """Return the numbers that a pattern captures on a page."""
    found = re.search(words.replace(" ", r"\s+"), _page(page))
    assert found is not None, words
    return [int(number) for number in found.groups()]


@pytest.mark.parametrize(("has", "documents", "freshest", "energy"), FRESHNESS)
def test_documented_intervals_are_those_of_the_plan(
    has: str, documents: set[Source], freshest: Source, energy: int
) -> None:
    """The free plan's intervals by day and by night are those of the budget."""
    ((_, *intervals),) = _rows("docs/updates.md", f"{has} |")
    stated = [int(number) for number in re.findall(r"every (\d+) min", str(intervals))]
    planned = _minutes(documents, freshest, energy + _periodic_calls())
    assert stated == pytest.approx(planned, rel=0.05)


def test_intervals_in_sentences_are_those_of_the_plan() -> None:
    """In the README from panels only to batteries, and in docs/updates.md."""
    by_day, alone = (
        [
            _minutes(documents, freshest, (energy + _periodic_calls()) * share)[0]
            for _, documents, freshest, energy in FRESHNESS
        ]
        for share in (1, 0)
    )
    stated = _numbers("README.md", r"Every (\d+) to (\d+) minutes by day")
    assert stated == pytest.approx(by_day[::2], rel=0.05)
    stated = _numbers("docs/updates.md", r"every (\d+), (\d+) and (\d+) minutes by day")
    assert stated == pytest.approx(alone, rel=0.05)
    stated = _numbers(
        "docs/updates.md", r"every (\d+) minutes by day and (\d+) by night"
    )
    battery = _minutes(
        SOURCES, Source.BATTERY, 5 + _periodic_calls(), Profile.BATTERY_FIRST
    )
    assert stated == pytest.approx(battery, rel=0.05)


AGES: dict[str, tuple[Measurement, Value]] = {
    "Power": (Measurement.CONSUMPTION_POWER, 900.0),
    "Battery level": (Measurement.BATTERY_LEVEL, 55.0),
    "Grid status": (Measurement.GRID_STATUS, "on_grid"),
    "What is updated once a day": (Measurement.PANELS_REPORTING, 20.0),
}


@pytest.mark.parametrize("value", AGES)
def test_value_is_unknown_after_the_documented_time(value: str) -> None:
    """For each kind of connection."""
    measurement, shown = AGES[value]
    ((_, *ages),) = _rows("docs/entities.md", f"{value} |")
    for cellular, age in zip((False, True), ages, strict=True):
        number, unit = age.split()
        limit = timedelta(**{f"{unit.rstrip('s')}s": int(number)})
        for late, expected in ((timedelta(), shown), (MINUTE, None)):
            samples = {measurement: Sample(shown, NOW - limit - late, Source.LATEST)}
            known = fresh_value(samples, measurement, now=NOW, cellular=cellular)
            assert known == expected, age


def _described() -> Iterable[EntityDescription]:
    for kind in DeviceKind:
        yield from MEASUREMENTS[kind]
    yield from NEXT_POLLS.values()
    for table in (SYSTEM_FIGURES, ACCOUNT, INTERVAL_FIGURES, COSTS, ARRAY):
        yield from table


def test_sensors_disabled_by_default_are_documented_as_off() -> None:
    """Only sensors with a name of their own are compared."""
    names = TEXTS["entity"]["sensor"]
    enabled: dict[str, set[bool]] = {}
    for each in _described():
        if texts := names.get(each.translation_key):
            enabled_default = each.entity_registry_enabled_default
            enabled.setdefault(texts["name"], set()).add(enabled_default)
    for name, found in enabled.items():
        rows = _rows("docs/entities.md", f"**{name}** |")
        is_off = any(re.search(r"(^|\. )Off$|\(off\)", row[1]) for row in rows)
        assert is_off == (False in found), name


@pytest.fixture
def known() -> Board:
    """Return the board of a system with 20 panels and a device of each kind."""
    modules = Sample(20.0, NOW, Source.SUMMARY)
    made = board({Measurement.MODULES: modules}, has_battery=True)
    kinds = (DeviceKind.CHARGER, DeviceKind.LOAD, DeviceKind.BATTERY)
    listed = {Device(kind, "1"): DeviceProperties() for kind in kinds}
    made.take_inventory(listed, complete=())
    return made


def test_updates_of_settings_are_documented(known: Board) -> None:
    """They depend on the calls that a plan has for each system."""
    rows = [row for row in _rows("docs/controls.md", "") if row[-1][:1].isdigit()]
    assert len(rows) == 5
    for least, *_, stated in rows:
        calls = float((re.findall(r"^[\d,]+", least) or ["1"])[0].replace(",", ""))
        documents = [each for each in DOCUMENTS if each.group is Group.SETTINGS]
        per_day = sum(each.calls_per_day(known, calls) or 0 for each in documents)
        assert int(stated.replace(",", "")) == pytest.approx(per_day * 30), least


def test_calls_and_smallest_plan_of_groups_are_documented(known: Board) -> None:
    """For one device of each kind, or 20 panels, on a plan with room for all."""
    for group in Group:
        label = TEXTS["selector"]["groups"]["options"][group].split(" (")[0]
        ((_, _, stated, smallest),) = _rows("docs/options.md", f"{label} |")
        documents = [each for each in DOCUMENTS if each.group is group]
        if group is not Group.PRODUCTION_METERS:  # They need two meters.
            calls = sum(
                each.calls_per_day(known, daylight=15 * HOUR) or 0 for each in documents
            )
            number = int(stated.split()[0].replace(",", ""))
            assert number == pytest.approx(calls * 31, rel=0.15), group
        assert smallest == next(
            plan.key.capitalize()
            for plan in PLANS.values()
            if all(each.endpoint.access in plan.access for each in documents)
        )


OPTION_DEFAULTS = {
    "Live streams a month": options.STREAMS_PER_MONTH,
    "Length of a live session": options.SESSION_LENGTH,
    "Update entities every": options.PUBLISH_INTERVAL,
    "Time between live sessions": options.SESSION_PAUSE,
}


@pytest.mark.parametrize("label", OPTION_DEFAULTS)
def test_default_of_each_option_is_documented(label: str) -> None:
    """With its unit."""
    ((_, default, _),) = _rows("docs/options.md", f"{label} |")
    option = OPTION_DEFAULTS[label]
    assert default == " ".join(filter(None, (str(option.default), option.unit)))
