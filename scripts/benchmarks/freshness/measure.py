"""Plays a scenario and measures what came of it."""

from dataclasses import dataclass

import numpy as np

from custom_components.enphase_cloud.budget.documents import Document, Profile, weight

from .cloud import Cloud
from .household import Household, Record
from .rivals import Feed, age_at_fixed_intervals, least_age, unforeseen
from .scenarios import Scenario
from .weights import WeightedTime
from .world import System, build

_SEED = 2027
_MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Result:
    """What a year came to. Ages are weighted means in minutes, shares from 0 to 1."""

    calls: int
    worst_month: int
    worst_minute: int
    over_limit: int
    refusals: int
    wasted: float
    unused: float
    age: float
    # With perfect foresight, with all but that of delays, and at fixed intervals.
    least_age: float
    unforeseen_age: float
    fixed_age: float

    @property
    def ratio_to_bound(self) -> float:
        """Return how near the age is to the least."""
        return self.age / self.least_age

    @property
    def ratio_to_unforeseen(self) -> float:
        """Return how near the age is to the least without foresight of delays."""
        return self.age / self.unforeseen_age

    @property
    def ratio_to_fixed(self) -> float:
        """Return how the age compares with that at fixed intervals."""
        return self.age / self.fixed_age


def play(scenario: Scenario) -> Result:
    """Simulate a year and measure it."""
    systems, cloud, record = simulate(scenario)
    feeds = _feeds(scenario, systems)
    blind = [(unforeseen(published), weighted) for published, weighted in feeds]
    calls = np.array(record.calls)
    polls = (np.array(polls) for polls in record.polls.values())
    age = sum(
        weighted.age(each[:, 0], each[:, 1])
        for (_, weighted), each in zip(feeds, polls, strict=True)
    )
    scale = _MINUTE * sum(weighted.total for _, weighted in feeds)
    return Result(
        calls=len(cloud.calls),
        worst_month=cloud.worst_month(),
        worst_minute=cloud.worst_minute(),
        over_limit=cloud.over_limit(),
        refusals=cloud.refusals,
        wasted=record.wasted / record.answered,
        unused=max(record.unused),
        age=age / scale,
        least_age=least_age(feeds, calls) / scale,
        unforeseen_age=least_age(blind, calls) / scale,
        fixed_age=age_at_fixed_intervals(feeds, calls.size) / scale,
    )


def simulate(scenario: Scenario) -> tuple[tuple[System, ...], Cloud, Record]:
    """Return the world of a scenario and what became known of it."""
    systems = tuple(
        build(site, scenario.kinds, _SEED + number)
        for number, site in enumerate(scenario.sites)
    )
    cloud = Cloud(
        calls_per_minute=scenario.plan.calls_per_minute,
        calls_per_month=scenario.plan.calls_per_month,
        trouble=scenario.trouble,
        seed=_SEED,
    )
    household = Household(scenario.plan, systems, cloud, scenario.habits)
    return systems, cloud, household.live_through()


def _feeds(scenario: Scenario, systems: tuple[System, ...]) -> list[Feed]:
    """Return what is published, with the weights of the balanced profile."""
    beside = {Document(kind) for kind in scenario.kinds}
    feeds = []
    for system in systems:
        for kind, published in system.published.items():
            weighs = weight(Profile.BALANCED, Document(kind), beside)
            weighted = WeightedTime(system.days, weighs.day, weighs.night)
            feeds.append((published, weighted))
    return feeds
