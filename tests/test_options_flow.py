"""The options flow: which pages it offers, the costs that it shows, and the results."""

from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntry, ConfigEntryState, ConfigFlowResult
from homeassistant.const import CONF_API_KEY
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.enphase_cloud.const import (
    CONF_BURST_LENGTH,
    CONF_BURST_PAUSE,
    CONF_CALL_BUDGET,
    CONF_CALLS_PER_MINUTE,
    CONF_CALLS_PER_MONTH,
    CONF_GROUPS,
    CONF_LIVE_BEGIN,
    CONF_LIVE_BURSTS,
    CONF_LIVE_END,
    CONF_LIVE_HOURS,
    CONF_LIVE_STREAM,
    CONF_PANEL_STATISTICS,
    CONF_PLAN,
    CONF_PROFILE,
    CONF_PUBLISH_INTERVAL,
    CONF_STREAMS_PER_MONTH,
    CONF_SYSTEMS,
)
from custom_components.enphase_cloud.documents.base import OFF_AT_FIRST, Group
from custom_components.enphase_cloud.quota.plans import PLANS
from custom_components.enphase_cloud.scheduling.weights import POLLED, Profile

from .conftest import SetUp, World
from .flows import assert_translated, suggested
from .helpers import state

LIVE = {
    CONF_STREAMS_PER_MONTH: 200,
    CONF_LIVE_BURSTS: True,
    CONF_BURST_LENGTH: 300,
    CONF_PUBLISH_INTERVAL: 10,
}
SCHEDULE = {CONF_BURST_PAUSE: 30, CONF_LIVE_HOURS: "between"}
TIMES = {CONF_LIVE_BEGIN: "08:00:00", CONF_LIVE_END: "20:30:00"}
QUIET = LIVE | {CONF_LIVE_BURSTS: False}


pytestmark = pytest.mark.usefixtures("summer_noon")


class Options:
    """The options flow of an entry."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry[Any]) -> None:
        self._hass = hass
        self._entry = entry

    async def open(self, page: str | None = None) -> ConfigFlowResult:
        """Open the menu of the options, or one of its pages."""
        menu = assert_translated(
            await self._hass.config_entries.options.async_init(self._entry.entry_id)
        )
        assert menu["type"] is FlowResultType.MENU
        if page is None:
            return menu
        return await self.submit(menu, next_step_id=page)

    async def choose(self, page: str, **user_input: Any) -> ConfigFlowResult:
        """Open a page and submit it."""
        return await self.submit(await self.open(page), **user_input)

    async def submit(
        self, form: ConfigFlowResult, **user_input: Any
    ) -> ConfigFlowResult:
        """Submit a page."""
        shown = await self._hass.config_entries.options.async_configure(
            form["flow_id"], user_input
        )
        await self._hass.async_block_till_done()
        return assert_translated(shown)


async def test_each_page_saves_its_options(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """Each saved page reloads the entry once."""
    entry = await set_up()
    loads: list[ConfigEntryState] = []
    entry.async_on_state_change(lambda: loads.append(entry.state))
    world.cloud.requests.clear()
    options = Options(hass, entry)

    menu = await options.open()
    assert menu["menu_options"] == ["plan", "profile", "devices", "live"]
    texts = menu["description_placeholders"]
    assert (texts["power"], texts["limit"]) == ("15\N{NO-BREAK SPACE}min", "50,000")
    form = await options.submit(menu, next_step_id="profile")
    done = await options.submit(form, profile="battery_first")
    assert done["type"] is FlowResultType.CREATE_ENTRY
    form = await options.choose("live", **LIVE)
    assert form["step_id"] == "live_schedule"
    form = await options.submit(form, **SCHEDULE)
    assert form["step_id"] == "live_times"
    done = await options.submit(form, **TIMES)
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert entry.options == {
        CONF_PLAN: "kilowatt",
        CONF_PROFILE: "battery_first",
        **LIVE,
        **SCHEDULE,
        **TIMES,
    }
    assert loads.count(ConfigEntryState.LOADED) == 2
    # The flow makes no call; the only call is the first scheduled live session.
    assert set(world.calls) <= {"live_data"}
    await hass.config_entries.async_unload(entry.entry_id)


async def test_sessions_all_day_need_no_times(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    """The form for times of day is shown only where they apply."""
    entry = await set_up()
    options = Options(hass, entry)
    form = await options.choose("live", **LIVE)
    done = await options.submit(form, burst_pause=30, live_hours="all_day")
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert CONF_LIVE_BEGIN not in entry.options
    await hass.config_entries.async_unload(entry.entry_id)


async def test_unchanged_options_cause_no_reload(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    """Each page is submitted with its suggested values."""
    entry = await set_up(options={CONF_PROFILE: "balanced", **QUIET})
    loads: list[ConfigEntryState] = []
    entry.async_on_state_change(lambda: loads.append(entry.state))
    options = Options(hass, entry)
    for page in (await options.open())["menu_options"]:
        form = await options.open(page)
        done = await options.submit(form, **suggested(form))
        assert done["type"] is FlowResultType.CREATE_ENTRY
    assert loads == []


@pytest.mark.parametrize(
    ("named", "limits"),
    [
        ("watt", {}),
        (
            "custom",
            {
                CONF_CALLS_PER_MINUTE: 20,
                CONF_CALLS_PER_MONTH: 2000,
                CONF_LIVE_STREAM: False,
            },
        ),
    ],
)
async def test_plan_without_live_streams_ends_live_sessions(
    hass: HomeAssistant, set_up: SetUp, named: str, limits: dict[str, Any]
) -> None:
    """The page is not offered, and scheduled sessions are switched off."""
    entry = await set_up(options=LIVE | SCHEDULE | TIMES)
    options = Options(hass, entry)
    done = await options.choose("plan", plan=named)
    if limits:
        assert done["step_id"] == "custom_plan"
        done = await options.submit(done, **limits)
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert entry.options[CONF_PLAN] == named
    assert CONF_LIVE_BURSTS not in entry.options
    assert {name: entry.options[name] for name in limits} == limits
    assert "live" not in (await options.open())["menu_options"]

    # A larger plan removes the custom limits, and sessions stay off.
    await options.choose("plan", plan="megawatt")
    form = await options.open("live")
    assert CONF_LIVE_BURSTS not in suggested(form)
    await options.submit(form, **QUIET)
    assert not set(limits) & set(entry.options)


async def test_custom_plan_can_have_live_streams(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    """Its limits are stored as integers and suggested again."""
    entry = await set_up()
    options = Options(hass, entry)
    form = await options.choose("plan", plan="custom")
    await options.submit(
        form, calls_per_minute=100.0, calls_per_month=60_000.0, live_stream=True
    )
    await options.choose("live", **QUIET)
    assert entry.options[CONF_CALLS_PER_MINUTE] == 100
    assert type(entry.options[CONF_CALLS_PER_MINUTE]) is int
    form = await options.choose("plan", plan="custom")
    assert suggested(form) == {
        CONF_CALLS_PER_MINUTE: 100,
        CONF_CALLS_PER_MONTH: 60_000,
        CONF_LIVE_STREAM: True,
    }


@pytest.mark.parametrize(
    "system_properties", [{"name": "Roof", "meters": (), "live_stream": False}]
)
async def test_no_live_page_if_no_system_can_stream(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    """Enphase reports for each system whether it can stream."""
    menu = await Options(hass, await set_up()).open()
    assert menu["menu_options"] == ["plan", "profile", "devices"]


async def test_page_shows_the_update_interval_of_each_plan(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    """The user sees the interval of power with each plan before choosing one."""
    entry = await set_up()
    texts = (await Options(hass, entry).open("plan"))["description_placeholders"]
    assert (
        texts["kilowatt"]
        == texts["megawatt"]
        == texts["partner"]
        == "15\N{NO-BREAK SPACE}min"
    )
    assert 60 < _minutes(texts["watt"]) < 120
    assert texts["assumed"] == "34,035"


@pytest.mark.parametrize("plan", list(PLANS))
async def test_pages_are_saved_as_they_are_shown(
    hass: HomeAssistant, set_up: SetUp, plan: str
) -> None:
    """Each plan accepts the usual options, though it may not offer all of them."""
    usual = [group for group in Group if group not in OFF_AT_FIRST]
    entry = await set_up(options={CONF_PLAN: plan, CONF_GROUPS: usual})
    options = Options(hass, entry)
    for page in (await options.open())["menu_options"]:
        shown = await options.open(page)
        while shown["type"] is FlowResultType.FORM:
            shown = await options.submit(shown, **suggested(shown))
            assert not shown.get("errors")
    assert entry.options[CONF_GROUPS] == usual


async def test_groups_outside_the_plan_are_kept(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    """They are not offered, but stay selected in case a larger plan follows."""
    groups = ["alarms", "panel_telemetry"]
    entry = await set_up(options={CONF_GROUPS: groups, CONF_PANEL_STATISTICS: True})
    options = Options(hass, entry)
    form = await options.open("devices")
    assert CONF_PANEL_STATISTICS in suggested(form)
    assert form["description_placeholders"]["settings"] == "≥ Megawatt"
    assert int(form["description_placeholders"]["alarms"]) > 0
    await options.choose("plan", plan="watt")
    form = await options.open("devices")
    assert set(suggested(form)) == {CONF_GROUPS}
    assert form["description_placeholders"]["panel_telemetry"] == "≥ Kilowatt"
    await options.submit(form, groups=["panels"], alarm_repairs=False)
    assert entry.options[CONF_GROUPS] == ["panels", "panel_telemetry"]
    assert entry.options[CONF_PANEL_STATISTICS] is True


async def test_live_pages_show_the_current_cost(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    """The cost is that of the stored options, not of the form."""
    entry = await set_up(options={CONF_STREAMS_PER_MONTH: 0})
    options = Options(hass, entry)

    async def open_page(page: str) -> dict[str, str]:
        form = await options.open("live")
        if page != "live":
            form = await options.submit(form, **LIVE | {CONF_STREAMS_PER_MONTH: 12_345})
        hass.config_entries.options.async_abort(form["flow_id"])
        return dict(form["description_placeholders"])

    shown = await open_page("live")
    assert (shown["price"], shown["streams"], shown["cost"]) == ("$0.10", "0", "$0.00")
    hass.config_entries.async_update_entry(
        entry, options={**entry.options, CONF_STREAMS_PER_MONTH: 12_345}
    )
    shown = await open_page("live")
    assert (shown["streams"], shown["cost"]) == ("12,345", "$1,234.50")

    # First, one session an hour; then one each half hour for half of the day.
    shown = await open_page("live_schedule")
    assert (shown["sessions"], shown["sessions_cost"]) == ("720", "$72.00")
    for hours, sessions in (("daylight", "720"), ("between", "750")):
        schedule = SCHEDULE | TIMES | {CONF_LIVE_HOURS: hours}
        hass.config_entries.async_update_entry(
            entry, options={**entry.options, **schedule}
        )
        assert (await open_page("live_schedule"))["sessions"] == sessions
    assert CONF_LIVE_BURSTS not in entry.options


@pytest.mark.parametrize("streams", [0, 1])
async def test_scheduled_sessions_need_streams(
    hass: HomeAssistant, set_up: SetUp, streams: int
) -> None:
    """Without enough streams the form shows an error, and keeps the user input."""
    entry = await set_up(options={CONF_STREAMS_PER_MONTH: streams})
    options = Options(hass, entry)
    typed = LIVE | {CONF_STREAMS_PER_MONTH: streams}
    form = await options.choose("live", **typed)
    assert form["errors"] == {CONF_STREAMS_PER_MONTH: "too_few_streams"}
    assert suggested(form) == typed
    assert CONF_LIVE_BURSTS not in entry.options
    done = await options.submit(form, **typed | {CONF_LIVE_BURSTS: False})
    assert done["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (CONF_BURST_LENGTH, 29),
        (CONF_BURST_LENGTH, 301),
        (CONF_BURST_PAUSE, 4),
        (CONF_BURST_PAUSE, 1441),
        (CONF_STREAMS_PER_MONTH, -1),
        (CONF_PUBLISH_INTERVAL, 0),
        (CONF_LIVE_HOURS, "never"),
        (CONF_LIVE_BEGIN, "25:00"),
    ],
)
async def test_value_out_of_range_is_rejected(
    hass: HomeAssistant, set_up: SetUp, field: str, value: Any
) -> None:
    """A live session lasts 30 to 300 seconds; other fields have their ranges, too."""
    entry = await set_up()
    before = dict(entry.options)
    options = Options(hass, entry)
    form = await options.open("live")
    for page in (LIVE, SCHEDULE, TIMES):
        if field in page:
            break
        form = await options.submit(form, **page)
    with pytest.raises(InvalidData) as raised:
        await options.submit(form, **page | {field: value})
    assert set(raised.value.schema_errors) == {field}
    assert entry.options == before


@pytest.mark.parametrize(
    ("named", "calls"), [("watt", "1,000"), ("kilowatt", "50,000")]
)
async def test_page_shows_the_update_intervals_of_each_profile(
    hass: HomeAssistant, set_up: SetUp, named: str, calls: str
) -> None:
    """The user sees the interval of each document before choosing a profile."""
    entry = await set_up()
    options = Options(hass, entry)
    await options.choose("plan", plan=named)
    form = await options.open("profile")
    texts = form["description_placeholders"]
    assert texts["limit"] == calls
    assert 0 < int(texts["calls"].replace(",", "")) <= int(calls.replace(",", ""))
    if named == "kilowatt":
        intervals = {
            texts[f"{profile}_{document}"] for profile in Profile for document in POLLED
        }
        assert intervals == {"15\N{NO-BREAK SPACE}min"}
        return
    by_profile = {profile: _minutes(texts[f"{profile}_battery"]) for profile in Profile}
    assert min(by_profile, key=by_profile.__getitem__) == Profile.BATTERY_FIRST
    assert max(by_profile, key=by_profile.__getitem__) == Profile.PRODUCTION_FIRST


def _minutes(text: str) -> float:
    number, unit = text.split()
    return float(number) * {"min": 1, "h": 60}[unit]


@pytest.mark.parametrize("system_properties", [{"name": "Roof"}])
async def test_profile_has_no_interval_for_missing_devices(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """Without a battery, its calls go to the other documents."""
    entry = await set_up()
    options = Options(hass, entry)
    await options.choose("plan", plan="watt")
    form = await options.open("profile")
    without = form["description_placeholders"]
    assert without["battery_first_battery"] == "—"
    hass.config_entries.options.async_abort(form["flow_id"])

    # While the entry is not loaded, the devices of the system are not known.
    await hass.config_entries.async_unload(entry.entry_id)
    form = await options.open("profile")
    unknown = form["description_placeholders"]
    assert unknown["battery_first_battery"] != "—"
    assert _minutes(unknown["balanced_latest"]) > _minutes(without["balanced_latest"])


async def test_accounts_on_one_key_share_its_calls(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """A second account on the same key doubles the interval of both."""
    entry = await set_up()
    options = Options(hass, entry)
    await options.choose("plan", plan="watt")
    form = await options.open("profile")
    alone = _minutes(form["description_placeholders"]["balanced_latest"])
    hass.config_entries.options.async_abort(form["flow_id"])

    tenant = world.cloud.add_account(email="t@example.com", password="t", user_id="9")
    flat = world.cloud.add_system(tenant, name="Flat", battery=1)
    other = world.entry()
    await set_up(
        MockConfigEntry(
            domain=other.domain,
            unique_id="9",
            options=other.options,
            data={
                **other.data,
                "token": {
                    **world.cloud.tokens_for(world.application, tenant),
                    "expires_at": other.data["token"]["expires_at"],
                },
                CONF_SYSTEMS: [
                    {
                        **other.data[CONF_SYSTEMS][0],
                        "id": flat.system_id,
                        "name": "Flat",
                    }
                ],
            },
        )
    )
    form = await options.open("profile")
    together = _minutes(form["description_placeholders"]["balanced_latest"])
    assert together == pytest.approx(2 * alone, rel=0.1)

    hass.config_entries.async_update_entry(
        entry, data={**entry.data, CONF_API_KEY: "another"}
    )
    hass.config_entries.options.async_abort(form["flow_id"])
    form = await options.open("profile")
    apart = _minutes(form["description_placeholders"]["balanced_latest"])
    assert apart == alone


async def test_pages_work_over_http(
    hass: HomeAssistant, set_up: SetUp, hass_client: ClientSessionGenerator
) -> None:
    """Home Assistant's own interface can show and submit each page."""
    entry = await set_up()
    assert await async_setup_component(hass, "config", {})
    client = await hass_client()
    flows = "/api/config/config_entries/options/flow"

    async def post(path: str, **body: Any) -> Any:
        response = await client.post(path, json=body)
        assert response.status == 200, await response.text()
        return await response.json()

    async def open_page(page: str) -> str:
        menu = await post(flows, handler=entry.entry_id)
        flow = f"{flows}/{menu['flow_id']}"
        await post(flow, next_step_id=page)
        return flow

    flow = await open_page("plan")
    form = await post(flow, plan="custom")
    assert form["data_schema"][0]["selector"]["number"]["min"] == 1
    await post(flow, calls_per_minute=50, calls_per_month=50_000, live_stream=True)
    await hass.async_block_till_done()
    flow = await open_page("live")
    form = await post(flow, **LIVE)
    assert [field["name"] for field in form["data_schema"]] == list(SCHEDULE)
    form = await post(flow, **SCHEDULE)
    assert [field["name"] for field in form["data_schema"]] == list(TIMES)
    done = await post(flow, **TIMES)
    assert done["type"] == FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    assert entry.options[CONF_BURST_PAUSE] == 30


@pytest.mark.parametrize("plan", ["partner"])
async def test_paid_calls_need_confirmation(hass: HomeAssistant, set_up: SetUp) -> None:
    """The user sees the calls that a budget buys before it is stored."""
    entry = await set_up()
    options = Options(hass, entry)
    form = await options.choose("plan", plan="partner")
    assert form["step_id"] == "call_budget"
    texts = form["description_placeholders"]
    assert texts["free"] == texts["calls"] == "10,000"
    assert (texts["price"], texts["budget"], texts["cost"]) == ("$0.005", "$0", "$0.00")
    assert 5_000 < _number(texts["expected"]) <= 10_000

    # A changed budget is first shown again, with the calls that it buys.
    form = await options.submit(form, call_budget=20)
    assert form["step_id"] == "call_budget"
    texts = form["description_placeholders"]
    assert (texts["budget"], texts["calls"]) == ("$20", "14,000")
    assert 0 <= _number(texts["cost"].removeprefix("$")) <= 20
    done = await options.submit(form, **suggested(form))
    assert done["type"] is FlowResultType.CREATE_ENTRY
    menu = await options.open()
    assert menu["description_placeholders"]["limit"] == "14,000"
    assert "call_budget" in menu["menu_options"]
    assert entry.options[CONF_CALL_BUDGET] == 20
    left = int(state(hass, "sensor.enphase_account_api_calls_left"))
    assert 3_000 < left < 14_000

    # A change of the plan removes the budget, and it is not restored.
    await options.choose("plan", plan="watt")
    assert CONF_CALL_BUDGET not in entry.options
    form = await options.choose("plan", plan="partner")
    assert form["description_placeholders"]["budget"] == "$0"


def _number(text: str) -> float:
    return float(text.replace(",", ""))


@pytest.mark.parametrize("plan", ["partner"])
async def test_budget_page_shows_the_expected_cost(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """Four systems need more than the free calls."""
    for number in range(3):
        world.add_system(name=f"Site {number}", battery=1)
    entry = await set_up(options={CONF_CALL_BUDGET: 1000})
    options = Options(hass, entry)
    form = await options.open("call_budget")
    texts = form["description_placeholders"]
    expected, cost = (
        _number(texts["expected"]),
        _number(texts["cost"].removeprefix("$")),
    )
    assert 20_000 < expected < 40_000
    assert cost == pytest.approx((expected - 10_000) * 0.005, abs=0.01)


@pytest.mark.parametrize("plan", ["partner"])
async def test_entry_without_budget_makes_only_free_calls(
    hass: HomeAssistant, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """An entry that has no such option makes no paid calls."""
    freezer.move_to("2026-06-01 00:10:00+00:00")
    await set_up()
    assert 9_000 < int(state(hass, "sensor.enphase_account_api_calls_left")) <= 10_000
