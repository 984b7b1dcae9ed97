"""The report of a day: told once when it is there, and read without a call."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
import json
from pathlib import Path
import shutil
from typing import Any
from zoneinfo import ZoneInfo

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder.models import (
    StatisticData,
    StatisticMeanType,
    StatisticMetaData,
)
from homeassistant.components.recorder.statistics import (
    async_add_external_statistics,
    async_import_statistics,
)
from homeassistant.core import (
    Context,
    Event,
    EventStateChangedData,
    HomeAssistant,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import ServiceValidationError, Unauthorized, UnknownUser
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockUser, async_mock_service
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)
import voluptuous as vol

from custom_components.enphase_cloud.const import (
    CONF_ENERGY_UPDATES,
    CONF_HISTORY,
    DOMAIN,
)
from custom_components.enphase_cloud.coordinator.recorded import statistic_id
from custom_components.enphase_cloud.energy.parsing import system_day
from simulator import Fault

from .conftest import SetUp, World
from .energy_helpers import FLOWS, advance
from .helpers import state, system_devices
from .test_costs import add_tariff, fixed

pytestmark = pytest.mark.usefixtures("recorder_mock")

BLUEPRINTS = Path(__file__).parents[1] / "blueprints" / "automation" / "enphase_cloud"
BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 6, 17, 12, 3, tzinfo=UTC)
REPORT = "event.hilltop_daily_report"
ONE_UPDATE = {CONF_ENERGY_UPDATES: 1, CONF_HISTORY: "none"}
STEP = timedelta(minutes=30)
DAY = timedelta(days=1)


@pytest.fixture
def now() -> datetime:
    """Return when a test begins; parametrize to choose another moment."""
    return NOW


@pytest.fixture
def system_properties() -> dict[str, Any]:
    """Return a system with all flows, which is some weeks old."""
    return {
        "name": "Hilltop",
        "battery": 2,
        "time_zone": "Europe/Berlin",
        "commissioned": date(2026, 1, 1),
    }


@pytest.fixture(autouse=True)
def _noon(freezer: FrozenDateTimeFactory, now: datetime) -> None:
    freezer.move_to(now)


@pytest.fixture
def told(hass: HomeAssistant) -> list[tuple[datetime, dict[str, Any]]]:
    """Return when the report of which day was told, as it comes."""
    heard: list[tuple[datetime, dict[str, Any]]] = []

    @callback
    def hear(event: Event[EventStateChangedData]) -> None:
        before, after = event.data["old_state"], event.data["new_state"]
        if before and after and "unavailable" not in (before.state, after.state):
            assert after.attributes["event_type"] == "ready"
            heard.append((dt_util.utcnow(), dict(after.attributes)))

    async_track_state_change_event(hass, [REPORT], hear)
    return heard


async def _import(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
    """Let time pass in which everything is imported that is due."""
    await advance(hass, freezer, timedelta(minutes=20), step=timedelta(minutes=1))


async def _pass_day(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
    """Let a day pass, slowly while energies are imported in the night."""
    end = dt_util.utcnow() + DAY
    while dt_util.utcnow() < end:
        hour = dt_util.utcnow().astimezone(BERLIN).hour
        step = timedelta(minutes=2) if hour in (4, 5) else STEP
        await advance(hass, freezer, step, step=step)


def _days(told: Sequence[tuple[datetime, dict[str, Any]]]) -> list[str]:
    return [attributes["date"] for _, attributes in told]


def _true_energies(world: World, day: date) -> dict[str, float]:
    """Return what each flow truly came to on a day [kWh]."""
    span, real = system_day(day, BERLIN), world.cloud.truth(world.system.system_id)
    return {
        flow.value: round(real.energy(name, span.start, span.end) / 1_000, 3)
        for flow, name in FLOWS.items()
    }


async def _report(
    hass: HomeAssistant, *, user_id: str | None = None, **data: Any
) -> dict[str, Any]:
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    answer = await hass.services.async_call(
        DOMAIN,
        "get_report",
        {"device_id": system_devices(hass, entry)[0].id} | data,
        blocking=True,
        return_response=True,
        context=Context(user_id=user_id),
    )
    assert isinstance(answer, dict)
    json.dumps(answer)
    (report,) = answer.values()
    assert isinstance(report, dict)
    return report


async def _add_money(
    hass: HomeAssistant, world: World, key: str, start: datetime, amount: float
) -> None:
    """Record an amount of money for each of two hours."""
    statistic = statistic_id(world.system.system_id, key)
    async_add_external_statistics(
        hass,
        StatisticMetaData(
            mean_type=StatisticMeanType.NONE,
            has_sum=True,
            name=key,
            source=DOMAIN,
            statistic_id=statistic,
            unit_class=None,
            unit_of_measurement="EUR",
        ),
        [
            StatisticData(start=start + number * timedelta(hours=1), sum=total)
            for number, total in enumerate((amount, 2 * amount))
        ],
    )
    await async_wait_recording_done(hass)


# The event


@pytest.mark.parametrize("updates", [1, 24])
@pytest.mark.long
async def test_it_is_told_once_the_night_is_imported(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    told: list[tuple[datetime, dict[str, Any]]],
    updates: int,
) -> None:
    """Some hours after midnight of the system; its figures are true."""
    await set_up(options={CONF_ENERGY_UPDATES: updates, CONF_HISTORY: "none"})
    await _import(hass, freezer)
    await _pass_day(hass, freezer)
    assert _days(told) == ["2026-06-16", "2026-06-17"]
    for at, attributes in told[1:]:
        assert 4 <= at.astimezone(BERLIN).hour < 6
        day = date.fromisoformat(attributes["date"])
        energies = _true_energies(world, day)
        assert attributes["production_kwh"] == energies["production"]
        expected = 100 * (1 - energies["grid_import"] / energies["consumption"])
        assert attributes["self_sufficiency"] == pytest.approx(expected, abs=0.06)
        assert "net_cost" not in attributes


@pytest.mark.long
async def test_restarts_tell_nothing_twice(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    told: list[tuple[datetime, dict[str, Any]]],
) -> None:
    """Nor do they swallow what came while nobody could hear it."""
    entry = await set_up(options=ONE_UPDATE)
    await _pass_day(hass, freezer)
    assert _days(told) == ["2026-06-16", "2026-06-17"]
    for _ in range(2):
        await hass.config_entries.async_reload(entry.entry_id)
        await _import(hass, freezer)
    assert len(told) == 2
    await hass.config_entries.async_unload(entry.entry_id)
    freezer.tick(DAY)
    await set_up(entry)
    await _import(hass, freezer)
    assert _days(told)[2:] == ["2026-06-18"]


@pytest.mark.long
async def test_at_nine_what_is_known_has_to_do(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    told: list[tuple[datetime, dict[str, Any]]],
) -> None:
    """Where one document cannot be had in the night, the others are told."""
    await set_up(options=ONE_UPDATE)
    await _import(hass, freezer)
    told.clear()
    world.cloud.faults.add(Fault(operation="energy_export_telemetry", status=503))
    await _pass_day(hass, freezer)
    ((at, attributes),) = told
    assert at.astimezone(BERLIN).hour == 9
    assert attributes["date"] == "2026-06-17"
    energies = _true_energies(world, date(2026, 6, 17))
    assert attributes["production_kwh"] == energies["production"]


@pytest.mark.long
async def test_a_silent_gateway_is_waited_for(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    told: list[tuple[datetime, dict[str, Any]]],
) -> None:
    """Until nine; of a day of which nothing is known, nothing is told."""
    await set_up(options=ONE_UPDATE)
    await _import(hass, freezer)
    await advance(hass, freezer, timedelta(hours=8), step=STEP)
    told.clear()
    world.system.go_offline(dt_util.utcnow())
    await _pass_day(hass, freezer)
    ((at, attributes),) = told
    assert at.astimezone(BERLIN).hour == 9
    assert attributes["date"] == "2026-06-17"
    await _pass_day(hass, freezer)
    assert len(told) == 1


async def test_a_clock_that_was_ahead_keeps_nothing_back(
    hass: HomeAssistant,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    told: list[tuple[datetime, dict[str, Any]]],
) -> None:
    """What was told then is not believed."""
    entry = await set_up(options=ONE_UPDATE)
    entry.runtime_data.systems[0].store.set_last_report_day(date(2027, 1, 1))
    await hass.config_entries.async_reload(entry.entry_id)
    await _import(hass, freezer)
    assert _days(told) == ["2026-06-16"]


@pytest.mark.parametrize(
    "system_properties",
    [
        {
            "name": "Hilltop",
            "battery": None,
            "meters": ["production"],
            "time_zone": "Europe/Berlin",
            "dark_intervals": False,
        }
    ],
)
async def test_panels_alone_are_reported_at_night(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    told: list[tuple[datetime, dict[str, Any]]],
) -> None:
    """Although their document has no interval of the dark."""
    await set_up(options=ONE_UPDATE)
    await _import(hass, freezer)
    await _pass_day(hass, freezer)
    at, attributes = told[-1]
    assert at.astimezone(BERLIN).hour < 6
    assert attributes["date"] == "2026-06-17"
    assert "self_sufficiency" not in attributes


async def test_without_updates_there_is_no_event(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    """Nothing would ever be imported."""
    await set_up(options={CONF_ENERGY_UPDATES: 0})
    assert hass.states.get(REPORT) is None
    await set_up(options=ONE_UPDATE)
    assert state(hass, "button.hilltop_refresh_now")


# The action


async def test_the_report_is_true_and_costs_nothing(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """By default it is of yesterday."""
    await set_up(options=ONE_UPDATE)
    await _import(hass, freezer)
    await _pass_day(hass, freezer)
    world.cloud.requests.clear()
    report = await _report(hass)
    energies = _true_energies(world, date(2026, 6, 17))
    assert report["date"] == "2026-06-17"
    assert report["energy_kwh"] == energies
    shares = {
        "self_sufficiency": 1 - energies["grid_import"] / energies["consumption"],
        "self_consumption": 1 - energies["grid_export"] / energies["production"],
    }
    for key, share in shares.items():
        assert report[key] == pytest.approx(100 * share, abs=0.06)
    assert not {"cost", "best_panel", "weakest_panel"} & report.keys()
    start = datetime.fromisoformat(report["import_peak"]["at"])
    assert start.astimezone(BERLIN).date() == date(2026, 6, 17)
    real = world.cloud.truth(world.system.system_id)
    quarter = timedelta(minutes=15)
    assert report["import_peak"]["power_kw"] == pytest.approx(
        4 * real.energy("import", start, start + quarter) / 1_000
    )
    sufficiency = state(hass, "sensor.hilltop_self_sufficiency_yesterday")
    assert report["self_sufficiency"] == pytest.approx(float(sufficiency), abs=0.06)
    assert world.cloud.requests == []

    assert await _report(hass, date="2026-06-17") == report
    unknown = await _report(hass, date="2026-01-05")
    assert set(unknown) == {"name", "date", "calls"}
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    ledger = entry.runtime_data.budget.ledger
    assert report["calls"]["left"] == ledger.left(dt_util.utcnow())
    assert world.cloud.requests == []


@pytest.mark.parametrize(
    ("now", "day", "hours"),
    [
        (datetime(2026, 3, 30, 12, tzinfo=UTC), date(2026, 3, 29), 23),
        (datetime(2026, 10, 26, 12, tzinfo=UTC), date(2026, 10, 25), 25),
    ],
)
async def test_days_on_which_clocks_change(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    day: date,
    hours: int,
) -> None:
    """They have 23 or 25 hours, and all of them count once."""
    span = system_day(day, BERLIN)
    assert span.length == timedelta(hours=hours)
    await set_up(options=ONE_UPDATE)
    await _import(hass, freezer)
    assert (await _report(hass))["energy_kwh"] == _true_energies(world, day)


async def test_money_is_told_where_it_is_recorded(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """What is paid back is taken off what is to be paid."""
    hass.config.currency = "CHF"
    await set_up(options=ONE_UPDATE)
    await _import(hass, freezer)
    start = system_day(date(2026, 6, 16), BERLIN).start
    await _add_money(hass, world, "grid_import_cost", start, 0.625)
    assert (await _report(hass))["cost"] == {
        "currency": "CHF",
        "import": 1.25,
        "net": 1.25,
    }
    await _add_money(hass, world, "grid_export_compensation", start, 1)
    assert (await _report(hass))["cost"] == {
        "currency": "CHF",
        "import": 1.25,
        "compensation": 2.0,
        "net": -0.75,
    }


async def test_a_tariff_puts_a_price_on_the_day(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    told: list[tuple[datetime, dict[str, Any]]],
) -> None:
    """The event and the report tell what the statistics of costs come to."""
    entry = world.entry(options=ONE_UPDATE)
    entry.add_to_hass(hass)
    add_tariff(hass, world, entry, fixed("0.30"))
    add_tariff(hass, world, entry, fixed("0.08"), direction="export")
    await set_up(entry)
    await _import(hass, freezer)
    energies = _true_energies(world, date(2026, 6, 16))
    cost = energies["grid_import"] * 0.3
    paid_back = energies["grid_export"] * 0.08
    expected = {"import": cost, "compensation": paid_back, "net": cost - paid_back}
    report = await _report(hass)
    assert report["cost"] == {
        "currency": "EUR",
        **{key: pytest.approx(amount, abs=0.0051) for key, amount in expected.items()},
    }
    ((_, attributes),) = told
    assert attributes["net_cost"] == report["cost"]["net"]


@pytest.mark.long
async def test_the_best_and_the_weakest_panel(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """By the energy of that day, under the names of the user."""
    weak = world.system.microinverters[3].serial
    world.system.break_panel(weak, dt_util.utcnow() - DAY, 0.4)
    await set_up(options=ONE_UPDATE | {"groups": ["panels"]})
    await advance(hass, freezer, 2 * DAY, step=STEP)
    report = await _report(hass)
    gave = world.cloud.truth(world.system.system_id).panels(date(2026, 6, 18))
    registry = dr.async_get(hass)
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    device = next(
        each
        for each in dr.async_entries_for_config_entry(registry, entry.entry_id)
        if weak in str(each.identifiers)
    )
    assert report["weakest_panel"]["name"] == device.name
    energy = report["weakest_panel"]["energy_kwh"]
    assert energy == pytest.approx(gave[weak] / 1_000, rel=0.02)
    assert report["best_panel"]["energy_kwh"] == pytest.approx(
        max(gave.values()) / 1_000, rel=0.02
    )
    registry.async_update_device(device.id, name_by_user="Behind the chimney")
    assert (await _report(hass))["weakest_panel"]["name"] == "Behind the chimney"
    assert "weakest_panel" not in await _report(hass, date="2026-06-17")


async def test_the_calls_of_a_day_are_recorded(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """As Home Assistant's statistics know them."""
    await set_up(options=ONE_UPDATE)
    calls = (await _report(hass))["calls"]
    assert set(calls) == {"this_month", "left"}
    assert calls["this_month"] == len(world.calls)
    (counter,) = (
        each
        for each in er.async_get(hass).entities.values()
        if each.unique_id.endswith("_calls_used")
    )
    start = system_day(date(2026, 6, 16), BERLIN).start
    async_import_statistics(
        hass,
        StatisticMetaData(
            mean_type=StatisticMeanType.NONE,
            has_sum=True,
            name=None,
            source="recorder",
            statistic_id=counter.entity_id,
            unit_class=None,
            unit_of_measurement=None,
        ),
        [
            StatisticData(start=start + number * timedelta(hours=1), sum=total)
            for number, total in ((-1, 100), (0, 101), (5, 112), (23, 131), (24, 132))
        ],
    )
    await async_wait_recording_done(hass)
    assert (await _report(hass))["calls"] == {**calls, "on_day": 31}


async def test_whoever_may_read_may_have_it(
    hass: HomeAssistant, set_up: SetUp, hass_read_only_user: MockUser
) -> None:
    """And nobody else."""
    await set_up(options=ONE_UPDATE)
    assert "calls" in await _report(hass, user_id=hass_read_only_user.id)
    stranger = MockUser().add_to_hass(hass)
    stranger.mock_policy({})
    with pytest.raises(Unauthorized) as raised:
        await _report(hass, user_id=stranger.id)
    assert raised.value.permission == "read"
    with pytest.raises(UnknownUser):
        await _report(hass, user_id="nobody")


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "yesterday"])
async def test_an_absurd_day_is_refused(
    hass: HomeAssistant, set_up: SetUp, day: str
) -> None:
    """As Home Assistant refuses fields."""
    await set_up(options=ONE_UPDATE)
    with pytest.raises(vol.Invalid):
        await _report(hass, date=day)
    with pytest.raises(ServiceValidationError):
        await _report(hass, device_id="none")


# The blueprint


@pytest.mark.long
async def test_the_morning_report_is_sent(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    tmp_path: Path,
) -> None:
    """Once, as a short text; a restart sends nothing again."""
    hass.config.config_dir = str(tmp_path)
    shutil.copytree(BLUEPRINTS, tmp_path / "blueprints" / "automation" / "ours")
    sent = async_mock_service(hass, "notify", "persistent_notification")
    entry = await set_up(options=ONE_UPDATE)
    await _import(hass, freezer)
    use = {"path": "ours/morning_report.yaml", "input": {"report": REPORT}}
    assert await async_setup_component(
        hass, "automation", {"automation": {"alias": "It", "use_blueprint": use}}
    )
    await _pass_day(hass, freezer)
    await hass.config_entries.async_reload(entry.entry_id)
    await _import(hass, freezer)
    (call,) = sent
    assert call.data["title"] == "Hilltop on 2026-06-17"
    report = await _report(hass)
    flows = ("production", "consumption", "grid_import", "grid_export")
    texts = ("produced", "used", "from the grid", "into the grid")
    energies = (report["energy_kwh"][flow] for flow in flows)
    told = (
        f"{each:.1f} kWh {text}" for each, text in zip(energies, texts, strict=True)
    )
    assert call.data["message"] == (
        f"{', '.join(told)}. Self-sufficiency {round(report['self_sufficiency'])} %."
    )


async def test_the_morning_report_tells_costs_and_panels(
    hass: HomeAssistant, set_up: SetUp, tmp_path: Path
) -> None:
    """Where they are known; and flows that are not known are left out."""
    hass.config.config_dir = str(tmp_path)
    shutil.copytree(BLUEPRINTS, tmp_path / "blueprints" / "automation" / "ours")
    sent = async_mock_service(hass, "notify", "persistent_notification")
    await set_up(options=ONE_UPDATE)
    use = {"path": "ours/morning_report.yaml", "input": {"report": REPORT}}
    assert await async_setup_component(
        hass, "automation", {"automation": {"alias": "It", "use_blueprint": use}}
    )
    report = {
        "date": "2026-06-16",
        "energy_kwh": {"production": 12.34},
        "cost": {"currency": "EUR", "import": 0.2, "net": -1.5},
        "weakest_panel": {"name": "Behind the chimney", "energy_kwh": 0.402},
    }
    asked = async_mock_service(
        hass,
        DOMAIN,
        "get_report",
        response={"Hilltop": report},
        supports_response=SupportsResponse.ONLY,
    )
    hass.states.async_set(
        REPORT, "2026-06-17T02:30:00.000+00:00", {"date": "2026-06-16"}
    )
    await hass.async_block_till_done()
    (call,) = sent
    assert call.data["message"] == (
        "12.3 kWh produced. Net cost -1.50 EUR."
        " Weakest panel: Behind the chimney, 0.40 kWh."
    )
    assert str(asked[0].data["date"]) == "2026-06-16"
