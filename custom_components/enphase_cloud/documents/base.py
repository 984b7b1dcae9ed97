"""What a row of the table of documents says."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from ..api.endpoints import Endpoint
from ..measurements.board import Board
from ..measurements.samples import Samples, Source
from ..measurements.system import Device, SystemInfo

type Report = Mapping[Device, Samples]
"""What an answer says of the system and of its devices."""

DAILY: Final = timedelta(days=1)
WEEKLY: Final = timedelta(days=7)


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
    (scheduling/weights.py). One with a period is an errand: requested once in it.
    """

    source: Source
    endpoint: Endpoint[AnswerT]
    read: Callable[[AnswerT, Known], Report]
    # Whether other documents show the system to have what this one tells.
    is_expected: Callable[[Board], bool] = lambda _board: True
    is_optional: bool = True
    period: timedelta | None = None


type AnyDocument = Document[Any]
