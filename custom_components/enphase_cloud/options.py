"""The options of a config entry, read into what they mean."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self

from .budget.plans import PLANS, Plan, custom_plan
from .budget.schedule import Profile
from .const import (
    CONF_BURST_LENGTH,
    CONF_BURST_PAUSE,
    CONF_CALLS_PER_MINUTE,
    CONF_CALLS_PER_MONTH,
    CONF_LIVE_BURSTS,
    CONF_LIVE_STREAM,
    CONF_PLAN,
    CONF_PROFILE,
    CONF_PUBLISH_INTERVAL,
    DEFAULT_BURST_LENGTH,
    DEFAULT_BURST_PAUSE,
    DEFAULT_PUBLISH_INTERVAL,
    PLAN_CUSTOM,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveOptions:
    """How live data is wanted."""

    bursts: bool
    pause: timedelta
    length: timedelta
    publish_interval: timedelta

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> Self:
        """Read the options of an entry."""
        return cls(
            bursts=options.get(CONF_LIVE_BURSTS, False),
            pause=timedelta(minutes=options.get(CONF_BURST_PAUSE, DEFAULT_BURST_PAUSE)),
            length=timedelta(
                seconds=options.get(CONF_BURST_LENGTH, DEFAULT_BURST_LENGTH)
            ),
            publish_interval=timedelta(
                seconds=options.get(CONF_PUBLISH_INTERVAL, DEFAULT_PUBLISH_INTERVAL)
            ),
        )


def plan_from_options(options: Mapping[str, Any]) -> Plan:
    """Return the plan that the user named."""
    if options[CONF_PLAN] != PLAN_CUSTOM:
        return PLANS[options[CONF_PLAN]]
    return custom_plan(
        calls_per_minute=int(options[CONF_CALLS_PER_MINUTE]),
        calls_per_month=int(options[CONF_CALLS_PER_MONTH]),
        live_stream=options[CONF_LIVE_STREAM],
    )


def profile_from_options(options: Mapping[str, Any]) -> Profile:
    """Return what the user wants to see freshest."""
    return Profile(options.get(CONF_PROFILE, Profile.BALANCED))
