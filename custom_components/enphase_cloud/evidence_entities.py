"""Adds entities as soon as there is evidence of what they show."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from homeassistant.core import callback
from homeassistant.helpers.entity import Entity, EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .data import EnphaseCloudConfigEntry, EnphaseSystem
from .measurements.system import SYSTEM, Device, DeviceKind


@callback
def add_as_evidence_comes[DescriptionT: EntityDescription](
    entry: EnphaseCloudConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    table: Mapping[DeviceKind, Iterable[DescriptionT]],
    *,
    has_evidence: Callable[[EnphaseSystem, DescriptionT, Device], bool],
    create: Callable[[EnphaseSystem, DescriptionT, Device], Entity],
) -> None:
    """Add each entity of a table, by kind of device, once: now or after an answer."""
    added: set[tuple[int, Device, str]] = set()

    @callback
    def add_new(system: EnphaseSystem) -> None:
        board, system_id = system.board, system.info.system_id
        new = {
            (system_id, device, description.key): (system, description, device)
            for device in {SYSTEM, *board.devices(), *board.inventory}
            for description in table.get(device.kind, ())
            if (system_id, device, description.key) not in added
            and has_evidence(system, description, device)
        }
        added.update(new)
        if new:
            async_add_entities(create(*each) for each in new.values())

    for system in entry.runtime_data.systems:
        add = partial(add_new, system)
        for coordinator in system.coordinators:
            entry.async_on_unload(coordinator.async_add_listener(add))
        add()
