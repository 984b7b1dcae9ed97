"""The microinverters of a system, one under each panel, and what befalls them."""

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
    """A microinverter at a position, counted from 1, since a moment.

    `generation` counts those that were at its position before.
    """

    position: int
    generation: int
    serial: str
    device_id: int
    since: int

    @property
    def part(self) -> str:
        """Return how a silence names it."""
        return f"panel {self.serial}"


@dataclass(slots=True, kw_only=True, eq=False)
class PanelOwner:
    """What a system tells and changes about its panels.

    A panel is named by the serial number of its microinverter. Changes of what it
    gives begin with the step of five minutes after the moment. A serial number that
    is not there raises KeyError. With `show_retired` panels stay listed when they are
    out of use.
    """

    system_id: int
    plant: Plant
    silences: list[Silence] = field(default_factory=list)
    show_retired: bool = False

    @property
    def modules(self) -> int:
        """Return how many places for panels there are."""
        return self.plant.roof.modules

    @modules.setter
    def modules(self, modules: int) -> None:
        roof = replace(self.plant.roof, modules=modules)
        self.plant = replace(self.plant, roof=roof)

    @property
    def active_modules(self) -> int:
        """Return how many panels are in use."""
        return self.modules - len({each.position for each in self.plant.roof.retired})

    @property
    def microinverters(self) -> list[Microinverter]:
        """Return the microinverters that are listed, by their position."""
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
        """Let a panel give only a share of what it could: 0 is dead, 0.6 is weak."""
        self.repair_panel(serial, at)
        position = self.microinverter(serial).position
        weakness = Weakness(position, ratio, Window(_next_step(at)))
        roof = self.plant.roof
        self._change(weaknesses=(*roof.weaknesses, weakness))

    def repair_panel(self, serial: str, at: datetime) -> None:
        """Let a panel give all it can again."""
        position = self.microinverter(serial).position
        self._end_weakness(position, _next_step(at))

    def replace_panel(self, serial: str, at: datetime) -> str:
        """Put a new, sound microinverter in one's place; return its serial number.

        The old one is listed no more, and the new one has produced nothing yet.
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
        """Take a panel out of use for good.

        It is listed no more, unless the system shows those that are retired.
        """
        mark = Mark(self.microinverter(serial).position, _next_step(at))
        self._change(retired=(*self.plant.roof.retired, mark))

    def silence_panel(self, serial: str, at: datetime) -> None:
        """Let a microinverter report no more; what it gives, it gives still."""
        part = self.microinverter(serial).part
        self.silences.append(Silence(part, Window(epoch(at))))

    def let_panel_speak(self, serial: str, at: datetime) -> None:
        """Let a silent microinverter report again."""
        part = self.microinverter(serial).part
        self.silences = [
            replace(each, window=Window(each.window.start, epoch(at)))
            if each.part == part and each.window.end is None
            else each
            for each in self.silences
        ]

    def is_silent(self, micro: Microinverter, moment: int) -> bool:
        """Tell whether a microinverter does not report at a moment."""
        return any(
            each.part == micro.part and moment in each.window for each in self.silences
        )

    def let_it_snow(self, start: datetime, end: datetime | None = None) -> None:
        """Cover all panels with snow, until a moment or until further notice."""
        window = Window(_next_step(start), None if end is None else _next_step(end))
        self.plant = replace(self.plant, snow=(*self.plant.snow, window))

    def let_it_thaw(self, at: datetime) -> None:
        """End all snow that lies, at a moment."""
        moment = _next_step(at)
        snow = tuple(
            Window(window.start, moment) if moment in window else window
            for window in self.plant.snow
        )
        self.plant = replace(self.plant, snow=snow)

    def microinverter(self, serial: str) -> Microinverter:
        """Return the microinverter that is listed with a serial number."""
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
