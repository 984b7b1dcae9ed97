"""Dry contacts, which switch parts of the consumption off."""

from simulator.moments import DAY

from .loads import Load
from .plant import Plant


class Contacts:
    """The dry contacts on a day."""

    def __init__(self, plant: Plant, start: int) -> None:
        """Begin a day with all contacts closed."""
        self._start = start
        self._has_generator = plant.generator_w > 0
        self._orders = {max(each.mark, start): each.loads for each in plant.load_orders}
        self._loads: tuple[Load, ...] = ()
        self._open: set[str] = set()

    def close(self) -> None:
        """Close the contacts that are open because of the battery level."""
        self._open.clear()

    def left(self, wanted: int, at: int, level: float | None, *, on_grid: bool) -> int:
        """Return the remaining Wh of the wanted ones at a battery level [%].

        Call it for all steps of the day, in order.
        """
        self._loads = self._orders.get(at, self._loads)
        shed = 0
        for load in self._loads:
            if not self._is_powered(load, at, level, on_grid=on_grid):
                shed += load.share_percent
        return wanted - wanted * min(shed, 100) // 100

    def _is_powered(
        self, load: Load, at: int, level: float | None, *, on_grid: bool
    ) -> bool:
        """Return whether a load is powered; a disabled one always is."""
        if load.mode == "Basic":
            return on_grid or load.status == "disabled"
        if load.status == "disabled" or load.mode == "Manual_always_powered":
            return True
        if load.mode == "Scheduled":
            return load.is_essential((at - self._start) % DAY)
        if load.mode == "Advanced_BatteryPowered":
            return self._is_powered_by_battery(load, level)
        if load.mode == "Advanced_GeneratorPowered":
            return on_grid or self._has_generator
        return False

    def _is_powered_by_battery(self, load: Load, level: float | None) -> bool:
        if level is None:
            return True
        if level <= load.soc_low:
            self._open.add(load.name)
        elif level >= load.soc_high:
            self._open.discard(load.name)
        return load.name not in self._open
