"""Titles and ids of tariffs, and the tariffs with one price that set-up creates."""

from collections.abc import Iterable, Mapping
from typing import Any

from homeassistant.config_entries import ConfigSubentryData
from homeassistant.const import CONF_ID, CONF_NAME
from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations

from ..const import CONF_SYSTEM, DOMAIN, SUBENTRY_TARIFF
from ..money.tariff import Direction, PriceKind, Tariff
from .tariff_forms import (
    CONF_DIRECTION,
    CONF_KIND,
    CONF_PRICE,
    CONF_VERSIONS,
    stored_prices,
)


async def async_choice_names(hass: HomeAssistant) -> dict[str, str]:
    """Return the translated names of choices by keys such as "month.1"."""
    found = await async_get_translations(
        hass, hass.config.language, "selector", [DOMAIN]
    )
    start = f"component.{DOMAIN}.selector."
    return {
        key.removeprefix(start).replace(".options.", "."): name
        for key, name in found.items()
    }


async def async_title(hass: HomeAssistant, system: str, direction: str) -> str:
    """Return the title of a tariff of a system."""
    names = await async_choice_names(hass)
    return f"{system}: {names.get(f'{CONF_DIRECTION}.{direction}', direction)}"


def unique_id_of(tariff: Mapping[str, Any]) -> str:
    """Return the unique id of a tariff: one per system and direction."""
    return f"{tariff[CONF_SYSTEM]}_{tariff[CONF_DIRECTION]}"


async def async_import_tariffs(
    hass: HomeAssistant, systems: Iterable[Mapping[str, Any]], price: float
) -> list[ConfigSubentryData]:
    """Return a tariff for each system with one price per kWh from the grid."""
    prices = stored_prices({CONF_PRICE: price}, {}) | {CONF_KIND: PriceKind.FIXED}
    tariffs = []
    for system in systems:
        tariff = {
            CONF_SYSTEM: system[CONF_ID],
            CONF_DIRECTION: Direction.IMPORT,
            CONF_VERSIONS: [prices],
        }
        tariffs.append(
            ConfigSubentryData(
                data=Tariff.from_dict(tariff).as_dict(),
                subentry_type=SUBENTRY_TARIFF,
                title=await async_title(hass, system[CONF_NAME], Direction.IMPORT),
                unique_id=unique_id_of(tariff),
            )
        )
    return tariffs
