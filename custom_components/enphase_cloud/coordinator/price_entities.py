"""Reads hourly prices of energy from the statistics of entities."""

from collections.abc import Collection
from datetime import datetime
from functools import partial
from math import isfinite
from typing import Final

from homeassistant.components.recorder.statistics import get_metadata
from homeassistant.const import UnitOfEnergy
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance
from homeassistant.util import dt as dt_util
from homeassistant.util.unit_conversion import EnergyConverter

from ..money.costs import EntityPrices
from .recorded import async_recorded_hours

_MILLION: Final = 10**6
# The limit that forms have for prices, too.
_MOST: Final = 1e12
_CENTS: Final = frozenset(
    {"c", "ct", "cent", "cents", "¢", "p", "pence", "öre", "øre", "ore", "gr"}
)


async def async_entity_prices(
    hass: HomeAssistant, entities: Collection[str], start: datetime, end: datetime
) -> EntityPrices:
    """Return hourly mean prices of entities [millionths of the currency per kWh]."""
    if not entities:
        return {}
    found = await async_recorded_hours(hass, entities, start, end, columns=("mean",))
    metadata = await get_instance(hass).async_add_executor_job(
        partial(get_metadata, hass, statistic_ids=set(entities))
    )
    prices: dict[str, dict[datetime, int]] = {}
    for entity_id, rows in found.items():
        _, known = metadata.get(entity_id, (0, None))
        factor = price_factor(known and known["unit_of_measurement"])
        prices[entity_id] = {
            dt_util.utc_from_timestamp(row["start"]): round(price)
            for row in rows
            if (mean := row.get("mean")) is not None
            and isfinite(price := mean * factor)
            and abs(price) <= _MOST
        }
    return prices


def price_factor(unit: str | None) -> float:
    """Return the factor from a unit of price to millionths of the currency per kWh.

    An unknown unit counts as the currency per kWh.
    """
    money, _, energy = (unit or "").partition("/")
    factor = _MILLION / (100 if money.strip().lower() in _CENTS else 1)
    units = {
        str(each).lower(): each for each in EnergyConverter.VALID_UNITS if each
    } | {"mwh": UnitOfEnergy.MEGA_WATT_HOUR}
    if (per := units.get(energy.strip().lower())) is None:
        return factor
    return factor / EnergyConverter.convert(1, per, UnitOfEnergy.KILO_WATT_HOUR)
