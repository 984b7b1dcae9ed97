"""The documents of a system: one row each."""

from typing import Final

from ..api.endpoints import (
    BATTERY_TELEMETRY,
    DEVICES,
    INVERTERS_SUMMARY,
    LATEST_TELEMETRY,
    OPEN_ALARMS,
    SUMMARY,
)
from ..measurements.board import Board
from ..measurements.catalog import Source
from . import alarms, devices, panels
from .base import DAILY, WEEKLY, AnyDocument, Document, Group
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
DEVICES_DOCUMENT: Final = Document(
    source=Source.DEVICES,
    endpoint=DEVICES,
    read=devices.read_devices,
    inventory=devices.inventory,
    lists_all_devices=True,
    period=WEEKLY,
    group=Group.DEVICES,
    cue=devices.cue,
)
PANELS_DOCUMENT: Final = Document(
    source=Source.PANELS,
    endpoint=INVERTERS_SUMMARY,
    read=panels.read_panels,
    learn=panels.learn_health,
    inventory=panels.inventory,
    period=DAILY,
    group=Group.PANELS,
    site_query=True,
)
ALARMS_DOCUMENT: Final = Document(
    source=Source.ALARMS,
    endpoint=OPEN_ALARMS,
    read=alarms.read_open_alarms,
    learn=alarms.learn_open_alarms,
    period=DAILY,
    group=Group.ALARMS,
    cue=alarms.cue,
)

DOCUMENTS: Final[tuple[AnyDocument, ...]] = (
    SUMMARY_DOCUMENT,
    BATTERY_DOCUMENT,
    LATEST_DOCUMENT,
    DEVICES_DOCUMENT,
    PANELS_DOCUMENT,
    ALARMS_DOCUMENT,
)
"""In the order in which a new system is polled: what comes later depends on it."""
