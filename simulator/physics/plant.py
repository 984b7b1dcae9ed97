"""What stands at a site: panels, batteries, generator, and how much is used."""

from dataclasses import dataclass, field, replace
from datetime import date

from simulator.moments import DAY, STEP, Window

from .loads import LoadOrder
from .regimes import ActiveMode, BatteryMode, Order, Regime
from .roof import Roof


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """A battery made of equal units.

    In daily operation the charge stays between the reserve and full; without the
    grid it may fall to the shutdown level. Losses are taken when charging, and what
    the units draw on standby (`standby_w`) of what they hold beyond the reserve.
    `installed` and `removed` are the moments, on marks of 5 minutes, between which the
    units are there; each None where there is none. Single units leave at the moments
    of `departures`, each a number counted from 1 and a moment; what they held and could
    do is missing from the next midnight on. They work by `mode`, `reserve_percent` and
    the newest of the `orders`, which are sorted.
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
        """Return the regime as long as nobody orders another one."""
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

    def obey(self, order: Order) -> Storage:
        """Return the units with an order, which replaces those for later moments."""
        earlier = tuple(each for each in self.orders if each.at < order.at)
        return replace(self, orders=(*earlier, order))

    def is_there(self, moment: int) -> bool:
        """Tell whether the units are installed at a moment."""
        since = self.installed is None or self.installed <= moment
        return since and (self.removed is None or moment < self.removed)

    def units_at(self, moment: int) -> list[int]:
        """Return the numbers of the units that are left at a moment."""
        gone = {unit for unit, at in self.departures if at <= moment}
        return [unit for unit in range(1, self.units + 1) if unit not in gone]

    def as_of(self, moment: int) -> Storage:
        """Return the units that are left at a moment."""
        if not self.departures:
            return self
        return replace(self, units=len(self.units_at(moment)), departures=())

    def before(self, end: int) -> Storage:
        """Return the units without what befalls them from a moment on."""
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
        """Return the energy that all units hold together."""
        return self.units * self.unit_capacity_wh

    @property
    def power_w(self) -> int:
        """Return the power at which all units together charge or discharge."""
        return self.units * self.unit_power_w


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class ChargingSession:
    """A car at a charger from `start` to `end`, in epoch seconds.

    From `charges_at` on it charges, until it has the `wanted` Wh.
    """

    start: int
    end: int
    charges_at: int
    wanted: int


@dataclass(frozen=True, slots=True)
class Command:
    """An order to charge at a share of the power [%], 0 to stop.

    It is obeyed from the next mark of 5 minutes on, by the car that is there.
    """

    at: int
    level: int

    @property
    def mark(self) -> int:
        """Return from when on it is obeyed."""
        return -(-self.at // STEP) * STEP


@dataclass(frozen=True, slots=True, kw_only=True)
class Charger:
    """A charger for a car; without `sessions` the car comes by habit.

    `habit` is the share of evenings on which it comes. With `visits` it comes at other
    times too, and by habit only when nobody is there. A car that is there obeys the
    newest of the `commands`, which are sorted. With `returns_w` it gives so much to the
    home until it charges, but no more than the home uses.
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
        """Return after how many midnights a session may still go on."""
        known = (*(self.sessions or ()), *self.visits)
        longest = max((each.end - each.start for each in known), default=0)
        return 1 + longest // DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Heating:
    """A heat pump: its power when it runs, and what it is there for.

    It keeps the home warm, for which it takes so many W for each degree that it is
    colder outside, and makes hot water, for which it takes so many Wh a day.
    """

    power_w: int = 2_400
    loss_w_per_degree: int = 60
    water_wh: int = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """Everything on which the flows of energy at a site depend.

    In the times of `snow` the panels are covered; each year they give less by
    `ageing_percent`. What the home uses includes what its `chargers` give to cars and
    what its `heating` takes. By the newest of the `load_orders`, which are sorted, some
    of that is switched off at times.
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
        """Return the plant without what befalls it from a moment on.

        What was computed of the days before stays known.
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
