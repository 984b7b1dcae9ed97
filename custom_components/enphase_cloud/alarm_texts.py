"""What users read of alarms and events: names, advice, devices."""

from collections.abc import Iterable
import re
from typing import Any, Final

from homeassistant.helpers import device_registry as dr

from .api import Severity
from .data import EnphaseCloudData, EnphaseSystem, device_identifier
from .errors import escaped
from .measurements.catalog import Measurement
from .measurements.happenings import Happening

_RANKS: Final = {str(severity): rank for rank, severity in enumerate(Severity)}
# Enphase numbers devices with more digits than any name of a model has.
_NUMBER: Final = re.compile(r"\S*\d{5,}\S*")
_MOST_ALARMS: Final = 10


def open_alarms(system: EnphaseSystem) -> list[Happening]:
    """Return the alarms that are known to be open, the worst first."""
    if not system.fresh(Measurement.OPEN_ALARMS):
        return []
    return sorted(system.board.open_alarms.listed, key=_rank)


def name_of(data: EnphaseCloudData, happening: Happening) -> str:
    """Return the name of an event's type, in the cloud's words where they are known."""
    number = happening.event_type_id
    return data.storage.events.text(number).name or f"Event {number}"


def alarm_details(data: EnphaseCloudData, system: EnphaseSystem) -> dict[str, Any]:
    """Return what is to be known of the open alarms, for attributes."""
    alarms = open_alarms(system)[:_MOST_ALARMS]
    told = [describe(data, system, alarm) for alarm in alarms]
    advice = next((each["advice"] for each in told if "advice" in each), None)
    return {"alarms": told, **({} if advice is None else {"advice": advice})}


def alarm_lines(
    data: EnphaseCloudData, system: EnphaseSystem, alarms: Iterable[Happening]
) -> list[str]:
    """Return a line of Markdown for each alarm."""
    lines = []
    for alarm in alarms:
        told = describe(data, system, alarm)
        parts = {name: escaped(str(value)) for name, value in told.items()}
        what = ", ".join(
            parts[name] for name in ("severity", "device") if name in parts
        )
        advice = f": {parts['advice']}" if "advice" in parts else ""
        lines.append(f"- **{parts['name']}** ({what}){advice}")
    return lines


def describe(
    data: EnphaseCloudData, system: EnphaseSystem, happening: Happening
) -> dict[str, Any]:
    """Return the name, severity, beginning, devices and advice, as far as known."""
    devices = device_names(data, system, happening.serials)
    told = {
        "name": name_of(data, happening),
        "severity": happening.severity,
        "device": ", ".join(devices) or None,
        "advice": data.storage.events.text(happening.event_type_id).advice,
        "started_at": happening.started_at.isoformat(),
    }
    return {name: value for name, value in told.items() if value is not None}


def device_names(
    data: EnphaseCloudData, system: EnphaseSystem, serials: Iterable[str]
) -> list[str]:
    """Return the names of devices, those of users as they are, others unnumbered."""
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


def _unnumbered(name: str | None) -> str:
    return " ".join(_NUMBER.sub("", name or "").split())


def _rank(alarm: Happening) -> tuple[int, float]:
    rank = _RANKS.get(alarm.severity or "", len(_RANKS))
    return rank, alarm.started_at.timestamp()
