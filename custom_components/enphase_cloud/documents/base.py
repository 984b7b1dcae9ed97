"""What a row of the table of documents says."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
import math
import re
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
QUARTERLY: Final = timedelta(minutes=15)
"""As often as gateways report."""
# How often what may be requested several times a day is, and the days of a month.
_PACES: Final = (QUARTERLY, HOURLY, timedelta(hours=6))
_MONTH: Final = 31
FIRST: Final = "1"
"""Names a device that no number does; there is at most one of its kind."""
REPORTED_AFTER_DUSK: Final = timedelta(minutes=30)
"""How long after dusk all of the day is told."""
# By day, one request is made at dawn, and one up to a period after all is told.
_EDGES: Final = 1.5
# What a path takes as a serial number.
_SERIAL: Final = re.compile(r"[A-Za-z0-9_-]+")


class Group(StrEnum):
    """Documents that the user switches on and off together."""

    DEVICES = "devices"
    PANELS = "panels"
    ALARMS = "alarms"
    EV_CHARGER = "ev_charger"
    SETTINGS = "settings"
    PANEL_TELEMETRY = "panel_telemetry"
    BATTERY_TELEMETRY = "battery_telemetry"
    APPLIANCES = "appliances"
    PRODUCTION_METERS = "production_meters"


OFF_AT_FIRST: Final = frozenset(
    {
        Group.PANEL_TELEMETRY,
        Group.BATTERY_TELEMETRY,
        Group.APPLIANCES,
        Group.PRODUCTION_METERS,
    }
)
"""Groups that new entries do not have either until the user wants them."""


class Known(NamedTuple):
    """What a reader knows beside the answer, which is of the `device`."""

    info: SystemInfo
    board: Board
    fetched_at: datetime
    device: Device = SYSTEM


class EachDevice(NamedTuple):
    """Requests a document for each device of a kind that has a serial number.

    `reported_by`: only devices that this source reports. `not_reported_by`: only
    devices that it does not report.
    """

    kind: DeviceKind
    reported_by: Source | None = None
    not_reported_by: Source | None = None

    def devices(self, board: Board) -> list[Device]:
        """Return the devices to ask for, in an order that stays."""
        of_kind = self._of_kind(board, self.reported_by)
        found = (each for each in of_kind if serial_number(each, board.inventory))
        return sorted(found, key=lambda device: device.key)

    def expected(self, board: Board) -> int:
        """Return of how many devices it is about, before their numbers are known."""
        return len(self.devices(board)) or len(self._of_kind(board, None))

    def _of_kind(self, board: Board, reported_by: Source | None) -> set[Device]:
        known = board.devices() | board.inventory.keys()
        told = known if reported_by is None else board.reported_by(reported_by)
        others = (
            board.reported_by(self.not_reported_by)
            if self.not_reported_by
            else frozenset()
        )
        return {device for device in told - others if device.kind is self.kind}


def serial_number(device: Device, inventory: Inventory) -> str | None:
    """Return the serial number that a path takes; None where it is not known."""
    properties = inventory.get(device)
    told = (properties and properties.serial_number) or ""
    is_told = device.kind is DeviceKind.BATTERY or device.identifier == FIRST
    number = told if is_told else device.identifier
    return number if _SERIAL.fullmatch(number) else None


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
    are set aside where cues come more often than the period. What is requested several
    times a day takes no more than a `share` of the calls that a system has, and rests
    in the dark if it is `by_day`. Groups that a document `serves` need it, too.
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
    serves: frozenset[Group] = frozenset()
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
    share: float = 1
    by_day: bool = False

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

    def period_of(
        self, board: Board, calls: float, daylight: timedelta = DAILY
    ) -> timedelta | None:
        """Return how long apart requests are, where a system has so many calls a month.

        `daylight` is how long a day of the system lasts. None where there is no period.
        """
        if (least := self.period) is None or least >= DAILY:
            return least
        kind = self.waits_for
        if kind and not any(device.kind is kind for device in board.inventory):
            return WEEKLY
        most = calls * self.share / _MONTH / max(1, self._requests(board))
        return next(
            (
                pace
                for pace in _PACES
                if pace >= least and self._rounds(pace, daylight) <= most
            ),
            DAILY,
        )

    def calls_per_day(
        self, board: Board, calls: float = math.inf, daylight: timedelta = DAILY
    ) -> float | None:
        """Return the API calls of a day for an errand; None where there is no period.

        `calls` and `daylight` are those of `period_of`.
        """
        if (period := self.period_of(board, calls, daylight)) is None:
            return None
        if not self.is_expected(board):
            return 0.0
        return self._requests(board) * self._rounds(self.budgeted or period, daylight)

    def _rounds(self, period: timedelta, daylight: timedelta) -> float:
        """Return how often a day the document is requested."""
        if self.by_day and max(period, daylight) < DAILY:
            return (daylight + REPORTED_AFTER_DUSK) / period + _EDGES
        return DAILY / period

    def _requests(self, board: Board) -> int:
        """Return how many calls it takes; a page holds so many microinverters."""
        if self.each is not None:
            return self.each.expected(board)
        modules = board.newest().get(Measurement.MODULES)
        items = max(1, int(modules.value)) if modules is not None else 1
        return max(1, math.ceil(items / (self.endpoint.page_size or items)))


type AnyDocument = Document[Any]
