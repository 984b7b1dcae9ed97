"""Which alarms are open, and of which of them the user was notified."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, NamedTuple, Self

from ..json_values import optional, record
from .system_events import SystemEvent, read_rows


class AlarmChange(StrEnum):
    """How an alarm changed; also the type of the event that notifies the user."""

    OPENED = "opened"
    CLEARED = "cleared"


class AlarmNews(NamedTuple):
    """One alarm that was opened or cleared."""

    change: AlarmChange
    alarm: SystemEvent


@dataclass(frozen=True, slots=True)
class OpenAlarms:
    """The open alarms of the newest response, and those the user was notified of.

    The id of an alarm differs between documents, so its type and its start identify it.
    `notified` is None before the first response: alarms that are open by then cause no
    event.
    """

    listed: tuple[SystemEvent, ...] = ()
    notified: tuple[SystemEvent, ...] | None = None

    def with_response(self, listed: Iterable[SystemEvent]) -> Self:
        """Return the state after a response with these open alarms."""
        now_open = tuple({each.key: each for each in listed}.values())
        notified = now_open if self.notified is None else self.notified
        return replace(self, listed=now_open, notified=notified)

    def news(self) -> tuple[AlarmNews, ...]:
        """Return the changes to notify the user of: cleared first, oldest first.

        An alarm that opened and cleared between two notifications is not included.
        """
        before = {each.key: each for each in self.notified or ()}
        now = {each.key: each for each in self.listed}
        cleared = [before[key] for key in sorted(before.keys() - now.keys(), key=_age)]
        opened = [now[key] for key in sorted(now.keys() - before.keys(), key=_age)]
        return (
            *(AlarmNews(AlarmChange.CLEARED, each) for each in cleared),
            *(AlarmNews(AlarmChange.OPENED, each) for each in opened),
        )

    def with_all_notified(self) -> Self:
        """Return the state after the user was notified of all changes."""
        return self if self.notified is None else replace(self, notified=self.listed)

    def as_dict(self) -> dict[str, Any]:
        """Return the state as JSON."""
        notified = self.notified
        return {
            "listed": [each.as_row() for each in self.listed],
            "told": None if notified is None else [each.as_row() for each in notified],
        }

    @classmethod
    def from_dict(cls, data: object) -> Self:
        """Read what `as_dict` returned; raises ValueError where that is damaged."""
        stored = record(data)
        return cls(read_rows(stored["listed"]), optional(read_rows, stored["told"]))


def _age(key: tuple[int, Any]) -> tuple[Any, int]:
    return key[1], key[0]
