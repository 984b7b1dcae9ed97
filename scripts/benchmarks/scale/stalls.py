"""Stalls of the event loop, measured by another thread."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
import sys
import threading
import time
import traceback
from typing import Final

_EVERY_S: Final = 0.001
_TOLD_FROM_S: Final = 0.02


@dataclass(slots=True)
class Stalls:
    """The longest time [s] for which the loop was blocked, and its stack.

    It is processor time of the loop's thread, so that the machine's other load does not
    count.
    """

    longest: float = 0.0
    stack: str = ""

    def take(self, took: float, stack: str) -> None:
        """Keep the longest."""
        if took > self.longest:
            self.longest, self.stack = took, stack


@contextmanager
def stalls() -> Generator[Stalls]:
    """Watch the running loop from another thread."""
    found, ended = Stalls(), threading.Event()
    arguments = (asyncio.get_running_loop(), threading.get_ident(), found, ended)
    watch = threading.Thread(target=_watch, args=arguments, daemon=True)
    switching = sys.getswitchinterval()
    # The watching thread must run during a stall.
    sys.setswitchinterval(_EVERY_S / 2)
    watch.start()
    try:
        yield found
    finally:
        sys.setswitchinterval(switching)
        ended.set()


def _watch(
    loop: asyncio.AbstractEventLoop,
    thread: int,
    found: Stalls,
    ended: threading.Event,
) -> None:
    clock = time.pthread_getcpuclockid(thread)
    while not ended.is_set():
        came_round = threading.Event()
        began = time.clock_gettime(clock)
        loop.call_soon_threadsafe(came_round.set)
        stack = ""
        while not came_round.wait(_EVERY_S) and not ended.is_set():
            if time.clock_gettime(clock) - began > _TOLD_FROM_S and not stack:
                stack = _stack(thread)
        found.take(time.clock_gettime(clock) - began, stack)
        time.sleep(_EVERY_S)


def _stack(thread: int) -> str:
    frame = sys._current_frames().get(thread)  # noqa: SLF001  # public by its docs
    return "".join(traceback.format_stack(frame, limit=40)) if frame else ""
