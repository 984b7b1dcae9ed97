"""The options of a config entry: one row each, and values derived from them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import time, timedelta, tzinfo
from enum import StrEnum
from typing import Any, Final, NamedTuple, Self

from ..const import (
    CONF_ALARM_REPAIRS,
    CONF_BURST_LENGTH,
    CONF_BURST_PAUSE,
    CONF_CALL_BUDGET,
    CONF_CALLS_PER_MINUTE,
    CONF_CALLS_PER_MONTH,
    CONF_ENERGY_UPDATES,
    CONF_GROUPS,
    CONF_HISTORY,
    CONF_LIVE_BEGIN,
    CONF_LIVE_BURSTS,
    CONF_LIVE_END,
    CONF_LIVE_HOURS,
    CONF_LIVE_STREAM,
    CONF_PANEL_STATISTICS,
    CONF_PLAN,
    CONF_PROFILE,
    CONF_PUBLISH_INTERVAL,
    CONF_STREAMS_PER_MONTH,
    MAX_STREAM,
    MIN_STREAM,
    PLAN_CUSTOM,
)
from ..energy.flows import MOST_UPDATES
from ..quota.backfill import can_afford
from ..quota.plans import PLANS, Plan, custom_plan
from ..scheduling.daylight import Daylight
from ..scheduling.live_hours import OpenHours, all_day, between, by_day
from ..scheduling.weights import Profile

# From this many calls a month on, energy is updated as often as possible by default.
_PLENTY: Final = 20_000
_CUSTOM: Final = {CONF_CALLS_PER_MINUTE, CONF_CALLS_PER_MONTH, CONF_LIVE_STREAM}


class History(StrEnum):
    """Requested history resolution."""

    NONE = "none"
    DAY = "day"
    HOUR = "hour"


class LiveHours(StrEnum):
    """When scheduled live sessions may begin."""

    ALL_DAY = "all_day"
    DAYLIGHT = "daylight"
    BETWEEN = "between"


class Form(StrEnum):
    """The step of the options flow with the field of an option."""

    CUSTOM_PLAN = "custom_plan"
    CALL_BUDGET = "call_budget"
    PROFILE = "profile"
    ENERGY = "energy"
    DEVICES = "devices"
    LIVE = "live"
    LIVE_SCHEDULE = "live_schedule"
    LIVE_TIMES = "live_times"


@dataclass(frozen=True, slots=True, kw_only=True)
class Option[ValueT]:
    """One row: the form of an option, its range, and how to read it.

    `default` is the suggestion of the form, and `unset` the value for an entry without
    the option. Numbers are from `minimum` to `maximum`, in `unit`.
    """

    key: str
    form: Form
    default: Any
    unset: Any
    read: Callable[[Any], ValueT]
    minimum: int = 0
    maximum: int = 0
    unit: str | None = None

    def of(self, options: Mapping[str, Any]) -> ValueT:
        """Return the value in the options of an entry."""
        return self.read(options.get(self.key, self.unset))


def _number(
    key: str,
    form: Form,
    *,
    default: int,
    unset: int | None = None,
    within: tuple[int, int],
    unit: str | None = None,
) -> Option[int]:
    return Option(
        key=key,
        form=form,
        default=default,
        unset=default if unset is None else unset,
        read=int,
        minimum=within[0],
        maximum=within[1],
        unit=unit,
    )


def _switch(key: str, form: Form) -> Option[bool]:
    return Option(key=key, form=form, default=False, unset=False, read=bool)


def _choice[ChoiceT: StrEnum](
    key: str, form: Form, *, default: ChoiceT, unset: ChoiceT
) -> Option[ChoiceT]:
    return Option(key=key, form=form, default=default, unset=unset, read=type(default))


def _time_of_day(key: str, form: Form, *, default: str) -> Option[time]:
    return Option(
        key=key, form=form, default=default, unset=default, read=time.fromisoformat
    )


CALLS_PER_MINUTE: Final = _number(
    CONF_CALLS_PER_MINUTE, Form.CUSTOM_PLAN, default=10, within=(1, 10_000)
)
CALLS_PER_MONTH: Final = _number(
    CONF_CALLS_PER_MONTH, Form.CUSTOM_PLAN, default=1000, within=(100, 10_000_000)
)
HAS_LIVE_STREAM: Final = _switch(CONF_LIVE_STREAM, Form.CUSTOM_PLAN)
CALL_BUDGET: Final = _number(
    CONF_CALL_BUDGET, Form.CALL_BUDGET, default=0, within=(0, 10_000), unit="USD"
)
PROFILE: Final = _choice(
    CONF_PROFILE, Form.PROFILE, default=Profile.BALANCED, unset=Profile.BALANCED
)
ALARM_REPAIRS: Final = _switch(CONF_ALARM_REPAIRS, Form.DEVICES)
PANEL_STATISTICS: Final = _switch(CONF_PANEL_STATISTICS, Form.DEVICES)
ENERGY_UPDATES: Final = _number(
    CONF_ENERGY_UPDATES, Form.ENERGY, default=1, unset=0, within=(0, MOST_UPDATES)
)
HISTORY: Final = _choice(
    CONF_HISTORY, Form.ENERGY, default=History.DAY, unset=History.NONE
)
STREAMS_PER_MONTH: Final = _number(
    CONF_STREAMS_PER_MONTH, Form.LIVE, default=0, within=(0, 100_000)
)
LIVE_SESSIONS: Final = _switch(CONF_LIVE_BURSTS, Form.LIVE)
SESSION_PAUSE: Final = _number(
    CONF_BURST_PAUSE, Form.LIVE_SCHEDULE, default=60, within=(5, 1440), unit="min"
)
SESSION_LENGTH: Final = _number(
    CONF_BURST_LENGTH,
    Form.LIVE,
    default=60,
    within=(MIN_STREAM.seconds, MAX_STREAM.seconds),
    unit="s",
)
LIVE_HOURS: Final = _choice(
    CONF_LIVE_HOURS,
    Form.LIVE_SCHEDULE,
    default=LiveHours.ALL_DAY,
    unset=LiveHours.ALL_DAY,
)
LIVE_BEGIN: Final = _time_of_day(CONF_LIVE_BEGIN, Form.LIVE_TIMES, default="07:00:00")
LIVE_END: Final = _time_of_day(CONF_LIVE_END, Form.LIVE_TIMES, default="22:00:00")
PUBLISH_INTERVAL: Final = _number(
    CONF_PUBLISH_INTERVAL, Form.LIVE, default=5, within=(1, 60), unit="s"
)

OPTIONS: Final[tuple[Option[Any], ...]] = tuple(
    row for row in tuple(globals().values()) if isinstance(row, Option)
)
"""All of the above, in the order of the forms."""


class EnergyOptions(NamedTuple):
    """How often energy is updated, and which history is requested."""

    updates_per_day: int
    history: History

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> Self:
        """Read the options of an entry."""
        return cls(
            updates_per_day=ENERGY_UPDATES.of(options), history=HISTORY.of(options)
        )


class LiveOptions(NamedTuple):
    """The options of live sessions."""

    streams_per_month: int
    live_sessions: bool
    hours_kind: LiveHours
    begin: time
    end: time
    pause: timedelta
    length: timedelta
    publish_interval: timedelta

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> Self:
        """Read the options of an entry."""
        return cls(
            streams_per_month=STREAMS_PER_MONTH.of(options),
            live_sessions=LIVE_SESSIONS.of(options),
            hours_kind=LIVE_HOURS.of(options),
            begin=LIVE_BEGIN.of(options),
            end=LIVE_END.of(options),
            pause=timedelta(minutes=SESSION_PAUSE.of(options)),
            length=timedelta(seconds=SESSION_LENGTH.of(options)),
            publish_interval=timedelta(seconds=PUBLISH_INTERVAL.of(options)),
        )

    @property
    def hours_per_day(self) -> timedelta:
        """Return the time of a day in which sessions begin; days are 12 hours long."""
        if self.hours_kind is LiveHours.ALL_DAY:
            return timedelta(days=1)
        if self.hours_kind is LiveHours.DAYLIGHT:
            return timedelta(hours=12)
        begin, end = (
            timedelta(hours=each.hour, minutes=each.minute)
            for each in (self.begin, self.end)
        )
        return (end - begin) % timedelta(days=1) or timedelta(days=1)

    def hours(self, daylight: Daylight, time_zone: tzinfo) -> OpenHours:
        """Return the hours of a system's day in which scheduled sessions may begin."""
        match self.hours_kind:
            case LiveHours.DAYLIGHT:
                return by_day(daylight)
            case LiveHours.BETWEEN:
                return between(self.begin, self.end, time_zone)
        return all_day


def plan_from_options(options: Mapping[str, Any]) -> Plan:
    """Return the user's plan, limited to the calls that their budget pays for."""
    if options[CONF_PLAN] != PLAN_CUSTOM:
        plan = PLANS[options[CONF_PLAN]]
        return plan.limited_to(CALL_BUDGET.of(options))
    return custom_plan(
        calls_per_minute=CALLS_PER_MINUTE.of(options),
        calls_per_month=CALLS_PER_MONTH.of(options),
        live_stream=HAS_LIVE_STREAM.of(options),
    )


def most_updates(plan: Plan, per_day: Callable[[int], int]) -> int:
    """Return how many energy updates a day a plan allows, at least one.

    `per_day` returns the calls a day of a number of updates.
    """
    return next(
        updates
        for updates in range(MOST_UPDATES, 0, -1)
        if updates == 1 or can_afford(plan, per_day(updates))
    )


def usual_updates(plan: Plan, per_day: Callable[[int], int]) -> int:
    """Return how often a day energy is updated by default."""
    return most_updates(plan, per_day) if plan.calls_per_month >= _PLENTY else 1


def affordable(
    options: Mapping[str, Any], per_day: Callable[[int], int]
) -> dict[str, Any]:
    """Return options with the default energy updates if the plan lacks calls."""
    plan = plan_from_options(options)
    if ENERGY_UPDATES.of(options) <= most_updates(plan, per_day):
        return dict(options)
    return {**options, CONF_ENERGY_UPDATES: usual_updates(plan, per_day)}


def groups_from_options(options: Mapping[str, Any]) -> frozenset[str]:
    """Return the groups of documents that the user switched on."""
    return frozenset(options.get(CONF_GROUPS, ()))


def profile_from_options(options: Mapping[str, Any]) -> Profile:
    """Return which values the user prefers to be fresh."""
    return PROFILE.of(options)


def consistent(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options without those that their plan does not have.

    Limits belong to a custom plan only. Scheduled live sessions and paid calls cost
    money, so they must not return with the next plan without the user's choice.
    """
    kept = dict(options)
    if kept[CONF_PLAN] != PLAN_CUSTOM:
        kept = {name: value for name, value in kept.items() if name not in _CUSTOM}
    plan = plan_from_options(kept)
    if not plan.has_live_stream:
        kept.pop(CONF_LIVE_BURSTS, None)
    if plan.free_calls is None:
        kept.pop(CONF_CALL_BUDGET, None)
    for unset in (CONF_GROUPS, CONF_ALARM_REPAIRS, CONF_PANEL_STATISTICS):
        if not kept.get(unset):
            kept.pop(unset, None)
    return kept
