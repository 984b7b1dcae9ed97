"""Events and alarms of a system, and their types."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from .moments import epoch


@dataclass(frozen=True, slots=True)
class EventType:
    """A type of events; events of a stateful type are open until they are cleared."""

    number: int
    key: str
    name: str
    description: str
    advice: str
    stateful: bool = True


EVENT_TYPES = (
    EventType(
        101,
        "gateway_silent",
        "Gateway is silent",
        "The gateway has not reported for a long time.",
        "Check whether the gateway and the router have power, and whether other "
        "devices at the site reach the Internet.",
    ),
    EventType(
        102,
        "micro_silent",
        "Microinverter is silent",
        "A microinverter does not report although the sun shines.",
        "Wait for a sunny day. If it stays silent, ask an installer to look at it.",
    ),
    EventType(
        103,
        "micro_no_power",
        "Microinverter gives no power",
        "A microinverter reports, but its panel has no production by day.",
        "Ask an installer to look at the panel and its connectors.",
    ),
    EventType(
        104,
        "battery_hot",
        "Battery is hot",
        "A battery is hotter than it should be and limits its power.",
        "Let air reach the battery. It recovers without help.",
    ),
    EventType(
        105,
        "meter_silent",
        "Meter is silent",
        "A meter does not report to the gateway.",
        "Ask an installer to look at the meter's clamps.",
    ),
    EventType(
        106,
        "grid_gone",
        "Grid is gone",
        "The site lives on its own.",
        "Nothing has to be done. It ends with the outage.",
    ),
    EventType(
        107,
        "gateway_restarted",
        "Gateway has restarted",
        "The gateway restarted, for an update or after a loss of power.",
        "Nothing has to be done.",
        stateful=False,
    ),
)
"""Invented numbers, keys and texts: those of the cloud are not documented."""

WARNING = 3


@dataclass(slots=True, kw_only=True, eq=False)
class SystemEvent:
    """An event of each of `serials`, and their alarm, if any.

    `severity` is 1, the most severe, to 6; None without an alarm.
    """

    number: int
    event_type: EventType
    severity: int | None
    serials: tuple[str, ...]
    start: int
    end: int | None = None

    @property
    def is_alarm(self) -> bool:
        """Return whether there is an alarm."""
        return self.severity is not None

    def end_by(self, now: int) -> int | None:
        """Return the end if it is not in the future."""
        return self.end if self.end is not None and self.end <= now else None


class EventLog:
    """The events and alarms of a system, oldest first."""

    def __init__(self) -> None:
        """Begin with none."""
        self._all: list[SystemEvent] = []

    def __iter__(self) -> Iterator[SystemEvent]:
        """Return all of them."""
        return iter(self._all)

    def begin(
        self,
        event_type: int | str,
        at: datetime,
        *,
        severity: int | None,
        serials: Iterable[str],
    ) -> int:
        """Start an event of devices; return its number.

        `event_type` is the number or key of a type; raises KeyError if it is unknown.
        """
        number = len(self._all) + 1
        self._all.append(
            SystemEvent(
                number=number,
                event_type=find_type(event_type),
                severity=severity,
                serials=tuple(serials),
                start=epoch(at),
            )
        )
        return number

    def end(self, number: int, at: datetime) -> None:
        """End one by its number; raises KeyError if it is unknown."""
        known = {each.number: each for each in self._all}
        known[number].end = epoch(at)


def find_type(name: int | str) -> EventType:
    """Return a type of events by its number or key; raises KeyError."""
    for each in EVENT_TYPES:
        if name in {each.number, each.key}:
            return each
    raise KeyError(name)
