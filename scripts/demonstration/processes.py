"""Programs that run beside this one, with their output in files."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
import ctypes
from dataclasses import dataclass, field
import os
from pathlib import Path
import signal
import sys
from typing import Final

from aiohttp import ClientConnectionError

from .command_line import CHECKOUT, DemoError

_TAIL_LINES: Final = 20
_PATIENCE_TO_STOP_SECONDS: Final = 30
_PAUSE_SECONDS: Final = 0.2
# Linux alone knows how; it is for a demo that was killed.
_PRCTL: Final = ctypes.CDLL(None).prctl if sys.platform == "linux" else None
_SET_DEATH_SIGNAL: Final = 1


def _end_with_parent() -> None:
    """Let a program that was just started be ended where this one dies."""
    if _PRCTL is not None:
        _PRCTL(_SET_DEATH_SIGNAL, signal.SIGTERM)


async def until(
    what: str, condition: Callable[[], Awaitable[object]], *, seconds: float = 60
) -> None:
    """Wait until a condition holds. Raises DemoError when that takes too long.

    It does not hold while nobody answers.
    """
    try:
        async with asyncio.timeout(seconds):
            while True:
                try:
                    if await condition():
                        return
                except ClientConnectionError:
                    pass
                await asyncio.sleep(_PAUSE_SECONDS)
    except TimeoutError:
        raise DemoError(f"Waited {seconds:.0f} s in vain until {what}.") from None


@dataclass(slots=True)
class Program:
    """A program that is started, watched and stopped.

    It works in the folder of the checkout, and what it prints is added to its log.
    """

    name: str
    command: Sequence[str | Path]
    log: Path
    environment: dict[str, str] = field(default_factory=dict)
    _process: asyncio.subprocess.Process | None = None

    async def start(self, ready: Callable[[], Awaitable[object]]) -> None:
        """Start the program, and wait until it is ready.

        Raises DemoError when it ends before that, or takes too long.
        """
        with self.log.open("a", encoding="utf-8") as log:
            self._process = process = await asyncio.create_subprocess_exec(
                *self.command,
                cwd=CHECKOUT,
                env={**os.environ, **self.environment},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C is for the demo, which ends its programs in order.
                start_new_session=True,
                preexec_fn=_end_with_parent,
            )

        async def is_ready() -> object:
            if process.returncode is not None:
                raise DemoError(self.obituary(process.returncode))
            return await ready()

        what = f"{self.name} is ready; its log is {self.log}"
        await until(what, is_ready, seconds=120)

    async def ended(self) -> int:
        """Wait until the program has ended; return its code."""
        assert self._process is not None
        return await self._process.wait()

    async def stop(self) -> None:
        """End the program in good order; kill it if that takes too long."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(_PATIENCE_TO_STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()

    def obituary(self, code: int) -> str:
        """Return what to tell the user about a program that ended by itself."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        tail = "\n".join(f"    {line}" for line in lines[-_TAIL_LINES:])
        return f"{self.name} ended with code {code}.\nIts log, {self.log}:\n{tail}"
