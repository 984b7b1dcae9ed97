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
_PAUSE_SECONDS: Final = 0.2


class DemoError(Exception):
    """The demo cannot go on; the text tells the user why and what to do."""


async def until(
    what: str, condition: Callable[[], Awaitable[bool]], *, seconds: float = 60
) -> None:
    """Wait until a condition holds. Raises DemoError when that takes too long."""
    try:
        async with asyncio.timeout(seconds):
            while True:
                if await condition():
                    return
                await asyncio.sleep(_PAUSE_SECONDS)
    except TimeoutError:
        raise DemoError(f"Waited {seconds:.0f} s in vain until {what}.") from None


class Program:
    """A program that is started, watched and stopped."""

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
        self.log = log
        self._name = name
        self._command = [str(part) for part in command]
        self._folder = folder
        self._environment = environment or {}
        self._process: asyncio.subprocess.Process | None = None

    async def start(self, ready: Callable[[], Awaitable[bool]]) -> None:
        """Start the program, its output is added to the log; wait until it is ready.

        Raises DemoError when it ends before that, or takes too long.
        """
        with self.log.open("a", encoding="utf-8") as log:
            self._process = process = await asyncio.create_subprocess_exec(
                *self._command,
                cwd=self._folder,
                env={**os.environ, **self._environment},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C is for the demo, which ends its programs in order.
                start_new_session=True,
            )

        async def is_ready() -> bool:
            if process.returncode is not None:
                raise DemoError(self.obituary(process.returncode))
            return await ready()

        what = f"{self._name} is ready; its log is {self.log}"
        await until(what, is_ready, seconds=120)

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
            self._process.kill()
            await self._process.wait()

    def obituary(self, code: int) -> str:
        """Return what to tell the user about a program that ended by itself."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        tail = "\n".join(f"    {line}" for line in lines[-_TAIL_LINES:])
        return f"{self._name} ended with code {code}.\nIts log, {self.log}:\n{tail}"


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
