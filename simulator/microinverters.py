"""The microinverters of a system, one per panel, and their faults."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from .moments import STEP, Window, epoch
from .parts import Silence
from .physics import Mark, Plant, Weakness

_FIRST_SERIAL = 482_000_000_000
_SERIALS_OF_A_GENERATION = 1_000_000_000
_FIRST_NUMBER = 100


@dataclass(frozen=True, slots=True)
class Microinverter:
    """A microinverter at a position, from 1, `since` a moment.

    `generation` is the number of earlier ones at its position.
    """

    position: int
    generation: int
    serial: str
    device_id: int
    since: int

    @property
    def part(self) -> str:
        """Return its name as a part."""
        return f"panel {self.serial}"


@dataclass(slots=True, kw_only=True, eq=False)
class PanelOwner:
    """A system with panels.

    The serial number of its microinverter identifies a panel; an unknown one raises
    KeyError. Changes of production begin with the next step of 5 minutes. With
    `show_retired`, retired panels stay listed.
    """

    system_id: int
    plant: Plant
    silences: list[Silence] = field(default_factory=list)
    show_retired: bool = False

    @property
    def modules(self) -> int:
        """Return the number of positions of panels."""
        return self.plant.roof.modules

    @modules.setter
    def modules(self, modules: int) -> None:
        roof = replace(self.plant.roof, modules=modules)
        self.plant = replace(self.plant, roof=roof)

    @property
    def active_modules(self) -> int:
        """Return the number of panels that are not retired."""
        return self.modules - len({each.position for each in self.plant.roof.retired})

    @property
    def microinverters(self) -> list[Microinverter]:
        """Return the listed microinverters in the order of their positions."""
        return list(self._microinverters())

    def _microinverters(self) -> Iterator[Microinverter]:
        roof = self.plant.roof
        retired = (
            set() if self.show_retired else {each.position for each in roof.retired}
        )
        for position in range(1, roof.modules + 1):
            if position in retired:
                continue
            swaps = [each.at for each in roof.replaced if each.position == position]
            yield self._microinverter(position, swaps)

    def _microinverter(self, position: int, swaps: list[int]) -> Microinverter:
        generation = len(swaps)
        first = _FIRST_SERIAL + self.system_id * 100
        serial = first + position + generation * _SERIALS_OF_A_GENERATION
        number = self.system_id * 1_000 + _FIRST_NUMBER + position
        return Microinverter(
            position=position,
            generation=generation,
            serial=str(serial),
            device_id=number + generation * 10**12,
            since=max(swaps, default=0),
        )

    def break_panel(self, serial: str, at: datetime, ratio: float = 0.0) -> None:
        """Reduce a panel to a share of its possible production: 0 is dead."""
        self.repair_panel(serial, at)
        position = self.microinverter(serial).position
        weakness = Weakness(position, ratio, Window(_next_step(at)))
        roof = self.plant.roof
        self._change(weaknesses=(*roof.weaknesses, weakness))

    def repair_panel(self, serial: str, at: datetime) -> None:
        """Restore the full production of a panel."""
        position = self.microinverter(serial).position
        self._end_weakness(position, _next_step(at))

    def replace_panel(self, serial: str, at: datetime) -> str:
        """Replace a microinverter by one without faults; return its serial number.

        The old one disappears from lists; the lifetime energy of the new one is zero.
        """
        position = self.microinverter(serial).position
        moment = _next_step(at)
        self._end_weakness(position, moment)
        roof = self.plant.roof
        self._change(replaced=(*roof.replaced, Mark(position, moment)))
        return next(
            each.serial for each in self.microinverters if each.position == position
        )

    def retire_panel(self, serial: str, at: datetime) -> None:
        """Retire a panel; it disappears from lists unless `show_retired` is set."""
        mark = Mark(self.microinverter(serial).position, _next_step(at))
        self._change(retired=(*self.plant.roof.retired, mark))

    def silence_panel(self, serial: str, at: datetime) -> None:
        """Stop the reports of a microinverter, but not its production."""
        part = self.microinverter(serial).part
        self.silences.append(Silence(part, Window(epoch(at))))

    def resume_panel(self, serial: str, at: datetime) -> None:
        """Resume the reports of a microinverter."""
        part = self.microinverter(serial).part
        self.silences = [
            replace(each, window=Window(each.window.start, epoch(at)))
            if each.part == part and each.window.end is None
            else each
            for each in self.silences
        ]

    def is_silent(self, micro: Microinverter, moment: int) -> bool:
        """Return whether a microinverter does not report at a moment."""
        return any(
            each.part == micro.part and moment in each.window for each in self.silences
        )

    def let_it_snow(self, start: datetime, end: datetime | None = None) -> None:
        """Cover all panels with snow until `end`, or without an end."""
        window = Window(_next_step(start), None if end is None else _next_step(end))
        self.plant = replace(self.plant, snow=(*self.plant.snow, window))

    def let_it_thaw(self, at: datetime) -> None:
        """Clear the current snow at a moment."""
        moment = _next_step(at)
        snow = tuple(
            Window(window.start, moment) if moment in window else window
            for window in self.plant.snow
        )
        self.plant = replace(self.plant, snow=snow)

    def microinverter(self, serial: str) -> Microinverter:
        """Return the listed microinverter with a serial number; raises KeyError."""
        return {each.serial: each for each in self.microinverters}[serial]

    def _end_weakness(self, position: int, moment: int) -> None:
        weaknesses = (
            replace(each, window=Window(each.window.start, moment))
            if each.position == position and moment in each.window
            else each
            for each in self.plant.roof.weaknesses
        )
        self._change(weaknesses=tuple(weaknesses))

    def _change(self, **changes: object) -> None:
        roof = replace(self.plant.roof, **changes)  # type: ignore[arg-type]
        self.plant = replace(self.plant, roof=roof)


def _next_step(moment: datetime) -> int:
    return -(-epoch(moment) // STEP) * STEP
