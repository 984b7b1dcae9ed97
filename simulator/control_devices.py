"""The control endpoint for single devices: panels, snow, statuses and alarms."""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from aiohttp import web

from .cloud import Cloud
from .control_requests import (
    bad_request,
    body,
    json_response,
    moment,
    not_found,
    system_of,
)
from .moments import day_of, epoch
from .physics import panels_of
from .world import System


class DeviceControl:
    """Handles requests about single devices below `/_control`.

    The time `at` of an order is ISO or epoch seconds, by default now.
    """

    def __init__(self, cloud: Cloud) -> None:
        """Control a cloud."""
        self._cloud = cloud

    def routes(self) -> Iterator[web.RouteDef]:
        """Yield the routes."""
        system = "/_control/systems/{system_id}"
        yield web.get(f"{system}/panels", self.panels)
        yield web.post(f"{system}/panels", self.order_panel)
        yield web.post(f"{system}/snow", self.set_snow)
        yield web.post(f"{system}/devices", self.set_device)
        yield web.get(f"{system}/alarms", self.alarms)
        yield web.post(f"{system}/alarms", self.open_alarm)
        yield web.delete(f"{system}/alarms/{{number}}", self.clear_alarm)

    async def panels(self, request: web.Request) -> web.Response:
        """Return the listed panels with their Wh of a `day`, by default yesterday.

        The azimuth is in degrees from the equator to the west; `ratio` is the share of
        its possible production that a panel yields.
        """
        system = self._system(request)
        now = epoch(self._cloud.now())
        today = day_of(now, system.time_zone)
        day = _day(request.query.get("day"), date.fromordinal(today.toordinal() - 1))
        given = self._cloud.truth(system.system_id).panels(day)
        plant = system.plant
        layout = panels_of(plant.seed, plant.roof.modules)
        return json_response(
            [
                asdict(layout[micro.position - 1])
                | {
                    "serial": micro.serial,
                    "ratio": plant.roof.ratio(micro.position, now),
                    "energy_wh": given[micro.serial],
                }
                for micro in system.microinverters
            ]
        )

    async def order_panel(self, request: web.Request) -> web.Response:
        """Change a panel: `{"serial": "4824", "order": "break"}`.

        Orders are `break` (`ratio`, by default 0, is the share it still yields),
        `repair`, `replace`, `retire`, `silence` and `report`. The response has the
        serial number after the order.
        """
        system = self._system(request)
        order = await body(request)
        serial, at = str(order.get("serial")), self._at(order)
        ratio = order.get("ratio", 0)
        if isinstance(ratio, bool) or not isinstance(ratio, int | float):
            raise bad_request("ratio is a number")
        orders: dict[str, Callable[[], str | None]] = {
            "break": lambda: system.break_panel(serial, at, ratio),
            "repair": lambda: system.repair_panel(serial, at),
            "replace": lambda: system.replace_panel(serial, at),
            "retire": lambda: system.retire_panel(serial, at),
            "silence": lambda: system.silence_panel(serial, at),
            "report": lambda: system.resume_panel(serial, at),
        }
        if order.get("order") not in orders:
            raise bad_request(f"order is one of: {', '.join(orders)}")
        try:
            new = orders[str(order["order"])]()
        except KeyError:
            raise not_found("No such panel") from None
        return json_response({"serial": new or serial})

    async def set_snow(self, request: web.Request) -> web.Response:
        """Cover all panels with snow, or clear them: `{"lies": true}`."""
        system = self._system(request)
        order = await body(request)
        lies = order.get("lies")
        if not isinstance(lies, bool):
            raise bad_request("lies is true or false")
        change = system.let_it_snow if lies else system.let_it_thaw
        change(self._at(order))
        return web.Response(status=204)

    async def set_device(self, request: web.Request) -> web.Response:
        """Set the status of a device: `{"serial": "4824", "status": "error"}`.

        Without `status` its actual status is shown again.
        """
        statuses = self._system(request).device_statuses
        order = await body(request)
        serial, status = str(order.get("serial")), order.get("status")
        if status is None:
            statuses.pop(serial, None)
        else:
            statuses[serial] = str(status)
        return web.Response(status=204)

    async def alarms(self, request: web.Request) -> web.Response:
        """Return all events and alarms, oldest first."""
        system = self._system(request)
        return json_response([asdict(each) for each in system.event_log])

    async def open_alarm(self, request: web.Request) -> web.Response:
        """Start an alarm: `{"type": "micro_silent", "serials": ["4824"]}`.

        `severity` is 1, the most severe, to 6; with null it is an event without an
        alarm. Without `serials` it is one of the gateway. The response has its number.
        """
        system = self._system(request)
        order = await body(request)
        chosen = {
            name: order[name] for name in ("severity", "serials") if name in order
        }
        severity, serials = chosen.get("severity"), chosen.get("serials", [])
        if not (severity is None or severity in range(1, 7)):
            raise bad_request("severity is a number from 1 to 6, or null")
        if not isinstance(serials, list):
            raise bad_request("serials is a list")
        try:
            number = system.open_alarm(order.get("type", ""), self._at(order), **chosen)
        except KeyError:
            raise bad_request("No such type of events") from None
        return json_response({"number": number}, status=201)

    async def clear_alarm(self, request: web.Request) -> web.Response:
        """End an alarm or event by its number, now."""
        system = self._system(request)
        number = request.match_info["number"]
        try:
            system.clear_alarm(int(number), self._cloud.now())
        except KeyError, ValueError:
            raise not_found("No such alarm") from None
        return web.Response(status=204)

    def _system(self, request: web.Request) -> System:
        return system_of(self._cloud, request.match_info["system_id"])

    def _at(self, order: dict[str, Any]) -> datetime:
        return moment(str(order["at"])) if "at" in order else self._cloud.now()


def _day(text: str | None, default: date) -> date:
    try:
        return default if text is None else date.fromisoformat(text)
    except ValueError:
        raise bad_request("A day is an ISO date") from None
