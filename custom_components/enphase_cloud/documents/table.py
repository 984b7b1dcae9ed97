"""The documents of a system: one row each."""

from typing import Final

from ..api.endpoints import BATTERY_TELEMETRY, LATEST_TELEMETRY, SUMMARY
from ..measurements.board import Board
from ..measurements.samples import Source
from .base import AnyDocument, Document
from .readings import read_battery_telemetry, read_latest_telemetry, read_summary

SUMMARY_DOCUMENT: Final = Document(
    source=Source.SUMMARY,
    endpoint=SUMMARY,
    read=read_summary,
    is_optional=False,
)
BATTERY_DOCUMENT: Final = Document(
    source=Source.BATTERY,
    endpoint=BATTERY_TELEMETRY,
    read=read_battery_telemetry,
    is_expected=Board.has_battery,
)
LATEST_DOCUMENT: Final = Document(
    source=Source.LATEST,
    endpoint=LATEST_TELEMETRY,
    read=read_latest_telemetry,
)

DOCUMENTS: Final[tuple[AnyDocument, ...]] = (
    SUMMARY_DOCUMENT,
    BATTERY_DOCUMENT,
    LATEST_DOCUMENT,
)
"""In the order in which a new system is polled: what comes later depends on it."""
