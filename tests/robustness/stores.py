"""Stored data: each reader of it, and the use of what it read."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
import json
from typing import Any, Final
from zoneinfo import ZoneInfo

from custom_components.enphase_cloud.api.models import (
    BatterySettings,
    Load,
    LoadControl,
    StormGuard,
)
from custom_components.enphase_cloud.documents.writes import SETTINGS
from custom_components.enphase_cloud.energy.import_progress import Days, ImportProgress
from custom_components.enphase_cloud.energy.parsing import system_day
from custom_components.enphase_cloud.energy.power_cap import PowerCap
from custom_components.enphase_cloud.measurements.catalog import Measurement, Source
from custom_components.enphase_cloud.measurements.evidence import Evidence
from custom_components.enphase_cloud.measurements.samples import (
    Sample,
    Samples,
    advance,
    fresh_value,
    from_json,
    merge,
    to_json,
)
from custom_components.enphase_cloud.measurements.settings_state import (
    SettingsState,
    Written,
)
from custom_components.enphase_cloud.quota.backfill import (
    Backfill,
    BudgetLeft,
    ImportDemand,
)
from custom_components.enphase_cloud.quota.backoff import Backoff
from custom_components.enphase_cloud.quota.ledger import Ledger, Period, Purpose
from custom_components.enphase_cloud.quota.plans import PLANS
from custom_components.enphase_cloud.quota.reserve import BudgetExhaustedError
from custom_components.enphase_cloud.scheduling.poll_schedule import Schedule
from custom_components.enphase_cloud.scheduling.weights import PolledDocument

from .absurd import spoiled
from .targets import Target

_COUNT: Final = 100_000
_NOW: Final = datetime(2026, 6, 21, 10, 7, tzinfo=UTC)
_DAY: Final = timedelta(days=1)
_BRIGHT: Final = range(4, 20)
_TODAY: Final = system_day(date(2026, 6, 21), ZoneInfo("Europe/Berlin"))
_WATT: Final = PLANS["watt"]
_FEED: Final = PolledDocument("8675309", Source.SUMMARY)
_DOCUMENTS: Final = {
    Source.BATTERY_SETTINGS: BatterySettings(),
    Source.STORM_GUARD: StormGuard(),
    Source.LOAD_CONTROL: LoadControl({"NC1": Load(name="NC1")}),
}
_MONTH_END: Final = datetime(2026, 7, 1, tzinfo=UTC)


def _target(name: str, stored: object, use: Callable[[Any], object]) -> Target:
    """Return a target that uses damaged data, and stores the result of `use`."""
    # As JSON that was written to the disk and read again.
    document = json.loads(json.dumps(stored))
    return Target(
        name,
        _COUNT,
        spoiled(document),
        # Home Assistant's JSON has no NaN.
        lambda damaged: json.dumps(use(damaged), allow_nan=False),
        documented=(ValueError,),
    )


def _ledger() -> dict[str, Any]:
    ledger = Ledger(_WATT, now=_NOW - 30 * _DAY)
    for minutes in range(0, 60, 7):
        at = _NOW - timedelta(minutes=minutes)
        call = ledger.charge("summary", at, purpose=Purpose.USER)
        ledger.ended(call, at, served=True, date=at)
    ledger.refused_by_cloud(
        _NOW,
        period=Period.MONTH,
        period_start=_MONTH_END - 30 * _DAY,
        period_end=_MONTH_END,
        limit=1_000,
    )
    return ledger.as_dict()


def _use_ledger(stored: object) -> object:
    ledger = Ledger.restore(stored, _WATT, now=_NOW)
    for now in (_NOW, _NOW - _DAY, _NOW + 400 * _DAY, _NOW):
        for purpose in Purpose:
            try:
                call = ledger.charge("summary", now, purpose=purpose)
            except BudgetExhaustedError as refused:
                assert refused.until.tzinfo is not None  # noqa: PT017
            else:
                ledger.ended(call, now, served=True, date=now)
        ledger.spendable(now)
        ledger.expected_at_period_end(now)
        ledger.probe_at(now)
        ledger.refused_by_cloud(now, period=Period.MONTH)
    ledger.change_plan(PLANS["kilowatt"], _NOW)
    ledger.release(_NOW)
    return ledger.as_dict()


def _schedule() -> dict[str, Any]:
    schedule = Schedule()
    schedule.add(_FEED)
    for hours in range(-72, 0, 2):
        now = _NOW + timedelta(hours=hours)
        schedule.observe(
            _FEED,
            now=now,
            data_at=now - timedelta(minutes=6),
            changed=True,
            producing=now.hour in _BRIGHT,
        )
    schedule.failed(_FEED, now=_NOW)
    return schedule.as_dict()


def _use_schedule(stored: object) -> object:
    schedule = Schedule.restore(stored)
    schedule.add(_FEED)
    for now in (_NOW, _NOW - _DAY, _NOW + 4 * _DAY):
        schedule.next_poll(_FEED, now=now, calls_left=300, period_end=now + 9 * _DAY)
        schedule.demand(now, now + 9 * _DAY)
        schedule.observe(_FEED, now=now, data_at=now, changed=True, producing=True)
        schedule.failed(_FEED, now=now)
    return schedule.as_dict()


def _use_backlog(stored: object) -> object:
    backfill = Backfill.restore(stored)
    backfill.set_demand("8675309", ImportDemand(per_day=5, history=104))
    means = BudgetLeft(
        calls_left=300, polls=200.0, period_end=_MONTH_END, calls_per_minute=10
    )
    backfill.next_call(_NOW, means)
    backfill.claim(_NOW, means)
    return backfill.as_dict()


def _samples() -> Samples:
    return {
        measurement: Sample(value, _NOW, Source.SUMMARY)
        for measurement, value in (
            (Measurement.PRODUCTION_POWER, 3_771),
            (Measurement.BATTERY_LEVEL, 81.5),
            (Measurement.SYSTEM_STATUS, "normal"),
            (Measurement.OPERATIONAL_SINCE, 1_600_000_000.0),
        )
    }


def _use_samples(stored: object) -> object:
    known = merge([from_json(stored), advance(from_json(stored), _samples(), now=_NOW)])
    for measurement in Measurement:
        fresh_value(known, measurement, now=_NOW, cellular=False)
    return to_json(known)


def _progress() -> dict[str, Any]:
    progress = (
        ImportProgress()
        .request_days(Days())
        .request_hours(_NOW - 300 * _DAY, _NOW - 100 * _DAY, now=_NOW)
    )
    week = progress.update(_NOW - 8 * _DAY)
    return progress.have_update(
        week, fetched_at=_NOW - _DAY, certain_until=_NOW - _DAY, newest=_NOW - _DAY
    ).as_dict()


def _use_progress(stored: object) -> object:
    progress = ImportProgress.from_dict(stored).as_of(_NOW)
    week = progress.update(_NOW)
    progress = progress.have_update(
        week, fetched_at=_NOW, certain_until=_NOW, newest=_NOW
    )
    progress = progress.request_days(Days()).request_hours(_NOW - _DAY, _NOW, now=_NOW)
    assert progress.calls_wanted
    assert progress.next_wanted is not None
    return progress.as_dict()


def _power_cap() -> dict[str, Any]:
    skipped = [[_NOW.timestamp() - 7_200, _NOW.timestamp() - 3_600]]
    return {**PowerCap(learnt=6_800.0, reported_at=_NOW).as_dict(), "left_out": skipped}


def _use_evidence(stored: object) -> object:
    evidence = Evidence.from_dict(stored)
    evidence.next_check(_NOW, "cue")
    return evidence.as_dict()


def _use_failures(stored: object) -> object:
    failures = Backoff.from_dict(stored)
    failures.is_pausing(_NOW)
    return failures.another(_NOW).as_dict()


def _settings() -> dict[str, Any]:
    state = SettingsState()
    fields = {"mode": "savings", "reserve": 20, "energy_independence": True}
    state.of(Source.BATTERY_SETTINGS)[""] = Written(fields, _NOW, 1)
    state.of(Source.LOAD_CONTROL)["NC1"] = Written({"start": 60}, _NOW)
    state.refuse(_NOW)
    return state.as_dict()


def _use_settings(stored: object) -> object:
    state = SettingsState.from_dict(stored)
    _ = state.probe_at
    for setting in SETTINGS:
        for key, written in state.of(setting.source).items():
            _ = written.due, written.not_found()
            setting.has(_DOCUMENTS[setting.source], key, written.fields)
    return state.as_dict()


STORES: Final = (
    _target("ledger", _ledger(), _use_ledger),
    _target("schedule", _schedule(), _use_schedule),
    _target("backlog", {"last": _NOW.timestamp()}, _use_backlog),
    _target("samples", to_json(_samples()), _use_samples),
    _target("progress", _progress(), _use_progress),
    _target(
        "power caps", _power_cap(), lambda stored: PowerCap.from_dict(stored).as_dict()
    ),
    _target("evidence", Evidence.of_samples(_samples()).as_dict(), _use_evidence),
    _target("settings", _settings(), _use_settings),
    _target("failures", Backoff().another(_NOW).as_dict(), _use_failures),
)
