"""Every write through every fault: entity and cloud agree in the end."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from custom_components.enphase_cloud.const import DOMAIN
from simulator import Fault, Load, Settings

from .conftest import SetUp, World
from .controls import (
    INDEPENDENCE,
    MODE,
    OPTIONS,
    RESERVE,
    STORM_GUARD,
    begin,
    finished,
    pass_quiet_time,
    written,
)
from .flows import until
from .helpers import pass_time, state

MINUTE = timedelta(minutes=1)
# A little more than the timeout of the client.
CLIENT_LIMIT = timedelta(seconds=32)
PUMP = Load(name="NC1", load_name="Pool pump")

pytestmark = pytest.mark.parametrize("plan", ["megawatt"])


class Write(NamedTuple):
    """A write: its value, the value of a concurrent write, and the cloud's values."""

    entity_id: str
    operation: str
    value: Any
    other: Any
    truth: Callable[[World], Any]
    # The cloud's values after and before the write.
    after: Any
    before: Any


def _mode(world: World) -> Any:
    return world.system.battery_mode(world.system.settings)


def _reserve(world: World) -> Any:
    return world.system.reserve(world.system.settings, _mode(world))


def _load(name: str) -> Callable[[World], Any]:
    return lambda world: getattr(world.system.settings.loads[0], name)


BATTERY, LOAD = "set_battery_settings", "set_load_control"
WRITES = [
    Write(
        MODE,
        BATTERY,
        value="self_consumption",
        other="full_backup",
        truth=_mode,
        after="Self-consumption",
        before="Savings Mode",
    ),
    Write(
        RESERVE,
        BATTERY,
        value=40,
        other=60,
        truth=_reserve,
        after=40,
        before=20,
    ),
    Write(
        INDEPENDENCE,
        BATTERY,
        value=True,
        other=True,
        truth=lambda world: world.system.settings.energy_independence,
        after=True,
        before=False,
    ),
    Write(
        STORM_GUARD,
        "set_storm_guard",
        value=True,
        other=True,
        truth=lambda world: world.system.settings.storm_guard,
        after=True,
        before=False,
    ),
    Write(
        "select.pool_pump_mode",
        LOAD,
        value="scheduled",
        other="never_powered",
        truth=_load("mode"),
        after="Scheduled",
        before="Basic",
    ),
    Write(
        "number.pool_pump_cutoff_battery_level",
        LOAD,
        value=45,
        other=55,
        truth=_load("soc_low"),
        after=45,
        before=30,
    ),
    Write(
        "time.pool_pump_on",
        LOAD,
        value="08:00:00",
        other="07:00:00",
        truth=_load("essential_start_time"),
        after=28_800,
        before=32_400,
    ),
    Write(
        "time.pool_pump_off",
        LOAD,
        value="18:00:00",
        other="19:00:00",
        truth=_load("essential_end_time"),
        after=64_800,
        before=57_600,
    ),
]
SHOWN = {True: "on", 40: "40.0", 45: "45.0"}


@pytest.fixture(params=WRITES, ids=lambda write: write.entity_id)
def write(request: pytest.FixtureRequest) -> Write:
    """Return each write."""
    found: Write = request.param
    return found


@pytest.fixture
async def entry(world: World, set_up: SetUp, summer_noon: None) -> MockConfigEntry:
    """Set up a system with all settings."""
    world.system.settings = Settings(mode="Savings Mode", loads=(PUMP,))
    found: MockConfigEntry = await set_up(options=OPTIONS)
    return found


async def outcome(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, write: Write, *values: Any
) -> list[BaseException | None]:
    """Set values at the same time; return the error of each, or None."""
    tasks = [begin(hass, write.entity_id, value) for value in values or (write.value,)]
    return await finished(hass, freezer, *tasks)


def effects(world: World) -> int:
    """Return how many writes took effect."""
    return sum(bool(took_effect) for _, took_effect in written(world))


async def assert_agreement(
    hass: HomeAssistant,
    world: World,
    freezer: FrozenDateTimeFactory,
    write: Write,
    *,
    is_set: bool = True,
) -> None:
    """Check entity and cloud after all readings that follow a write."""
    await pass_time(hass, freezer, 12 * MINUTE)
    assert write.truth(world) == (write.after if is_set else write.before)
    shown = state(hass, write.entity_id)
    assert (shown == SHOWN.get(write.value, write.value)) is is_set
    found = hass.states.get(write.entity_id)
    assert found is not None
    assert "assumed_state" not in found.attributes


@pytest.mark.usefixtures("entry")
async def test_accepted_write_is_read_once(
    hass: HomeAssistant, world: World, freezer: FrozenDateTimeFactory, write: Write
) -> None:
    """One write and one reading are requested."""
    before = len(world.cloud.requests)
    assert await outcome(hass, freezer, write) == [None]
    await assert_agreement(hass, world, freezer, write)
    reading = write.operation.removeprefix("set_")
    made = [
        each.operation
        for each in world.cloud.requests[before:]
        if reading in each.operation
    ]
    assert made == [write.operation, reading]


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize("status", [401, 403])
async def test_write_refused_by_plan_makes_the_entity_unavailable(
    hass: HomeAssistant,
    world: World,
    freezer: FrozenDateTimeFactory,
    write: Write,
    status: int,
) -> None:
    world.cloud.faults.add(Fault(operation=write.operation, status=status))
    (error,) = await outcome(hass, freezer, write)
    assert isinstance(error, HomeAssistantError)
    assert error.translation_key == "not_entitled"
    assert state(hass, write.entity_id) == "unavailable"
    assert write.truth(world) == write.before


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize("status", [400, 422])
async def test_write_refused_by_value_raises_and_changes_nothing(
    hass: HomeAssistant,
    world: World,
    freezer: FrozenDateTimeFactory,
    write: Write,
    status: int,
) -> None:
    fault = Fault(operation=write.operation, status=status, details="Out of range")
    world.cloud.faults.add(fault)
    (error,) = await outcome(hass, freezer, write)
    assert isinstance(error, HomeAssistantError)
    assert error.translation_placeholders == {"details": "Out of range"}
    await assert_agreement(hass, world, freezer, write, is_set=False)
    assert fault.hits == 1


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize("took_effect", [True, False])
async def test_write_without_response_is_repeated_only_if_it_had_no_effect(
    hass: HomeAssistant,
    world: World,
    freezer: FrozenDateTimeFactory,
    write: Write,
    *,
    took_effect: bool,
) -> None:
    """A reading shows whether the write took effect."""
    world.cloud.faults.add(
        Fault(
            operation=write.operation,
            cut="before_headers",
            after=took_effect,
            times=1,
        )
    )
    assert await outcome(hass, freezer, write) == [None]
    await assert_agreement(hass, world, freezer, write)
    assert effects(world) == 1
    assert len(written(world)) == (1 if took_effect else 2)


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize("took_effect", [True, False])
async def test_write_that_times_out_is_repeated_only_if_it_had_no_effect(
    hass: HomeAssistant,
    world: World,
    freezer: FrozenDateTimeFactory,
    write: Write,
    *,
    took_effect: bool,
) -> None:
    """The cloud holds its response until the client gives up and reads the settings."""
    fault = Fault(operation=write.operation, hang=True, after=took_effect, times=1)
    world.cloud.faults.add(fault)
    task = begin(hass, write.entity_id, write.value)
    await pass_quiet_time(hass, freezer)
    await until(lambda: fault.hits and effects(world) == took_effect)
    assert not task.done()
    async_fire_time_changed(hass, dt_util.utcnow() + CLIENT_LIMIT)
    assert await finished(hass, freezer, task) == [None]
    await world.cloud.connections.until_idle()
    await assert_agreement(hass, world, freezer, write)
    assert effects(world) == 1
    assert len(written(world)) == (1 if took_effect else 2)


@pytest.mark.usefixtures("entry")
async def test_last_of_two_concurrent_writes_wins(
    hass: HomeAssistant, world: World, freezer: FrozenDateTimeFactory, write: Write
) -> None:
    """Both callers succeed."""
    results = await outcome(hass, freezer, write, write.other, write.value)
    assert results == [None, None]
    await assert_agreement(hass, world, freezer, write)
    assert effects(world) <= 2


@pytest.mark.parametrize("is_lost", [True, False])
async def test_kill_between_write_and_reading_keeps_the_true_state(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    hass_storage: dict[str, Any],
    freezer: FrozenDateTimeFactory,
    entry: MockConfigEntry,
    write: Write,
    *,
    is_lost: bool,
) -> None:
    """The store that was written before the request is enough."""
    fault = Fault(operation=write.operation, status=503, after=not is_lost, times=1)
    world.cloud.faults.add(fault)
    (error,) = await outcome(hass, freezer, write)
    assert isinstance(error, HomeAssistantError)
    key = f"{DOMAIN}.{entry.entry_id}"
    on_disk = hass_storage[key]
    await hass.config_entries.async_unload(entry.entry_id)
    hass_storage[key] = on_disk
    await set_up(entry)
    await assert_agreement(hass, world, freezer, write, is_set=not is_lost)
    assert len(written(world)) == 1
