"""Show progress, run commands, and give advice when one fails."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
import os
from pathlib import Path
import subprocess
import time

from .paths import CACHE, CHECKOUT, LOG, VIRTUAL_ENVIRONMENTS

_TAIL_LINES = 15


class StepError(Exception):
    """A step failed; `advice` says what the user can do."""

    def __init__(self, problem: str, advice: str) -> None:
        """Keep problem and advice apart: they are shown on two lines."""
        super().__init__(problem)
        self.problem = problem
        self.advice = advice


def require_writable() -> None:
    """Raise StepError if the checkout is not writable."""
    for path in (CACHE, LOG, VIRTUAL_ENVIRONMENTS):
        there = next(each for each in (path, *path.parents) if each.exists())
        if not os.access(there, os.W_OK):
            raise not_yours(there)


def not_yours(path: object) -> StepError:
    """Return the error for a checkout that belongs to another user."""
    return StepError(
        f"you may not write to {path}, which belongs to another user",
        f"Work in a clone of your own: git clone {CHECKOUT}",
    )


@contextmanager
def step(title: str) -> Iterator[None]:
    """Print a step's title before it, and its duration after it."""
    print(f"  • {title} …", flush=True)
    started = time.monotonic()
    yield
    print(f"    done in {time.monotonic() - started:.0f} s", flush=True)


def run(
    command: Sequence[str | Path],
    *,
    advice: str,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> None:
    """Run a command with its output in the log.

    Raises StepError with the last lines of output and the given advice.
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    with LOG.open("a+", encoding="utf-8", errors="replace") as log:
        print(f"\n$ {' '.join(map(str, command))}", file=log, flush=True)
        begin = log.tell()
        try:
            code = subprocess.call(
                command,
                cwd=cwd,
                env={**os.environ, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        except FileNotFoundError as err:
            raise StepError(f"{command[0]} is not on this machine", advice) from err
        log.seek(begin)
        tail = "".join(f"    {line}" for line in log.readlines()[-_TAIL_LINES:])
    if code:
        problem = f"{Path(command[0]).name} failed with code {code}\n{tail.rstrip()}"
        raise StepError(problem, advice)


def output(command: Sequence[str | Path], *, timeout: float = 30) -> str | None:
    """Return the output of a command, or None if it fails or takes too long."""
    try:
        result = subprocess.run(
            command,
            check=True,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=timeout,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return result.stdout.strip()
