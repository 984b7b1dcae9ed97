"""Energy as CSV: true, complete, and written only where Home Assistant allows it."""

import csv
from datetime import UTC, date, datetime, timedelta
import io
from pathlib import Path
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder.models import (
    StatisticData,
    StatisticMeanType,
    StatisticMetaData,
)
from homeassistant.components.recorder.statistics import async_add_external_statistics
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import (
    HomeAssistantError,
    ServiceValidationError,
    Unauthorized,
)
import pytest
from pytest_homeassistant_custom_component.common import MockUser
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
from simulator import Flow as True_

from .conftest import SetUp, World
from .energy_helpers import FLOWS, advance
from .helpers import HILLTOP, system_devices

pytestmark = pytest.mark.usefixtures("recorder_mock")

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = timedelta(hours=1)
NOW = datetime(2026, 6, 17, 12, 3, tzinfo=UTC)
COLUMNS = ["start", "end", *(f"{flow}_kwh" for flow in FLOWS)]
YESTERDAY = {"from": "2026-06-16", "resolution": "hour"}


@pytest.fixture
def now() -> datetime:
    """Return when a test begins; parametrize to choose another time."""
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
def folder(hass: HomeAssistant, tmp_path: Path) -> Path:
    """Return a folder that Home Assistant may write to."""
    hass.config.config_dir = str(tmp_path)
    folder = tmp_path / "www"
    folder.mkdir()
    hass.config.allowlist_external_dirs = {str(folder)}
    return folder


@pytest.fixture
async def imported(
    hass: HomeAssistant, world: World, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    """Set up the system, and import the last week and all days."""
    await set_up(options={CONF_ENERGY_UPDATES: 1, CONF_HISTORY: "day"})
    await advance(hass, freezer, timedelta(minutes=30), step=timedelta(minutes=2))
    world.cloud.requests.clear()


async def _record(
    hass: HomeAssistant, world: World, key: str, unit: str, sums: list[float]
) -> None:
    """Record the sums of the first hours of yesterday."""
    start = system_day(date(2026, 6, 16), BERLIN).start
    async_add_external_statistics(
        hass,
        StatisticMetaData(
            mean_type=StatisticMeanType.NONE,
            has_sum=True,
            name=key,
            source=DOMAIN,
            statistic_id=statistic_id(world.system.system_id, key),
            unit_class="energy" if unit == "Wh" else None,
            unit_of_measurement=unit,
        ),
        [
            StatisticData(start=start + number * HOUR, sum=total)
            for number, total in enumerate(sums)
        ],
    )
    await async_wait_recording_done(hass)


@pytest.fixture
async def hours(hass: HomeAssistant, world: World, set_up: SetUp) -> int:
    """Return how many hours of yesterday are recorded."""
    await set_up(options={CONF_ENERGY_UPDATES: 0})
    await _record(hass, world, "production", "Wh", [250, 1_000, 1_001])
    return 3


def names(folder: Path) -> list[str]:
    """Return the names of the files in a folder."""
    return sorted(path.name for path in folder.iterdir())


async def _export(
    hass: HomeAssistant,
    *,
    user_id: str | None = None,
    everything: bool = False,
    **data: Any,
) -> dict[str, Any]:
    """Return the response of the action for the system."""
    entry = hass.config_entries.async_entries(DOMAIN)[0]
    target = {} if everything else {"device_id": system_devices(hass, entry)[0].id}
    response = await hass.services.async_call(
        DOMAIN,
        "export_energy",
        target | data,
        blocking=True,
        return_response=True,
        context=Context(user_id=user_id),
    )
    assert isinstance(response, dict)
    exported: Any = response[HILLTOP]
    assert exported.pop("name") == "Hilltop"
    return exported  # type: ignore[no-any-return]


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def _assert_true(world: World, row: dict[str, str]) -> None:
    """Compare a row with the simulator's true energy of its time."""
    start, end = (datetime.fromisoformat(row[name]) for name in ("start", "end"))
    real = world.cloud.truth(world.system.system_id)
    for flow, name in FLOWS.items():
        energy = real.energy(True_(name), start, end)
        assert row[f"{flow}_kwh"] == f"{energy / 1_000:.3f}", (row, flow)


async def test_hourly_export_is_true_and_makes_no_call(
    hass: HomeAssistant, world: World, imported: None
) -> None:
    """Each hour has its UTC offset; the default last day is yesterday."""
    response = await _export(hass, **YESTERDAY)
    rows = _rows(response["csv"])
    assert len(rows) == response["rows"] == 24
    assert list(rows[0]) == COLUMNS
    assert rows[0]["start"] == "2026-06-16T00:00:00+02:00"
    assert rows[-1]["end"] == "2026-06-17T00:00:00+02:00"
    for row in rows:
        _assert_true(world, row)
    assert world.cloud.requests == []


@pytest.mark.parametrize(
    ("now", "day", "hours", "offsets"),
    [
        (datetime(2026, 3, 30, 12, tzinfo=UTC), "2026-03-29", 23, ("+01", "+02")),
        (datetime(2026, 10, 26, 12, tzinfo=UTC), "2026-10-25", 25, ("+02", "+01")),
    ],
)
@pytest.mark.long
async def test_day_of_a_clock_change_has_each_hour_once(
    hass: HomeAssistant,
    world: World,
    imported: None,
    day: str,
    hours: int,
    offsets: tuple[str, str],
) -> None:
    """The UTC offset distinguishes the repeated hour."""
    days = {"from": day, "to": day}
    rows = _rows((await _export(hass, resolution="hour", **days))["csv"])
    assert len({row["start"] for row in rows}) == len(rows) == hours
    assert rows[0]["start"] == f"{day}T00:00:00{offsets[0]}:00"
    assert rows[-1]["end"].endswith(f"T00:00:00{offsets[1]}:00")
    for row in rows:
        _assert_true(world, row)
    (row,) = _rows((await _export(hass, resolution="day", **days))["csv"])
    _assert_true(world, row)


async def test_months_are_cut_to_the_requested_days(
    hass: HomeAssistant, world: World, imported: None
) -> None:
    """A partial month begins or ends with the range."""
    span = {"from": "2026-04-20", "to": "2026-06-10"}
    rows = _rows((await _export(hass, resolution="day", **span))["csv"])
    assert len(rows) == 52
    for row in rows[::10]:
        _assert_true(world, row)
    months = _rows((await _export(hass, resolution="month", **span))["csv"])
    assert [(row["start"][:10], row["end"][:10]) for row in months] == [
        ("2026-04-20", "2026-05-01"),
        ("2026-05-01", "2026-06-01"),
        ("2026-06-01", "2026-06-11"),
    ]
    for row in months:
        _assert_true(world, row)


async def test_day_without_hourly_data_is_one_row(
    hass: HomeAssistant, world: World, imported: None
) -> None:
    """Only its total energy is recorded."""
    rows = _rows(
        (await _export(hass, resolution="hour", **{"from": "2026-05-01"}))["csv"]
    )
    first, last = rows[0], rows[-1]
    assert first["start"] == "2026-05-01T00:00:00+02:00"
    assert first["end"] == "2026-05-02T00:00:00+02:00"
    assert last["start"] == "2026-06-16T23:00:00+02:00"
    for row in (first, last):
        _assert_true(world, row)


async def test_recorded_costs_have_a_column(
    hass: HomeAssistant, world: World, hours: int
) -> None:
    """In the currency of Home Assistant; unknown values are empty."""
    hass.config.currency = "CHF"
    await _record(hass, world, "grid_import_cost", "CHF", [0.1234, 0.1, 1.1, 1.09999])
    rows = _rows((await _export(hass, **YESTERDAY))["csv"])
    assert list(rows[0]) == [*COLUMNS, "grid_import_cost_chf"]
    costs = [row["grid_import_cost_chf"] for row in rows]
    assert costs == ["0.1234", "-0.0234", "1.0000", "0.0000"]
    produced = [row["production_kwh"] for row in rows]
    assert produced == ["0.250", "0.750", "0.001", ""]


async def test_range_without_energy_has_only_a_header(
    hass: HomeAssistant, hours: int
) -> None:
    """It is not an error."""
    span = {"from": "2025-01-01", "to": "2025-01-31"}
    response = await _export(hass, resolution="day", **span)
    assert response == {"rows": 0, "csv": ",".join(COLUMNS) + "\n"}


async def test_long_response_is_refused(
    hass: HomeAssistant, hours: int, folder: Path
) -> None:
    """The error suggests a file, which has no limit."""
    with patch("custom_components.enphase_cloud.actions.export.MOST_ROWS", 2):
        with pytest.raises(ServiceValidationError) as raised:
            await _export(hass, **YESTERDAY)
        assert raised.value.translation_key == "export_too_long"
        assert raised.value.translation_placeholders == {"rows": "3", "limit": "2"}
        assert (await _export(hass, filename="www/a.csv", **YESTERDAY))["rows"] == hours


# Files


@pytest.mark.parametrize("is_absolute", [True, False])
async def test_export_to_a_file_equals_the_response(
    hass: HomeAssistant, hours: int, folder: Path, *, is_absolute: bool
) -> None:
    """A relative path starts at the configuration folder."""
    text = (await _export(hass, **YESTERDAY))["csv"]
    filename = str(folder / "energy.csv") if is_absolute else "www/energy.csv"
    response = await _export(hass, filename=filename, **YESTERDAY)
    assert response == {"rows": hours, "filename": str(folder / "energy.csv")}
    assert (folder / "energy.csv").read_text(encoding="utf-8") == text
    assert names(folder) == ["energy.csv"]


async def test_file_is_overwritten_only_with_the_option(
    hass: HomeAssistant, hours: int, folder: Path
) -> None:
    """Without the option, an existing file raises an error."""
    file = folder / "energy.csv"
    file.write_text("mine")
    with pytest.raises(ServiceValidationError) as raised:
        await _export(hass, filename=str(file), **YESTERDAY)
    assert raised.value.translation_key == "export_exists"
    assert file.read_text() == "mine"
    await _export(hass, filename=str(file), overwrite=True, **YESTERDAY)
    assert file.read_text().startswith("start,end,")
    assert names(folder) == ["energy.csv"]


@pytest.mark.parametrize(
    "filename",
    [
        "energy.csv",
        "/energy.csv",
        "www/../secrets.csv",
        "www/energy.txt",
        "www/energy",
        "www/.csv/",
        "www/none/energy.csv",
        "www/link/energy.csv",
        "www/link.csv",
        "www/nul\0.csv",
        "www/" + 300 * "a" + ".csv",
        "",
    ],
)
async def test_file_outside_of_allowed_folders_is_refused(
    hass: HomeAssistant, hours: int, folder: Path, filename: str
) -> None:
    """Also through links, and with names that are no CSV files."""
    outside = folder.parent / "outside"
    outside.mkdir()
    (folder / "link").symlink_to(outside)
    (folder / "link.csv").symlink_to(outside / "energy.csv")
    with pytest.raises(HomeAssistantError) as raised:
        await _export(hass, filename=filename, overwrite=True, **YESTERDAY)
    assert raised.value.translation_key in ("export_not_allowed", "export_failed")
    assert names(outside) == []
    assert names(folder) == ["link", "link.csv"]


@pytest.mark.parametrize("overwrite", [True, False])
async def test_failed_write_leaves_no_partial_file(
    hass: HomeAssistant, hours: int, folder: Path, *, overwrite: bool
) -> None:
    """After a full disk, the earlier file is unchanged."""
    file = folder / "energy.csv"
    if overwrite:
        file.write_text("mine")
    with (
        patch("atomicwrites.os.fsync", side_effect=OSError("No space left")),
        patch("os.fchmod", side_effect=OSError("No space left")),
        pytest.raises(HomeAssistantError) as raised,
    ):
        await _export(hass, filename=str(file), overwrite=overwrite, **YESTERDAY)
    assert raised.value.translation_key == "export_failed"
    assert names(folder) == ["energy.csv"] * overwrite
    assert not overwrite or file.read_text() == "mine"


async def test_export_of_several_systems_to_a_file_is_refused(
    hass: HomeAssistant, world: World, set_up: SetUp, folder: Path
) -> None:
    """Only a response can have several systems, by their ids."""
    world.add_system(name="Barn")
    await set_up()
    assert (await _export(hass, everything=True, **YESTERDAY))["rows"] == 0
    with pytest.raises(ServiceValidationError) as raised:
        await _export(hass, filename="www/a.csv", everything=True, **YESTERDAY)
    assert raised.value.translation_key == "export_of_one_system"
    assert names(folder) == []


async def test_user_with_read_permission_gets_a_response_but_no_file(
    hass: HomeAssistant, set_up: SetUp, folder: Path, hass_read_only_user: MockUser
) -> None:
    """A file requires the permission to control."""
    await set_up()
    user_id = hass_read_only_user.id
    assert "csv" in await _export(hass, user_id=user_id, **YESTERDAY)
    with pytest.raises(Unauthorized):
        await _export(hass, user_id=user_id, filename="www/a.csv", **YESTERDAY)
    assert names(folder) == []


async def test_empty_or_absurd_range_is_refused(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    """With the errors of a history import."""
    await set_up()
    with pytest.raises(ServiceValidationError) as raised:
        await _export(hass, to="2026-06-15", **YESTERDAY)
    assert raised.value.translation_key == "history_range_empty"
    for days in ({"from": "0001-01-01"}, {"from": "2026-06-01", "to": "9999-12-31"}):
        with pytest.raises(vol.Invalid):
            await _export(hass, resolution="day", **days)
