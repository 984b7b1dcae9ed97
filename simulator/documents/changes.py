"""What a request changes, and how its fields are read."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from simulator.publication import Published

from .windows import Document


@dataclass(frozen=True, slots=True)
class Change:
    """What a write is answered with, and how it takes effect at a moment."""

    answer: Document
    apply: Callable[[datetime], None]
    status: int = 200


type WriteHandler = Callable[[Published, str, object], Change]
"""Takes the system, the serial number in the path, if any, and the body."""
