"""What an entry remembers of energies over a restart."""

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


async def remembered(hass: HomeAssistant) -> EntryStore:
    """Return what a start finds."""
    storage = EntryStore(hass, "entry")
    await storage.async_load("terms")
    return storage


async def test_energies_are_remembered(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    """Also beside what an older or a newer version has written."""
    storage = await remembered(hass)
    progress = ImportProgress(last_request="day", updated_at=NOW)
    sample = Sample(12, NOW, SOURCE)
    storage.system(1).board.put(SOURCE, {Measurement.ENERGY_IMPORTED_LIFETIME: sample})
    storage.system(1).set_progress(SOURCE, progress)
    await storage.async_save()
    stored = hass_storage[f"{DOMAIN}.entry"]["data"]["systems"]["1"]
    stored["progress"]["a source of tomorrow"] = {}
    # Version 0.1.0 kept hours here, too; the statistics have them.
    stored["meters"] = {"grid_import": {"total": 5}}

    storage = await remembered(hass)
    assert storage.system(1).progress(SOURCE) == progress
    assert storage.system(2).progress(SOURCE) == storage.system(1).progress(
        Source.SUMMARY
    )

    del stored["progress"], stored["meters"]
    storage = await remembered(hass)
    assert storage.system(1).progress(SOURCE) == ImportProgress()
    assert storage.system(1).board.samples(SOURCE) == {
        Measurement.ENERGY_IMPORTED_LIFETIME: sample
    }


async def test_reasons_of_refusals_are_remembered(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    """Version 0.1.0 stored none: it took every refusal for one of the application."""
    storage = await remembered(hass)
    storage.system(1).board.put(SOURCE, {})
    storage.system(1).refuse(Source.BATTERY, Refusal.FORBIDDEN)
    storage.system(1).refuse(Source.LIVE, Refusal.NOT_ENTITLED)
    await storage.async_save()

    storage = await remembered(hass)
    assert storage.system(1).refusals.get(Source.BATTERY) is Refusal.FORBIDDEN
    assert storage.system(1).refusals.get(Source.LIVE) is Refusal.NOT_ENTITLED
    assert storage.system(1).refusals.get(Source.SUMMARY) is None

    old = hass_storage[f"{DOMAIN}.entry"]
    old["version"] = 1
    old["data"]["systems"]["1"] |= {"refused": ["battery", "live"], "samples": {}}
    storage = await remembered(hass)
    assert storage.system(1).refusals.get(Source.BATTERY) is Refusal.NOT_ENTITLED
    assert Source.SUMMARY not in storage.system(1).refusals


async def test_what_a_clock_that_was_ahead_dated_is_of_now(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    """Nothing restored keeps news out, or puts a burst of live data off."""
    ahead = NOW + timedelta(days=400)
    freezer.move_to(ahead)
    storage = await remembered(hass)
    sample = Sample("normal", ahead, Source.SUMMARY)
    storage.system(1).board.put(Source.SUMMARY, {Measurement.SYSTEM_STATUS: sample})
    storage.system(1).set_live_start(ahead)
    await storage.async_save()

    freezer.move_to(NOW)
    storage = await remembered(hass)
    restored = storage.system(1).board.samples(Source.SUMMARY)[
        Measurement.SYSTEM_STATUS
    ]
    assert restored == Sample("normal", NOW, Source.SUMMARY)
    assert storage.system(1).live_started_at == NOW


async def test_what_is_no_memory_is_none(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    """Everything is asked for anew."""
    await (await remembered(hass)).async_save()
    hass_storage[f"{DOMAIN}.entry"]["data"]["systems"] = ["damaged"]
    storage = await remembered(hass)
    assert storage.system(1).progress(SOURCE) == ImportProgress()


async def test_what_version_0_1_0_damaged_is_left_out(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    """The systems beside it are read."""
    await (await remembered(hass)).async_save()
    old = hass_storage[f"{DOMAIN}.entry"]
    old["version"] = 1
    old["data"]["systems"] = {
        "1": {"samples": "damaged", "refused": 5},
        "2": "damaged",
        "3": {"samples": {}, "refused": ["battery"]},
    }
    storage = await remembered(hass)
    assert not storage.system(1).refusals
    assert not storage.system(2).refusals
    assert storage.system(3).refusals == {Source.BATTERY: Refusal.NOT_ENTITLED}


async def test_a_newer_minor_version_is_read_as_it_is(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    """It has the shape of this one, and more."""
    storage = await remembered(hass)
    sample = Sample("normal", NOW, Source.SUMMARY)
    storage.system(1).board.put(Source.SUMMARY, {Measurement.SYSTEM_STATUS: sample})
    await storage.async_save()
    hass_storage[f"{DOMAIN}.entry"]["minor_version"] = 2
    storage = await remembered(hass)
    known = storage.system(1).board.samples(Source.SUMMARY)
    assert known == {Measurement.SYSTEM_STATUS: sample}


async def test_a_store_that_was_closed_writes_nothing_more(
    hass: HomeAssistant, hass_storage: dict[str, Any], freezer: FrozenDateTimeFactory
) -> None:
    """What ends late must not take the place of what the next set-up has stored."""
    storage = await remembered(hass)
    await storage.async_close()
    storage.system(1).refuse(Source.BATTERY, Refusal.FORBIDDEN)
    freezer.tick(timedelta(minutes=1))
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    assert hass_storage[f"{DOMAIN}.entry"]["data"]["systems"] == {}
