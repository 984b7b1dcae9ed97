"""A Home Assistant with a real recorder on an SQLite file."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import patch

from homeassistant.components.recorder.core import Recorder
from homeassistant.components.recorder.statistics import (
    StatisticsRow,
    statistics_during_period,
)
from homeassistant.components.recorder.tasks import RecorderTask, SynchronizeTask
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import async_initialize_recorder, get_instance
from homeassistant.setup import async_setup_component

from ..home_assistant import home_assistant

type Sums = dict[datetime, float]
"""The sum [Wh] at the end of each hour, by the start of the hour."""


@asynccontextmanager
async def recording(folder: Path) -> AsyncGenerator[HomeAssistant]:
    """Start Home Assistant with its recorder on a file in a folder."""
    async with home_assistant(folder) as hass:
        async_initialize_recorder(hass)
        # Otherwise it would compile statistics for days of this machine's clock.
        with patch.object(Recorder, "_schedule_compile_missing_statistics"):
            options = {
                "db_url": f"sqlite:///{folder}/home-assistant_v2.db",
                "auto_purge": False,
                "auto_repack": False,
            }
            assert await async_setup_component(hass, "recorder", {"recorder": options})
            assert await async_setup_component(hass, "sensor", {})
            await hass.async_block_till_done()
            await written(hass)
        yield hass


async def written(hass: HomeAssistant, *tasks: RecorderTask) -> None:
    """Queue tasks, and wait until the recorder has done all its work."""
    done = hass.loop.create_future()
    for task in (*tasks, SynchronizeTask(done)):
        get_instance(hass).queue_task(task)
    await done


async def sums[KeyT](
    hass: HomeAssistant, statistic_ids: Mapping[KeyT, str], since: datetime
) -> dict[KeyT, Sums]:
    """Return the sums of statistics from a time on, as the dashboard reads them."""
    found: dict[str, list[StatisticsRow]] = await get_instance(
        hass
    ).async_add_executor_job(
        statistics_during_period,
        hass,
        since,
        None,
        {*statistic_ids.values()},
        "hour",
        {"energy": "Wh"},
        {"sum"},
    )
    return {
        key: {
            # The database has kWh.
            datetime.fromtimestamp(row["start"], UTC): round(row["sum"] or 0.0, 6)
            for row in found.get(statistic_id, [])
        }
        for key, statistic_id in statistic_ids.items()
    }
