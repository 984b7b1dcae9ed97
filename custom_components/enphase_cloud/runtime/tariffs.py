"""The tariffs that the user entered in subentries."""

import logging
from typing import Any

from homeassistant.config_entries import ConfigEntry

from ..const import SUBENTRY_TARIFF
from ..money.tariff import Direction, Tariff

_LOGGER = logging.getLogger(__name__)


def tariffs_of(entry: ConfigEntry[Any], system_id: int) -> dict[Direction, Tariff]:
    """Return the tariffs of a system; those that cannot be read are logged."""
    found: dict[Direction, Tariff] = {}
    for subentry in entry.subentries.values():
        if subentry.subentry_type != SUBENTRY_TARIFF:
            continue
        try:
            tariff = Tariff.from_dict(subentry.data)
        except ValueError:
            _LOGGER.warning("A tariff cannot be read, enter it again")
            continue
        if tariff.system != system_id:
            continue
        if tariff.damaged:
            _LOGGER.warning(
                "Prices of a tariff cannot be read: enter those of %s again",
                tariff.direction,
            )
        if tariff.versions:
            found.setdefault(tariff.direction, tariff)
    return found
