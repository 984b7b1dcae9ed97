"""The columns of the table of documents."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
import hashlib
import math
import re
from typing import Any, Final, NamedTuple

from ..api.endpoints import Endpoint
from ..measurements.board import Board
from ..measurements.catalog import Measurement, Source
from ..measurements.inventory import Inventory
from ..measurements.samples import Sample, Samples, Value
from ..measurements.system import MOST_W, SYSTEM, Device, DeviceKind, SystemInfo

type Report = Mapping[Device, Samples]
"""The samples of a response, by device; the system is SYSTEM."""

HOURLY: Final = timedelta(hours=1)
DAILY: Final = timedelta(days=1)
WEEKLY: Final = timedelta(days=7)
ONCE: Final = timedelta(days=36_500)
"""In effect, never again."""
QUARTERLY: Final = timedelta(minutes=15)
"""As often as gateways report."""
# Possible periods of less than a day.
_PACES: Final = (QUARTERLY, HOURLY, timedelta(hours=6))
_DAYS_OF_MONTH: Final = 31
FIRST: Final = "1"
"""The identifier of a device without a number, the only one of its kind."""
REPORTED_AFTER_DUSK: Final = timedelta(minutes=30)
"""How long after dusk the whole day is reported."""
# With `by_day`: one more request at dawn, and on average half a one at the end.
_EDGES: Final = 1.5
# Stored cues are limited to this length (json_values.py).
_LONGEST_CUE: Final = 100
# A serial number that may be part of a path.
_SERIAL: Final = re.compile(r"[A-Za-z0-9_-]+")


class Group(StrEnum):
    """A group of documents that the user switches on and off together."""

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
"""Groups that are off in new entries."""


class Known(NamedTuple):
    """The context of a response, which is that of `device`."""

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
        """Return the devices to request the document for, in a stable order."""
        of_kind = self._of_kind(board, self.reported_by)
        found = (each for each in of_kind if serial_number(each, board.inventory))
        return sorted(found, key=lambda device: device.key)

    def expected(self, board: Board) -> int:
        """Return the number of devices, even before their serial numbers are known."""
        return len(self.devices(board)) or len(self._of_kind(board, None))

    def _of_kind(self, board: Board, reported_by: Source | None) -> set[Device]:
        known = board.devices() | board.inventory.keys()
        found = known if reported_by is None else board.reported_by(reported_by)
        if self.not_reported_by:
            found = found - board.reported_by(self.not_reported_by)
        return {device for device in found if device.kind is self.kind}


def serial_number(device: Device, inventory: Inventory) -> str | None:
    """Return the serial number for a path; None if it is unknown.

    The inventory has it if the identifier is an id (batteries) or FIRST.
    """
    number: str | None = device.identifier
    if device.kind is DeviceKind.BATTERY or number == FIRST:
        properties = inventory.get(device)
        number = None if properties is None else properties.serial_number
    return number if number and _SERIAL.fullmatch(number) else None


def plausible(
    energy: float | None, kind: DeviceKind, length: timedelta
) -> float | None:
    """Return the energy of an interval [Wh], None beyond what a device can carry."""
    if energy is None or energy > MOST_W[kind] * (length / timedelta(hours=1)):
        return None
    return energy


def as_cue(text: str) -> str:
    """Return a text, or its digest if it is too long for a stored cue."""
    if len(text) <= _LONGEST_CUE:
        return text
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def samples_of(
    values: Mapping[Measurement, Value | None], at: datetime, source: Source
) -> dict[Measurement, Sample]:
    """Return samples of the values that are not None; flags become 1 or 0."""
    return {
        measurement: Sample(
            int(value) if isinstance(value, bool) else value, at, source
        )
        for measurement, value in values.items()
        if value is not None
    }


def dated_samples(
    values: Mapping[Measurement, tuple[Value | None, datetime]], source: Source
) -> dict[Measurement, Sample]:
    """Return samples of the values that are not None, each with its own moment."""
    return {
        measurement: Sample(value, at, source)
        for measurement, (value, at) in values.items()
        if value is not None
    }


def no_query(_known: Known) -> Mapping[str, str | int]:
    """Return an empty query."""
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Document[ResponseT]:
    """A document of the cloud: how to request it, when, and how to read it.

    Without a `period`, it is polled as often as API calls allow, by its weight
    (scheduling/weights.py). With a period it is periodic: requested once per period,
    and soon after the result of `cue` changed. `site_query`: the system is named in the
    query. All pages of an endpoint are read. `each`: it is requested for each device,
    whose serial number is part of the path. `budgeted`: the period for which calls are
    set aside, if cues change more often than `period`. `share`: the greatest share of a
    system's calls for a document requested several times a day. `by_day`: no requests
    at night. `serves`: groups that require this document, too.
    """

    source: Source
    endpoint: Endpoint[Any]
    read: Callable[[ResponseT, Known], Report]
    # Whether other documents show that the system has what this one reports.
    is_expected: Callable[[Board], bool] = lambda _board: True
    # Updates the board with a response before it is read.
    learn: Callable[[ResponseT, Known], None] | None = None
    is_optional: bool = True
    period: timedelta | None = None
    group: Group | None = None
    serves: frozenset[Group] = frozenset()
    cue: Callable[[Board], str] | None = None
    inventory: Callable[[ResponseT], Inventory] | None = None
    # Kinds that the inventory lists completely; see `inventory.updated`.
    lists_all: frozenset[DeviceKind] = frozenset()
    # Whether it is requested rarely after a refusal, to check whether that still holds.
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
        """Return the devices to request the document for; SYSTEM unless `each`."""
        return [SYSTEM] if self.each is None else self.each.devices(board)

    @property
    def is_short(self) -> bool:
        """Return whether a response has only a few devices."""
        return self.endpoint.page_size is None and not self.lists_all

    def digest(
        self, response: ResponseT, known: Known
    ) -> tuple[Inventory | None, Report]:
        """Update the board with a response; return its inventory and its samples."""
        listed = None if self.inventory is None else self.inventory(response)
        if self.learn is not None:
            self.learn(response, known)
        return listed, self.read(response, known)

    def period_of(
        self, board: Board, calls: float, daylight: timedelta = DAILY
    ) -> timedelta | None:
        """Return the time between requests; None without a period.

        `calls`: the API calls of the system per month. `daylight`: from dawn to dusk.
        """
        if (least := self.period) is None or least >= DAILY:
            return least
        kind = self.waits_for
        if kind and not any(device.kind is kind for device in board.inventory):
            return WEEKLY
        most = calls * self.share / _DAYS_OF_MONTH / max(1, self._requests(board))
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
        """Return the API calls per day of a periodic document, else None.

        `calls` and `daylight` are those of `period_of`.
        """
        if (period := self.period_of(board, calls, daylight)) is None:
            return None
        if not self.is_expected(board):
            return 0.0
        return self._requests(board) * self._rounds(self.budgeted or period, daylight)

    def _rounds(self, period: timedelta, daylight: timedelta) -> float:
        """Return how often per day the document is requested."""
        if self.by_day and max(period, daylight) < DAILY:
            return (daylight + REPORTED_AFTER_DUSK) / period + _EDGES
        return DAILY / period

    def _requests(self, board: Board) -> int:
        """Return the API calls for one request of all devices and pages."""
        if self.each is not None:
            return self.each.expected(board)
        modules = board.newest().get(Measurement.MODULES)
        items = max(1, int(modules.value)) if modules is not None else 1
        return max(1, math.ceil(items / (self.endpoint.page_size or items)))


type AnyDocument = Document[Any]
