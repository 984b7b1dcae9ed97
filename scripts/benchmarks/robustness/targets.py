"""What is tried, and with which inputs."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any


@dataclass(frozen=True, slots=True)
class Target:
    """Something that may raise nothing but what is documented."""

    name: str
    count: int
    generate: Callable[[Random], Any]
    run: Callable[[Any], object]
    documented: tuple[type[Exception], ...]
