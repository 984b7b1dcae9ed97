"""Plays the scenarios and reports."""

from dataclasses import dataclass

import numpy as np

from custom_components.enphase_cloud.budget.documents import Document, Profile, weight

from .cloud import Cloud
from .household import Household
from .measure import Clockwork
from .rivals import age_at_fixed_intervals, least_age
from .scenarios import Scenario
from .world import build

_SEED = 2027


@dataclass(frozen=True, slots=True)
class Result:
    """What a year came to; ages in minutes."""

    calls: int
    worst_month: int
    worst_minute: int
    over_limit: int
    refusals: int
    wasted: float
    unused: float
    age: float
    least_age: float
    fixed_age: float


def play(scenario: Scenario) -> Result:
    """Simulate a year and measure it."""
    systems = tuple(
        build(site, scenario.kinds, _SEED + number)
        for number, site in enumerate(scenario.sites)
    )
    cloud = Cloud(
        scenario.plan.calls_per_minute,
        scenario.plan.calls_per_month,
        scenario.trouble,
        _SEED,
    )
    record = Household(scenario.plan, systems, cloud, scenario.habits).live_through()
    beside = {Document(kind) for kind in scenario.kinds}
    feeds, age = [], 0.0
    total = 0.0
    for system in systems:
        for kind, published in system.published.items():
            weighs = weight(Profile.BALANCED, Document(kind), beside)
            clock = Clockwork(system.days, weighs.day, weighs.night)
            feeds.append((published, clock))
            total += clock.total
    known = iter(record.polls.values())
    for _, clock in feeds:
        polls = np.array(next(known))
        age += clock.age(polls[:, 0], polls[:, 1])
    calls = np.array(record.calls)
    scale = 60 * total
    return Result(
        calls=len(cloud.own),
        worst_month=cloud.worst_month(),
        worst_minute=cloud.worst_minute(),
        over_limit=cloud.over_limit(),
        refusals=cloud.refusals,
        wasted=record.wasted / max(1, record.answered),
        unused=max(record.unused),
        age=age / scale,
        least_age=least_age(feeds, calls) / scale,
        fixed_age=age_at_fixed_intervals(feeds, calls.size) / scale,
    )
