"""The settings of a system: documents and writes."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, get_args

from simulator.errors import RefusalError
from simulator.physics import Load, Storage
from simulator.physics.loads import LoadMode
from simulator.physics.regimes import BatteryMode
from simulator.publication import Published
from simulator.settings import Settings
from simulator.world import System

from .changes import Change
from .windows import Document, Query

_BATTERY = {
    "battery_mode": str,
    "reserve_soc": int,
    "energy_independence": str,
}
_STORM_GUARD = {"storm_guard_status": str}
_LOAD = {
    "name": str,
    "load_name": str,
    "mode": str,
    "soc_low": int,
    "essential_start_time": int,
    "essential_end_time": int,
}
_MODES = get_args(BatteryMode.__value__)
_LOAD_MODES = get_args(LoadMode.__value__)
_SWITCH = {"enabled": True, "disabled": False}
_LOAD_LEVELS = range(10, 91)
_SECONDS = range(86_401)
_HYSTERESIS = 10

_SPELLED_IN_READS = {"Self-consumption": "Self - Consumption"}
_SPELLED_IN_WRITES = {"Self-consumption": "self-consumption"}
"""The spelling of a mode in examples of reads, and of responses to writes."""


def battery_settings(published: Published, query: Query) -> Document:
    """Return the battery settings."""
    del query
    storage = _storage(published, "System doesn't have encharges")
    return _battery(published.system, storage, _shown(published), _SPELLED_IN_READS)


def storm_guard(published: Published, query: Query) -> Document:
    """Return whether storm guard is on, and whether there is a storm alert."""
    del query
    _storage(published, "System doesn't have encharges")
    system = published.system
    return _storm(system, _switched(on=_shown(published).storm_guard))


def grid_status(published: Published, query: Query) -> Document:
    """Return the grid status of the newest report."""
    del query
    if not published.has_reported:
        raise _refused("grid_state not available as the site has not reported yet")
    at = published.last_report_at
    off = any(at in outage for outage in published.system.plant.outages)
    known = "Off Grid" if off else "On Grid"
    return {
        "system_id": published.system.system_id,
        "grid_state": "Unknown" if published.status == "comm" else known,
        "last_report_date": at,
    }


def load_control(published: Published, query: Query) -> Document:
    """Return the settings of all loads."""
    del query
    return _loads(published.system, _shown(published))


def _shown(published: Published) -> Settings:
    return published.system.shown_settings(published.now)


def set_battery_settings(published: Published, serial: str, body: object) -> Change:
    """Change the battery settings in the body."""
    del serial
    fields = _fields(body, _BATTERY)
    storage = _storage(published, "System doesn't have encharge")
    system, settings = published.system, published.system.settings
    mode = fields.get("battery_mode", system.battery_mode(settings))
    if mode not in _MODES:
        raise _refused(f"battery_mode should be one of {', '.join(_MODES)}")
    reserve = fields.get("reserve_soc")
    least = storage.shutdown_percent
    if reserve is not None and reserve not in range(least, 101):
        raise _refused(f"reserve_soc should be between {least} and 100")
    independent = _switch(fields, "energy_independence")
    settings = settings.with_battery(
        mode,
        reserve,
        energy_independence=settings.energy_independence
        if independent is None
        else independent,
    )
    return _change(
        system, settings, _battery(system, storage, settings, _SPELLED_IN_WRITES)
    )


def set_storm_guard(published: Published, serial: str, body: object) -> Change:
    """Switch storm guard on or off."""
    del serial
    fields = _fields(body, _STORM_GUARD)
    _storage(published, "System doesn't have encharge")
    on = _switch(fields, "storm_guard_status")
    if on is None:
        raise _refused("storm_guard_status is missing")
    system = published.system
    status = _switched(on=on)
    if on and not system.storm_alert:
        status = "Enabled (Inactive)"
    settings = replace(system.settings, storm_guard=on)
    return _change(system, settings, _storm(system, status))


def set_load_control(published: Published, serial: str, body: object) -> Change:
    """Change the settings of a load in the body."""
    del serial
    fields = _fields(body, _LOAD)
    system = published.system
    load = _load(system.settings, fields)
    if not load.owner_can_override:
        raise _refused("Owner can not override the load control settings")
    load = _changed(load, fields)
    settings = system.settings.with_load(load)
    return _change(system, settings, _loads(system, settings))


def _load(settings: Settings, fields: dict[str, Any]) -> Load:
    if "name" not in fields:
        raise _refused("name is missing")
    for load in settings.loads:
        if load.name == fields["name"]:
            if fields.get("load_name", load.load_name) != load.load_name:
                break
            return load
    raise _refused("Load not found")


def _changed(load: Load, fields: dict[str, Any]) -> Load:
    mode = fields.get("mode", load.mode)
    if mode not in _LOAD_MODES:
        raise _refused(f"mode should be one of {', '.join(_LOAD_MODES)}")
    _demand(fields, "Advanced_BatteryPowered", "soc_low")
    _demand(fields, "Scheduled", "essential_start_time")
    _demand(fields, "Scheduled", "essential_end_time")
    low = fields.get("soc_low", load.soc_low)
    start = fields.get("essential_start_time", load.essential_start_time)
    end = fields.get("essential_end_time", load.essential_end_time)
    if "soc_low" in fields and low not in _LOAD_LEVELS:
        raise _refused("soc_low should be between 10 and 90")
    if start not in _SECONDS or end not in _SECONDS:
        raise _refused("essential times are seconds of a day")
    return replace(
        load,
        mode=mode,
        soc_low=low,
        soc_high=max(load.soc_high, low + _HYSTERESIS),
        essential_start_time=start,
        essential_end_time=end,
    )


def _demand(fields: dict[str, Any], mode: str, name: str) -> None:
    if fields.get("mode") == mode and name not in fields:
        raise _refused(f"{name} is mandatory for {mode} mode")


def _battery(
    system: System, storage: Storage, settings: Settings, spelling: Mapping[str, str]
) -> Document:
    mode = system.battery_mode(settings)
    shown = "DR Event Active" if system.dr_event else spelling.get(mode, mode)
    return {
        "system_id": system.system_id,
        "battery_mode": shown,
        "reserve_soc": system.reserve(settings, mode),
        "energy_independence": _switched(on=settings.energy_independence),
        "charge_from_grid": _switched(on=settings.charge_from_grid),
        "battery_shutdown_level": storage.shutdown_percent,
    }


def _storm(system: System, status: str) -> Document:
    return {
        "system_id": system.system_id,
        "storm_guard_status": status,
        "storm_alert": str(system.storm_alert).lower(),
    }


def _loads(system: System, settings: Settings) -> Document:
    return {
        "system_id": system.system_id,
        "load_control_data": [
            {
                "name": load.name,
                "load_name": load.load_name,
                "owner_can_override": load.owner_can_override,
                "mode": load.mode,
                "soc_low": load.soc_low,
                "soc_high": load.soc_high,
                "status": load.status,
                "essential_start_time": load.essential_start_time,
                "essential_end_time": load.essential_end_time,
            }
            for load in settings.loads
        ],
    }


def _storage(published: Published, missing: str) -> Storage:
    if published.storage is None:
        raise _refused(missing)
    return published.storage


def _fields(body: object, known: Mapping[str, type]) -> dict[str, Any]:
    """Return the fields of a body; refuse unknown fields and wrong types."""
    if not isinstance(body, dict):
        raise _refused("The body is no JSON object")
    for name, value in body.items():
        if name not in known:
            raise _refused(f"{name} is unknown")
        if not isinstance(value, known[name]) or isinstance(value, bool):
            raise _refused(f"{name} is of a wrong type")
    return body


def _switch(fields: dict[str, Any], name: str) -> bool | None:
    if name not in fields:
        return None
    if fields[name] not in _SWITCH:
        raise _refused(f"{name} should be enabled or disabled")
    return _SWITCH[fields[name]]


def _switched(*, on: bool) -> str:
    return "enabled" if on else "disabled"


def _change(system: System, settings: Settings, document: Document) -> Change:
    return Change(document, lambda now: system.change_settings(settings, now))


def _refused(details: str) -> RefusalError:
    return RefusalError(422, details)
