"""What is known of a system with a battery."""

from custom_components.enphase_cloud.measurements.board import Board
from custom_components.enphase_cloud.measurements.catalog import Measurement
from custom_components.enphase_cloud.measurements.evidence import Evidence
from custom_components.enphase_cloud.measurements.samples import Source


def board_with_battery() -> Board:
    """Return a board on which the summary told a battery, and nothing else."""
    board = Board()
    told = Evidence(missing_since={Measurement.BATTERY_CAPACITY: None}, answered=True)
    board.set_evidence(Source.SUMMARY, told)
    return board
