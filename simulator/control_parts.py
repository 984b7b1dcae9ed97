"""Orders to the parts of a system over the control endpoint."""

from collections.abc import Callable
from datetime import datetime
import re
from typing import cast, get_args

from .control_requests import bad_request
from .parts import BATTERY, HEAT_PUMP, Meter
from .physics import Charger, Storage
from .world import System

type Orders = dict[str, Callable[[], object]]

_CHARGER = re.compile(r"charger (\w+)")
_ONE = re.compile(rf"({BATTERY}|production) (\d+)")


def orders_of(system: System, part: str, now: datetime) -> Orders:
    """Return the possible orders to a part by name, or refuse.

    An order raises KeyError if the part is missing.
    """
    orders: Orders = {
        "silence": lambda: system.silence(part, now),
        "report": lambda: system.resume_part(part, now),
    }
    if part in get_args(Meter.__value__):
        return orders | _orders_to_meter(system, cast("Meter", part), now)
    if part == BATTERY:
        orders["install"] = lambda: system.install_batteries(Storage(), now)
        orders["remove"] = lambda: system.remove_batteries(now)
    elif part == HEAT_PUMP:
        orders["install"] = system.install_heat_pump
        orders["remove"] = system.remove_heat_pump
    elif match := _CHARGER.fullmatch(part):
        serial = match[1]
        orders["install"] = lambda: system.install_ev_charger(Charger(serial=serial))
        orders["remove"] = lambda: system.remove_ev_charger(serial)
    elif not (match := _ONE.fullmatch(part)):
        raise bad_request("A part is a meter, a battery, a heat pump or a charger")
    elif match[1] == BATTERY:
        orders["remove"] = lambda: system.remove_battery(int(match[2]), now)
    return orders


def _orders_to_meter(system: System, meter: Meter, now: datetime) -> Orders:
    return {
        "install": lambda: system.install_meter(meter),
        "remove": lambda: system.remove_meter(meter),
        "replace": lambda: system.replace_meter(meter, now),
    }
