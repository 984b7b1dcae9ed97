"""Run the client's examples beside a simulated cloud."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
import os
from pathlib import Path
import re
import subprocess
import sys
from typing import Final
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, build_opener

CHECKOUT: Final = Path(__file__).resolve().parents[2]
EXAMPLES: Final = CHECKOUT / "client" / "examples"
_SYSTEM: Final = "4100001"
# Midday in the simulated system's time zone.
_START: Final = "2026-06-17T19:40"
_PATIENCE: Final = 60
_EXPECTED: Final = (
    (("overview.py",), r"4100001 Hillside: \d+ W now, [\d.]+ Wh today, status \w+", 1),
    (("panels.py", _SYSTEM), r"\d+: \d+ Wh today", 20),
    (("live.py", _SYSTEM), r"[\d:]+ UTC: panels \d+ W, grid -?\d+ W, .* W", 3),
    (("reserve.py", _SYSTEM, "40"), r"\w+ with a reserve of 40 %", 1),
)


class TrialError(Exception):
    """An example failed, or printed something unexpected."""


@contextmanager
def simulated_cloud() -> Iterator[str]:
    """Run the demo's cloud on a free port, and yield its URL."""
    command = [sys.executable, "-m", "simulator", "--port", "0", "--start", _START]
    with subprocess.Popen(
        command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().rpartition(" ")[2].strip()
        finally:
            process.terminate()


@dataclass(frozen=True, slots=True)
class Trial:
    """The examples, run by a Python in a folder that holds the account's tokens."""

    python: Path
    url: str
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def run_all(self) -> Iterator[str]:
        """Run each example, and yield its name and the end of its output.

        Raises TrialError.
        """
        yield f"sign_in.py: {self.sign_in()}"
        for command, pattern, count in _EXPECTED:
            printed = self.run(*command)
            if len(re.findall(f"^{pattern}$", printed, re.MULTILINE)) != count:
                raise TrialError(f"{command[0]} printed something else:\n{printed}")
            yield f"{command[0]}: {printed.splitlines()[-1]}"

    def run(self, example: str, *arguments: str) -> str:
        """Run an example, and return its output. Raises TrialError."""
        result = subprocess.run(
            [self.python, EXAMPLES / example, *arguments],
            cwd=self.folder,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
        if result.returncode:
            raise TrialError(f"{example} failed:\n{result.stderr}")
        return result.stdout

    def sign_in(self) -> str:
        """Run the sign-in example as an owner: open the page, copy the code."""
        with subprocess.Popen(
            [self.python, EXAMPLES / "sign_in.py"],
            cwd=self.folder,
            env=self._environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            address = process.stdout.readline().removeprefix("Open ").strip()
            code = _code(address) if address else ""
            printed, _ = process.communicate(f"{code}\n", timeout=_PATIENCE)
        if process.returncode:
            raise TrialError("sign_in.py failed")
        return printed.rpartition(": ")[2].strip()

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "PYTHONDONTWRITEBYTECODE": "1",
            "ENPHASE_URL": self.url,
            "ENPHASE_CLIENT_ID": "demo-megawatt",
            "ENPHASE_CLIENT_SECRET": "demo-megawatt-secret",
            "ENPHASE_API_KEY": "demo-megawatt-key",
            **self.environment,
        }


class _Redirect(HTTPRedirectHandler):
    """Raises HTTPError for a redirect instead of following it."""

    def redirect_request(self, *arguments: object) -> None:  # type: ignore[override]
        """Return None, so that a redirect is an error."""


def _code(address: str) -> str:
    """Sign in on the cloud's page, and return the authorization code."""
    form = urlencode({"email": "olivia@example.com", "password": "sunshine"})
    try:
        build_opener(_Redirect).open(address, form.encode(), timeout=_PATIENCE)
    except HTTPError as redirect:
        query = urlsplit(redirect.headers.get("Location", "")).query
        redirect.close()
        if code := parse_qs(query).get("code"):
            return code[0]
    raise TrialError("The simulated cloud returned no authorization code")
