"""Devices in the registry, of accounts and systems: added, updated, removed."""

from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.typing import UNDEFINED

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
_NOTHING: Final = DeviceProperties()


@callback
def async_register_account(
    hass: HomeAssistant, entry: ConfigEntry[Any]
) -> dr.DeviceEntry:
    """Register the device of the API key, which its owner has, loaded or not."""
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


@callback
def async_track_devices(
    hass: HomeAssistant, entry: EnphaseCloudConfigEntry, system: EnphaseSystem
) -> None:
    """Keep the registry as the cloud lists the devices while the entry is loaded."""
    shown: set[tuple[Device, DeviceProperties]] = set()
    ids = {SYSTEM: _register_system(hass, entry, system).id}
    _register_arrays(hass, entry, system, via_device_id=ids[SYSTEM])

    @callback
    def update() -> None:
        devices = _devices(system)
        present = set(devices.items())
        if present == shown:
            return
        for device, properties in devices.items():
            if (device, properties) not in shown:
                gateway = Device(DeviceKind.GATEWAY, properties.gateway or "")
                ids[device] = _register(
                    hass,
                    entry,
                    identifier=device_identifier(system.info.system_id, device),
                    kind=device.kind,
                    number=properties.serial_number or device.identifier,
                    properties=properties,
                    via_device_id=ids.get(gateway, ids[SYSTEM]),
                )
        _remove_others(hass, entry, system, devices)
        shown.clear()
        shown.update(present)

    update()
    for coordinator in system.documents:
        entry.async_on_unload(coordinator.async_add_listener(update))


def _devices(system: EnphaseSystem) -> dict[Device, DeviceProperties]:
    """Return what is listed or has told something; gateways first."""
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
    # "IQ Battery 123" says all; "production", of a meter, needs the kind.
    name = properties.name or number
    is_whole = " " in name
    registered = dr.async_get(hass).async_get_or_create(
        config_entry_id=entry.entry_id,
        identifiers={identifier},
        name=name if is_whole else UNDEFINED,
        translation_key=None if is_whole else kind,
        translation_placeholders=None if is_whole else {"number": name},
        manufacturer=_MANUFACTURER,
        model=properties.model,
        model_id=properties.model_id,
        serial_number=properties.serial_number,
        sw_version=properties.firmware,
        hw_version=properties.part_number,
        via_device_id=via_device_id,
    )
    return registered.id


def _remove_others(
    hass: HomeAssistant,
    entry: EnphaseCloudConfigEntry,
    system: EnphaseSystem,
    devices: dict[Device, DeviceProperties],
) -> None:
    """Remove the devices of the system that are gone."""
    registry = dr.async_get(hass)
    system_id = system.info.system_id
    kept = [*devices, *(array.device for array in system.arrays)]
    present = {device_identifier(system_id, device) for device in kept}
    for registered in dr.async_entries_for_config_entry(registry, entry.entry_id):
        for domain, identifier in registered.identifiers - present:
            if domain == DOMAIN and identifier.startswith(f"{system_id}_"):
                registry.async_remove_device(registered.id)
