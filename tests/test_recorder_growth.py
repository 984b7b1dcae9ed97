"""How much the recorder keeps permanently of the entities enabled by default."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder.models import StatisticMeanType
from homeassistant.components.recorder.statistics import async_import_statistics
from homeassistant.components.recorder.tasks import SynchronizeTask
from homeassistant.components.sensor import ATTR_STATE_CLASS
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance
import pytest
from sqlalchemy import text

from custom_components.enphase_cloud.measurements.catalog import Flow

from .conftest import SetUp, World
from .helpers import pass_time

PANELS: Final = 20
HOURS: Final = 8_760
MOST_MB: Final = 20


@pytest.fixture
def recorder_db_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/home-assistant_v2.db"


@pytest.fixture
def system_properties() -> dict[str, Any]:
    return {"name": "Barn", "size_w": PANELS * 425, "battery": 2}


async def _size(hass: HomeAssistant, folder: Path) -> int:
    """Return the size of the database after all writes and a vacuum [bytes]."""
    recorder = get_instance(hass)
    done = hass.loop.create_future()
    recorder.queue_task(SynchronizeTask(done))
    await done

    def tidied() -> int:
        assert recorder.engine is not None
        with recorder.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT")
            connection.execute(text("VACUUM"))
            connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
        return (folder / "home-assistant_v2.db").stat().st_size

    return await recorder.async_add_executor_job(tidied)


def _year_of_a_sensor(hass: HomeAssistant) -> None:
    """Record the statistics of an energy sensor in a year."""
    start = datetime(2025, 1, 1, tzinfo=UTC)
    rows: list[Any] = [
        {
            "start": start + timedelta(hours=hour),
            "state": 1.234 * hour,
            "sum": 1.234 * hour,
            "last_reset": start,
        }
        for hour in range(HOURS)
    ]
    metadata: Any = {
        "source": "recorder",
        "statistic_id": "sensor.one_of_them",
        "name": None,
        "unit_of_measurement": "kWh",
        "unit_class": "energy",
        "has_sum": True,
        "mean_type": StatisticMeanType.NONE,
    }
    async_import_statistics(hass, metadata, rows)


@pytest.mark.thorough
@pytest.mark.parametrize("plan", ["watt"])
@pytest.mark.long
async def test_year_of_twenty_panels_is_small(
    recorder_mock: None,
    hass: HomeAssistant,
    world: World,
    set_up: SetUp,
    freezer: FrozenDateTimeFactory,
    tmp_path: Path,
) -> None:
    """States expire; statistics of sensors and of energy stay, one row an hour each."""
    freezer.move_to("2026-06-21 10:07:00+00:00")
    await set_up(options={"groups": ["devices", "panels", "alarms"]})
    await pass_time(hass, freezer, timedelta(days=2), step=timedelta(hours=1))
    problems = [
        each for each in hass.states.async_entity_ids() if each.endswith("_problem")
    ]
    assert len(problems) == PANELS + 1
    kept = [
        each
        for each in hass.states.async_all("sensor")
        if ATTR_STATE_CLASS in each.attributes
    ]
    assert len(kept) > len(Flow)
    before = await _size(hass, tmp_path)
    _year_of_a_sensor(hass)
    year_mb = (await _size(hass, tmp_path) - before) / 10**6
    assert year_mb > 0.1
    assert year_mb * (len(kept) + len(Flow)) < MOST_MB, (year_mb, len(kept))
