"""The subentry flow of tariffs, which set what energy costs."""

from datetime import timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder.models import (
    StatisticMeanType,
    StatisticMetaData,
)
from homeassistant.components.recorder.statistics import async_import_statistics
from homeassistant.components.recorder.tasks import SynchronizeTask
from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    SOURCE_USER,
    ConfigEntryState,
    ConfigSubentry,
    SubentryFlowResult,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from homeassistant.helpers.recorder import get_instance
from homeassistant.helpers.selector import SelectSelector
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.enphase_cloud.const import DOMAIN, SUBENTRY_TARIFF
from custom_components.enphase_cloud.money.tariff import Tariff
from scripts.demonstration.demo import TARIFFS

from .conftest import SetUp, World
from .energy_helpers import advance
from .flows import ENGLISH, field_names, placeholders, suggested
from .helpers import state

TEXTS = ENGLISH["config_subentries"][SUBENTRY_TARIFF]
ALL_DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
NIGHT = {
    "price": 0.22,
    "start": "22:00:00",
    "end": "06:00:00",
    "weekdays": ["mon", "sun"],
    "holidays": True,
}
STORED_NIGHT = {
    "price": "0.22",
    "start": "22:00",
    "end": "06:00",
    "weekdays": [0, 6],
    "holidays": True,
}
FIXED = {"kind": "fixed", "valid_from": None, "price": "0.3", "standing_charge": "0"}


@pytest.fixture
def plan() -> str:
    """Return the free plan."""
    return "watt"


pytestmark = pytest.mark.usefixtures("summer_noon")


def _translated(result: SubentryFlowResult) -> SubentryFlowResult:
    """Return a flow's result; each step, field and error has a text, filled in."""
    if result["type"] is FlowResultType.ABORT:
        assert result["reason"] in TEXTS["abort"]
    if result["type"] is FlowResultType.MENU:
        options = TEXTS["step"][result["step_id"]]["menu_options"]
        assert set(result["menu_options"]) <= set(options)
    if result["type"] is FlowResultType.FORM:
        texts = TEXTS["step"][result["step_id"]]
        fields = field_names(result["data_schema"])
        assert fields <= set(texts["data"])
        shown = [texts.get("description", "")]
        shown += [TEXTS["error"][error] for error in (result["errors"] or {}).values()]
        given = result["description_placeholders"] or {}
        assert {name for text in shown for name in placeholders(text)} <= given.keys()
        assert set(result["errors"] or {}) <= fields
        for field in fields:
            assert all(_choices(result, field).values())
    return result


def _choices(shown: SubentryFlowResult, field: str) -> dict[str, str]:
    """Return the label of each option of a field, as the frontend finds it."""
    assert shown["data_schema"] is not None
    selector = shown["data_schema"].schema[field]
    if not isinstance(selector, SelectSelector):
        return {}
    labels = ENGLISH["selector"].get(selector.config.get("translation_key"), {})
    return {
        value: labels.get("options", {}).get(value, label)
        for value, label in (
            (each["value"], each["label"]) if isinstance(each, dict) else (each, "")
            for each in selector.config["options"]
        )
    }


async def _begin(
    hass: HomeAssistant, entry: MockConfigEntry, subentry: ConfigSubentry | None = None
) -> SubentryFlowResult:
    context: dict[str, Any] = {"source": SOURCE_USER}
    if subentry is not None:
        context = {"source": SOURCE_RECONFIGURE, "subentry_id": subentry.subentry_id}
    return _translated(
        await hass.config_entries.subentries.async_init(
            (entry.entry_id, SUBENTRY_TARIFF),
            context=context,  # type: ignore[arg-type]
        )
    )


async def _submit(
    hass: HomeAssistant, shown: SubentryFlowResult, **user_input: Any
) -> SubentryFlowResult:
    result = await hass.config_entries.subentries.async_configure(
        shown["flow_id"], user_input
    )
    await hass.async_block_till_done()
    return _translated(result)


async def _choose(
    hass: HomeAssistant, shown: SubentryFlowResult, option: str
) -> SubentryFlowResult:
    assert shown["type"] is FlowResultType.MENU
    assert option in shown["menu_options"]
    return await _submit(hass, shown, next_step_id=option)


async def _add(hass: HomeAssistant, entry: MockConfigEntry) -> ConfigSubentry:
    """Add a tariff for import: 0.30 at all times."""
    shown = await _submit(hass, await _begin(hass, entry), direction="import")
    result = await _submit(hass, shown, price=0.3, standing_charge=0)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    [subentry] = entry.subentries.values()
    return subentry


async def _add_changed(hass: HomeAssistant, entry: MockConfigEntry) -> ConfigSubentry:
    """Add a tariff for import whose prices change on New Year."""
    subentry = await _add(hass, entry)
    shown = await _choose(hass, await _begin(hass, entry, subentry), "new_prices")
    shown = await _submit(hass, shown, valid_from="2026-01-01", kind="fixed")
    await _submit(hass, shown, price=0.35, standing_charge=0.4)
    return subentry


def _versions(subentry: ConfigSubentry) -> list[dict[str, Any]]:
    """Return the stored versions, which `Tariff` reads without loss."""
    assert Tariff.from_dict(subentry.data).as_dict() == subentry.data
    versions: list[dict[str, Any]] = subentry.data["versions"]
    return versions


async def test_fixed_price_is_stored_as_decimal(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """Rounding errors of floats are dropped, and no API call is made."""
    entry = await set_up()
    calls = len(world.calls)
    shown = await _begin(hass, entry)
    assert (shown["step_id"], shown["last_step"]) == ("user", False)
    assert field_names(shown["data_schema"]) == {"direction", "kind"}
    shown = await _submit(hass, shown, direction="import", kind="fixed")
    assert (shown["step_id"], shown["last_step"]) == ("fixed", True)
    assert shown["data_schema"] is not None
    units = {
        str(field): selector.config["unit_of_measurement"]
        for field, selector in shown["data_schema"].schema.items()
    }
    currency = hass.config.currency
    assert units == {"price": f"{currency}/kWh", "standing_charge": f"{currency}/d"}
    result = await _submit(hass, shown, price=0.1 + 0.2, standing_charge=1e-5)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    [subentry] = entry.subentries.values()
    assert subentry.title == "Hilltop: Grid import"
    assert subentry.data == {
        "system": world.system.system_id,
        "direction": "import",
        "versions": [{**FIXED, "standing_charge": "0.00001"}],
    }
    assert _versions(subentry)
    assert entry.state is ConfigEntryState.LOADED
    assert len(world.calls) == calls


async def test_export_tariff_has_no_standing_charge(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    """A negative price is accepted."""
    entry = await set_up()
    shown = await _submit(
        hass, await _begin(hass, entry), direction="export", kind="fixed"
    )
    assert field_names(shown["data_schema"]) == {"price"}
    await _submit(hass, shown, price=-0.05)
    [subentry] = entry.subentries.values()
    assert subentry.title == "Hilltop: Grid export"
    assert _versions(subentry) == [{**FIXED, "price": "-0.05"}]


@pytest.mark.parametrize(
    ("answer", "errors"),
    [
        ({"price": 1_000_001}, {"price": "out_of_range"}),
        ({"price": -1e300}, {"price": "out_of_range"}),
        ({"price": float("nan")}, {"price": "out_of_range"}),
        ({"standing_charge": float("inf")}, {"standing_charge": "out_of_range"}),
        ({"standing_charge": -0.01}, {"standing_charge": "charge_negative"}),
    ],
)
async def test_absurd_price_is_rejected(
    hass: HomeAssistant, set_up: SetUp, answer: Any, errors: dict[str, str]
) -> None:
    """The form shows the error, and keeps the user input."""
    entry = await set_up()
    shown = await _submit(hass, await _begin(hass, entry), direction="import")
    given = {"price": 0.3, "standing_charge": 0.5, **answer}
    shown = await _submit(hass, shown, **given)
    assert (shown["step_id"], shown["errors"]) == ("fixed", errors)
    assert suggested(shown).keys() == given.keys()
    result = await _submit(hass, shown, price=0.3, standing_charge=0)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_time_of_use_prices_are_stored(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    """One form has the price outside of all periods; each period has its own form."""
    entry = await set_up()
    shown = await _submit(hass, await _begin(hass, entry), kind="time_of_use")
    assert (shown["step_id"], shown["last_step"]) == ("time_of_use", False)
    base = {"price": 0.34, "standing_charge": 0.45}
    shown = await _submit(hass, shown, **base, holidays=["2026-12-25", "Easter"])
    assert shown["errors"] == {"holidays": "invalid_day"}
    shown = await _submit(hass, shown, **base, holidays=["2026-12-26", "2026-12-25"])
    assert shown["step_id"] == "period"
    assert "remove" not in field_names(shown["data_schema"])
    shown = await _submit(hass, shown, **NIGHT, add=True)
    # The form of the next period is empty.
    assert (shown["step_id"], suggested(shown)) == ("period", {})
    winter = {**NIGHT, "holidays": False, "weekdays": ALL_DAYS}
    result = await _submit(hass, shown, **winter, first="11", last="2")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    [subentry] = entry.subentries.values()
    stored_winter = {"weekdays": list(range(7)), "first": "11-01", "last": "02-29"}
    assert _versions(subentry) == [
        {
            "kind": "time_of_use",
            "valid_from": None,
            "price": "0.34",
            "standing_charge": "0.45",
            "holidays": ["2026-12-25", "2026-12-26"],
            "periods": [
                STORED_NIGHT,
                {**STORED_NIGHT, "holidays": False, **stored_winter},
            ],
        }
    ]


@pytest.mark.parametrize(
    ("answer", "errors"),
    [
        ({"price": 2e6}, {"price": "out_of_range"}),
        ({"weekdays": []}, {"weekdays": "choose_a_weekday"}),
        ({"first": "3"}, {"last": "month_missing"}),
        ({"last": "3"}, {"first": "month_missing"}),
    ],
)
async def test_invalid_period_is_rejected(
    hass: HomeAssistant, set_up: SetUp, answer: Any, errors: dict[str, str]
) -> None:
    """The form shows the error, and keeps the user input."""
    entry = await set_up()
    shown = await _submit(hass, await _begin(hass, entry), kind="time_of_use")
    shown = await _submit(hass, shown, price=0.34, standing_charge=0)
    shown = await _submit(hass, shown, **{**NIGHT, **answer})
    assert (shown["step_id"], shown["errors"]) == ("period", errors)
    assert suggested(shown).items() >= {**NIGHT, **answer}.items()
    result = await _submit(hass, shown, **NIGHT)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_periods_can_be_changed_added_and_removed(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    """The label of a period has its price, times, weekdays and months."""
    entry = await set_up()
    shown = await _submit(hass, await _begin(hass, entry), kind="time_of_use")
    shown = await _submit(hass, shown, price=0.34, standing_charge=0)
    await _submit(hass, shown, **NIGHT, first="11", last="3")
    [subentry] = entry.subentries.values()

    shown = await _choose(hass, await _begin(hass, entry, subentry), "correct")
    assert suggested(shown) == {"price": 0.34, "standing_charge": 0}
    shown = await _submit(hass, shown, price=0.36, standing_charge=0)
    assert shown["step_id"] == "periods"
    assert _choices(shown, "next") == {
        "0": "0.22 · 22:00-06:00 · Monday, Sunday · November - March",
        "add": "Add a period",
        "save": "Save",
    }
    shown = await _submit(hass, shown, next="0")
    assert "add" not in field_names(shown["data_schema"])
    known = {**NIGHT, "start": "22:00", "end": "06:00", "first": "11", "last": "3"}
    assert suggested(shown) == known
    shown = await _submit(hass, shown, **{**NIGHT, "price": 0.2, "weekdays": ALL_DAYS})
    assert _choices(shown, "next")["0"] == "0.2 · 22:00-06:00"
    shown = await _submit(hass, shown, next="add")
    assert suggested(shown) == {}
    shown = await _submit(hass, shown, **NIGHT)
    assert list(_choices(shown, "next")) == ["0", "1", "add", "save"]
    shown = await _submit(hass, shown, next="0")
    # A period that is removed is not validated.
    shown = await _submit(hass, shown, **{**NIGHT, "weekdays": []}, remove=True)
    assert list(_choices(shown, "next")) == ["0", "add", "save"]
    result = await _submit(hass, shown, next="save")
    assert result["reason"] == "reconfigure_successful"
    [version] = _versions(subentry)
    assert (version["price"], version["periods"]) == ("0.36", [STORED_NIGHT])

    # Time-of-use prices need at least one period.
    shown = await _choose(hass, await _begin(hass, entry, subentry), "correct")
    shown = await _submit(hass, shown, price=0.36, standing_charge=0)
    shown = await _submit(hass, shown, next="0")
    shown = await _submit(hass, shown, **NIGHT, remove=True)
    assert (shown["step_id"], suggested(shown)) == ("period", {})
    assert _versions(subentry) == [version]


async def test_periods_are_limited_to_fifty(hass: HomeAssistant, set_up: SetUp) -> None:
    """The stored tariff stays readable."""
    entry = await set_up()
    shown = await _submit(hass, await _begin(hass, entry), kind="time_of_use")
    shown = await _submit(hass, shown, price=0.34, standing_charge=0)
    for _ in range(50):
        shown = await _submit(hass, shown, **NIGHT, add=True)
    assert shown["type"] is FlowResultType.CREATE_ENTRY
    [subentry] = entry.subentries.values()
    assert len(_versions(subentry)[0]["periods"]) == 50
    shown = await _choose(hass, await _begin(hass, entry, subentry), "correct")
    shown = await _submit(hass, shown, price=0.34, standing_charge=0)
    assert "add" not in _choices(shown, "next")


async def test_price_entity_needs_a_measurement(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    """The price of each hour is read from the statistics of the entity."""
    hass.states.async_set("sensor.price", "0.31", {"state_class": "measurement"})
    hass.states.async_set("sensor.meter", "31", {"state_class": "total"})
    hass.states.async_set("sensor.mood", "good")
    entry = await set_up()
    shown = await _submit(hass, await _begin(hass, entry), kind="entity")
    for wrong in ("sensor.meter", "sensor.mood", "sensor.gone"):
        shown = await _submit(hass, shown, entity_id=wrong, standing_charge=0.1)
        assert shown["errors"] == {"entity_id": "no_price"}
        assert suggested(shown)["entity_id"] == wrong
    with pytest.raises(InvalidData):
        await _submit(hass, shown, entity_id="light.price", standing_charge=0)
    result = await _submit(hass, shown, entity_id="sensor.price", standing_charge=0.1)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    [subentry] = entry.subentries.values()
    assert _versions(subentry) == [
        {
            "kind": "entity",
            "valid_from": None,
            "entity_id": "sensor.price",
            "standing_charge": "0.1",
        }
    ]


async def test_price_entity_needs_statistics_of_a_mean(
    recorder_mock: Any, hass: HomeAssistant, set_up: SetUp
) -> None:
    """Statistics of a sensor that no longer exists are accepted."""
    entry = await set_up()
    shown = await _submit(hass, await _begin(hass, entry), kind="entity")
    given = {"entity_id": "sensor.price", "standing_charge": 0}
    for mean_type in (StatisticMeanType.NONE, StatisticMeanType.ARITHMETIC):
        shown = await _submit(hass, shown, **given)
        assert shown["errors"] == {"entity_id": "no_price"}
        has_mean = mean_type is StatisticMeanType.ARITHMETIC
        async_import_statistics(
            hass,
            StatisticMetaData(
                mean_type=mean_type,
                has_sum=not has_mean,
                name=None,
                source="recorder",
                statistic_id="sensor.price",
                unit_class=None,
                unit_of_measurement="EUR/kWh",
            ),
            [],
        )
        done = hass.loop.create_future()
        get_instance(hass).queue_task(SynchronizeTask(done))
        await done
    result = await _submit(hass, shown, **given)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done(wait_background_tasks=True)


async def test_tariffs_of_the_demo_fit_the_forms(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    """The demo has valid user input for each form."""
    entry = await set_up()
    for inputs in TARIFFS:
        shown = await _begin(hass, entry)
        while shown["type"] is FlowResultType.FORM:
            assert not shown["errors"]
            shown = await _submit(hass, shown, **inputs[shown["step_id"]])
        assert shown["type"] is FlowResultType.CREATE_ENTRY
    titles = [each.title for each in entry.subentries.values()]
    assert titles == ["Hilltop: Grid import", "Hilltop: Grid export"]


async def test_costs_of_today_follow_a_tariff_at_once(
    recorder_mock: Any,
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The cost of today is shown when a tariff is added, and when it is corrected."""
    # In November, in the evening, energy was imported.
    freezer.move_to("2026-11-20 21:07:00+00:00")
    entry = await set_up(options={"energy_updates": 24, "history": "none"})
    await advance(hass, freezer, timedelta(hours=1), step=timedelta(minutes=10))
    calls = len(world.calls)
    subentry = await _add(hass, entry)
    await hass.async_block_till_done(wait_background_tasks=True)
    cost = float(state(hass, "sensor.hilltop_cost_today"))
    assert cost > 0
    shown = await _choose(hass, await _begin(hass, entry, subentry), "correct")
    await _submit(hass, shown, price=0.6, standing_charge=0.5)
    await hass.async_block_till_done(wait_background_tasks=True)
    corrected = float(state(hass, "sensor.hilltop_cost_today"))
    assert corrected == pytest.approx(2 * cost + 0.5)
    assert len(world.calls) == calls


async def test_tariff_is_for_the_selected_system(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """Each system has its own tariffs."""
    cabin = world.add_system(name="Cabin")
    entry = await set_up()
    for system, title in (
        (world.system, "Hilltop: Grid import"),
        (cabin, "Cabin: Grid import"),
    ):
        shown = await _begin(hass, entry)
        assert set(_choices(shown, "system").values()) == {"Hilltop", "Cabin"}
        shown = await _submit(hass, shown, system=str(system.system_id))
        await _submit(hass, shown, price=0.3, standing_charge=0)
        newest = list(entry.subentries.values())[-1]
        assert (newest.title, newest.data["system"]) == (title, system.system_id)


async def test_each_direction_has_one_tariff(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    """The form names the existing tariff; the other direction is still available."""
    entry = await set_up()
    late = await _submit(hass, await _begin(hass, entry), direction="import")
    first = await _add(hass, entry)
    shown = await _begin(hass, entry)
    shown = await _submit(hass, shown, direction="import", kind="entity")
    assert shown["errors"] == {"direction": "tariff_exists"}
    assert (shown["description_placeholders"] or {})["tariff"] == first.title
    assert suggested(shown) == {"direction": "import", "kind": "entity"}
    # A flow that began before the tariff existed is rejected at its end.
    late = await _submit(hass, late, price=0.3, standing_charge=0)
    assert late["reason"] == "already_configured"
    assert list(entry.subentries.values()) == [first]
    shown = await _submit(hass, shown, direction="export", kind="fixed")
    result = await _submit(hass, shown, price=0.08)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_new_prices_apply_from_their_date(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    """Older prices stay; the prices in force on that date are suggested."""
    entry = await set_up()
    subentry = await _add(hass, entry)
    shown = await _begin(hass, entry, subentry)
    assert set(shown["menu_options"]) == {"correct", "new_prices"}
    shown = await _choose(hass, shown, "new_prices")
    assert suggested(shown) == {"kind": "fixed"}
    for day, kind in (("2026-01-01", "time_of_use"), ("2025-01-01", "fixed")):
        shown = await _choose(hass, await _begin(hass, entry, subentry), "new_prices")
        shown = await _submit(hass, shown, valid_from=day, kind=kind)
        known = {"price": 0.3, "standing_charge": 0} if kind == "fixed" else {}
        assert suggested(shown) == known
        shown = await _submit(hass, shown, price=0.34, standing_charge=0.5)
        if kind == "time_of_use":
            shown = await _submit(hass, shown, **NIGHT)
        assert shown["reason"] == "reconfigure_successful"
    stored = {"price": "0.34", "standing_charge": "0.5"}
    assert _versions(subentry) == [
        FIXED,
        {**FIXED, **stored, "valid_from": "2025-01-01"},
        {
            **stored,
            "kind": "time_of_use",
            "valid_from": "2026-01-01",
            "periods": [STORED_NIGHT],
        },
    ]
    assert subentry.title == "Hilltop: Grid import"

    # Changing the suggested periods does not change the older ones.
    shown = await _choose(hass, await _begin(hass, entry, subentry), "new_prices")
    for day, error in (("2026-01-01", "day_taken"), ("1000-01-01", "invalid_day")):
        shown = await _submit(hass, shown, valid_from=day, kind="time_of_use")
        assert shown["errors"] == {"valid_from": error}
    shown = await _submit(hass, shown, valid_from="2027-01-01", kind="time_of_use")
    assert suggested(shown) == {"price": 0.34, "standing_charge": 0.5}
    shown = await _submit(hass, shown, price=0.4, standing_charge=0)
    shown = await _submit(hass, shown, next="0")
    shown = await _submit(hass, shown, **{**NIGHT, "price": 0.25})
    await _submit(hass, shown, next="save")
    periods = [each.get("periods", [])[:1] for each in _versions(subentry)[2:]]
    assert periods == [[STORED_NIGHT], [{**STORED_NIGHT, "price": "0.25"}]]


async def test_version_to_correct_can_be_selected(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    """The default is the version in force today."""
    entry = await set_up()
    subentry = await _add_changed(hass, entry)
    for version, price in (("2026-01-01", 0.36), ("beginning", 0.29)):
        shown = await _choose(hass, await _begin(hass, entry, subentry), "correct")
        assert _choices(shown, "version") == {
            "beginning": "The beginning",
            "2026-01-01": "1 January 2026",
        }
        assert shown["data_schema"] is not None
        assert shown["data_schema"]({}) == {"version": "2026-01-01"}
        shown = await _submit(hass, shown, version=version)
        result = await _submit(hass, shown, price=price, standing_charge=0)
        assert result["reason"] == "reconfigure_successful"
    assert _versions(subentry) == [
        {**FIXED, "price": "0.29"},
        {**FIXED, "price": "0.36", "valid_from": "2026-01-01"},
    ]


async def test_choices_are_in_the_language_of_home_assistant(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    """The days of versions, and the prices of periods."""
    hass.config.language = "de"
    entry = await set_up()
    subentry = await _add_changed(hass, entry)
    shown = await _choose(hass, await _begin(hass, entry, subentry), "correct")
    assert _choices(shown, "version")["2026-01-01"] == "1. Januar 2026"
    shown = await _choose(hass, await _begin(hass, entry, subentry), "new_prices")
    shown = await _submit(hass, shown, valid_from="2026-03-01", kind="time_of_use")
    shown = await _submit(hass, shown, price=0.34, standing_charge=0)
    shown = await _submit(hass, shown, **NIGHT, add=True)
    shown = await _submit(hass, shown, **{**NIGHT, "price": -1250.5})
    shown = await _choose(hass, await _begin(hass, entry, subentry), "correct")
    shown = await _submit(hass, shown, version="2026-03-01")
    shown = await _submit(hass, shown, price=0.34, standing_charge=0)
    labels = _choices(shown, "next")
    assert labels["0"] == "0,22 · 22:00-06:00 · Montag, Sonntag"
    assert labels["1"].startswith("-1.250,5 · ")


async def test_change_of_prices_can_be_removed(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    """The prices before it continue; the first prices cannot be removed."""
    entry = await set_up()
    subentry = await _add_changed(hass, entry)
    shown = await _choose(hass, await _begin(hass, entry, subentry), "remove_prices")
    assert list(_choices(shown, "version")) == ["2026-01-01"]
    result = await _submit(hass, shown, version="2026-01-01")
    assert result["reason"] == "reconfigure_successful"
    assert _versions(subentry) == [FIXED]


async def test_versions_are_limited_to_two_hundred(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    """The stored tariff stays readable."""
    entry = await set_up()
    subentry = await _add(hass, entry)
    many = [FIXED] + [
        {**FIXED, "valid_from": f"{2000 + number // 12}-{number % 12 + 1:02}-01"}
        for number in range(199)
    ]
    hass.config_entries.async_update_subentry(
        entry, subentry, data={**subentry.data, "versions": many}
    )
    await hass.async_block_till_done()
    shown = await _begin(hass, entry, subentry)
    assert set(shown["menu_options"]) == {"correct", "remove_prices"}


async def test_entry_reloads_only_when_a_tariff_changes(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """Saving a tariff without a change causes no reload."""
    entry = await set_up()
    loaded = [entry.runtime_data]
    subentry = await _add(hass, entry)
    loaded.append(entry.runtime_data)
    assert loaded[0] is not loaded[1]
    calls = len(world.calls)
    for price in (0.3, 0.31):
        shown = await _choose(hass, await _begin(hass, entry, subentry), "correct")
        await _submit(hass, shown, price=price, standing_charge=0)
        loaded.append(entry.runtime_data)
    assert loaded[1] is loaded[2]
    assert loaded[2] is not loaded[3]
    assert hass.config_entries.async_remove_subentry(entry, subentry.subentry_id)
    await hass.async_block_till_done()
    assert entry.runtime_data is not loaded[3]
    assert entry.state is ConfigEntryState.LOADED
    assert len(world.calls) == calls


async def test_flow_of_an_unloaded_entry_aborts(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    """The reason of the abort is given."""
    entry = await set_up()
    subentry = await _add(hass, entry)
    await hass.config_entries.async_unload(entry.entry_id)
    for shown in (await _begin(hass, entry), await _begin(hass, entry, subentry)):
        assert shown["reason"] == "entry_not_loaded"


async def test_flow_of_an_account_whose_systems_another_has_aborts(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """The systems are named."""
    first = await set_up()
    second = MockConfigEntry(
        domain=DOMAIN, unique_id="other", data=first.data, options=first.options
    )
    await set_up(second)
    assert second.state is ConfigEntryState.LOADED
    shown = await _begin(hass, second)
    assert shown["reason"] == "systems_elsewhere"
    assert shown["description_placeholders"] == {"held": "Hilltop"}


async def test_each_form_works_over_http(
    hass: HomeAssistant, set_up: SetUp, hass_client: ClientSessionGenerator
) -> None:
    """Over HTTP, each form must be valid JSON."""
    assert await async_setup_component(hass, "config", {})
    hass.states.async_set("sensor.price", "0.3", {"state_class": "measurement"})
    entry = await set_up()
    client = await hass_client()
    path = "/api/config/config_entries/subentries/flow"
    seen: dict[str, Any] = {}

    async def post(address: str, body: dict[str, Any]) -> Any:
        response = await client.post(address, json=body)
        assert response.status == 200, await response.text()
        shown = await response.json()
        await hass.async_block_till_done()
        is_menu = shown["type"] == "menu"
        seen[shown.get("step_id")] = () if is_menu else shown.get("data_schema")
        return shown

    async def walk(begin: dict[str, Any], *inputs: dict[str, Any]) -> None:
        shown = await post(
            path, {"handler": [entry.entry_id, SUBENTRY_TARIFF], **begin}
        )
        for user_input in inputs:
            shown = await post(f"{path}/{shown['flow_id']}", user_input)
        assert shown["type"] in {"create_entry", "abort"}

    base = {"price": 0.3, "standing_charge": 0}
    await walk({}, {"direction": "import", "kind": "fixed"}, base)
    [subentry] = entry.subentries.values()
    change = {"subentry_id": subentry.subentry_id}
    for valid_from, kind, *inputs in (
        ("2026-01-01", "time_of_use", base, NIGHT),
        ("2026-02-01", "time_of_use", base, {"next": "save"}),
        ("2026-03-01", "entity", {"entity_id": "sensor.price", "standing_charge": 0}),
    ):
        when = {"valid_from": valid_from, "kind": kind}
        await walk(change, {"next_step_id": "new_prices"}, when, *inputs)
    version = {"version": "beginning"}
    await walk(change, {"next_step_id": "correct"}, version, base)
    version = {"version": "2026-01-01"}
    await walk(change, {"next_step_id": "remove_prices"}, version)
    assert seen.keys() - {None} == TEXTS["step"].keys()
    for step, fields in seen.items():
        for field in fields or ():
            assert "selector" in field, (step, field)
