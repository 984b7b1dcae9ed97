"""What is wrong in the Energy dashboard, and that the cure changes nothing else."""

from copy import deepcopy
from typing import Any

from hypothesis import given
import pytest

from custom_components.enphase_cloud.dashboard.doctor import Finding, diagnose
from custom_components.enphase_cloud.dashboard.sources import Kind
from custom_components.enphase_cloud.dashboard.wizard import Plan, Verb

from .preferences import (
    ANY_PREFERENCES,
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


def found(*sources: dict[str, Any], gone: str = "", devices: Any = ()) -> Any:
    """Return what is wrong; a cure works, and leaves what it is made from alone."""
    before = preferences(*sources, devices=devices)
    kept = deepcopy(before)

    def is_gone(statistic: str) -> bool:
        return bool(gone) and statistic.startswith(gone)

    plans = diagnose(before, OFFERS, is_gone)
    assert before == kept
    for finding, plan in plans.items():
        assert finding not in diagnose(plan.preferences, OFFERS, is_gone)
        assert plan.changes
    return plans


def sources(plan: Plan) -> list[dict[str, Any]]:
    """Return the sources with which a plan ends."""
    return list(plan.preferences["energy_sources"])


def test_nothing_is_wrong() -> None:
    """With ours alone, with others alone, and with nothing."""
    assert found() == {}
    assert found(OUR_GRID, OUR_SOLAR, OUR_BATTERY, devices=[OUR_CHARGER]) == {}
    assert found(grid(stat_energy_from="sensor.envoy_import")) == {}
    assert found(solar("sensor.envoy"), solar("sensor.ours")) == {}
    assert found(OUR_SOLAR, solar("sensor.solaredge")) == {}


def test_solar_twice() -> None:
    """The statistic stays, with the forecast and the name that the other had."""
    twin = solar("sensor.envoy", name="Roof", config_entry_solar_forecast=["abc"])
    plan = found(twin, OUR_SOLAR)[Finding.DOUBLE]
    assert sources(plan) == [
        OUR_SOLAR | {"name": "Roof", "config_entry_solar_forecast": ["abc"]}
    ]
    assert [(each.verb, each.kind, each.values) for each in plan.changes] == [
        (Verb.REMOVED, Kind.SOLAR, ("sensor.envoy",))
    ]


def test_grid_twice() -> None:
    """A connection goes with its last energy; another energy of it stays."""
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
    # Of what is not ours, nothing is counted twice.
    ours = grid(stat_energy_from=f"{SYSTEM}_grid_import", stat_cost="sensor.cost")
    export = grid(stat_energy_to="sensor.envoy_export")
    assert found(ours, export) == {}


def test_a_battery_twice() -> None:
    """It goes as a whole, for it must have both directions."""
    twin = {
        "type": "battery",
        "stat_energy_from": "sensor.envoy_discharged",
        "stat_energy_to": "sensor.envoy_charged",
    }
    plan = found(OUR_BATTERY, twin)[Finding.DOUBLE]
    assert sources(plan) == [OUR_BATTERY]


@pytest.mark.parametrize("price", [{}, {"number_energy_price": 0.3}])
def test_missing_costs(price: dict[str, Any]) -> None:
    """They are added, and nothing else is completed."""
    bare = grid(stat_energy_from=f"{SYSTEM}_grid_import", **price)
    plan = found(bare)[Finding.COST]
    assert sources(plan) == [bare | {"stat_cost": f"{SYSTEM}_grid_import_cost"}]
    assert plan.changes[0].values == (f"{SYSTEM}_grid_import_cost",)
    own = bare | {"stat_cost": "sensor.my_cost"}
    assert found(own) == {}


def test_what_is_gone() -> None:
    """Statistics that end are removed with what they leave empty."""
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
def test_a_cure_cures_and_takes_nothing_else(before: dict[str, Any]) -> None:
    """What goes counts an energy of ours again, or is a statistic of ours that ends."""
    kept = deepcopy(before)
    plans = diagnose(before, OFFERS, lambda it: it == f"{SYSTEM}_charger_1")
    assert before == kept
    for finding, plan in plans.items():
        left = [*sources(plan), *plan.preferences["device_consumption"]]
        gone = {
            energy
            for each in [*before["energy_sources"], *before["device_consumption"]]
            for energy in _energies(each)
        } - {energy for each in left for energy in _energies(each)}
        if finding is Finding.COST:
            assert not gone
        if finding is Finding.STALE:
            assert gone <= {f"{SYSTEM}_charger_1"}
        if finding is Finding.DOUBLE:
            assert not any(energy.startswith(SYSTEM) for energy in gone)


def _energies(source: dict[str, Any]) -> set[str]:
    fields = ("stat_energy_from", "stat_energy_to", "stat_consumption")
    return {source[name] for name in fields if source.get(name)}
