"""The scripts say at once what stands in the way, and fetch what the machine trusts."""

import os
from pathlib import Path
import shutil
import socket
import subprocess
import sys

import pytest

SCRIPTS = Path(__file__).parents[1] / "scripts"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a checkout in which nothing is prepared, and whose set-up says so."""
    scripts = tmp_path / "scripts"
    for folder in ("demonstration", "environment"):
        shutil.copytree(SCRIPTS / folder, scripts / folder)
    shutil.copy(SCRIPTS / "demo", scripts)
    setup = scripts / "setup"
    setup.write_text("#!/bin/sh\necho preparing\nexit 9\n")
    setup.chmod(0o755)
    return tmp_path


def _demo(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "scripts/demo", *arguments],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("option", ["--port", "--cloud-port"])
def test_a_busy_port_stops_the_demo_before_it_prepares(
    checkout: Path, socket_enabled: None, option: str
) -> None:
    """The message names the port, and the option that chooses another."""
    other = "--cloud-port" if option == "--port" else "--port"
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        demo = _demo(checkout, option, str(port), other, "0")
    assert demo.returncode == 1
    assert f"Port {port} is busy" in demo.stderr
    assert option in demo.stderr
    assert "preparing" not in demo.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "prepares"),
    [
        (["--help"], 0, False),
        (["--nonsense"], 2, False),
        (["--port", "0", "--cloud-port", "0"], 9, True),
        (["--check"], 9, True),
    ],
)
def test_the_demo_prepares_only_what_it_needs(
    checkout: Path, arguments: list[str], code: int, *, prepares: bool
) -> None:
    """Help and mistakes need no preparation."""
    demo = _demo(checkout, *arguments)
    assert demo.returncode == code
    assert ("preparing" in demo.stdout) is prepares


def test_uv_trusts_what_the_machine_trusts(checkout: Path) -> None:
    """Also behind a proxy with a certificate of its own, unless the user says no."""
    uv = checkout / "uv"
    uv.write_text("#!/bin/sh\nprintf %s $UV_SYSTEM_CERTS\n")
    uv.chmod(0o755)
    program = (
        "from environment import interpreter, steps;"
        "print(steps.output([interpreter.uv()]))"
    )
    told = [
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=checkout / "scripts",
            env={**os.environ, "PATH": f"{checkout}:{os.environ['PATH']}"} | chosen,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for chosen in ({"UV_SYSTEM_CERTS": "0"}, {})
    ]
    assert told == ["0", os.environ.get("UV_SYSTEM_CERTS", "1")]
