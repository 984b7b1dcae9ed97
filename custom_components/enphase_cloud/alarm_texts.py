"""Texts for users about alarms, events and panels: names, advice, devices."""

from collections.abc import Iterable
import re
from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr

from .api import DeviceStatus, Severity
from .data import EnphaseCloudData, EnphaseSystem, device_identifier
from .errors import escaped
from .measurements.arrays import array_of
from .measurements.catalog import Measurement
from .measurements.panel_history import PanelState
from .measurements.system import Device, DeviceKind
from .measurements.system_events import SystemEvent

_RANKS: Final = {str(severity): rank for rank, severity in enumerate(Severity)}
# Serial numbers have more digits than any model name.
_NUMBER: Final = re.compile(r"\S*\d{5,}\S*")
_MOST_ALARMS: Final = 10
_MOST_PANELS: Final = 20
# The map of the panels shows as many digits of a serial number.
_SHOWN_DIGITS: Final = 4


def open_alarms(system: EnphaseSystem) -> list[SystemEvent]:
    """Return the open alarms, the worst first."""
    if not system.fresh(Measurement.OPEN_ALARMS):
        return []
    return sorted(system.board.open_alarms.listed, key=_rank)


def name_of(data: EnphaseCloudData, event: SystemEvent) -> str:
    """Return the name of an event type, from the cloud if known."""
    number = event.event_type_id
    return data.storage.events.text(number).name or f"Event {number}"


def alarm_details(data: EnphaseCloudData, system: EnphaseSystem) -> dict[str, Any]:
    """Return the open alarms as attributes."""
    alarms = open_alarms(system)[:_MOST_ALARMS]
    described = [describe(data, system, alarm) for alarm in alarms]
    advice = next((each["advice"] for each in described if "advice" in each), None)
    return {"alarms": described, **({} if advice is None else {"advice": advice})}


def alarm_lines(
    data: EnphaseCloudData, system: EnphaseSystem, alarms: Iterable[SystemEvent]
) -> list[str]:
    """Return a line of Markdown for each alarm."""
    lines = []
    for alarm in alarms:
        described = describe(data, system, alarm)
        parts = {name: escaped(str(value)) for name, value in described.items()}
        # The severity is a word of English; the worst alarm is the first one.
        device = f" ({parts['device']})" if "device" in parts else ""
        advice = f": {parts['advice']}" if "advice" in parts else ""
        lines.append(f"- **{parts['name']}**{device}{advice}")
    return lines


def describe(
    data: EnphaseCloudData, system: EnphaseSystem, event: SystemEvent
) -> dict[str, Any]:
    """Return name, severity, start, devices and advice of an alarm, as far as known."""
    devices = device_names(data, system, event.serials)
    described = {
        "name": name_of(data, event),
        "severity": event.severity,
        "device": ", ".join(devices) or None,
        "advice": data.storage.events.text(event.event_type_id).advice,
        "started_at": event.started_at.isoformat(),
    }
    return {name: value for name, value in described.items() if value is not None}


def device_names(
    data: EnphaseCloudData, system: EnphaseSystem, serials: Iterable[str]
) -> list[str]:
    """Return the names of devices: from the user, or without a serial number."""
    registry = dr.async_get(data.shared.hass)
    entry_id = data.shared.entry.entry_id
    listed = {
        properties.serial_number or device.identifier: device
        for device, properties in system.board.inventory.items()
    }
    names = []
    for device in (listed[serial] for serial in serials if serial in listed):
        identifier = device_identifier(system.info.system_id, device)
        registered = registry.async_get_device_by_identifier(identifier, entry_id)
        if registered is not None:
            names.append(registered.name_by_user or _unnumbered(registered.name))
    return list(dict.fromkeys(filter(None, names)))


def problem_panels(hass: HomeAssistant, system: EnphaseSystem) -> dict[str, list[str]]:
    """Return the names of some panels by problem: dead, weak or faulty."""
    found: dict[str, list[str]] = {}
    for panel in sorted(system.board.devices(), key=lambda each: each.identifier):
        if panel.kind is DeviceKind.INVERTER and (what := _problem(system, panel)):
            found.setdefault(what, []).append(_panel_name(hass, system, panel))
    return {what: names[:_MOST_PANELS] for what, names in found.items()}


def _problem(system: EnphaseSystem, panel: Device) -> str | None:
    state = system.fresh(Measurement.PANEL_STATE, panel)
    if state not in (None, PanelState.SOUND):
        return str(state)
    status = system.fresh(Measurement.DEVICE_STATUS, panel)
    return "faulty" if status and DeviceStatus(str(status)).is_problem else None


def _panel_name(hass: HomeAssistant, system: EnphaseSystem, panel: Device) -> str:
    """Return the name from the user, or the last digits of the serial number."""
    registered = dr.async_get(hass).async_get(system.device_ids.get(panel, ""))
    array = array_of(system.arrays, panel)
    name = registered and registered.name_by_user
    name = name or f"Panel {panel.identifier[-_SHOWN_DIGITS:]}"
    return name if array is None else f"{name} ({array.name})"


def _unnumbered(name: str | None) -> str:
    return " ".join(_NUMBER.sub("", name or "").split())


def _rank(alarm: SystemEvent) -> tuple[int, float]:
    rank = _RANKS.get(alarm.severity or "", len(_RANKS))
    return rank, alarm.started_at.timestamp()
