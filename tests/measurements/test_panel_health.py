"""Faults of panels are found; shade, snow, seasons and new panels are not faults."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
import json
from random import Random

from hypothesis import example, given, settings, strategies as st
import pytest

from custom_components.enphase_cloud.measurements.panel_health import (
    PanelDay,
    PanelHealth,
)
from custom_components.enphase_cloud.measurements.panel_history import PanelState

FIRST = date(2026, 1, 1)
SOUND, WEAK, DEAD = PanelState.SOUND, PanelState.WEAK, PanelState.DEAD
SUNNY = 1_500.0
few = settings(max_examples=25)
seeds = st.integers(0, 2**32)

type Ratio = Callable[[int, str], float | None]


@dataclass
class Plant:
    """Panels with constant shares of the sun, random weather, and their health."""

    shares: dict[str, float]
    random: Random = field(default_factory=lambda: Random(1))
    gateways: dict[str, str] = field(default_factory=dict)
    arrays: dict[str, str] = field(default_factory=dict)
    health: PanelHealth = field(default_factory=PanelHealth)
    day: int = 0

    def live(self, days: int, ratio: Ratio = lambda _day, _panel: 1.0) -> set[str]:
        """Let days pass; return the panels that were weak or dead on any of them."""
        found: set[str] = set()
        for _ in range(days):
            self.health = self.health.after(
                FIRST + timedelta(self.day), self._panel_days(ratio)
            )
            found |= self.ill
            self.day += 1
        return found

    def live_sunny(self, days: int, ratio: Ratio = lambda _day, _panel: 1.0) -> None:
        """Let sunny days pass."""
        for _ in range(days):
            panels = self._panel_days(ratio, weather=1.0)
            self.health = self.health.after(FIRST + timedelta(self.day), panels)
            self.day += 1

    def _panel_days(
        self, ratio: Ratio, weather: float | None = None
    ) -> dict[str, PanelDay]:
        if weather is None:
            weather = self.random.choice([0.05, 0.3, 0.6, 0.8, 1.0])
        days = {}
        for panel, share in self.shares.items():
            part = ratio(self.day, panel)
            noise = self.random.uniform(0.97, 1.03)
            energy = None if part is None else SUNNY * weather * share * noise * part
            days[panel] = PanelDay(
                energy, self.gateways.get(panel), self.arrays.get(panel)
            )
        return days

    @property
    def ill(self) -> set[str]:
        """Return the panels that are weak or dead now."""
        states = {panel: self.health.state(panel) for panel in self.shares}
        return {panel for panel, state in states.items() if state is not SOUND}


def names(count: int) -> list[str]:
    """Return serial numbers."""
    return [f"4820000{number:05}" for number in range(count)]


def plant(count: int = 8, seed: int = 1) -> Plant:
    """Return a plant whose panels have constant shades."""
    random = Random(seed)
    return Plant({name: random.uniform(0.3, 1.0) for name in names(count)}, random)


def only(panels: Iterable[str], ratio: float) -> Ratio:
    """Return the ratio of energy for some panels, and 1 for the others."""
    some = set(panels)
    return lambda _day, panel: ratio if panel in some else 1.0


@few
@given(seeds, st.integers(3, 20))
def test_constant_shade_is_no_fault(seed: int, count: int) -> None:
    """From the first day on, for any shares and weather."""
    assert not plant(count, seed).live(120)


@few
@given(seeds, st.floats(0, 0.03))
def test_a_dead_panel_is_found_at_once(seed: int, ratio: float) -> None:
    """On its first sunny day, and it is sound when it is back."""
    roof = plant(seed=seed)
    roof.live(20)
    (dead, *_) = names(1)
    roof.live_sunny(1, only([dead], ratio))
    assert roof.ill == {dead}
    assert roof.health.state(dead) is DEAD
    roof.live(20, only([dead], ratio))
    assert roof.ill == {dead}
    roof.live_sunny(1)
    assert not roof.ill


@few
@given(seeds, st.floats(0.3, 0.74))
def test_a_weak_panel_is_found_on_the_third_sunny_day(seed: int, ratio: float) -> None:
    """Not before, and it is sound when it is back."""
    roof = plant(seed=seed)
    roof.live(30)
    roof.live_sunny(3)
    (weak,) = names(1)
    roof.live_sunny(2, only([weak], ratio))
    assert not roof.ill
    roof.live_sunny(1, only([weak], ratio))
    assert roof.health.state(weak) is WEAK
    assert roof.ill == {weak}
    performance = roof.health.performance(weak)
    assert performance is not None
    assert abs(performance / 100 - ratio) < 0.08
    roof.live(20, only([weak], ratio))
    assert roof.ill == {weak}
    roof.live_sunny(1)
    assert not roof.ill


@few
@given(seeds, st.floats(0, 0.005))
def test_a_growing_tree_is_no_fault(seed: int, a_day: float) -> None:
    """A tree may take half of the light within a hundred days."""
    roof = plant(seed=seed)
    roof.live(60)
    start, (shaded,) = roof.day, names(1)

    def tree(day: int, panel: str) -> float:
        return 1 - a_day * (day - start) if panel == shaded else 1.0

    assert not roof.live(100, tree)


@few
@given(seeds, st.integers(1, 25), st.integers(0, 6), st.integers(1, 8))
def test_snow_is_no_fault(seed: int, days: int, longer: int, on: int) -> None:
    """On all panels, and longer on some."""
    roof = plant(seed=seed)
    roof.live(60)
    assert not roof.live(days, lambda _day, _panel: 0.004)
    for _ in range(longer):
        roof.live_sunny(1, only(names(on), 0.02))
        assert not roof.ill
    assert not roof.live(60)


def test_a_fault_after_the_thaw_is_found_at_once() -> None:
    """A panel that was sound since the thaw is not covered; another one may be."""
    roof = plant()
    roof.live(60)
    roof.live(5, lambda _day, _panel: 0.004)
    first, second = names(2)
    for _ in range(4):
        roof.live_sunny(1, only([first], 0.02))
        assert not roof.ill
    roof.live_sunny(1, only([first, second], 0.02))
    assert roof.ill == {second}
    roof.live_sunny(3, only([first, second], 0.02))
    assert roof.ill == {first, second}


def test_a_panel_that_dies_under_snow_is_found_on_the_first_sunny_day() -> None:
    """A panel under snow gives a little, a dead one nothing."""
    roof = plant()
    roof.live(60)
    roof.live(5, lambda _day, _panel: 0.004)
    covered, dead = names(2)
    roof.live_sunny(1, lambda _, panel: {covered: 0.02, dead: 0.0}.get(panel, 1.0))
    assert roof.ill == {dead}


@few
@given(seeds, st.integers(2, 8), st.floats(0, 0.6))
@example(1, 2, 0.04296875)
@example(1, 2, 0.004)
@example(5, 2, 0.05)
@example(0, 2, 0.14453125)
@example(16, 3, 0.5845)
def test_snow_on_some_panels_is_no_fault(seed: int, on: int, ratio: float) -> None:
    """For days, without a dark day before."""
    roof = plant(seed=seed)
    roof.live(60)
    for _ in range(6):
        roof.live_sunny(1, only(names(on), ratio))
        assert not roof.ill
    assert not roof.live(60)


def test_days_of_snow_do_not_count_as_usual() -> None:
    """A fault after snow is found as one before it."""
    roof = plant()
    roof.live_sunny(20)
    covered = names(3)
    roof.live_sunny(7, only(covered, 0.0))
    roof.live_sunny(1)
    roof.live_sunny(3, only(names(1), 0.7))
    assert roof.ill == set(names(1))


def test_a_panel_that_dies_on_a_partly_cloudy_day_is_found_on_the_next() -> None:
    """The common cause is over then."""
    roof = plant()
    roof.live_sunny(20)
    first, *others = names(4)
    roof.live_sunny(1, only([first, *others], 0.5))
    roof.live_sunny(1, only([first], 0.0))
    assert roof.ill == {first}


def test_panels_that_die_together_are_found_after_eight_days() -> None:
    """A branch without power is not snow."""
    roof = plant()
    roof.live(60)
    branch = names(3)
    roof.live_sunny(8, only(branch, 0.0))
    assert roof.ill == set(branch)


@few
@given(seeds, st.integers(4, 12))
def test_seasons_and_fog_are_no_fault(seed: int, count: int) -> None:
    """Two sides of a roof differ during the year, and on days with clouds for half."""
    roof = plant(count, seed)
    west = set(names(count * 2 // 5))
    dull = Random(seed)
    # Fog lasts four days; none in the days that the panels need to become known.
    days = {
        day: dull.choice([0.0, 0.1]) * (day % 2) if day >= 15 else 0.0
        for day in range(500)
    }

    def season(day: int, panel: str) -> float:
        swing = 0.75 + 0.25 * (1 - abs(((day / 365) % 1) * 2 - 1))
        return swing * (1 - days[day // 4]) if panel in west else 1.0

    # A single panel on its side has no similar peers.
    assert len(west) < 2 or not roof.live(400, season)


@few
@given(seeds)
def test_a_new_panel_is_watched_first(seed: int) -> None:
    """A new panel in the shade is not weak; it may become so later."""
    roof = plant(seed=seed)
    roof.live(60)
    new = "482999900001"
    del roof.shares[names(1)[0]]
    roof.shares[new] = 0.2
    assert not roof.live(40)
    roof.live_sunny(3)
    roof.live_sunny(3, only([new], 0.6))
    assert roof.ill == {new}


def test_a_new_panel_that_gives_nothing_is_found_on_the_third_sunny_day() -> None:
    """It may not be connected yet."""
    roof = plant()
    roof.live_sunny(5)
    roof.shares["482999900001"] = 0.0
    roof.live_sunny(2)
    assert not roof.ill
    roof.live_sunny(1)
    assert roof.health.state("482999900001") is DEAD


@few
@given(seeds, st.sets(st.integers(0, 99)), st.sets(st.integers(0, 99)))
def test_days_may_be_missing(seed: int, all_of: set[int], some: set[int]) -> None:
    """For all panels, or for some."""
    roof = plant(seed=seed)
    gap = set(names(3))

    def ratio(day: int, panel: str) -> float | None:
        return None if day in all_of or (day in some and panel in gap) else 1.0

    assert not roof.live(100, ratio)


@few
@given(seeds, st.integers(1, 20))
def test_a_silent_gateway_is_no_fault_of_its_panels(seed: int, days: int) -> None:
    """Their totals do not change, and then include several days at once."""
    roof = plant(8, seed)
    silent = set(names(5))
    roof.gateways = {name: "A" if name in silent else "B" for name in names(8)}
    roof.live(40)
    assert not roof.live(days, only(silent, 0.0))
    assert not roof.live(1, only(silent, days + 1.0))
    assert not roof.live(40)
    roof.live_sunny(3)
    roof.live_sunny(1, only(names(1), 0.0))
    assert roof.ill == set(names(1))


@given(st.integers(1, 2), seeds)
def test_without_peers_no_fault_is_found(count: int, seed: int) -> None:
    """A fault cannot be attributed to one of two panels."""
    roof = plant(count, seed)
    assert not roof.live(20)
    assert not roof.live(20, only(names(1), 0.0))


def test_a_new_shade_is_usual_after_fifty_sunny_days() -> None:
    """A new chimney is not a fault for years."""
    roof = plant()
    roof.live_sunny(60)
    roof.live_sunny(50, only(names(1), 0.6))
    assert roof.ill == set(names(1))
    roof.live_sunny(1, only(names(1), 0.6))
    assert not roof.ill
    roof.live_sunny(60, only(names(1), 0.6))
    assert not roof.ill


def test_a_dead_panel_stays_dead() -> None:
    """A later fault of another panel is found as well."""
    roof = plant()
    roof.live_sunny(30)
    roof.live_sunny(200, only(names(1), 0.0))
    assert roof.ill == set(names(1))
    roof.live_sunny(1, only(names(2), 0.0))
    assert roof.ill == set(names(2))
    roof.live_sunny(1)
    assert not roof.ill


def test_a_fault_is_found_again_after_a_repair() -> None:
    """The days of the fault do not count as usual."""
    roof = plant()
    for _ in range(3):
        roof.live_sunny(20)
        roof.live_sunny(25, only(names(1), 0.7))
        assert roof.ill == set(names(1))
    roof.live_sunny(1)
    assert not roof.ill


def test_a_day_counts_only_once() -> None:
    """Several responses in one night are one day."""
    roof = plant()
    roof.live_sunny(20)
    for _ in range(5):
        roof.live_sunny(1, only(names(1), 0.5))
        roof.day -= 1
    assert not roof.ill


def test_a_clock_that_was_ahead_stops_nothing() -> None:
    """Its days are forgotten."""
    roof = plant()
    roof.live_sunny(20)
    roof.day += 1_000
    roof.live_sunny(1)
    roof.day -= 1_001
    roof.live_sunny(1, only(names(1), 0.0))
    assert roof.ill == set(names(1))


def test_a_panel_moves_to_another_gateway() -> None:
    """It belongs to one group only."""
    roof = plant()
    roof.gateways = dict.fromkeys(names(8), "A")
    roof.live_sunny(10)
    roof.live_sunny(1, only(names(1), 0.0))
    roof.gateways = dict.fromkeys(names(8), "B")
    roof.live_sunny(1)
    assert not roof.ill


@few
@given(seeds)
def test_health_survives_a_restart(seed: int) -> None:
    """It is stored as JSON."""
    roof = plant(seed=seed)
    roof.live(30)
    roof.live_sunny(3, only(names(1), 0.5))
    stored = json.loads(json.dumps(roof.health.as_dict()))
    assert PanelHealth.from_dict(stored) == roof.health
    gone = roof.health.without(names(1))
    assert gone.state(names(1)[0]) is SOUND
    assert gone.performance(names(1)[0]) is None
    assert gone.performance(names(2)[1]) is not None
    assert not gone.without(names(8)).groups


def test_it_stays_small() -> None:
    """250 panels after 70 sunny days take less than 100 kB."""
    roof = plant(250)
    roof.live_sunny(70)
    assert len(json.dumps(roof.health.as_dict())) < 100_000


@pytest.mark.parametrize(
    "damaged",
    [
        [],
        {"A": 1},
        {"A": {"days": [["2026", 1]], "panels": {}}},
        {"A": {"days": [["2026-06-01", -1]], "panels": {}}},
        {"A": {"days": [], "panels": {"1": {"ratios": 1}}}},
        {"A": {"days": [], "panels": {"1": {"ratios": ["1"]}}}},
        {"A": {"days": [], "panels": {"1": {"ratios": [1], "state": "ill"}}}},
        {"A": {"days": [], "panels": {"1": {"ratios": [1], "run": 61}}}},
        {"A": {"days": [], "snow": 5, "panels": {}}},
    ],
)
def test_damaged_data_raises(damaged: object) -> None:
    """Always ValueError."""
    with pytest.raises(ValueError, match=r".+"):
        PanelHealth.from_dict(damaged)


def test_an_absurd_energy_is_limited() -> None:
    """It gives the greatest ratio, and later days are not affected."""
    roof = plant()
    roof.live_sunny(20, only(names(1), 1.0))
    roof.live_sunny(1, only(names(8), 1e9))
    assert PanelHealth.from_dict(roof.health.as_dict()) == roof.health
    roof.live_sunny(1, only(names(1), 1e9))
    assert roof.health.performance(names(1)[0]) == 999
    roof.live_sunny(10)
    assert not roof.ill


@pytest.mark.parametrize("has_arrays", [False, True])
def test_the_peers_of_a_panel_are_those_of_its_array(*, has_arrays: bool) -> None:
    """A loss on another roof does not hide a fault."""
    roof = plant(12)
    north, south = names(12)[:4], names(12)[4:]
    if has_arrays:
        roof.arrays = dict.fromkeys(north, "north") | dict.fromkeys(south, "south")
    roof.live_sunny(30)
    roof.live_sunny(12, only([*north, south[0]], 0.7))
    assert roof.ill == ({south[0]} if has_arrays else set())


def test_panels_of_an_array_that_is_too_small_have_other_peers() -> None:
    """With two panels a fault cannot be attributed."""
    roof = plant(8)
    pair, others = names(8)[:2], names(8)[2:]
    roof.arrays = dict.fromkeys(pair, "pair") | dict.fromkeys(others, "others")
    roof.live_sunny(30)
    roof.live_sunny(3, only(pair[:1], 0.6))
    assert roof.ill == {pair[0]}
