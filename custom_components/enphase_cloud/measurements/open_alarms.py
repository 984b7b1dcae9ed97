"""Which alarms are open, and which of them were told already."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, NamedTuple, Self

from ..json_values import optional, record
from .happenings import Happening, read_rows


class AlarmChange(StrEnum):
    """What is new of an alarm; also the type of the event that tells it."""

    OPENED = "opened"
    CLEARED = "cleared"


class AlarmNews(NamedTuple):
    """One alarm that was opened or cleared."""

    change: AlarmChange
    alarm: Happening


@dataclass(frozen=True, slots=True)
class OpenAlarms:
    """The alarms that the newest answer lists, and those that were told to be open.

    An alarm has ids of its own in each document, so its type and its beginning tell it
    from others. `told` is None before the first answer: what was open by then is no
    news.
    """

    listed: tuple[Happening, ...] = ()
    told: tuple[Happening, ...] | None = None

    def with_answer(self, listed: Iterable[Happening]) -> Self:
        """Return what is known after an answer."""
        now_open = tuple({each.key: each for each in listed}.values())
        told = now_open if self.told is None else self.told
        return replace(self, listed=now_open, told=told)

    def news(self) -> tuple[AlarmNews, ...]:
        """Return what is not told yet: first what is cleared, each from the oldest on.

        What was opened and cleared again since the last telling is no news.
        """
        told = {each.key: each for each in self.told or ()}
        listed = {each.key: each for each in self.listed}
        cleared = [told[key] for key in sorted(told.keys() - listed.keys(), key=_age)]
        opened = [listed[key] for key in sorted(listed.keys() - told.keys(), key=_age)]
        return (
            *(AlarmNews(AlarmChange.CLEARED, each) for each in cleared),
            *(AlarmNews(AlarmChange.OPENED, each) for each in opened),
        )

    def with_all_told(self) -> Self:
        """Return what is known once all news are told."""
        return self if self.told is None else replace(self, told=self.listed)

    def as_dict(self) -> dict[str, Any]:
        """Return it in a shape that JSON can hold."""
        told = self.told
        return {
            "listed": [each.as_row() for each in self.listed],
            "told": None if told is None else [each.as_row() for each in told],
        }

    @classmethod
    def from_dict(cls, data: object) -> Self:
        """Read what `as_dict` returned; raises ValueError where that is damaged."""
        stored = record(data)
        return cls(read_rows(stored["listed"]), optional(read_rows, stored["told"]))


def _age(key: tuple[int, Any]) -> tuple[Any, int]:
    return key[1], key[0]
