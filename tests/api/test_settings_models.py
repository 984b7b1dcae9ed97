"""Settings: readers compare letters, writes use the spelling of the API."""

from copy import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.enphase_cloud.api import MalformedResponseError
from custom_components.enphase_cloud.api.models import (
    BatteryMode,
    BatterySettings,
    GridState,
    GridStatus,
    Load,
    LoadControl,
    LoadMode,
    StormGuard,
)

BATTERY = {
    "system_id": 71,
    "battery_mode": "Self - Consumption",
    "reserve_soc": 20,
    "energy_independence": "enabled",
    "charge_from_grid": "disabled",
    "battery_shutdown_level": 5,
}
LOAD = {
    "name": "NC1",
    "load_name": "Pump in the garden",
    "owner_can_override": True,
    "mode": "Advanced_BatteryPowered",
    "soc_low": 30,
    "soc_high": 50,
    "status": "enabled",
    "essential_start_time": 32_400,
    "essential_end_time": 86_400,
}
MODELS = (BatterySettings, StormGuard, GridState, LoadControl)
NAMES = sorted({*BATTERY, *LOAD, "storm_guard_status", "storm_alert", "grid_state"})

json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4)
    ),
)


def _loads(*listed: Any) -> dict[str, Load]:
    document = {"system_id": 71, "load_control_data": list(listed)}
    return dict(LoadControl.from_api(document).loads)


def test_reads_and_writes_battery_settings() -> None:
    settings = BatterySettings.from_api(BATTERY)
    assert settings == BatterySettings(
        mode=BatteryMode.SELF_CONSUMPTION,
        reserve=20,
        energy_independence=True,
        charge_from_grid=False,
        shutdown_level=5,
    )
    assert settings.body() == {
        "battery_mode": "Self-consumption",
        "reserve_soc": 20,
        "energy_independence": "enabled",
    }


@pytest.mark.parametrize(
    ("word", "mode", "written"),
    [
        ("self-consumption", BatteryMode.SELF_CONSUMPTION, "Self-consumption"),
        ("Savings Mode", BatteryMode.SAVINGS, "Savings Mode"),
        ("savings", BatteryMode.SAVINGS, "Savings Mode"),
        ("FULL BACKUP", BatteryMode.FULL_BACKUP, "Full Backup"),
        ("DR Event Active", BatteryMode.GRID_SERVICES, None),
        ("Holiday", None, None),
        (None, None, None),
    ],
)
def test_modes_are_compared_by_letters(
    word: object, mode: BatteryMode | None, written: str | None
) -> None:
    """A write omits modes that cannot be written."""
    settings = BatterySettings.from_api({"system_id": 71, "battery_mode": word})
    assert settings.mode is mode
    assert settings.body().get("battery_mode") == written


@pytest.mark.parametrize(
    ("word", "is_on"),
    [
        ("enabled", True),
        ("Enabled (Inactive)", True),
        ("disabled", False),
        ("Disabled", False),
        (True, True),
        ("false", False),
        ("perhaps", None),
        (1, None),
        (None, None),
    ],
)
def test_a_switch_may_have_further_text(word: object, *, is_on: bool | None) -> None:
    guard = StormGuard.from_api({"system_id": 71, "storm_guard_status": word})
    assert guard.is_on is is_on
    written = {None: {}, True: "enabled", False: "disabled"}[is_on]
    assert guard.body() == (written and {"storm_guard_status": written})


@pytest.mark.parametrize(
    ("word", "alert"), [("true", True), ("false", False), (True, True), ("storm", None)]
)
def test_an_alert_may_be_a_text(word: object, *, alert: bool | None) -> None:
    assert StormGuard.from_api({"system_id": 71, "storm_alert": word}).alert is alert


def test_reads_the_grid_status() -> None:
    at = datetime(2026, 6, 1, tzinfo=UTC)
    document = {"system_id": 71, "last_report_date": int(at.timestamp())}
    state = GridState.from_api({**document, "grid_state": "Off Grid"})
    assert state == GridState(GridStatus.OFF_GRID, at)
    assert GridState.from_api(document).status is GridStatus.UNKNOWN


def test_reads_and_writes_loads() -> None:
    """Midnight may be 86,400 s; repr() omits the name that the owner chose."""
    (load,) = _loads(LOAD).values()
    assert (load.mode, load.low, load.high) == (LoadMode.BATTERY, 30, 50)
    assert (load.start, load.end) == (32_400, 0)
    assert load.owner_can_override is load.is_enabled is True
    assert "garden" not in repr(load)
    assert replace(load, mode=LoadMode.NEVER_POWERED).body() == {
        "name": "NC1",
        "load_name": "Pump in the garden",
        "mode": "Manual_always_not_powered",
        "soc_low": 30,
        "essential_start_time": 32_400,
        "essential_end_time": 0,
    }


@pytest.mark.parametrize("name", [None, "", 5, "x" * 65, "NC1/../x", "né", ["NC1"]])
def test_a_load_without_a_name_is_skipped(name: object) -> None:
    assert list(_loads({**LOAD, "name": name}, LOAD)) == ["NC1"]


def test_invalid_values_of_a_load_are_none() -> None:
    odd = {key: [float("nan")] for key in LOAD} | {"name": "NC1"}
    assert _loads(odd) == {"NC1": Load(name="NC1")}
    late = {**LOAD, "essential_start_time": 86_401, "soc_low": 101, "mode": "Party"}
    assert _loads(late)["NC1"].body().keys() == {
        "name",
        "load_name",
        "essential_end_time",
    }


@pytest.mark.parametrize("listed", [None, {}, "NC1", 3])
def test_a_document_without_a_list_of_loads_is_an_error(listed: object) -> None:
    """It is not a system without loads."""
    with pytest.raises(MalformedResponseError):
        LoadControl.from_api({"system_id": 71, "load_control_data": listed})


@pytest.mark.parametrize("model", MODELS)
@given(document=json_values)
def test_any_document_is_read_or_malformed(model: Any, document: Any) -> None:
    """With a system id, each field is valid or None."""
    for candidate in (document, {"system_id": 71, "load_control_data": [document]}):
        try:
            settings = model.from_api(candidate)
        except MalformedResponseError:
            continue
        assert isinstance(settings, model)


@given(document=st.dictionaries(st.sampled_from(NAMES), json_values))
def test_every_body_is_valid(document: dict[str, Any]) -> None:
    settings = BatterySettings.from_api({**document, "system_id": 71})
    assert settings.body().get("reserve_soc", 0) in range(101)
    for load in _loads({**document, "name": "NC1"}).values():
        body = load.body()
        assert body["name"] == "NC1"
        assert body.get("essential_end_time", 0) in range(86_400)
