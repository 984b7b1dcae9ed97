"""The cheapest choice of publications, held against all that there are."""

from itertools import combinations, pairwise
import math

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.enphase_cloud.scheduling.lookahead import (
    PlanningWindow,
    first_stop,
)

HOUR = 3600.0


def cost(outlook: PlanningWindow, price: float, chosen: tuple[int, ...]) -> float:
    """Return what a choice of stops costs up to the end, minute by minute."""
    requested = [max(0.0, outlook.stops[number]) for number in chosen]
    data = [outlook.known, *(outlook.stops[number] - outlook.lag for number in chosen)]
    ends = [*requested, max(0.0, outlook.stops[-1])]
    total = price * len(chosen)
    for known, (begin, end) in zip(data, pairwise([0.0, *ends]), strict=True):
        at = begin
        while at < end:
            until = min(end, at + 60)
            middle = (at + until) / 2
            weight = [each for since, each in outlook.steps if since <= middle][-1]
            total += weight * (middle - known) * (until - at)
            at = until
    return total + rest(ends[-1] - data[-1], outlook.after, price)


def rest(age: float, weight: float, price: float) -> float:
    """Return how much dearer an age is than none if calls are free to come anytime.

    A request at an age of T costs price + weight·T²/2 every T seconds.
    """
    if not weight:
        return 0.0
    longest = math.sqrt(2 * price / weight)
    each = price + weight * longest**2 / 2
    left = max(0.0, longest - age)
    paid = weight * (longest**2 - min(age, longest) ** 2) / 2 + price
    return paid - each * left / longest if longest else 0.0


def allowed(outlook: PlanningWindow, chosen: tuple[int, ...]) -> bool:
    """Return whether a choice has what must not be passed over."""
    calls = range(len(outlook.stops) - 1)
    must = [at for at in calls if outlook.stops[at] - outlook.lag >= outlook.duty]
    return not must or must[0] in chosen


@st.composite
def outlooks(draw: st.DrawFn) -> PlanningWindow:
    """Return some hours with changing weights, on whole minutes."""
    minutes = st.integers(1, 90)
    gaps = draw(st.lists(minutes, min_size=1, max_size=7))
    first = draw(st.integers(-7, 30))
    stops = [60.0 * (first + sum(gaps[:number])) for number in range(len(gaps) + 1)]
    weights = draw(st.lists(st.sampled_from([0, 0.25, 0.5, 1]), min_size=1, max_size=5))
    lag = 60.0 * draw(st.integers(0, 10))
    since = sorted(draw(st.sets(minutes.map(lambda each: each * 300.0), max_size=4)))
    return PlanningWindow(
        stops=stops,
        lag=lag,
        # News is newer than what is known.
        known=min(0, stops[0] - lag) - 60.0 * draw(st.integers(1, 600)),
        steps=list(zip([0.0, *since], weights, strict=False)),
        after=draw(st.sampled_from([0, 0.25, 1])),
        duty=draw(st.none() | st.integers(-60, 400)) or math.inf,
    )


@settings(deadline=None)
@given(outlooks(), st.floats(0, 1e8))
def test_no_other_choice_is_cheaper(outlook: PlanningWindow, price: float) -> None:
    """Every choice of stops is tried."""
    first = first_stop(outlook, price)
    last = len(outlook.stops) - 1
    assert 0 <= first <= last
    choices = [
        chosen
        for count in range(last + 1)
        for chosen in combinations(range(last), count)
        if allowed(outlook, chosen)
    ]
    cheapest = min(cost(outlook, price, chosen) for chosen in choices)
    ours = min(
        cost(outlook, price, chosen)
        for chosen in choices
        if (chosen[0] if chosen else last) == first
    )
    assert ours == pytest.approx(cheapest, rel=1e-6, abs=1)


def quarters(*, until: float) -> list[float]:
    """Return stops each quarter of an hour."""
    return [900.0 * number for number in range(1, int(until / 900) + 1)]


def test_a_night_is_slept_through_up_to_its_last_publication() -> None:
    """What is known when the sun rises shall not be a night old."""
    outlook = PlanningWindow(
        stops=quarters(until=12 * HOUR),
        lag=300,
        known=-600,
        steps=[(0, 0), (8 * HOUR + 60, 1)],
        after=1,
    )
    first = first_stop(outlook, HOUR**2 / 2)
    assert outlook.stops[first] == 8 * HOUR


def test_at_a_constant_weight_calls_are_as_far_apart_as_their_price_says() -> None:
    """A call that costs as much as it saves in two hours comes every two hours."""
    outlook = PlanningWindow(
        stops=quarters(until=30 * HOUR),
        lag=0,
        known=0,
        steps=[(0, 0.25)],
        after=0.25,
    )
    first = first_stop(outlook, 0.25 * (2 * HOUR) ** 2 / 2)
    assert outlook.stops[first] == 2 * HOUR


def test_required_data_is_requested_though_it_weighs_nothing() -> None:
    """Of all publications from then on, it is the first."""
    stops = quarters(until=6 * HOUR)
    outlook = PlanningWindow(
        stops=stops, lag=300, known=-HOUR, steps=[(0, 0)], after=0, duty=2 * HOUR
    )
    assert stops[first_stop(outlook, 1e6)] == 2 * HOUR + 900
