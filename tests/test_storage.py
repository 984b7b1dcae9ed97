"""The state of imports and samples that an entry stores across a restart."""

from datetime import UTC, datetime, timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.enphase_cloud.const import DOMAIN
from custom_components.enphase_cloud.energy.import_progress import ImportProgress
from custom_components.enphase_cloud.measurements.catalog import Measurement, Source
from custom_components.enphase_cloud.measurements.samples import Sample
from custom_components.enphase_cloud.runtime.storage import EntryStore, Refusal

NOW = datetime(2026, 6, 17, 12, tzinfo=UTC)
SOURCE = Source.IMPORT_INTERVALS


async def restored(hass: HomeAssistant) -> EntryStore:
    """Return the store as a start loads it."""
    storage = EntryStore(hass, "entry")
    await storage.async_load("terms")
    return storage


async def test_progress_and_samples_are_restored(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    """Unknown data of an older or a newer version is ignored."""
    storage = await restored(hass)
    progress = ImportProgress(last_request="day", updated_at=NOW)
    sample = Sample(12, NOW, SOURCE)
    storage.system(1).board.put(SOURCE, {Measurement.ENERGY_IMPORTED_LIFETIME: sample})
    storage.system(1).set_progress(SOURCE, progress)
    await storage.async_save()
    stored = hass_storage[f"{DOMAIN}.entry"]["data"]["systems"]["1"]
    stored["progress"]["a source of tomorrow"] = {}
    # Version 0.1.0 also stored hours here; now they are only in the statistics.
    stored["meters"] = {"grid_import": {"total": 5}}

    storage = await restored(hass)
    assert storage.system(1).progress(SOURCE) == progress
    assert storage.system(2).progress(SOURCE) == storage.system(1).progress(
        Source.SUMMARY
    )

    del stored["progress"], stored["meters"]
    storage = await restored(hass)
    assert storage.system(1).progress(SOURCE) == ImportProgress()
    assert storage.system(1).board.samples(SOURCE) == {
        Measurement.ENERGY_IMPORTED_LIFETIME: sample
    }


async def test_reasons_of_refusals_are_restored(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    """Version 0.1.0 stored no reasons; it took all refusals as of the application."""
    storage = await restored(hass)
    storage.system(1).board.put(SOURCE, {})
    storage.system(1).refuse(Source.BATTERY, Refusal.FORBIDDEN)
    storage.system(1).refuse(Source.LIVE, Refusal.NOT_ENTITLED)
    await storage.async_save()

    storage = await restored(hass)
    assert storage.system(1).refusals.get(Source.BATTERY) is Refusal.FORBIDDEN
    assert storage.system(1).refusals.get(Source.LIVE) is Refusal.NOT_ENTITLED
    assert storage.system(1).refusals.get(Source.SUMMARY) is None

    old = hass_storage[f"{DOMAIN}.entry"]
    old["version"] = 1
    old["data"]["systems"]["1"] |= {"refused": ["battery", "live"], "samples": {}}
    storage = await restored(hass)
    assert storage.system(1).refusals.get(Source.BATTERY) is Refusal.NOT_ENTITLED
    assert Source.SUMMARY not in storage.system(1).refusals


async def test_stored_times_in_the_future_become_now(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    """Stored values do not block new ones, and do not delay a live session."""
    ahead = NOW + timedelta(days=400)
    freezer.move_to(ahead)
    storage = await restored(hass)
    sample = Sample("normal", ahead, Source.SUMMARY)
    storage.system(1).board.put(Source.SUMMARY, {Measurement.SYSTEM_STATUS: sample})
    storage.system(1).set_live_start(ahead)
    await storage.async_save()

    freezer.move_to(NOW)
    storage = await restored(hass)
    samples = storage.system(1).board.samples(Source.SUMMARY)[Measurement.SYSTEM_STATUS]
    assert samples == Sample("normal", NOW, Source.SUMMARY)
    assert storage.system(1).live_started_at == NOW


async def test_damaged_store_starts_empty(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    """All documents are requested again."""
    await (await restored(hass)).async_save()
    hass_storage[f"{DOMAIN}.entry"]["data"]["systems"] = ["damaged"]
    storage = await restored(hass)
    assert storage.system(1).progress(SOURCE) == ImportProgress()


async def test_damaged_system_of_version_0_1_0_is_skipped(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    """The other systems are restored."""
    await (await restored(hass)).async_save()
    old = hass_storage[f"{DOMAIN}.entry"]
    old["version"] = 1
    old["data"]["systems"] = {
        "1": {"samples": "damaged", "refused": 5},
        "2": "damaged",
        "3": {"samples": {}, "refused": ["battery"]},
    }
    storage = await restored(hass)
    assert not storage.system(1).refusals
    assert not storage.system(2).refusals
    assert storage.system(3).refusals == {Source.BATTERY: Refusal.NOT_ENTITLED}


async def test_newer_minor_version_is_restored(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    """A minor version only adds data."""
    storage = await restored(hass)
    sample = Sample("normal", NOW, Source.SUMMARY)
    storage.system(1).board.put(Source.SUMMARY, {Measurement.SYSTEM_STATUS: sample})
    await storage.async_save()
    hass_storage[f"{DOMAIN}.entry"]["minor_version"] = 2
    storage = await restored(hass)
    known = storage.system(1).board.samples(Source.SUMMARY)
    assert known == {Measurement.SYSTEM_STATUS: sample}


async def test_closed_store_writes_nothing(
    hass: HomeAssistant, hass_storage: dict[str, Any], freezer: FrozenDateTimeFactory
) -> None:
    """A late change must not replace what the next set-up has stored."""
    storage = await restored(hass)
    await storage.async_close()
    storage.system(1).refuse(Source.BATTERY, Refusal.FORBIDDEN)
    freezer.tick(timedelta(minutes=1))
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    assert hass_storage[f"{DOMAIN}.entry"]["data"]["systems"] == {}
