"""What is given absurd inputs."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One reader, and how it is tried.

    `generate` makes an input, the same for the same state of `random`; only `run` is
    measured. `run` may raise what is documented, and nothing else.
    """

    name: str
    count: int
    generate: Callable[[Random], Any]
    run: Callable[[Any], object]
    documented: tuple[type[Exception], ...] = ()
