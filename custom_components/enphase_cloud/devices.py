"""Devices of accounts and systems in the device registry."""

import asyncio
from collections.abc import Iterable
from itertools import batched
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr

from .const import APP_URL, DEVELOPER_PORTAL_URL, DOMAIN
from .data import (
    EnphaseCloudConfigEntry,
    EnphaseSystem,
    account_identifier,
    device_identifier,
)
from .measurements.inventory import DeviceProperties
from .measurements.system import SYSTEM, Device, DeviceKind
from .runtime.account import account_owner

_MANUFACTURER: Final = "Enphase"
_METERS: Final = {"production", "consumption", "storage"}
# Serial numbers of meters differ in their last digits, and whole ones do not fit.
_METER_DIGITS: Final = 8
_NOTHING: Final = DeviceProperties()
# Let other tasks run between batches of this size.
_AT_ONCE: Final = 25


@callback
def async_register_account(
    hass: HomeAssistant, entry: ConfigEntry[Any]
) -> dr.DeviceEntry:
    """Register the device of the API key for the entry that owns it."""
    owner = account_owner(hass, entry)
    return dr.async_get(hass).async_get_or_create(
        config_entry_id=owner.entry_id,
        identifiers={account_identifier(owner)},
        translation_key="account",
        manufacturer=_MANUFACTURER,
        model="Monitoring API",
        entry_type=dr.DeviceEntryType.SERVICE,
        configuration_url=DEVELOPER_PORTAL_URL,
    )


class DeviceTracker:
    """Keeps the device registry equal to what the cloud lists of a system."""

    def __init__(
        self, hass: HomeAssistant, entry: EnphaseCloudConfigEntry, system: EnphaseSystem
    ) -> None:
        """Initialize without registered devices."""
        self._hass = hass
        self._entry = entry
        self._system = system
        self._registered: dict[Device, DeviceProperties] = {}
        self._seen: int | None = None
        self._task: asyncio.Task[None] | None = None

    async def async_begin(self) -> None:
        """Register known devices, and new ones while the entry is loaded."""
        system = self._system
        registered = _register_system(self._hass, self._entry, system)
        system.device_ids[SYSTEM] = registered.id
        _register_arrays(self._hass, self._entry, system, via_device_id=registered.id)
        await self._async_register(self._changed())
        _remove_others(self._hass, self._entry, system)
        for coordinator in system.documents:
            self._entry.async_on_unload(coordinator.async_add_listener(self._update))

    @callback
    def _update(self) -> None:
        if self._task is not None and not self._task.done():
            return  # The next response registers what is new in the meantime.
        if self._seen == (revision := self._system.board.revision):
            return
        self._seen = revision
        changed = self._changed()
        if len(changed) > _AT_ONCE:
            self._task = self._entry.async_create_background_task(
                self._hass, self._async_register(changed), "Enphase Cloud devices"
            )
        elif changed or self._registered.keys() != _devices(self._system).keys():
            self._register(changed)
            self._finish()

    def _changed(self) -> list[tuple[Device, DeviceProperties]]:
        """Return the devices that are new or have other properties, gateways first."""
        return [
            (device, properties)
            for device, properties in _devices(self._system).items()
            if self._registered.get(device) != properties
        ]

    async def _async_register(
        self, changed: list[tuple[Device, DeviceProperties]]
    ) -> None:
        for batch in batched(changed, _AT_ONCE, strict=False):
            self._register(batch)
            await asyncio.sleep(0)
        self._finish()

    def _register(self, changed: Iterable[tuple[Device, DeviceProperties]]) -> None:
        ids = self._system.device_ids
        for device, properties in changed:
            gateway = Device(DeviceKind.GATEWAY, properties.gateway or "")
            ids[device] = _register(
                self._hass,
                self._entry,
                identifier=device_identifier(self._system.info.system_id, device),
                kind=device.kind,
                number=properties.serial_number or device.identifier,
                properties=properties,
                via_device_id=ids.get(gateway, ids[SYSTEM]),
            )
            self._registered[device] = properties

    def _finish(self) -> None:
        """Remove the devices that are gone, and announce the new ones."""
        present = _devices(self._system).keys()
        registry = dr.async_get(self._hass)
        for device in self._registered.keys() - present:
            del self._registered[device]
            device_id = self._system.device_ids.pop(device)
            if registry.async_get(device_id) is not None:
                registry.async_remove_device(device_id)
        self._system.async_devices_registered()


def _devices(system: EnphaseSystem) -> dict[Device, DeviceProperties]:
    """Return devices that are listed or have samples; gateways first."""
    board = system.board
    known = (board.devices() | board.inventory.keys()) - {SYSTEM}
    return {
        device: board.inventory.get(device, _NOTHING)
        for device in sorted(known, key=lambda each: (each.kind, each.identifier))
    }


def _register_system(
    hass: HomeAssistant, entry: EnphaseCloudConfigEntry, system: EnphaseSystem
) -> dr.DeviceEntry:
    return dr.async_get(hass).async_get_or_create(
        config_entry_id=entry.entry_id,
        identifiers={device_identifier(system.info.system_id)},
        name=system.info.name,
        manufacturer=_MANUFACTURER,
        model="Enphase system",
        configuration_url=APP_URL,
        via_device_id=async_register_account(hass, entry).id,
    )


def _register_arrays(
    hass: HomeAssistant,
    entry: EnphaseCloudConfigEntry,
    system: EnphaseSystem,
    *,
    via_device_id: str,
) -> None:
    for array in system.arrays:
        dr.async_get(hass).async_get_or_create(
            config_entry_id=entry.entry_id,
            config_subentry_id=array.key,
            identifiers={device_identifier(system.info.system_id, array.device)},
            name=array.name,
            model="Array of panels",
            via_device_id=via_device_id,
        )


def _register(
    hass: HomeAssistant,
    entry: EnphaseCloudConfigEntry,
    *,
    identifier: tuple[str, str],
    kind: DeviceKind,
    number: str,
    properties: DeviceProperties,
    via_device_id: str,
) -> str:
    registered = dr.async_get(hass).async_get_or_create(
        config_entry_id=entry.entry_id,
        identifiers={identifier},
        **_named(kind, properties.name, number),
        manufacturer=_MANUFACTURER,
        model=properties.model,
        model_id=properties.model_id,
        serial_number=properties.serial_number,
        sw_version=properties.firmware,
        hw_version=properties.part_number,
        via_device_id=via_device_id,
    )
    return registered.id


def _named(kind: DeviceKind, name: str | None, number: str) -> dict[str, Any]:
    """Return the name of a device, or the translation that makes it.

    The name of a meter is what it measures; "IQ Battery 123" is complete; a bare number
    needs the kind of device.
    """
    measured = (name or "").casefold()
    if kind is DeviceKind.METER and measured in _METERS:
        key, name = f"{measured}_meter", number[-_METER_DIGITS:]
    elif name is not None and " " in name:
        return {"name": name}
    else:
        key = kind
    return {
        "translation_key": key,
        "translation_placeholders": {"number": name or number},
    }


def _remove_others(
    hass: HomeAssistant,
    entry: EnphaseCloudConfigEntry,
    system: EnphaseSystem,
) -> None:
    """Remove the devices that are gone since the last set-up."""
    registry = dr.async_get(hass)
    system_id = system.info.system_id
    kept = [*_devices(system), *(array.device for array in system.arrays)]
    present = {device_identifier(system_id, device) for device in kept}
    for registered in dr.async_entries_for_config_entry(registry, entry.entry_id):
        for domain, identifier in registered.identifiers - present:
            if domain == DOMAIN and identifier.startswith(f"{system_id}_"):
                registry.async_remove_device(registered.id)
