"""Compare what the integration tells of panels with what befell them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from statistics import median
from typing import Final

from custom_components.enphase_cloud.measurements.panel_health import (
    PanelDay,
    PanelHealth,
)
from custom_components.enphase_cloud.measurements.panel_history import PanelState

from .faults import Event, Kind
from .plant import Plant

# Sunny days within which a fault is to be told, and to be forgotten after a repair.
LIMITS: Final = {Kind.DEAD: 1, Kind.WEAK: 7}
_FORGOTTEN_AFTER: Final = 3
_SUNNY: Final = 0.4
_LATELY: Final = 30
_DARK_DAY: Final = 100.0


@dataclass(slots=True)
class Found:
    """A fault: the full sunny days that it lasted untold, and when it was told."""

    event: Event
    sunny_days: int = 0
    since_end: int = 0
    told_on: date | None = None

    @property
    def counts(self) -> bool:
        """Return whether it was told, or lasted long enough to be."""
        limit = LIMITS[self.event.kind]
        return self.told_on is not None or self.sunny_days >= limit

    @property
    def is_missed(self) -> bool:
        """Return whether it was not told in time."""
        return self.told_on is None or self.sunny_days > LIMITS[self.event.kind]

    @property
    def days(self) -> int:
        """Return the days until the morning on which it is told."""
        told = self.told_on or self.event.last
        return (told - self.event.start.date()).days + 1

    def follow(self, day: date, told: PanelState, *, is_sunny: bool) -> None:
        """Note what is told of the panel at the end of a day."""
        event, first = self.event, self.event.start.date()
        self.since_end += is_sunny and day > event.last
        if self.told_on is None and first <= day <= event.last:
            self.sunny_days += is_sunny and day > first
            is_weak = event.kind is Kind.WEAK and told is PanelState.WEAK
            if told is PanelState.DEAD or is_weak:
                self.told_on = day

    def excuses(self, day: date) -> bool:
        """Tell whether this explains that the panel is told to be ill."""
        event = self.event
        if event.start.date() <= day <= event.last:
            return True
        is_over = event.last < day <= event.last + timedelta(days=_LATELY)
        return is_over and self.since_end <= _FORGOTTEN_AFTER


@dataclass(slots=True)
class Result:
    """What came out of all plants."""

    panel_years: float = 0.0
    false_alarms: list[str] = field(default_factory=list)
    faults: list[Found] = field(default_factory=list)

    def of(self, kind: Kind) -> list[Found]:
        """Return the faults of a kind that count."""
        return [each for each in self.faults if each.event.kind is kind and each.counts]


def measure(plants: Iterable[Plant]) -> Result:
    """Let plants live, and tell what was found and what was not."""
    result = Result()
    for plant in plants:
        faults = [Found(event) for event in plant.fate.events if event.kind in LIMITS]
        result.faults += faults
        _live(plant, faults, result)
    return result


def _live(plant: Plant, faults: list[Found], result: Result) -> None:
    health, medians = PanelHealth(), list[float]()
    before: dict[str, PanelState] = {}
    for day in plant.days():
        medians.append(median(day.energies.values()))
        best = max(medians[-_LATELY:])
        is_sunny = medians[-1] >= max(_DARK_DAY, _SUNNY * best)
        health = health.after(
            day.date, {key: PanelDay(energy) for key, energy in day.energies.items()}
        )
        states = {key: health.state(key) for key in day.energies}
        for fault in faults:
            told = states[day.serials[fault.event.position]]
            fault.follow(day.date, told, is_sunny=is_sunny)
        excused = {each.event.position for each in faults if each.excuses(day.date)}
        for position, serial in day.serials.items():
            state = states[serial]
            is_new = state is not before.get(serial, PanelState.SOUND)
            if is_new and state is not PanelState.SOUND and position not in excused:
                result.false_alarms.append(
                    f"{plant.name} {day.date} {position} {state}"
                )
        before = states
        result.panel_years += len(states) / 365
