"""What is tried, and with which inputs."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from custom_components.enphase_cloud.measurements.board import Board
from custom_components.enphase_cloud.measurements.catalog import Measurement, Source
from custom_components.enphase_cloud.measurements.evidence import Evidence


@dataclass(frozen=True, slots=True)
class Target:
    """Something that may raise nothing but what is documented."""

    name: str
    count: int
    generate: Callable[[Random], Any]
    run: Callable[[Any], object]
    documented: tuple[type[Exception], ...]


def board_with_battery() -> Board:
    """Return a board on which the summary told a battery, and nothing else."""
    board = Board()
    told = Evidence(
        missing_since={Measurement.BATTERY_CAPACITY: None}, has_response=True
    )
    board.set_evidence(Source.SUMMARY, told)
    return board
