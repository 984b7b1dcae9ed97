"""A target of random inputs."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from custom_components.enphase_cloud.measurements.board import Board
from custom_components.enphase_cloud.measurements.catalog import Measurement, Source
from custom_components.enphase_cloud.measurements.evidence import Evidence


@dataclass(frozen=True, slots=True)
class Target:
    """Code that may raise only documented exceptions, and a source of inputs."""

    name: str
    count: int
    generate: Callable[[Random], Any]
    run: Callable[[Any], object]
    documented: tuple[type[Exception], ...]


def board_with_battery() -> Board:
    """Return a board whose only evidence is a battery in the summary."""
    board = Board()
    evidence = Evidence(
        missing_since={Measurement.BATTERY_CAPACITY: None}, has_response=True
    )
    board.set_evidence(Source.SUMMARY, evidence)
    return board
