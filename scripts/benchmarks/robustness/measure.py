"""Runs targets, and notes their exceptions and their longest times."""

from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
import gc
from pathlib import Path
from random import Random
from resource import RLIMIT_DATA, getrlimit, setrlimit
from signal import ITIMER_VIRTUAL, SIGVTALRM, setitimer, signal
import time
import traceback
from typing import Any, Final, Self

from tests.robustness.responses import ANSWERS
from tests.robustness.stores import STORES
from tests.robustness.streams import STREAMS
from tests.robustness.targets import Target

TARGETS: Final = {target.name: target for target in (*ANSWERS, *STORES, *STREAMS)}

SLOW: Final = 0.1
"""No input may take longer [s of the processor]."""

_CHUNK: Final = 10_000
# Slow inputs are measured again: a page fault of the machine is not their fault.
_SUSPICIOUS: Final = SLOW / 5
_AGAIN: Final = 2
# Garbage is collected between inputs, so that its time counts for none.
_COLLECT_EVERY: Final = 500
_SHOWN_FRAMES: Final = 3
_SHOWN_CHARACTERS: Final = 400
# An input that does not end, or fills the memory, must not stop the others.
_MEMORY: Final = 2 * 1024**3
_ENDLESS: Final = 20


@dataclass(slots=True)
class Outcome:
    """The results of inputs; `examples` are the unexpected ones, by their place."""

    inputs: int = 0
    unexpected: int = 0
    slowest: float = 0.0
    examples: dict[str, str] = field(default_factory=dict)

    def add(self, other: Self) -> None:
        """Add the results of other inputs."""
        self.inputs += other.inputs
        self.unexpected += other.unexpected
        self.slowest = max(self.slowest, other.slowest)
        self.examples |= other.examples


def measure(
    names: Iterable[str], *, seed: int, quick: int | None = None
) -> dict[str, Outcome]:
    """Return the results of each target, with at most `quick` inputs each.

    The inputs depend on the seed alone, not on the number of processes.
    """
    chunks = [
        (name, number, min(_CHUNK, count - number * _CHUNK))
        for name in names
        if (count := min(TARGETS[name].count, quick or TARGETS[name].count))
        for number in range(-(-count // _CHUNK))
    ]
    outcomes = {name: Outcome() for name, *_ in chunks}
    with ProcessPoolExecutor() as pool:
        run = partial(_run, seed)
        for (name, *_), outcome in zip(chunks, pool.map(run, chunks), strict=True):
            outcomes[name].add(outcome)
    return outcomes


def _run(seed: int, chunk: tuple[str, int, int]) -> Outcome:
    """Run some inputs of a target; they depend on the arguments alone."""
    _, most = getrlimit(RLIMIT_DATA)
    setrlimit(RLIMIT_DATA, (_MEMORY, most))
    signal(SIGVTALRM, _give_up)
    name, part, count = chunk
    random = Random(f"{seed} {name} {part}")
    target, outcome = TARGETS[name], Outcome()
    gc.collect()
    gc.freeze()
    gc.disable()
    for number in range(count):
        if number % _COLLECT_EVERY == 0:
            gc.collect()
        _try(target, target.generate(random), outcome)
    gc.enable()
    gc.unfreeze()
    return outcome


def _try(target: Target, given: Any, outcome: Outcome) -> None:
    outcome.inputs += 1
    seconds, error = _timed(target, given)
    if seconds > _SUSPICIOUS:
        seconds = min(seconds, *(_timed(target, given)[0] for _ in range(_AGAIN)))
        if seconds > SLOW:
            outcome.examples[f"{target.name}: slow"] = _shown(given)
    outcome.slowest = max(outcome.slowest, seconds)
    if error is not None:
        outcome.unexpected += 1
        outcome.examples.setdefault(_place(error), _shown(given))


def _timed(target: Target, given: Any) -> tuple[float, Exception | None]:
    """Return the processor time, and an exception that is not documented."""
    unexpected: Exception | None = None
    setitimer(ITIMER_VIRTUAL, _ENDLESS)
    began = time.thread_time()
    try:
        target.run(given)
    except target.documented:
        pass
    except Exception as error:  # noqa: BLE001  # any of them is a finding
        unexpected = error
    return time.thread_time() - began, unexpected


def _give_up(*_: object) -> None:
    raise MemoryError("Time limit exceeded")


def _place(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)[-_SHOWN_FRAMES:]
    places = " > ".join(
        f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames
    )
    return f"{type(error).__name__} at {places}: {str(error)[:80]}"


def _shown(given: Any) -> str:
    return repr(given)[:_SHOWN_CHARACTERS]
