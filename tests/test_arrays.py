"""Arrays: panels that the user groups in a subentry flow."""

from datetime import timedelta
import json
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    SOURCE_USER,
    ConfigEntryState,
    ConfigSubentry,
    SubentryFlowResult,
)
from homeassistant.const import STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.json import json_dumps
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.enphase_cloud import async_remove_config_entry_device
from custom_components.enphase_cloud.const import DOMAIN, SUBENTRY_ARRAY
from custom_components.enphase_cloud.diagnostics import (
    async_get_config_entry_diagnostics,
)

from .conftest import SetUp, World
from .flows import ENGLISH, field_names, placeholders
from .helpers import pass_time, state, system_devices

PANELS = {"groups": ["panels"]}
TEXTS = ENGLISH["config_subentries"][SUBENTRY_ARRAY]
ENERGY = "sensor.south_roof_production_yesterday"
REPORTING = "sensor.south_roof_panels_reporting"
WEAKEST = "sensor.south_roof_weakest_panel"


@pytest.fixture
def plan() -> str:
    """Return the free plan."""
    return "watt"


pytestmark = pytest.mark.usefixtures("summer_noon")


def _translated(result: SubentryFlowResult) -> SubentryFlowResult:
    """Check that a step has all its texts; return the step."""
    if result["type"] is FlowResultType.ABORT:
        assert result["reason"] in TEXTS["abort"]
    if result["type"] is FlowResultType.FORM:
        texts = TEXTS["step"][result["step_id"]]
        assert set(texts["data"]) == field_names(result["data_schema"])
        for error in (result["errors"] or {}).values():
            given = result["description_placeholders"] or {}
            assert placeholders(TEXTS["error"][error]) <= given.keys()
    return result


async def _begin(
    hass: HomeAssistant, entry: MockConfigEntry, subentry: ConfigSubentry | None = None
) -> SubentryFlowResult:
    context: dict[str, Any] = {"source": SOURCE_USER}
    if subentry is not None:
        context = {
            "source": SOURCE_RECONFIGURE,
            "subentry_id": subentry.subentry_id,
        }
    return _translated(
        await hass.config_entries.subentries.async_init(
            (entry.entry_id, SUBENTRY_ARRAY),
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


async def _add(
    hass: HomeAssistant, entry: MockConfigEntry, name: str, panels: list[str]
) -> ConfigSubentry:
    result = await _submit(hass, await _begin(hass, entry), name=name, panels=panels)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    return next(each for each in entry.subentries.values() if each.title == name)


def _serials(world: World) -> list[str]:
    return [each.serial for each in world.system.microinverters]


def _choices(shown: SubentryFlowResult, field: str = "panels") -> dict[str, str]:
    assert shown["data_schema"] is not None
    selector = shown["data_schema"].schema[field]
    return {each["value"]: each["label"] for each in selector.config["options"]}


def _array_devices(hass: HomeAssistant, entry: MockConfigEntry) -> list[dr.DeviceEntry]:
    found = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    return [each for each in found if each.config_subentry_id is not None]


async def test_array_device_shows_energy_of_its_panels(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """It appears at once, without an API call and without a restart."""
    entry = await set_up(options=PANELS)
    panels = _serials(world)
    shown = await _begin(hass, entry)
    assert shown["step_id"] == "array"
    assert _choices(shown).keys() == set(panels)
    # A page that is opened again requests the form again.
    subentries = hass.config_entries.subentries
    shown = await subentries.async_configure(shown["flow_id"])
    calls = len(world.calls)
    result = await _submit(
        hass, shown, name=" South roof ", tilt=35, azimuth=180, panels=panels[:4]
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    [subentry] = entry.subentries.values()
    assert subentry.title == "South roof"
    assert entry.state is ConfigEntryState.LOADED
    assert len(world.calls) == calls

    [device] = _array_devices(hass, entry)
    [system] = system_devices(hass, entry)
    assert (device.name, device.via_device_id) == ("South roof", system.id)
    assert device.config_subentry_id == subentry.subentry_id
    entities = er.async_entries_for_device(er.async_get(hass), device.id)
    assert {each.entity_id for each in entities} == {ENERGY, REPORTING, WEAKEST}
    assert {each.config_subentry_id for each in entities} == {subentry.subentry_id}
    assert state(hass, REPORTING) == "4"
    assert state(hass, ENERGY) == state(hass, WEAKEST) == STATE_UNKNOWN
    # The device is removed only with its array.
    assert not await async_remove_config_entry_device(hass, entry, device)

    world.system.break_panel(panels[0], dt_util.utcnow())
    await pass_time(hass, freezer, timedelta(days=2), step=timedelta(hours=1))
    unique_id = f"{world.system.system_id}_inverter_{{}}_energy_yesterday"
    entities_by_id = er.async_get(hass)
    single = [
        state(
            hass,
            entities_by_id.async_get_entity_id("sensor", DOMAIN, unique_id.format(each))
            or "",
        )
        for each in panels[:4]
    ]
    energy = hass.states.get(ENERGY)
    assert energy is not None
    assert float(energy.state) == pytest.approx(sum(map(float, single)), abs=0.01)
    assert float(energy.state) > 1
    assert energy.attributes["state_class"] == "total"
    assert energy.attributes["last_reset"] == "2026-06-22T00:00:00+02:00"
    assert (energy.attributes["tilt"], energy.attributes["azimuth"]) == (35, 180)
    assert energy.attributes["measured_at"]
    assert float(state(hass, WEAKEST)) == 0


async def test_changes_and_removals_of_arrays_take_effect_at_once(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """The entry is reloaded, which costs no API call."""
    entry = await set_up(options=PANELS)
    panels = _serials(world)
    subentry = await _add(hass, entry, "South roof", panels[:4])
    other = await _add(hass, entry, "Garage", panels[4:6])
    calls = len(world.calls)
    shown = await _begin(hass, entry, subentry)
    assert shown["step_id"] == "reconfigure"
    result = await _submit(hass, shown, name="South", panels=panels[:3])
    assert result["reason"] == "reconfigure_successful"
    assert state(hass, REPORTING) == "3"
    assert {each.name for each in _array_devices(hass, entry)} == {"South", "Garage"}

    assert hass.config_entries.async_remove_subentry(entry, subentry.subentry_id)
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    assert [each.name for each in _array_devices(hass, entry)] == ["Garage"]
    registered = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    assert {each.config_subentry_id for each in registered} == {
        None,
        other.subentry_id,
    }
    assert hass.states.get(REPORTING) is None
    assert len(world.calls) == calls


async def test_panel_can_be_in_one_array_only(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """The form names the other array, and keeps the user's input."""
    entry = await set_up(options=PANELS)
    panels = _serials(world)
    south = await _add(hass, entry, "South: roof *1*", panels[:4])
    shown = await _begin(hass, entry)
    (field,) = (it for it in shown["data_schema"].schema if it == "panels")
    # Home Assistant would select the first panel.
    assert field.default() == []
    for user_input, errors in (
        ({"name": "  ", "panels": panels[4:]}, {"name": "name_missing"}),
        ({"name": "West", "panels": []}, {"panels": "choose_a_panel"}),
        ({"name": "West", "panels": panels[3:]}, {"panels": "panel_in_other_array"}),
    ):
        shown = await _submit(hass, shown, **user_input)
        assert (shown["step_id"], shown["errors"]) == ("array", errors)
    assert shown["description_placeholders"] == {
        "panel": panels[3],
        "array": "South: roof *1*",
    }
    result = await _submit(hass, shown, name="West", panels=panels[4:])
    assert result["type"] is FlowResultType.CREATE_ENTRY
    # An array that is reconfigured may keep its own panels.
    shown = await _begin(hass, entry, south)
    shown = await _submit(hass, shown, name="South roof", panels=panels[:5])
    assert shown["errors"] == {"panels": "panel_in_other_array"}
    result = await _submit(hass, shown, name="South roof", panels=panels[:2])
    assert result["reason"] == "reconfigure_successful"


async def test_array_may_keep_a_panel_that_is_gone(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """It is not counted, and the form still works."""
    panels = _serials(world)
    entry = world.entry(options=PANELS)
    entry.add_to_hass(hass)
    gone = ConfigSubentry(
        data={  # type: ignore[arg-type]
            "system": world.system.system_id,
            "panels": ["482400000000", *panels[:2]],
        },
        subentry_type=SUBENTRY_ARRAY,
        title="South roof",
        unique_id=None,
    )
    hass.config_entries.async_add_subentry(entry, gone)
    await set_up(entry)
    assert state(hass, REPORTING) == "2"
    shown = await _begin(hass, entry, gone)
    assert _choices(shown)["482400000000"] == "482400000000"
    chosen = ["482400000000", *panels[:3]]
    result = await _submit(hass, shown, name="South roof", panels=chosen)
    assert result["reason"] == "reconfigure_successful"
    assert state(hass, REPORTING) == "3"


async def test_panels_are_chosen_by_name_and_serial_number(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """The form shows the user's name, and the number printed on the panel."""
    entry = await set_up(options=PANELS)
    first, second, *_ = _serials(world)
    registry = dr.async_get(hass)
    device = registry.async_get_device_by_identifier(
        (DOMAIN, f"{world.system.system_id}_inverter_{first}"), entry.entry_id
    )
    assert device is not None
    registry.async_update_device(device.id, name_by_user="Chimney")
    labels = _choices(await _begin(hass, entry))
    assert labels[first] == f"Chimney ({first})"
    assert second in labels[second]
    assert len(labels[second]) > len(second)


async def test_user_chooses_one_of_several_systems_first(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """Then the form offers the panels of the chosen system."""
    cabin = world.add_system(name="Cabin")
    entry = await set_up(options=PANELS)
    shown = await _begin(hass, entry)
    assert shown["step_id"] == "user"
    assert set(_choices(shown, "system").values()) == {"Hilltop", "Cabin"}
    shown = await _submit(hass, shown, system=str(cabin.system_id))
    panels = {each.serial for each in cabin.microinverters}
    assert _choices(shown).keys() == panels
    result = await _submit(hass, shown, name="South roof", panels=sorted(panels))
    assert result["type"] is FlowResultType.CREATE_ENTRY
    [device] = _array_devices(hass, entry)
    systems = {each.id: each.name for each in system_devices(hass, entry)}
    assert systems[device.via_device_id or ""] == "Cabin"


@pytest.mark.parametrize(
    ("groups", "reason"),
    [([], "no_panels"), (["panels"], "entry_not_loaded")],
)
async def test_flow_aborts_without_known_panels_or_loaded_entry(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    groups: list[str],
    reason: str,
) -> None:
    """Panels are known after the first read, and while the entry is loaded."""
    entry = await set_up(options={"groups": groups})
    if reason == "entry_not_loaded":
        subentry = await _add(hass, entry, "South roof", _serials(world)[:2])
        await hass.config_entries.async_unload(entry.entry_id)
        assert (await _begin(hass, entry, subentry))["reason"] == reason
    assert (await _begin(hass, entry))["reason"] == reason


async def test_panel_map_groups_panels_by_array(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    """Each panel is below the name of its array; panels without array come last."""
    entry = await set_up(options=PANELS)
    panels = _serials(world)
    await _add(hass, entry, "West <1>", panels[2:4])
    await _add(hass, entry, "South roof", panels[4:6])
    shown = hass.states.get("image.hilltop_panel_map")
    assert shown is not None
    client = await hass_client_no_auth()
    drawn = await (await client.get(shown.attributes["entity_picture"])).text()
    order = [
        "South roof",
        *sorted(each[-4:] for each in panels[4:6]),
        "West &lt;1&gt;",
        *sorted(each[-4:] for each in panels[2:4]),
        min(panels[:2] + panels[6:])[-4:],
    ]
    places = [drawn.index(f">{each}<") for each in order]
    assert places == sorted(places)
    assert drawn.count('class="name"') == len(panels)


async def test_diagnostics_name_neither_array_nor_panel(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """They contain the number of panels of an array, and how many are known."""
    entry = await set_up(options=PANELS)
    panels = _serials(world)
    await _add(hass, entry, "South roof", panels[:2])
    text = json_dumps(await async_get_config_entry_diagnostics(hass, entry))
    for secret in ("South roof", *panels, str(world.system.system_id)):
        assert secret not in text
    [system] = json.loads(text)["systems"]
    assert system["arrays"] == [{"panels": 2, "known": 2}]
