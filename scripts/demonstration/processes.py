"""Child processes, with their output in log files."""

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
# Only Linux has it: it also ends the programs of a demo that was killed.
_PRCTL: Final = ctypes.CDLL(None).prctl if sys.platform == "linux" else None
_SET_DEATH_SIGNAL: Final = 1


def _end_with_parent() -> None:
    """Request SIGTERM for this new process when its parent dies (Linux only)."""
    if _PRCTL is not None:
        _PRCTL(_SET_DEATH_SIGNAL, signal.SIGTERM)


async def until(
    what: str, condition: Callable[[], Awaitable[object]], *, seconds: float = 60
) -> None:
    """Wait for a condition; `what` names it, for the error.

    It does not hold while a connection fails. Raises DemoError after `seconds`.
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
        raise DemoError(f"Timeout: waited {seconds:.0f} s for {what}.") from None


@dataclass(slots=True)
class Program:
    """A program that runs in the checkout's folder and appends its output to a log."""

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
                # Ctrl-C reaches only the demo, which then stops its programs.
                start_new_session=True,
                preexec_fn=_end_with_parent,
            )

        async def is_ready() -> object:
            if process.returncode is not None:
                raise DemoError(self.end_message(process.returncode))
            return await ready()

        what = f"{self.name} (see its log, {self.log})"
        await until(what, is_ready, seconds=120)

    async def ended(self) -> int:
        """Wait until the program ends; return its exit code."""
        assert self._process is not None
        return await self._process.wait()

    async def stop(self) -> None:
        """Terminate the program; kill it after 30 s."""
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

    def end_message(self, code: int) -> str:
        """Return a message for the user about a program that ended by itself."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        tail = "\n".join(f"    {line}" for line in lines[-_TAIL_LINES:])
        return f"{self.name} ended with code {code}.\nEnd of {self.log}:\n{tail}"
