"""Calls are shared out as well as they can be."""

import math

from hypothesis import given, strategies as st
import pytest

from custom_components.enphase_cloud.scheduling.allocation import (
    RatePeriod,
    level,
    price,
    rate,
)

STRETCHES = st.lists(
    st.builds(
        RatePeriod,
        weight=st.sampled_from([0, 0.25, 1, 4]),
        duration=st.floats(3_600, 2_600_000),
        period=st.sampled_from([900.0, 21_600.0]),
    ),
    min_size=1,
    max_size=8,
)
CALLS = st.floats(1, 20_000)


def _rates(stretches: list[RatePeriod], calls: float) -> list[float]:
    share = level(stretches, calls)
    return [rate(share, each.weight, each.period) for each in stretches]


def _cost(stretches: list[RatePeriod], rates: list[float]) -> float:
    return sum(
        each.duration * pace for each, pace in zip(stretches, rates, strict=True)
    )


def _age(stretches: list[RatePeriod], rates: list[float]) -> float:
    """Return the weighted age: between two calls it is half an interval on average."""
    return sum(
        each.weight * each.duration / (2 * pace)
        for each, pace in zip(stretches, rates, strict=True)
        if each.weight
    )


@given(STRETCHES, CALLS)
def test_all_calls_are_spent_or_everything_is_asked_for(
    stretches: list[RatePeriod], calls: float
) -> None:
    """Neither more than there are, nor fewer than there is news for."""
    rates = _rates(stretches, calls)
    all_news = sum(each.duration / each.period for each in stretches if each.weight)
    assert _cost(stretches, rates) == pytest.approx(min(calls, all_news))


@given(STRETCHES, CALLS)
def test_nothing_is_asked_for_more_often_than_it_is_published(
    stretches: list[RatePeriod], calls: float
) -> None:
    """Nor at all where it does not matter."""
    for each, pace in zip(stretches, _rates(stretches, calls), strict=True):
        assert pace <= 1 / each.period
        assert (pace == 0) == (each.weight == 0)


@given(STRETCHES, CALLS, st.data())
def test_no_other_shares_make_data_younger(
    stretches: list[RatePeriod], calls: float, data: st.DataObject
) -> None:
    """Moving calls from one stretch to another only makes things worse."""
    rates = _rates(stretches, calls)
    matter = [number for number, each in enumerate(stretches) if each.weight]
    if len(matter) < 2:
        return
    giver, taker = data.draw(st.permutations(matter))[:2]
    moved = data.draw(st.floats(0.01, 0.5)) * rates[giver] * stretches[giver].duration
    others = list(rates)
    others[giver] -= moved / stretches[giver].duration
    others[taker] += moved / stretches[taker].duration
    if others[taker] > 1 / stretches[taker].period:
        return
    assert _age(stretches, others) >= _age(stretches, rates) * (1 - 1e-9)


def test_four_times_the_weight_is_worth_twice_the_calls() -> None:
    """The root of the weight decides."""
    light, heavy = _rates([RatePeriod(1, 1e6, 900), RatePeriod(4, 1e6, 900)], 300)
    assert heavy == pytest.approx(2 * light)


def test_what_a_rarely_published_document_leaves_goes_to_others() -> None:
    """It is requested at each publication, however much it matters."""
    rare, frequent = RatePeriod(4, 1e6, 21_600), RatePeriod(1, 1e6, 900)
    rates = _rates([frequent, rare], 500)
    assert rates == pytest.approx([(500 - 1e6 / 21_600) / 1e6, 1 / 21_600])


@pytest.mark.parametrize("weight", [1, 4])
def test_the_price_is_the_age_that_one_more_call_saves(weight: float) -> None:
    """Whatever the weight."""
    stretches = [RatePeriod(weight, 1e6, 900), RatePeriod(1, 1e6, 900)]
    less, more = (_age(stretches, _rates(stretches, calls)) for calls in (600, 601))
    assert price(level(stretches, 600)) == pytest.approx(less - more, rel=0.01)


def test_without_calls_nothing_is_asked_for() -> None:
    """And without anything to request, calls do not matter."""
    assert level([RatePeriod(1, 3_600, 900)], 0) == 0
    assert level([RatePeriod(1, 3_600, 900)], -5) == 0
    assert level([], 100) == math.inf
