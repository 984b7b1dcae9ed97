"""The map of the panels and its image entity."""

from datetime import timedelta
from http import HTTPStatus
from itertools import groupby
from xml.etree import ElementTree as ET

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from hypothesis import given, strategies as st
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.enphase_cloud.panel_map import Panel, panel_map

from .conftest import SetUp, World
from .helpers import pass_time

SVG = "{http://www.w3.org/2000/svg}"


@given(
    st.lists(
        st.builds(
            Panel,
            st.text(max_size=9),
            st.none() | st.floats(0, 5_000),
            st.sampled_from([None, "South", "West"]),
        ),
        max_size=40,
    )
)
def test_each_panel_has_its_own_place(panels: list[Panel]) -> None:
    """The map is valid XML with any printable names; no two panels share a place."""
    try:
        root = ET.fromstring(panel_map(panels))
    except ET.ParseError:
        assert not all(panel.name.isprintable() for panel in panels)
        return
    drawn = [each for each in root.iter(f"{SVG}rect") if each.get("rx")]
    assert len({(each.get("x"), each.get("y")) for each in drawn}) == len(panels)
    names = [each for each in root.iter(f"{SVG}text") if each.get("class") == "name"]
    assert len(names) == len(panels)
    groups = [name for name, _ in groupby(panels, key=lambda panel: panel.array)]
    headings = [each.text for each in root.iter(f"{SVG}text") if not each.get("fill")]
    assert headings == [name for name in groups if name is not None]
    lines = [each for each in root.iter(f"{SVG}rect") if not each.get("rx")]
    assert len(lines) == groups[1:].count(None)
    _, _, width, height = map(float, root.get("viewBox", "").split())
    for each in root.iter(f"{SVG}rect"):
        assert float(each.get("x", 0)) + float(each.get("width", 0)) <= width
        assert float(each.get("y", 0)) + float(each.get("height", 0)) <= height


def test_the_brightest_panel_produced_most() -> None:
    """Text is dark on bright panels; without any energy all are dark."""

    def colors(*energy: float) -> list[tuple[str | None, str | None]]:
        root = ET.fromstring(panel_map([Panel("1", each) for each in energy]))
        names = [each for each in root.iter(f"{SVG}text") if each.get("class")]
        fills = [each.get("fill") for each in root.iter(f"{SVG}rect")]
        return list(zip(fills, [each.get("fill") for each in names], strict=True))

    darkest = ("hsl(45 90% 16%)", "#fff")
    assert colors(1_500, 750, 0) == [
        ("hsl(45 90% 60%)", "#000"),
        ("hsl(45 90% 38%)", "#fff"),
        darkest,
    ]
    assert colors(0, 0) == [darkest, darkest]


def test_names_of_arrays_fit() -> None:
    """A single panel leaves room for the name of its array, and for no more."""

    def width(*panels: Panel) -> float:
        root = ET.fromstring(panel_map(panels))
        return float(root.get("viewBox", "").split()[2])

    assert width(Panel("1", 1_500)) == 108 + 8
    assert width(Panel("1", 1_500), Panel("2", 1_500, "West")) == 3 * 108 + 8


def test_panel_without_energy_is_framed() -> None:
    """A panel with unknown energy is grey and not framed."""
    drawn = panel_map([Panel("1", 900), Panel("2", 0), Panel("3", None)])
    root = ET.fromstring(drawn)
    kinds = [each.get("class") for each in root.iter(f"{SVG}rect")]
    assert kinds == ["", "dead", "none"]


def test_panel_with_a_problem_is_framed_despite_its_energy() -> None:
    """A dead panel can have much lifetime energy."""
    panels = [
        Panel("1", 690_000, is_total=True),
        Panel("2", 650_000, has_problem=True),
        Panel("3", None, has_problem=True),
    ]
    drawn = panel_map(panels)
    kinds = [each.get("class") for each in ET.fromstring(drawn).iter(f"{SVG}rect")]
    assert kinds == ["", "dead", "none dead"]
    assert "Σ 690 kWh" in drawn


@pytest.mark.parametrize("plan", ["watt"])
async def test_map_is_served_and_follows_the_panels(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    """It appears with the first list of panels; energy of a day takes two mornings."""
    freezer.move_to("2026-06-21 10:07:00+00:00")
    await set_up(options={"groups": ["panels"]})
    client = await hass_client_no_auth()

    async def served() -> str:
        state = hass.states.get("image.hilltop_panel_map")
        assert state is not None
        response = await client.get(state.attributes["entity_picture"])
        assert response.status == HTTPStatus.OK
        assert response.content_type == "image/svg+xml"
        return await response.text()

    first = await served()
    assert first.count("Σ") == 2 * len(world.system.microinverters)
    assert "? kWh" not in first
    await pass_time(hass, freezer, timedelta(days=2), step=timedelta(hours=1))
    second = await served()
    assert "? kWh" not in second
    assert "Σ" not in second


@pytest.mark.parametrize("plan", ["watt"])
async def test_restart_keeps_the_time_of_the_map(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """The state is the time at which the cloud reported the shown data."""
    freezer.move_to("2026-06-21 10:07:00+00:00")
    entry = await set_up(options={"groups": ["panels"]})
    await hass.async_block_till_done(wait_background_tasks=True)
    before = hass.states.get("image.hilltop_panel_map")
    freezer.tick(60)
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    after = hass.states.get("image.hilltop_panel_map")
    assert before is not None
    assert after is not None
    assert after.state == before.state
