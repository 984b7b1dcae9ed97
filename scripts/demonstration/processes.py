"""Programs that run beside this one, with their output in files."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
import os
from pathlib import Path
import signal
import socket
from typing import Final

LOOPBACK: Final = "127.0.0.1"

_TAIL_LINES: Final = 20
_PATIENCE_TO_STOP_SECONDS: Final = 30
_PROBE_PAUSE_SECONDS: Final = 0.2


class DemoError(Exception):
    """The demo cannot go on; the text tells the user why and what to do."""


class Program:
    """A program that is started, watched, stopped or killed."""

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        folder: Path,
        log: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Prepare the program; `folder` is where it works."""
        self.name = name
        self.log = log
        self._command = [str(part) for part in command]
        self._folder = folder
        self._environment = environment or {}
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start the program; its output is added to the log."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("a", encoding="utf-8") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                cwd=self._folder,
                env={**os.environ, **self._environment},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C is for the demo, which ends its programs in order.
                start_new_session=True,
            )

    async def ended(self) -> int:
        """Wait until the program has ended; return its code."""
        assert self._process is not None
        return await self._process.wait()

    async def stop(self) -> None:
        """End the program in good order; kill it if that takes too long."""
        if self._process is None or self._process.returncode is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(_PATIENCE_TO_STOP_SECONDS):
                await self._process.wait()
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        """End the program as a power cut would."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def until(self, ready: Callable[[], Awaitable[bool]], seconds: float) -> None:
        """Wait until the program is ready.

        Raises DemoError when it ends before that, or takes longer than `seconds`.
        """
        ended = asyncio.create_task(self.ended())
        try:
            async with asyncio.timeout(seconds):
                while not await ready():
                    if ended.done():
                        raise DemoError(self.obituary(ended.result()))
                    await asyncio.sleep(_PROBE_PAUSE_SECONDS)
        except TimeoutError:
            raise DemoError(
                f"{self.name} is not ready after {seconds:.0f} s.\n{self._tail()}"
            ) from None
        finally:
            ended.cancel()

    def obituary(self, code: int) -> str:
        """Return what to tell the user about a program that ended by itself."""
        return f"{self.name} ended with code {code}.\n{self._tail()}"

    def _tail(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        shown = "\n".join(f"    {line}" for line in lines[-_TAIL_LINES:])
        return f"The end of its log, {self.log}:\n{shown}"


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        port: int = listener.getsockname()[1]
        return port


def claim_port(port: int, option: str) -> None:
    """Make sure that a port is free. Raises DemoError with what to do."""
    with socket.socket() as listener:
        # As servers do: what lingers of an earlier connection does not count.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, port))
        except OSError as err:
            raise DemoError(
                f"Port {port} is busy ({err.strerror}): another demo may be running."
                f"\nEnd that, or choose another port with {option}."
            ) from None
