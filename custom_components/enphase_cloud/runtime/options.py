"""The options of a config entry, read into what they mean."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import time, timedelta, tzinfo
from enum import StrEnum
from typing import Any, Final, Self

from ..const import (
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
    CONF_PLAN,
    CONF_PROFILE,
    CONF_PUBLISH_INTERVAL,
    CONF_STREAMS_PER_MONTH,
    DEFAULT_BURST_LENGTH,
    DEFAULT_BURST_PAUSE,
    DEFAULT_LIVE_BEGIN,
    DEFAULT_LIVE_END,
    DEFAULT_PUBLISH_INTERVAL,
    PLAN_CUSTOM,
)
from ..energy.flows import MOST_UPDATES
from ..quota.backfill import can_afford
from ..quota.plans import PLANS, Plan, custom_plan
from ..scheduling.daylight import Daylight
from ..scheduling.live_hours import OpenHours, all_day, between, by_day
from ..scheduling.weights import Profile

_CUSTOM: Final = {CONF_CALLS_PER_MINUTE, CONF_CALLS_PER_MONTH, CONF_LIVE_STREAM}


class History(StrEnum):
    """How fine the past is wished for."""

    NONE = "none"
    DAY = "day"
    HOUR = "hour"


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyOptions:
    """How often energies are wanted, and how much of the past."""

    updates_per_day: int
    history: History

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> Self:
        """Read the options of an entry."""
        return cls(
            updates_per_day=int(options.get(CONF_ENERGY_UPDATES, 0)),
            history=History(options.get(CONF_HISTORY, History.NONE)),
        )


class LiveHours(StrEnum):
    """When sessions of live data may begin by themselves."""

    ALL_DAY = "all_day"
    DAYLIGHT = "daylight"
    BETWEEN = "between"


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveOptions:
    """How live data is wanted."""

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
            streams_per_month=int(options.get(CONF_STREAMS_PER_MONTH, 0)),
            live_sessions=options.get(CONF_LIVE_BURSTS, False),
            hours_kind=LiveHours(options.get(CONF_LIVE_HOURS, LiveHours.ALL_DAY)),
            begin=time.fromisoformat(options.get(CONF_LIVE_BEGIN, DEFAULT_LIVE_BEGIN)),
            end=time.fromisoformat(options.get(CONF_LIVE_END, DEFAULT_LIVE_END)),
            pause=timedelta(minutes=options.get(CONF_BURST_PAUSE, DEFAULT_BURST_PAUSE)),
            length=timedelta(
                seconds=options.get(CONF_BURST_LENGTH, DEFAULT_BURST_LENGTH)
            ),
            publish_interval=timedelta(
                seconds=options.get(CONF_PUBLISH_INTERVAL, DEFAULT_PUBLISH_INTERVAL)
            ),
        )

    def hours(self, daylight: Daylight, time_zone: tzinfo) -> OpenHours:
        """Return in which hours of a system's day sessions may begin by themselves."""
        match self.hours_kind:
            case LiveHours.DAYLIGHT:
                return by_day(daylight)
            case LiveHours.BETWEEN:
                return between(self.begin, self.end, time_zone)
        return all_day


def plan_from_options(options: Mapping[str, Any]) -> Plan:
    """Return the plan that the user named, with the calls they are willing to pay."""
    if options[CONF_PLAN] != PLAN_CUSTOM:
        plan = PLANS[options[CONF_PLAN]]
        return plan.limited_to(int(options.get(CONF_CALL_BUDGET, 0)))
    return custom_plan(
        calls_per_minute=int(options[CONF_CALLS_PER_MINUTE]),
        calls_per_month=int(options[CONF_CALLS_PER_MONTH]),
        live_stream=options[CONF_LIVE_STREAM],
    )


def most_updates(plan: Plan, per_day: Callable[[int], int]) -> int:
    """Return how many updates of energies a day a plan can bear.

    `per_day` tells how many calls a number of updates takes. One is always possible.
    """
    return next(
        updates
        for updates in range(MOST_UPDATES, 0, -1)
        if updates == 1 or can_afford(plan, per_day(updates))
    )


def groups_from_options(options: Mapping[str, Any]) -> frozenset[str]:
    """Return the groups of documents that the user switched on."""
    return frozenset(options.get(CONF_GROUPS, ()))


def profile_from_options(options: Mapping[str, Any]) -> Profile:
    """Return what the user wants to see freshest."""
    return Profile(options.get(CONF_PROFILE, Profile.BALANCED))


def consistent(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options without what the plan they name does not have.

    Limits belong to a custom plan only. Bursts that a plan without live streams ends
    must not come back with the next plan by themselves, nor must calls that are paid
    for, since they cost money.
    """
    kept = dict(options)
    if kept[CONF_PLAN] != PLAN_CUSTOM:
        kept = {name: value for name, value in kept.items() if name not in _CUSTOM}
    plan = plan_from_options(kept)
    if not plan.has_live_stream:
        kept.pop(CONF_LIVE_BURSTS, None)
    if plan.free_calls is None:
        kept.pop(CONF_CALL_BUDGET, None)
    if not kept.get(CONF_GROUPS):
        kept.pop(CONF_GROUPS, None)
    return kept
