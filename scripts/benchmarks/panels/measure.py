"""Compare the reported states of panels with their simulated faults."""

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

# Sunny days within which a fault must be reported, or a report be withdrawn.
LIMITS: Final = {Kind.DEAD: 1, Kind.WEAK: 7}
_FORGOTTEN_AFTER: Final = 3
_SUNNY: Final = 0.4
_LATELY: Final = 30
_DARK_DAY: Final = 100.0


@dataclass(slots=True)
class Found:
    """A fault: its full sunny days without a report, and the day of its report."""

    event: Event
    sunny_days: int = 0
    since_end: int = 0
    reported_on: date | None = None

    @property
    def counts(self) -> bool:
        """Return whether it was reported, or lasted long enough for a report."""
        limit = LIMITS[self.event.kind]
        return self.reported_on is not None or self.sunny_days >= limit

    @property
    def is_missed(self) -> bool:
        """Return whether it was not reported in time."""
        return self.reported_on is None or self.sunny_days > LIMITS[self.event.kind]

    @property
    def days(self) -> int:
        """Return the days until the morning of its report."""
        last = self.reported_on or self.event.last
        return (last - self.event.start.date()).days + 1

    def follow(self, day: date, reported: PanelState, *, is_sunny: bool) -> None:
        """Note the panel's reported state at the end of a day."""
        event, first = self.event, self.event.start.date()
        self.since_end += is_sunny and day > event.last
        if self.reported_on is None and first <= day <= event.last:
            self.sunny_days += is_sunny and day > first
            is_weak = event.kind is Kind.WEAK and reported is PanelState.WEAK
            if reported is PanelState.DEAD or is_weak:
                self.reported_on = day

    def excuses(self, day: date) -> bool:
        """Tell whether this fault explains a report about the panel."""
        event = self.event
        if event.start.date() <= day <= event.last:
            return True
        is_over = event.last < day <= event.last + timedelta(days=_LATELY)
        return is_over and self.since_end <= _FORGOTTEN_AFTER


@dataclass(slots=True)
class Result:
    """The results of all plants."""

    panel_years: float = 0.0
    false_alarms: list[str] = field(default_factory=list)
    faults: list[Found] = field(default_factory=list)

    def of(self, kind: Kind) -> list[Found]:
        """Return the faults of a kind that count."""
        return [each for each in self.faults if each.event.kind is kind and each.counts]


def measure(plants: Iterable[Plant]) -> Result:
    """Simulate plants, and compare reports with faults."""
    result = Result()
    for plant in plants:
        faults = [
            Found(event) for event in plant.scenario.events if event.kind in LIMITS
        ]
        result.faults += faults
        _live(plant, faults, result)
    return result


def _live(plant: Plant, faults: list[Found], result: Result) -> None:
    health, medians = PanelHealth(), list[float]()
    before: dict[str, PanelState] = {}
    for day in plant.days():
        medians.append(median(day.energy.values()))
        best = max(medians[-_LATELY:])
        is_sunny = medians[-1] >= max(_DARK_DAY, _SUNNY * best)
        health = health.after(
            day.date, {key: PanelDay(energy) for key, energy in day.energy.items()}
        )
        states = {key: health.state(key) for key in day.energy}
        for fault in faults:
            reported = states[day.serials[fault.event.position]]
            fault.follow(day.date, reported, is_sunny=is_sunny)
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
