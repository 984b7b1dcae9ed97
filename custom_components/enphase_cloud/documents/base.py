"""What a row of the table of documents says."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
import math
from typing import Any, Final, NamedTuple

from ..api.endpoints import Endpoint
from ..measurements.board import Board
from ..measurements.catalog import Measurement, Source
from ..measurements.inventory import Inventory
from ..measurements.samples import Samples
from ..measurements.system import SYSTEM, Device, DeviceKind, SystemInfo

type Report = Mapping[Device, Samples]
"""What an answer says of the system and of its devices."""

HOURLY: Final = timedelta(hours=1)
DAILY: Final = timedelta(days=1)
WEEKLY: Final = timedelta(days=7)
ONCE: Final = timedelta(days=36_500)
"""As good as never again."""
# How often what may be requested several times a day is, by the calls that a system has
# for a month: four documents take a third of them at most.
_PACES: Final = ((10_000, HOURLY), (1_500, timedelta(hours=6)))


class Group(StrEnum):
    """Documents that the user switches on and off together."""

    DEVICES = "devices"
    PANELS = "panels"
    ALARMS = "alarms"
    EV_CHARGER = "ev_charger"
    SETTINGS = "settings"


class Known(NamedTuple):
    """What a reader knows beside the answer, which is of the `device`."""

    info: SystemInfo
    board: Board
    fetched_at: datetime
    device: Device = SYSTEM


class EachDevice(NamedTuple):
    """Asks for a document of each device of a kind that another document told of."""

    kind: DeviceKind
    told_by: Source

    def devices(self, board: Board) -> list[Device]:
        """Return the devices to ask for, in an order that stays."""
        told = board.told_by(self.told_by)
        return sorted(
            (device for device in told if device.kind is self.kind),
            key=lambda device: device.key,
        )

    def expected(self, board: Board) -> int:
        """Return of how many devices it is about, before that document told any."""
        known = board.devices() | board.inventory.keys()
        of_kind = sum(device.kind is self.kind for device in known)
        return len(self.devices(board)) or of_kind


def no_query(_known: Known) -> Mapping[str, str | int]:
    """Return the query of a document that takes none."""
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Document[AnswerT]:
    """A document of the cloud: how to request it, when, and what it says.

    A document without a `period` is polled as often as calls allow, by its weight
    (scheduling/weights.py). One with a period is an errand: requested once in it, and
    soon after what `cue` returns has changed. `site_query` names the system in the
    query; an endpoint with pages is read to its last one. One with `each` is requested
    for each device, whose serial number the path takes. `budgeted` is how often calls
    are set aside where cues come more often than the period.
    """

    source: Source
    endpoint: Endpoint[Any]
    read: Callable[[AnswerT, Known], Report]
    # Whether other documents show the system to have what this one tells.
    is_expected: Callable[[Board], bool] = lambda _board: True
    # What the board learns from an answer before it is read.
    learn: Callable[[AnswerT, Known], None] | None = None
    is_optional: bool = True
    period: timedelta | None = None
    group: Group | None = None
    cue: Callable[[Board], str] | None = None
    inventory: Callable[[AnswerT], Inventory] | None = None
    # Kinds of which the inventory has all; what it lacks thrice is gone.
    lists_all: frozenset[DeviceKind] = frozenset()
    # Whether it is requested rarely, where it was refused, to see whether it still is.
    probes: bool = False
    # Requested weekly until there is a device of this kind.
    waits_for: DeviceKind | None = None
    site_query: bool = False
    each: EachDevice | None = None
    query: Callable[[Known], Mapping[str, str | int]] = no_query
    budgeted: timedelta | None = None

    def devices(self, board: Board) -> list[Device]:
        """Return what the document is requested for: the system, or devices of it."""
        return [SYSTEM] if self.each is None else self.each.devices(board)

    @property
    def is_short(self) -> bool:
        """Tell whether an answer holds no more than a few devices."""
        return self.endpoint.page_size is None and not self.lists_all

    def digest(self, answer: AnswerT, known: Known) -> tuple[Inventory | None, Report]:
        """Learn from an answer; return the devices that it lists, and what it says."""
        listed = None if self.inventory is None else self.inventory(answer)
        if self.learn is not None:
            self.learn(answer, known)
        return listed, self.read(answer, known)

    def period_of(self, board: Board, calls: float) -> timedelta | None:
        """Return how long apart requests are, where a system has so many calls a month.

        None where there is no period.
        """
        if self.period is None or self.period >= DAILY:
            return self.period
        kind = self.waits_for
        if kind and not any(device.kind is kind for device in board.inventory):
            return WEEKLY
        return next(
            (max(pace, self.period) for least, pace in _PACES if calls >= least), DAILY
        )

    def calls_per_day(self, board: Board, calls: float = math.inf) -> float | None:
        """Return the API calls of a day for an errand; None where there is no period.

        `calls` is what a system has for a month. A page holds so many microinverters.
        """
        if (period := self.period_of(board, calls)) is None:
            return None
        if not self.is_expected(board):
            return 0.0
        days = (self.budgeted or period) / DAILY
        if self.each is not None:
            return self.each.expected(board) / days
        modules = board.newest().get(Measurement.MODULES)
        items = max(1, int(modules.value)) if modules is not None else 1
        pages = math.ceil(items / (self.endpoint.page_size or items))
        return max(1, pages) / days


type AnyDocument = Document[Any]
