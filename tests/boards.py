"""What is known of a system, for tests of readers."""

from datetime import UTC, datetime, tzinfo

from custom_components.enphase_cloud.documents.base import Known
from custom_components.enphase_cloud.measurements.board import Board
from custom_components.enphase_cloud.measurements.catalog import Measurement, Source
from custom_components.enphase_cloud.measurements.evidence import Evidence
from custom_components.enphase_cloud.measurements.samples import NOTHING, Samples
from custom_components.enphase_cloud.measurements.system import SystemInfo


def board(samples: Samples = NOTHING, *, has_battery: bool = False) -> Board:
    """Return a board on which a summary told samples, and a battery if there is one."""
    made = Board()
    made.put(Source.SUMMARY, samples)
    told = {Measurement.BATTERY_CAPACITY: None} if has_battery else {}
    made.set_evidence(Source.SUMMARY, Evidence(missing_since=told, has_response=True))
    return made


def known(
    fetched_at: datetime,
    *,
    time_zone: tzinfo = UTC,
    has_battery: bool = False,
    is_cellular: bool = False,
) -> Known:
    """Return what a reader knows beside an answer."""
    info = SystemInfo(
        system_id=71, name="Hilltop", time_zone=time_zone, is_cellular=is_cellular
    )
    return Known(info=info, board=board(has_battery=has_battery), fetched_at=fetched_at)
