"""The first minutes of a home owner with the integration.

The later walks build on it; meanwhile energy is imported, a minute after the set-up.
"""

from dataclasses import asdict
import json

from playwright.async_api import expect
import pytest

from scripts.browsing.newcomer import add_account, open_device, press_row, row_of
from scripts.demonstration.set_up import application
from simulator.demo import OWNER

from .conftest import Visit

# When set-up asked for neither a price nor live streams, and the options were a row of
# pages, it took 9 fields and 23 clicks; it is to be a third less.
MOST_EFFORT = (9 + 23) * 2 // 3


async def test_a_newcomer_sees_values_and_panels(
    visit: Visit, pytestconfig: pytest.Config, capsys: pytest.CaptureFixture[str]
) -> None:
    """From an empty Home Assistant to power that moves, with as little as can be."""
    user = await visit()
    wishes = {"price": "0.34", "streams_per_month": "100"}
    await add_account(user, application(), OWNER, **wishes)
    await open_device(user, "Hillside")
    power = await row_of(user, "entity.sensor.current_power_consumption.name")
    before = await power.inner_text()
    await press_row(user, "entity.button.start_live_stream.name")
    await expect(power).not_to_have_text(before, use_inner_text=True)
    await user.sees("entity.image.panels.name")
    effort = asdict(user.effort)
    with capsys.disabled():
        pytestconfig.get_terminal_writer().line(f"\n{json.dumps(effort)}")
    assert sum(effort.values()) <= MOST_EFFORT
