"""What an entry remembers of energies over a restart."""

from datetime import UTC, datetime, timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant

from custom_components.enphase_cloud.const import DOMAIN
from custom_components.enphase_cloud.memory import Memory, Refusal
from custom_components.enphase_cloud.site.catalog import Measurement
from custom_components.enphase_cloud.site.progress import Progress
from custom_components.enphase_cloud.site.samples import Sample, Source

NOW = datetime(2026, 6, 17, 12, tzinfo=UTC)
SOURCE = Source.IMPORT_INTERVALS


async def remembered(hass: HomeAssistant) -> Memory:
    """Return what a start finds."""
    memory = Memory(hass, "entry")
    await memory.async_load("terms")
    return memory


async def test_energies_are_remembered(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    """Also beside what an older or a newer version has written."""
    memory = await remembered(hass)
    progress = Progress(wish="day", updated_at=NOW)
    sample = Sample(12, NOW, SOURCE)
    memory.remember_samples(1, SOURCE, {Measurement.ENERGY_IMPORTED_LIFETIME: sample})
    memory.remember_progress(1, SOURCE, progress)
    await memory.async_save()
    stored = hass_storage[f"{DOMAIN}.entry"]["data"]["systems"]["1"]
    stored["progress"]["a source of tomorrow"] = {}
    # Version 0.1.0 kept hours here, too; the statistics have them.
    stored["meters"] = {"grid_import": {"total": 5}}

    memory = await remembered(hass)
    assert memory.progress(1, SOURCE) == progress
    assert memory.progress(2, SOURCE) == memory.progress(1, Source.SUMMARY)

    del stored["progress"], stored["meters"]
    memory = await remembered(hass)
    assert memory.progress(1, SOURCE) == Progress()
    assert memory.samples(1, SOURCE) == {Measurement.ENERGY_IMPORTED_LIFETIME: sample}


async def test_reasons_of_refusals_are_remembered(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    """Version 0.1.0 stored none: it took every refusal for one of the application."""
    memory = await remembered(hass)
    memory.remember_samples(1, SOURCE, {})
    memory.remember_refusal(1, Source.BATTERY, Refusal.FORBIDDEN)
    memory.remember_refusal(1, Source.LIVE, Refusal.NOT_ENTITLED)
    await memory.async_save()

    memory = await remembered(hass)
    assert memory.refusal(1, Source.BATTERY) is Refusal.FORBIDDEN
    assert memory.refusal(1, Source.LIVE) is Refusal.NOT_ENTITLED
    assert memory.refusal(1, Source.SUMMARY) is None

    stored = hass_storage[f"{DOMAIN}.entry"]["data"]["systems"]["1"]
    stored["refused"] = ["battery", "live"]
    memory = await remembered(hass)
    assert memory.refusal(1, Source.BATTERY) is Refusal.NOT_ENTITLED
    assert not memory.is_refused(1, Source.SUMMARY)


async def test_what_a_clock_that_was_ahead_dated_is_of_now(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    """Nothing restored keeps news out, or puts a burst of live data off."""
    ahead = NOW + timedelta(days=400)
    freezer.move_to(ahead)
    memory = await remembered(hass)
    sample = Sample("normal", ahead, Source.SUMMARY)
    memory.remember_samples(1, Source.SUMMARY, {Measurement.SYSTEM_STATUS: sample})
    memory.remember_live_start(1, ahead)
    await memory.async_save()

    freezer.move_to(NOW)
    memory = await remembered(hass)
    restored = memory.samples(1, Source.SUMMARY)[Measurement.SYSTEM_STATUS]
    assert restored == Sample("normal", NOW, Source.SUMMARY)
    assert memory.live_started_at(1) == NOW


async def test_what_is_no_memory_is_none(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    """Everything is asked for anew."""
    await (await remembered(hass)).async_save()
    hass_storage[f"{DOMAIN}.entry"]["data"]["systems"] = ["damaged"]
    memory = await remembered(hass)
    assert memory.progress(1, SOURCE) == Progress()
