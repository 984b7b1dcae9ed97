"""The report of a day: an event fires once, and reading it makes no API call."""

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
    """Return the time at which a test begins; override it by parametrize."""
    return NOW


@pytest.fixture
def system_properties() -> dict[str, Any]:
    """Return a system with all energy flows, several months old."""
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
def reports(hass: HomeAssistant) -> list[tuple[datetime, dict[str, Any]]]:
    """Return time and attributes of each report event; the list grows as they fire."""
    events: list[tuple[datetime, dict[str, Any]]] = []

    @callback
    def record(event: Event[EventStateChangedData]) -> None:
        before, after = event.data["old_state"], event.data["new_state"]
        if before and after and "unavailable" not in (before.state, after.state):
            assert after.attributes["event_type"] == "ready"
            events.append((dt_util.utcnow(), dict(after.attributes)))

    async_track_state_change_event(hass, [REPORT], record)
    return events


async def _import(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
    """Pass enough time for all due imports."""
    await advance(hass, freezer, timedelta(minutes=20), step=timedelta(minutes=1))


async def _pass_day(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
    """Pass a day, in small steps at night while energy is imported."""
    end = dt_util.utcnow() + DAY
    while dt_util.utcnow() < end:
        hour = dt_util.utcnow().astimezone(BERLIN).hour
        step = timedelta(minutes=2) if hour in (4, 5) else STEP
        await advance(hass, freezer, step, step=step)


def _days(reports: Sequence[tuple[datetime, dict[str, Any]]]) -> list[str]:
    return [attributes["date"] for _, attributes in reports]


def _true_energy(world: World, day: date) -> dict[str, float]:
    """Return the true energy of each flow on a day [kWh]."""
    span, real = system_day(day, BERLIN), world.cloud.truth(world.system.system_id)
    return {
        flow.value: round(real.energy(name, span.start, span.end) / 1_000, 3)
        for flow, name in FLOWS.items()
    }


async def _report(
    hass: HomeAssistant, *, user_id: str | None = None, **data: Any
) -> dict[str, Any]:
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    response = await hass.services.async_call(
        DOMAIN,
        "get_report",
        {"device_id": system_devices(hass, entry)[0].id} | data,
        blocking=True,
        return_response=True,
        context=Context(user_id=user_id),
    )
    assert isinstance(response, dict)
    json.dumps(response)
    (report,) = response.values()
    assert isinstance(report, dict)
    return report


async def _add_money(
    hass: HomeAssistant, world: World, key: str, start: datetime, amount: float
) -> None:
    """Record the same amount of money for each of two hours."""
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
async def test_event_fires_once_the_night_is_imported(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    reports: list[tuple[datetime, dict[str, Any]]],
    updates: int,
) -> None:
    """The event fires between 4:00 and 6:00 at the system, with the true values."""
    await set_up(options={CONF_ENERGY_UPDATES: updates, CONF_HISTORY: "none"})
    await _import(hass, freezer)
    await _pass_day(hass, freezer)
    assert _days(reports) == ["2026-06-16", "2026-06-17"]
    for at, attributes in reports[1:]:
        assert 4 <= at.astimezone(BERLIN).hour < 6
        day = date.fromisoformat(attributes["date"])
        energy = _true_energy(world, day)
        assert attributes["production_kwh"] == energy["production"]
        expected = 100 * (1 - energy["grid_import"] / energy["consumption"])
        assert attributes["self_sufficiency"] == pytest.approx(expected, abs=0.06)
        assert "net_cost" not in attributes


@pytest.mark.long
async def test_restart_fires_each_report_once(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    reports: list[tuple[datetime, dict[str, Any]]],
) -> None:
    """A report that became due while the entry was unloaded fires afterwards."""
    entry = await set_up(options=ONE_UPDATE)
    await _pass_day(hass, freezer)
    assert _days(reports) == ["2026-06-16", "2026-06-17"]
    for _ in range(2):
        await hass.config_entries.async_reload(entry.entry_id)
        await _import(hass, freezer)
    assert len(reports) == 2
    await hass.config_entries.async_unload(entry.entry_id)
    freezer.tick(DAY)
    await set_up(entry)
    await _import(hass, freezer)
    assert _days(reports)[2:] == ["2026-06-18"]


@pytest.mark.long
async def test_report_fires_at_nine_without_complete_data(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    reports: list[tuple[datetime, dict[str, Any]]],
) -> None:
    """When one document is unavailable all night, the report has the other values."""
    await set_up(options=ONE_UPDATE)
    await _import(hass, freezer)
    reports.clear()
    world.cloud.faults.add(Fault(operation="energy_export_telemetry", status=503))
    await _pass_day(hass, freezer)
    ((at, attributes),) = reports
    assert at.astimezone(BERLIN).hour == 9
    assert attributes["date"] == "2026-06-17"
    energy = _true_energy(world, date(2026, 6, 17))
    assert attributes["production_kwh"] == energy["production"]


@pytest.mark.long
async def test_report_waits_for_a_silent_gateway_until_nine(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    reports: list[tuple[datetime, dict[str, Any]]],
) -> None:
    """A day without any data has no report."""
    await set_up(options=ONE_UPDATE)
    await _import(hass, freezer)
    await advance(hass, freezer, timedelta(hours=8), step=STEP)
    reports.clear()
    world.system.go_offline(dt_util.utcnow())
    await _pass_day(hass, freezer)
    ((at, attributes),) = reports
    assert at.astimezone(BERLIN).hour == 9
    assert attributes["date"] == "2026-06-17"
    await _pass_day(hass, freezer)
    assert len(reports) == 1


async def test_report_day_in_the_future_is_ignored(
    hass: HomeAssistant,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    reports: list[tuple[datetime, dict[str, Any]]],
) -> None:
    """A clock that was ahead at the last report does not block later reports."""
    entry = await set_up(options=ONE_UPDATE)
    entry.runtime_data.systems[0].store.set_last_report_day(date(2027, 1, 1))
    await hass.config_entries.async_reload(entry.entry_id)
    await _import(hass, freezer)
    assert _days(reports) == ["2026-06-16"]


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
async def test_system_without_other_meters_is_reported_at_night(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    reports: list[tuple[datetime, dict[str, Any]]],
) -> None:
    """Its document has no intervals for the dark hours."""
    await set_up(options=ONE_UPDATE)
    await _import(hass, freezer)
    await _pass_day(hass, freezer)
    at, attributes = reports[-1]
    assert at.astimezone(BERLIN).hour < 6
    assert attributes["date"] == "2026-06-17"
    assert "self_sufficiency" not in attributes


async def test_no_event_entity_without_energy_updates(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    """Without them, no energy is imported."""
    await set_up(options={CONF_ENERGY_UPDATES: 0})
    assert hass.states.get(REPORT) is None
    await set_up(options=ONE_UPDATE)
    assert state(hass, "button.hilltop_refresh_now")


# The action


async def test_report_has_true_values_and_makes_no_call(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """The default day is yesterday."""
    await set_up(options=ONE_UPDATE)
    await _import(hass, freezer)
    await _pass_day(hass, freezer)
    world.cloud.requests.clear()
    report = await _report(hass)
    energy = _true_energy(world, date(2026, 6, 17))
    assert report["date"] == "2026-06-17"
    assert report["energy_kwh"] == energy
    shares = {
        "self_sufficiency": 1 - energy["grid_import"] / energy["consumption"],
        "self_consumption": 1 - energy["grid_export"] / energy["production"],
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
async def test_report_of_a_day_of_clock_change_counts_each_hour_once(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    day: date,
    hours: int,
) -> None:
    """Such a day has 23 or 25 hours."""
    span = system_day(day, BERLIN)
    assert span.length == timedelta(hours=hours)
    await set_up(options=ONE_UPDATE)
    await _import(hass, freezer)
    assert (await _report(hass))["energy_kwh"] == _true_energy(world, day)


async def test_report_has_the_recorded_costs(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """The net cost is the cost of imports minus the compensation."""
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


async def test_tariff_adds_costs_to_report_and_event(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    reports: list[tuple[datetime, dict[str, Any]]],
) -> None:
    """Both agree with the statistics of costs."""
    entry = world.entry(options=ONE_UPDATE)
    entry.add_to_hass(hass)
    add_tariff(hass, world, entry, fixed("0.30"))
    add_tariff(hass, world, entry, fixed("0.08"), direction="export")
    await set_up(entry)
    await _import(hass, freezer)
    energy = _true_energy(world, date(2026, 6, 16))
    cost = energy["grid_import"] * 0.3
    paid_back = energy["grid_export"] * 0.08
    expected = {"import": cost, "compensation": paid_back, "net": cost - paid_back}
    report = await _report(hass)
    assert report["cost"] == {
        "currency": "EUR",
        **{key: pytest.approx(amount, abs=0.0051) for key, amount in expected.items()},
    }
    ((_, attributes),) = reports
    assert attributes["net_cost"] == report["cost"]["net"]


@pytest.mark.long
async def test_report_names_the_best_and_the_weakest_panel(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """They are ranked by the energy of that day, and have the user's names."""
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


async def test_report_has_the_calls_of_its_day(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """They come from Home Assistant's statistics of the call counter."""
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


async def test_report_needs_permission_to_read(
    hass: HomeAssistant, set_up: SetUp, hass_read_only_user: MockUser
) -> None:
    """A read-only user gets it; a user without that permission does not."""
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
async def test_absurd_day_is_rejected(
    hass: HomeAssistant, set_up: SetUp, day: str
) -> None:
    """The error is Home Assistant's own for invalid fields."""
    await set_up(options=ONE_UPDATE)
    with pytest.raises(vol.Invalid):
        await _report(hass, date=day)
    with pytest.raises(ServiceValidationError):
        await _report(hass, device_id="none")


# The blueprint


@pytest.mark.long
async def test_morning_report_is_sent_once(
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    tmp_path: Path,
) -> None:
    """It is a short text; a restart does not repeat it."""
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
    energy = (report["energy_kwh"][flow] for flow in flows)
    parts = (f"{each:.1f} kWh {text}" for each, text in zip(energy, texts, strict=True))
    assert call.data["message"] == (
        f"{', '.join(parts)}. Self-sufficiency {round(report['self_sufficiency'])} %."
    )


async def test_morning_report_has_costs_and_panels(
    hass: HomeAssistant, set_up: SetUp, tmp_path: Path
) -> None:
    """It has only the values of the report, and skips flows without a value."""
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
    requests = async_mock_service(
        hass,
        DOMAIN,
        "get_report",
        response={"Hilltop": report},
        supports_response=SupportsResponse.ONLY,
    )
    # Before the first report, a run by hand tells of yesterday.
    it = {"entity_id": "automation.it"}
    await hass.services.async_call("automation", "trigger", it, blocking=True)
    assert str(requests.pop().data["date"]) == "2026-06-16"
    assert sent.pop()
    hass.states.async_set(
        REPORT, "2026-06-17T02:30:00.000+00:00", {"date": "2026-06-16"}
    )
    await hass.async_block_till_done()
    (call,) = sent
    assert call.data["message"] == (
        "12.3 kWh produced. Net cost -1.50 EUR."
        " Weakest panel: Behind the chimney, 0.40 kWh."
    )
    assert str(requests[0].data["date"]) == "2026-06-16"
