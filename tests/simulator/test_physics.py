"""Laws of the physical model, for any plant and time."""

from copy import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import example, given, settings, strategies as st
import pytest

from simulator.moments import HOUR, STEP, Window, midnight, next_midnight
from simulator.physics import Day, Flow, Plant, Storage, day, energy, power

COMMISSIONED = date(2025, 1, 1)
FIRST = int(datetime(2025, 1, 2, tzinfo=UTC).timestamp())
LAST = int(datetime(2027, 1, 1, tzinfo=UTC).timestamp())

ZONES = (
    "America/Los_Angeles",
    "Europe/Berlin",
    "Australia/Adelaide",
    "Asia/Kathmandu",
    "UTC",
)

storages = st.builds(
    Storage,
    units=st.integers(1, 6),
    reserve_percent=st.integers(5, 60),
    mode=st.sampled_from(["Self-consumption", "Savings Mode", "Full Backup"]),
)


@st.composite
def outages(draw: st.DrawFn) -> tuple[Window, ...]:
    """Draw up to three grid outages of up to two days."""
    starts = draw(st.lists(st.integers(FIRST // STEP, LAST // STEP), max_size=3))
    return tuple(
        Window(start * STEP, (start + draw(st.integers(1, 48 * 12))) * STEP)
        for start in sorted(starts)
    )


plants = st.builds(
    Plant,
    seed=st.integers(0, 1000),
    time_zone=st.sampled_from(ZONES),
    latitude=st.floats(-60, 60),
    longitude=st.floats(-180, 180),
    commissioned=st.just(COMMISSIONED),
    size_w=st.integers(400, 30_000),
    load_scale=st.floats(0.1, 5),
    storage=st.none() | storages,
    generator_w=st.sampled_from([0, 0, 6_000]),
    outages=outages(),
)
days = st.dates(COMMISSIONED, date(2026, 12, 31))
moments = st.floats(FIRST, LAST)

HOME = Plant(
    seed=7,
    time_zone="America/Los_Angeles",
    latitude=37.8,
    longitude=-122.3,
    commissioned=COMMISSIONED,
    size_w=7_000,
    load_scale=1.5,
    storage=Storage(),
)


def supplied(wh: dict[Flow, int]) -> int:
    """Return the sum of all sources."""
    return (
        wh[Flow.PRODUCTION] + wh[Flow.IMPORT] + wh[Flow.DISCHARGE] + wh[Flow.GENERATOR]
    )


def used(wh: dict[Flow, int]) -> int:
    """Return the sum of all sinks."""
    return wh[Flow.CONSUMPTION] + wh[Flow.EXPORT] + wh[Flow.CHARGE]


def steps(that: Day) -> list[dict[Flow, int]]:
    """Return a day's steps."""
    return [
        dict(zip(that.flows, values, strict=True))
        for values in zip(*that.flows.values(), strict=True)
    ]


@settings(max_examples=40, deadline=None)
@given(plants, days)
@example(HOME, date(2026, 6, 17))
@example(HOME, date(2026, 6, 1))
def test_energy_is_conserved_in_every_step(plant: Plant, local: date) -> None:
    """Sources equal sinks, and no flow is negative."""
    for wh in steps(day(plant, local)):
        assert supplied(wh) == used(wh)
        assert min(wh.values()) >= 0


@settings(max_examples=40, deadline=None)
@given(plants, days)
@example(HOME, date(2026, 6, 1))
def test_battery_keeps_its_limits(plant: Plant, local: date) -> None:
    """The charge stays within limits, changes by the flows, and within the power."""
    storage = plant.storage
    that = day(plant, local)
    if storage is None:
        assert not any(that.flows[Flow.CHARGE])
        assert not any(that.flows[Flow.DISCHARGE])
        return
    limit = storage.power_w * STEP // HOUR
    levels = zip(that.stored, that.stored[1:], strict=False)
    for wh, (before, after) in zip(steps(that), levels, strict=True):
        charged, discharged = wh[Flow.CHARGE], wh[Flow.DISCHARGE]
        assert not (charged and discharged)
        assert max(charged, discharged) <= limit
        assert storage.capacity_wh * 5 <= after <= storage.capacity_wh * 100
        expected = before + charged * storage.efficiency_percent - discharged * 100
        assert after == pytest.approx(expected, abs=100)


@settings(max_examples=40, deadline=None)
@given(plants, days)
def test_grid_is_idle_in_an_outage(plant: Plant, local: date) -> None:
    """Without a grid nothing is imported or exported."""
    that = day(plant, local)
    for index, wh in enumerate(steps(that)):
        if any(that.start + index * STEP in outage for outage in plant.outages):
            assert wh[Flow.IMPORT] == wh[Flow.EXPORT] == 0
        else:
            assert wh[Flow.GENERATOR] == 0


@settings(max_examples=40, deadline=None)
@given(plants, moments)
@example(HOME, FIRST + 0.5)
def test_power_is_balanced_at_every_instant(plant: Plant, at: float) -> None:
    """Sources equal sinks, and the charge is 0 to 100 %."""
    now = power(plant, at)
    supply = now.production + now.grid + now.battery + now.generator
    assert supply == now.consumption
    assert now.production >= 0
    assert now.consumption >= 0
    if plant.storage is None:
        assert now.soc is None
        assert now.battery == 0
    else:
        assert now.soc is not None
        assert 5 <= now.soc <= 100
        assert abs(now.battery) <= plant.storage.power_w


@settings(max_examples=20, deadline=None)
@given(plants, st.integers(FIRST // STEP, LAST // STEP))
@example(HOME, FIRST // STEP)
def test_power_integrates_to_energy(plant: Plant, step: int) -> None:
    """The mean power of a step is its energy, with flicker."""
    start = step * STEP
    powers = [power(plant, start + second) for second in range(STEP)]

    def mean(of: str) -> float:
        return sum(getattr(now, of) for now in powers) / STEP

    def expected(flow: Flow) -> int:
        return energy(plant, flow, start, start + STEP) * HOUR // STEP

    grid = expected(Flow.IMPORT) - expected(Flow.EXPORT)
    battery = expected(Flow.DISCHARGE) - expected(Flow.CHARGE)
    assert mean("production") == pytest.approx(expected(Flow.PRODUCTION), abs=1)
    assert mean("consumption") == pytest.approx(expected(Flow.CONSUMPTION), abs=1)
    assert mean("grid") == pytest.approx(grid, abs=2)
    assert mean("battery") == pytest.approx(battery, abs=2)


@settings(max_examples=40, deadline=None)
@given(plants, st.integers(FIRST // STEP, LAST // STEP), st.integers(0, 900), st.data())
def test_energy_adds_up(
    plant: Plant, first: int, count: int, data: st.DataObject
) -> None:
    """The energy of an interval is the sum of its parts, across midnights too."""
    split = data.draw(st.integers(0, count))
    flow = data.draw(st.sampled_from(Flow))
    start, middle, end = (STEP * (first + offset) for offset in (0, split, count))
    parts = energy(plant, flow, start, middle) + energy(plant, flow, middle, end)
    assert energy(plant, flow, start, end) == parts


@pytest.mark.parametrize("zone", ZONES)
def test_days_add_up_to_a_year(zone: str) -> None:
    """Days are local days, also at changes of daylight saving time."""
    plant = replace(HOME, time_zone=zone)
    first = date(2026, 1, 1)
    locals_ = [first + timedelta(days=number) for number in range(365)]
    total = sum(day(plant, local).totals[Flow.PRODUCTION] for local in locals_)
    start, end = midnight(first, zone), next_midnight(locals_[-1], zone)
    assert energy(plant, Flow.PRODUCTION, start, end) == total
    lengths = {len(day(plant, local).flows[Flow.IMPORT]) for local in locals_}
    assert lengths <= {276, 288, 300}


def test_a_day_does_not_depend_on_a_long_history() -> None:
    """After a calibration night the date of commissioning does not matter."""
    younger = replace(HOME, commissioned=date(2026, 6, 10))
    assert day(younger, date(2026, 6, 10)) != day(HOME, date(2026, 6, 10))
    assert day(younger, date(2026, 7, 20)) == day(HOME, date(2026, 7, 20))


def test_charge_is_continuous_over_midnight() -> None:
    """A day begins with the final charge of the day before, calibrated or not."""
    first = date(2026, 5, 25)
    locals_ = [first + timedelta(days=number) for number in range(15)]
    for local in locals_:
        today, tomorrow = day(HOME, local), day(HOME, local + timedelta(days=1))
        assert today.stored[-1] == tomorrow.stored[0]


def test_an_outage_does_not_change_the_past() -> None:
    """Earlier flows are the same."""
    local = date(2026, 6, 17)
    start = midnight(local, HOME.time_zone) + 18 * HOUR
    failing = replace(HOME, outages=(Window(start),))
    before, after = day(HOME, local), day(failing, local)
    until = 18 * HOUR // STEP
    for flow in Flow:
        assert before.flows[flow][:until] == after.flows[flow][:until]
    assert before.flows != after.flows
    assert not power(failing, start).on_grid
    assert power(failing, start - 1).on_grid


def test_panels_without_battery_need_the_grid() -> None:
    """In an outage a site without battery has no power, unless it has a generator."""
    start = midnight(date(2026, 6, 17), HOME.time_zone)
    dark = replace(HOME, storage=None, outages=(Window(start, start + 24 * HOUR),))
    assert not any(day(dark, date(2026, 6, 17)).totals.values())
    lit = replace(dark, generator_w=20_000)
    totals = day(lit, date(2026, 6, 17)).totals
    assert totals[Flow.GENERATOR] == totals[Flow.CONSUMPTION] > 0


def test_generator_charges_the_battery() -> None:
    """In a long outage in winter the battery does not become empty."""
    start = midnight(date(2026, 1, 10), HOME.time_zone)
    outage = (Window(start, start + 72 * HOUR),)
    without = replace(HOME, outages=outage, load_scale=3)
    helped = replace(without, generator_w=8_000)
    local = date(2026, 1, 12)
    assert min(day(without, local).stored) < min(day(helped, local).stored)
    assert day(helped, local).totals[Flow.GENERATOR] > 0
    wanted = day(replace(without, outages=()), local).totals[Flow.CONSUMPTION]
    assert day(without, local).totals[Flow.CONSUMPTION] < wanted
    assert day(helped, local).totals[Flow.CONSUMPTION] == wanted


@pytest.mark.parametrize(
    ("mode", "hour", "discharges"),
    [
        ("Self-consumption", 2, True),
        ("Savings Mode", 2, False),
        ("Savings Mode", 20, True),
        ("Full Backup", 20, False),
    ],
)
def test_battery_mode(mode: str, hour: int, *, discharges: bool) -> None:
    """The mode decides when the battery discharges."""
    storage = Storage(units=3, mode=mode)  # type: ignore[arg-type]
    plant = replace(HOME, storage=storage)
    start = midnight(date(2026, 6, 17), plant.time_zone) + hour * HOUR
    given_back = energy(plant, Flow.DISCHARGE, start, start + HOUR)
    assert (given_back > 0) is discharges


def test_sun_shines_by_day_only() -> None:
    """Production has its maximum around noon, and is zero at night."""
    that = day(HOME, date(2026, 6, 17)).flows[Flow.PRODUCTION]
    hours = [sum(that[hour * 12 : hour * 12 + 12]) for hour in range(24)]
    assert hours[:5] == [0] * 5
    assert hours[22:] == [0, 0]
    assert hours.index(max(hours)) in {11, 12, 13, 14}


@pytest.mark.parametrize(
    ("latitude", "summer", "winter"),
    [
        (37.8, date(2026, 6, 12), date(2026, 12, 12)),
        (-37.8, date(2026, 12, 12), date(2026, 6, 12)),
    ],
)
def test_production_is_higher_in_summer(
    latitude: float, summer: date, winter: date
) -> None:
    """On the best of ten days, in both hemispheres."""
    plant = replace(HOME, latitude=latitude)

    def best(first: date) -> int:
        ten = (first + timedelta(days=number) for number in range(10))
        return max(day(plant, local).totals[Flow.PRODUCTION] for local in ten)

    assert best(summer) > 1.4 * best(winter)


def test_flows_before_commissioning_are_zero() -> None:
    """The site does not exist yet."""
    assert not any(day(HOME, date(2024, 12, 31)).totals.values())


def test_energy_needs_whole_steps() -> None:
    """Other intervals are refused, not rounded."""
    with pytest.raises(ValueError, match="5 minutes"):
        energy(HOME, Flow.IMPORT, FIRST + 1, FIRST + STEP)


def test_standby_consumption_reduces_the_charge_to_the_reserve() -> None:
    """It only affects the stored energy."""
    storage = Storage(units=2, standby_w=12)
    plant = replace(HOME, storage=storage, outages=())
    that = day(plant, date(2026, 6, 2))
    levels = zip(that.stored, that.stored[1:], strict=False)
    lost = 2 * 12 * 100 * STEP // HOUR
    reserve = storage.capacity_wh * storage.reserve_percent
    idle = 0
    for wh, (before, after) in zip(steps(that), levels, strict=True):
        assert supplied(wh) == used(wh)
        if not wh[Flow.CHARGE] and not wh[Flow.DISCHARGE]:
            assert before - after == min(lost, max(0, before - reserve))
            idle += before > reserve
    assert idle


def test_production_decreases_with_age() -> None:
    """By a share of the remaining production each year."""
    young = replace(HOME, commissioned=date(2016, 6, 21), storage=None, outages=())
    ageing = replace(young, ageing_percent=2.0)
    for year, left in ((2016, 1.0), (2026, 0.98**10)):
        produced = [
            day(plant, date(year, 6, 21)).totals[Flow.PRODUCTION]
            for plant in (young, ageing)
        ]
        assert produced[1] / produced[0] == pytest.approx(left, abs=0.002)
