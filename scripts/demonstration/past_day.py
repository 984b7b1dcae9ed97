"""The power of the past day in the recorder, as if Home Assistant had run then."""

import asyncio
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
import sqlite3
from typing import Final

from .cloud import Cloud
from .system import POWER, System

# How often Enphase publishes power.
_STEP: Final = timedelta(minutes=15)
_DAY: Final = timedelta(days=1)
_KILO: Final = 1000
_LOCKED_SECONDS: Final = 30
# The new rows have the attributes of the entity's first state.
_INSERT: Final = """
    INSERT INTO states (metadata_id, state, last_updated_ts, attributes_id, origin_idx)
    SELECT states.metadata_id, ?, ?, attributes_id, 0
    FROM states JOIN states_meta USING (metadata_id)
    WHERE states_meta.entity_id = ? AND attributes_id IS NOT NULL LIMIT 1
"""

type _Rows = list[tuple[str, float, str]]


async def record_past_day(folder: Path, cloud: Cloud, system: System) -> None:
    """Write a system's true power of the day before now into the recorder."""
    entities = {
        entity["entity_id"]: POWER[key]
        for key, entity in (await system.entities()).items()
        if key in POWER
    }
    now = datetime.now(UTC)
    rows: _Rows = []
    for steps in range(1, _DAY // _STEP + 1):
        at = now - steps * _STEP
        query = {"system_id": system.system_id, "at": at.isoformat()}
        power: Mapping[str, float] = (await cloud.get("truth", **query))["power_w"]
        rows += [
            (f"{power[name] / _KILO:.3f}", at.timestamp(), entity_id)
            for entity_id, name in entities.items()
        ]
    await asyncio.to_thread(_insert, folder / "home-assistant_v2.db", rows)


def _insert(database: Path, rows: _Rows) -> None:
    opened = closing(sqlite3.connect(database, timeout=_LOCKED_SECONDS))
    with opened as connection, connection:
        connection.executemany(_INSERT, rows)
