"""The effect of a write request."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from simulator.publication import Published

from .windows import Document


@dataclass(frozen=True, slots=True)
class Change:
    """The response to a write, and a function that applies it at a moment."""

    document: Document
    apply: Callable[[datetime], None]
    status: int = 200


type WriteHandler = Callable[[Published, str, object], Change]
"""Takes the system, the serial number in the path, if any, and the body."""
