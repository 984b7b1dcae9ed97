"""The arrays of panels that the user defined in subentries."""

from typing import Any

from homeassistant.config_entries import ConfigEntry, ConfigSubentry

from ..const import CONF_AZIMUTH, CONF_PANELS, CONF_SYSTEM, CONF_TILT, SUBENTRY_ARRAY
from ..measurements.arrays import PanelArray


def arrays_of(entry: ConfigEntry[Any], system_id: int) -> list[PanelArray]:
    """Return the arrays of a system, by name."""
    arrays = [
        _array(subentry)
        for subentry in entry.subentries.values()
        if subentry.subentry_type == SUBENTRY_ARRAY
        and subentry.data[CONF_SYSTEM] == system_id
    ]
    return sorted(arrays, key=lambda each: (each.name, each.key))


def _array(subentry: ConfigSubentry) -> PanelArray:
    return PanelArray(
        key=subentry.subentry_id,
        name=subentry.title,
        members=frozenset(subentry.data[CONF_PANELS]),
        tilt=subentry.data.get(CONF_TILT),
        azimuth=subentry.data.get(CONF_AZIMUTH),
    )
