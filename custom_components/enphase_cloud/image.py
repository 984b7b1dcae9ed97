"""Images of Enphase Cloud: the map of the panels."""

from datetime import datetime
from typing import override

from homeassistant.components.image import ImageEntity, ImageEntityDescription
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .adding_entities import async_add_as_evidence_comes
from .api.models import DeviceStatus
from .data import EnphaseCloudConfigEntry, EnphaseSystem
from .entity import EnphaseSystemEntity
from .measurements.arrays import array_of
from .measurements.catalog import Measurement
from .measurements.panel_history import PanelState
from .measurements.samples import Samples
from .measurements.system import Device, DeviceKind
from .panel_map import Panel, panel_map

PARALLEL_UPDATES = 0

PANELS = ImageEntityDescription(key="panels", translation_key="panels")
# Serial numbers within a system differ in their last digits.
_SHOWN_DIGITS = 4


async def async_setup_entry(
    hass: HomeAssistant,
    entry: EnphaseCloudConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add a map for each system once its panels are known."""
    await async_add_as_evidence_comes(
        entry,
        async_add_entities,
        {DeviceKind.SYSTEM: (PANELS,)},
        has_evidence=lambda system, *_: _has_panels(system),
        create=lambda system, *_: PanelMapImage(hass, entry, system),
    )


class PanelMapImage(EnphaseSystemEntity, ImageEntity):
    """Show the energy of each panel yesterday; at first, its lifetime energy."""

    _attr_content_type = "image/svg+xml"

    def __init__(
        self, hass: HomeAssistant, entry: EnphaseCloudConfigEntry, system: EnphaseSystem
    ) -> None:
        """Show the panels of a system."""
        EnphaseSystemEntity.__init__(self, entry, system, PANELS)
        ImageEntity.__init__(self, hass)

    @override
    def read(self) -> object:
        self._attr_image_last_updated = _reported_at(self._system)
        return self._attr_image_last_updated

    @override
    async def async_image(self) -> bytes:
        """Return the map."""
        yesterday = _panels(self._system, Measurement.PANEL_ENERGY_YESTERDAY)
        if any(panel.energy is not None for panel in yesterday):
            return panel_map(yesterday).encode()
        # Yesterday takes two mornings; lifetime energy shows shade and faults, too.
        lifetime = _panels(self._system, Measurement.PANEL_ENERGY_LIFETIME)
        return panel_map(lifetime).encode()


def _has_panels(system: EnphaseSystem) -> bool:
    return any(each.kind is DeviceKind.INVERTER for each in system.board.devices())


def _panels(system: EnphaseSystem, energy: Measurement) -> list[Panel]:
    """Return the panels by array and serial number; those without an array last."""
    board = system.board
    found = [
        _panel(system, device, energy)
        for device in sorted(board.devices(), key=lambda each: each.identifier)
        if device.kind is DeviceKind.INVERTER
    ]
    return sorted(found, key=lambda each: (each.array is None, each.array))


def _panel(system: EnphaseSystem, device: Device, energy: Measurement) -> Panel:
    known, array = system.board.newest(device), array_of(system.arrays, device)
    sample = known.get(energy)
    return Panel(
        device.identifier[-_SHOWN_DIGITS:],
        None if sample is None else float(sample.value),
        None if array is None else array.name,
        _has_problem(known),
        is_total=energy is Measurement.PANEL_ENERGY_LIFETIME,
    )


def _has_problem(known: Samples) -> bool:
    status = known.get(Measurement.DEVICE_STATUS)
    state = known.get(Measurement.PANEL_STATE)
    is_reported = status is not None and DeviceStatus(str(status.value)).is_problem
    return bool(is_reported) or (state is not None and state.value != PanelState.SOUND)


def _reported_at(system: EnphaseSystem) -> datetime | None:
    """Return when the cloud reported the energy; restarts keep that time."""
    reporting = system.board.newest().get(Measurement.PANELS_REPORTING)
    return None if reporting is None else reporting.observed_at
