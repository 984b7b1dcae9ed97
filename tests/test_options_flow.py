"""Change the options: what is offered, what it says it costs, what comes of it."""

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
    CONF_LIVE_BEGIN,
    CONF_LIVE_BURSTS,
    CONF_LIVE_END,
    CONF_LIVE_HOURS,
    CONF_LIVE_STREAM,
    CONF_PLAN,
    CONF_PROFILE,
    CONF_PUBLISH_INTERVAL,
    CONF_STREAMS_PER_MONTH,
    CONF_SYSTEMS,
)
from custom_components.enphase_cloud.scheduling.weights import POLLED, Profile

from .conftest import SetUp, World
from .flows import assert_translated, suggested
from .helpers import state

LIVE = {
    CONF_STREAMS_PER_MONTH: 200,
    CONF_LIVE_BURSTS: True,
    CONF_BURST_PAUSE: 30,
    CONF_BURST_LENGTH: 300,
    CONF_LIVE_HOURS: "between",
    CONF_LIVE_BEGIN: "08:00:00",
    CONF_LIVE_END: "20:30:00",
    CONF_PUBLISH_INTERVAL: 10,
}


pytestmark = pytest.mark.usefixtures("summer_noon")


class Options:
    """The options flow of an entry."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry[Any]) -> None:
        self._hass = hass
        self._entry = entry

    async def open(self) -> ConfigFlowResult:
        """Open the options."""
        return assert_translated(
            await self._hass.config_entries.options.async_init(self._entry.entry_id)
        )

    async def submit(
        self, form: ConfigFlowResult, **user_input: Any
    ) -> ConfigFlowResult:
        """Submit a page."""
        shown = await self._hass.config_entries.options.async_configure(
            form["flow_id"], user_input
        )
        await self._hass.async_block_till_done()
        return assert_translated(shown)


async def test_every_option(hass: HomeAssistant, world: World, set_up: SetUp) -> None:
    """Page by page to live data; the entry is loaded once with what was chosen."""
    entry = await set_up()
    loads: list[ConfigEntryState] = []
    entry.async_on_state_change(lambda: loads.append(entry.state))
    world.cloud.requests.clear()
    options = Options(hass, entry)

    form = await options.open()
    assert form["step_id"] == "plan"
    assert suggested(form) == {CONF_PLAN: "kilowatt"}
    form = await options.submit(form, plan="kilowatt")
    assert form["step_id"] == "profile"
    assert form["last_step"] is False
    form = await options.submit(form, profile="battery_first")
    assert form["step_id"] == "live"
    done = await options.submit(form, **LIVE)
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert entry.options == {
        CONF_PLAN: "kilowatt",
        CONF_PROFILE: "battery_first",
        **LIVE,
    }
    assert loads.count(ConfigEntryState.LOADED) == 1
    # Looking and choosing costs nothing; the first burst is what was asked for.
    assert set(world.calls) <= {"live_data"}
    await hass.config_entries.async_unload(entry.entry_id)


async def test_nothing_changed(hass: HomeAssistant, set_up: SetUp) -> None:
    """Who only looks causes no reload."""
    entry = await set_up(
        options={CONF_PROFILE: "balanced", **LIVE, "live_bursts": False}
    )
    loads: list[ConfigEntryState] = []
    entry.async_on_state_change(lambda: loads.append(entry.state))
    options = Options(hass, entry)
    form = await options.submit(await options.open(), **{CONF_PLAN: "kilowatt"})
    form = await options.submit(form, **suggested(form))
    await options.submit(form, **suggested(form))
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
async def test_a_plan_without_streams(
    hass: HomeAssistant, set_up: SetUp, named: str, limits: dict[str, Any]
) -> None:
    """Live data is not offered, the first page says why, and bursts end."""
    entry = await set_up(options=LIVE)
    options = Options(hass, entry)
    form = await options.submit(await options.open(), plan=named)
    if limits:
        assert form["step_id"] == "custom_plan"
        form = await options.submit(form, **limits)
    assert form["step_id"] == "profile"
    assert form["last_step"] is True
    done = await options.submit(form, profile="balanced")
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert entry.options[CONF_PLAN] == named
    assert CONF_LIVE_BURSTS not in entry.options
    assert {name: entry.options[name] for name in limits} == limits

    # With a larger plan the limits are forgotten, and bursts do not come back.
    form = await options.submit(await options.open(), plan="megawatt")
    form = await options.submit(form, profile="balanced")
    assert CONF_LIVE_BURSTS not in suggested(form)
    await options.submit(form, **LIVE | {CONF_LIVE_BURSTS: False})
    assert not set(limits) & set(entry.options)


async def test_a_custom_plan_with_streams(hass: HomeAssistant, set_up: SetUp) -> None:
    """Limits of one's own may include live data."""
    entry = await set_up()
    options = Options(hass, entry)
    form = await options.submit(await options.open(), plan="custom")
    form = await options.submit(
        form, calls_per_minute=100.0, calls_per_month=60_000.0, live_stream=True
    )
    form = await options.submit(form, profile="balanced")
    assert form["step_id"] == "live"
    await options.submit(form, **LIVE | {CONF_LIVE_BURSTS: False})
    assert entry.options[CONF_CALLS_PER_MINUTE] == 100
    assert type(entry.options[CONF_CALLS_PER_MINUTE]) is int
    form = await options.submit(await options.open(), plan="custom")
    assert suggested(form) == {
        CONF_CALLS_PER_MINUTE: 100,
        CONF_CALLS_PER_MONTH: 60_000,
        CONF_LIVE_STREAM: True,
    }


@pytest.mark.parametrize(
    "system_properties", [{"name": "Roof", "meters": (), "live_stream": False}]
)
async def test_no_system_can_stream(hass: HomeAssistant, set_up: SetUp) -> None:
    """Where Enphase says that no system can stream, it is not offered either."""
    entry = await set_up()
    options = Options(hass, entry)
    form = await options.submit(await options.open(), plan="kilowatt")
    assert form["last_step"] is True
    done = await options.submit(form, profile="balanced")
    assert done["type"] is FlowResultType.CREATE_ENTRY


async def test_the_cost_is_told(hass: HomeAssistant, set_up: SetUp) -> None:
    """The page of live data names the price, for what the user would pay for."""
    entry = await set_up(options={CONF_STREAMS_PER_MONTH: 0})
    options = Options(hass, entry)

    async def told() -> dict[str, str]:
        form = await options.submit(await options.open(), plan="kilowatt")
        form = await options.submit(form, profile="balanced")
        hass.config_entries.options.async_abort(form["flow_id"])
        return dict(form["description_placeholders"])

    assert await told() == {"price": "$0.10", "streams": "100", "cost": "$10.00"}
    hass.config_entries.async_update_entry(
        entry, options={**entry.options, CONF_STREAMS_PER_MONTH: 12_345}
    )
    assert await told() == {"price": "$0.10", "streams": "12,345", "cost": "$1,234.50"}


@pytest.mark.parametrize("streams", [0, 1])
async def test_bursts_need_streams(
    hass: HomeAssistant, set_up: SetUp, streams: int
) -> None:
    """Bursts that no stream is left for are refused, and what was typed is kept."""
    entry = await set_up(options={CONF_STREAMS_PER_MONTH: streams})
    options = Options(hass, entry)
    form = await options.submit(await options.open(), plan="kilowatt")
    form = await options.submit(form, profile="balanced")
    typed = LIVE | {CONF_STREAMS_PER_MONTH: streams}
    form = await options.submit(form, **typed)
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
async def test_out_of_range(
    hass: HomeAssistant, set_up: SetUp, field: str, value: Any
) -> None:
    """A burst lasts 30 to 300 seconds; other numbers have their ranges, too."""
    entry = await set_up()
    before = dict(entry.options)
    options = Options(hass, entry)
    form = await options.submit(await options.open(), plan="kilowatt")
    form = await options.submit(form, profile="balanced")
    with pytest.raises(InvalidData) as refusal:
        await options.submit(form, **LIVE | {field: value})
    assert set(refusal.value.schema_errors) == {field}
    assert entry.options == before


@pytest.mark.parametrize(
    ("named", "calls"), [("watt", "1,000"), ("kilowatt", "50,000")]
)
async def test_what_a_profile_gives(
    hass: HomeAssistant, set_up: SetUp, named: str, calls: str
) -> None:
    """Before it is chosen, each profile says how often it asks for what."""
    entry = await set_up()
    options = Options(hass, entry)
    form = await options.submit(await options.open(), plan=named)
    told = form["description_placeholders"]
    assert told["limit"] == calls
    assert 0 < int(told["calls"].replace(",", "")) <= int(calls.replace(",", ""))
    if named == "kilowatt":
        intervals = {
            told[f"{profile}_{document}"] for profile in Profile for document in POLLED
        }
        assert intervals == {"15 min"}
        return
    by_profile = {profile: _minutes(told[f"{profile}_battery"]) for profile in Profile}
    assert min(by_profile, key=by_profile.__getitem__) == Profile.BATTERY_FIRST
    assert max(by_profile, key=by_profile.__getitem__) == Profile.PRODUCTION_FIRST


def _minutes(told: str) -> float:
    number, unit = told.split()
    return float(number) * {"min": 1, "h": 60}[unit]


@pytest.mark.parametrize("system_properties", [{"name": "Roof"}])
async def test_what_a_system_does_not_have_is_not_promised(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """Without a battery there is no battery level, and more for the rest."""
    entry = await set_up()
    options = Options(hass, entry)
    form = await options.submit(await options.open(), plan="watt")
    without = form["description_placeholders"]
    assert without["battery_first_battery"] == "—"
    hass.config_entries.options.async_abort(form["flow_id"])

    # Before the entry was ever loaded, what a system has is not known.
    await hass.config_entries.async_unload(entry.entry_id)
    form = await options.submit(await options.open(), plan="watt")
    unknown = form["description_placeholders"]
    assert unknown["battery_first_battery"] != "—"
    assert _minutes(unknown["balanced_latest"]) > _minutes(without["balanced_latest"])


async def test_who_shares_the_key_shares_the_calls(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """Another account on the same key makes both wait longer."""
    entry = await set_up()
    options = Options(hass, entry)
    form = await options.submit(await options.open(), plan="watt")
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
    form = await options.submit(await options.open(), plan="watt")
    together = _minutes(form["description_placeholders"]["balanced_latest"])
    assert together == pytest.approx(2 * alone, rel=0.1)

    hass.config_entries.async_update_entry(
        entry, data={**entry.data, CONF_API_KEY: "another"}
    )
    hass.config_entries.options.async_abort(form["flow_id"])
    form = await options.submit(await options.open(), plan="watt")
    apart = _minutes(form["description_placeholders"]["balanced_latest"])
    assert apart == alone


async def test_the_pages_travel_over_http(
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

    form = await post(flows, handler=entry.entry_id)
    flow = f"{flows}/{form['flow_id']}"
    form = await post(flow, plan="custom")
    assert form["data_schema"][0]["selector"]["number"]["min"] == 1
    form = await post(
        flow, calls_per_minute=50, calls_per_month=50_000, live_stream=True
    )
    form = await post(flow, profile="balanced")
    assert [field["name"] for field in form["data_schema"]] == list(LIVE)
    done = await post(flow, **LIVE | {CONF_LIVE_BURSTS: False})
    assert done["type"] == FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    assert entry.options[CONF_BURST_PAUSE] == 30


@pytest.mark.parametrize("plan", ["partner"])
async def test_paid_calls(hass: HomeAssistant, set_up: SetUp) -> None:
    """Nothing is spent unless the user says so, having seen what it gives."""
    entry = await set_up()
    options = Options(hass, entry)
    form = await options.submit(await options.open(), plan="partner")
    assert form["step_id"] == "call_budget"
    told = form["description_placeholders"]
    assert told["free"] == told["calls"] == "10,000"
    assert (told["price"], told["budget"], told["cost"]) == ("$0.005", "$0", "$0.00")
    assert 5_000 < _number(told["expected"]) <= 10_000

    # Another sum is shown with what it gives before anything else comes.
    form = await options.submit(form, call_budget=20)
    assert form["step_id"] == "call_budget"
    told = form["description_placeholders"]
    assert (told["budget"], told["calls"]) == ("$20", "14,000")
    assert 0 <= _number(told["cost"].removeprefix("$")) <= 20
    form = await options.submit(form, **suggested(form))
    assert form["step_id"] == "profile"
    assert form["description_placeholders"]["limit"] == "14,000"
    form = await options.submit(form, profile="balanced")
    await options.submit(form, **LIVE | {CONF_LIVE_BURSTS: False})
    assert entry.options[CONF_CALL_BUDGET] == 20
    left = int(state(hass, "sensor.enphase_account_api_calls_left"))
    assert 3_000 < left < 14_000

    # Another plan forgets the sum, and it does not come back by itself.
    form = await options.submit(await options.open(), plan="watt")
    await options.submit(form, profile="balanced")
    assert CONF_CALL_BUDGET not in entry.options
    form = await options.submit(await options.open(), plan="partner")
    assert form["description_placeholders"]["budget"] == "$0"


def _number(told: str) -> float:
    return float(told.replace(",", ""))


@pytest.mark.parametrize("plan", ["partner"])
async def test_many_systems_cost_what_is_told(
    hass: HomeAssistant, world: World, set_up: SetUp
) -> None:
    """Where the free calls are not enough, the form says what polling costs."""
    for number in range(3):
        world.add_system(name=f"Site {number}", battery=1)
    entry = await set_up(options={CONF_CALL_BUDGET: 1000})
    options = Options(hass, entry)
    form = await options.submit(await options.open(), plan="partner")
    told = form["description_placeholders"]
    expected, cost = _number(told["expected"]), _number(told["cost"].removeprefix("$"))
    assert 20_000 < expected < 40_000
    assert cost == pytest.approx((expected - 10_000) * 0.005, abs=0.01)


@pytest.mark.parametrize("plan", ["partner"])
async def test_an_entry_of_before_pays_for_nothing(
    hass: HomeAssistant, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Without the option, only the free calls are made."""
    freezer.move_to("2026-06-01 00:10:00+00:00")
    await set_up()
    assert 9_000 < int(state(hass, "sensor.enphase_account_api_calls_left")) <= 10_000
