"""The cost of hours: exact sums for days of any length."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import example, given, strategies as st
import pytest

from custom_components.enphase_cloud.energy.parsing import system_day
from custom_components.enphase_cloud.energy.readings import HOUR, StatisticsRow
from custom_components.enphase_cloud.money.costs import (
    CostRow,
    Priced,
    Pricer,
    cost_rows,
    first_difference,
    is_same,
)
from custom_components.enphase_cloud.money.tariff import Tariff

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = [
    BERLIN,
    *map(ZoneInfo, ("Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe")),
]
START = datetime(2026, 6, 1, tzinfo=UTC)
NIGHT = {"price": "0.10", "start": "22:00", "end": "06:00"}
TABLE = {"kind": "time_of_use", "price": "0.30", "periods": [NIGHT]}


def tariff(*versions: dict[str, Any], direction: str = "import") -> Tariff:
    """Return a tariff of a system."""
    return Tariff.from_dict(
        {"system": 1, "direction": direction, "versions": list(versions)}
    )


def fixed(price: str, **more: Any) -> dict[str, Any]:
    """Return a version with one price."""
    return {"kind": "fixed", "price": price, **more}


def hours_of(day: date, zone: ZoneInfo, energy: int = 1000) -> list[StatisticsRow]:
    """Return the hours of a day, with the same energy in each."""
    return [
        StatisticsRow(start=hour, energy=energy, sum=0)
        for hour in system_day(day, zone).hours
    ]


def whole(day: date, zone: ZoneInfo, energy: int) -> list[StatisticsRow]:
    """Return the energy of a whole day."""
    span = system_day(day, zone)
    return [StatisticsRow(start=next(span.hours), energy=energy, sum=0, day=span)]


@pytest.mark.parametrize(("day", "nights"), [(28, 8), (29, 7)])
def test_nights_of_days_with_23_hours(day: int, nights: int) -> None:
    """The clock goes forward within the night; a whole day has the mean of hours."""
    on, length = date(2026, 3, day), nights + 16
    for rows in (whole(on, BERLIN, length * 1000), hours_of(on, BERLIN)):
        costs = Pricer(tariff(TABLE), BERLIN, {}).costs(rows)
        assert sum(costs.values()) == 10**9 * (nights + 3 * 16) // 10


def test_a_night_of_25_hours() -> None:
    """The clock goes back within the night."""
    rows = hours_of(date(2026, 10, 25), BERLIN)
    assert len(rows) == 25
    costs = Pricer(tariff(TABLE), BERLIN, {}).costs(rows)
    assert sum(costs.values()) == 10**9 * (9 + 3 * 16) // 10


@pytest.mark.parametrize(
    ("zone", "expected"),
    [("Asia/Kolkata", 200), ("Asia/Kathmandu", 150), ("Europe/Berlin", 100)],
)
def test_an_hour_with_two_prices_has_their_mean(zone: str, expected: int) -> None:
    """Weighted by minutes, in zones with UTC offsets of half or quarter hours."""
    at = datetime(2026, 6, 1, 22, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    hour = at.replace(minute=0)
    row = StatisticsRow(start=hour, energy=1000, sum=0)
    costs = Pricer(tariff(TABLE), ZoneInfo(zone), {}).costs([row])
    assert costs == {hour: expected * 10**6}


def test_standing_charges() -> None:
    """One for each local day, also without energy; none for export."""
    first, second = (hours_of(date(2026, 6, day), BERLIN, 0) for day in (1, 2))
    version = fixed("0.30", standing_charge="0.45")
    costs = Pricer(tariff(version), BERLIN, {}).costs(first + second)
    assert {hour for hour, cost in costs.items() if cost} == {
        first[0].start,
        second[0].start,
    }
    assert sum(costs.values()) == 900_000_000
    export = tariff(version, direction="export")
    assert not any(Pricer(export, BERLIN, {}).costs(first).values())


def test_hours_without_a_price() -> None:
    """Before the first version, and if an entity has no price."""
    rows = hours_of(date(2026, 6, 1), BERLIN)
    later = fixed("0.30", valid_from="2026-06-02")
    assert not Pricer(tariff(later), BERLIN, {}).costs(rows)
    spot = {"kind": "entity", "entity_id": "sensor.spot", "standing_charge": "1"}
    known = {rows[3].start: 100_000, rows[4].start: -50_000}
    pricer = Pricer(tariff(spot), BERLIN, {"sensor.spot": known})
    assert pricer.costs(rows) == {
        # The charge is with the first hour that has a price.
        rows[3].start: 1_100_000_000,
        rows[4].start: -50_000_000,
    }
    costs = pricer.costs(whole(date(2026, 6, 1), BERLIN, 2000))
    assert list(costs.values()) == [1_000_000_000 + 2000 * 25_000]


@given(
    values=st.lists(st.integers(0, 10**7), min_size=1, max_size=60),
    price=st.integers(-(10**9), 10**9),
    zone=st.sampled_from(ZONES),
)
@example(values=[4194403], price=999999942, zone=BERLIN)
def test_sums_are_exact(values: list[int], price: int, zone: ZoneInfo) -> None:
    """As integers, they are the energy times the price."""
    rows = [
        StatisticsRow(start=START + number * HOUR, energy=energy, sum=0)
        for number, energy in enumerate(values)
    ]
    version = fixed(f"{price / 10**6:.6f}")
    costs = Pricer(tariff(version), zone, {}).costs(rows)
    written = cost_rows(costs, {}, zone=zone, sum_before=7)
    assert written[-1].sum == 7 + sum(values) * price
    # Rows are the same after a database returned them.
    for row in written:
        again = CostRow(
            start=row.start,
            cost=round(row.cost / 10**9 * 10**9),
            sum=round(row.sum / 10**9 * 10**9),
        )
        assert row.is_like(again)


@given(
    energy=st.integers(0, 10**6),
    zone=st.sampled_from(ZONES),
    day=st.dates(date(2026, 1, 1), date(2026, 12, 31)),
)
def test_a_day_costs_what_its_hours_cost(
    energy: int, zone: ZoneInfo, day: date
) -> None:
    """If they have equal energy; up to a billionth per hour for rounding."""
    pricer = Pricer(tariff(TABLE), zone, {})
    hours = hours_of(day, zone, energy)
    by_hour = sum(pricer.costs(hours).values())
    [by_day] = pricer.costs(whole(day, zone, energy * len(hours))).values()
    assert abs(by_hour - by_day) <= len(hours)


@given(known=st.sets(st.integers(0, 23)), zone=st.sampled_from(ZONES))
@example(known={*range(24)} - {5}, zone=BERLIN)
@example(known={*range(24)}, zone=BERLIN)
def test_the_rest_of_a_day_has_the_price_of_unknown_hours(
    known: set[int], zone: ZoneInfo
) -> None:
    """Known hours have none of it, unless all of them were zeros of a fault."""
    day = date(2026, 6, 2)
    hours, span = hours_of(day, zone, 500), system_day(day, zone)
    pricer = Pricer(tariff(TABLE), zone, {})
    unknown = sorted({*range(24)} - known)
    at = hours[unknown[0] if unknown else 0].start
    for energy in (500, 0):
        if energy and not unknown:
            continue
        rows = [hours[each]._replace(energy=energy) for each in sorted(known)]
        rows = [row for row in rows if row.start != at]
        rest = StatisticsRow(start=at, energy=9_000, sum=0, day=span)
        cost = pricer.costs(sorted([*rows, rest]))[at]
        alike = unknown if energy else range(24)
        prices = [pricer.costs([hours[each]]) for each in alike]
        mean = Fraction(sum(sum(each.values()) for each in prices), len(prices))
        assert abs(cost - mean * 18) <= 18


def test_recorded_hours_without_a_price() -> None:
    """Rows cannot be deleted: they keep their cost, or cost 0 after a new price."""
    starts = [START, START + timedelta(days=1)]
    recorded = {
        start: CostRow(start=start, cost=5, sum=5 * number + 5)
        for number, start in enumerate(starts)
    }
    costs = {starts[1]: 7, START - timedelta(days=1): 1}
    kept = cost_rows(costs, recorded, zone=BERLIN, sum_before=0)
    assert [(row.cost, row.sum) for row in kept] == [(1, 1), (5, 6), (7, 13)]
    rows = cost_rows(costs, recorded, zone=BERLIN, sum_before=0, is_repriced=True)
    assert [(row.cost, row.sum) for row in rows] == [(1, 1), (0, 1), (7, 8)]
    assert not kept[0].is_like(None)
    assert is_same(10**18 + 1, 10**18)
    assert not is_same(10**15 + 1, 10**15)


@given(
    priced=st.lists(st.sets(st.integers(0, 23)), min_size=1, max_size=3),
    zone=st.sampled_from(ZONES),
)
@example(priced=[set(range(12, 24))], zone=BERLIN)
@example(priced=[set(range(24)), set(range(12, 24))], zone=BERLIN)
def test_a_day_is_never_paid_twice(priced: list[set[int]], zone: ZoneInfo) -> None:
    """Its hours may arrive later than its energy, and prices may come and go."""
    spot = {"kind": "entity", "entity_id": "sensor.spot", "standing_charge": "1"}
    day = date(2026, 6, 2)
    hours = hours_of(day, zone)
    recorded: dict[datetime, CostRow] = {}
    for energy in (whole(day, zone, 24_000), hours):
        for known in priced:
            prices = {hours[number].start: 100_000 + number for number in known}
            costs = Pricer(tariff(spot), zone, {"sensor.spot": prices}).costs(energy)
            rows = cost_rows(costs, recorded, zone=zone, sum_before=0)
            recorded = {row.start: row for row in rows}
            if costs:
                assert rows[-1].sum == sum(costs.values())


@pytest.mark.parametrize(
    ("after", "day"),
    [
        ([fixed("1"), fixed("2", valid_from="2026-01-01")], None),
        ([fixed("1"), fixed("3", valid_from="2026-01-01")], date(2026, 1, 1)),
        ([fixed("1"), fixed("2", valid_from="2026-03-01")], date(2026, 1, 1)),
        ([fixed("1"), fixed("2", valid_from="2025-03-01")], date(2025, 3, 1)),
        (
            [
                fixed("1"),
                fixed("2", valid_from="2026-01-01"),
                fixed("4", valid_from="2027-01-01"),
            ],
            date(2027, 1, 1),
        ),
        (
            [fixed("1")]
            + [fixed("3", valid_from=f"{year}-01-01") for year in range(2026, 2036)],
            date(2026, 1, 1),
        ),
        ([fixed("2")], date.min),
        ([fixed("1", standing_charge="1")], date.min),
        ([TABLE | {"periods": [NIGHT | {"end": "06:10"}]}], date.min),
    ],
)
def test_the_first_difference(after: list[dict[str, Any]], day: date | None) -> None:
    """The first local day with other prices."""
    before = tariff(fixed("1"), fixed("2", valid_from="2026-01-01"))
    assert first_difference(before, tariff(*after)) == day


def test_priced_survives_storage() -> None:
    """Damaged data raises ValueError."""
    priced = Priced(
        tariff=tariff(TABLE),
        currency="EUR",
        zone="Europe/Berlin",
        due=START + timedelta(days=1),
        is_repriced=True,
    )
    assert Priced.from_dict(priced.as_dict()) == priced
    # All rows are due; JSON holds no moment as early as that.
    first = priced._replace(due=datetime.min.replace(tzinfo=UTC))
    assert first.as_dict()["due"] == 0
    for damage in ({"due": "soon"}, {"tariff": None}, {"currency": 5}):
        with pytest.raises(ValueError, match="Not"):
            Priced.from_dict(priced.as_dict() | damage)


def test_costs_are_whole() -> None:
    """They are rounded once per hour, to the nearest billionth."""
    zone = ZoneInfo("Asia/Kolkata")
    odd = TABLE | {"price": "0.000001", "periods": [NIGHT | {"price": "0.000002"}]}
    hour = datetime(2026, 6, 1, 16, tzinfo=UTC)
    row = StatisticsRow(start=hour, energy=3, sum=0)
    [cost] = Pricer(tariff(odd), zone, {}).costs([row]).values()
    assert abs(cost - Fraction(9, 2)) == Fraction(1, 2)
