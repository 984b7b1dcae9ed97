"""The doctor finds problems in the Energy dashboard, and fixes nothing else."""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from hypothesis import given
import pytest

from custom_components.enphase_cloud.dashboard.doctor import Finding, diagnose
from custom_components.enphase_cloud.dashboard.sources import Kind, Offer
from custom_components.enphase_cloud.dashboard.wizard import Plan, Verb

from .preferences import (
    ANY_PREFERENCES,
    GRID,
    OFFERS,
    OUR_BATTERY,
    OUR_CHARGER,
    OUR_GRID,
    OUR_SOLAR,
    SYSTEM,
    grid,
    preferences,
    solar,
)


def found(
    *sources: dict[str, Any],
    gone: str = "",
    devices: Any = (),
    offers: Sequence[Offer] = OFFERS,
) -> Any:
    """Return the plans; assert that each fixes its problem and changes no input."""
    before = preferences(*sources, devices=devices)
    kept = deepcopy(before)

    def is_gone(statistic: str) -> bool:
        return bool(gone) and statistic.startswith(gone)

    plans = diagnose(before, offers, is_gone)
    assert before == kept
    for finding, plan in plans.items():
        assert finding not in diagnose(plan.preferences, offers, is_gone)
        assert plan.changes
    return plans


def sources(plan: Plan) -> list[dict[str, Any]]:
    """Return the sources in the new preferences of a plan."""
    return list(plan.preferences["energy_sources"])


def test_finds_no_problem() -> None:
    """Not with our sources only, with foreign ones only, or without any."""
    assert found() == {}
    assert found(OUR_GRID, OUR_SOLAR, OUR_BATTERY, devices=[OUR_CHARGER]) == {}
    assert found(grid(stat_energy_from="sensor.envoy_import")) == {}
    assert found(solar("sensor.envoy"), solar("sensor.ours")) == {}
    assert found(OUR_SOLAR, solar("sensor.solaredge")) == {}


def test_removes_duplicate_solar() -> None:
    """Our source stays, and takes over forecast and name of the other."""
    twin = solar("sensor.envoy", name="Roof", config_entry_solar_forecast=["abc"])
    plan = found(twin, OUR_SOLAR)[Finding.DOUBLE]
    assert sources(plan) == [
        OUR_SOLAR | {"name": "Roof", "config_entry_solar_forecast": ["abc"]}
    ]
    assert [(each.verb, each.kind, each.values) for each in plan.changes] == [
        (Verb.REMOVED, Kind.SOLAR, ("sensor.envoy",))
    ]


def test_removes_duplicate_grid() -> None:
    """A connection is removed with its last energy; a foreign energy in it stays."""
    twin = grid(
        stat_energy_from="sensor.envoy_import",
        stat_energy_to="sensor.envoy_export",
        number_energy_price=0.3,
        stat_rate="sensor.envoy_net",
    )
    plan = found(OUR_GRID, twin)[Finding.DOUBLE]
    assert sources(plan) == [OUR_GRID]
    assert plan.changes[0].values == ("sensor.envoy_import", "sensor.envoy_export")
    half = twin | {"stat_energy_to": "sensor.other_meter"}
    plan = found(OUR_GRID, half)[Finding.DOUBLE]
    assert sources(plan) == [
        OUR_GRID,
        half | {"stat_energy_from": None, "number_energy_price": None},
    ]
    assert plan.changes[0].values == ("sensor.envoy_import",)
    # Ours has no export, so a foreign export is counted once.
    ours = grid(stat_energy_from=f"{SYSTEM}_grid_import", stat_cost="sensor.cost")
    export = grid(stat_energy_to="sensor.envoy_export")
    assert found(ours, export) == {}


TWINS = {
    "stat_energy_from": "sensor.envoy_import",
    "stat_energy_to": "sensor.envoy_export",
}


def one_direction(name: str) -> tuple[dict[str, Any], list[Offer]]:
    """Return a grid with one energy of ours, and its offer with both twins."""
    source = grid(**{name: OUR_GRID[name]})
    return source, [Offer(key="grid", kind=Kind.GRID, source=source, twins=GRID.twins)]


@pytest.mark.parametrize(("ours", "other"), [(*TWINS,), (*reversed(TWINS),)])
def test_keeps_the_direction_that_ours_lacks(ours: str, other: str) -> None:
    """Only the direction that ours has is counted twice."""
    our_grid, offers = one_direction(ours)
    foreign = grid(**{other: TWINS[other]})
    assert found(our_grid, foreign, offers=offers) == {}
    plan = found(our_grid, grid(**TWINS), offers=offers)[Finding.DOUBLE]
    assert sources(plan) == [our_grid, foreign]


@pytest.mark.parametrize(("ours", "other"), [(*TWINS,), (*reversed(TWINS),)])
def test_foreign_grids_of_one_direction(ours: str, other: str) -> None:
    """Without a source of ours, nothing is counted twice."""
    _, offers = one_direction(ours)
    rest = grid(**{ours: "sensor.other"})
    assert found(rest, grid(**{other: TWINS[other]}), offers=offers) == {}


def test_removes_duplicate_battery() -> None:
    """It is removed as a whole, because a battery needs both directions."""
    twin = {
        "type": "battery",
        "stat_energy_from": "sensor.envoy_discharged",
        "stat_energy_to": "sensor.envoy_charged",
    }
    plan = found(OUR_BATTERY, twin)[Finding.DOUBLE]
    assert sources(plan) == [OUR_BATTERY]


@pytest.mark.parametrize("price", [{}, {"number_energy_price": 0.3}])
def test_adds_missing_costs(price: dict[str, Any]) -> None:
    """No other field is filled."""
    bare = grid(stat_energy_from=f"{SYSTEM}_grid_import", **price)
    plan = found(bare)[Finding.COST]
    assert sources(plan) == [bare | {"stat_cost": f"{SYSTEM}_grid_import_cost"}]
    assert plan.changes[0].values == (f"{SYSTEM}_grid_import_cost",)
    own = bare | {"stat_cost": "sensor.my_cost"}
    assert found(own) == {}


def test_removes_stale_statistics() -> None:
    """A source is removed if none of its energy remains."""
    old = "enphase_cloud:9"
    gone = [
        solar(f"{old}_production"),
        grid(
            stat_energy_from=f"{old}_grid_import",
            stat_energy_to="sensor.meter",
            stat_cost=f"{old}_grid_import_cost",
        ),
        grid(stat_energy_from="sensor.meter", stat_cost=f"{old}_grid_import_cost"),
        {
            "type": "battery",
            "stat_energy_from": f"{old}_battery_discharge",
            "stat_energy_to": f"{old}_battery_charge",
        },
    ]
    devices = [
        {"stat_consumption": f"{old}_charger_1"},
        {"stat_consumption": "sensor.plug", "included_in_stat": f"{old}_charger_1"},
        {"stat_consumption": "sensor.washer"},
    ]
    plans = found(OUR_SOLAR, *gone, gone=old, devices=devices)
    assert set(plans) == {Finding.STALE}
    plan = plans[Finding.STALE]
    assert sources(plan) == [
        OUR_SOLAR,
        grid(stat_energy_to="sensor.meter"),
        grid(stat_energy_from="sensor.meter"),
    ]
    assert plan.preferences["device_consumption"] == [
        {"stat_consumption": "sensor.plug"},
        {"stat_consumption": "sensor.washer"},
    ]
    assert len(plan.changes) == 6


@given(before=ANY_PREFERENCES)
def test_fixes_remove_nothing_else(before: dict[str, Any]) -> None:
    """Only a second count of our energy, or a stale statistic of ours, is removed."""
    kept = deepcopy(before)
    plans = diagnose(before, OFFERS, lambda it: it == f"{SYSTEM}_charger_1")
    assert before == kept
    for finding, plan in plans.items():
        left = [*sources(plan), *plan.preferences["device_consumption"]]
        gone = {
            energy
            for each in [*before["energy_sources"], *before["device_consumption"]]
            for energy in _energy_ids(each)
        } - {energy for each in left for energy in _energy_ids(each)}
        if finding is Finding.COST:
            assert not gone
        if finding is Finding.STALE:
            assert gone <= {f"{SYSTEM}_charger_1"}
        if finding is Finding.DOUBLE:
            assert not any(energy.startswith(SYSTEM) for energy in gone)


def _energy_ids(source: dict[str, Any]) -> set[str]:
    fields = ("stat_energy_from", "stat_energy_to", "stat_consumption")
    return {source[name] for name in fields if source.get(name)}
