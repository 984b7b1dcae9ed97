"""Keep the prices of tariffs when the user changes the id of their entity."""

from contextlib import suppress
from copy import replace

from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er

from .const import SUBENTRY_TARIFF
from .data import EnphaseCloudConfigEntry
from .money.tariff import Tariff, with_renamed_entity


@callback
def async_follow_price_entities(
    hass: HomeAssistant, entry: EnphaseCloudConfigEntry
) -> None:
    """Rename the entities of tariffs together with those of the entity registry.

    The recorder moves their statistics, so past costs stay as they are.
    """

    @callback
    def updated(event: Event[er.EventEntityRegistryUpdatedData]) -> None:
        data = event.data
        if data["action"] == "update" and "old_entity_id" in data:
            _rename(hass, entry, data["old_entity_id"], data["entity_id"])

    entry.async_on_unload(
        hass.bus.async_listen(er.EVENT_ENTITY_REGISTRY_UPDATED, updated)
    )


def _rename(
    hass: HomeAssistant, entry: EnphaseCloudConfigEntry, old_id: str, new_id: str
) -> None:
    for system in entry.runtime_data.systems:
        for direction, priced in tuple(system.store.priced.items()):
            stored = with_renamed_entity(priced.tariff.as_dict(), old_id, new_id)
            tariff = Tariff.from_dict(stored)
            system.store.set_priced(direction, replace(priced, tariff=tariff))
    for subentry in entry.subentries.values():
        if subentry.subentry_type == SUBENTRY_TARIFF:
            # What is damaged is reported where tariffs are read.
            with suppress(ValueError):
                data = with_renamed_entity(subentry.data, old_id, new_id)
                hass.config_entries.async_update_subentry(entry, subentry, data=data)
