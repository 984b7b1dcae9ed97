"""What a row of the table of documents says."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
import math
from typing import Any, Final

from ..api.endpoints import Endpoint
from ..measurements.board import Board
from ..measurements.catalog import Measurement, Source
from ..measurements.inventory import Inventory
from ..measurements.samples import Samples
from ..measurements.system import Device, SystemInfo

type Report = Mapping[Device, Samples]
"""What an answer says of the system and of its devices."""

DAILY: Final = timedelta(days=1)
WEEKLY: Final = timedelta(days=7)


class Group(StrEnum):
    """Documents that the user switches on and off together."""

    DEVICES = "devices"
    PANELS = "panels"
    ALARMS = "alarms"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a reader knows beside the answer."""

    info: SystemInfo
    board: Board
    fetched_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Document[AnswerT]:
    """A document of the cloud: how to request it, when, and what it says.

    A document without a `period` is polled as often as calls allow, by its weight
    (scheduling/weights.py). One with a period is an errand: requested once in it, and
    soon after what `cue` returns has changed. `site_query` names the system in the
    query; an endpoint with pages is read to its last one.
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
    lists_all_devices: bool = False
    site_query: bool = False

    def calls_per_day(self, board: Board) -> float | None:
        """Return the API calls of a day for an errand; None where there is no period.

        A page holds so many microinverters.
        """
        if self.period is None:
            return None
        modules = board.newest().get(Measurement.MODULES)
        items = max(1, int(modules.value)) if modules is not None else 1
        pages = math.ceil(items / (self.endpoint.page_size or items))
        return max(1, pages) / self.period.days


type AnyDocument = Document[Any]
