"""Laws that hold for any orders to batteries, loads and chargers."""

from datetime import date

from hypothesis import given, settings, strategies as st

from simulator.moments import HOUR, STEP, Window, midnight
from simulator.physics import (
    Charger,
    ChargingSession,
    Command,
    Flow,
    Load,
    LoadOrder,
    Order,
    Plant,
    Regime,
    Storage,
    day,
)

ZONE = "Europe/Berlin"
FIRST = date(2026, 5, 30)
"""The following nights include a calibration on the first of the month."""
DAYS = [date.fromordinal(FIRST.toordinal() + number) for number in range(4)]
START = midnight(FIRST, ZONE)
COME = (Flow.PRODUCTION, Flow.IMPORT, Flow.DISCHARGE, Flow.GENERATOR)
GO = (Flow.CONSUMPTION, Flow.EXPORT, Flow.CHARGE)

moments = st.integers(START, START + 96 * HOUR)
modes = st.sampled_from(
    ["Self-consumption", "Savings Mode", "Full Backup", "DR Event Active"]
)
regimes = st.builds(Regime, modes, st.integers(5, 100), st.booleans(), st.booleans())
loads = st.builds(
    Load,
    name=st.just("NC1"),
    load_name=st.just("Pump"),
    mode=st.sampled_from(["Basic", "Scheduled", "Advanced_BatteryPowered"]),
    soc_low=st.integers(10, 40),
    soc_high=st.integers(50, 100),
    share_percent=st.integers(0, 100),
)
VISIT = ChargingSession(
    start=START + 17 * HOUR,
    end=START + 32 * HOUR,
    charges_at=START + 25 * HOUR,
    wanted=20_000,
)


def in_order[T](orders: list[T]) -> tuple[T, ...]:
    """Return orders by their moments."""
    return tuple(sorted(orders, key=lambda order: order.at))  # type: ignore[attr-defined]


@st.composite
def plants(draw: st.DrawFn) -> Plant:
    """Draw a plant with many orders in a few days."""
    outage = draw(moments) // STEP * STEP
    return Plant(
        seed=draw(st.integers(1, 99)),
        time_zone=ZONE,
        latitude=52,
        longitude=13,
        commissioned=date(2026, 5, 20),
        size_w=8_000,
        generator_w=draw(st.sampled_from([0, 5_000])),
        storage=Storage(
            units=draw(st.integers(1, 3)),
            orders=in_order(
                draw(st.lists(st.builds(Order, moments, regimes), max_size=6))
            ),
        ),
        outages=(Window(outage, outage + 3 * HOUR),),
        load_orders=in_order(
            draw(st.lists(st.builds(LoadOrder, moments, st.tuples(loads)), max_size=3))
        ),
        chargers=(
            Charger(
                serial="1",
                sessions=(VISIT,),
                commands=in_order(
                    draw(
                        st.lists(
                            st.builds(Command, moments, st.integers(0, 100)),
                            max_size=3,
                        )
                    )
                ),
            ),
        ),
    )


@settings(max_examples=60, deadline=None)
@given(plant=plants())
def test_sources_equal_sinks(plant: Plant) -> None:
    """In each step; stored energy is limited, and continuous at midnight."""
    assert plant.storage is not None
    capacity = plant.storage.capacity_wh * 100
    limit = plant.storage.power_w * STEP // HOUR
    stored = None
    for local in DAYS:
        this = day(plant, local)
        flows = this.flows
        for step in range(len(this.stored) - 1):
            come, go = (sum(flows[flow][step] for flow in side) for side in (COME, GO))
            assert come == go
            assert flows[Flow.CHARGE][step] <= 2 * limit
            assert flows[Flow.DISCHARGE][step] <= limit
        assert all(0 <= each <= capacity for each in this.stored)
        assert stored in {None, this.stored[0]}
        stored = this.stored[-1]


@settings(max_examples=30, deadline=None)
@given(plant=plants(), data=st.data())
def test_orders_do_not_change_the_past(plant: Plant, data: st.DataObject) -> None:
    """Flows before a moment do not depend on its orders."""
    assert plant.storage is not None
    orders = (
        *plant.storage.orders,
        *plant.load_orders,
        *plant.chargers[0].commands,
    )
    at = data.draw(st.sampled_from([order.mark for order in orders] or [START]))
    for local in DAYS:
        start = midnight(local, ZONE)
        before = plant.before(at)
        steps = max(0, min(288, (at - start) // STEP))
        for flow in Flow:
            whole, part = day(plant, local).flows[flow], day(before, local).flows[flow]
            assert whole[:steps] == part[:steps]
