"""The control endpoint for settings, and for events that override them."""

from collections.abc import Iterator
from dataclasses import asdict, fields, replace
from datetime import timedelta
from typing import Any, get_args

from aiohttp import web

from .cloud import Cloud
from .control_requests import (
    bad_request,
    body,
    conflict,
    from_epoch,
    json_response,
    not_found,
    switch,
    system_of,
)
from .moments import epoch
from .physics import Load, power
from .physics.regimes import BatteryMode
from .world import System

_MODES = get_args(BatteryMode.__value__)
_SWITCHES = ("energy_independence", "charge_from_grid", "storm_guard")
_SECONDS = ("settings_delay", "settings_shown_after")
_KNOWN = {"mode", "reserve", "loads", *_SWITCHES, *_SECONDS}
_LOAD = {field.name for field in fields(Load)}


class SettingsControl:
    """Handles requests about settings below `/_control`."""

    def __init__(self, cloud: Cloud) -> None:
        """Control a cloud."""
        self._cloud = cloud

    def routes(self) -> Iterator[web.RouteDef]:
        """Yield the routes."""
        system = "/_control/systems/{system_id}"
        yield web.get("/_control/writes", self.writes)
        yield web.get(f"{system}/settings", self.settings)
        yield web.post(f"{system}/settings", self.change_settings)
        yield web.post(f"{system}/storm", self.set_storm)
        yield web.post(f"{system}/dr_event", self.set_dr_event)
        yield web.get(f"{system}/chargers", self.chargers)
        yield web.post(f"{system}/chargers", self.plug_in)

    async def writes(self, request: web.Request) -> web.Response:
        """Return the write requests, oldest first."""
        del request
        return json_response([asdict(record) for record in self._cloud.writes])

    async def settings(self, request: web.Request) -> web.Response:
        """Return the settings, and the regime of the batteries."""
        return self._current(self._system(request))

    async def change_settings(self, request: web.Request) -> web.Response:
        """Change settings as the owner may in the app: `{"mode": "Full Backup"}`.

        Also `reserve` of that mode, `energy_independence`, `charge_from_grid`,
        `storm_guard`, and `loads`, a list that replaces all. `settings_delay` and
        `settings_shown_after` are the seconds until settings take effect and until
        documents show them.
        """
        system = self._system(request)
        order = await body(request)
        _check(order)
        for name in _SECONDS:
            setattr(system, name, order.get(name, getattr(system, name)))
        before = system.settings
        mode = order.get("mode", system.battery_mode(before))
        after = before.with_battery(
            mode,
            order.get("reserve"),
            energy_independence=before.energy_independence,
        )
        after = replace(
            after,
            **{name: order[name] for name in _SWITCHES if name in order},
            loads=_loads(order["loads"]) if "loads" in order else before.loads,
        )
        if order.keys() - set(_SECONDS):
            system.change_settings(after, self._cloud.now())
        return self._current(system)

    async def set_storm(self, request: web.Request) -> web.Response:
        """Start or end a storm alert: `{"alert": true}`."""
        system, alert = self._system(request), await switch(request, "alert")
        system.set_storm_alert(self._cloud.now(), alert=alert)
        return web.Response(status=204)

    async def set_dr_event(self, request: web.Request) -> web.Response:
        """Start or end control of batteries by grid services: `{"active": true}`."""
        system, active = self._system(request), await switch(request, "active")
        system.set_dr_event(self._cloud.now(), active=active)
        return web.Response(status=204)

    async def chargers(self, request: web.Request) -> web.Response:
        """Return whether a car is plugged in at each Enphase charger, and its power."""
        system, now = self._system(request), self._cloud.now()
        truth = self._cloud.truth(system.system_id)
        return json_response(
            [
                {
                    "serial": each.serial,
                    "plugged_in": truth.car(each.serial, now) is not None,
                    "power_w": truth.charging_power(each.serial, now),
                }
                for each in system.iq_chargers
            ]
        )

    async def plug_in(self, request: web.Request) -> web.Response:
        """Plug in a car that waits for a command: `{"serial": "2026"}`.

        It stays for `hours`, by default 8, and takes up to `wanted_wh`.
        """
        system, now = self._system(request), self._cloud.now()
        order = await body(request)
        hours, wanted = order.get("hours", 8), order.get("wanted_wh", 20_000)
        if not (type(hours) is type(wanted) is int):
            raise bad_request("hours and wanted_wh are whole numbers")
        serial = str(order.get("serial"))
        try:
            if self._cloud.truth(system.system_id).car(serial, now):
                raise conflict("A car is there already")
        except KeyError:
            raise not_found("No such charger") from None
        system.plug_in(serial, now, timedelta(hours=hours), wanted)
        return web.Response(status=204)

    def _current(self, system: System) -> web.Response:
        now = self._cloud.now()
        storage = system.plant.storage
        orders = storage.orders if storage else ()
        return json_response(
            {
                "settings": asdict(system.settings),
                "in_force": asdict(storage.regime_at(epoch(now))) if storage else None,
                "to_come": [
                    {"at": from_epoch(order.at), **asdict(order.regime)}
                    for order in orders
                    if order.at > epoch(now)
                ],
                "battery_w": power(system.plant, now.timestamp()).battery,
                "storm_alert": system.storm_alert,
                "dr_event": system.dr_event,
                **{name: getattr(system, name) for name in _SECONDS},
            }
        )

    def _system(self, request: web.Request) -> System:
        return system_of(self._cloud, request.match_info["system_id"])


def _check(order: dict[str, Any]) -> None:
    """Refuse invalid settings."""
    if unknown := order.keys() - _KNOWN:
        raise bad_request(f"No such setting: {', '.join(sorted(unknown))}")
    if order.get("mode", _MODES[0]) not in _MODES:
        raise bad_request(f"mode is one of: {', '.join(_MODES)}")
    for name in ("reserve", *_SECONDS):
        if type(order.get(name, 0)) is not int:
            raise bad_request(f"{name} is a whole number")
    for name in _SWITCHES:
        if not isinstance(order.get(name, False), bool):
            raise bad_request(f"{name} is true or false")


def _loads(order: object) -> tuple[Load, ...]:
    try:
        return tuple(Load(**each) for each in order)  # type: ignore[attr-defined]
    except TypeError:
        raise bad_request(
            f"loads is a list of objects with some of: {', '.join(sorted(_LOAD))}"
        ) from None
