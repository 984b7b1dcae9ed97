"""The equipment of a site: panels, batteries, generator, chargers and heat pump."""

from dataclasses import dataclass, field, replace
from datetime import date

from simulator.moments import DAY, STEP, Window

from .loads import LoadOrder
from .regimes import ActiveMode, BatteryMode, Order, Regime
from .roof import Roof


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """A battery made of equal units.

    In daily operation the charge stays between the reserve and full; without the grid
    it may fall to the shutdown level. Losses occur in charging; standby consumption of
    the units (`standby_w`) reduces the charge down to the reserve. The units exist from
    `installed` to `removed`, both multiples of 5 minutes or None. `departures` are
    removals of single units: the number, from 1, and the moment; their capacity and
    power are missing from the next midnight on. The units follow `mode`,
    `reserve_percent` and the newest of the sorted `orders`.
    """

    units: int = 2
    unit_capacity_wh: int = 5_000
    unit_power_w: int = 3_840
    reserve_percent: int = 20
    shutdown_percent: int = 5
    efficiency_percent: int = 90
    standby_w: int = 0
    mode: BatteryMode = "Self-consumption"
    installed: int | None = None
    removed: int | None = None
    departures: tuple[tuple[int, int], ...] = ()
    orders: tuple[Order, ...] = ()

    @property
    def regime(self) -> Regime:
        """Return the regime before the first order."""
        return Regime(self.mode, self.reserve_percent)

    def mode_at(self, moment: float) -> ActiveMode:
        """Return the mode that is in force at a moment."""
        return self.regime_at(moment).mode if self.orders else self.mode

    def regime_at(self, moment: float) -> Regime:
        """Return the regime that is in force at a moment."""
        for order in reversed(self.orders):
            if order.at <= moment:
                return order.regime
        return self.regime

    def with_order(self, order: Order) -> Storage:
        """Return the units with an order, which replaces all later ones."""
        earlier = tuple(each for each in self.orders if each.at < order.at)
        return replace(self, orders=(*earlier, order))

    def is_there(self, moment: int) -> bool:
        """Return whether the units are installed at a moment."""
        since = self.installed is None or self.installed <= moment
        return since and (self.removed is None or moment < self.removed)

    def units_at(self, moment: int) -> list[int]:
        """Return the numbers of the remaining units at a moment."""
        gone = {unit for unit, at in self.departures if at <= moment}
        return [unit for unit in range(1, self.units + 1) if unit not in gone]

    def as_of(self, moment: int) -> Storage:
        """Return the remaining units at a moment."""
        if not self.departures:
            return self
        return replace(self, units=len(self.units_at(moment)), departures=())

    def before(self, end: int) -> Storage:
        """Return the units without changes from a moment on."""
        removed = self.removed
        if removed is not None and removed >= end:
            removed = None
        departures = tuple(each for each in self.departures if each[1] < end)
        orders = self.orders and tuple(each for each in self.orders if each.mark < end)
        if (removed, departures, orders) == (
            self.removed,
            self.departures,
            self.orders,
        ):
            return self
        return replace(self, removed=removed, departures=departures, orders=orders)

    @property
    def capacity_wh(self) -> int:
        """Return the capacity of all units."""
        return self.units * self.unit_capacity_wh

    @property
    def power_w(self) -> int:
        """Return the largest power of all units, for charge and discharge."""
        return self.units * self.unit_power_w


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class ChargingSession:
    """A car at a charger from `start` to `end`, in epoch seconds.

    It charges the `wanted` Wh from `charges_at` on.
    """

    start: int
    end: int
    charges_at: int
    wanted: int


@dataclass(frozen=True, slots=True)
class Command:
    """A command to charge at a share of the power [%], 0 to stop.

    It affects the car that is plugged in, from the next multiple of 5 minutes on.
    """

    at: int
    level: int

    @property
    def mark(self) -> int:
        """Return when it takes effect."""
        return -(-self.at // STEP) * STEP


@dataclass(frozen=True, slots=True, kw_only=True)
class Charger:
    """A charger for a car; without `sessions` they are random.

    `habit` is the share of evenings with a random session. `visits` are further
    sessions, which prevent random ones at the same time. A car follows the newest of
    the sorted `commands`. Until it charges it discharges `returns_w` to the home, but
    no more than the home uses.
    """

    serial: str
    power_w: int = 7_680
    habit: float = 0.6
    returns_w: int = 0
    sessions: tuple[ChargingSession, ...] | None = None
    visits: tuple[ChargingSession, ...] = ()
    commands: tuple[Command, ...] = ()

    def before(self, end: int) -> Charger:
        """Return the charger without the visits and commands from a moment on."""
        visits = tuple(each for each in self.visits if each.start < end)
        commands = tuple(each for each in self.commands if each.mark < end)
        if (visits, commands) == (self.visits, self.commands):
            return self
        return replace(self, visits=visits, commands=commands)

    @property
    def longest_days(self) -> int:
        """Return the largest number of midnights in a session."""
        known = (*(self.sessions or ()), *self.visits)
        longest = max((each.end - each.start for each in known), default=0)
        return 1 + longest // DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Heating:
    """A heat pump for heating and hot water; it runs at `power_w` or not at all.

    Heating takes `loss_w_per_degree` for each degree that it is colder outside, hot
    water `water_wh` a day.
    """

    power_w: int = 2_400
    loss_w_per_degree: int = 60
    water_wh: int = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """All parameters of the flows of energy at a site.

    In the windows of `snow` the panels are covered; production decreases by
    `ageing_percent` a year. The consumption includes `chargers` and `heating`; the
    newest of the sorted `load_orders` switches parts of it off.
    """

    seed: int
    time_zone: str
    latitude: float
    longitude: float
    commissioned: date
    size_w: int
    load_scale: float = 1.0
    storage: Storage | None = None
    generator_w: int = 0
    outages: tuple[Window, ...] = ()
    roof: Roof = field(default_factory=Roof)
    snow: tuple[Window, ...] = ()
    ageing_percent: float = 0.0
    chargers: tuple[Charger, ...] = ()
    heating: Heating | None = None
    load_orders: tuple[LoadOrder, ...] = ()

    def before(self, end: int) -> Plant:
        """Return the plant without changes from a moment on.

        It is the key of cached days, so that later changes do not invalidate them.
        """
        outages, snow = _begun(self.outages, end), _begun(self.snow, end)
        storage = self.storage and self.storage.before(end)
        roof = self.roof.before(end)
        chargers = self.chargers
        if any(charger.commands or charger.visits for charger in chargers):
            chargers = tuple(charger.before(end) for charger in chargers)
        orders = self.load_orders and tuple(
            each for each in self.load_orders if each.mark < end
        )
        if (
            (outages, snow, chargers, orders)
            == (self.outages, self.snow, self.chargers, self.load_orders)
            and storage is self.storage
            and roof is self.roof
        ):
            return self
        return replace(
            self,
            outages=outages,
            snow=snow,
            storage=storage,
            roof=roof,
            chargers=chargers,
            load_orders=orders,
        )


def _begun(windows: tuple[Window, ...], end: int) -> tuple[Window, ...]:
    return tuple(window for window in windows if window.start < end)
