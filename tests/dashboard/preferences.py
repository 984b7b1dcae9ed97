"""Preferences and offers for tests of the Energy dashboard."""

from typing import Any

from hypothesis import strategies as st

from custom_components.enphase_cloud.dashboard.sources import Kind, Offer

SYSTEM = "enphase_cloud:7"
NO_MONEY: dict[str, Any] = {
    "stat_cost": None,
    "entity_energy_price": None,
    "number_energy_price": None,
    "stat_compensation": None,
    "entity_energy_price_export": None,
    "number_energy_price_export": None,
}


def grid(**fields: Any) -> dict[str, Any]:
    """Return a grid connection as Home Assistant stores it."""
    return {
        "type": "grid",
        "stat_energy_from": None,
        "stat_energy_to": None,
        **NO_MONEY,
        "cost_adjustment_day": 0.0,
        **fields,
    }


def solar(energy: str, **fields: Any) -> dict[str, Any]:
    """Return solar production as Home Assistant stores it."""
    return {
        "type": "solar",
        "stat_energy_from": energy,
        "config_entry_solar_forecast": None,
        **fields,
    }


def preferences(*sources: dict[str, Any], devices: Any = ()) -> dict[str, Any]:
    """Return the preferences with some sources."""
    return {
        "energy_sources": list(sources),
        "device_consumption": list(devices),
        "device_consumption_water": [],
    }


def power(sensor: str) -> dict[str, Any]:
    """Return the power of a grid connection or a battery."""
    return {"stat_rate": sensor, "power_config": {"stat_rate": sensor}}


OUR_GRID = grid(
    stat_energy_from=f"{SYSTEM}_grid_import",
    stat_energy_to=f"{SYSTEM}_grid_export",
    stat_cost=f"{SYSTEM}_grid_import_cost",
    stat_compensation=f"{SYSTEM}_grid_export_compensation",
    **power("sensor.net"),
)
OUR_SOLAR = solar(f"{SYSTEM}_production", stat_rate="sensor.solar")
OUR_BATTERY = {
    "type": "battery",
    "stat_energy_from": f"{SYSTEM}_battery_discharge",
    "stat_energy_to": f"{SYSTEM}_battery_charge",
    "stat_soc": "sensor.level",
    "capacity": 10.08,
    **power("sensor.battery"),
}
OUR_HOME = {"type": "home", "stat_energy_to": f"{SYSTEM}_consumption"}
OUR_CHARGER = {"stat_consumption": f"{SYSTEM}_charger_1"}

OFFERS = [
    Offer(
        key="grid",
        kind=Kind.GRID,
        source=OUR_GRID,
        twins={
            "stat_energy_from": frozenset({"sensor.envoy_import"}),
            "stat_energy_to": frozenset({"sensor.envoy_export"}),
        },
    ),
    Offer(
        key="solar",
        kind=Kind.SOLAR,
        source=OUR_SOLAR,
        twins={"stat_energy_from": frozenset({"sensor.envoy", "sensor.ours"})},
    ),
    Offer(
        key="battery",
        kind=Kind.BATTERY,
        source=OUR_BATTERY,
        twins={
            "stat_energy_from": frozenset({"sensor.envoy_discharged"}),
            "stat_energy_to": frozenset({"sensor.envoy_charged"}),
        },
    ),
    Offer(key="home", kind=Kind.HOME, source=OUR_HOME),
    Offer(key="7_charger_1", kind=Kind.DEVICE, source=OUR_CHARGER),
]
GRID, SOLAR, BATTERY, HOME, CHARGER = OFFERS

_IDS = st.sampled_from(
    [
        "sensor.envoy",
        "sensor.envoy_import",
        "sensor.meter",
        "sensor.net",
        "sensor.x",
        "sensor.envoy_discharged",
        "sensor.envoy_charged",
    ]
)
_OURS = st.sampled_from([it for each in OFFERS for it in each.energy_ids.values()])
_ANY = _IDS | _OURS
_SOURCES = st.one_of(
    st.builds(solar, _ANY),
    st.builds(
        grid,
        stat_energy_from=st.none() | _ANY,
        stat_energy_to=st.none() | _ANY,
        stat_cost=st.none() | _IDS,
    ),
    st.builds(
        lambda begin, end: {
            "type": "battery",
            "stat_energy_from": begin,
            "stat_energy_to": end,
        },
        _ANY,
        _ANY,
    ),
    st.builds(lambda energy: {"type": "home", "stat_energy_to": energy}, _ANY),
    st.builds(lambda energy: {"type": "gas", "stat_energy_from": energy}, _IDS),
)
_DEVICES = st.lists(st.builds(lambda it: {"stat_consumption": it}, _ANY), max_size=2)
ANY_PREFERENCES = st.builds(
    lambda sources, devices: preferences(*sources, devices=devices),
    st.lists(_SOURCES, max_size=5),
    _DEVICES,
)
