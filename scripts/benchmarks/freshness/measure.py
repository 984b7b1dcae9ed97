"""Simulates a scenario, and measures its results."""

from dataclasses import dataclass

import numpy as np

from custom_components.enphase_cloud.measurements.catalog import Source
from custom_components.enphase_cloud.scheduling.weights import Profile, weight

from .cloud import Cloud
from .household import Household, Record
from .rivals import Feed, TrueFeed, age_at_fixed_intervals, least_ages, unforeseen
from .scenarios import Scenario
from .weights import LikelyTime, WeightedTime
from .world import DAY, END, System, build, months

_SEED = 2027
_MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Result:
    """The results of a year. Ages: weighted means in minutes; shares: from 0 to 1."""

    calls: int
    worst_month: int
    worst_minute: int
    over_limit: int
    refusals: int
    wasted: float
    unused: float
    age: float
    # The least possible age: with perfect foresight ("bound"); without that of delays
    # ("blind"); also with a call a day for the end of each system's day ("ends"); also
    # with foresight of the sun but not of the clouds ("clouds"); and at fixed intervals
    # ("fixed").
    rivals: dict[str, float]
    # The ratio of each month's age to its least possible age.
    ratios_to_bound: list[float]

    def ratio_to(self, rival: str) -> float:
        """Return the ratio of the age to a rival's."""
        return self.age / self.rivals[rival]


def play(scenario: Scenario) -> Result:
    """Simulate a year, and measure it."""
    systems, cloud, record = simulate(scenario)
    feeds, blind, likely = _feeds(scenario, systems)
    edges = np.array([*(begin for begin, _ in months()), END])
    calls, _ = np.histogram(record.calls, edges)
    day_ends = len(systems) * np.diff(edges) / DAY
    ages = np.zeros(calls.size)
    for (_, weighted), polls in zip(feeds, record.polls.values(), strict=True):
        at, known = np.array(polls).T
        ages += weighted.ages(at, known, edges)
    least = least_ages(feeds, calls)
    scale = _MINUTE * sum(weighted.total for _, weighted in feeds)
    return Result(
        calls=len(cloud.calls),
        worst_month=cloud.worst_month(),
        worst_minute=cloud.worst_minute(),
        over_limit=cloud.over_limit(),
        refusals=cloud.refusals,
        wasted=record.wasted / record.responses,
        unused=max(record.unused),
        age=ages.sum() / scale,
        rivals={
            "bound": least.sum() / scale,
            "blind": least_ages(blind, calls).sum() / scale,
            "ends": least_ages(blind, calls - day_ends).sum() / scale,
            "clouds": least_ages(likely, calls - day_ends).sum() / scale,
            "fixed": age_at_fixed_intervals(feeds, calls.sum()) / scale,
        },
        ratios_to_bound=list(ages / least),
    )


def simulate(scenario: Scenario) -> tuple[tuple[System, ...], Cloud, Record]:
    """Return the world of a scenario and the record of its year."""
    systems = tuple(
        build(site, scenario.kinds, _SEED + number)
        for number, site in enumerate(scenario.sites)
    )
    cloud = Cloud(scenario, seed=_SEED)
    return systems, cloud, Household(scenario, systems, cloud).live_through()


def _feeds(
    scenario: Scenario, systems: tuple[System, ...]
) -> tuple[list[TrueFeed], list[TrueFeed], list[Feed]]:
    """Return the publications, with the weights of the balanced profile.

    Three versions: as they are, without foresight of delays, and without foresight of
    delays and clouds.
    """
    feeds: list[TrueFeed] = []
    blind: list[TrueFeed] = []
    likely: list[Feed] = []
    beside = {Source(kind) for kind in scenario.kinds}
    for system in systems:
        for kind, published in system.published.items():
            weighs = weight(Profile.BALANCED, Source(kind), beside)
            weighted, *possible = (
                WeightedTime(days, weighs.day, weighs.night)
                for days in (system.days, *system.likely_days)
            )
            delayed = unforeseen(published)
            feeds.append((published, weighted))
            blind.append((delayed, weighted))
            likely.append((delayed, LikelyTime(possible)))
    return feeds, blind, likely
