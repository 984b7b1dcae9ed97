"""The first minutes of a home owner with the integration.

Later test modules use this account; meanwhile it imports energy.
"""

from dataclasses import asdict
import json

from playwright.async_api import expect
import pytest

from scripts.browsing.newcomer import add_account, open_device, press_row, row_of
from scripts.demonstration.set_up import application
from simulator.demo import OWNER

from .conftest import Visit

# A third less than at first (9 fields, 23 clicks), when price and live streams were not
# part of set-up and the options were a sequence of pages.
MOST_EFFORT = (9 + 23) * 2 // 3


async def test_a_newcomer_sees_values_and_panels(
    visit: Visit, pytestconfig: pytest.Config, capsys: pytest.CaptureFixture[str]
) -> None:
    """Go from an empty Home Assistant to changing values with little effort."""
    user = await visit()
    further = {"price": "0.34", "streams_per_month": "100"}
    await add_account(user, application(), OWNER, **further)
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
