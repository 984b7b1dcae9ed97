"""Adds entities in batches, once the cloud has reported their values."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import batched
from typing import Final

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import callback
from homeassistant.helpers.entity import Entity, EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .data import EnphaseCloudConfigEntry, EnphaseSystem
from .entity import EnphaseCloudEntity
from .measurements.system import SYSTEM, Device, DeviceKind

# Home Assistant adds all entities of a call without a pause. Let other tasks run
# between batches: a system can have thousands of panels.
_BATCH: Final = 10
# An unloaded platform accepts entities and keeps them; they would block those of the
# next set-up.
_OPEN: Final = {ConfigEntryState.SETUP_IN_PROGRESS, ConfigEntryState.LOADED}


async def async_add_in_batches(
    async_add_entities: Callable[[Iterable[Entity]], None], entities: Iterable[Entity]
) -> None:
    """Add many entities in batches."""
    for batch in batched(entities, _BATCH, strict=False):
        async_add_entities(batch)
        await asyncio.sleep(0)


async def async_add_as_evidence_comes[DescriptionT: EntityDescription](
    entry: EnphaseCloudConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    table: Mapping[DeviceKind, Iterable[DescriptionT]],
    *,
    has_evidence: Callable[[EnphaseSystem, DescriptionT, Device], bool],
    create: Callable[[EnphaseSystem, DescriptionT, Device], EnphaseCloudEntity],
) -> None:
    """Add each entity of a table, by kind of device, once: now or after a response."""
    for system in entry.runtime_data.systems:
        adder = _Adder(
            entry=entry,
            system=system,
            async_add_entities=async_add_entities,
            table=table,
            has_evidence=has_evidence,
            create=create,
        )
        await adder.async_begin()


@dataclass(slots=True, kw_only=True, eq=False)
class _Adder[DescriptionT: EntityDescription]:
    """Adds entities of a system and of its devices."""

    entry: EnphaseCloudConfigEntry
    system: EnphaseSystem
    async_add_entities: AddConfigEntryEntitiesCallback
    table: Mapping[DeviceKind, Iterable[DescriptionT]]
    has_evidence: Callable[[EnphaseSystem, DescriptionT, Device], bool]
    create: Callable[[EnphaseSystem, DescriptionT, Device], EnphaseCloudEntity]
    _added: set[tuple[Device, str]] = field(default_factory=set)
    _seen: tuple[int, int] | None = None

    async def async_begin(self) -> None:
        """Add the entities now, and new ones while the entry is loaded."""
        system, on_unload = self.system, self.entry.async_on_unload
        for coordinator in system.coordinators:
            on_unload(coordinator.async_add_listener(self._add_new))
        on_unload(system.async_on_new_devices(self._add_new))
        await async_add_in_batches(self._add, self._created(self._new()))

    @callback
    def _add(self, entities: Iterable[Entity]) -> None:
        if self.entry.state in _OPEN:
            self.async_add_entities(entities)

    @callback
    def _add_new(self) -> None:
        new = self._new()
        entities = self._created(new)
        if len(new) > _BATCH:
            self.entry.async_create_background_task(
                self.system.context.shared.hass,
                async_add_in_batches(self._add, entities),
                "Enphase Cloud new entities",
            )
        elif new:
            self._add(entities)

    def _created(self, new: Iterable[tuple[DescriptionT, Device]]) -> Iterator[Entity]:
        """Yield entities; skip devices that were removed since the last batch."""
        for description, device in new:
            if device in self.system.device_ids:
                entity = self.create(self.system, description, device)
                entity.on_dropped = partial(self._forget, device, description.key)
                yield entity

    @callback
    def _forget(self, device: Device, key: str) -> None:
        """Add an entity again, should there be evidence of it."""
        self._added.discard((device, key))

    def _new(self) -> list[tuple[DescriptionT, Device]]:
        """Return what has evidence and is not added yet."""
        new = [
            (description, device)
            for device in self._devices()
            for description in self.table.get(device.kind, ())
            if (device, description.key) not in self._added
            and self.has_evidence(self.system, description, device)
        ]
        self._added.update((device, description.key) for description, device in new)
        return new

    def _devices(self) -> Iterable[Device]:
        """Return the devices that may have new evidence."""
        system = self.system
        seen, self._seen = self._seen, (system.board.revision, system.devices_revision)
        if seen == self._seen:
            return (SYSTEM,)
        # Home Assistant removes entities with their device, which may return.
        self._added = {each for each in self._added if each[0] in system.device_ids}
        return tuple(system.device_ids)
