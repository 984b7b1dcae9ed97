"""The wizard adds all our sources to the Energy dashboard, and keeps all others."""

from copy import deepcopy
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.enphase_cloud.dashboard.sources import (
    ENERGY_FIELDS,
    PREFIX,
    Kind,
    Offer,
)
from custom_components.enphase_cloud.dashboard.wizard import (
    Change,
    Choice,
    Verb,
    propose,
)

from .preferences import (
    ANY_PREFERENCES,
    BATTERY,
    CHARGER,
    GRID,
    HOME,
    OFFERS,
    OUR_BATTERY,
    OUR_CHARGER,
    OUR_GRID,
    OUR_HOME,
    OUR_SOLAR,
    SOLAR,
    SYSTEM,
    grid,
    power,
    preferences,
    solar,
)


def verbs(changes: tuple[Change, ...]) -> list[tuple[Verb, Kind]]:
    """Return the verb and the kind of each change."""
    return [(each.verb, each.kind) for each in changes]


def test_adds_all_sources_to_an_empty_dashboard() -> None:
    """Each change lists the ids of its source."""
    plan = propose(preferences(), OFFERS)
    assert plan.is_change
    assert plan.preferences == preferences(
        OUR_GRID, OUR_SOLAR, OUR_BATTERY, OUR_HOME, devices=[OUR_CHARGER]
    )
    assert verbs(plan.changes) == [(Verb.ADDED, kind) for kind in Kind]
    assert plan.changes[2].values == (
        f"{SYSTEM}_battery_discharge",
        f"{SYSTEM}_battery_charge",
        "sensor.level",
        "10.08 kWh",
        "sensor.battery",
    )


def test_second_run_changes_nothing() -> None:
    """Existing sources are not added again, and are no change."""
    first = propose(preferences(), OFFERS).preferences
    plan = propose(first, OFFERS)
    assert plan.preferences == first
    assert plan.changes == ()
    assert not plan.is_change


@pytest.mark.parametrize("choice", Choice)
def test_choice_for_foreign_sources(choice: Choice) -> None:
    """Keep theirs only, keep both, or replace theirs and take over its other fields."""
    theirs = solar(
        "sensor.envoy",
        name="Roof",
        stat_rate="sensor.envoy_power",
        config_entry_solar_forecast=["abc"],
    )
    plan = propose(preferences(theirs), [SOLAR], {Kind.SOLAR: choice})
    expected = {
        Choice.SKIP: [theirs],
        Choice.KEEP_BOTH: [theirs, OUR_SOLAR],
        Choice.REPLACE: [theirs | {"stat_energy_from": f"{SYSTEM}_production"}],
    }
    assert plan.preferences["energy_sources"] == expected[choice]
    assert plan.is_change is (choice is not Choice.SKIP)
    assert plan.conflicts == ([Kind.SOLAR] if choice is Choice.SKIP else [])
    if choice is Choice.REPLACE:
        assert verbs(plan.changes) == [
            (Verb.REMOVED, Kind.SOLAR),
            (Verb.ADDED, Kind.SOLAR),
        ]
        assert plan.changes[0].values == ("sensor.envoy",)


def test_replaces_only_the_same_energy() -> None:
    """Solar of another make stays if sensors of Enphase are in the dashboard."""
    others, twin = solar("sensor.solaredge"), solar("sensor.envoy")
    plan = propose(
        preferences(others, twin, solar("sensor.ours")),
        [SOLAR],
        {Kind.SOLAR: Choice.REPLACE},
    )
    assert plan.preferences["energy_sources"] == [others, OUR_SOLAR]


def test_adds_second_system() -> None:
    """A source of one of our systems does not prevent adding another system."""
    second = Offer(
        key="solar",
        kind=Kind.SOLAR,
        source=solar("enphase_cloud:8_production"),
        twins={"stat_energy_from": frozenset({"sensor.envoy_8"})},
    )
    plan = propose(preferences(OUR_SOLAR), [SOLAR, second])
    assert plan.preferences["energy_sources"] == [OUR_SOLAR, second.source]
    # A twin of the second system does not prevent adding the first.
    plan = propose(preferences(solar("sensor.envoy_8")), [SOLAR, second])
    assert verbs(plan.changes) == [
        (Verb.ADDED, Kind.SOLAR),
        (Verb.LEFT_ALONE, Kind.SOLAR),
    ]


def test_completes_existing_sources() -> None:
    """Empty fields are filled; fields that the user set stay."""
    bare = grid(stat_energy_from=f"{SYSTEM}_grid_import")
    plan = propose(preferences(bare), [GRID])
    assert plan.preferences["energy_sources"] == [OUR_GRID]
    assert verbs(plan.changes) == [(Verb.COMPLETED, Kind.GRID)]
    assert f"{SYSTEM}_grid_import" not in plan.changes[0].values
    assert f"{SYSTEM}_grid_import_cost" in plan.changes[0].values

    own = grid(
        stat_energy_from=f"{SYSTEM}_grid_import",
        stat_energy_to="sensor.meter_export",
        stat_cost="sensor.my_cost",
        stat_rate="sensor.meter_power",
        cost_adjustment_day=3.0,
    )
    plan = propose(preferences(own), [GRID])
    assert plan.preferences["energy_sources"] == [own]
    assert plan.changes == ()


def test_uses_no_statistic_twice() -> None:
    """Import and export may be two connections; each gets only its own money."""
    parts = [
        grid(stat_energy_from=f"{SYSTEM}_grid_import"),
        grid(stat_energy_to=f"{SYSTEM}_grid_export", **power("sensor.net")),
    ]
    plan = propose(preferences(*parts), [GRID])
    assert plan.preferences["energy_sources"] == [
        parts[0] | {"stat_cost": f"{SYSTEM}_grid_import_cost"},
        parts[1] | {"stat_compensation": f"{SYSTEM}_grid_export_compensation"},
    ]
    # Home Assistant refuses one power for two connections.
    theirs = grid(stat_energy_from="sensor.meter", **power("sensor.net"))
    both = propose(preferences(theirs), [GRID], {Kind.GRID: Choice.KEEP_BOTH})
    added = both.preferences["energy_sources"][1]
    assert "stat_rate" not in added
    assert "power_config" not in added


def test_adds_no_second_home() -> None:
    """Home Assistant accepts one home only, so even KEEP_BOTH adds none."""
    theirs = {"type": "home", "stat_energy_to": "sensor.panel"}
    for choice in (Choice.SKIP, Choice.KEEP_BOTH):
        plan = propose(preferences(theirs), [HOME], {Kind.HOME: choice})
        assert plan.preferences["energy_sources"] == [theirs]
    plan = propose(preferences(theirs), [HOME], {Kind.HOME: Choice.REPLACE})
    assert plan.preferences["energy_sources"] == [OUR_HOME]


def test_adds_charger_beside_other_devices() -> None:
    """Other devices do not conflict with it."""
    washer = {"stat_consumption": "sensor.washer", "name": "Washer"}
    plan = propose(preferences(devices=[washer]), [CHARGER])
    assert plan.preferences["device_consumption"] == [washer, OUR_CHARGER]


def test_raises_on_unexpected_preferences() -> None:
    """Preferences of another shape raise an error."""
    for unforeseen in ({}, {"energy_sources": None, "device_consumption": []}):
        with pytest.raises((KeyError, TypeError)):
            propose(unforeseen, OFFERS)


_CHOICES = st.dictionaries(st.sampled_from(Kind), st.sampled_from(Choice))


def _lists(found: dict[str, Any]) -> list[dict[str, Any]]:
    return [*found["energy_sources"], *found["device_consumption"]]


@given(found=ANY_PREFERENCES, chosen=_CHOICES)
def test_keeps_foreign_sources(
    found: dict[str, Any], chosen: dict[Kind, Choice]
) -> None:
    """All sources keep their fields and order, unless the user chose to replace."""
    before = deepcopy(found)
    kept = {kind: it for kind, it in chosen.items() if it is not Choice.REPLACE}
    plan = propose(found, OFFERS, kept)
    assert found == before
    # New sources are at the end.
    for key in ("energy_sources", "device_consumption"):
        for old, new in zip(before[key], plan.preferences[key], strict=False):
            assert old.items() <= {**new, **_empty(old)}.items()
        assert len(plan.preferences[key]) >= len(before[key])
    assert plan.preferences["device_consumption_water"] == []


def _empty(source: dict[str, Any]) -> dict[str, Any]:
    return {name: None for name, value in source.items() if value is None}


@given(found=ANY_PREFERENCES, chosen=_CHOICES)
def test_is_idempotent(found: dict[str, Any], chosen: dict[Kind, Choice]) -> None:
    """A second run with the same choices changes nothing, and needs no choice."""
    first = propose(found, OFFERS, chosen)
    second = propose(first.preferences, OFFERS, chosen)
    assert second.preferences == first.preferences
    assert not second.is_change
    gone = [it for it in _lists(found) if it not in _lists(first.preferences)]
    replaced = {kind for kind, it in chosen.items() if it is Choice.REPLACE}
    for source in gone:
        kind = Kind(source.get("type", "device"))
        is_ours = any(
            str(source.get(name, "")).startswith(PREFIX) for name in ENERGY_FIELDS[kind]
        )
        assert is_ours or kind in replaced


def test_replaced_battery_keeps_other_fields() -> None:
    """Level and power of the local gateway are fresher than ours."""
    theirs = {
        "type": "battery",
        "stat_energy_from": "sensor.envoy_discharged",
        "stat_energy_to": "sensor.envoy_charged",
        "stat_soc": "sensor.envoy_level",
        **power("sensor.envoy_battery"),
    }
    plan = propose(preferences(theirs), [BATTERY], {Kind.BATTERY: Choice.REPLACE})
    assert plan.preferences["energy_sources"] == [
        OUR_BATTERY
        | {"stat_soc": "sensor.envoy_level", **power("sensor.envoy_battery")}
    ]
