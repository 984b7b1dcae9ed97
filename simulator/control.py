"""The control endpoint: faults, time, actual values and grid."""

from collections.abc import Iterator
from dataclasses import asdict, fields
from datetime import timedelta
from typing import get_args

from aiohttp import web

from .cloud import Cloud
from .control_devices import DeviceControl
from .control_parts import orders_of
from .control_requests import (
    bad_request,
    body,
    conflict,
    flow,
    from_epoch,
    json_response,
    moment,
    not_found,
    switch,
    system_of,
)
from .control_settings import SettingsControl
from .faults import BodyFault, Cut, DataFault, Fault, QuotaPeriod, StreamFault
from .moments import STEP, VirtualClock, day_of, epoch, midnight
from .physics import Flow
from .world import System

_CHOICES = {
    "body": get_args(BodyFault.__value__),
    "cut": get_args(Cut.__value__),
    "data": get_args(DataFault.__value__),
    "quota": get_args(QuotaPeriod.__value__),
    "stream": get_args(StreamFault.__value__),
}
_ORDERS = {field.name: field for field in fields(Fault) if field.init}


class Control:
    """Handles all requests below `/_control`."""

    def __init__(self, cloud: Cloud) -> None:
        """Control a cloud."""
        self._cloud = cloud
        self._faults: list[Fault] = []

    def routes(self) -> Iterator[web.RouteDef]:
        """Yield the routes."""
        system = "/_control/systems/{system_id}"
        yield web.get("/_control/truth", self.truth)
        yield web.get("/_control/counts", self.counts)
        yield web.get("/_control/requests", self.requests)
        yield web.get("/_control/frames", self.frames)
        yield web.get("/_control/faults", self.faults)
        yield web.post("/_control/faults", self.add_fault)
        yield web.delete("/_control/faults", self.clear_faults)
        yield web.delete("/_control/faults/{number}", self.remove_fault)
        yield web.get("/_control/clock", self.clock)
        yield web.post("/_control/clock", self.set_clock)
        yield web.post("/_control/connections/drop", self.drop_connections)
        yield web.post("/_control/tokens/revoke", self.revoke_tokens)
        yield web.post(f"{system}/grid", self.set_grid)
        yield web.post(f"{system}/gateway", self.set_gateway)
        yield web.post(f"{system}/uploads", self.set_uploads)
        yield web.post(f"{system}/parts", self.order_part)
        yield web.post(f"{system}/access", self.set_access)
        yield from DeviceControl(self._cloud).routes()
        yield from SettingsControl(self._cloud).routes()

    async def truth(self, request: web.Request) -> web.Response:
        """Return the actual power and energy of a system.

        Query: `system_id`, and either `at` (default now), or `flow`, `start` and `end`
        for the Wh between two multiples of 5 minutes. Times are ISO or epoch seconds.
        """
        query = request.query
        system = self._system(query.get("system_id"))
        truth = self._cloud.truth(system.system_id)
        if "flow" in query:
            wanted = flow(query["flow"])
            start, end = moment(query.get("start")), moment(query.get("end"))
            try:
                energy = truth.energy(wanted, start, end)
            except ValueError as error:
                raise bad_request(str(error)) from None
            return json_response({"flow": wanted, "energy_wh": energy})
        at = moment(query["at"]) if "at" in query else self._cloud.now()
        zone = system.time_zone
        start = from_epoch(midnight(day_of(epoch(at), zone), zone))
        end = from_epoch(epoch(at) // STEP * STEP)
        published = self._cloud.published(system)
        return json_response(
            {
                "at": at,
                "power_w": asdict(truth.power(at)),
                "today_until": end,
                "today_wh": {each: truth.energy(each, start, end) for each in Flow},
                "lifetime_wh": {each: truth.lifetime(each, end) for each in Flow},
                "last_report_at": from_epoch(published.last_report_at),
                "measured_at": from_epoch(published.measured_at),
                "published_until": from_epoch(published.until),
            }
        )

    async def counts(self, request: web.Request) -> web.Response:
        """Return the number of requests by operation, and the costs of live data."""
        cloud = self._cloud
        now = cloud.now()
        return json_response(
            {
                "operations": cloud.counts(request.query.get("client_id")),
                "quota": {
                    application.client_id: {
                        "minute": cloud.quota.used(application, "minute", now),
                        "month": cloud.quota.used(application, "month", now),
                    }
                    for application in cloud.applications
                },
                "streams": len(cloud.streams),
                "live_cost_usd": cloud.live_cost,
            }
        )

    async def requests(self, request: web.Request) -> web.Response:
        """Return all received requests, oldest first."""
        del request
        return json_response([asdict(record) for record in self._cloud.requests])

    async def frames(self, request: web.Request) -> web.Response:
        """Return the streams that were opened and the frames that were sent."""
        del request
        return json_response(
            {
                "streams": [asdict(stream) for stream in self._cloud.streams],
                "frames": [asdict(frame) for frame in self._cloud.frames],
            }
        )

    async def faults(self, request: web.Request) -> web.Response:
        """Return the faults that were ordered here, with their hits."""
        del request
        return json_response([asdict(fault) for fault in self._faults])

    async def add_fault(self, request: web.Request) -> web.Response:
        """Schedule a fault; the body has the fields of `Fault`."""
        order = await body(request)
        if unknown := order.keys() - _ORDERS:
            raise bad_request(f"No such field: {', '.join(sorted(unknown))}")
        for name, choices in _CHOICES.items():
            if order.get(name) not in {None, *choices}:
                raise bad_request(f"{name} is one of: {', '.join(choices)}")
        self._faults.append(self._cloud.faults.add(Fault(**order)))
        return json_response({"number": len(self._faults)}, status=201)

    async def clear_faults(self, request: web.Request) -> web.Response:
        """Remove all faults, also those of Python code."""
        del request
        self._cloud.faults.clear()
        self._faults.clear()
        return web.Response(status=204)

    async def remove_fault(self, request: web.Request) -> web.Response:
        """Remove a fault by the number that `add_fault` returned."""
        number = request.match_info["number"]
        if not number.isdecimal() or not 0 < int(number) <= len(self._faults):
            raise not_found("No such fault")
        self._cloud.faults.remove(self._faults[int(number) - 1])
        return web.Response(status=204)

    async def clock(self, request: web.Request) -> web.Response:
        """Return time and speed of the clock."""
        del request
        now = self._cloud.now
        speed = now.speed if isinstance(now, VirtualClock) else 1.0
        return json_response({"now": now(), "speed": speed})

    async def set_clock(self, request: web.Request) -> web.Response:
        """Move the clock to `now` or by `advance` seconds, or set its `speed`."""
        clock = self._cloud.now
        if not isinstance(clock, VirtualClock):
            raise conflict("This cloud's clock cannot be moved")
        order = await body(request)
        if "now" in order or "speed" in order:
            now = moment(str(order["now"])) if "now" in order else None
            clock.set(now, order.get("speed"))
        clock.advance(timedelta(seconds=order.get("advance", 0)))
        return await self.clock(request)

    async def drop_connections(self, request: web.Request) -> web.Response:
        """Reset all open connections of the API and of sign-in."""
        del request
        return json_response({"dropped": self._cloud.connections.drop()})

    async def revoke_tokens(self, request: web.Request) -> web.Response:
        """Revoke all tokens, or those of the account with an `email`.

        With `"only": "access"`, refresh tokens stay valid.
        """
        order = await body(request)
        tokens = self._cloud.tokens
        revoke = tokens.revoke_access if order.get("only") else tokens.revoke
        for account in self._cloud.accounts:
            if order.get("email") in {None, account.email}:
                revoke(account)
        return web.Response(status=204)

    async def set_grid(self, request: web.Request) -> web.Response:
        """Start or end a grid outage now: `{"outage": true}`."""
        system, outage = await self._switch(request, "outage")
        change = system.start_grid_outage if outage else system.end_grid_outage
        change(self._cloud.now())
        return web.Response(status=204)

    async def set_gateway(self, request: web.Request) -> web.Response:
        """Take a gateway offline or online: `{"offline": true}`."""
        system, offline = await self._switch(request, "offline")
        change = system.go_offline if offline else system.come_online
        change(self._cloud.now())
        return web.Response(status=204)

    async def set_uploads(self, request: web.Request) -> web.Response:
        """Pause or resume a gateway's reports: `{"paused": true}`."""
        system, paused = await self._switch(request, "paused")
        change = system.pause_uploads if paused else system.resume_uploads
        change(self._cloud.now())
        return web.Response(status=204)

    async def order_part(self, request: web.Request) -> web.Response:
        """Change a part: `{"part": "consumption", "order": "silence"}`.

        Parts are the meters `production` and `consumption`, `battery` for all
        batteries, `heat pump`, and `charger 380017` for a charger of another maker. An
        installed battery has two units. Orders to a single part such as `battery 1` or
        `production 2` are `silence` and `report`, to a battery also `remove`.
        """
        system = self._system(request.match_info["system_id"])
        order = await body(request)
        orders = orders_of(system, str(order.get("part")), self._cloud.now())
        if order.get("order") not in orders:
            raise bad_request(f"order is one of: {', '.join(orders)}")
        try:
            orders[str(order["order"])]()
        except KeyError:
            raise not_found("No such part") from None
        return web.Response(status=204)

    async def set_access(self, request: web.Request) -> web.Response:
        """Share a system with another account: `{"email": …, "granted": true}`."""
        system, granted = await self._switch(request, "granted")
        account = self._cloud.account(str((await body(request)).get("email")))
        if account is None:
            raise not_found("No such account")
        others = [each for each in system.shared_with if each is not account]
        system.shared_with = [*others, account] if granted else others
        return web.Response(status=204)

    async def _switch(self, request: web.Request, name: str) -> tuple[System, bool]:
        state = await switch(request, name)
        return self._system(request.match_info["system_id"]), state

    def _system(self, system_id: str | None) -> System:
        return system_of(self._cloud, system_id)
