"""Requests for history by set-up, options and action: data, calls and duration."""

from collections.abc import AsyncGenerator
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder import Recorder
from homeassistant.components.recorder.statistics import get_last_statistics
from homeassistant.config_entries import SOURCE_RECONFIGURE
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers.recorder import get_instance
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
import voluptuous as vol

from custom_components.enphase_cloud.const import (
    CONF_CALLS_PER_MINUTE,
    CONF_CALLS_PER_MONTH,
    CONF_ENERGY_UPDATES,
    CONF_GROUPS,
    CONF_HISTORY,
    CONF_LIVE_STREAM,
    CONF_PLAN,
    DOMAIN,
)
from custom_components.enphase_cloud.coordinator.statistics import statistic_id
from custom_components.enphase_cloud.measurements.catalog import Flow
from simulator import Fault

from .conftest import SetUp
from .flows import User, suggested
from .helpers import HILLTOP, fire_timers, state
from .test_options_flow import Options
from .world import API_KEY, World

IMPORT = "sensor.hilltop_history_import"
# A system with meters and batteries has five documents of energy.
DOCUMENTS = 5


@pytest.fixture(autouse=True)
async def _summer_noon(
    recorder_mock: Recorder, hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> AsyncGenerator[None]:
    freezer.move_to("2026-06-21 10:07:00+00:00")
    yield
    # The recorder of the tests stops before Home Assistant does.
    await hass.async_block_till_done(wait_background_tasks=True)


async def pass_minutes(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, *, minutes: int
) -> None:
    """Let minutes pass, one by one."""
    for _ in range(minutes):
        freezer.tick(timedelta(minutes=1))
        fire_timers(hass)
        await hass.async_block_till_done(wait_background_tasks=True)


async def first_and_last(
    hass: HomeAssistant, world: World, flow: Flow
) -> tuple[datetime, datetime]:
    """Return the first and the last hour of a statistic."""
    statistic = statistic_id(world.system.system_id, flow)
    rows = await get_instance(hass).async_add_executor_job(
        partial(
            get_last_statistics,
            hass,
            20_000,
            statistic,
            convert_units=False,
            types={"sum"},
        )
    )
    starts = [dt_util.utc_from_timestamp(row["start"]) for row in rows[statistic]]
    return min(starts), max(starts)


async def call_action(
    hass: HomeAssistant, action: str, *, has_response: bool = True, **data: Any
) -> Any:
    """Call an action for the only system."""
    return await hass.services.async_call(
        DOMAIN, action, data, blocking=True, return_response=has_response
    )


@pytest.mark.parametrize(("named", "updates"), [("watt", 1), ("kilowatt", 24)])
async def test_set_up_requests_history(
    hass: HomeAssistant,
    world: World,
    credentials: None,
    current_request_with_host: None,
    hass_client_no_auth: ClientSessionGenerator,
    named: str,
    updates: int,
) -> None:
    """All days, and as many updates as the plan allows; the options can change both."""
    user = User(hass, await hass_client_no_auth())
    form = await user.add_and_sign_in()
    done = await user.submit(form, api_key=API_KEY, plan=named)
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert done["result"].options == {
        CONF_PLAN: named,
        CONF_ENERGY_UPDATES: updates,
        CONF_HISTORY: "day",
        CONF_GROUPS: ["devices", "panels", "alarms", "ev_charger", "settings"],
    }
    assert not done["result"].subentries
    assert not {call for call in world.calls if call.endswith("_lifetime")}


@pytest.mark.parametrize(
    ("streams", "left"), [({"streams_per_month": 40}, "40"), ({}, "0")]
)
async def test_set_up_saves_the_limit_of_live_streams(
    hass: HomeAssistant,
    world: World,
    credentials: None,
    current_request_with_host: None,
    hass_client_no_auth: ClientSessionGenerator,
    streams: dict[str, int],
    left: str,
) -> None:
    """An empty field allows no live streams."""
    user = User(hass, await hass_client_no_auth())
    form = await user.add_and_sign_in()
    done = await user.submit(form, api_key=API_KEY, plan="kilowatt", **streams)
    assert streams.items() <= done["result"].options.items()
    assert state(hass, "sensor.enphase_account_live_streams_left") == left


async def test_price_at_set_up_adds_a_tariff_for_each_system(
    hass: HomeAssistant,
    world: World,
    credentials: None,
    current_request_with_host: None,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    """Each selected system gets a tariff, which the user can change."""
    barn = world.add_system(name="Barn")
    world.add_system(name="Shed")
    user = User(hass, await hass_client_no_auth())
    form = await user.add_and_sign_in()
    form = await user.submit(form, api_key=API_KEY, plan="watt", price=0.31)
    chosen = [world.system.system_id, barn.system_id]
    done = await user.submit(form, systems=[str(each) for each in chosen])
    tariffs = list(done["result"].subentries.values())
    assert [each.title for each in tariffs] == [
        "Hilltop: Grid import",
        "Barn: Grid import",
    ]
    assert [each.unique_id for each in tariffs] == [f"{it}_import" for it in chosen]
    [version] = tariffs[0].data["versions"]
    assert (version["price"], version["kind"]) == ("0.31", "fixed")
    assert version["valid_from"] is None
    assert hass.states.get("sensor.hilltop_cost_today") is not None
    menu = await hass.config_entries.subentries.async_init(
        (done["result"].entry_id, "tariff"),
        context={
            "source": SOURCE_RECONFIGURE,
            "subentry_id": tariffs[1].subentry_id,
        },
    )
    assert menu["menu_options"] == ["correct", "new_prices"]


async def test_price_that_is_removed_after_an_error_adds_no_tariff(
    world: World,
    credentials: None,
    current_request_with_host: None,
    hass: HomeAssistant,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    """What the form shows when it is submitted counts; the rest is kept."""
    user = User(hass, await hass_client_no_auth())
    form = await user.add_and_sign_in()
    form = await user.submit(form, api_key="wrong", plan="watt", price=0.31)
    assert suggested(form)["price"] == 0.31
    world.cloud.faults.add(Fault(operation="systems", status=500, times=1))
    form = await user.submit(
        form, api_key=API_KEY, plan="kilowatt", streams_per_month=7
    )
    assert form["errors"] == {"base": "server_error"}
    done = await user.submit(form, plan="kilowatt")
    assert not done["result"].subentries
    assert done["result"].options["streams_per_month"] == 7


async def test_options_show_the_calls_of_updates_and_imports(
    hass: HomeAssistant, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Calls per update and per import, and how long the import takes."""
    entry = await set_up(options={CONF_ENERGY_UPDATES: 1, CONF_HISTORY: "day"})
    options = Options(hass, entry)
    form = await options.open("energy")
    assert suggested(form) == {CONF_ENERGY_UPDATES: 1, CONF_HISTORY: "day"}
    shown = form["description_placeholders"]
    assert shown is not None
    assert shown["calls_per_update"] == str(DOCUMENTS)
    assert int(shown["calls_hours"]) > 20 * DOCUMENTS
    assert shown["time_hours"].endswith("\N{NO-BREAK SPACE}min")

    async def calls() -> float:
        shown = (await options.open())["description_placeholders"]
        assert shown is not None
        return _number(shown["calls"])

    await options.submit(form, energy_updates=24, history="hour")
    assert entry.options[CONF_HISTORY] == "hour"
    often = await calls()
    await options.choose("energy", energy_updates=0, history="none")
    # Four documents hourly, and the batteries once a day.
    assert often - await calls() == (4 * 24 + 1) * 30


@pytest.mark.parametrize(
    ("calls_per_month", "unit"),
    [(100, "—"), (5_000, "\N{NO-BREAK SPACE}d"), (9_000, "\N{NO-BREAK SPACE}h")],
)
async def test_options_show_how_long_an_import_takes(
    hass: HomeAssistant, set_up: SetUp, calls_per_month: int, unit: str
) -> None:
    """It depends on the spare calls: never finished, days or hours."""
    plan = {
        CONF_PLAN: "custom",
        CONF_CALLS_PER_MINUTE: 4,
        CONF_CALLS_PER_MONTH: calls_per_month,
        CONF_LIVE_STREAM: False,
    }
    entry = await set_up(options={**plan, CONF_ENERGY_UPDATES: 2})
    options = Options(hass, entry)
    form = await options.open("energy")
    assert form["description_placeholders"] is not None
    assert form["description_placeholders"]["time_hours"].endswith(unit)


async def test_smaller_plan_allows_fewer_updates(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    """Updates of power keep their calls; the form shows how many are possible."""
    entry = await set_up(options={CONF_ENERGY_UPDATES: 24, CONF_HISTORY: "none"})
    options = Options(hass, entry)
    await options.choose("plan", plan="watt")
    form = await options.open("energy")
    assert suggested(form)[CONF_ENERGY_UPDATES] == 1
    form = await options.submit(form, energy_updates=24, history="none")
    assert form["errors"] == {CONF_ENERGY_UPDATES: "too_many_updates"}
    assert form["description_placeholders"] is not None
    most = int(form["description_placeholders"]["most_updates"])
    assert 1 < most < 10
    await options.submit(form, energy_updates=most, history="none")
    form = await options.open("profile")
    shown = form["description_placeholders"]
    assert shown is not None
    assert _number(shown["calls"]) <= 1000
    assert shown["balanced_latest"] != "—"


@pytest.mark.parametrize("plan", ["watt"])
async def test_import_of_hours_takes_weeks_on_a_small_plan(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """The response contains the expected end; a preview starts no import."""
    await set_up(options={CONF_ENERGY_UPDATES: 1})
    days = await call_action(hass, "import_history", resolution="day", preview=True)
    assert days[HILLTOP]["calls"] == DOCUMENTS
    hours = await call_action(hass, "import_history", resolution="hour", preview=True)
    assert hours[HILLTOP]["calls"] > 20 * DOCUMENTS
    end = datetime.fromisoformat(hours[HILLTOP]["expected_end"])
    weeks = (end - dt_util.utcnow()) / timedelta(weeks=1)
    assert 2 < weeks < 26
    assert state(hass, IMPORT) == "unknown"


@pytest.mark.long
async def test_import_of_a_range_requests_only_its_days(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Days are those of the system's time zone; the sensor shows the progress."""
    await set_up(options={CONF_ENERGY_UPDATES: 1})
    await pass_minutes(hass, freezer, minutes=8)
    world.cloud.requests.clear()
    named: dict[str, Any] = {
        "resolution": "hour",
        "from": date(2026, 3, 2),
        "to": date(2026, 3, 15),
    }
    response = await call_action(hass, "import_history", **named)
    assert response[HILLTOP]["calls"] == 2 * DOCUMENTS
    assert state(hass, IMPORT) == "0.0"
    await pass_minutes(hass, freezer, minutes=4)
    assert 0 < float(state(hass, IMPORT)) < 100
    await pass_minutes(hass, freezer, minutes=8)
    assert state(hass, IMPORT) == "100.0"
    first, _ = await first_and_last(hass, world, Flow.GRID_IMPORT)
    assert first == datetime.fromisoformat("2026-03-01T23:00:00+00:00")

    # Known hours are requested again only with the option.
    response = await call_action(hass, "import_history", **named)
    assert response[HILLTOP]["calls"] == 0
    response = await call_action(
        hass, "import_history", **named, again=True, preview=True
    )
    assert response[HILLTOP]["calls"] == 2 * DOCUMENTS


@pytest.mark.long
async def test_stopped_import_requests_nothing_more(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Nothing more is requested, not even after a restart."""
    entry = await set_up(options={CONF_ENERGY_UPDATES: 1, CONF_HISTORY: "hour"})
    await pass_minutes(hass, freezer, minutes=20)
    assert 0 < float(state(hass, IMPORT)) < 100
    await call_action(hass, "stop_import", has_response=False)
    assert state(hass, IMPORT) == "unknown"
    world.cloud.requests.clear()
    await hass.config_entries.async_reload(entry.entry_id)
    await pass_minutes(hass, freezer, minutes=15)
    assert not set(world.calls) - {"summary", "telemetry_battery", "latest_telemetry"}


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ({"resolution": "hour", "from": date(2024, 6, 1)}, " June 2024"),
        (
            {"resolution": "day", "from": date(2026, 3, 2), "to": date(2026, 3, 1)},
            "after the last",
        ),
        ({"resolution": "hour", "from": date(2026, 7, 1)}, "in the future"),
    ],
)
async def test_unavailable_history_raises_an_error(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    named: dict[str, Any],
    message: str,
) -> None:
    """The error names the reason, and nothing is requested."""
    await set_up(options={CONF_ENERGY_UPDATES: 1})
    with pytest.raises(ServiceValidationError, match=message):
        await call_action(hass, "import_history", **named)
    assert state(hass, IMPORT) == "unknown"


@pytest.mark.parametrize("resolution", ["day", "hour"])
async def test_history_of_absurd_days_is_refused(
    hass: HomeAssistant, set_up: SetUp, resolution: str
) -> None:
    await set_up(options={CONF_ENERGY_UPDATES: 1})
    for days in ({"from": "0001-01-01"}, {"to": "9999-12-31"}):
        with pytest.raises(vol.Invalid):
            await call_action(hass, "import_history", resolution=resolution, **days)


def _number(text: str) -> int:
    return int(text.replace(",", ""))
