"""Repair issues; each disappears together with its cause."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.translation import async_get_cached_translations
from homeassistant.util import dt as dt_util

from .alarm_texts import alarm_lines, open_alarms
from .api import Severity
from .const import APP_URL, DEVELOPER_PORTAL_URL, DOMAIN
from .coordinator.error_policy import ACCESS_CONTROLS, smallest_plan
from .coordinator.listeners import OnceATurn
from .data import EnphaseCloudConfigEntry
from .errors import escaped, readable
from .measurements.catalog import Flow, Source
from .quota.ledger import ASSUMED, LOST, Purpose
from .runtime.key_budget import KeyBudget
from .runtime.options import ALARM_REPAIRS
from .runtime.storage import Refusal
from .runtime.system_properties import chosen_systems, systems_of_other_entries

QUOTA_USED_UP: Final = "quota_used_up"
QUOTA_REFUSED: Final = "quota_refused"
OTHER_PROGRAM: Final = "other_program"
DOCUMENT_REFUSED: Final = "document_refused"
DOCUMENT_FORBIDDEN: Final = "document_forbidden"
ENERGY_LEFT_OUT: Final = "energy_left_out"
STATISTICS_FOREIGN: Final = "statistics_foreign"
LIVE_BUDGET_LOW: Final = "live_budget_low"
LIVE_BUDGET_USED_UP: Final = "live_budget_used_up"
STORAGE_FAILED: Final = "storage_failed"

SYSTEMS_NOT_VISIBLE: Final = "systems_not_visible"
SYSTEMS_NOT_READ: Final = "systems_not_read"
SYSTEMS_ELSEWHERE: Final = "systems_elsewhere"
TIME_ZONE_UNKNOWN: Final = "time_zone_unknown"
LIVE_UNREADABLE: Final = "live_unreadable"
# One for each system.
OPEN_ALARMS: Final = "open_alarms"

_KINDS: Final = (
    QUOTA_USED_UP,
    QUOTA_REFUSED,
    OTHER_PROGRAM,
    DOCUMENT_REFUSED,
    DOCUMENT_FORBIDDEN,
    ENERGY_LEFT_OUT,
    STATISTICS_FOREIGN,
    LIVE_BUDGET_LOW,
    LIVE_BUDGET_USED_UP,
    SYSTEMS_NOT_VISIBLE,
    SYSTEMS_NOT_READ,
    SYSTEMS_ELSEWHERE,
    TIME_ZONE_UNKNOWN,
    STORAGE_FAILED,
    LIVE_UNREADABLE,
)

# Documents whose responses raise or clear issues.
_TELLING: Final = (Source.SUMMARY, Source.ALARMS)
_WARNING: Final = ir.IssueSeverity.WARNING
_SEVERE: Final = (Severity.FATAL, Severity.ERROR)
# The most alarms that an issue lists; entities show the number of all.
_MOST_ALARMS: Final = 5
# Warn when less than this share of the live streams is left.
_LOW: Final = 0.1

type _Placeholders = Mapping[str, str]


@callback
def async_watch(hass: HomeAssistant, entry: EnphaseCloudConfigEntry) -> None:
    """Create and delete the issues of an entry while it is loaded."""
    update_soon = OnceATurn(hass.loop, partial(_update, hass, entry))

    @callback
    def clear() -> None:
        update_soon.cancel()
        for kind in _KINDS:
            _show(hass, entry, kind, None)
        for number in range(len(entry.runtime_data.systems)):
            _show(hass, entry, OPEN_ALARMS, None, part=number)

    entry.async_on_unload(entry.runtime_data.budget.async_add_listener(update_soon))
    entry.async_on_unload(clear)
    for system in entry.runtime_data.systems:
        # The result of a call is known only after the budget has changed.
        for document in system.documents:
            if document.source in _TELLING:
                entry.async_on_unload(document.async_add_listener(update_soon))
    _update(hass, entry)


def _update(hass: HomeAssistant, entry: EnphaseCloudConfigEntry) -> None:
    data = entry.runtime_data
    budget = data.budget
    quota = _quota_used_up(budget)
    may_try = budget.ledger.may_try(dt_util.utcnow()) and data.to_try is not None
    _show(hass, entry, QUOTA_USED_UP, None if may_try else quota)
    _show(hass, entry, QUOTA_REFUSED, quota if may_try else None, fixable=True)
    _show(hass, entry, OTHER_PROGRAM, _other_program(budget))
    _show(hass, entry, DOCUMENT_REFUSED, _document_refused(entry), fixable=True)
    _show(hass, entry, DOCUMENT_FORBIDDEN, _forbidden(entry), fixable=True)
    _show(hass, entry, ENERGY_LEFT_OUT, _energy_left_out(hass, entry))
    _show(hass, entry, STATISTICS_FOREIGN, _statistics_foreign(entry))
    _show(hass, entry, LIVE_BUDGET_LOW, _live_budget(entry, is_used_up=False))
    _show(hass, entry, LIVE_BUDGET_USED_UP, _live_budget(entry, is_used_up=True))
    _show(hass, entry, SYSTEMS_NOT_VISIBLE, _systems_not_visible(entry))
    _show(hass, entry, SYSTEMS_NOT_READ, _systems_not_read(entry))
    _show(hass, entry, SYSTEMS_ELSEWHERE, _systems_elsewhere(hass, entry))
    _show(hass, entry, TIME_ZONE_UNKNOWN, _time_zone_unknown(hass, entry))
    _show(
        hass,
        entry,
        STORAGE_FAILED,
        {} if budget.persistence.failed_until else None,
        severity=ir.IssueSeverity.ERROR,
    )
    _show(hass, entry, LIVE_UNREADABLE, _live_unreadable(entry))
    _show_alarms(hass, entry)


def _quota_used_up(budget: KeyBudget) -> _Placeholders | None:
    ledger = budget.ledger
    now = dt_util.utcnow()
    refusal = ledger.refusal(now, purpose=Purpose.USER)
    if refusal is None or refusal.period != "month":
        return None
    own = dict(ledger.by_operation(now))
    assumed = own.pop(ASSUMED, 0)
    own.pop(LOST, None)
    return {
        "limit": readable(ledger.limit),
        "until": readable(refusal.until),
        "own": readable(sum(own.values())),
        "foreign": readable(ledger.foreign_calls(now)),
        "assumed": readable(assumed),
    }


def _other_program(budget: KeyBudget) -> _Placeholders | None:
    now = dt_util.utcnow()
    if not budget.ledger.other_program_suspected(now):
        return None
    return {"foreign": readable(budget.ledger.foreign_calls(now))}


def _document_refused(entry: EnphaseCloudConfigEntry) -> _Placeholders | None:
    data = entry.runtime_data
    missing = {
        ACCESS_CONTROLS[source]
        for system in data.systems
        for source in Source
        if system.store.refusals.get(source) is Refusal.NOT_ENTITLED
    }
    names = [
        f"{access_control} ({smallest_plan(access_control)}+)"
        for access_control in sorted(missing)
    ]
    return {"access_controls": ", ".join(names)} if missing else None


def _forbidden(entry: EnphaseCloudConfigEntry) -> _Placeholders | None:
    data = entry.runtime_data
    names = [
        escaped(system.info.name)
        for system in data.systems
        # Another issue covers a system that is not visible at all.
        if system.store.is_visible
        and any(
            system.store.refusals.get(source) is Refusal.FORBIDDEN for source in Source
        )
    ]
    return {"systems": ", ".join(names)} if names else None


def _energy_left_out(
    hass: HomeAssistant, entry: EnphaseCloudConfigEntry
) -> _Placeholders | None:
    data = entry.runtime_data
    now = dt_util.utcnow()
    found = {
        (escaped(system.info.name), flow)
        for system in data.systems
        for flow in Flow
        if system.store.power_cap(flow).skipped_recently(now)
    }
    if not found:
        return None
    texts = async_get_cached_translations(
        hass, hass.config.language, "selector", DOMAIN
    )
    path = f"component.{DOMAIN}.selector.flow.options"
    systems = sorted({name for name, _ in found})
    flows = sorted({texts.get(f"{path}.{flow}", flow) for _, flow in found})
    return {"systems": ", ".join(systems), "flows": ", ".join(flows)}


def _statistics_foreign(entry: EnphaseCloudConfigEntry) -> _Placeholders | None:
    names = [
        system.info.name
        for system in entry.runtime_data.systems
        if system.energy is not None and system.energy.has_foreign_statistics
    ]
    return {"systems": _listed(sorted(names))} if names else None


def _live_budget(
    entry: EnphaseCloudConfigEntry, *, is_used_up: bool
) -> _Placeholders | None:
    data = entry.runtime_data
    live_sessions = next(
        (system.live_sessions for system in data.systems if system.live_sessions), None
    )
    if live_sessions is None or not live_sessions.budget.per_month:
        return None
    left = live_sessions.budget.left
    if left > live_sessions.budget.per_month * _LOW or is_used_up is (left > 0):
        return None
    return {
        "left": str(left),
        "limit": str(live_sessions.budget.per_month),
        "until": readable(data.budget.ledger.period_end(dt_util.utcnow())),
    }


def _systems_not_visible(entry: EnphaseCloudConfigEntry) -> _Placeholders | None:
    systems = entry.runtime_data.systems
    names = [system.info.name for system in systems if not system.store.is_visible]
    return {"systems": _listed(names)} if names else None


def _systems_not_read(entry: EnphaseCloudConfigEntry) -> _Placeholders | None:
    """Return the systems that failed since the first poll, with reasons."""
    reasons = [
        f"- **{escaped(system.info.name)}**: {system.documents[0].last_exception}"
        for system in entry.runtime_data.systems
        if system.store.is_visible
        and not system.documents[0].is_known
        and not system.documents[0].last_update_success
    ]
    return {"reasons": "\n".join(reasons)} if reasons else None


def _systems_elsewhere(
    hass: HomeAssistant, entry: EnphaseCloudConfigEntry
) -> _Placeholders | None:
    if not (names := entry.runtime_data.systems_elsewhere):
        return None
    holders = systems_of_other_entries(hass, entry)
    titles = {
        holders[system_id].title
        for system_id in chosen_systems(entry)
        if system_id in holders
    }
    return {"systems": _listed(names), "holders": _listed(sorted(titles))}


def _time_zone_unknown(
    hass: HomeAssistant, entry: EnphaseCloudConfigEntry
) -> _Placeholders | None:
    systems = entry.runtime_data.systems
    names = [
        system.info.name for system in systems if not system.info.is_time_zone_known
    ]
    if not names:
        return None
    return {"systems": _listed(names), "time_zone": hass.config.time_zone}


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(escaped, names))


def _live_unreadable(entry: EnphaseCloudConfigEntry) -> _Placeholders | None:
    data = entry.runtime_data
    samples = {
        system.info.name: sample
        for system in data.systems
        if (sample := system.store.unreadable_stream) is not None
    }
    if not samples:
        return None
    sample = next(iter(samples.values()))
    return {
        "systems": _listed(samples),
        "content_type": sample.content_type,
        "beginning": sample.beginning,
    }


def _show_alarms(hass: HomeAssistant, entry: EnphaseCloudConfigEntry) -> None:
    """Show the open alarms of each system, if the option is on."""
    data, wanted = entry.runtime_data, ALARM_REPAIRS.of(entry.options)
    for number, system in enumerate(data.systems):
        alarms = open_alarms(system) if wanted else []
        placeholders = {
            "system": escaped(system.info.name),
            "alarms": "\n".join(alarm_lines(data, system, alarms[:_MOST_ALARMS])),
            "count": str(len(alarms)),
        }
        is_severe = bool(alarms) and alarms[0].severity in _SEVERE
        _show(
            hass,
            entry,
            OPEN_ALARMS,
            placeholders if alarms else None,
            severity=ir.IssueSeverity.ERROR if is_severe else _WARNING,
            part=number,
            url=APP_URL,
        )


def _show(
    hass: HomeAssistant,
    entry: EnphaseCloudConfigEntry,
    kind: str,
    placeholders: _Placeholders | None,
    *,
    fixable: bool = False,
    severity: ir.IssueSeverity = _WARNING,
    part: int | None = None,
    url: str = DEVELOPER_PORTAL_URL,
) -> None:
    issue_id = f"{kind}_{entry.entry_id}" + ("" if part is None else f"_{part}")
    if placeholders is None:
        ir.async_delete_issue(hass, DOMAIN, issue_id)
        return
    ir.async_create_issue(
        hass,
        DOMAIN,
        issue_id,
        is_fixable=fixable,
        severity=severity,
        translation_key=kind,
        translation_placeholders={"account": escaped(entry.title), **placeholders},
        data={"entry_id": entry.entry_id} if fixable else None,
        learn_more_url=None if kind == STORAGE_FAILED else url,
    )
