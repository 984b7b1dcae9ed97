"""A real Home Assistant beside a simulated Enphase cloud on loopback."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from datetime import datetime
import logging
from typing import Any
from unittest.mock import patch

from freezegun.api import (
    FrozenDateTimeFactory,
    freeze_factories,
    real_datetime,
    real_monotonic,
    tzlocal,
)
from homeassistant.components.application_credentials import (
    ClientCredential,
    async_import_client_credential,
)
from homeassistant.components.recorder import Recorder
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import hypothesis
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.patch_time import HAFakeDatetime
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

# Before the plugin's own `custom_components` can win.
from custom_components.enphase_cloud.const import DOMAIN
from simulator import Cloud

from .flows import User
from .live import Burst, Stepper
from .world import CLIENT_ID, CLIENT_SECRET, World, build, served

EPOCH = real_datetime(1970, 1, 1)

# It has an environment of its own: `scripts/test --browser`.
collect_ignore = ["browser"]

# Machines are shared and noisy: how long an example takes says nothing.
hypothesis.settings.register_profile(
    "shared",
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("shared")

# The plugin prints what is logged as well, also of tests that pass. What fails is
# shown with its log by pytest.
for _handler in [*logging.getLogger().handlers]:
    if type(_handler) is logging.StreamHandler:
        logging.getLogger().removeHandler(_handler)
# The plugin has every statement logged; those of a year of hours are many.
logging.getLogger("sqlalchemy.engine").setLevel(logging.WARNING)
# A message of ours that cannot be formatted is an error.
logging.getLogger("custom_components").setLevel(logging.DEBUG)

# Moments that are computed are of their class by themselves; freezegun makes each a
# second time, which took an eighth of the time of long tests.
HAFakeDatetime.__add__ = real_datetime.__add__
HAFakeDatetime.__sub__ = real_datetime.__sub__
_of_timestamp = real_datetime.__dict__["fromtimestamp"]
_in_utc = HAFakeDatetime.fromtimestamp
HAFakeDatetime.fromtimestamp = classmethod(
    lambda cls, t, tz=None: (
        _in_utc(t) if tz is None else _of_timestamp.__get__(None, cls)(t, tz)
    )
)
# Freezegun replaces the name of the class here, too, but not that of its method.
_in_zone = real_datetime.astimezone
HAFakeDatetime.astimezone = lambda self, tz=None: _in_zone(self, tz or tzlocal())


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let each case but the first of a wide matrix be long."""
    seen: set[str] = set()
    for item in items:
        if item.get_closest_marker("wide") is not None:
            name = item.nodeid.partition("[")[0]
            if name in seen:
                item.add_marker("long")
            seen.add(name)


@pytest.fixture(autouse=True)
async def enable_event_loop_debug() -> None:
    """Check threads and callbacks as the plugin wants it, but keep no stacks.

    In debug mode each future keeps the stack that made it; that took a third of the
    time. The loop also looks at its clock around each callback.
    """
    loop = asyncio.get_running_loop()
    loop.set_debug(enabled=True)
    loop.get_debug = lambda: False
    loop.time = _loop_time


def _loop_time() -> float:
    """Return the frozen time as freezegun does, without checking the caller."""
    try:
        now = freeze_factories[-1]()
    except IndexError:
        return real_monotonic()
    return (now - EPOCH).total_seconds()


@pytest.fixture(autouse=True)
def _no_deprecated_use() -> Generator[None]:
    """Fail a test in which Home Assistant reports deprecated use.

    The plugin's `caplog` would let everything log what is for debugging.
    """
    warnings: list[logging.LogRecord] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = warnings.append
    logger = logging.getLogger("homeassistant")
    logger.addHandler(handler)
    yield
    logger.removeHandler(handler)
    words = "Detected that custom integration 'enphase_cloud'"
    assert not [text for each in warnings if words in (text := each.getMessage())]


@pytest.fixture
async def recorder_mock(
    recorder_mock: Recorder, hass: HomeAssistant
) -> AsyncGenerator[Recorder]:
    """Let the last read end before the recorder does.

    A read that outlives the recorder opens a database of its own that nobody closes.
    """
    yield recorder_mock
    await asyncio.gather(
        *(
            hass.config_entries.async_unload(entry.entry_id)
            for entry in hass.config_entries.async_loaded_entries(DOMAIN)
        )
    )
    if recorder_mock.is_alive():
        # The recorder reads in one thread, in turn.
        await recorder_mock.async_add_executor_job(int)


def _now() -> datetime:
    # Looked up at each call: the plugin replaces the function with a frozen one.
    return dt_util.utcnow()


@pytest.fixture
def plan() -> str:
    """Return the plan of the application; parametrize to choose another."""
    return "kilowatt"


@pytest.fixture
def system_properties() -> dict[str, Any]:
    """Return what the system is; parametrize to choose another."""
    return {"name": "Hilltop", "battery": 2, "time_zone": "Europe/Berlin"}


@pytest.fixture
def stepper() -> Stepper:
    """Return what lets live streams go on."""
    return Stepper()


@pytest.fixture
async def world(
    socket_enabled: None,
    plan: Any,
    system_properties: dict[str, Any],
    stepper: Stepper,
) -> AsyncGenerator[World]:
    """Serve a simulated cloud on loopback, under the test's clock."""
    cloud = Cloud(_now)
    cloud.sleep = stepper.sleep
    world = build(cloud, plan=plan, **system_properties)
    async with served(world):
        yield world


@pytest.fixture
def summer_noon(freezer: FrozenDateTimeFactory) -> None:
    """Begin at noon of a day in June."""
    freezer.move_to("2026-06-21 10:07:00+00:00")


@pytest.fixture
def burst(
    hass: HomeAssistant,
    world: World,
    stepper: Stepper,
    freezer: FrozenDateTimeFactory,
) -> Burst:
    """Return what lets a burst go on."""
    return Burst(hass, world, stepper, freezer)


@pytest.fixture
async def user(
    hass: HomeAssistant,
    world: World,
    credentials: None,
    current_request_with_host: None,
    hass_client_no_auth: ClientSessionGenerator,
) -> User:
    """Return somebody who goes through flows."""
    return User(hass, await hass_client_no_auth())


@pytest.fixture
async def credentials(hass: HomeAssistant, enable_custom_integrations: None) -> None:
    """Register the developer application in Home Assistant."""
    assert await async_setup_component(hass, "application_credentials", {})
    # Their views cannot be added any more once a test has a client of the HTTP server.
    assert await async_setup_component(hass, "image", {})
    assert await async_setup_component(hass, "calendar", {})
    await async_import_client_credential(
        hass, DOMAIN, ClientCredential(CLIENT_ID, CLIENT_SECRET), DOMAIN
    )


@pytest.fixture
def entity_registry_enabled_by_default() -> Generator[None]:
    """Enable entities that are disabled at first."""
    with patch(
        "homeassistant.helpers.entity.Entity.entity_registry_enabled_default",
        return_value=True,
    ):
        yield


type SetUp = Callable[..., Any]


@pytest.fixture
def set_up(hass: HomeAssistant, world: World, credentials: None) -> SetUp:
    """Return a function that sets up an entry of the world."""

    async def set_up(
        entry: MockConfigEntry | None = None, *, options: dict[str, Any] | None = None
    ) -> MockConfigEntry:
        entry = entry or world.entry(options=options)
        if hass.config_entries.async_get_entry(entry.entry_id) is None:
            entry.add_to_hass(hass)
        await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()
        return entry

    return set_up
