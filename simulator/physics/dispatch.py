"""The balance of home, battery, grid and generator, step by step."""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from simulator.moments import HOUR, STEP

from .contacts import Contacts
from .plant import Plant, Storage
from .regimes import Regime

CENTI = 100
"""Stored energy is in hundredths of a Wh, so that losses are exact."""
_CALIBRATION_HOURS = (1, 5)
_GENERATOR_START_PERCENT = 50


class Battery:
    """A battery that charges and discharges whole Wh within its limits."""

    def __init__(self, storage: Storage | None, stored: int | None = None) -> None:
        """Start with `stored` hundredths of a Wh, by default at the reserve."""
        storage = storage or Storage(units=0)
        self.storage = storage
        self.capacity = storage.capacity_wh * CENTI
        self.set_regime(storage.regime)
        self.shutdown = storage.capacity_wh * storage.shutdown_percent
        self.drawn = storage.units * storage.standby_w * CENTI * STEP // HOUR
        self.limit = storage.power_w * STEP // HOUR
        self.stored = self.reserve if stored is None else min(stored, self.capacity)

    def set_regime(self, regime: Regime) -> None:
        """Follow a regime from now on."""
        self.regime = regime
        self.empties = regime.mode == "DR Event Active"
        self.charges_from_grid = regime.charge_from_grid
        self.reserve = self.storage.capacity_wh * regime.reserve_percent

    @property
    def level(self) -> float | None:
        """Return the state of charge [%], None without a battery."""
        return 100 * self.stored / self.capacity if self.capacity else None

    @property
    def missing(self) -> int:
        """Return the Wh to charge, with losses, up to the reserve."""
        return max(0, self.reserve - self.stored) // self.storage.efficiency_percent

    def charge(self, offered: int) -> int:
        """Charge as many of the offered Wh as possible, and return them."""
        efficiency = self.storage.efficiency_percent
        taken = min(offered, self.limit, (self.capacity - self.stored) // efficiency)
        self.stored += taken * efficiency
        return taken

    def stand_by(self) -> None:
        """Subtract the standby consumption of a step, down to the reserve."""
        if self.drawn:
            self.stored -= max(0, min(self.drawn, self.stored - self.reserve))

    def discharge(self, wanted: int, floor: int) -> int:
        """Discharge as many of the wanted Wh as possible, and return them.

        The battery stays at or above the floor, in hundredths of a Wh.
        """
        given = max(0, min(wanted, self.limit, (self.stored - floor) // CENTI))
        self.stored -= given * CENTI
        return given


class Step(NamedTuple):
    """The Wh of all flows in a step, and the hundredths of a Wh stored at its end."""

    production: int
    consumption: int
    imported: int
    exported: int
    charged: int
    discharged: int
    generated: int
    stored: int


def calibrates(plant: Plant, day: date, start: int) -> bool:
    """Return whether the battery discharges to its reserve in this night.

    It does so on the first of each month, if there is a grid. The stored energy after
    such a night does not depend on that before it, so that no state needs a history of
    more than a month.
    """
    first, last = (start + hour * HOUR for hour in _CALIBRATION_HOURS)
    outage = any(window.overlaps(first, last) for window in plant.outages)
    there = plant.storage is not None and plant.storage.is_there(first)
    return day.day == 1 and there and not outage


def balance(
    plant: Plant,
    day: date,
    start: int,
    *,
    available: list[int],
    wanted: list[int],
    stored: int | None,
) -> Iterator[Step]:
    """Yield the steps of a day.

    In each step panels can yield the `available` Wh, and the home demands the `wanted`
    Wh. `stored` is that of `Battery`.
    """
    storage = plant.storage and plant.storage.as_of(start)
    battery, none = Battery(storage, stored), Battery(None)
    calibration = calibrates(plant, day, start)
    end = start + len(wanted) * STEP
    outages = [window for window in plant.outages if window.overlaps(start, end)]
    contacts = Contacts(plant, start) if plant.load_orders else None
    orders = {max(each.mark, start): each.regime for each in battery.storage.orders}
    first, last = (hour * HOUR // STEP for hour in _CALIBRATION_HOURS)
    for index, (production, demand) in enumerate(zip(available, wanted, strict=True)):
        at = start + index * STEP
        is_off_grid = any(at in outage for outage in outages)
        if orders and at in orders:
            battery.set_regime(orders[at])
        battery.stand_by()
        consumption = demand
        if contacts is not None:
            level = battery.level if battery.storage.is_there(at) else None
            consumption = contacts.left(demand, at, level, on_grid=not is_off_grid)
        if not battery.storage.is_there(at):
            battery.stored = battery.reserve
            step = (
                _off_grid(plant, none, production, consumption)
                if is_off_grid
                else _on_grid(none, production, consumption, may_discharge=False)
            )
            yield step._replace(stored=battery.stored)
        elif is_off_grid:
            yield _off_grid(plant, battery, production, consumption)
        elif calibration and first <= index < last:
            yield _to_the_reserve(battery, production, consumption)
            if index == last - 1:
                battery.stored = battery.reserve
                if contacts is not None:
                    contacts.close()
        elif battery.empties:
            yield _to_the_reserve(battery, production, consumption)
        else:
            may_discharge = battery.regime.may_discharge(index)
            yield _on_grid(
                battery, production, consumption, may_discharge=may_discharge
            )


def _on_grid(
    battery: Battery, production: int, consumption: int, *, may_discharge: bool
) -> Step:
    surplus = max(0, production - consumption)
    deficit = max(0, consumption - production)
    wanted = max(surplus, battery.missing) if battery.charges_from_grid else surplus
    charged = battery.charge(wanted)
    from_grid = max(0, charged - surplus)
    discharged = battery.discharge(deficit, battery.reserve) if may_discharge else 0
    return Step(
        production=production,
        consumption=consumption,
        imported=deficit - discharged + from_grid,
        exported=surplus - charged + from_grid,
        charged=charged,
        discharged=discharged,
        generated=0,
        stored=battery.stored,
    )


def _to_the_reserve(battery: Battery, production: int, consumption: int) -> Step:
    """Charge or discharge the battery to its reserve; the grid balances the rest."""
    charged = battery.charge(battery.missing)
    discharged = battery.discharge(battery.capacity, battery.reserve)
    net = consumption + charged - production - discharged
    return Step(
        production=production,
        consumption=consumption,
        imported=max(0, net),
        exported=max(0, -net),
        charged=charged,
        discharged=discharged,
        generated=0,
        stored=battery.stored,
    )


def _off_grid(
    plant: Plant, battery: Battery, production: int, consumption: int
) -> Step:
    """Supply the home without a grid: curtail excess production, shed excess load.

    Without a battery to form a grid, the panels are off. Below half of the charge a
    generator supplies the home, and charges the battery with the rest of its power.
    """
    production = production if battery.capacity else 0
    direct = min(production, consumption)
    deficit = consumption - direct
    stored_by_sun = battery.charge(production - direct)
    served = stored_by_generator = 0
    if battery.stored * 100 <= battery.capacity * _GENERATOR_START_PERCENT:
        able = plant.generator_w * STEP // HOUR
        served = min(deficit, able)
        stored_by_generator = 0 if stored_by_sun else battery.charge(able - served)
    discharged = battery.discharge(deficit - served, battery.shutdown)
    return Step(
        production=direct + stored_by_sun,
        consumption=direct + served + discharged,
        imported=0,
        exported=0,
        charged=stored_by_sun + stored_by_generator,
        discharged=discharged,
        generated=served + stored_by_generator,
        stored=battery.stored,
    )
