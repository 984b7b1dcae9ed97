"""What a system has comes and goes: which documents are polled, and how often."""

from collections.abc import Iterator
from datetime import datetime, timedelta
import logging

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
import pytest

from simulator import Flow

from .conftest import SetUp, World
from .helpers import pass_time

DAY = timedelta(days=1)
PANELS = {"name": "Roof", "time_zone": "Europe/Berlin", "battery": None}


@pytest.fixture(autouse=True)
def _summer_noon(freezer: FrozenDateTimeFactory) -> None:
    freezer.move_to("2026-06-21 10:07:00+00:00")


@pytest.fixture(autouse=True)
def _calm_log(caplog: pytest.LogCaptureFixture) -> None:
    # A frozen clock that is moved looks like a loop that hangs.
    caplog.set_level(logging.ERROR, "asyncio")


async def pass_days(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, days: float
) -> None:
    """Let days pass; coordinators wake up every five minutes."""
    await pass_time(hass, freezer, days * DAY, step=timedelta(minutes=5))


def asked(world: World, operation: str) -> Iterator[datetime]:
    """Yield when an operation was requested."""
    for request in world.cloud.requests:
        if request.operation == operation:
            yield request.at


@pytest.mark.parametrize("plan", ["watt"])
@pytest.mark.parametrize("system_properties", [{**PANELS, "meters": ["production"]}])
@pytest.mark.parametrize("noise", [0, 3])
async def test_noise_in_the_dark_is_no_day(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    noise: int,
) -> None:
    """A meter that shows a few watts at night costs no calls at night."""
    world.system.dark_noise_w = noise
    await set_up()
    await pass_days(hass, freezer, 3)
    world.cloud.requests.clear()
    await pass_days(hass, freezer, 2)
    produced = world.cloud.truth(world.system.system_id).energy
    hour = timedelta(hours=1)
    in_the_dark = [
        at
        for at in asked(world, "summary")
        if not produced(Flow.PRODUCTION, _mark(at - hour), _mark(at + hour / 2))
    ]
    by_day = len(list(asked(world, "summary"))) - len(in_the_dark)
    assert len(in_the_dark) <= 2 * 1.5
    assert by_day / 2 >= 28


def _mark(moment: datetime) -> datetime:
    return moment.replace(minute=moment.minute // 5 * 5, second=0, microsecond=0)
